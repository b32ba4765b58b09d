"""When a team is there: the hours of each local day, and those of a year as stretches of UTC."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

__all__ = ["DAY_S", "Closing", "DayHours", "OpeningHours", "Stretch"]

DAY_S = 86_400
_PER_S = 1_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()

Stretch = tuple[int, int]
"""From and to, in microseconds of UTC since 1970; the end does not belong to it."""

DayHours = tuple[tuple[int, int], ...]
"""The intervals of a local day, in seconds by its wall clock; an end past ``DAY_S`` is on the next
day.
"""


class Closing(Protocol):
    """A source of closed days: a country's holidays, a calendar file."""

    def days(self, year: int) -> frozenset[date]:
        """The closed days of a year."""
        ...

    @property
    def version(self) -> str:
        """Another text where the days may be others."""
        ...


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The hours of a week and what differs from it.

    A day of ``special`` has just those hours; else a day of ``closed`` has none; else the weekday
    decides. ``yearly`` forms are by (month, day); a special date of one year wins over them. An interval
    belongs to the day on which it begins, also where it ends after midnight.
    """

    zone: ZoneInfo
    week: tuple[DayHours, ...]
    closed: frozenset[date] = frozenset()
    closed_yearly: frozenset[tuple[int, int]] = frozenset()
    special: Mapping[date, DayHours] = field(default_factory=dict)
    special_yearly: Mapping[tuple[int, int], DayHours] = field(default_factory=dict)
    closings: tuple[Closing, ...] = ()

    @property
    def version(self) -> str:
        """Tells apart hours that count otherwise."""
        parts = (
            self.zone.key,
            self.week,
            sorted(self.closed),
            sorted(self.closed_yearly),
            sorted(self.special.items()),
            sorted(self.special_yearly.items()),
            [closing.version for closing in self.closings],
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def day(self, day: date) -> DayHours:
        """The intervals that begin on a local day."""
        return self._day(day, self._closed_by(day.year))

    def year(self, year: int) -> list[Stretch]:
        """The stretches that begin on the local days of a year, in the order of those days.

        They may overlap and touch. What a change of daylight saving swallows whole is not there.
        """
        found: list[Stretch] = []
        closed_by = self._closed_by(year)
        for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
            day = date.fromordinal(ordinal)
            for begin, end in self._day(day, closed_by):
                start, stop = self._utc(day, begin), self._utc(day, end)
                if start < stop:
                    found.append((start, stop))
        return found

    def _closed_by(self, year: int) -> frozenset[date]:
        return frozenset().union(*(closing.days(year) for closing in self.closings))

    def _day(self, day: date, closed_by: frozenset[date]) -> DayHours:
        if day in self.special:
            return self.special[day]
        of_year = (day.month, day.day)
        if of_year in self.special_yearly:
            return self.special_yearly[of_year]
        if day in self.closed or of_year in self.closed_yearly or day in closed_by:
            return ()
        return self.week[day.weekday()]

    def _utc(self, day: date, seconds: int) -> int:
        """A wall clock's time in microseconds of UTC.

        Of a time that the change of daylight saving brings twice the first is meant; one that it
        leaves out is told by the clock of before (RFC 5545, 3.3.5).
        """
        more, seconds = divmod(seconds, DAY_S)
        if more:
            day += timedelta(days=more)
        hour, rest = divmod(seconds, 3600)
        minute, second = divmod(rest, 60)
        local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=self.zone)
        off = local.utcoffset() or timedelta()
        passed = (day.toordinal() - _EPOCH_DAY) * DAY_S + seconds - off.days * DAY_S - off.seconds
        return passed * _PER_S - off.microseconds
