"""How a stored clock stands at a moment.

For lists, for one ticket, for the countdown of a queue row.
"""

from __future__ import annotations

from datetime import datetime

from workflow.calendars import ALWAYS
from workflow.model import ClockState
from workflow.sla import Standing
from workflow.store.rows import ClockDetail

__all__ = ["nearest", "standing"]


def standing(clock: ClockDetail, now: datetime) -> Standing:
    """State and remaining working seconds.

    An overdue clock is breached for as long as it is owed.
    """
    if clock.state == ClockState.RUNNING and clock.due_at is not None:
        remaining = ALWAYS.between(now, clock.due_at)
        state = ClockState.RUNNING if remaining > 0 else ClockState.BREACHED
        return Standing(state, int(remaining // 1))
    if clock.state == ClockState.PAUSED and clock.remaining_s <= 0:
        return Standing(ClockState.BREACHED, clock.remaining_s)
    return Standing(ClockState(clock.state), clock.remaining_s)


def nearest(clocks: tuple[ClockDetail, ...]) -> ClockDetail | None:
    """The running clock that is due first; None where none runs."""
    running = [clock for clock in clocks if clock.state == "running" and clock.due_at is not None]
    return min(running, key=lambda clock: clock.due_at or clock.started_at) if running else None
