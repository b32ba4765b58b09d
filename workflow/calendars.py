"""Working time: when a promise counts.

The opening hours of a calendar become one table of open stretches in UTC with a running total, so
that a due time and the time between two moments are two searches in it, over an hour as over years.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Protocol

from workflow.errors import DeskError
from workflow.opening_hours import OpeningHours, Stretch

__all__ = [
    "ALWAYS",
    "FIRST_YEAR",
    "LAST_YEAR",
    "Always",
    "Calendar",
    "CalendarError",
    "WorkingTime",
]

FIRST_YEAR, LAST_YEAR = 1900, 2400
"""A calendar counts within these years and is closed outside, so that every search ends."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PER_S = 1_000_000


class CalendarError(DeskError):
    """A moment that no calendar can tell: an amount that is not used up within its years."""


class Calendar(Protocol):
    """The arithmetic that clocks need. Seconds are working seconds.

    Moments are aware and in UTC. A stretch of opening hours includes its first instant and not its
    last one.
    """

    @property
    def name(self) -> str:
        """The name that policies use."""
        ...

    @property
    def version(self) -> str:
        """Another text where the calendar counts otherwise: clocks made by it are made anew."""
        ...

    def due(self, start: datetime, seconds: float) -> datetime:
        """The moment at which ``seconds`` of working time after ``start`` are used up.

        An amount that is used up exactly at closing is due there; a negative one leads back, and
        one of nothing to the start itself. Raises CalendarError where it leads out of every year
        that is counted.
        """
        ...

    def between(self, start: datetime, end: datetime) -> float:
        """Working seconds from ``start`` to ``end``; negative when they are swapped."""
        ...

    def is_open(self, moment: datetime) -> bool:
        """Whether the moment counts."""
        ...

    def next_open(self, moment: datetime) -> datetime:
        """The first moment from this one on that counts: itself while it is open.

        Raises CalendarError where there is none.
        """
        ...

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches within, in their order."""
        ...


class Always:
    """Open at all times: working time is time."""

    name = "always"
    version = "always"

    def due(self, start: datetime, seconds: float) -> datetime:
        """``start`` and ``seconds`` later.

        Over a daylight-saving change the seconds that really pass.
        """
        try:
            return start.astimezone(UTC) + timedelta(seconds=seconds)
        except (OverflowError, ValueError):
            raise _too_far(self.name, seconds) from None

    def between(self, start: datetime, end: datetime) -> float:
        """The seconds that pass from ``start`` to ``end``."""
        return (end - start).total_seconds()

    def is_open(self, moment: datetime) -> bool:  # noqa: ARG002  every moment is
        """It is."""
        return True

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself."""
        return moment.astimezone(UTC)

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The whole."""
        if start < end:
            yield start.astimezone(UTC), end.astimezone(UTC)


ALWAYS = Always()


class _Table:
    """Open stretches of some years in their order, in microseconds of UTC, none touching the next;
    each with the working time that was used up before it and by its end.
    """

    __slots__ = ("ends", "first", "last", "start", "starts", "stop", "used", "used_by_end")

    def __init__(self, first: int, last: int, stretches: list[Stretch]) -> None:
        self.first, self.last = first, last
        # A zone is less than a day off, a shift ends a day later at most: a year inside is whole.
        # Before the first year and after the last one all is closed, so the edges are whole there.
        self.start = _micros_of_year(first + 1) if first > FIRST_YEAR else -(2**63)
        self.stop = _micros_of_year(last) if last < LAST_YEAR else 2**63
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted(stretches):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.starts.append(start)
                self.ends.append(end)
        lengths = [end - start for start, end in zip(self.starts, self.ends, strict=True)]
        self.used_by_end = list(accumulate(lengths))
        self.used = [0, *self.used_by_end[:-1]]

    def used_at(self, micros: int) -> int:
        """The working time that was used up by a moment."""
        at = bisect_right(self.starts, micros) - 1
        if at < 0:
            return 0
        return self.used[at] + min(micros, self.ends[at]) - self.starts[at]


class WorkingTime:
    """The calendar of a team's opening hours. Safe to use from several threads."""

    __slots__ = ("_lock", "_table", "_years", "files", "hours", "name", "version")

    def __init__(self, name: str, hours: OpeningHours, files: tuple[str, ...] = ()) -> None:
        self.name = name
        self.hours = hours
        self.files = files
        """What else it was read from, as paths below the home."""
        self.version = hours.version
        self._years: dict[int, list[Stretch]] = {}
        self._lock = threading.Lock()
        self._table = _Table(FIRST_YEAR, FIRST_YEAR, [])
        # Nothing is known yet: the first question makes the table.
        self._table.start = self._table.stop = 0

    def due(self, start: datetime, seconds: float) -> datetime:
        """The moment at which the amount is used up; see :class:`Calendar`."""
        try:
            amount = round(seconds * _PER_S)
        except (OverflowError, ValueError):
            raise _too_far(self.name, seconds) from None
        micros = _micros(start)
        if amount == 0:
            return start.astimezone(UTC)
        table = self._covering(micros, micros)
        while True:
            target = table.used_at(micros) + amount
            if amount > 0:
                at = bisect_left(table.used_by_end, target)
                if at < len(table.ends):
                    found = table.ends[at] - (table.used_by_end[at] - target)
                    if found < table.stop:
                        return _moment(found)
                if table.last == LAST_YEAR:
                    raise _too_far(self.name, seconds)
                table = self._wider(table, forward=True)
            else:
                # The mirror of the way forward: used up exactly at an opening, it leads there.
                at = bisect_right(table.used, target) - 1
                if target >= 0 and table.starts:
                    found = table.starts[at] + target - table.used[at]
                    if found >= table.start:
                        return _moment(found)
                if table.first == FIRST_YEAR:
                    raise _too_far(self.name, seconds)
                table = self._wider(table, forward=False)

    def between(self, start: datetime, end: datetime) -> float:
        """Working seconds from ``start`` to ``end``; negative when they are swapped."""
        first, last = _micros(start), _micros(end)
        table = self._covering(first, last)
        return (table.used_at(last) - table.used_at(first)) / _PER_S

    def is_open(self, moment: datetime) -> bool:
        """Whether the moment lies in the opening hours."""
        micros = _micros(moment)
        table = self._covering(micros, micros)
        at = bisect_right(table.starts, micros) - 1
        return at >= 0 and micros < table.ends[at]

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself while it is open, else the next opening; see :class:`Calendar`."""
        micros = _micros(moment)
        table = self._covering(micros, micros)
        while True:
            at = bisect_right(table.ends, micros)
            if at < len(table.ends) and table.starts[at] < table.stop:
                return _moment(max(table.starts[at], micros))
            if table.last == LAST_YEAR:
                raise CalendarError(
                    f"calendar {self.name!r} does not open again after {moment.isoformat()}: look at"
                    " its days, and at the year that was asked for"
                )
            table = self._wider(table, forward=True)

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches within, in their order."""
        first, last = _micros(start), _micros(end)
        table = self._covering(first, last)
        at = bisect_right(table.ends, first)
        while at < len(table.starts) and table.starts[at] < last:
            yield _moment(max(table.starts[at], first)), _moment(min(table.ends[at], last))
            at += 1

    def _covering(self, first: int, last: int) -> _Table:
        """A table that is whole from the one moment to the other, in whatever order."""
        table = self._table
        if first > last:
            first, last = last, first
        if table.start <= first and last < table.stop:
            return table
        # A year more on each side: what is asked next lies near.
        return self._made(_year_of(first) - 1, _year_of(last) + 2)

    def _wider(self, table: _Table, *, forward: bool) -> _Table:
        # Twice as many years each time, so that a far moment costs few tables.
        more = max(2, table.last - table.first)
        if forward:
            return self._made(table.first, table.last + more)
        return self._made(table.first - more, table.last)

    def _made(self, first: int, last: int) -> _Table:
        with self._lock:
            known = self._table
            if known.stop > known.start:
                first, last = min(first, known.first), max(last, known.last)
            first, last = max(first, FIRST_YEAR), min(last, LAST_YEAR)
            first, last = min(first, LAST_YEAR - 1), max(last, FIRST_YEAR + 1)
            stretches: list[Stretch] = []
            for year in range(first, last + 1):
                if year not in self._years:
                    self._years[year] = self.hours.year(year)
                stretches += self._years[year]
            self._table = _Table(first, last, stretches)
            return self._table


def _micros(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * _PER_S + passed.microseconds


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _micros_of_year(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _year_of(micros: int) -> int:
    return (_EPOCH + timedelta(microseconds=micros)).year


def _too_far(name: str, seconds: float) -> CalendarError:
    return CalendarError(
        f"{seconds:g} s of working time in calendar {name!r} lead out of the years that are counted"
        f" ({FIRST_YEAR} to {LAST_YEAR}): ask for less, or let the calendar open more often"
    )
