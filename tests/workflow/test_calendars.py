"""Working time: each rule of docs/calendars.md with a date that shows it."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from workflow.calendars import ALWAYS, CalendarError, WorkingTime
from workflow.clock import parse_moment
from workflow.holiday_dates import CountryHolidays
from workflow.opening_hours import DayHours, OpeningHours

H = 3600
DAY: DayHours = ((9 * H, 12 * H), (13 * H, 17 * H))
WEEKDAYS: tuple[DayHours, ...] = (DAY, DAY, DAY, DAY, DAY, (), ())
NIGHTS: tuple[DayHours, ...] = (((22 * H, 30 * H),),) * 7
ALL_DAY: tuple[DayHours, ...] = (((0, 24 * H),),) * 7
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return parse_moment(text)


def made(
    week: tuple[DayHours, ...] = WEEKDAYS, zone: ZoneInfo = BERLIN, **more: object
) -> WorkingTime:
    return WorkingTime("office", OpeningHours(zone, week, **more))  # type: ignore[arg-type]


# Monday, 23 November 2026 is a working day; Berlin is an hour ahead of UTC.


def test_an_amount_goes_on_after_lunch_and_over_the_night() -> None:
    office = made()
    assert office.due(at("2026-11-23T11:30+01:00"), 1 * H) == at("2026-11-23T13:30+01:00")
    assert office.due(at("2026-11-23T16:30+01:00"), 1 * H) == at("2026-11-24T09:30+01:00")
    assert office.due(at("2026-11-27T16:30+01:00"), 1 * H) == at("2026-11-30T09:30+01:00")


def test_used_up_exactly_at_closing_it_is_due_there() -> None:
    office = made()
    assert office.due(at("2026-11-23T09:00+01:00"), 3 * H) == at("2026-11-23T12:00+01:00")
    assert office.due(at("2026-11-23T09:00+01:00"), 7 * H) == at("2026-11-23T17:00+01:00")
    assert office.due(at("2026-11-20T17:30+01:00"), 7 * H) == at("2026-11-23T17:00+01:00")


def test_opening_belongs_to_it_and_closing_does_not() -> None:
    office = made()
    assert office.is_open(at("2026-11-23T09:00+01:00"))
    assert not office.is_open(at("2026-11-23T12:00+01:00"))
    assert not office.is_open(at("2026-11-23T08:59:59.999999+01:00"))
    assert office.is_open(at("2026-11-23T11:59:59.999999+01:00"))


def test_next_open_is_the_moment_itself_while_open() -> None:
    office = made()
    assert office.next_open(at("2026-11-23T10:11:12+01:00")) == at("2026-11-23T10:11:12+01:00")
    assert office.next_open(at("2026-11-23T12:00+01:00")) == at("2026-11-23T13:00+01:00")
    assert office.next_open(at("2026-11-27T17:00+01:00")) == at("2026-11-30T09:00+01:00")


def test_a_negative_amount_leads_back() -> None:
    office = made()
    assert office.due(at("2026-11-23T13:30+01:00"), -1 * H) == at("2026-11-23T11:30+01:00")
    assert office.due(at("2026-11-30T09:30+01:00"), -1 * H) == at("2026-11-27T16:30+01:00")
    assert office.due(at("2026-11-23T10:00+01:00"), -1 * H) == at("2026-11-23T09:00+01:00")


def test_nothing_leads_to_the_start_itself_also_while_closed() -> None:
    office = made()
    assert office.due(at("2026-11-22T10:00+01:00"), 0) == at("2026-11-22T10:00+01:00")


def test_between_swapped_ends_is_negative() -> None:
    office = made()
    first, last = at("2026-11-23T11:00+01:00"), at("2026-11-24T10:00+01:00")
    assert office.between(first, last) == 6 * H
    assert office.between(last, first) == -6 * H


def test_fractions_of_a_second_are_counted() -> None:
    office = made()
    assert office.due(at("2026-11-23T11:59:59.750+01:00"), 0.5) == at(
        "2026-11-23T13:00:00.250+01:00"
    )
    assert (
        office.between(at("2026-11-23T11:59:59.750+01:00"), at("2026-11-23T13:00:00.250+01:00"))
        == 0.5
    )


def test_a_shift_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    nights = made(NIGHTS, closed=frozenset({date(2026, 12, 25)}))
    assert list(nights.intervals(at("2026-12-24T12:00Z"), at("2026-12-27T12:00Z"))) == [
        # It begins on the 24th and goes on to the 25th, which is closed; that of the 25th is not there.
        (at("2026-12-24T22:00+01:00"), at("2026-12-25T06:00+01:00")),
        (at("2026-12-26T22:00+01:00"), at("2026-12-27T06:00+01:00")),
    ]


def test_touching_and_overlapping_hours_are_one_stretch() -> None:
    whole = made(ALL_DAY)
    start, end = at("2026-11-23T00:00Z"), at("2026-11-27T00:00Z")
    assert list(whole.intervals(start, end)) == [(start, end)]
    long_nights = made((((20 * H, 30 * H), (5 * H, 21 * H)),) * 7)
    assert list(long_nights.intervals(start, end)) == [(start, end)]


def test_special_wins_over_closed_wins_over_the_weekday() -> None:
    morning: DayHours = ((9 * H, 12 * H),)
    office = made(
        closed=frozenset({date(2026, 12, 24), date(2026, 12, 31)}),
        closed_yearly=frozenset({(1, 1), (12, 30)}),
        special={date(2026, 12, 31): morning, date(2026, 12, 26): morning},
        special_yearly={(12, 30): morning},
    )

    def hours(day: str) -> float:
        return office.between(at(f"{day}T00:00+01:00"), at(f"{day}T23:59:59+01:00")) / H

    assert hours("2026-12-23") == 7
    assert hours("2026-12-24") == 0
    assert hours("2026-12-26") == 3  # a Saturday that is worked
    assert hours("2026-12-30") == 3
    assert hours("2026-12-31") == 3
    assert hours("2027-12-31") == 7
    assert hours("2027-01-01") == hours("2029-01-01") == 0


def test_over_a_change_of_daylight_saving_the_seconds_that_pass_count() -> None:
    whole = made(ALL_DAY)
    assert whole.between(at("2026-03-29T00:00+01:00"), at("2026-03-30T00:00+02:00")) == 23 * H
    assert whole.between(at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00")) == 25 * H
    early = made((((1 * H, 5 * H),),) * 7)
    assert early.between(at("2026-03-29T00:00+01:00"), at("2026-03-29T12:00+02:00")) == 3 * H
    assert early.between(at("2026-10-25T00:00+02:00"), at("2026-10-25T12:00+01:00")) == 5 * H


def test_a_time_that_the_clocks_leave_out_is_told_by_the_clock_of_before() -> None:
    early = made((((2 * H + 1800, 4 * H),),) * 7)
    (only,) = early.intervals(at("2026-03-29T00:00Z"), at("2026-03-29T12:00Z"))
    assert only == (at("2026-03-29T03:30+02:00"), at("2026-03-29T04:00+02:00"))
    swallowed = made((((2 * H + 900, 3 * H),),) * 7)
    assert list(swallowed.intervals(at("2026-03-29T00:00Z"), at("2026-03-29T12:00Z"))) == []


def test_midnight_that_does_not_exist_begins_the_day_when_the_clocks_have_moved() -> None:
    paulo = made(ALL_DAY, ZoneInfo("America/Sao_Paulo"))
    (only,) = paulo.intervals(at("2015-10-18T02:00Z"), at("2015-10-18T05:00Z"))
    assert only == (at("2015-10-18T02:00Z"), at("2015-10-18T05:00Z"))
    assert paulo.between(at("2015-10-18T02:00Z"), at("2015-10-19T02:00Z")) == 24 * H


def test_years_are_spanned() -> None:
    office = made()
    start = at("2020-01-06T09:00+01:00")
    assert office.between(start, at("2030-01-07T09:00+01:00")) == 522 * 5 * 7 * H
    assert office.due(start, 522 * 5 * 7 * H + 60) == at("2030-01-07T09:01+01:00")
    assert office.due(at("2030-01-07T09:01+01:00"), -(522 * 5 * 7 * H) - 60) == start


def test_holidays_of_a_place_are_closed() -> None:
    berlin = made(closings=(CountryHolidays("DE", "BE"),))
    munich = made(closings=(CountryHolidays("DE", "BY"),))
    womens_day, epiphany = at("2027-03-08T12:00Z"), at("2027-01-06T12:00Z")
    assert (berlin.is_open(womens_day), munich.is_open(womens_day)) == (False, True)
    assert (berlin.is_open(epiphany), munich.is_open(epiphany)) == (True, False)


def test_a_substitute_day_in_the_year_before_is_closed() -> None:
    states = made(zone=ZoneInfo("America/New_York"), closings=(CountryHolidays("US", None),))
    # New Year 2022 was a Saturday; the Friday before was the day off.
    assert not states.is_open(at("2021-12-31T15:00Z"))


def test_where_no_day_of_the_table_is_open_the_search_goes_on() -> None:
    days = {date(2026, 1, 1) + timedelta(days=n) for n in range(366 * 6)}
    office = made(closed=frozenset(days))
    assert office.next_open(at("2026-06-01T00:00Z")) == at("2032-01-06T09:00+01:00")
    assert office.due(at("2026-06-01T00:00Z"), 60) == at("2032-01-06T09:01+01:00")
    assert office.due(at("2031-06-01T00:00Z"), -60) == at("2025-12-31T16:59+01:00")


def test_every_search_ends() -> None:
    office = made()
    with pytest.raises(CalendarError, match="lead out of the years"):
        office.due(at("2026-11-23T09:00Z"), 1e12)
    with pytest.raises(CalendarError, match="lead out of the years"):
        office.due(at("2026-11-23T09:00Z"), -1e12)
    with pytest.raises(CalendarError, match="lead out of the years"):
        office.due(at("2026-11-23T09:00Z"), float("inf"))
    with pytest.raises(CalendarError, match="does not open again"):
        office.next_open(datetime(9000, 1, 1, tzinfo=UTC))
    # Outside its years it is closed; nothing fails, for a stranger's mail may bear any date.
    old = datetime(1601, 1, 1, tzinfo=UTC)
    assert office.between(old, datetime(1700, 1, 1, tzinfo=UTC)) == 0
    assert office.between(old, at("1900-01-01T23:00Z")) == office.between(
        at("1900-01-01T00:00Z"), at("1900-01-01T23:00Z")
    )
    assert office.due(old, 60) < at("1900-01-03T00:00Z")


def test_a_table_that_grows_in_any_order_gives_the_same() -> None:
    far, near = made(), made()
    moments = [datetime(year, 7, 1, 10, tzinfo=UTC) for year in (2026, 2031, 1999, 2100, 1950)]
    asked = [(m, far.due(m, 9 * H), far.between(m, m + timedelta(days=30))) for m in moments]
    for moment, due, span in reversed(asked):
        assert near.due(moment, 9 * H) == due
        assert near.between(moment, moment + timedelta(days=30)) == span


def test_threads_may_ask_at_once() -> None:
    office = made()
    expected = made()
    wrong: list[int] = []

    def ask(year: int) -> None:
        moment = datetime(year, 7, 1, 10, tzinfo=UTC)
        if office.due(moment, 9 * H) != expected.due(moment, 9 * H):
            wrong.append(year)

    threads = [threading.Thread(target=ask, args=(year,)) for year in range(1950, 2050, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_hours_that_count_otherwise_have_another_version() -> None:
    assert made().version == made().version
    assert made().version != made(closed=frozenset({date(2026, 12, 24)})).version
    assert made().version != made(zone=ZoneInfo("Europe/Paris")).version
    assert made(closings=(CountryHolidays("DE", "BE"),)).version != made().version


def test_always_counts_every_second() -> None:
    start = at("2026-03-29T00:00+01:00")
    assert ALWAYS.due(start, 24 * H) == at("2026-03-30T01:00+02:00")
    assert ALWAYS.is_open(start)
    assert ALWAYS.next_open(start) == start
    assert list(ALWAYS.intervals(start, start + timedelta(hours=1))) == [
        (start, start + timedelta(hours=1))
    ]
    assert list(ALWAYS.intervals(start, start)) == []
    with pytest.raises(CalendarError):
        ALWAYS.due(start, 1e15)


def test_the_libraries_of_holidays_are_not_loaded_without_need() -> None:
    code = (
        "import sys; import workflow.calendar_file, workflow.calendars\n"
        "print([name for name in ('holidays', 'icalendar', 'dateutil') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"
