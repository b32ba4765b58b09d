"""What ``workflow/routing.csv`` says: the decision table that gives a ticket its group, level,
agent, priority and policy.

The first line names the columns; ``->`` stands between conditions and results. A cell of a
condition holds what the query language takes for that field, an empty one matches everything, the
column ``when`` takes any whole query. The first row that matches wins.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workflow.errors import SettingsError
from workflow.model import Priority
from workflow.plaintext import one_line
from workflow.query.fields import FIELDS, nearest_field
from workflow.query.grammar import QuerySyntaxError, parse, parse_cell
from workflow.query.tree import All, Condition, Query, leaves
from workflow.query.values import Mark
from workflow.routing.sheet import Cell, Problem, SheetError, read_sheet, read_text
from workflow.settings import Settings

__all__ = [
    "FILE",
    "RESULTS",
    "Given",
    "Route",
    "Table",
    "Test",
    "load_routes",
    "read_table",
]

FILE = "workflow/routing.csv"
ARROW = "->"
WHEN = "when"
RESULTS = (
    "group",
    "level",
    "assignee",
    "priority",
    "policy",
    "tags",
    "suggest",
    "macro",
    "mode",
)
"""The columns behind the arrow."""

_ELSEWHERE = {
    "tag": "tags", "suggested_macro": "suggest", "draft": "macro", "team": "group",
    "queue": "group", "agent": "assignee", "owner": "assignee", "sla": "policy",
}  # fmt: skip
_FROM_TIME = frozenset({"due", "snoozed", "waiting", "age", "created", "updated"})
_FROM_CLOCKS = frozenset({"policy"})
_MARKS_LATER = frozenset(
    {"snoozed", "spam", "merged", "at-risk", "breached", "overdue", "waiting", "paused",
     "without-policy"}
)  # fmt: skip
_TAG = re.compile(r"[^\s,:;\"'()]{1,40}")
_OPERATOR = re.compile(r"(>=|<=|!=|=|>|<)")


@dataclass(frozen=True, slots=True)
class Test:
    """A cell of a condition: the query it stands for, and that query as a person would type it."""

    query: Query
    words: str

    __test__ = False


@dataclass(frozen=True, slots=True)
class Given:
    """What a row gives a ticket; None and empty leave it as it is.

    The macro ``suggest`` is offered to the agent; ``macro`` is run: what it changes is changed, its
    text becomes a suggested reply that somebody sends or not.
    """

    group: str | None = None
    level: str | None = None
    assignee: str | None = None
    priority: int | None = None
    policy: str | None = None
    tags: tuple[str, ...] = ()
    suggest: str | None = None
    macro: str | None = None

    @property
    def owner(self) -> bool:
        """Whether somebody has the ticket after it."""
        return bool(self.group or self.assignee)

    def to_json(self) -> dict[str, object]:
        """What it gives, as events tell it."""
        found: dict[str, object] = {
            "group": self.group,
            "level": self.level,
            "assignee": self.assignee,
            "priority": Priority(self.priority).word if self.priority is not None else None,
            "policy": self.policy,
            "tags": list(self.tags) or None,
            "suggest": self.suggest,
            "macro": self.macro,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table. One that is ``live`` acts; another only records what it would have done."""

    name: str
    line: int
    tests: tuple[Test, ...] = ()
    given: Given = field(default_factory=Given)
    live: bool = True
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, hash=False, compare=False)
    """Line and column of each cell, by the name of its column."""

    @property
    def cause(self) -> str:
        """How events name it: ``routing.csv:3``."""
        return f"{Path(FILE).name}:{self.line}"

    @property
    def condition(self) -> str:
        """What it asks for, as a query; empty where it matches everything."""
        return " ".join(test.words for test in self.tests)

    @property
    def evidence(self) -> str:
        """As ``explain`` tells it: ``routing.csv:3 billing-first: topic:billing priority>=high``."""
        return f"{self.cause} {self.name}: {self.condition or 'everything'}"


@dataclass(frozen=True, slots=True)
class Table:
    """The rows in their order. ``needs_text`` tells whether one asks for words of a message."""

    routes: tuple[Route, ...] = ()

    @property
    def needs_text(self) -> bool:
        """Whether a row asks for words of a message."""
        return any("text" in test.query.fields for route in self.routes for test in route.tests)

    def named(self, name: str) -> Route | None:
        """The row of a name."""
        return next((route for route in self.routes if route.name == name), None)


def load_routes(home: Path, settings: Settings, policies: Collection[str] | None = None) -> Table:
    """The table of a home, empty where there is no file; with ``policies`` their names are checked.

    Raises SettingsError with file, line and column of the first fault, and how many there are more.
    """
    path = home / FILE
    text = read_text(path)
    if text is None:
        return Table()
    table, problems = read_table(str(path), text, settings, policies)
    if problems:
        more = f" (and {len(problems) - 1} more: deskhand workflow check)" if problems[1:] else ""
        raise SettingsError(f"{problems[0]}{more}")
    return table


def read_table(
    file: str, text: str, settings: Settings, policies: Collection[str] | None = None
) -> tuple[Table, list[Problem]]:
    """The rows that can be used and everything that is wrong with the others; raises nothing."""
    reading = _Reading(file, settings, policies)
    try:
        for cells in read_sheet(file, text):
            reading.take(cells)
    except SheetError as fault:
        reading.problems.append(fault.problem)
    return Table(tuple(reading.routes)), sorted(reading.problems, key=lambda p: (p.line, p.column))


@dataclass(frozen=True, slots=True)
class _Head:
    names: tuple[str, ...]
    arrow: int


class _Reading:
    """One reading of a file; it goes on after a fault, so that all of them are told at once."""

    def __init__(self, file: str, settings: Settings, policies: Collection[str] | None) -> None:
        self.file = file
        self.settings = settings
        self.policies = policies
        self.problems: list[Problem] = []
        self.routes: list[Route] = []
        self.head: _Head | None = None
        self.lost = False
        self.names: dict[str, int] = {}

    def take(self, cells: list[Cell]) -> None:
        if self.lost:
            return
        if self.head is None:
            self.head = self._head(cells)
            # Without its head nothing can be said of the rows.
            self.lost = self.head is None
            return
        self._row(self.head, cells)

    def fault(self, place: tuple[int, int] | Cell, sentence: str) -> None:
        line, column = (place.line, place.column) if isinstance(place, Cell) else place
        self.problems.append(Problem(self.file, line, column, sentence))

    def _head(self, cells: list[Cell]) -> _Head | None:
        names = [cell.text.strip().lower() for cell in cells]
        known = len(self.problems)
        if ARROW not in names:
            self.fault(
                cells[-1],
                f"the first line has no {ARROW} between conditions and results, found"
                f" {one_line(','.join(names), 80)!r}: write it like rule,topic,{ARROW},group",
            )
            return None
        arrow = names.index(ARROW)
        if names[0] != "rule":
            self.fault(cells[0], f"the first column names the row: write rule, not {names[0]!r}")
        for index, (cell, name) in enumerate(zip(cells, names, strict=True)):
            if name in names[:index]:
                self.fault(cell, f"the column {name!r} stands there twice: keep one of the two")
            elif 0 < index < arrow and name not in FIELDS and name != WHEN:
                self.fault(cell, f"there is no field {name!r}: {_near_condition(name)}")
            elif index > arrow and name not in RESULTS:
                self.fault(cell, f"{name!r} is nothing that a row can give: {_near_result(name)}")
            elif 0 < index < arrow and name in _FROM_TIME | _FROM_CLOCKS:
                self.fault(cell, _too_early(name))
        if arrow == len(names) - 1:
            self.fault(
                cells[arrow], f"no result stands behind {ARROW}: take one of {_all(RESULTS)}"
            )
        return _Head(tuple(names), arrow) if len(self.problems) == known else None

    def _row(self, head: _Head, cells: list[Cell]) -> None:
        if len(cells) != len(head.names):
            self.fault(
                cells[min(len(cells) - 1, len(head.names))],
                f"found {len(cells)} cells where the first line names {len(head.names)} columns:"
                " give each row as many, empty ones too; a cell with a comma stands in double quotes",
            )
            return
        known = len(self.problems)
        if cells[head.arrow].text.strip() not in ("", ARROW):
            found = one_line(cells[head.arrow].text, 40)
            self.fault(
                cells[head.arrow],
                f"found {found!r} below {ARROW}: leave that cell empty; is a cell too many before it?",
            )
        name = self._name(cells[0])
        columns = dict(zip(head.names, cells, strict=True))
        tests = [
            test
            for column, cell in zip(head.names[1 : head.arrow], cells[1 : head.arrow], strict=True)
            if (test := self._test(column, cell)) is not None
        ]
        results = dict(zip(head.names[head.arrow + 1 :], cells[head.arrow + 1 :], strict=True))
        given = self._given(results)
        live = self._mode(results.get("mode"))
        if len(self.problems) == known:
            places = {column: (cell.line, cell.column) for column, cell in columns.items()}
            self.routes.append(Route(name, cells[0].line, tuple(tests), given, live, places))

    def _name(self, cell: Cell) -> str:
        name = cell.text.strip()
        if not name or name != one_line(name, 80):
            self.fault(cell, f"{one_line(name, 40)!r} cannot name the row: write up to 80 letters")
        elif name.lower() in self.names:
            self.fault(
                cell,
                f"{name!r} names the row of line {self.names[name.lower()]} already: give each row"
                " its own name",
            )
        else:
            self.names[name.lower()] = cell.line
        return name

    def _test(self, column: str, cell: Cell) -> Test | None:
        try:
            query = parse(cell.text) if column == WHEN else parse_cell(column, cell.text)
        except QuerySyntaxError as fault:
            self.fault(cell.place(fault.position), f"{column}: {fault.sentence}")
            return None
        if query.root == All(()):
            return None
        for leaf in leaves(query.root):
            if isinstance(leaf, Condition) and (sentence := _not_now(leaf)):
                self.fault(cell.place(leaf.position), sentence)
                return None
        if (unknown := self._unknown_name(query)) is not None:
            self.fault(cell, unknown)
            return None
        return Test(query, _words(column, cell.text))

    def _unknown_name(self, query: Query) -> str | None:
        """A sentence where a condition asks for an agent, a group or a level that is not there."""
        known = {
            "group": ("group", [g.name for g in self.settings.groups]),
            "assignee": ("agent", [a.name for a in self.settings.agents]),
            "account": ("[[channel]]", [c.name for c in self.settings.channels]),
            "level": ("level", list(self.settings.levels)),
        }
        for leaf in leaves(query.root):
            if not isinstance(leaf, Condition) or leaf.field not in known:
                continue
            kind, names = known[leaf.field]
            small = {name.lower() for name in names}
            for value in leaf.values:
                if isinstance(value, str) and value.lower() not in small:
                    return _missing(kind, value, names)
        return None

    def _given(self, cells: Mapping[str, Cell]) -> Given:
        texts = {name: cell.text.strip() for name, cell in cells.items()}
        agents = [agent.name for agent in self.settings.agents]
        groups = [group.name for group in self.settings.groups]
        return Given(
            group=self._known(cells, "group", "group", groups),
            level=self._known(cells, "level", "level", self.settings.levels),
            assignee=self._known(cells, "assignee", "agent", agents),
            priority=self._priority(cells.get("priority")),
            policy=self._policy(cells),
            tags=self._tags(cells.get("tags")),
            suggest=texts.get("suggest") or None,
            macro=texts.get("macro") or None,
        )

    def _known(
        self, cells: Mapping[str, Cell], column: str, kind: str, names: Sequence[str]
    ) -> str | None:
        found = cells[column].text.strip() if column in cells else ""
        if not found:
            return None
        same = next((name for name in names if name.lower() == found.lower()), None)
        if same is None:
            self.fault(cells[column], _missing(kind, found, names))
        return same

    def _policy(self, cells: Mapping[str, Cell]) -> str | None:
        found = cells["policy"].text.strip() if "policy" in cells else ""
        if not found or self.policies is None:
            return found or None
        same = next((name for name in self.policies if name.lower() == found.lower()), None)
        if same is None:
            names = list(self.policies)
            self.fault(cells["policy"], _missing("policy", found, names, "workflow/sla.toml"))
        return same

    def _priority(self, cell: Cell | None) -> int | None:
        if cell is None or not cell.text.strip():
            return None
        try:
            return int(Priority.parse(cell.text))
        except ValueError as fault:
            self.fault(cell, str(fault))
            return None

    def _tags(self, cell: Cell | None) -> tuple[str, ...]:
        tags: list[str] = []
        for word in (cell.text if cell is not None else "").replace(",", " ").split():
            tag = word.lower().lstrip("#+")
            if not _TAG.fullmatch(tag) and cell is not None:
                self.fault(
                    cell, f"{one_line(word, 40)!r} cannot be a tag: take one word of letters"
                )
            tags.append(tag)
        return tuple(dict.fromkeys(tags))

    def _mode(self, cell: Cell | None) -> bool:
        word = cell.text.strip().lower() if cell is not None else ""
        if word not in ("", "live", "shadow") and cell is not None:
            self.fault(cell, f"{one_line(word, 40)!r} is not one of live, shadow")
        return word != "shadow"


def _all(names: Collection[str]) -> str:
    return ", ".join(names)


def _near_condition(name: str) -> str:
    if name in RESULTS and name not in FIELDS:
        return f"a row gives it, so it stands behind {ARROW}"
    near = nearest_field(name)
    return f"did you mean {near}?" if near else f"the fields are {WHEN}, {_all(FIELDS)}"


def _near_result(name: str) -> str:
    near = _ELSEWHERE.get(name) or next(iter(difflib.get_close_matches(name, RESULTS, 1)), "")
    if near:
        return f"did you mean {near}?"
    if name in FIELDS or name == WHEN:
        return f"as a condition it stands before {ARROW}"
    return f"take one of {_all(RESULTS)}"


def _missing(kind: str, found: str, names: Sequence[str], where: str = "deskhand.toml") -> str:
    shown = one_line(found, 40)
    near = difflib.get_close_matches(found.lower(), [name.lower() for name in names], 1)
    meant = f"did you mean {next(n for n in names if n.lower() == near[0])}? " if near else ""
    there = f"there are {_all(names)}" if names else "it has none yet"
    return f"there is no {kind} {shown!r} in {where}: {meant}{there}"


def _too_early(name: str) -> str:
    if name in _FROM_CLOCKS:
        return (
            f"{name} is chosen after the table has been asked: give it behind {ARROW}, or leave it"
        )
    return (
        f"{name} changes with time, and a table is asked when a message comes in:"
        " write a trigger in workflow/triggers.toml for it"
    )


def _not_now(leaf: Condition) -> str | None:
    if leaf.field in _FROM_TIME | _FROM_CLOCKS:
        return _too_early(leaf.field)
    if leaf.field == "is":
        later = [str(value) for value in leaf.values if str(value) in _MARKS_LATER]
        if later:
            return (
                f"is:{later[0]} is never so when a message has just come in:"
                " write a trigger in workflow/triggers.toml for it"
            )
    if leaf.field == "id":
        return "a table is for tickets to come: no row can name one by its number"
    if Mark.ME in leaf.values:
        return f"{leaf.field}:me is whoever asks, and nobody asks here: name the agent"
    return None


def _words(column: str, cell: str) -> str:
    """The cell as part of a query: ``topic:billing``, ``-tier:vip``, ``text:refund,"charged
    twice"``.
    """
    typed = " ".join(cell.split())
    if column == WHEN:
        # An OR must not reach into what stands beside it.
        return f"({typed})" if re.search(r"(^|\s)OR(\s|$)", typed) else typed
    negated = typed.startswith("-") or re.match(r"!(?!=)", typed) is not None
    if negated and typed.startswith("-") and FIELDS[column].kind.value == "score":
        negated = False
    rest = typed[1:].lstrip() if negated else typed
    match = _OPERATOR.match(rest)
    operator = match[0] if match else ":"
    values = _values(rest[len(match[0]) :] if match else rest)
    return f"{'-' if negated else ''}{column}{operator}{','.join(values)}"


def _values(typed: str) -> list[str]:
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[^,"]+', typed)
    return [
        f'"{part.strip()}"'
        if re.search(r"[\s()]", part.strip()) and part[0] != '"'
        else part.strip()
        for part in parts
        if part.strip()
    ]
