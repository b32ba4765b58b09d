"""Which intervals a clock has counted and which it has not: what a number on the screen is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from workflow.model import Metric, Priority
from workflow.sla import Clock, Fact, Policy, course

__all__ = ["Counted", "ledger"]


@dataclass(frozen=True, slots=True)
class Counted:
    """An interval of a clock's ledger. ``why``: counted, paused, closed."""

    start: datetime
    end: datetime
    counted_s: int
    why: str


def ledger(
    facts: Iterable[Fact],
    policy: Policy | None,
    now: datetime,
    priority: Priority = Priority.MEDIUM,
) -> dict[Metric, list[Counted]]:
    """For each clock the intervals that were counted and that were not.

    What was counted adds up to the target less what :func:`workflow.sla.judge` says is left: each
    interval is rounded so that the sum so far is the whole seconds begun.
    """
    found: dict[Metric, list[Counted]] = {}
    started: dict[Metric, datetime] = {}

    def note(clock: Clock, start: datetime, end: datetime) -> None:
        intervals = found.setdefault(clock.metric, [])
        counted = sum(entry.counted_s for entry in intervals)
        if started.get(clock.metric) != clock.started_at or ceil(clock.spent_s) < counted:
            # A new promise of the same kind: the one before it is over and settled, or that of a
            # ticket that was merged in goes on in its place.
            started[clock.metric] = clock.started_at
            intervals.clear()
        _pause(intervals, start)
        seconds = ceil(clock.spent(end)) - ceil(clock.spent_s)
        intervals.append(Counted(start, end, seconds, "counted"))

    clocks = course(facts, policy, priority, note).clocks
    for metric, clock in clocks.items():
        if clock.running_from is not None:
            note(clock, clock.running_from, max(now, clock.running_from))
        elif clock.ended_at is None:
            _pause(found.setdefault(metric, []), now)
    return {
        metric: [entry for entry in found.get(metric, ()) if entry.end > entry.start]
        for metric in clocks
    }


def _pause(intervals: list[Counted], until: datetime) -> None:
    if intervals and intervals[-1].end < until:
        intervals.append(Counted(intervals[-1].end, until, 0, "paused"))
