"""What a table can never do, and what it leaves undone: rows that no ticket can reach, and tickets
that no row matches.

Both are one question: is there a ticket that matches this and none of the rows above it? The search
takes one condition after another as so or not so. It knows what follows from what (``priority>=high``
from ``priority:urgent``, ``text:charged`` from ``text:"charged twice"``); where it cannot tell, the
row counts as reachable.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workflow.model import Priority, Status, Urgency
from workflow.query.conditions import (
    Compare,
    Either,
    Every,
    Extra,
    Filled,
    Has,
    HasWords,
    How,
    Inverse,
    Like,
    Meaning,
    Named,
    OneOf,
    Place,
    Tagged,
    TierOf,
)
from workflow.routing.matching import row_meaning
from workflow.routing.table import Route, Table

__all__ = ["Gap", "Unreachable", "gap", "unreachable"]

_MOST_STEPS = 20_000
_CLOSED: dict[str, frozenset[object]] = {
    "priority": frozenset(int(priority) for priority in Priority),
    "urgency": frozenset((None, 0, 1, 2, 3)),
    "status": frozenset(status.value for status in Status),
    "wants_person": frozenset((0, 1)),
}
"""All values that a column can have, where they are few."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_NEVER_EMPTY = frozenset({"contacts"})
_COUNTED = frozenset({"contacts"})


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A row that no ticket reaches. ``covered_by`` are the rows above that take every one of them,
    none where the row contradicts itself.
    """

    route: Route
    covered_by: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Tickets that have no owner after the table: ``route`` is the row that matches them and gives
    neither group nor assignee, None where none matches. ``example`` says what such a ticket is like.
    """

    route: Route | None
    example: str


@dataclass(frozen=True, slots=True)
class _Among:
    """A column has one of some values."""

    column: str
    values: frozenset[object]


@dataclass(frozen=True, slots=True)
class _Column:
    """What a column may be: one of the values, or (not ``inside``) anything but them."""

    name: str
    values: frozenset[object]
    inside: bool


_Atom = Compare | OneOf | Tagged | Like | Has | HasWords


class _TooManyError(Exception):
    """The search has gone on for long enough."""


def unreachable(table: Table) -> list[Unreachable]:
    """The rows that are never reached. Rows in shadow cover nothing, but are looked at."""
    found: list[Unreachable] = []
    above: list[Route] = []
    meanings = {route.name: row_meaning(route) for route in table.routes}
    for route in table.routes:
        search = _Search([meanings[other.name] for other in above])
        try:
            reachable = search.witness(meanings[route.name]) is not None
        except _TooManyError:
            reachable = True
        if not reachable:
            numbers = sorted(search.used)
            alone = (n for n in numbers if _covers(meanings[above[n].name], meanings[route.name]))
            covering = next(([n] for n in alone), numbers)
            found.append(Unreachable(route, tuple(above[number] for number in covering)))
        if route.live:
            above.append(route)
    return found


def _covers(above: Meaning, row: Meaning) -> bool:
    """Whether one row above takes by itself what the row asks for."""
    return _Search([above]).witness(row) is None


def gap(table: Table) -> Gap | None:
    """A kind of ticket that a table leaves without an owner; None where there is none."""
    live = [route for route in table.routes if route.live]
    meanings = [row_meaning(route) for route in live]
    for number, route in enumerate(live):
        if route.given.owner:
            continue
        try:
            case = _Search(meanings[:number]).witness(meanings[number])
        except _TooManyError:
            case = _Case()
        if case is not None:
            return Gap(route, route.condition or "any that no row above takes")
    try:
        case = _Search(meanings).witness(Every(()))
    except _TooManyError:
        return None
    return None if case is None else Gap(None, case.words)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is taken to be so: for each column what it may be, and atoms that hold and do not."""

    columns: tuple[_Column, ...] = ()
    true: tuple[_Atom, ...] = ()
    false: tuple[_Atom, ...] = ()

    def column(self, name: str) -> _Column:
        found = next((column for column in self.columns if column.name == name), None)
        if found is not None:
            return found
        if name in _CLOSED:
            return _Column(name, _CLOSED[name], inside=True)
        return _Column(name, frozenset(), inside=False)

    def judge(self, part: Meaning) -> bool | _Among | _Atom:
        """Whether a condition holds; else a part of it that decides and is not known yet."""
        if isinstance(part, (Every, Either)):
            decides = isinstance(part, Either)
            unknown: _Among | _Atom | None = None
            for inner in part.parts:
                found = self.judge(inner)
                if not isinstance(found, bool):
                    unknown = unknown or found
                elif found is decides:
                    return decides
            return unknown if unknown is not None else not decides
        if isinstance(part, (Inverse, Filled)):
            opposite = (
                self.judge(part.part)
                if isinstance(part, Inverse)
                else self._judge_among(_Among(part.column, frozenset((None,))))
            )
            return not opposite if isinstance(opposite, bool) else opposite
        made = _plain(part)
        return self._judge_among(made) if isinstance(made, _Among) else self._judge_atom(made)

    def _judge_among(self, wanted: _Among) -> bool | _Among:
        has = self.column(wanted.column)
        if has.inside:
            if has.values <= wanted.values:
                return True
            return wanted if has.values & wanted.values else False
        return wanted if wanted.values - has.values else False

    def _judge_atom(self, wanted: _Atom) -> bool | _Atom:
        if any(_follows(known, wanted) for known in self.true):
            return True
        if any(_follows(wanted, known) for known in self.false):
            return False
        return False if any(_excludes(known, wanted) for known in self.true) else wanted

    def suppose(self, part: _Among | _Atom, *, holds: bool) -> _Case:
        """The case in which it does or does not."""
        if isinstance(part, _Among):
            return self._suppose_among(part, holds)
        if holds:
            return replace(self, true=(*self.true, part))
        if isinstance(part, Compare) and part.column in _NEVER_EMPTY and part.operator != "=":
            opposite = Compare(part.column, _OPPOSITE[part.operator], part.value)
            return replace(self, true=(*self.true, opposite), false=(*self.false, part))
        return replace(self, false=(*self.false, part))

    def _suppose_among(self, part: _Among, holds: bool) -> _Case:
        has = self.column(part.column)
        if has.inside:
            kept = has.values & part.values if holds else has.values - part.values
            made = _Column(part.column, kept, inside=True)
        elif holds:
            made = _Column(part.column, part.values - has.values, inside=True)
        else:
            made = _Column(part.column, has.values | part.values, inside=False)
        others = tuple(column for column in self.columns if column.name != part.column)
        return replace(self, columns=(*others, made))

    @property
    def words(self) -> str:
        """What a ticket of this case is like."""
        said = [_column_words(column) for column in self.columns]
        said += [_atom_words(atom) for atom in self.true]
        said += [f"-{_atom_words(atom)}" for atom in self.false]
        return " ".join(dict.fromkeys(said)) or "any"


class _Search:
    """Looks for a ticket that matches one condition and none of others."""

    def __init__(self, others: Sequence[Meaning]) -> None:
        self._others = others
        self._steps = 0
        self.used: set[int] = set()
        """The others that stood in the way."""

    def witness(self, wanted: Meaning, case: _Case | None = None) -> _Case | None:
        """A case that matches ``wanted`` and none of the others."""
        return self._matching(wanted, case or _Case())

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _TooManyError

    def _matching(self, wanted: Meaning, case: _Case) -> _Case | None:
        self._step()
        found = case.judge(wanted)
        if found is False:
            return None
        if found is True:
            return self._beside(case, 0)
        for holds in (True, False):
            if made := self._matching(wanted, case.suppose(found, holds=holds)):
                return made
        return None

    def _beside(self, case: _Case, number: int) -> _Case | None:
        """A case within this one that the others from a number on do not match."""
        self._step()
        while number < len(self._others):
            found = case.judge(self._others[number])
            if found is True:
                self.used.add(number)
                return None
            if found is not False:
                # What does not hold first: of a text, most tickets do not have it.
                for holds in (False, True):
                    if made := self._beside(case.suppose(found, holds=holds), number):
                        return made
                return None
            number += 1
        return case


def _plain(part: Named | TierOf | _Atom) -> _Among | _Atom:
    """The condition as an atom: what reads a column with names or few values by its values."""
    if isinstance(part, OneOf) and part.column not in _COUNTED:
        return _Among(part.column, frozenset(part.values))
    if isinstance(part, Named):
        return _Among(part.column, frozenset(part.names))
    if isinstance(part, TierOf):
        return _Among("tier", frozenset(part.tiers))
    if isinstance(part, Compare) and part.column in _CLOSED:
        fits = _OPERATORS[part.operator]
        values = (v for v in _CLOSED[part.column] if isinstance(v, int) and fits(v, part.value))
        return _Among(part.column, frozenset(values))
    return part


def _follows(known: _Atom, wanted: _Atom) -> bool:
    """Whether the second holds wherever the first does."""
    if known == wanted:
        return True
    if isinstance(known, HasWords) and isinstance(wanted, HasWords):
        return wanted.term.needle in known.term.needle
    if isinstance(known, Tagged):
        if isinstance(wanted, Tagged):
            return set(known.tags) <= set(wanted.tags)
        return wanted == Has(Extra.TAG)
    if isinstance(known, Like) and isinstance(wanted, Like) and known.place == wanted.place:
        return _like_follows(known, wanted)
    if isinstance(known, Compare) and isinstance(wanted, Compare):
        return known.column == wanted.column and _within(known, wanted)
    return False


def _like_follows(known: Like, wanted: Like) -> bool:
    if wanted.how is How.EQUALS:
        return False
    if wanted.how is How.CONTAINS:
        return wanted.needle in known.needle
    return known.how is not How.CONTAINS and known.needle.endswith(wanted.needle)


def _within(known: Compare, wanted: Compare) -> bool:
    """Whether every number of the one range is in the other."""
    if known.operator == "=":
        return bool(_OPERATORS[wanted.operator](known.value, wanted.value))
    if known.operator[0] != wanted.operator[0]:
        return False
    if known.value == wanted.value:
        return known.operator == wanted.operator or len(wanted.operator) == 2
    return bool(_OPERATORS[wanted.operator](known.value, wanted.value))


def _excludes(known: _Atom, wanted: _Atom) -> bool:
    """Whether the two cannot both hold."""
    if not (isinstance(known, Compare) and isinstance(wanted, Compare)):
        return False
    if known.column != wanted.column:
        return False
    for one, other in ((known, wanted), (wanted, known)):
        if one.operator == "=":
            return not _OPERATORS[other.operator](one.value, other.value)
    opposite = Compare(wanted.column, _OPPOSITE[wanted.operator], wanted.value)
    return _within(known, opposite)


_NAMES_OF_COLUMNS = {"group_name": "group"}


def _column_words(column: _Column) -> str:
    name = _NAMES_OF_COLUMNS.get(column.name, column.name)
    values = sorted(column.values, key=lambda value: (value is not None, str(value)))
    words = list(dict.fromkeys(_value_words(column.name, value) for value in values))
    if column.inside and column.values == _CLOSED.get(column.name):
        return f"{name}:any"
    return f"{'' if column.inside else '-'}{name}:{','.join(words)}"


def _value_words(column: str, value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, int):
        if column == "priority":
            return Priority(value).word
        if column == "urgency":
            return Urgency(value).word
    return str(value).lower()


def _atom_words(atom: _Atom) -> str:
    if isinstance(atom, HasWords):
        star = "*" if atom.term.prefix else ""
        return f'text:"{" ".join(atom.term.tokens)}"{star}'
    if isinstance(atom, Tagged):
        return f"tag:{','.join(atom.tags)}"
    if isinstance(atom, Has):
        return f"has:{atom.extra.value}"
    if isinstance(atom, Like):
        place = "from" if atom.place is Place.SENDER else atom.place.value
        return f'{place}:"{atom.needle}"'
    if isinstance(atom, OneOf):
        return f"{atom.column}:{','.join(map(str, atom.values))}"
    return f"{atom.column}{atom.operator}{atom.value:g}"
