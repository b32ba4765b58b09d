"""Who works here, as the screens and the command line read it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow.model import from_millis
from workflow.store.tables import OURS

__all__ = ["AgentRow", "agents", "loads", "owners", "waiting_in"]

_AGENTS = f"""
SELECT agent.name, agent.groups, agent.away_since, agent.away_until,
       (SELECT count(*) FROM ticket WHERE ticket.assignee = agent.name AND {OURS})
FROM agent WHERE agent.active ORDER BY agent.name"""
_LOADS = f"""
SELECT assignee, count(*) FROM ticket WHERE assignee IS NOT NULL AND {OURS} GROUP BY assignee"""
_OWNERS = """
SELECT customer_id, assignee, id FROM ticket WHERE customer_id IN (SELECT value FROM json_each(?))
AND assignee IS NOT NULL AND spam_at IS NULL ORDER BY id DESC"""
# The condition as it stands in the index: by parameters a database could not prove it.
_WAITING = f"""
SELECT id FROM ticket WHERE assignee IS NULL AND group_name IN (SELECT value FROM json_each(?))
AND escalated_to IS NULL AND {OURS} ORDER BY due_rank, urgency_rank, id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent with what waits for them; the times are None for who is here."""

    name: str
    groups: tuple[str, ...]
    away_since: datetime | None
    away_until: datetime | None
    open: int

    def away(self, now: datetime) -> bool:
        """Whether they have said that they are away and are not back yet."""
        return self.away_since is not None and (self.away_until is None or self.away_until > now)


def agents(fetch: Callable[[str], list[Any]]) -> list[AgentRow]:
    """The agents by name."""
    return [
        AgentRow(name, tuple(json.loads(groups)), _moment(since), _moment(until), count)
        for name, groups, since, until, count in fetch(_AGENTS)
    ]


def loads(connection: sqlite3.Connection) -> dict[str, int]:
    """How many tickets wait for each agent who has some."""
    return dict(connection.execute(_LOADS).fetchall())


def owners(
    connection: sqlite3.Connection, customers: Sequence[int]
) -> Iterator[tuple[int, str, int]]:
    """(customer, agent, ticket) of the tickets of customers that somebody has, the newest first."""
    yield from connection.execute(_OWNERS, (json.dumps(list(customers)),))


def waiting_in(connection: sqlite3.Connection, groups: Sequence[str], most: int) -> list[int]:
    """The tickets of groups that nobody has, most urgent promise first; not those that wait for
    somebody to accept them.
    """
    found = connection.execute(_WAITING, (json.dumps(list(groups)), most))
    return [number for (number,) in found]


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)
