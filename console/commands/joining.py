"""Verbs about what belongs together: merge, unmerge, split, link, unlink, dismiss."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer
from workflow import actions as a
from workflow.model import Actor

__all__ = ["dismiss", "link", "merge", "split", "unlink", "unmerge"]

CAUSE = "command"


def merge(desktop: Desktop, args: Namespace) -> Answer:
    """One ticket or several into another, as one change."""
    *tickets, into = args.ids
    actions = [a.Merge(number, into) for number in tickets]
    return _do(desktop, actions, [into, *tickets])


def unmerge(desktop: Desktop, args: Namespace) -> Answer:
    """Take a merged ticket out again."""
    detail = desktop.reads.ticket(args.id, whole=False)
    kept = [detail.merged_into] if detail is not None and detail.merged_into else []
    return _do(desktop, [a.Unmerge(args.id)], [args.id, *kept])


def split(desktop: Desktop, args: Namespace) -> Answer:
    """A message and all after it, or it alone, as a ticket of its own."""
    return _do(desktop, [a.Split(args.id, args.message, args.only)], [args.id])


def link(desktop: Desktop, args: Namespace) -> Answer:
    """Say that two tickets have to do with each other."""
    return _do(desktop, [a.Link(args.id, args.other)], [args.id, args.other])


def unlink(desktop: Desktop, args: Namespace) -> Answer:
    """Say that they have nothing to do with each other after all."""
    return _do(desktop, [a.Unlink(args.id, args.other)], [args.id, args.other])


def dismiss(desktop: Desktop, args: Namespace) -> Answer:
    """Say that a ticket is not about the matter of the one it looks like."""
    return _do(desktop, [a.DismissSuggestion(args.id)], [args.id])


def _do(desktop: Desktop, actions: Sequence[a.Action], also: Iterable[int]) -> Answer:
    """All of them or none; ``ticket`` is the one that it came to, with it the others concerned."""
    outcomes = desktop.desk.perform_all(actions, Actor.agent(desktop.acting_agent()), CAUSE)
    now, ticket = desktop.clock.now(), outcomes[-1].ticket
    numbers = list(dict.fromkeys(number for number in (ticket, *also) if number is not None))
    tickets = [
        documents.listed(detail, now, desktop.calendars)
        for detail in desktop.reads.tickets(numbers)
    ]
    said = [outcome.summary for outcome in outcomes]
    return Answer({"ticket": ticket, "changed": said, "tickets": tickets}, "\n".join(said))
