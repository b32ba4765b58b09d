"""The calendar verb: working-time arithmetic as the clocks do it, and what each calendar says."""

from __future__ import annotations

import difflib
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.fmt import span_words
from workflow.calendars import FIRST_YEAR, LAST_YEAR, Calendar, CalendarError, WorkingTime
from workflow.clock import parse_duration, parse_moment
from workflow.errors import NotFound, SettingsError, UsageError
from workflow.model import rfc3339

__all__ = ["calendar"]

_DAYS = 14
_MOST_DAYS = 400


def calendar(desktop: Desktop, args: Namespace) -> Answer:
    """``calendar due|between|open|list|show``."""
    watched = desktop.rule_book.calendars
    calendars = watched.value
    # Whoever asks a calendar wants it as it is written, not as it last could be used.
    if watched.problem is not None:
        raise SettingsError(watched.problem)
    if args.what == "list":
        return _list(calendars)
    chosen = _named(calendars, args.name)
    if args.what == "due":
        return _due(chosen, args)
    if args.what == "between":
        return _between(chosen, args)
    if args.what == "open":
        moment = _moment(args.moment) if args.moment else desktop.clock.now()
        return _open(chosen, moment)
    return _show(chosen, desktop.clock.now(), args.days)


def _named(calendars: Mapping[str, Calendar], name: str) -> Calendar:
    found = calendars.get(name)
    if found is None:
        near = difflib.get_close_matches(name, calendars, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(calendars)}"
        raise NotFound(f"there is no calendar {name!r} in workflow/calendars.toml: {hint}")
    return found


def _due(chosen: Calendar, args: Namespace) -> Answer:
    start = _moment(args.start)
    try:
        seconds = parse_duration(args.duration)
    except ValueError as fault:
        raise UsageError(str(fault)) from None
    due_at = chosen.due(start, seconds)
    return Answer({"due_at": _written(due_at)}, _local(due_at, chosen))


def _between(chosen: Calendar, args: Namespace) -> Answer:
    seconds = round(chosen.between(_moment(args.start), _moment(args.end)))
    return Answer({"working_s": seconds}, f"{span_words(seconds)} ({seconds} s)")


def _open(chosen: Calendar, moment: datetime) -> Answer:
    now_open = chosen.is_open(moment)
    opens_at = chosen.next_open(moment)
    document = {"open": now_open, "next_open": _written(opens_at)}
    text = "open" if now_open else f"closed; opens {_local(opens_at, chosen)}"
    return Answer(document, text)


def _list(calendars: Mapping[str, Calendar]) -> Answer:
    document = {
        "calendars": [{"name": c.name, "timezone": str(_zone(c))} for c in calendars.values()]
    }
    rows = [(c.name, str(_zone(c)), _week(c)) for c in calendars.values()]
    return Answer(document, table(rows, ("name", "zone", "open in a week"), (0, 0, 0)))


def _show(chosen: Calendar, now: datetime, days: int) -> Answer:
    """Its open stretches by local day, from today on."""
    if not 0 < days <= _MOST_DAYS:
        raise UsageError(f"--days {days} is out of range: give 1 to {_MOST_DAYS}")
    zone = _zone(chosen)
    shown = [(day, list(_of_day(chosen, day, zone))) for day in _days(now, zone, days)]
    document = {
        "name": chosen.name,
        "timezone": str(zone),
        "days": [
            {
                "date": f"{day:%Y-%m-%d}",
                "open": [[_written(start), _written(end)] for start, end in stretches],
                "open_s": round(sum((end - start).total_seconds() for start, end in stretches)),
            }
            for day, stretches in shown
        ],
    }
    lines = [f"{chosen.name} ({zone})"]
    for day, stretches in shown:
        hours = ", ".join(
            f"{start.astimezone(zone):%H:%M}-{_end_words(end, day, zone)}"
            for start, end in stretches
        )
        lines.append(f"{day:%a %Y-%m-%d}  {hours or 'closed'}")
    return Answer(document, "\n".join(lines))


def _days(now: datetime, zone: tzinfo, days: int) -> Iterator[datetime]:
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for more in range(days):
        yield today + timedelta(days=more)


def _of_day(chosen: Calendar, day: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    midnight = day.replace(tzinfo=zone)
    following = (day + timedelta(days=1)).replace(tzinfo=zone)
    return chosen.intervals(midnight.astimezone(UTC), following.astimezone(UTC))


def _end_words(end: datetime, day: datetime, zone: tzinfo) -> str:
    local = end.astimezone(zone)
    return "24:00" if local.date() > day.date() else f"{local:%H:%M}"


def _zone(chosen: Calendar) -> tzinfo:
    return chosen.hours.zone if isinstance(chosen, WorkingTime) else UTC


def _week(chosen: Calendar) -> str:
    if not isinstance(chosen, WorkingTime):
        return "7d"
    return span_words(sum(end - start for day in chosen.hours.week for start, end in day))


def _moment(text: str) -> datetime:
    try:
        moment = parse_moment(text)
    except (ValueError, OverflowError) as fault:
        raise UsageError(str(fault)) from None
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise CalendarError(
            f"{text!r} lies outside the years that calendars count ({FIRST_YEAR} to {LAST_YEAR})"
        )
    return moment


def _written(moment: datetime) -> str:
    """As the JSON contract writes moments; a fraction of a second is kept where there is one."""
    whole = rfc3339(moment) or ""
    if not moment.microsecond:
        return whole
    return f"{whole[:-1]}.{moment.microsecond:06d}".rstrip("0") + "Z"


def _local(moment: datetime, chosen: Calendar) -> str:
    return f"{moment.astimezone(_zone(chosen)):%a %Y-%m-%d %H:%M:%S %Z}"
