"""Makes an imported desk look like one that is worked in: writes states, owners, clocks and marks
straight into a copy of its database.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from workflow.model import FAR_FUTURE_MS, to_millis

__all__ = ["Work", "fill"]

_SEED = 11
_MINUTE = 60_000

_COLUMNS = (
    "status", "priority", "group_name", "assignee", "level", "topic", "created_at", "updated_at",
    "snoozed_until", "resolved_at", "escalated_to", "no_clocks", "waiting_since",
    "last_message_at", "next_metric", "next_due_at", "next_warn_at", "due_rank", "urgency_rank",
    "waiting_rank",
)  # fmt: skip


class Work(Enum):
    """How the tickets are spread over their states."""

    USUAL = "usual"
    """A fifth is unresolved, and of these some are mine, nobody's, pending, snoozed, escalated."""
    ALL_OPEN = "all open"
    """The worst day: nothing was ever resolved, all clocks run, half is nobody's."""


def fill(database: Path, tickets: int, work: Work, now: datetime) -> None:
    """Bring a copy of a desk to so many tickets and spread them.

    Tickets beyond those that the mail made are copies of their rows, without messages.
    """
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("BEGIN")
        _multiply(connection, tickets)
        numbers = [row[0] for row in connection.execute("SELECT id FROM ticket ORDER BY id")]
        names = ", ".join(f"{name} = ?" for name in _COLUMNS)
        connection.executemany(
            f"UPDATE ticket SET {names} WHERE id = ?", _states(numbers, work, to_millis(now))
        )
        connection.execute("DELETE FROM clock")
        connection.execute(
            """INSERT INTO clock (ticket_id, metric, policy, calendar, target_s, started_at, state,
            due_at, warn_at, remaining_s, at_risk_told, breached_told)
            SELECT id, next_metric, 'office', 'always', 14400, created_at, 'running', next_due_at,
            next_warn_at, 14400, 0, 0 FROM ticket WHERE next_metric IS NOT NULL"""
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _multiply(connection: sqlite3.Connection, wanted: int) -> None:
    columns = [row[1] for row in connection.execute("PRAGMA table_info(ticket)")]
    others = ", ".join(name for name in columns if name != "id")
    have = connection.execute("SELECT count(*) FROM ticket").fetchone()[0]
    connection.execute("DELETE FROM ticket WHERE id > ?", (wanted,)) if have > wanted else None
    while 0 < have < wanted:
        more = min(have, wanted - have)
        connection.execute(
            f"INSERT INTO ticket (id, {others}) SELECT id + ?, {others} FROM ticket WHERE id <= ?",
            (have, more),
        )
        have += more


def _states(numbers: list[int], work: Work, now: int) -> Iterator[list[Any]]:
    chance = random.Random(_SEED)
    newest = numbers[-1]
    for number in numbers:
        # Arrival follows the numbers: two years of mail, the newest a minute ago.
        created = now - (newest - number) * 2 * 365 * 24 * 60 * _MINUTE // newest - _MINUTE
        row = _state(chance, work, created, now)
        yield [*(row[name] for name in _COLUMNS), number]


def _state(chance: random.Random, work: Work, created: int, now: int) -> dict[str, Any]:
    unresolved = work is Work.ALL_OPEN or chance.random() < 0.2
    updated = min(
        now, created + int(timedelta(hours=chance.randrange(1, 90)) / timedelta(0, 0, 1000))
    )
    priority = chance.choice((1, 2, 2, 2, 2, 2, 3, 3, 4))
    row: dict[str, Any] = {
        **dict.fromkeys(_COLUMNS),
        "status": chance.choice(("resolved", "closed", "closed", "closed")),
        "priority": priority,
        "group_name": chance.choice(("support", "support", "finance")),
        "assignee": chance.choice(("ana", "ben", "cleo", "dora")),
        "level": "L1",
        "topic": chance.choice(("billing", "technical", "delivery", None)),
        "created_at": created,
        "updated_at": updated,
        "last_message_at": updated,
        "no_clocks": 0,
        "due_rank": FAR_FUTURE_MS,
        "urgency_rank": 4 - priority,
        "waiting_rank": FAR_FUTURE_MS,
    }
    if not unresolved:
        row["resolved_at"] = updated
        return row
    draw = chance.random()
    row["status"] = (
        "new" if draw < 0.15 else "open" if draw < 0.75 else "pending" if draw < 0.93 else "on hold"
    )
    if chance.random() < (0.5 if work is Work.ALL_OPEN else 0.3):
        row["assignee"] = None
    if row["status"] in ("new", "open"):
        # Some have run out, some are about to, most have hours or days.
        due = now + chance.choice((-600, -30, 20, 90, 240, 600, 1500, 4000)) * _MINUTE
        due += chance.randrange(60 * _MINUTE)
        row |= {
            "waiting_since": updated,
            "waiting_rank": updated,
            "next_metric": chance.choice(("first_response", "next_response")),
            "next_due_at": due,
            "next_warn_at": due - 48 * _MINUTE,
            "due_rank": due,
        }
    if chance.random() < 0.08:
        row["snoozed_until"] = now + chance.randrange(1, 5000) * _MINUTE
    if chance.random() < 0.05:
        row["escalated_to"], row["level"] = "L2", "L2"
    return row
