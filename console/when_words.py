"""Times as people type them: ``2h``, ``tomorrow 9:00``, ``mon``, ``fri 14:30``, ``18:00``, ``2026-03-01 09:00``."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, tzinfo

from workflow.clock import parse_duration, parse_moment
from workflow.errors import UsageError

__all__ = ["parse_when"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?")
MORNING = time(9, 0)


def parse_when(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment in UTC that a person means, always after ``now``; a day without a time means nine in the morning.

    ``zone`` is the reader's (None: the computer's). Raises UsageError with the forms that fit.
    """
    words = text.strip().lower()
    here = now.astimezone(zone)
    found = _duration(words, now) or _date(text.strip(), here) or _day(words, here)
    if found is None:
        raise UsageError(
            f"{text!r} is not a time: write 2h, 30m, 3d, tomorrow 9:00, mon, fri 14:30, 18:00 or 2026-03-01 09:00"
        )
    if found <= now:
        raise UsageError(f"{text!r} is in the past: name a time to come")
    return found.astimezone(now.tzinfo)


def _duration(words: str, now: datetime) -> datetime | None:
    try:
        return now + timedelta(seconds=parse_duration(words.removeprefix("in ").replace(" ", "")))
    except (ValueError, OverflowError):
        return None


def _date(text: str, here: datetime) -> datetime | None:
    try:
        return parse_moment(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= 10:
        moment = datetime.combine(moment.date(), MORNING)
    return moment.replace(tzinfo=here.tzinfo)


def _day(words: str, here: datetime) -> datetime | None:
    name, _, rest = words.partition(" ")
    day = here.date()
    if name in ("tomorrow", "tom"):
        day += timedelta(days=1)
    elif len(name) >= 3 and name[:3] in _DAYS and _weekday(name):
        ahead = (_DAYS.index(name[:3]) - day.weekday()) % 7 or 7
        day += timedelta(days=ahead)
    elif name == "next" and rest.startswith("week"):
        day, rest = day + timedelta(days=7 - day.weekday()), rest[4:]
    elif name == "today":
        pass
    else:
        at = _time(words)
        if at is None:
            return None
        moment = datetime.combine(day, at, here.tzinfo)
        return moment if moment > here else moment + timedelta(days=1)
    at = _time(rest.strip().removeprefix("at ")) if rest.strip() else MORNING
    return None if at is None else datetime.combine(day, at, here.tzinfo)


def _weekday(name: str) -> bool:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return full[_DAYS.index(name[:3])].startswith(name)


def _time(words: str) -> time | None:
    match = _CLOCK.fullmatch(words.strip())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3] == "pm" and hour < 12:
        hour += 12
    if match[3] == "am" and hour == 12:
        hour = 0
    if match[2] is None and match[3] is None and len(words.strip()) > 2:
        return None
    return time(hour, minute) if hour < 24 and minute < 60 else None
