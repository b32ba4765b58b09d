"""How fast working time is counted: due times and spans of an office with lunch, holidays and closed
days, for moments all over two years; and spans of ten years, which must cost no more.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workflow.calendar_file import FILE, load_calendars
from workflow.calendars import Calendar

__all__ = ["Rate", "time_working_time"]

COUNT = 100_000
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_OFFICE = """\
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
holidays = { country = "DE", subdivision = "BE" }
closed = ["*-12-24", "*-12-31"]
""" + "".join(f'{day} = ["09:00-12:00", "13:00-17:00"]\n' for day in _DAYS)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of a kind a second, as the median of some runs."""

    what: str
    count: int
    per_s: float


def time_working_time(runs: int, say: Callable[[str], None]) -> list[Rate]:
    """Count for ``COUNT`` random moments each; the tables are made before, as in a desk that runs."""
    say(f"counting working time, {COUNT} times each")
    office = _office()
    chance = random.Random(5)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(seconds=chance.uniform(0, 2 * 365 * 86_400)) for _ in range(COUNT)]
    amounts = [chance.uniform(60, 40 * 3600) for _ in starts]
    ends = [start + timedelta(seconds=chance.uniform(0, 14 * 86_400)) for start in starts]
    late = [start + timedelta(days=3652) for start in starts]
    office.between(first, late[0] + timedelta(days=900))
    return [
        _rate("due times", runs, lambda: _due(office, starts, amounts)),
        _rate("spans of days", runs, lambda: _between(office, starts, ends)),
        _rate("spans of ten years", runs, lambda: _between(office, starts, late)),
    ]


def _office() -> Calendar:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE
        file.parent.mkdir()
        file.write_text(_OFFICE, encoding="utf-8")
        return load_calendars(Path(folder))["office"]


def _due(office: Calendar, starts: Sequence[datetime], amounts: Sequence[float]) -> None:
    for start, amount in zip(starts, amounts, strict=True):
        office.due(start, amount)


def _between(office: Calendar, starts: Sequence[datetime], ends: Sequence[datetime]) -> None:
    for start, end in zip(starts, ends, strict=True):
        office.between(start, end)


def _rate(what: str, runs: int, work: Callable[[], None]) -> Rate:
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return Rate(what, COUNT, COUNT / statistics.median(took))
