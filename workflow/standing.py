"""How a stored clock stands at a moment.

For lists, for one ticket, for the countdown of a queue row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from workflow.calendars import ALWAYS, Calendar
from workflow.model import ClockState
from workflow.sla import Standing
from workflow.store.rows import ClockDetail

__all__ = ["left_of", "nearest", "standing"]


def left_of(
    calendar: str, due_at: datetime, now: datetime, calendars: Mapping[str, Calendar]
) -> float:
    """Working seconds until a moment by a calendar's name, negative past it; by one that is not
    there any more every second counts.
    """
    return calendars.get(calendar, ALWAYS).between(now, due_at)


def standing(clock: ClockDetail, now: datetime, calendars: Mapping[str, Calendar]) -> Standing:
    """State and remaining working seconds.

    An overdue clock is breached for as long as it is owed.
    """
    if clock.state == ClockState.RUNNING and clock.due_at is not None:
        remaining = left_of(clock.calendar, clock.due_at, now, calendars)
        # Between closing and opening nothing is left or lost, but what was due has run out.
        late = now >= clock.due_at
        state = ClockState.BREACHED if late else ClockState.RUNNING
        return Standing(state, int(remaining // 1))
    if clock.state == ClockState.PAUSED and clock.remaining_s <= 0:
        return Standing(ClockState.BREACHED, clock.remaining_s)
    return Standing(ClockState(clock.state), clock.remaining_s)


def nearest(clocks: tuple[ClockDetail, ...]) -> ClockDetail | None:
    """The running clock that is due first; None where none runs."""
    running = [clock for clock in clocks if clock.state == "running" and clock.due_at is not None]
    return min(running, key=lambda clock: clock.due_at or clock.started_at) if running else None
