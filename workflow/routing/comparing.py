"""What was decided and what other rules would have decided, side by side: ticket by ticket and in
sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflow.routing.replay import Decided

__all__ = ["FIELDS", "Comparison", "Difference", "compare", "most_common"]

FIELDS = ("topic", "route", "group", "level", "assignee", "priority", "policy")
"""What is compared besides breaches, in the order in which one follows from the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A ticket of which something else would have been decided."""

    ticket: int
    subject: str
    fields: Mapping[str, tuple[str | None, str | None]]
    """What was and what would be, by field."""
    breaches: tuple[tuple[str, ...], tuple[str, ...]]
    """The metrics of the promises that were broken, and that would be."""
    evidence: str

    @property
    def breaks_otherwise(self) -> bool:
        """Whether other promises would be broken."""
        return self.breaches[0] != self.breaches[1]


@dataclass(slots=True)
class Comparison:
    """All tickets that were gone through again."""

    total: int = 0
    differences: list[Difference] = field(default_factory=list)
    moves: dict[str, Counter[tuple[str | None, str | None]]] = field(default_factory=dict)
    """How many tickets would change from one value to another, by field."""
    broken: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    """Broken promises by metric: those that were, those that would be."""
    rows: Counter[str | None] = field(default_factory=Counter)
    """How many tickets each row would take; None is no row."""

    def add(self, ticket: int, subject: str, was: Decided, would: Decided) -> None:
        """Compare one more ticket."""
        self.total += 1
        self.rows[would.route] += 1
        for counter, decided in zip(self.broken, (was, would), strict=True):
            counter.update(decided.breaches)
        found = compare(was, would)
        breaches = (tuple(sorted(was.breaches)), tuple(sorted(would.breaches)))
        if not found and breaches[0] == breaches[1]:
            return
        for name, move in found.items():
            self.moves.setdefault(name, Counter())[move] += 1
        self.differences.append(Difference(ticket, subject, found, breaches, would.evidence))


def compare(was: Decided, would: Decided) -> dict[str, tuple[str | None, str | None]]:
    """The fields that differ. Whose turn it would be in another group is not known, and no
    difference.
    """
    found: dict[str, tuple[str | None, str | None]] = {}
    for name in FIELDS:
        before, after = getattr(was, name), getattr(would, name)
        if before == after or (name == "assignee" and after is None and was.group != would.group):
            continue
        found[name] = (before, after)
    return found


def most_common(
    counter: Counter[tuple[str | None, str | None]],
) -> Iterable[tuple[str | None, str | None, int]]:
    """The moves, the most frequent first; those that are alike by their names."""
    ordered = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    return ((before, after, count) for (before, after), count in ordered)
