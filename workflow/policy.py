"""What is promised: a policy's targets by metric and priority, in working time of its calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.calendars import ALWAYS, Calendar
from workflow.model import Metric, Priority, Status

__all__ = ["BUILT_IN", "Policy"]

_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Policy:
    """What is promised: seconds of working time for each metric and priority.

    A metric or priority that is missing has no promise. ``warn_share`` is the part of the target
    that is left when a clock is at risk. ``pause_on`` names the statuses in which the resolution
    clock stands still.
    """

    name: str
    targets: Mapping[Metric, Mapping[Priority, int]]
    calendar: Calendar = ALWAYS
    warn_share: float = 0.2
    pause_on: frozenset[Status] = frozenset({Status.PENDING})

    def target(self, metric: Metric, priority: Priority) -> int | None:
        """Seconds promised, or None where nothing is."""
        return self.targets.get(metric, {}).get(priority)


_FIRST = {
    Priority.URGENT: 30 * _MINUTE,
    Priority.HIGH: _HOUR,
    Priority.MEDIUM: 8 * _HOUR,
    Priority.LOW: 24 * _HOUR,
}
BUILT_IN = Policy(
    name="Built-in",
    targets={
        Metric.FIRST_RESPONSE: _FIRST,
        Metric.NEXT_RESPONSE: _FIRST,
        Metric.RESOLUTION: {
            Priority.URGENT: 2 * _HOUR,
            Priority.HIGH: 4 * _HOUR,
            Priority.MEDIUM: 24 * _HOUR,
            Priority.LOW: 72 * _HOUR,
        },
    },
)
"""The policy of a desk whose team has written none: by priority, around the clock."""
