"""Times that come again: ``monday 09:00``, ``weekdays 17:30``, ``month 1 09:00``, ``15m``."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from workflow.clock import parse_duration

__all__ = ["Schedule", "parse_schedule"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_S = 60
_LONGEST_S = 366 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT = re.compile(r"(.+?)\s+(\d{1,2}):(\d{2})")
FORMS = 'write it like "monday 09:00", "monday,thursday 09:00", "weekdays 17:30", "day 08:30", "month 1 09:00" or "15m"'


@dataclass(frozen=True, slots=True)
class Schedule:
    """``seconds`` from one time to the next, or the time of day ``at`` on some ``weekdays`` (0 is
    Monday) or on a ``day`` of the month (the last one where a month has no such day).
    """

    text: str
    seconds: int | None = None
    at: time = time(0)
    weekdays: frozenset[int] = frozenset()
    day: int | None = None

    def next(self, after: datetime, zone: tzinfo = UTC) -> datetime:
        """The first such moment later than ``after``, in UTC; times of day are those of ``zone``."""
        if self.seconds is not None:
            passed = int((after - _EPOCH).total_seconds() // self.seconds)
            return _EPOCH + timedelta(seconds=(passed + 1) * self.seconds)
        day = after.astimezone(zone).date()
        while True:
            if self._fits(day):
                # An hour that a change of the clocks leaves out comes as the one after it.
                moment = datetime.combine(day, self.at, zone).astimezone(UTC)
                if moment > after:
                    return moment
            day += timedelta(days=1)

    def _fits(self, day: date) -> bool:
        if self.day is not None:
            return day.day == min(self.day, _last_day(day))
        return day.weekday() in self.weekdays


def _last_day(of: date) -> int:
    return monthrange(of.year, of.month)[1]


def parse_schedule(text: str) -> Schedule:
    """The schedule of a text; raises ValueError with the forms that fit."""
    words = " ".join(text.lower().split())
    match = _AT.fullmatch(words)
    if match is None:
        try:
            seconds = parse_duration(words)
        except ValueError:
            raise ValueError(f"{text!r} is no time that comes again: {FORMS}") from None
        if not _SHORTEST_S <= seconds <= _LONGEST_S:
            raise ValueError(f"{text!r} is not between 1m and a year: {FORMS}")
        return Schedule(words, seconds)
    days, hour, minute = match[1], int(match[2]), int(match[3])
    if hour > 23 or minute > 59:
        raise ValueError(f"{match[2]}:{match[3]} is no time of day: {FORMS}")
    at = time(hour, minute)
    if month := re.fullmatch(r"month (\d{1,2})", days):
        if not 1 <= int(month[1]) <= 31:
            raise ValueError(f"no month has a day {month[1]}: {FORMS}")
        return Schedule(words, at=at, day=int(month[1]))
    found: set[int] = set()
    for word in re.split(r"\s*,\s*", days):
        if word == "day":
            found.update(range(7))
        elif word == "weekdays":
            found.update(range(5))
        elif fits := [n for n, day in enumerate(DAYS) if len(word) > 2 and day.startswith(word)]:
            found.update(fits)
        else:
            raise ValueError(f"{word!r} is no day: {FORMS}")
    return Schedule(words, at=at, weekdays=frozenset(found))
