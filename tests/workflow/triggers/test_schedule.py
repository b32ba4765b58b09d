"""Times that come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.clock import parse_moment
from workflow.triggers.schedule import parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("monday 09:00", "2026-11-23T07:59:59Z", "2026-11-23T08:00:00Z"),
        ("monday 09:00", "2026-11-23T08:00:00Z", "2026-11-30T08:00:00Z"),
        ("mon,thu 9:00", "2026-11-23T08:00:00Z", "2026-11-26T08:00:00Z"),
        ("weekdays 17:30", "2026-11-27T16:30:00Z", "2026-11-30T16:30:00Z"),
        ("day 08:30", "2026-11-28T00:00:00Z", "2026-11-28T07:30:00Z"),
        ("month 1 09:00", "2026-11-28T00:00:00Z", "2026-12-01T08:00:00Z"),
        # A month without the day has it on its last one.
        ("month 31 09:00", "2027-02-01T00:00:00Z", "2027-02-28T08:00:00Z"),
        ("15m", "2026-11-23T08:00:01Z", "2026-11-23T08:15:00Z"),
        ("15m", "2026-11-23T08:15:00Z", "2026-11-23T08:30:00Z"),
        # Half past two is left out on the last Sunday in March, and comes twice in October.
        ("day 02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        ("day 02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("day 02:30", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ],
)
def test_the_next_time_is_by_the_clock_of_the_zone(text: str, after: str, expected: str) -> None:
    assert parse_schedule(text).next(parse_moment(after), BERLIN) == parse_moment(expected)


@pytest.mark.parametrize(
    "text", ["", "monday", "monday 25:00", "someday 09:00", "month 32 09:00", "10s", "9 monday"]
)
def test_what_is_no_schedule_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_schedule(text)


@given(
    st.sampled_from(["tue,sat 23:59", "day 00:00", "month 30 12:00", "7h", "weekdays 06:15"]),
    st.integers(0, 10 * 366 * 86_400),
)
def test_the_next_time_is_later_and_none_is_left_out(text: str, seconds: int) -> None:
    schedule = parse_schedule(text)
    after = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    following = schedule.next(after, BERLIN)
    assert following > after
    # From any moment before it, it is still the next one.
    between = after + (following - after) / 2
    assert schedule.next(between, BERLIN) == following
    assert schedule.next(following - timedelta(microseconds=1), BERLIN) == following
