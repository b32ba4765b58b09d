"""What ``workflow/calendars.toml`` says: the working hours, zones and days off of a team.

A home without the file has the calendar ``always`` alone, which is built in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from workflow.calendars import ALWAYS, Calendar, WorkingTime
from workflow.errors import SettingsError
from workflow.opening_hours import DAY_S, Closing, DayHours, OpeningHours
from workflow.plaintext import one_line
from workflow.toml_lines import Entry, TomlFile

__all__ = ["BUILT_IN", "FILE", "files_beside", "load_calendars", "zone_named"]

FILE = "workflow/calendars.toml"
BUILT_IN: Mapping[str, Calendar] = {ALWAYS.name: ALWAYS}

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = {"name", "timezone", *WEEK, "holidays", "closed", "special", "ics"}
_INTERVAL = re.compile(r"(\d\d?):(\d\d)(?::(\d\d))?\s*[-–]\s*(\d\d?):(\d\d)(?::(\d\d))?")
_DATE = re.compile(r"(\d{4}|\*)-(\d\d)-(\d\d)")
_LEAP_YEAR = 2024
_LEAST_S = DAY_S
"""Open time of a year below which no promise of a policy would ever be due."""

_LONG_S = DAY_S // 2


def load_calendars(home: Path) -> Mapping[str, Calendar]:
    """The calendars of a home by name, the built-in one among them.

    Raises SettingsError that names the file, the line, the column, what was found and what fits.
    """
    file = TomlFile.read(home / FILE)
    return _calendars(file) if file is not None else BUILT_IN


def files_beside(calendars: Mapping[str, Calendar]) -> tuple[str, ...]:
    """The iCalendar files that calendars were read from, as paths below the home."""
    return tuple(
        dict.fromkeys(
            file
            for calendar in calendars.values()
            if isinstance(calendar, WorkingTime)
            for file in calendar.files
        )
    )


def _calendars(file: TomlFile) -> Mapping[str, Calendar]:
    file.top.allow({"calendar"}, dict.fromkeys(_KEYS, "write it below a [[calendar]]"))
    found: dict[str, Calendar] = dict(BUILT_IN)
    lower = {ALWAYS.name}
    for entry in file.entries("calendar"):
        name = entry.text("name")
        if not name.strip() or name != one_line(name, 60):
            raise entry.fault("name", f'{name!r} cannot name a calendar: write name = "office"')
        if name.lower() == ALWAYS.name:
            raise entry.fault(
                "name", f"{name!r} is built in (open at all times): take another name"
            )
        if name.lower() in lower:
            raise entry.fault("name", f"{name!r} stands there twice: give each its own name")
        lower.add(name.lower())
        found[name] = _calendar(entry, name, file.path.parent)
    return found


def _calendar(entry: Entry, name: str, folder: Path) -> WorkingTime:
    entry.allow(_KEYS)
    closed, closed_yearly = _closed(entry)
    special, special_yearly = _special(entry)
    ics = _ics_path(entry)
    closings = (*_holidays(entry), *_events(entry, folder, ics))
    hours = OpeningHours(
        zone=_zone(entry),
        week=tuple(_day_hours(entry, day, entry.texts(day)) for day in WEEK),
        closed=closed,
        closed_yearly=closed_yearly,
        special=special,
        special_yearly=special_yearly,
        closings=closings,
    )
    _refuse_never_open(entry, name, hours)
    return WorkingTime(name, hours, (f"{folder.name}/{ics}",) if ics else ())


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name; raises ValueError with what is near."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = {zone.lower(): zone for zone in available_timezones()}
    # A city alone is how people name a zone.
    cities = {zone.rpartition("/")[2]: whole for zone, whole in known.items()}
    wanted = name.strip().lower().replace(" ", "_")
    near = known.get(wanted) or cities.get(wanted)
    if near is None:
        close = difflib.get_close_matches(wanted, known, 1, 0.7)
        close_city = difflib.get_close_matches(wanted, cities, 1, 0.7)
        near = known[close[0]] if close else cities[close_city[0]] if close_city else None
    hint = (
        f"did you mean {near}?" if near else "write it like Europe/Berlin, America/New_York or UTC"
    )
    raise ValueError(f"there is no time zone {name!r}: {hint}")


def _zone(entry: Entry) -> ZoneInfo:
    name = entry.text("timezone")
    if not name:
        raise entry.fault(
            "timezone", 'a calendar needs a time zone: write timezone = "Europe/Berlin"'
        )
    try:
        return zone_named(name)
    except ValueError as fault:
        raise entry.fault("timezone", str(fault)) from None


def _day_hours(entry: Entry, key: str, texts: tuple[str, ...]) -> DayHours:
    spans = [(_span(entry, key, text), text) for text in texts]
    for (start, end), text in spans:
        if end - start > max(_LONG_S, DAY_S - start) and any(
            start < other < DAY_S for (other, _), _ in spans
        ):
            raise entry.fault(
                key,
                f"{text!r} runs on to the next day over other hours of this one: give an end after"
                " its start, or take the others out",
                text,
            )
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span, _ in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def _span(entry: Entry, key: str, text: str) -> tuple[int, int]:
    """Seconds of the day; past midnight the end is after ``DAY_S``."""
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise entry.fault(
            key, f'{text!r} is no interval: write it like "09:00-12:00" or "22:00-06:00"', text
        )
    numbers = [int(part or 0) for part in match.groups()]
    for hour, minute, second in (numbers[:3], numbers[3:]):
        if minute > 59 or second > 59 or hour * 3600 + minute * 60 + second > DAY_S:
            raise entry.fault(
                key, f"{text!r} has a time that no clock shows: they go from 00:00 to 24:00", text
            )
    start = numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
    end = numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
    if start in (end, DAY_S):
        raise entry.fault(
            key,
            f'{text!r} is empty: write "00:00-24:00" for the whole day, [] for none of it',
            text,
        )
    return (start, end) if end > start else (start, end + DAY_S)


def _closed(entry: Entry) -> tuple[frozenset[date], frozenset[tuple[int, int]]]:
    given = entry.values.get("closed", [])
    if not isinstance(given, list):
        raise entry.fault(
            "closed", f'closed is a list of dates like ["2026-12-24"], found {given!r}'
        )
    days: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    for one in given:
        found = _date(entry, "closed", one)
        if isinstance(found, date):
            days.add(found)
        else:
            yearly.add(found)
    return frozenset(days), frozenset(yearly)


def _special(entry: Entry) -> tuple[dict[date, DayHours], dict[tuple[int, int], DayHours]]:
    given = entry.values.get("special", {})
    if not isinstance(given, dict):
        raise entry.fault(
            "special",
            f'special gives dates their hours, as in {{ "2026-12-31" = ["09:00-12:00"] }}, found {given!r}',
        )
    days: dict[date, DayHours] = {}
    yearly: dict[tuple[int, int], DayHours] = {}
    for key, texts in given.items():
        found = _date(entry, "special", key)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise entry.fault(
                "special",
                f'{key} needs a list of intervals like ["09:00-12:00"], found {texts!r}',
                key,
            )
        hours = _day_hours(entry, "special", tuple(texts))
        if isinstance(found, date):
            days[found] = hours
        else:
            yearly[found] = hours
    return days, yearly


def _date(entry: Entry, key: str, given: Any) -> date | tuple[int, int]:
    """A date, or month and day of every year."""
    if type(given) is date:
        return given
    match = _DATE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise entry.fault(
            key,
            f'{str(given)!r} is no date: write it like "2026-12-24", or "*-12-24" for every year',
            str(given),
        )
    year, month, day = match.groups()
    try:
        found = date(_LEAP_YEAR if year == "*" else int(year), int(month), int(day))
    except ValueError:
        raise entry.fault(key, f"{given!r} is a day that no calendar has", given) from None
    return (found.month, found.day) if year == "*" else found


def _holidays(entry: Entry) -> tuple[Closing, ...]:
    given = entry.values.get("holidays")
    if given is None:
        return ()
    fits = 'write holidays = { country = "DE", subdivision = "BE" }'
    if not isinstance(given, dict) or not isinstance(given.get("country"), str):
        raise entry.fault("holidays", f"holidays are those of a country, found {given!r}: {fits}")
    for key in given:
        if key not in ("country", "subdivision"):
            raise entry.fault("holidays", f"holidays have no {key!r}: {fits}", key)
    subdivision = given.get("subdivision")
    if subdivision is not None and not isinstance(subdivision, str):
        raise entry.fault("holidays", f"subdivision is a text, found {subdivision!r}: {fits}")
    from workflow.holiday_dates import holidays_of

    try:
        return (holidays_of(given["country"], subdivision or None),)
    except ValueError as fault:
        key, sentence = fault.args
        raise entry.fault("holidays", sentence, given[key]) from None


def _ics_path(entry: Entry) -> str:
    name = entry.text("ics")
    if name and (Path(name).is_absolute() or ".." in Path(name).parts):
        raise entry.fault(
            "ics",
            f'{name!r} must lie beside this file: copy it here and write ics = "holidays.ics"',
        )
    return name


def _events(entry: Entry, folder: Path, name: str) -> tuple[Closing, ...]:
    if not name:
        return ()
    from workflow.holiday_dates import read_events

    path = folder / name
    try:
        return (read_events(path),)
    except FileNotFoundError:
        sentence = f"there is no file {path}: put the iCalendar file there, or take this line out"
    except OSError as fault:
        sentence = f"{path} cannot be read ({fault.strerror}): give this user the right to read it"
    except ValueError as fault:
        sentence = f"{path} cannot be used: {fault}"
    raise SettingsError(str(entry.fault("ics", sentence)), (f"{folder.name}/{name}",))


def _refuse_never_open(entry: Entry, name: str, hours: OpeningHours) -> None:
    weekly = sum(end - start for day in hours.week for start, end in day)
    if not weekly:
        raise entry.fault(
            "name",
            f'{name!r} is never open: give it hours, such as monday = ["09:00-17:00"], or use the'
            ' calendar "always"',
        )
    if len(hours.closed_yearly) < 60 and not hours.closings and weekly * 40 > _LEAST_S:
        # So few days off leave enough without counting.
        return
    for year in range(_LEAP_YEAR, _LEAP_YEAR + 5):
        if sum(end - start for start, end in hours.year(year)) < _LEAST_S * 1_000_000:
            raise entry.fault(
                "name",
                f"{name!r} is open for less than {_LEAST_S // 3600} hours in {year}: a promise"
                " counted by it would be due in no lifetime; give it more hours or fewer closed days",
            )
