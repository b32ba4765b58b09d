"""Working time: when a promise counts. The first calendar, ``always``, counts every second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["ALWAYS", "Always", "Calendar"]


class Calendar(Protocol):
    """The arithmetic that clocks need. Seconds are working seconds.

    Moments are aware and in UTC.
    """

    @property
    def name(self) -> str:
        """The name that policies use."""
        ...

    def due(self, start: datetime, seconds: float) -> datetime:
        """The moment at which ``seconds`` of working time after ``start`` are used up."""
        ...

    def between(self, start: datetime, end: datetime) -> float:
        """Working seconds from ``start`` to ``end``; negative when they are swapped."""
        ...


class Always:
    """Open at all times: working time is time."""

    name = "always"

    def due(self, start: datetime, seconds: float) -> datetime:
        """``start`` and ``seconds`` later.

        Over a daylight-saving change the seconds that really pass.
        """
        return start.astimezone(UTC) + timedelta(seconds=seconds)

    def between(self, start: datetime, end: datetime) -> float:
        """The seconds that pass from ``start`` to ``end``."""
        return (end - start).total_seconds()


ALWAYS = Always()
