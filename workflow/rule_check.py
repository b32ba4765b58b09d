"""Everything that is wrong with a team's files, and what looks wrong, each with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workflow.errors import SettingsError
from workflow.query.tree import Condition, Query, leaves
from workflow.routing import table as routing_table
from workflow.routing.reach import gap, unreachable
from workflow.routing.sheet import Problem, SheetError, read_text
from workflow.routing.table import Route, Table, read_table
from workflow.rulebook import RuleBook, Rules
from workflow.settings import Settings
from workflow.triage.verdict import OTHER
from workflow.triggers.rule import AROUND_THE_CLOCK, OF_POLICY, Rule

__all__ = ["Checked", "check", "place_of"]

_PLACED = re.compile(r"(?P<file>.*?):(?P<line>\d+):(?:(?P<column>\d+):)? ?(?P<sentence>.*)", re.S)
_CHANNELS = ("email", "telegram", "webchat", "form", "phone", "whatsapp", "sms")
_FOLDER = "workflow"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. With a problem a file is not used as it stands; a warning is only told."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check(home: Path, settings: Settings, macros: Collection[str] | None = None) -> Checked:
    """Read every file of a home anew; ``macros`` are the names of those there are (None: not asked).

    The files of the problems are told as they stand below the home. Nothing is written.
    """
    book = RuleBook(home, settings)
    for file in book.files:
        file.keeps = False
    rules = book.current
    problems = [place_of(found) for file in book.files if (found := file.problem) is not None]
    problems = [one for one in problems if not one.file.endswith(routing_table.FILE)]
    table, of_table = _table(home, settings, rules)
    problems += [*of_table, *_dead_rows(home, table), *_unknown(home, rules, table, macros)]
    warnings = [place_of(text) for text in settings.warnings]
    warnings += [*_unowned(home, table), *_unheard(home, rules, table, settings)]
    return Checked(_sorted(home, problems), _sorted(home, warnings))


def place_of(sentence: str) -> Problem:
    """The problem that a complaint tells, taken apart."""
    match = _PLACED.match(sentence)
    if match is None:
        return Problem("", 1, 1, sentence)
    return Problem(match["file"], int(match["line"]), int(match["column"] or 1), match["sentence"])


def _sorted(home: Path, found: Iterable[Problem]) -> tuple[Problem, ...]:
    here = f"{home}/"
    told = (replace(one, file=one.file.removeprefix(here)) for one in found)
    return tuple(sorted(dict.fromkeys(told), key=lambda p: (p.file, p.line, p.column)))


def _table(home: Path, settings: Settings, rules: Rules) -> tuple[Table, list[Problem]]:
    path = home / routing_table.FILE
    try:
        text = read_text(path)
    except SheetError as fault:
        return Table(), [fault.problem]
    except SettingsError as fault:
        return Table(), [Problem(str(path), 1, 1, str(fault).removeprefix(f"{path} "))]
    if text is None:
        return Table(), []
    policies = [policy.name for policy in rules.policies.in_order]
    return read_table(str(path), text, settings, policies)


def _place(home: Path, route: Route, column: str = "rule") -> tuple[str, int, int]:
    line, place = route.places.get(column, (route.line, 1))
    return str(home / routing_table.FILE), line, place


def _dead_rows(home: Path, table: Table) -> Iterator[Problem]:
    for found in unreachable(table):
        name = found.route.name
        if not found.covered_by:
            sentence = f"the row {name!r} asks for what no ticket can be: {found.route.condition}"
        else:
            above = " and ".join(f"{one.name!r} (line {one.line})" for one in found.covered_by)
            take = "takes" if len(found.covered_by) == 1 else "take"
            sentence = (
                f"the row {name!r} is never reached: {above} {take} every ticket that it asks for;"
                " move it up, or take it out"
            )
        yield Problem(*_place(home, found.route), sentence)


def _unowned(home: Path, table: Table) -> Iterator[Problem]:
    found = gap(table) if table.routes else None
    if found is None:
        return
    if found.route is None:
        last = table.routes[-1]
        yield Problem(
            *_place(home, last),
            f"some tickets match no row and get no owner, such as {found.example}: add a last row"
            " without conditions that gives a group",
        )
    else:
        yield Problem(
            *_place(home, found.route),
            f"the row {found.route.name!r} gives neither group nor assignee: what it takes"
            f" ({found.example}) has no owner",
        )


def _named(found: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(found.lower(), [name.lower() for name in known], 1)
    meant = f"did you mean {next(n for n in known if n.lower() == near[0])}? " if near else ""
    return f"{meant}there are {', '.join(sorted(known))}" if known else "there are none yet"


def _unknown(
    home: Path, rules: Rules, table: Table, macros: Collection[str] | None
) -> Iterator[Problem]:
    """Macros and calendars that are named and are not there."""
    for route in table.routes if macros is not None else ():
        for column, name in (("suggest", route.given.suggest), ("macro", route.given.macro)):
            if name is not None and name not in (macros or ()):
                sentence = f"there is no macro {name!r}: {_named(name, macros or ())}"
                yield Problem(*_place(home, route, column), sentence)
    for rule in rules.rules:
        here = (str(home / _FOLDER / rule.file), rule.line, 1)
        if rule.calendar not in (AROUND_THE_CLOCK, OF_POLICY, *rules.calendars):
            known = [AROUND_THE_CLOCK, *rules.calendars]
            sentence = f"there is no calendar {rule.calendar!r}: {_named(rule.calendar, known)}"
            yield Problem(*here, f"the rule {rule.name!r}: {sentence}")
        for name in _macros_of(rule) if macros is not None else ():
            if name not in (macros or ()):
                sentence = f"there is no macro {name!r}: {_named(name, macros or ())}"
                yield Problem(*here, f"the rule {rule.name!r}: {sentence}")


def _macros_of(rule: Rule) -> Iterator[str]:
    answers = (answer.macro for answer in (rule.do.draft, rule.do.send) if answer is not None)
    yield from (name for name in (rule.do.suggest, rule.do.macro, *answers) if name)


def _unheard(home: Path, rules: Rules, table: Table, settings: Settings) -> Iterator[Problem]:
    """Conditions that no ticket will ever meet as things are: a topic that no triage gives, a
    channel of no kind.
    """
    topics = {*rules.topics.names, OTHER} if rules.topics.own and rules.topics.names else set()
    channels = {*_CHANNELS, *(channel.kind for channel in settings.channels)}
    known = {"channel": channels} | ({"topic": topics} if topics else {})
    for route in table.routes:
        for test in route.tests:
            for field, value in _names_in(test.query):
                if field in known and value.lower() not in {name.lower() for name in known[field]}:
                    column = field if field in route.places else routing_table.WHEN
                    where = "workflow/topics.toml" if field == "topic" else "the desk"
                    sentence = f"no {field} {value!r} is in {where}: {_named(value, known[field])}"
                    yield Problem(*_place(home, route, column), sentence)


def _names_in(query: Query) -> Iterator[tuple[str, str]]:
    for leaf in leaves(query.root):
        if isinstance(leaf, Condition):
            yield from ((leaf.field, value) for value in leaf.values if isinstance(value, str))
