"""From the events of a ticket to the facts that clocks and waiting-since are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow import sla
from workflow.model import FAR_FUTURE_MS, Metric, Priority, to_millis
from workflow.moved_facts import MovedFacts
from workflow.policy import Policies, Policy

__all__ = [
    "CLOCK_EVENTS",
    "Projection",
    "Row",
    "course_of",
    "facts",
    "first_policy",
    "first_priority",
    "project",
]

CLOCK_EVENTS = (
    "ticket.created",
    "message.received",
    "message.queued",
    "message.sent",
    "send.cancelled",
    "ticket.status",
    "ticket.priority",
    "ticket.policy",
    "ticket.spam",
    "ticket.merged",
    "ticket.joined",
    "ticket.parted",
    "messages.left",
    "messages.came",
    "sla.at_risk",
    "sla.breached",
    "sla.mark",
)
"""The events that can move a clock; no other is read for it."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What the queue needs to know of a ticket, made from its events alone."""

    clocks: Mapping[Metric, sla.Clock]
    counted: Mapping[Metric, sla.Clock]
    """Those too that promise nothing."""
    moments: Mapping[Metric, tuple[datetime | None, datetime | None]]
    """When each clock is due and when it warns; None while it stands still."""
    priority: Priority
    waiting_since: datetime | None
    next_metric: str | None
    next_due_at: datetime | None
    next_warn_at: datetime | None
    due_rank: int
    waiting_rank: int


Row = tuple[datetime, str, Mapping[str, Any]]
"""(time, event name, data)"""


def facts(events: Iterable[Row]) -> list[sla.Fact]:
    """The facts of a ticket's events, in the order of their times.

    What is about a message is there while the message is: see :mod:`workflow.moved_facts`.
    """
    found = MovedFacts()
    for at, name, data in events:
        if not found.take(at, name, data) and (fact := _fact(at, name, data)) is not None:
            found.add(fact)
    return found.here()


def _fact(at: datetime, name: str, data: Mapping[str, Any]) -> sla.Fact | None:
    counts = bool(data.get("counts", True))
    message: int | None = data.get("message")
    if name == "message.received":
        # What somebody else wrote aside is no word of the customer.
        if data.get("automatic") or data.get("claims_us") or data.get("aside"):
            return None
        return sla.Fact(at, "received", counts=counts, message=message)
    if name == "message.sent":
        if not data.get("human", True):
            return None
        return sla.Fact(at, "sent", str(message or ""), counts=counts, message=message)
    if name in ("message.queued", "send.cancelled"):
        if not data.get("human", True):
            return None
        return sla.Fact(at, name.partition(".")[2], str(message or ""), message=message)
    if name == "ticket.status":
        return sla.Fact(at, "status", str(data["after"]), message=message)
    if name == "ticket.priority":
        return sla.Fact(at, "priority", str(data["after"]))
    if name == "ticket.policy":
        return sla.Fact(at, "policy", str(data["after"] or ""))
    if name == "ticket.spam":
        return sla.Fact(at, "out" if data["after"] else "back")
    if name == "ticket.merged":
        return sla.Fact(at, "out" if data["after"] is not None else "back", "merged")
    if name in ("sla.at_risk", "sla.breached"):
        return sla.Fact(at, "told", name.removeprefix("sla."), metric=Metric(data["metric"]))
    if name == "sla.mark":
        return sla.Fact(at, "told", f"mark:{data['rule']}", metric=Metric(data["metric"]))
    return None


def first_priority(events: Iterable[Row]) -> Priority:
    """The priority a ticket was born with."""
    for _at, name, data in events:
        if name == "ticket.created":
            return Priority(int(data.get("priority", Priority.MEDIUM)))
    return Priority.MEDIUM


def first_policy(events: Iterable[Row], policies: Policies) -> Policy | None:
    """The policy a ticket was born with: the first that its events name. A promise that came later
    than the ticket counts from the start of the ticket too.
    """
    for _at, name, data in events:
        if name == "ticket.policy":
            for side in (data["before"], data["after"]):
                if (known := policies.named(side)) is not None:
                    return known
    return policies.named(policies.default)


def course_of(
    events: Sequence[Row], policies: Policies, on_interval: sla.Listener | None = None
) -> sla.Course:
    """What a ticket's events come to by the policies as they are now."""
    return sla.course(
        facts(events),
        first_policy(events, policies),
        first_priority(events),
        on_interval,
        policies,
    )


def project(events: Sequence[Row], policies: Policies) -> Projection:
    """Clocks, waiting-since and ranks of a ticket from its events."""
    course = course_of(events, policies)
    clocks, waiting = course.clocks, course.waiting_since
    moments = {metric: (clock.due_at, clock.warn_at) for metric, clock in clocks.items()}
    owed = [
        (due, warn, clock)
        for clock, (due, warn) in zip(clocks.values(), moments.values(), strict=True)
        if clock.ended_as is None and due is not None
    ]
    due_at, _warn, soonest = min(owed, key=lambda one: one[0]) if owed else (None, None, None)
    warns = [warn for _due, warn, _clock in owed if warn is not None]
    return Projection(
        clocks=clocks,
        counted=course.counted,
        moments=moments,
        priority=course.priority,
        waiting_since=waiting,
        next_metric=soonest.metric.value if soonest else None,
        next_due_at=due_at,
        next_warn_at=min(warns) if warns else None,
        due_rank=to_millis(due_at) if due_at else FAR_FUTURE_MS,
        waiting_rank=to_millis(waiting) if waiting else FAR_FUTURE_MS,
    )
