"""What rules in shadow would have done, beside what really became of the same tickets: whether a
pilot can be trusted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.model import Priority
from workflow.routing.apply import ROUTED
from workflow.routing.replay import FIRED
from workflow.store.rows import EventDetail, TicketDetail

__all__ = ["BY", "Pilot", "Tally", "watch"]

BY = ("topic", "channel", "group")
"""By what the tickets of a pilot are told apart."""

_COMPARED = ("group", "level", "assignee", "priority", "policy")


@dataclass(slots=True)
class Tally:
    """How many tickets, and how many of them came out as the rule would have had it."""

    tickets: int = 0
    same: int = 0

    @property
    def share(self) -> float | None:
        """The part that came out the same; None without tickets."""
        return self.same / self.tickets if self.tickets else None


@dataclass(slots=True)
class Pilot:
    """A rule in shadow over some tickets. ``fields`` tallies each field that it would have set;
    ``moves`` counts what it would have set where something else came of it.
    """

    name: str
    cause: str
    kind: str
    """``row`` of the table, or ``rule``."""
    total: Tally = field(default_factory=Tally)
    fields: dict[str, Tally] = field(default_factory=dict)
    by: dict[str, dict[str, Tally]] = field(default_factory=lambda: {name: {} for name in BY})
    moves: dict[str, Counter[tuple[str | None, str | None]]] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    """What a rule would have done, step by step."""
    tickets: list[int] = field(default_factory=list)

    def _count(self, ticket: TicketDetail, same: bool) -> None:
        kinds = {
            "topic": ticket.topic or "none",
            "channel": ticket.channel,
            "group": ticket.group_name or "none",
        }
        tallies = [self.total]
        tallies += [self.by[name].setdefault(kinds[name], Tally()) for name in BY]
        for tally in tallies:
            tally.tickets += 1
            tally.same += same
        self.tickets.append(ticket.id)

    def take_row(self, ticket: TicketDetail, result: Mapping[str, Any]) -> None:
        """One more ticket that the row would have taken; ``result`` is what it gives."""
        came = _came(ticket)
        same = True
        for name in _COMPARED:
            if name not in result:
                continue
            tally = self.fields.setdefault(name, Tally())
            agrees = str(result[name]).lower() == str(came[name] or "").lower()
            tally.tickets += 1
            tally.same += agrees
            same &= agrees
            if not agrees:
                move = (str(result[name]), came[name])
                self.moves.setdefault(name, Counter())[move] += 1
        missing = [tag for tag in result.get("tags") or () if tag not in ticket.tags]
        self._count(ticket, same and not missing)

    def take_rule(self, ticket: TicketDetail, did: list[str]) -> None:
        """One more ticket for which the rule would have fired; what it would have done is the same
        where people, or other rules, have come to it.
        """
        self.did.update(did)
        came = _came(ticket)
        known = [word for word in did if word.partition(" ")[0] in _COMPARED]
        agrees = [
            str(came[name] or "").lower() == value.lower()
            for name, _, value in (word.partition(" ") for word in known)
        ]
        self._count(ticket, bool(agrees) and all(agrees))


def watch(pilots: dict[str, Pilot], ticket: TicketDetail) -> None:
    """Add what rules in shadow have recorded of a ticket: of each the last time."""
    for event in _last(ticket):
        name, data = str(event.data.get("rule")), event.data
        kind = "row" if event.name == ROUTED else "rule"
        pilot = pilots.setdefault(f"{kind} {name}", Pilot(name, event.cause, kind))
        pilot.cause = event.cause
        if kind == "row":
            pilot.take_row(ticket, data.get("result") or {})
        else:
            pilot.take_rule(ticket, [str(word) for word in data.get("did") or ()])


def _last(ticket: TicketDetail) -> Iterator[EventDetail]:
    found: dict[tuple[str, str], EventDetail] = {}
    for event in ticket.events:
        if event.name in (ROUTED, FIRED) and event.data.get("mode") == "shadow":
            found[event.name, str(event.data.get("rule"))] = event
    return iter(found.values())


def _came(ticket: TicketDetail) -> dict[str, str | None]:
    """What has become of the ticket by now."""
    return {
        "group": ticket.group_name,
        "level": ticket.level,
        "assignee": ticket.assignee,
        "priority": Priority(ticket.priority).word,
        "policy": ticket.policy,
    }
