"""Verbs that change the desk. Each builds actions of the one vocabulary and gives them to the desk."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, table, tell
from console.when_words import parse_when
from workflow import actions as a
from workflow.errors import NotFound, UsageError
from workflow.model import Actor, OutboxState, Priority

__all__ = [
    "accept",
    "assign",
    "escalate",
    "hand_back",
    "new",
    "outbox",
    "redo",
    "set_fields",
    "snooze",
    "spam",
    "take",
    "undo",
]

CAUSE = "command"


def _actor(desktop: Desktop) -> Actor:
    return Actor.agent(desktop.acting_agent())


def _do(desktop: Desktop, actions: Sequence[a.Action]) -> Answer:
    """All of them or none; the answer holds the tickets as they are then."""
    outcomes = desktop.desk.perform_all(actions, _actor(desktop), CAUSE)
    now = desktop.clock.now()
    numbers = list(dict.fromkeys(o.ticket for o in outcomes if o.ticket is not None))
    tickets = [
        documents.listed(detail, now, desktop.calendars)
        for detail in desktop.reads.tickets(numbers)
    ]
    return Answer(
        {"changed": [outcome.summary for outcome in outcomes], "tickets": tickets},
        "\n".join(outcome.summary for outcome in outcomes),
    )


def set_fields(desktop: Desktop, args: Namespace) -> Answer:
    """``set ID... FIELD=VALUE... +TAG -TAG``: one change, however many tickets."""
    numbers = [int(word.lstrip("#")) for word in args.words if word.lstrip("#").isdigit()]
    rest = [word for word in args.words if not word.lstrip("#").isdigit()]
    if not numbers or not rest:
        raise UsageError(
            "say which tickets and what to set: deskhand set 42 43 status=pending +refund -new"
        )
    me = desktop.acting_agent()
    return _do(desktop, [_setter(number, word, me) for number in numbers for word in rest])


def _setter(number: int, word: str, me: str) -> a.Action:
    if word.startswith("+") and len(word) > 1:
        return a.AddTags(number, (word[1:],))
    if word.startswith("-") and len(word) > 1:
        return a.RemoveTags(number, (word[1:],))
    field, equals, value = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r} is neither FIELD=VALUE nor +TAG nor -TAG")
    field, value = field.strip().lower(), value.strip()
    if field == "status":
        return a.SetStatus(number, value)
    if field == "priority":
        try:
            return a.SetPriority(number, int(Priority.parse(value)))
        except ValueError as fault:
            raise UsageError(str(fault)) from None
    if field in ("assignee", "group"):
        named = "" if value == "none" else value
        if field == "group":
            return a.Assign(number, group=named)
        return a.Assign(number, assignee=me if named == "me" else named)
    return a.SetField(number, field, None if value in ("", "none") else value)


def assign(desktop: Desktop, args: Namespace) -> Answer:
    """Give tickets to an agent or a group, whichever has that name.

    ``none`` takes them from their agent.
    """
    name = args.to
    agents = {agent.name for agent in desktop.settings.agents}
    groups = {group.name for group in desktop.settings.groups}
    if name == "none":
        return _do(desktop, [a.Assign(number, assignee="") for number in args.ids])
    if name == "me":
        name = desktop.acting_agent()
    if name not in agents and name in groups:
        return _do(desktop, [a.Assign(number, group=name) for number in args.ids])
    if name not in agents and (agents or name != desktop.acting_agent()):
        known = ", ".join(sorted(agents | groups)) or "none yet"
        raise NotFound(f"there is no agent or group {name!r} in deskhand.toml (there are: {known})")
    return _do(desktop, [a.Assign(number, assignee=name) for number in args.ids])


def take(desktop: Desktop, args: Namespace) -> Answer:
    """Make tickets one's own."""
    me = desktop.acting_agent()
    return _do(desktop, [a.Assign(number, assignee=me) for number in args.ids])


def snooze(desktop: Desktop, args: Namespace) -> Answer:
    """Put a ticket out of sight until a time or until the customer writes.

    ``off`` brings it back.
    """
    words = " ".join(args.until).strip()
    if words == "off":
        return _do(desktop, [a.Unsnooze(args.id)])
    until = None if words == "reply" else parse_when(words, desktop.clock.now())
    return _do(desktop, [a.Snooze(args.id, until)])


def spam(desktop: Desktop, args: Namespace) -> Answer:
    """Take a ticket out of every view as spam; ``--not`` brings it back."""
    return _do(desktop, [a.MarkSpam(args.id, not args.undo_spam)])


def escalate(desktop: Desktop, args: Namespace) -> Answer:
    """Move a ticket up a level with what the next person needs."""
    by = parse_when(args.by, desktop.clock.now()) if args.by else None
    if (problem := desktop.rule_book.escalation.problem) is not None:
        tell(f"deskhand: {problem}")
    return _do(
        desktop,
        [
            a.Escalate(
                args.id,
                reason=args.reason,
                to_level=args.to,
                tried=args.tried or "",
                needed=args.needed or "",
                wanted_by=by,
                promised=args.promised or "",
            )
        ],
    )


def accept(desktop: Desktop, args: Namespace) -> Answer:
    """Take an escalated ticket: its acknowledgement clock stops."""
    return _do(desktop, [a.Accept(args.id)])


def hand_back(desktop: Desktop, args: Namespace) -> Answer:
    """Give an escalated ticket back to who had it before, with a note."""
    return _do(desktop, [a.HandBack(args.id, args.note or "")])


def new(desktop: Desktop, args: Namespace) -> Answer:
    """Open a ticket by hand."""
    action = a.NewTicket(args.sender, args.name or "", args.subject, args.text or "", args.channel)
    outcome = desktop.desk.perform(action, _actor(desktop), CAUSE)
    assert outcome.ticket is not None
    detail = desktop.reads.ticket(outcome.ticket)
    assert detail is not None
    return Answer(documents.ticket(detail, desktop.clock.now(), desktop.calendars), outcome.summary)


def undo(desktop: Desktop, args: Namespace) -> Answer:
    """Take back the last changes of this agent."""
    if not args.count:
        raise UsageError("say how many changes to take back: deskhand undo, or deskhand undo 3")
    said = desktop.desk.undo(_actor(desktop), args.count)
    return Answer({"undone": said}, "\n".join(said))


def redo(desktop: Desktop, _args: Namespace) -> Answer:
    """Do again what the last undo took back."""
    said = desktop.desk.redo(_actor(desktop))
    return Answer({"redone": [said]}, said)


def outbox(desktop: Desktop, args: Namespace) -> Answer:
    """What is to be sent; retry or cancel one of them."""
    if args.what in ("retry", "cancel"):
        if args.number is None:
            raise UsageError(f"say which one: deskhand outbox {args.what} N")
        action = a.RetrySend(args.number) if args.what == "retry" else a.CancelSend(args.number)
        outcome = desktop.desk.perform(action, _actor(desktop), CAUSE)
        item = desktop.reads.outbox_item(args.number)
        assert item is not None
        return Answer({"items": [documents.outbox_item(item)]}, outcome.summary)
    rows = desktop.reads.outbox([state.value for state in OutboxState] if args.all else None)
    lines = [
        (str(r.id), f"#{r.ticket}", r.state, ", ".join(r.recipients), r.subject, r.error or "")
        for r in rows
    ]
    text = table(lines, ("n", "ticket", "state", "to", "subject", "error"), (0, 0, 0, 30, 40, 0))
    return Answer(
        {"items": [documents.outbox_item(row) for row in rows]},
        text if rows else "the outbox is empty: everything has been sent",
    )
