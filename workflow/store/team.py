"""Who works here, as the screens and the command line read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow.model import from_millis

__all__ = ["AgentRow", "agents"]

_AGENTS = """
SELECT agent.name, agent.groups, agent.away_since, agent.away_until,
       (SELECT count(*) FROM ticket WHERE ticket.assignee = agent.name
        AND ticket.status IN ('new', 'open') AND ticket.spam_at IS NULL
        AND ticket.merged_into IS NULL AND ticket.snoozed_until IS NULL
        AND NOT ticket.snoozed_until_reply)
FROM agent WHERE agent.active ORDER BY agent.name"""


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


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)
