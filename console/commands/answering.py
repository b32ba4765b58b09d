"""Verbs that write to people: reply and forward."""

from __future__ import annotations

import mimetypes
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from channels.contract import Piece
from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, tell
from console.commands.reading import needed
from console.parts import parts_of, too_large
from console.when_words import parse_when
from workflow import actions as a
from workflow.clock import parse_duration
from workflow.doubts import Doubt
from workflow.drafts import DraftOptions, File
from workflow.errors import Refusal, UsageError
from workflow.model import Actor, rfc3339
from workflow.plaintext import one_line
from workflow.proposal import files_of, propose

__all__ = ["attached", "forward", "reply"]

CAUSE = "command"
_LONGEST_WINDOW_S = 86_400


def reply(desktop: Desktop, args: Namespace) -> Answer:
    """Queue an answer to the customer, or write a note."""
    text = _text(args)
    if args.note:
        return _note(desktop, args, text)
    action = a.Reply(
        args.id,
        text,
        to_status=args.to_status,
        answers=args.answer,
        reply_all=args.all,
        to=tuple(args.to) or None,
        cc=tuple(args.cc) or None,
        bcc=tuple(args.bcc),
        attachments=attached(desktop, args.attach),
        send_at=parse_when(args.send_at, desktop.clock.now()) if args.send_at else None,
        undo_window_s=_window(args.undo_window),
        expect_last=args.expect_last,
        via=_via(desktop, args.id, args.via) if args.via else None,
        sender=args.sender,
        subject=args.subject,
        signature=not args.no_signature,
        unless_reply=args.unless_reply,
    )
    options = DraftOptions(
        reply_all=action.reply_all,
        to=action.to,
        cc=action.cc,
        bcc=action.bcc,
        subject=action.subject,
        sender=action.sender,
        files=action.attachments,
        via=action.via,
    )
    if args.dry_run:
        return _only_said(desktop, args, options, text)
    found = _look_again(desktop, args, "reply", options, text, action.answers)
    return _queued(desktop, args, action, found)


def _only_said(desktop: Desktop, args: Namespace, options: DraftOptions, text: str) -> Answer:
    """How a reply would go out: from which account, to whom, in which messages. Nothing is queued."""
    ticket = needed(desktop, args.id)
    agent = desktop.acting_agent()
    found = propose(ticket, desktop.settings, agent, "reply", options, args.answer)
    problem = found.problem or too_large(found.account, options.files)
    if problem is not None or found.account is None:
        raise Refusal(problem or "this desk has no account to send from")
    pieces = parts_of(found.account, text, options.files) or [
        Piece(text, tuple(name for name, *_rest in options.files))
    ]
    doubts = found.doubts(text, len(options.files), ticket, desktop.settings)
    to = [party.address for party in found.to]
    lines = [f"over {found.account.name} to {', '.join(to)}, nothing was queued"]
    for number, piece in enumerate(pieces, 1):
        if len(pieces) > 1:
            lines += ["", f"-- message {number} of {len(pieces)}"]
        lines += [f"[file] {name}" for name in piece.files]
        lines += [piece.text] if piece.text else []
    for doubt in doubts if not args.json else ():
        tell(f"deskhand: look again: {doubt.sentence}")
    document = {
        "dry_run": True,
        "account": found.account.name,
        "to": to,
        "cc": [party.address for party in found.cc],
        "parts": [{"text": piece.text, "files": list(piece.files)} for piece in pieces],
        "warnings": [{"code": doubt.code, "text": doubt.sentence} for doubt in doubts],
    }
    return Answer(document, "\n".join(lines))


def forward(desktop: Desktop, args: Namespace) -> Answer:
    """Pass a conversation, or one message, on to somebody who is not the customer."""
    ticket = needed(desktop, args.id)
    files = attached(desktop, args.attach)
    if not args.no_files:
        files = (*files_of([m for m in ticket.messages if args.message in (None, m.id)]), *files)
    action = a.Forward(
        args.id,
        tuple(args.to),
        args.text,
        message=args.message,
        cc=tuple(args.cc),
        bcc=tuple(args.bcc),
        attachments=files,
        send_at=parse_when(args.send_at, desktop.clock.now()) if args.send_at else None,
        undo_window_s=_window(args.undo_window),
        expect_last=args.expect_last,
        sender=args.sender,
        subject=args.subject,
        signature=not args.no_signature,
    )
    options = DraftOptions(
        to=action.to,
        cc=action.cc,
        bcc=action.bcc,
        subject=action.subject,
        sender=action.sender,
        files=files,
    )
    found = _look_again(desktop, args, "forward", options, args.text, args.message)
    return _queued(desktop, args, action, found)


def _queued(
    desktop: Desktop, args: Namespace, action: a.Reply | a.Forward, found: Sequence[Doubt]
) -> Answer:
    actor = Actor.agent(desktop.acting_agent())
    outcome = desktop.desk.perform(action, actor, CAUSE)
    message = desktop.reads.message(outcome.message_id or 0)
    assert message is not None
    for doubt in found if not args.json else ():
        tell(f"deskhand: look again: {doubt.sentence}")
    unless = getattr(action, "unless_reply", False)
    leaves = {
        "held": "it leaves when the undo window has passed and an engine runs",
        "scheduled": f"it leaves at {rfc3339(action.send_at)}"
        + (" unless the customer writes first" if unless else ""),
    }.get(message.delivery or "", "it leaves as soon as an engine runs")
    return Answer(
        {
            "message": documents.message(message),
            "outbox": outcome.outbox_id,
            "state": message.delivery,
            "warnings": [{"code": doubt.code, "text": doubt.sentence} for doubt in found],
        },
        f"{outcome.summary} is {message.delivery} (outbox {outcome.outbox_id}): {leaves}",
    )


def _look_again(
    desktop: Desktop,
    args: Namespace,
    kind: str,
    options: DraftOptions,
    text: str,
    message: int | None,
) -> tuple[Doubt, ...]:
    """What looks wrong; raises Refusal for it with --strict, before anything is queued."""
    ticket = needed(desktop, args.id)
    proposal = propose(ticket, desktop.settings, desktop.acting_agent(), kind, options, message)
    found = proposal.doubts(text, len(options.files), ticket, desktop.settings)
    if found and args.strict:
        said = "; ".join(doubt.sentence for doubt in found)
        raise Refusal(f"{said}: nothing was queued; correct it, or leave --strict out")
    return found


def _note(desktop: Desktop, args: Namespace, text: str) -> Answer:
    actor = Actor.agent(desktop.acting_agent())
    actions: list[a.Action] = [a.Note(args.id, text)]
    if args.to_status:
        actions.append(a.SetStatus(args.id, args.to_status))
    outcomes = desktop.desk.perform_all(actions, actor, CAUSE)
    note = desktop.reads.message(outcomes[0].message_id or 0)
    assert note is not None
    return Answer(
        {"message": documents.message(note), "outbox": None, "state": None}, outcomes[0].summary
    )


def _text(args: Namespace) -> str:
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


def attached(desktop: Desktop, paths: Sequence[str]) -> tuple[File, ...]:
    """Files put into the file store; raises UsageError for one that cannot be read."""
    return tuple(_attach(desktop, path) for path in paths)


def _attach(desktop: Desktop, path: str) -> File:
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise UsageError(f"{path} cannot be attached ({fault.strerror}): check the path") from None
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return one_line(Path(path).name), kind, desktop.files.put(data), len(data)
