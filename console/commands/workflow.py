"""The workflow verb: the team's files checked, printed, drawn, and tried on what has happened."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.commands.install import install_workflow
from console.rule_diagram import MERMAID, mermaid, picture
from console.rule_words import (
    doing_words,
    group_words,
    level_words,
    match_words,
    policies_of,
    target_words,
    when_words,
)
from workflow.calendars import WorkingTime
from workflow.errors import SettingsError, UsageError
from workflow.model import Metric
from workflow.routing.reasons import given_words
from workflow.routing.sheet import Problem
from workflow.rule_check import Checked, check, place_of
from workflow.rulebook import Rules
from workflow.settings import Settings

__all__ = ["SECTIONS", "workflow"]

Rows = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]


def workflow(desktop: Desktop, args: Namespace) -> Answer:
    """``workflow check|show|diagram|install|test|shadow``."""
    if args.what in ("test", "shadow"):
        from console.commands import trying

        return trying.test(desktop, args) if args.what == "test" else trying.shadow(desktop, args)
    doing = {
        "check": _check,
        "show": _show,
        "diagram": _diagram,
        "install": install_workflow,
    }
    return doing[args.what](desktop, args)


def _check(desktop: Desktop, _args: Namespace) -> Answer:
    try:
        _settings = desktop.settings
    except SettingsError as fault:
        # Nothing else can be judged without it.
        (one,) = _below(desktop, [place_of(str(fault))])
        return Answer({"problems": [_problem(one)], "warnings": []}, str(one), 1)
    from console.macro_keys import problems_with_keys
    from console.own_keys import own_keys
    from macros.library import Library

    library = Library(desktop.home, desktop.settings)
    macros, _unreadable = library.read()
    count, of_macros = library.check()
    of_macros += problems_with_keys(macros, own_keys(desktop.home)[0])
    found = check(desktop.home, desktop.settings, [macro.name for macro in macros])
    texts = [place_of(str(problem)) for problem in of_macros]
    texts += _texts_of_rules(desktop)
    found = Checked((*found.problems, *_below(desktop, texts)), found.warnings)
    document = {
        "problems": [_problem(one) for one in found.problems],
        "warnings": [_problem(one) for one in found.warnings],
    }
    lines = [str(one) for one in found.problems]
    lines += [f"{one} (a warning)" for one in found.warnings]
    rules = desktop.rule_book.current
    counts = (
        f"{len(rules.routes.table.routes)} rows of routing, {len(rules.rules)} rules,"
        f" {len(rules.calendars)} calendars, {count} macros"
    )
    if not found.problems:
        lines.append(f"{counts}: nothing to mend")
    return Answer(document, "\n".join(lines), 1 if found.problems else 0)


def _texts_of_rules(desktop: Desktop) -> Iterator[Problem]:
    """Faults of the texts that rules fill in, whatever the ticket."""
    for rule in desktop.rule_book.current.rules:
        do = rule.do
        answers = [answer.text for answer in (do.draft, do.send) if answer is not None]
        for text in (do.note, do.notify.text if do.notify else "", *answers):
            fault = desktop.macro_plans.fault(text) if text else None
            if fault is not None:
                sentence = f"a text of {rule.name!r}: {fault}"
                yield Problem(f"workflow/{rule.file}", rule.line, 1, sentence)


def _below(desktop: Desktop, problems: list[Problem]) -> list[Problem]:
    here = f"{desktop.home}/"
    return [
        Problem(one.file.removeprefix(here), one.line, one.column, one.sentence) for one in problems
    ]


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "sentence": one.sentence,
    }


def _show(desktop: Desktop, args: Namespace) -> Answer:
    rules, settings = desktop.rule_book.current, desktop.settings
    wanted = [args.section] if args.section else list(SECTIONS)
    if args.section and args.section not in SECTIONS:
        known = ", ".join(SECTIONS)
        raise UsageError(f"there is nothing called {args.section!r} to show: take one of {known}")
    document: dict[str, Any] = {}
    lines: list[str] = []
    for name in wanted:
        head, rows = SECTIONS[name](rules, settings)
        keys = [key.replace(" ", "_") for key in head]
        document[name] = [dict(zip(keys, row, strict=True)) for row in rows]
        if rows:
            lines += [*([""] if lines else []), name, table(rows, head, (0,) * len(head))]
        elif args.section:
            lines.append(f"no {name} yet")
    problems = desktop.rule_book.problems
    if problems:
        document["problems"] = problems
        lines += [
            "",
            "Not as it stands in the files, but as it was before these faults:",
            *problems,
        ]
    return Answer(document, "\n".join(lines))


def _diagram(desktop: Desktop, args: Namespace) -> Answer:
    draw = mermaid if args.format == MERMAID else picture
    text = draw(desktop.rule_book.current, desktop.settings)
    return Answer({"format": args.format, "diagram": text}, text)


def _groups(_rules: Rules, settings: Settings) -> Rows:
    rows = [
        (
            group.name,
            group.level,
            group_words(group),
            ", ".join(agent.name for agent in settings.agents if group.name in agent.groups) or "-",
        )
        for group in settings.groups
    ]
    return ("group", "level", "hands out", "agents"), rows


def _calendars(rules: Rules, _settings: Settings) -> Rows:
    rows = [
        (name, str(one.hours.zone) if isinstance(one, WorkingTime) else "any")
        for name, one in rules.calendars.items()
    ]
    return ("calendar", "zone"), rows


def _policies(rules: Rules, _settings: Settings) -> Rows:
    rows = [
        (
            policy.name,
            match_words(policy),
            policy.calendar.name,
            *(target_words(policy, metric) for metric in Metric),
            ", ".join(sorted(policy.pause_on)) or "-",
        )
        for policy in policies_of(rules)
    ]
    return ("policy", "match", "calendar", *(metric.value for metric in Metric), "pauses in"), rows


def _topics(rules: Rules, _settings: Settings) -> Rows:
    rows = [(name, f"{rules.topics.needs.get(name, 1.0):g}") for name in rules.topics.names]
    return ("topic", "needs points"), rows


def _routing(rules: Rules, _settings: Settings) -> Rows:
    rows = [
        (
            str(route.line),
            route.name,
            route.condition or "everything",
            given_words(route.given.to_json()),
            "live" if route.live else "shadow",
        )
        for route in rules.routes.table.routes
    ]
    return ("line", "row", "when", "gives", "mode"), rows


def _rules(rules: Rules, _settings: Settings) -> Rows:
    rows = [
        (
            rule.cause,
            rule.name,
            when_words(rule),
            rule.when.text.strip() or "every ticket",
            doing_words(rule.do),
            rule.mode,
        )
        for rule in rules.rules
    ]
    return ("where", "rule", "fires", "when", "does", "mode"), rows


def _escalation(rules: Rules, _settings: Settings) -> Rows:
    rows = [
        (level.name, level.group or "-", level_words(level), ", ".join(level.notify) or "-")
        for level in rules.escalation.levels
    ]
    return ("level", "group", "accepts within", "tells"), rows


SECTIONS: dict[str, Callable[[Rules, Settings], Rows]] = {
    "groups": _groups,
    "calendars": _calendars,
    "policies": _policies,
    "topics": _topics,
    "routing": _routing,
    "rules": _rules,
    "escalation": _escalation,
}
"""What ``workflow show`` prints, in this order."""
