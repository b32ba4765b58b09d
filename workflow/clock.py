"""The one place that asks the system for the time.

Everything else is given a :class:`Clock`, so that a test, ``--now`` and a simulation decide what
time it is.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = [
    "Clock",
    "FixedClock",
    "ManualClock",
    "SystemClock",
    "parse_duration",
    "parse_moment",
    "wall_time",
]


class Clock(Protocol):
    """What time it is for the desk."""

    def now(self) -> datetime:
        """The moment by which the desk judges, aware and in UTC."""
        ...


class SystemClock:
    """The computer's own clock."""

    def now(self) -> datetime:
        """The moment by the system clock, to the millisecond."""
        return wall_time()


class ManualClock:
    """A clock that stands still until it is moved: for tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Jump to a moment."""
        self._moment = moment.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move on by seconds."""
        self._moment += timedelta(seconds=seconds)


FixedClock = ManualClock
"""The clock of ``--now``: a manual clock that nobody moves."""


def wall_time() -> datetime:
    """Real time, whatever ``--now`` says: leases and heartbeats between processes need it."""
    return datetime.fromtimestamp(int(time.time() * 1000) / 1000, UTC)


def parse_moment(text: str) -> datetime:
    """An ISO 8601 moment with an offset or Z, in UTC.

    Raises ValueError when the zone is missing.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time: write it like 2026-03-01T09:00:00Z or 2026-03-01T10:00+01:00"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: end it with Z or an offset such as +01:00")
    return moment.astimezone(UTC)


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(w|d|h|m|s)")
_UNIT_S = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_duration(text: str) -> int:
    """Whole seconds for ``90s``, ``15m``, ``4h``, ``1d``, ``2w`` or a sum such as ``1h30m``.

    A leading minus negates.

    A day is 24 hours. Raises ValueError with the forms that fit.
    """
    body = text.strip().lower()
    sign = 1
    if body.startswith("-"):
        sign, body = -1, body[1:]
    total, end = 0.0, 0
    for match in _DURATION.finditer(body):
        if match.start() != end:
            break
        total += float(match[1]) * _UNIT_S[match[2]]
        end = match.end()
    if not body or end != len(body):
        raise ValueError(f"{text!r} is not a duration: write it like 90s, 15m, 4h, 1d or 1h30m")
    return sign * round(total)
