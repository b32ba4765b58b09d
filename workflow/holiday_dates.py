"""Days on which a team is closed that it has not written itself: a country's public holidays, and
the whole-day events of an iCalendar file (RFC 5545).

The libraries are loaded when a calendar asks for them, never before.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["CountryHolidays", "EventDays", "holidays_of", "read_events"]

_LONGEST = timedelta(days=366)
_LARGEST = 8_000_000
_REPEATED = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")


class CountryHolidays:
    """The public holidays of a country or of a part of it; made by :func:`holidays_of`."""

    def __init__(self, country: str, subdivision: str | None) -> None:
        self._country = country
        self._subdivision = subdivision

    @cached_property
    def version(self) -> str:
        """The place, and the edition of the library: laws change."""
        from importlib.metadata import version

        return f"{self._country}/{self._subdivision or ''}/{version('holidays')}"

    def days(self, year: int) -> frozenset[date]:
        """The holidays that fall into a year, substitute days included."""
        from holidays import country_holidays

        # A substitute day may fall into the year beside that of its holiday.
        found = country_holidays(
            self._country, subdiv=self._subdivision, years=(year - 1, year, year + 1)
        )
        return frozenset(day for day in found if day.year == year)


def holidays_of(country: str, subdivision: str | None) -> CountryHolidays:
    """The holidays of a place.

    Raises ValueError with (key, sentence): which of ``country`` and ``subdivision`` is not known,
    and what is.
    """
    from holidays import country_holidays

    try:
        country_holidays(country)
    except NotImplementedError:
        raise ValueError("country", _no_country(country)) from None
    if subdivision is not None:
        try:
            country_holidays(country, subdiv=subdivision)
        except NotImplementedError:
            raise ValueError("subdivision", _no_subdivision(country, subdivision)) from None
    return CountryHolidays(country, subdivision)


def _no_country(country: str) -> str:
    from holidays import list_supported_countries

    known = list_supported_countries()
    shorter = country.strip().upper()
    if shorter in known:
        return f"there is no country {country!r}: did you mean {shorter}?"
    near = difflib.get_close_matches(shorter, known, 3)
    hint = f" (near are {', '.join(near)})" if near else ""
    return (
        f"there is no country {country!r} whose holidays are known: write its two letters of ISO 3166"
        f" such as DE, GB or US{hint}"
    )


def _no_subdivision(country: str, subdivision: str) -> str:
    from holidays import list_supported_countries

    known = sorted(list_supported_countries().get(country, ()))
    if not known:
        return (
            f"the holidays of {country} are the same everywhere: take subdivision = {subdivision!r}"
            " out"
        )
    near = difflib.get_close_matches(subdivision.strip().upper(), known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{country} has no subdivision {subdivision!r}: {hint}known are {', '.join(known[:60])}"


class EventDays:
    """The days of a file's whole-day events; made by :func:`read_events`."""

    def __init__(self, events: list[_Event], digest: str) -> None:
        self._events = events
        self.version = digest

    def days(self, year: int) -> frozenset[date]:
        """The days of a year that an event covers."""
        return frozenset(
            day for event in self._events for day in event.days(year) if day.year == year
        )


class _Event:
    """A whole-day event: its first days and how many follow each; ``rule`` if it is repeated."""

    def __init__(self, first: date, length: int, rule: Any, left_out: frozenset[date]) -> None:
        self._first = first
        self._length = length
        self._rule = rule
        self._left_out = left_out

    def days(self, year: int) -> Iterator[date]:
        """The days that it covers, of those that begin in this year or in the one before."""
        for first in self._firsts(year):
            if first not in self._left_out:
                for more in range(self._length):
                    yield first + timedelta(days=more)

    def _firsts(self, year: int) -> Iterator[date]:
        if self._rule is None:
            yield self._first
            return
        since, until = _midnight(date(year - 1, 1, 1)), _midnight(date(year, 12, 31))
        for moment in self._rule.between(since, until, inc=True):
            yield moment.date()


def read_events(path: Path) -> EventDays:
    """The closed days of an iCalendar file: its whole-day events, also repeated ones.

    Events with a time of day and cancelled ones count for nothing. Raises OSError, and ValueError
    with a sentence where the file is none or an event of it cannot be used.
    """
    from icalendar import Calendar

    if path.stat().st_size > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1_000_000} MB: export the holidays alone")
    data = path.read_bytes()
    try:
        parts = [
            event
            for calendar in Calendar.from_ical(data, multiple=True)
            for event in calendar.walk("VEVENT")
        ]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as fault:
        raise ValueError(f"it is no iCalendar file ({str(fault)[:80]}): export it anew") from None
    moved = _moved(parts)
    events = [found for part in parts if (found := _event(part, moved)) is not None]
    if not events:
        raise ValueError(
            "there is no whole-day event in it: closed days are events without a time of day"
        )
    return EventDays(events, hashlib.sha256(data).hexdigest()[:16])


def _moved(parts: list[Any]) -> dict[str, set[date]]:
    """The days of repeated events that an event of its own stands for, by the event's UID."""
    moved: dict[str, set[date]] = {}
    for part in parts:
        instead_of = getattr(part.get("RECURRENCE-ID"), "dt", None)
        if type(instead_of) is date:
            moved.setdefault(str(part.get("UID")), set()).add(instead_of)
    return moved


def _event(part: Any, moved: dict[str, set[date]]) -> _Event | None:
    first = getattr(part.get("DTSTART"), "dt", None)
    # A datetime is a date to isinstance.
    if type(first) is not date or str(part.get("STATUS") or "").upper() == "CANCELLED":
        return None
    title = str(part.get("SUMMARY") or "an event without a title")[:60]
    end = getattr(part.get("DTEND"), "dt", None)
    lasts = getattr(part.get("DURATION"), "dt", None)
    if type(end) is date:
        lasts = end - first
    length = max(lasts, timedelta(days=1)) if isinstance(lasts, timedelta) else timedelta(days=1)
    if length > _LONGEST:
        raise ValueError(
            f"{title!r} on {first} lasts for {length.days} days: no day off is longer than a year"
        )
    rule = part.get("RRULE")
    if rule is None:
        return _Event(first, length.days, None, frozenset())
    left_out = _days_of(part.get("EXDATE")) | moved.get(str(part.get("UID")), set())
    return _Event(first, length.days, _rule(first, rule, title), frozenset(left_out))


def _rule(first: date, rule: Any, title: str) -> Any:
    from dateutil.rrule import rrulestr

    how_often = "".join(str(value) for value in rule.get("FREQ", [])).upper()
    if how_often not in _REPEATED:
        raise ValueError(
            f"{title!r} is repeated {how_often or 'by a rule without FREQ'}: days are repeated"
            f" {', '.join(_REPEATED)}"
        )
    # The end of a whole-day event's repetition is a date, though some programs write it with a time.
    until = [
        moment.date() if isinstance(moment, datetime) else moment
        for moment in rule.get("UNTIL", [])
    ]
    if until:
        rule = type(rule)({**rule, "UNTIL": until})
    try:
        return rrulestr(
            rule.to_ical().decode(),
            dtstart=_midnight(first),
            cache=True,
        )
    except (ValueError, TypeError) as fault:
        raise ValueError(f"the repetition of {title!r} cannot be read ({fault})") from None


def _midnight(day: date) -> datetime:
    """The day as the library of repetitions wants it, of no zone."""
    return datetime.combine(day, time())


def _days_of(found: Any) -> set[date]:
    lists = found if isinstance(found, list) else [found] if found is not None else []
    return {
        moment.dt.date() if isinstance(moment.dt, datetime) else moment.dt
        for one in lists
        for moment in getattr(one, "dts", [])
    }
