"""Verbs that change the desk. Each builds actions of the one vocabulary and gives them to the desk."""

from __future__ import annotations

import mimetypes
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, table, tell
from console.commands.reading import needed
from console.when_words import parse_when
from workflow import actions as a
from workflow.clock import parse_duration
from workflow.errors import NotFound, UsageError
from workflow.model import Actor, OutboxState, Priority, rfc3339
from workflow.plaintext import one_line

__all__ = [
    "accept",
    "accept_text",
    "assign",
    "escalate",
    "hand_back",
    "new",
    "outbox",
    "redo",
    "reply",
    "set_fields",
    "snooze",
    "spam",
    "take",
    "undo",
]

CAUSE = "command"
_LONGEST_WINDOW_S = 86_400


def _actor(desktop: Desktop) -> Actor:
    return Actor.agent(desktop.acting_agent())


def _do(desktop: Desktop, actions: Sequence[a.Action]) -> Answer:
    """All of them or none; the answer holds the tickets as they are then."""
    outcomes = desktop.desk.perform_all(actions, _actor(desktop), CAUSE)
    now = desktop.clock.now()
    numbers = list(dict.fromkeys(o.ticket for o in outcomes if o.ticket is not None))
    tickets = [documents.listed(detail, now) for detail in desktop.reads.tickets(numbers)]
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
    if (problem := desktop.escalation_file.problem) is not None:
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
    return Answer(documents.ticket(detail, desktop.clock.now()), outcome.summary)


def accept_text(args: Namespace) -> str:
    """The text of a reply: given, from a file, or from standard input."""
    if args.text is not None:
        return str(args.text)
    source = args.file or args.source
    if source is None or (args.file is None and source != "-"):
        raise UsageError(
            "the reply has no text: give --text, --file, or - to read it from standard input"
        )
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as fault:
        raise UsageError(f"{source} cannot be read ({fault.strerror}): check the path") from None
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def reply(desktop: Desktop, args: Namespace) -> Answer:
    """Queue an answer to the customer, or write a note."""
    text = accept_text(args)
    actor = _actor(desktop)
    if args.note:
        actions: list[a.Action] = [a.Note(args.id, text)]
        if args.to_status:
            actions.append(a.SetStatus(args.id, args.to_status))
        outcomes = desktop.desk.perform_all(actions, actor, CAUSE)
        note = desktop.reads.message(outcomes[0].message_id or 0)
        assert note is not None
        return Answer(
            {"message": documents.message(note), "outbox": None, "state": None}, outcomes[0].summary
        )
    now = desktop.clock.now()
    window = _window(args.undo_window)
    action = a.Reply(
        args.id,
        text,
        to_status=args.to_status,
        reply_all=args.all,
        to=tuple(args.to) or None,
        cc=tuple(args.cc) or None,
        bcc=tuple(args.bcc),
        attachments=tuple(_attach(desktop, path) for path in args.attach),
        send_at=parse_when(args.send_at, now) if args.send_at else None,
        undo_window_s=window,
        via=_via(desktop, args.id, args.via) if args.via else None,
    )
    outcome = desktop.desk.perform(action, actor, CAUSE)
    message = desktop.reads.message(outcome.message_id or 0)
    assert message is not None
    leaves = {
        "held": "it leaves when the undo window has passed and an engine runs",
        "scheduled": f"it leaves at {rfc3339(action.send_at)}",
    }.get(message.delivery or "", "it leaves as soon as an engine runs")
    return Answer(
        {
            "message": documents.message(message),
            "outbox": outcome.outbox_id,
            "state": message.delivery,
        },
        f"{outcome.summary} is {message.delivery} (outbox {outcome.outbox_id}): {leaves}",
    )


def _via(desktop: Desktop, ticket: int, words: str) -> int:
    """The identity of the ticket's customer that is meant by an address, an account or a kind."""
    identities = needed(desktop, ticket).customer.identities
    said = words.strip().lower()
    fits = [one for one in identities if said in (one.value, f"{one.kind}:{one.value}")]
    fits = fits or [one for one in identities if said in (one.kind, one.display.lower())]
    if len(fits) == 1:
        return fits[0].id
    known = ", ".join(f"{one.kind}:{one.value}" for one in fits or identities)
    said_of = "fits several" if fits else "is none"
    raise UsageError(
        f"{words!r} {said_of} of the addresses and accounts of the customer of #{ticket}: give one"
        f" of {known}"
    )


def _window(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as fault:
        raise UsageError(str(fault)) from None
    if not 0 <= seconds <= _LONGEST_WINDOW_S:
        raise UsageError(
            f"the undo window {text!r} is not between 0s (queues at once) and 1d: to send at a time,"
            " give --send-at"
        )
    return seconds


def _attach(desktop: Desktop, path: str) -> tuple[str, str, str, int]:
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise UsageError(f"{path} cannot be attached ({fault.strerror}): check the path") from None
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return one_line(Path(path).name), kind, desktop.files.put(data), len(data)


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
