"""Which intervals a clock has counted and which it has not: what a number on the screen is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from workflow.history import Row, course_of
from workflow.model import Metric
from workflow.policy import Policies
from workflow.sla import Clock, Course, Listener

__all__ = ["Counted", "ledger", "ledger_of"]


@dataclass(frozen=True, slots=True)
class Counted:
    """An interval of a clock's ledger. ``why``: counted, paused, closed."""

    start: datetime
    end: datetime
    counted_s: int
    why: str


def ledger(events: Sequence[Row], policies: Policies, now: datetime) -> dict[Metric, list[Counted]]:
    """For each clock of a ticket the intervals that were counted and that were not."""
    return ledger_of(lambda note: course_of(events, policies, note), now)


def ledger_of(run: Callable[[Listener], Course], now: datetime) -> dict[Metric, list[Counted]]:
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
        intervals += _opened(clock, start, end)

    clocks = run(note).clocks
    for metric, clock in clocks.items():
        if clock.running_from is not None:
            note(clock, clock.running_from, max(now, clock.running_from))
        elif clock.ended_at is None:
            _pause(found.setdefault(metric, []), now)
    return {
        metric: [entry for entry in found.get(metric, ()) if entry.end > entry.start]
        for metric in clocks
    }


def _opened(clock: Clock, start: datetime, end: datetime) -> list[Counted]:
    """An interval in which the clock ran, in the open and closed stretches of its calendar."""
    found: list[Counted] = []
    at, so_far = start, ceil(clock.spent_s)
    for opened, closed in clock.policy.calendar.intervals(start, end):
        if opened > at:
            found.append(Counted(at, opened, 0, "closed"))
        spent = ceil(clock.spent(closed))
        found.append(Counted(opened, closed, spent - so_far, "counted"))
        at, so_far = closed, spent
    if at < end:
        found.append(Counted(at, end, 0, "closed"))
    return found


def _pause(intervals: list[Counted], until: datetime) -> None:
    if intervals and intervals[-1].end < until:
        intervals.append(Counted(intervals[-1].end, until, 0, "paused"))
