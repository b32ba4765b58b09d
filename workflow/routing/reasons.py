"""Why a ticket is with whom it is, from its events: for each fact that routing may set who set it,
and the row with the conditions that matched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.model import Priority, rfc3339
from workflow.routing.apply import ROUTED, UNPLACED
from workflow.store.rows import EventDetail, TicketDetail

__all__ = ["Reason", "reasons"]

_MOVES = (
    "ticket.assigned",
    "ticket.escalated",
    "ticket.de_escalated",
    "ticket.handed_back",
    "ticket.kept_up",
    "ticket.accepted",
    "ticket.unaccepted",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact of a ticket: its value, what set it, and by what that can be seen."""

    field: str
    value: str | None
    cause: str
    evidence: str


def reasons(ticket: TicketDetail) -> Iterator[Reason]:
    """The route, then priority, assignee, group and level, each with the newest event that set it."""
    events = ticket.events
    yield from _routes(events)
    values = {
        "priority": Priority(ticket.priority).word,
        "assignee": ticket.assignee,
        "group": ticket.group_name,
        "level": ticket.level,
    }
    for field, value in values.items():
        place = next((i for i in reversed(range(len(events))) if _sets(events[i], field)), None)
        cause, evidence = "default", "as it came in"
        if place is not None:
            cause, evidence = events[place].actor, _evidence(events, place)
        if field == "priority":
            cause = ticket.priority_by
        if field == "assignee" and value is None and (why := _unplaced(events[place or 0 :])):
            cause, evidence = "engine", why
        yield Reason(field, value, cause, evidence)


def _routes(events: Sequence[EventDetail]) -> Iterator[Reason]:
    """The row that the ticket matched last, and the row in shadow that it would have matched."""
    for mode, field in (("live", "route"), ("shadow", "route in shadow")):
        found = [e for e in events if e.name == ROUTED and e.data.get("mode") == mode]
        if not found:
            continue
        data = found[-1].data
        evidence = str(data.get("evidence", ""))
        if mode == "shadow":
            evidence += f" (it would have given {given_words(data.get('result', {}))})"
        kept = data.get("kept") or {}
        if kept:
            evidence += "; kept: " + ", ".join(f"{name} of {by}" for name, by in kept.items())
        if data.get("away"):
            evidence += f"; {data['away']} is away"
        yield Reason(field, data.get("rule"), found[-1].cause, evidence)


def given_words(result: Mapping[str, Any]) -> str:
    """What a row gives, in words: ``group finance, priority high``."""
    return (
        ", ".join(
            f"{name} {' '.join(value) if isinstance(value, list) else value}"
            for name, value in result.items()
        )
        or "nothing"
    )


def _sets(event: EventDetail, field: str) -> bool:
    if field == "priority":
        return event.name == "ticket.priority"
    if event.name == "ticket.field":
        return event.data.get("field") == field
    if event.name not in _MOVES:
        return False
    before, after = event.data.get("before"), event.data.get("after")
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return False
    return field in after and bool(before.get(field) != after[field])


def _evidence(events: Sequence[EventDetail], place: int) -> str:
    """The row of the table where one set it, else the event with its cause."""
    setter = events[place]
    if setter.actor.startswith("rule:"):
        name = setter.actor.removeprefix("rule:")
        for event in reversed(events[:place]):
            data = event.data
            if event.name == ROUTED and data.get("rule") == name and event.cause == setter.cause:
                return str(data.get("evidence"))
    return f"{setter.cause}; {setter.name} at {rfc3339(setter.at)}"


def _unplaced(since: Sequence[EventDetail]) -> str:
    """Why nobody of the group was given it."""
    found = next((event for event in reversed(since) if event.name == UNPLACED), None)
    return f"{found.cause}: {found.data.get('why')}" if found is not None else ""
