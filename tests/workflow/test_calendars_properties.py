"""Working time of random calendars, zones and moments: its laws; the same as a package by others
counts; and the same as counting minute by minute.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import workclock
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.calendars import WorkingTime
from workflow.opening_hours import DAY_S, DayHours, OpeningHours

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Atlantic/Azores",
]

FIRST = datetime(2009, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=22 * 365)).map(lambda passed: FIRST + passed)
# To the microsecond: what a float of this size holds exactly.
amounts = st.integers(0, 60 * DAY_S * 1_000_000).map(lambda micros: micros / 1_000_000)
minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: minute * 60)


@st.composite
def day_hours(draw: st.DrawFn, past_midnight: bool = True) -> DayHours:
    """Up to three intervals of a day, merged as the file's reader merges them."""
    spans = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(minutes)
        end = draw(st.integers(start // 60 + 1, 24 * 60)) * 60
        spans.append((start, end))
    if past_midnight and draw(st.booleans()):
        spans.append((draw(st.integers(12, 23)) * 3600, DAY_S + draw(st.integers(1, 11)) * 3600))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


@st.composite
def calendars(draw: st.DrawFn, past_midnight: bool = True) -> WorkingTime:
    """A calendar that is open at some time of each week."""
    week = [draw(day_hours(past_midnight)) for _ in range(7)]
    if not any(week):
        week[draw(st.integers(0, 6))] = ((9 * 3600, 17 * 3600),)
    closed = draw(st.sets(st.dates(date(2009, 1, 1), date(2031, 1, 1)), max_size=20))
    return WorkingTime(
        "random",
        OpeningHours(ZoneInfo(draw(st.sampled_from(ZONES))), tuple(week), frozenset(closed)),
    )


@given(calendars(), moments, amounts, amounts)
def test_due_is_monotone_in_the_amount(
    calendar: WorkingTime, start: datetime, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    assert start <= calendar.due(start, less) <= calendar.due(start, more)
    assert calendar.due(start, -more) <= calendar.due(start, -less) <= start


@given(calendars(), moments, amounts)
def test_between_a_start_and_its_due_time_lies_the_amount(
    calendar: WorkingTime, start: datetime, amount: float
) -> None:
    assert calendar.between(start, calendar.due(start, amount)) == amount
    assert calendar.between(calendar.due(start, -amount), start) == amount


@given(calendars(), st.lists(moments, min_size=3, max_size=3))
def test_between_adds_up_and_turns_round(calendar: WorkingTime, three: list[datetime]) -> None:
    # In any order: back and forth cancel out. In microseconds, which do not round.
    first, second, third = three
    there = round(calendar.between(first, second) * 1e6)
    on = round(calendar.between(second, third) * 1e6)
    assert there + on == round(calendar.between(first, third) * 1e6)
    assert calendar.between(first, second) == -calendar.between(second, first)


@given(calendars(), moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_the_open_stretches_sum_up_to_the_time_between(
    calendar: WorkingTime, start: datetime, span: timedelta
) -> None:
    end = start + span
    stretches = list(calendar.intervals(start, end))
    total = sum(((stop - begin) for begin, stop in stretches), timedelta())
    assert total.total_seconds() == calendar.between(start, end)
    for begin, stop in stretches:
        assert calendar.is_open(begin)
        assert stop == end or not calendar.is_open(stop)
    for (_, stop), (begin, _) in pairwise(stretches):
        assert calendar.next_open(stop) == begin


@given(calendars(), moments, amounts)
def test_a_due_time_is_never_in_closed_time_but_at_its_edge(
    calendar: WorkingTime, start: datetime, amount: float
) -> None:
    due = calendar.due(start, amount + 0.000001)
    assert calendar.is_open(due - timedelta(microseconds=1))


def as_workclock(calendar: WorkingTime) -> workclock.Schedule:
    hours = calendar.hours
    rules: list[workclock.WorkDay | workclock.Holidays] = []
    for weekday, spans in enumerate(hours.week):
        for start, end in spans:
            rules.append(workclock.WorkDay(_time(start), _time(min(end, DAY_S)), [weekday]))
            if end > DAY_S:
                rules.append(workclock.WorkDay(_time(0), _time(end), [(weekday + 1) % 7]))
    if hours.closed:
        rules.append(workclock.Holidays(sorted(hours.closed)))
    return workclock.Schedule(rules, time_zone=hours.zone)


def _time(seconds: int) -> time:
    minute = seconds % DAY_S // 60
    return time(minute // 60, minute % 60)


# Past midnight and closed at once is where the two differ on purpose: theirs cuts a shift at the
# midnight of a closed day, ours leaves it with the day it begins on.
@settings(max_examples=200)
@given(calendars(past_midnight=False), moments, amounts)
def test_the_package_workclock_counts_the_same(
    calendar: WorkingTime, start: datetime, amount: float
) -> None:
    other = as_workclock(calendar)
    due = calendar.due(start, amount)
    span = timedelta(microseconds=round(amount * 1_000_000))
    assert due == other.add(start, span)
    assert calendar.due(start, -amount) == other.sub(start, span)
    assert timedelta(seconds=calendar.between(start, due)) == other.between(start, due)


@settings(max_examples=200)
@given(calendars(), moments, amounts)
def test_the_package_workclock_counts_the_same_past_midnight(
    calendar: WorkingTime, start: datetime, amount: float
) -> None:
    hours = calendar.hours
    never_closed = WorkingTime("open", OpeningHours(hours.zone, hours.week))
    other = as_workclock(never_closed)
    span = timedelta(microseconds=round(amount * 1_000_000))
    assert never_closed.due(start, amount) == other.add(start, span)


def walked(calendar: WorkingTime, start: datetime, end: datetime) -> int:
    """Open minutes between two full minutes, each looked up by what the wall clock shows."""
    hours, count = calendar.hours, 0
    for number in range(int((end - start).total_seconds()) // 60):
        local = (start + timedelta(minutes=number)).astimezone(hours.zone).replace(tzinfo=None)
        count += any(
            begin <= (local - datetime.combine(day, time())).total_seconds() < stop
            for day in (local.date(), local.date() - timedelta(days=1))
            for begin, stop in hours.day(day)
        )
    return count


@settings(max_examples=60)
@given(calendars(), st.integers(0, 11 * 365 * 24 * 60), st.integers(0, 6 * 24 * 60), st.data())
def test_a_slow_walk_counts_the_same_away_from_changes_of_the_clock(
    calendar: WorkingTime, since: int, length: int, data: st.DataObject
) -> None:
    start = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=since)
    end = start + timedelta(minutes=length)
    zone = calendar.hours.zone
    day = timedelta(days=2)
    if (start - day).astimezone(zone).utcoffset() != (end + day).astimezone(zone).utcoffset():
        # Within hours of a change the wall clock alone does not say which of two hours is meant.
        return
    assert calendar.between(start, end) == walked(calendar, start, end) * 60
