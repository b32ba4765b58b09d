"""workflow test and shadow: the last days gone through again with other files, and what rules in shadow
would have done.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from console.bootstrap import Desktop
from console.commands.answer import Answer
from console.fmt import METRIC_WORDS
from workflow.errors import NotFound, SettingsError
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.routing.comparing import FIELDS, Comparison, Difference, most_common
from workflow.routing.matching import Matcher
from workflow.routing.replay import happened, topics_again, would
from workflow.routing.shadow import BY, Pilot, Tally, watch
from workflow.rulebook import RuleBook, Rules
from workflow.settings import FILE as SETTINGS
from workflow.settings import Settings, load_settings

__all__ = ["shadow", "test"]

_CHUNK = 200
_SHOWN = 50


def test(desktop: Desktop, args: Namespace) -> Answer:
    """``workflow test [--days N] [--against DIR] [--live] [QUERY]``. Writes nothing."""
    rules, settings = _rules(desktop, args.against)
    routes = rules.routes.all_live() if args.live else rules.routes
    found = _gone_through(desktop, args, rules, settings, routes)
    return Answer(_document(found, args), "\n".join(_lines(found, args)))


def _tickets_of(desktop: Desktop, args: Namespace) -> list[int]:
    """The tickets of the last days that a query finds, closed ones too, the oldest first."""
    typed = " ".join(args.query).strip()
    text = f"created<{args.days}d status:any" + (f" ({typed})" if typed else "")
    compiled = compile_sql(parse(text), desktop.context)
    return sorted(desktop.reads.ids(compiled, "age", None))


def _rules(desktop: Desktop, against: str | None) -> tuple[Rules, Settings]:
    """The files to try: those of a folder, else those of the home as they are written now.

    Raises SettingsError where one of them cannot be used.
    """
    home, settings = desktop.home, desktop.settings
    if against is not None:
        home = Path(against).expanduser().resolve()
        if not (home / "workflow").is_dir():
            raise NotFound(
                f"{home} has no folder workflow: give the folder in which it lies, a copy of the"
                " home's with your changes"
            )
        if (home / SETTINGS).exists():
            settings = load_settings(home)
    book = RuleBook(home, settings)
    for file in book.files:
        file.keeps = False
    rules, problems = book.current, book.problems
    if problems:
        raise SettingsError("; ".join(problems))
    return rules, settings


def _gone_through(
    desktop: Desktop, args: Namespace, rules: Rules, settings: Settings, routes: Matcher
) -> Comparison:
    now, calendars = desktop.clock.now(), desktop.rule_book.current.calendars
    found = Comparison()
    numbers = _tickets_of(desktop, args)
    for start in range(0, len(numbers), _CHUNK):
        for ticket in desktop.reads.tickets(numbers[start : start + _CHUNK], whole=True):
            was = happened(ticket, now, calendars)
            again = topics_again(ticket, rules.topics)
            then = would(ticket, routes, rules.policies, settings, now, again)
            found.add(ticket.id, ticket.subject, was, then)
    return found


def _document(found: Comparison, args: Namespace) -> dict[str, Any]:
    was, then = found.broken
    metrics = sorted({*was, *then})
    return {
        "days": args.days,
        "against": args.against,
        "total": found.total,
        "differ": len(found.differences),
        "tickets": [_one(difference) for difference in found.differences],
        "sum": {
            name: [
                {"was": before, "would": after, "tickets": count}
                for before, after, count in most_common(found.moves[name])
            ]
            for name in FIELDS
            if name in found.moves
        },
        "breaches": {
            "was": was.total(),
            "would": then.total(),
            "by_metric": {name: {"was": was[name], "would": then[name]} for name in metrics},
        },
        "rows": [
            {"row": row, "tickets": count}
            for row, count in sorted(found.rows.items(), key=lambda item: (-item[1], str(item[0])))
        ],
    }


def _one(difference: Difference) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: {"was": before, "would": after} for name, (before, after) in difference.fields.items()
    }
    if difference.breaks_otherwise:
        before, after = difference.breaches
        changes["breaches"] = {"was": list(before), "would": list(after)}
    return {
        "id": difference.ticket,
        "subject": difference.subject,
        "differences": changes,
        "evidence": difference.evidence,
    }


def _lines(found: Comparison, args: Namespace) -> Iterator[str]:
    files = f"the files in {args.against}" if args.against else "the files as they are now"
    days = "the last day" if args.days == 1 else f"the last {args.days} days"
    yield (
        f"{_count(found.total, 'ticket')} of {days}: {len(found.differences)} would differ with"
        f" {files}"
    )
    for difference in found.differences[:_SHOWN]:
        yield from _ticket_lines(difference)
    if len(found.differences) > _SHOWN:
        yield f"... and {len(found.differences) - _SHOWN} more: --json has them all"
    if not found.total:
        return
    yield ""
    yield "in sum"
    for name in FIELDS:
        for before, after, count in most_common(found.moves.get(name, _NONE)):
            yield f"  {name:9} {_word(before)} -> {_word(after)}: {_count(count, 'ticket')}"
    was, then = found.broken
    for metric in sorted({*was, *then}):
        name = METRIC_WORDS.get(metric, metric)
        yield f"  breaches  {name}: {was[metric]} -> {then[metric]}"
    yield f"  breaches  in all: {was.total()} -> {then.total()}"
    for row, count in sorted(found.rows.items(), key=lambda item: (-item[1], str(item[0]))):
        yield f"  row       {row or 'no row'}: {_count(count, 'ticket')}"


_NONE: Any = Comparison().rows


def _ticket_lines(difference: Difference) -> Iterator[str]:
    yield ""
    yield f"#{difference.ticket}  {difference.subject or '(no subject)'}"
    for name, (before, after) in difference.fields.items():
        yield f"    {name:9} {_word(before)} -> {_word(after)}"
    if difference.breaks_otherwise:
        before, after = (_metrics(side) for side in difference.breaches)
        yield f"    breaches  {before} -> {after}"
    if difference.evidence:
        yield f"    by        {difference.evidence}"


def _metrics(names: Sequence[str]) -> str:
    return ", ".join(METRIC_WORDS.get(name, name) for name in names) or "none"


def _word(value: str | None) -> str:
    return value if value else "none"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def shadow(desktop: Desktop, args: Namespace) -> Answer:
    """``workflow shadow [--days N] [QUERY]``: each rule in shadow beside what really happened."""
    pilots: dict[str, Pilot] = {}
    numbers = _tickets_of(desktop, args)
    for start in range(0, len(numbers), _CHUNK):
        for ticket in desktop.reads.tickets(numbers[start : start + _CHUNK], whole=True):
            watch(pilots, ticket)
    found = sorted(pilots.values(), key=lambda pilot: (pilot.cause, pilot.name))
    document = {
        "days": args.days,
        "total": len(numbers),
        "rules": [_pilot(pilot) for pilot in found],
    }
    days = "the last day" if args.days == 1 else f"the last {args.days} days"
    lines = [f"{_count(len(numbers), 'ticket')} of {days}"]
    for pilot in found:
        lines += ["", *_pilot_lines(pilot)]
    if not found:
        lines.append("no rule in shadow would have done anything: mode = shadow makes one")
    return Answer(document, "\n".join(lines))


def _tally(tally: Tally) -> dict[str, Any]:
    return {"tickets": tally.tickets, "same": tally.same}


def _pilot(pilot: Pilot) -> dict[str, Any]:
    return {
        "rule": pilot.name,
        "kind": pilot.kind,
        "cause": pilot.cause,
        **_tally(pilot.total),
        "fields": {name: _tally(tally) for name, tally in pilot.fields.items()},
        "by": {
            name: {value: _tally(tally) for value, tally in sorted(pilot.by[name].items())}
            for name in BY
        },
        "otherwise": {
            name: [
                {"would": wanted, "was": came, "tickets": count}
                for wanted, came, count in most_common(moves)
            ]
            for name, moves in pilot.moves.items()
        },
        "did": dict(pilot.did),
        "ids": pilot.tickets,
    }


def _pilot_lines(pilot: Pilot) -> Iterator[str]:
    yield f"{pilot.name} ({pilot.cause}, in shadow): {_share(pilot.total)}"
    for name, tally in pilot.fields.items():
        yield f"  {name:9} {_share(tally)}"
        for wanted, came, count in most_common(pilot.moves.get(name, _NONE)):
            words = f"{_word(wanted)}, but it came to {_word(came)}"
            yield f"            {words}: {_count(count, 'ticket')}"
    for step, count in pilot.did.most_common():
        yield f"  would     {step}: {_count(count, 'ticket')}"
    for name in BY:
        parts = (f"{value} {_share(tally)}" for value, tally in sorted(pilot.by[name].items()))
        yield f"  by {name:6} {', '.join(parts)}"


def _share(tally: Tally) -> str:
    return f"{tally.same} of {tally.tickets} the same"
