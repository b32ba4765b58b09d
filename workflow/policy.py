"""What is promised: a policy's targets by metric and priority, in working time of its calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workflow.calendars import ALWAYS, Calendar
from workflow.model import Metric, Priority, Status
from workflow.query.predicate import TicketFacts

__all__ = ["BUILT_IN", "NO_PROMISE", "Mark", "Policies", "Policy"]

_MINUTE, _HOUR = 60, 3600


def _everything(_facts: TicketFacts) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """What is promised: seconds of working time for each metric and priority.

    A metric or priority that is missing has no promise. A clock is at risk when ``warn_s`` seconds
    are left, or where that is None the part ``warn_share`` of its target. ``pause_on`` names the
    statuses in which the resolution clock stands still. ``escalate`` says after how many seconds a
    ticket that is still unresolved is escalated.

    ``match`` is the query by which it is chosen, ``fits`` the same for the facts of a ticket,
    ``fields`` what it reads; ``cause`` is where it stands (``sla.toml:4``).
    """

    name: str
    targets: Mapping[Metric, Mapping[Priority, int]]
    calendar: Calendar = ALWAYS
    warn_share: float = 0.2
    warn_s: int | None = None
    pause_on: frozenset[Status] = frozenset({Status.PENDING})
    escalate: Mapping[Priority, int] = field(default_factory=dict)
    match: str = ""
    fits: Callable[[TicketFacts], bool] = field(default=_everything, compare=False, repr=False)
    fields: frozenset[str] = frozenset()
    cause: str = "built in"

    def target(self, metric: Metric, priority: Priority) -> int | None:
        """Seconds promised, or None where nothing is."""
        return self.targets.get(metric, {}).get(priority)

    def warn_left(self, target_s: int) -> float:
        """How many seconds are left when a clock with this target is at risk."""
        if self.warn_s is None:
            return target_s * self.warn_share
        # A warning longer than the target itself would come before the promise.
        return min(self.warn_s, target_s)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that a rule waits for: so many working seconds on a clock. ``unanswered`` is on
    whichever response is owed, else it is on the resolution.
    """

    rule: str
    after_s: int
    unanswered: bool
    fits: Callable[[TicketFacts], bool] = field(default=_everything, compare=False, repr=False)
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a desk in the order in which they are tried."""

    in_order: tuple[Policy, ...]
    default: str | None = None
    """The one of tickets of which no event tells another: that of a desk whose team wrote none."""

    def named(self, name: str | None) -> Policy | None:
        """The policy of a name."""
        return next((policy for policy in self.in_order if policy.name == name), None)

    def choose(self, facts: TicketFacts) -> Policy | None:
        """The first that matches."""
        return next((policy for policy in self.in_order if policy.fits(facts)), None)

    @property
    def fields(self) -> frozenset[str]:
        """What choosing reads of a ticket; empty where one serves all."""
        found: set[str] = set()
        return frozenset(found.union(*(policy.fields for policy in self.in_order)))

    @classmethod
    def of(cls, *policies: Policy) -> Policies:
        """These, the first of which is what every ticket has that no event gives another."""
        return cls(policies, policies[0].name if policies else None)


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

NO_PROMISE = Policy(name="", targets={})
"""Of a ticket for which no policy matches: its time is counted, so that a promise that comes later
knows its start.
"""
