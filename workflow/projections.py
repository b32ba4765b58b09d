"""The columns that make the queue fast, remade from a ticket's events in the transaction that adds
to them.

``refresh`` is the only writer of clocks, waiting-since and the ranks; :mod:`workflow.history`
computes them and ``doctor`` compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from workflow import sla
from workflow.history import CLOCK_EVENTS, Projection, Row, project
from workflow.model import Metric, Priority, from_millis
from workflow.policy import Mark
from workflow.policy_choice import Promised, choose_policies, facts_for
from workflow.query.predicate import TicketFacts
from workflow.rulebook import Rules
from workflow.store.facts import event_rows
from workflow.store.statements import bindparam, col, delete, update
from workflow.store.store import Transaction
from workflow.store.tables import ClockMark, ClockRow, Ticket

__all__ = ["clock_rows", "events_of", "mark_rows", "refresh"]

_CHUNK = 400


def refresh(transaction: Transaction, rules: Rules, tickets: Iterable[int] | None = None) -> None:
    """Remake the projections of the tickets that this transaction has touched (or of those named),
    by the policies that they have from now on.
    """
    ids = sorted(transaction.touched if tickets is None else tickets)
    transaction.session.flush()
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        facts = facts_for(transaction, chunk, rules.policies, rules.marks)
        promised = choose_policies(transaction, chunk, rules.policies, facts)
        transaction.session.flush()
        events = events_of(transaction, chunk)
        for table in (ClockRow, ClockMark):
            transaction.session.exec(delete(table).where(col(table.ticket_id).in_(chunk)))
        clocks: list[dict[str, Any]] = []
        marks: list[dict[str, Any]] = []
        columns: list[dict[str, Any]] = []
        for one in promised:
            projection = project(events.get(one.ticket, []), rules.policies)
            columns.append(_columns(one, projection, rules.clocks_version, transaction.now))
            clocks.extend(clock_rows(one.ticket, projection))
            if one.running:
                marks.extend(mark_rows(one, projection, rules, facts.get(one.ticket)))
        if tickets is not None:
            # Nothing happened to them: they only stand otherwise by now.
            for column in columns:
                del column["updated_at"]
        _update(transaction, columns)
        transaction.insert_many(ClockRow, clocks)
        transaction.insert_many(ClockMark, marks)


def _columns(one: Promised, made: Projection, version: str, now: datetime) -> dict[str, Any]:
    return {
        "key": one.ticket,
        "policy": one.policy,
        "clocks_version": version,
        "waiting_since": made.waiting_since,
        "next_metric": made.next_metric,
        "next_due_at": made.next_due_at,
        "next_warn_at": made.next_warn_at,
        "due_rank": made.due_rank,
        "waiting_rank": made.waiting_rank,
        "urgency_rank": int(Priority.URGENT - one.priority),
        "updated_at": now,
    }


def _update(transaction: Transaction, columns: list[dict[str, Any]]) -> None:
    """Put projections on their tickets, all with one statement (the ORM needs one for each)."""
    if not columns:
        return
    table = Ticket.__table__  # type: ignore[attr-defined]
    values: dict[str, Any] = {name: bindparam(name) for name in columns[0] if name != "key"}
    values["version"] = table.c.version + 1
    transaction.connection.execute(
        update(table).where(table.c.id == bindparam("key")).values(**values), columns
    )
    transaction.session.expire_all()


def events_of(transaction: Transaction, tickets: list[int]) -> dict[int, list[Row]]:
    """The clock events of tickets, by ticket, in one query."""
    found: dict[int, list[Row]] = {}
    for ticket, at, name, data in event_rows(transaction.raw, tickets, CLOCK_EVENTS):
        found.setdefault(ticket, []).append((from_millis(at), name, json.loads(data)))
    return found


def clock_rows(ticket: int, projection: Projection) -> list[dict[str, Any]]:
    """The stored form of a ticket's clocks."""
    rows: list[dict[str, Any]] = []
    for metric, clock in projection.clocks.items():
        due_at, warn_at = projection.moments[metric]
        standing = sla.judge(clock, clock.ended_at or clock.running_from or clock.started_at)
        rows.append(
            {
                "ticket_id": ticket,
                "metric": metric.value,
                "policy": clock.policy.name,
                "calendar": clock.policy.calendar.name,
                "target_s": clock.target_s,
                "started_at": clock.started_at,
                "state": _stored_state(clock),
                "due_at": due_at,
                "warn_at": warn_at,
                "remaining_s": standing.remaining_s,
                "ended_at": clock.ended_at,
                "at_risk_told": clock.at_risk_told,
                "breached_told": clock.breached_told,
            }
        )
    return rows


def mark_rows(
    one: Promised, made: Projection, rules: Rules, facts: TicketFacts | None
) -> list[dict[str, Any]]:
    """The moments of a ticket's clocks that rules wait for and have not been told of."""
    wanted = [mark for mark in rules.marks if facts is None or mark.fits(facts)]
    policy = rules.policies.named(one.policy)
    if policy is not None and (after_s := policy.escalate.get(made.priority)) is not None:
        wanted.append(Mark(f"policy:{policy.name}", after_s, unanswered=False))
    rows: list[dict[str, Any]] = []
    for mark in wanted:
        for metric in _RESPONSES if mark.unanswered else (Metric.RESOLUTION,):
            clock = made.counted.get(metric)
            if clock is None or clock.ended_at is not None or mark.rule in clock.marks_told:
                continue
            rows.append(
                {
                    "ticket_id": one.ticket,
                    "metric": metric.value,
                    "rule": mark.rule,
                    "after_s": mark.after_s,
                    "at": clock.reaches(mark.after_s),
                }
            )
    return rows


_RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


def _stored_state(clock: sla.Clock) -> str:
    if clock.ended_as is not None:
        return clock.ended_as.value
    return "paused" if clock.running_from is None else "running"
