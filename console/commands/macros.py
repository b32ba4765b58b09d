"""The macro verb: what there is, whether it is right, and running it on tickets."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.macro_keys import problems_with_keys
from console.own_keys import own_keys
from macros.library import Library
from macros.model import Macro, MacroProblem
from macros.placeholders import CATALOGUE
from macros.running import Plan, Ran, Runner
from workflow.errors import UsageError
from workflow.model import Priority

__all__ = ["macro"]


def macro(desktop: Desktop, args: Namespace) -> Answer:
    """``macro list|show|check|run``."""
    library = Library(desktop.home, desktop.settings)
    doing = {"list": _list, "show": _show, "check": _check, "run": _run}
    return doing[args.what](desktop, args, library)


def _list(_desktop: Desktop, _args: Namespace, library: Library) -> Answer:
    macros, problems = library.read()
    document = {
        "macros": [_head(found) for found in macros],
        "problems": [_problem(problem) for problem in problems],
    }
    rows = [
        (m.name, m.title, ", ".join(m.languages), "ships" if m.ships else "yours", m.description)
        for m in macros
    ]
    head = ("name", "title", "languages", "from", "what it does")
    lines = [table(rows, head, (0, 0, 0, 0, 60)), *map(str, problems)]
    return Answer(document, "\n".join(lines))


def _show(_desktop: Desktop, args: Namespace, library: Library) -> Answer:
    found = library.get(args.name)
    lines = [f"{found.name}: {found.title}", found.description, f"file: {found.file}"]
    lines += [f"only: {found.only}"] if found.only else []
    lines += [f"key: {found.key}"] if found.key else []
    lines += [f"asks {question.name}: {question.question}" for question in found.questions]
    lines += [f"{field}: {value}" for field, value in _actions(found).items() if value]
    for variant in found.variants:
        where = [variant.language or found.language, *filter(None, [variant.channel])]
        lines += ["", f"--- {' '.join(where)} ---", variant.text.source.strip("\n")]
    return Answer(_whole(found), "\n".join(line for line in lines if line is not None))


def _check(desktop: Desktop, _args: Namespace, library: Library) -> Answer:
    count, problems = library.check()
    problems += problems_with_keys(library.read()[0], own_keys(desktop.home)[0])
    problems.sort(key=lambda p: (p.place.file, p.place.line, p.place.column))
    document = {
        "macros": count,
        "problems": [_problem(problem) for problem in problems],
        "placeholders": [
            {"name": entry.name, "sentence": entry.sentence, "example": entry.example}
            for entry in CATALOGUE
        ],
    }
    text = "\n".join(map(str, problems)) or f"{count} macros, nothing to mend"
    return Answer(document, text, 1 if problems else 0)


def _run(desktop: Desktop, args: Namespace, library: Library) -> Answer:
    found, answers = library.get(args.name), dict(map(_answer, args.set))
    agent, clock, settings = desktop.acting_agent(), desktop.clock, desktop.settings
    if args.dry_run:
        results = Runner(desktop.reads, settings, clock, agent).rehearse(found, args.ids, answers)
    else:
        runner = Runner(desktop.reads, settings, clock, agent, desktop.desk)
        results = runner.run(found, args.ids, answers)
    changes = [ran.change for ran in results if ran.change is not None]
    document = {
        "macro": found.name,
        "dry_run": args.dry_run,
        "change": changes[0] if changes else None,
        "results": [_result(ran) for ran in results],
    }
    lines = [_line(ran, found, args.dry_run) for ran in results]
    return Answer(document, "\n".join(lines), 1 if any(ran.problem for ran in results) else 0)


def _answer(words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{words!r} is no answer: write it like --set amount=20")
    return name.strip(), value


def _line(ran: Ran, found: Macro, dry: bool) -> str:
    if ran.plan is None:
        return f"#{ran.ticket}: nothing done: {ran.problem}"
    parts = [difference.words for difference in ran.plan.differences]
    if ran.outbox is not None:
        parts.append(f"reply queued (outbox {ran.outbox})")
    said = f"#{ran.ticket}: {'would do' if dry else 'done'}: {'; '.join(parts) or 'a reply'}"
    if dry and ran.plan.text:
        head = "the reply" if found.reply else "the text, which is not sent"
        said += f"\n--- {head} ({ran.plan.why}) ---\n{ran.plan.text}\n---"
    return said


def _result(ran: Ran) -> dict[str, Any]:
    plan: Plan | None = ran.plan
    return {
        "ticket": ran.ticket,
        "ok": plan is not None,
        "error": ran.problem or None,
        "text": plan.text if plan else None,
        "language": plan.language if plan else None,
        "why": (plan.why or None) if plan else None,
        "actions": [type(action).word for action in plan.actions] if plan else [],
        "differences": [
            {"field": d.field, "before": d.before or None, "after": d.after or None}
            for d in (plan.differences if plan else ())
        ],
        "outbox": ran.outbox,
    }


def _head(found: Macro) -> dict[str, Any]:
    return {
        "name": found.name,
        "title": found.title,
        "description": found.description,
        "tags": list(found.tags),
        "languages": list(found.languages),
        "only": found.only or None,
        "key": found.key or None,
        "ships": found.ships,
        "file": found.file,
    }


def _actions(found: Macro) -> dict[str, Any]:
    steps = found.steps
    return {
        "status": steps.status,
        "priority": Priority(steps.priority).word if steps.priority is not None else None,
        "assign": "none" if steps.assign == "" else steps.assign,
        "group": "none" if steps.group == "" else steps.group,
        "topic": steps.topic,
        "add_tags": list(steps.add_tags),
        "remove_tags": list(steps.remove_tags),
        "snooze_s": steps.snooze_s,
        "note": steps.note.source if steps.note else None,
        "escalate": _escalation(found),
        "reply": found.reply,
        "reply_all": found.reply_all,
    }


def _escalation(found: Macro) -> dict[str, Any] | None:
    wanted = found.steps.escalate
    if wanted is None:
        return None
    return {
        "to": wanted.to,
        "reason": wanted.reason,
        "tried": wanted.tried,
        "needed": wanted.needed,
    }


def _whole(found: Macro) -> dict[str, Any]:
    return {
        **_head(found),
        "asks": [{"name": q.name, "question": q.question} for q in found.questions],
        "actions": _actions(found),
        "texts": [
            {
                "language": variant.language or found.language,
                "channel": variant.channel,
                "text": variant.text.source.strip("\n"),
            }
            for variant in found.variants
        ],
    }


def _problem(problem: MacroProblem) -> dict[str, Any]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "sentence": problem.sentence,
    }
