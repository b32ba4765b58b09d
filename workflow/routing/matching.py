"""Which row of a table a ticket's facts match, with conditions that several rows share asked once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from workflow.query.conditions import Context, Every, Meaning, meaning
from workflow.query.predicate import Predicate, TicketFacts, build_predicate
from workflow.routing.table import FILE, Route, Table, load_routes
from workflow.settings import Settings
from workflow.watched import WatchedFile

__all__ = ["Matcher", "RoutingFile", "Verdict", "row_meaning"]

_NOBODY = Context(me=None, now=datetime(1970, 1, 1, tzinfo=UTC))
"""Tables hold no condition that depends on who asks, or when."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row that wins, and the one that would have won if rows in shadow were live (None where
    that is no other).
    """

    route: Route | None
    shadow: Route | None = None


def row_meaning(route: Route) -> Every:
    """What a row asks for, in the plain conditions of the query language."""
    parts: list[Meaning] = []
    for test in route.tests:
        made = meaning(test.query, _NOBODY, scoped=False)
        parts.extend(made.parts if isinstance(made, Every) else (made,))
    return Every(tuple(dict.fromkeys(parts)))


class Matcher:
    """A table made ready to be asked. Conditions are asked when a row needs them, once a ticket."""

    def __init__(self, table: Table | None = None) -> None:
        table = table or Table()
        self.table = table
        numbers: dict[Meaning, int] = {}
        rows: list[tuple[Route, tuple[int, ...]]] = []
        for route in table.routes:
            parts = row_meaning(route).parts
            rows.append((route, tuple(numbers.setdefault(part, len(numbers)) for part in parts)))
        self._predicates: list[Predicate] = [build_predicate(part) for part in numbers]
        self._rows = tuple(rows)

    def all_live(self) -> Matcher:
        """The same with the rows in shadow at work: what if a pilot went live."""
        return Matcher(Table(tuple(replace(route, live=True) for route in self.table.routes)))

    def first(self, facts: TicketFacts) -> Verdict:
        """The first row that matches."""
        shadow: Route | None = None
        for route in self._matching(facts):
            if route.live:
                return Verdict(route, shadow)
            shadow = shadow or route
        return Verdict(None, shadow)

    def _matching(self, facts: TicketFacts) -> Iterator[Route]:
        predicates = self._predicates
        known: list[bool | None] = [None] * len(predicates)
        for route, numbers in self._rows:
            for number in numbers:
                found = known[number]
                if found is None:
                    found = known[number] = predicates[number](facts)
                if not found:
                    break
            else:
                yield route


class RoutingFile(WatchedFile[Matcher]):
    """The table of a home as it stands."""

    def __init__(self, home: Path | None, settings: Settings) -> None:
        super().__init__(
            home, FILE, lambda folder: Matcher(load_routes(folder, settings)), Matcher()
        )
