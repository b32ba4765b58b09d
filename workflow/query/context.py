"""Who asks, and when: what ``me``, ``today`` and lengths of time in a query refer to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """What ``me`` and lengths of time refer to. Dates are days in the zone of ``now``."""

    me: str | None
    now: datetime
