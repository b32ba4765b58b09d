"""How much of a promise is left, by the calendar in which it counts.

Calendars are read after the first screen is there. Until then a promise that has working hours shows
that its time is being worked out, never a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workflow.model import from_millis

if TYPE_CHECKING:
    from workflow.calendars import Calendar

__all__ = ["Countdown", "Left", "wall_clock"]

_AROUND_THE_CLOCK = "always"
"""The calendar that is built in; its module is not needed for the first screen."""

Left = Callable[[str | None, int, int], float | None]
"""Seconds left by a calendar's name, when it is due and what time it is, both in milliseconds;
negative past due, None while that is not known.
"""


def wall_clock(_calendar: str | None, due_ms: int, now_ms: int) -> float | None:
    """Seconds as they pass, whatever the calendar says."""
    return (due_ms - now_ms) / 1000


class Countdown:
    """Works out what is left by the calendars it was given."""

    def __init__(self) -> None:
        self.calendars: Mapping[str, Calendar] = {}

    def left(self, calendar: str | None, due_ms: int, now_ms: int) -> float | None:
        """See :data:`Left`."""
        if calendar in (None, _AROUND_THE_CLOCK):
            return wall_clock(calendar, due_ms, now_ms)
        if not self.calendars:
            return None
        hours = self.calendars.get(calendar or "")
        if hours is None:
            return wall_clock(calendar, due_ms, now_ms)
        return hours.between(from_millis(now_ms), from_millis(due_ms))
