"""workflow/calendars.toml: what it gives, and each mistake with its place and what fits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from workflow.calendar_file import FILE, files_beside, load_calendars
from workflow.calendars import ALWAYS, WorkingTime
from workflow.clock import parse_moment
from workflow.errors import SettingsError
from workflow.rulebook import RuleBook
from workflow.settings import Settings

GOOD = """\
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]
friday = ["09:00-12:00", "11:00-13:00", "13:00-15:00"]
saturday = [
    "00:00-24:00",
]
holidays = { country = "DE", subdivision = "BE" }
closed = ["2026-12-24", "*-01-01", 2026-12-23]
special = { "2026-12-31" = ["09:00-12:00"], "*-06-01" = [] }

[[calendar]]
name = "nights"
timezone = "UTC"
monday = ["22:00-06:00"]
[calendar.special]
"2026-12-28" = ["20:00-22:00"]
"""

EVENTS = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Test//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;VALUE=DATE:20260525\r
DTEND;VALUE=DATE:20260527\r
SUMMARY:Company outing\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART;VALUE=DATE:20200316\r
RRULE:FREQ=YEARLY\r
EXDATE;VALUE=DATE:20270316\r
SUMMARY:Founders' day\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3\r
DTSTART;VALUE=DATE:20201126\r
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231T000000Z\r
SUMMARY:Thanksgiving\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:4\r
DTSTART:20260601T090000Z\r
DTEND:20260601T100000Z\r
SUMMARY:A meeting\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:5\r
DTSTART;VALUE=DATE:20260602\r
STATUS:CANCELLED\r
SUMMARY:Called off\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
RECURRENCE-ID;VALUE=DATE:20280316\r
DTSTART;VALUE=DATE:20280317\r
SUMMARY:Founders' day\\, moved\r
END:VEVENT\r
END:VCALENDAR\r
"""

WEEK = "\n".join(
    f'{day} = ["09:00-17:00"]' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
)


def home_with(tmp_path: Path, text: str) -> Path:
    path = tmp_path / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return tmp_path


def calendar(home: Path, name: str = "office") -> WorkingTime:
    found = load_calendars(home)[name]
    assert isinstance(found, WorkingTime)
    return found


def test_without_a_file_there_is_the_one_that_is_always_open(tmp_path: Path) -> None:
    assert load_calendars(tmp_path) == {"always": ALWAYS}


def test_everything_that_it_may_say_is_read(tmp_path: Path) -> None:
    home = home_with(tmp_path, GOOD)
    assert list(load_calendars(home)) == ["always", "office", "nights"]
    hours = calendar(home).hours
    h = 3600
    assert hours.day(date(2026, 11, 23)) == ((9 * h, 12 * h), (13 * h, 17 * h))
    assert hours.day(date(2026, 11, 27)) == ((9 * h, 15 * h),)
    assert hours.day(date(2026, 11, 28)) == ((0, 24 * h),)
    assert hours.day(date(2026, 12, 26)) == ()  # a holiday on a Saturday
    assert hours.day(date(2026, 12, 31)) == ((9 * h, 12 * h),)
    assert hours.day(date(2026, 6, 1)) == ()
    assert date(2026, 12, 23) in hours.closed
    nights = calendar(home, "nights")
    assert nights.is_open(parse_moment("2026-12-22T05:59:00Z"))
    assert nights.hours.day(date(2026, 12, 28)) == ((20 * h, 22 * h),)


def test_days_of_an_icalendar_file_are_closed(tmp_path: Path) -> None:
    home = home_with(
        tmp_path, f'[[calendar]]\nname = "office"\ntimezone = "UTC"\n{WEEK}\nics = "off.ics"\n'
    )
    (home / "workflow" / "off.ics").write_bytes(EVENTS.encode())
    hours = calendar(home).hours
    closed = [
        day
        for year in (2026, 2027, 2028)
        for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
        if (day := date.fromordinal(ordinal)).weekday() < 5 and not hours.day(day)
    ]
    assert closed == [
        date(2026, 3, 16),
        date(2026, 5, 25),
        date(2026, 5, 26),
        date(2026, 11, 26),
        date(2027, 11, 25),
        date(2028, 3, 17),
    ]
    assert files_beside(load_calendars(home)) == ("workflow/off.ics",)


def test_another_icalendar_file_is_another_version(tmp_path: Path) -> None:
    home = home_with(
        tmp_path, f'[[calendar]]\nname = "office"\ntimezone = "UTC"\n{WEEK}\nics = "off.ics"\n'
    )
    events = home / "workflow" / "off.ics"
    events.write_bytes(EVENTS.encode())
    before = calendar(home).version
    assert calendar(home).version == before
    events.write_bytes(EVENTS.replace("20260525", "20260524").encode())
    assert calendar(home).version != before


HEAD = '[[calendar]]\nname = "office"\ntimezone = "UTC"\n'
FAULTS = [
    ('[[calendar]]\ntimezone = "UTC"\n', "1:1", 'write name = "office"'),
    ('[[calendar]]\nname = "Always"\n', "2:1", "is built in"),
    (HEAD + WEEK + "\n" + HEAD + WEEK, "10:1", "'office' stands there twice"),
    ('[[calendar]]\nname = "office"\n' + WEEK, "1:1", "needs a time zone"),
    (HEAD.replace("UTC", "Berlin") + WEEK, "3:1", "did you mean Europe/Berlin?"),
    (HEAD.replace("UTC", "america/new york") + WEEK, "3:1", "did you mean America/New_York?"),
    (HEAD.replace("UTC", "Mars/Base") + WEEK, "3:1", "write it like Europe/Berlin"),
    (HEAD.replace("UTC", "../../etc/passwd") + WEEK, "3:1", "there is no time zone"),
    (HEAD + "timezone2 = 1\n" + WEEK, "4:1", "did you mean timezone?"),
    (HEAD + 'mon = ["09:00-17:00"]\n', "4:1", "did you mean monday?"),
    ("calendars = 1\n" + HEAD + WEEK, "1:1", "did you mean calendar?"),
    ('timezone = "UTC"\n' + HEAD + WEEK, "1:1", "write it below a [[calendar]]"),
    (HEAD + 'monday = "09:00-17:00"\n', "4:1", "must be a list of texts"),
    (HEAD + 'monday = ["09:00-12:00", "13-17"]\n', "4:26", "'13-17' is no interval"),
    (HEAD + 'monday = [\n  "09:00-25:00",\n]\n', "5:3", "they go from 00:00 to 24:00"),
    (HEAD + 'monday = ["09:60-12:00"]\n', "4:11", "they go from 00:00 to 24:00"),
    (HEAD + 'monday = ["09:00-09:00"]\n', "4:11", "is empty"),
    (HEAD + 'monday = ["13:00-12:00", "14:00-18:00"]\n', "4:11", "give an end after its start"),
    (HEAD + 'closed = ["2026-12-24"]\n', "2:1", "'office' is never open"),
    (HEAD + 'closed = "2026-12-24"\n' + WEEK, "4:1", "closed is a list of dates"),
    (HEAD + 'closed = ["2026-12-24", "24.12.2026"]\n' + WEEK, "4:25", "is no date"),
    (HEAD + 'closed = ["2026-02-29"]\n' + WEEK, "4:11", "a day that no calendar has"),
    (HEAD + 'closed = ["*-13-01"]\n' + WEEK, "4:11", "a day that no calendar has"),
    (HEAD + 'special = ["2026-12-24"]\n' + WEEK, "4:1", "special gives dates their hours"),
    (HEAD + 'special = { "2026-12-2" = [] }\n' + WEEK, "4:13", "is no date"),
    (HEAD + 'special = { "2026-12-24" = "09:00-12:00" }\n' + WEEK, "4:13", "needs a list"),
    (HEAD + 'special = { "2026-12-24" = ["9-12"] }\n' + WEEK, "4:29", "is no interval"),
    (HEAD + WEEK + '\n[calendar.special]\n2026-12-24 = ["9-12"]\n', "10:15", "is no interval"),
    (HEAD + WEEK + '\nholidays = "DE"\n', "9:1", "holidays are those of a country"),
    (HEAD + WEEK + '\nholidays = { country = "XX" }\n', "9:24", "there is no country 'XX'"),
    (HEAD + WEEK + '\nholidays = { country = "de" }\n', "9:24", "did you mean DE?"),
    (HEAD + WEEK + '\nholidays = { country = "DE", state = "BE" }\n', "9:30", "have no 'state'"),
    (
        HEAD + WEEK + '\nholidays = { country = "DE", subdivision = "BER" }\n',
        "9:44",
        "did you mean BE? known are Augsburg, BB, BE",
    ),
    (HEAD + WEEK + '\nics = "none.ics"\n', "9:1", "there is no file"),
    (HEAD + WEEK + '\nics = "../none.ics"\n', "9:1", "must lie beside this file"),
    (HEAD + WEEK + '\nics = "calendars.toml"\n', "9:1", "cannot be used"),
    (HEAD + WEEK + "\nics = 7\n", "9:1", "must be a text in quotes"),
    (HEAD + "monday = [\n", "4:11", "mend that line"),
    ('[calendar]\nname = "office"\n', "1:1", "write each as [[calendar]]"),
]


@pytest.mark.parametrize(("text", "place", "says"), FAULTS)
def test_a_mistake_is_told_with_its_place(text: str, place: str, says: str, tmp_path: Path) -> None:
    home = home_with(tmp_path, text)
    with pytest.raises(SettingsError) as fault:
        load_calendars(home)
    sentence = str(fault.value)
    assert says in sentence
    assert sentence.startswith(f"{home / FILE}:{place}: "), sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("DTEND;VALUE=DATE:20260527", "DTEND;VALUE=DATE:20290527", "lasts for 1098 days"),
        ("RRULE:FREQ=YEARLY\r", "RRULE:FREQ=SECONDLY\r", "is repeated SECONDLY"),
        ("VALUE=DATE:2026", "VALUE=DATE:nope", "cannot be used"),
        ("BEGIN:VEVENT", "BEGIN:VTODO", "cannot be used"),
    ],
)
def test_an_icalendar_file_that_cannot_be_used_is_told(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    home = home_with(tmp_path, HEAD + WEEK + '\nics = "off.ics"\n')
    (home / "workflow" / "off.ics").write_bytes(EVENTS.replace(old, new).encode())
    with pytest.raises(SettingsError, match=says) as fault:
        load_calendars(home)
    assert f"{home / FILE}:9:1: " in str(fault.value)


def test_a_calendar_that_is_open_for_hours_a_year_is_refused(tmp_path: Path) -> None:
    days = ", ".join(f'"*-{month:02}-{day:02}"' for month in range(1, 13) for day in range(1, 28))
    home = home_with(tmp_path, HEAD + f'sunday = ["09:00-10:00"]\nclosed = [{days}]\n')
    with pytest.raises(SettingsError, match="open for less than 24 hours in 2024"):
        load_calendars(home)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    home = home_with(tmp_path, "")
    (home / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load_calendars(home)


def test_an_edit_of_either_file_is_noticed_also_where_one_was_missing(tmp_path: Path) -> None:
    home = home_with(tmp_path, HEAD + WEEK + "\n")
    book = RuleBook(home, Settings())
    monday = parse_moment("2026-05-25T12:00:00Z")
    assert book.current.calendars["office"].is_open(monday)
    home_with(tmp_path, HEAD + WEEK + '\nics = "off.ics"\n')
    assert book.problems == [
        f"{home / FILE}:9:1: there is no file {home / 'workflow' / 'off.ics'}: put the iCalendar"
        " file there, or take this line out"
    ]
    assert book.current.calendars["office"].is_open(monday)
    events = home / "workflow" / "off.ics"
    events.write_bytes(EVENTS.encode())
    assert book.problems == []
    assert not book.current.calendars["office"].is_open(monday)
    events.write_bytes(EVENTS.replace("DATE:20260525", "DATE:20260526").encode())
    assert book.current.calendars["office"].is_open(monday)
