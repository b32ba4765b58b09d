"""Verbs by which messages come in from files: intake and import."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, tell
from workflow.errors import UsageError
from workflow.inbound import Inbound, Source
from workflow.receive import Received
from workflow.settings import ChannelSettings

__all__ = ["import_mail", "intake"]

_TOGETHER = 200
"""The most chat messages that are taken in in one transaction."""


def intake(desktop: Desktop, args: Namespace) -> Iterator[Answer]:
    """Each file as if it had just arrived; an answer for each message, as it is taken in."""
    from channels.chat_files import is_chat

    for name in args.files:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as fault:
            yield _refused(name, f"{name} cannot be read ({fault.strerror}): check the path")
            continue
        if is_chat(name, raw):
            yield from _chats(desktop, name, raw, args.account)
        else:
            yield _mail(desktop, name, raw, args.account)


def _refused(name: str, sentence: str) -> Answer:
    """What cannot be taken in; the others still are."""
    tell(f"deskhand: {sentence}")
    return Answer({"file": name, "error": sentence}, "", 1)


def _chats(desktop: Desktop, name: str, raw: bytes, account: str | None) -> Iterator[Answer]:
    """The chat messages of a file, in its order; what cannot be taken in stops none of the rest."""
    from channels.chat_files import ChatFault, read_chats

    found = read_chats(
        raw,
        settings=desktop.settings,
        files=desktop.files,
        now=desktop.clock.now(),
        account=account,
        folder=Path(name).resolve().parent if name != "-" else None,
    )
    while some := list(islice(found, _TOGETHER)):
        items = [item for _place, item in some if not isinstance(item, ChatFault)]
        outcomes = iter(desktop.desk.receive(items) if items else ())
        for place, item in some:
            where = f"{name}, {place}" if place else name
            if isinstance(item, ChatFault):
                yield _refused(name, f"{where}: {item.sentence}")
            else:
                yield _said(desktop, where, item, next(outcomes))


def _mail(desktop: Desktop, name: str, raw: bytes, wanted: str | None) -> Answer:
    from channels.email.large import read_any_mail

    account = _account(desktop, raw, wanted)
    item = read_any_mail(
        raw,
        files=desktop.files,
        channel=account,
        settings=desktop.settings,
        source=Source(account.name if account else None),
        now=desktop.clock.now(),
        received_at=None,
    )
    return _said(desktop, name, item, desktop.desk.receive([item])[0])


def _said(desktop: Desktop, place: str, item: Inbound, received: Received) -> Answer:
    where = f" ticket #{received.ticket}" if received.ticket else ""
    where = where or (f" as item {received.held}" if received.held else "")
    cause = f" ({received.cause})" if received.cause else ""
    detail = desktop.reads.ticket(received.ticket) if received.ticket and not item.own else None
    mine = next((m for m in detail.messages if m.id == received.message), None) if detail else None
    return Answer(
        documents.intake(item, received, stranger=mine is not None and mine.stranger),
        f"{place}: {received.outcome.value}{where}{cause}",
    )


def _account(desktop: Desktop, raw: bytes, wanted: str | None) -> ChannelSettings | None:
    """The email account that the mail was sent to: the one named, else by the addresses in its
    header, else the first one there is.

    Raises UsageError for a name that no such account has.
    """
    accounts = [channel for channel in desktop.settings.channels if channel.kind == "email"]
    if wanted is not None:
        for account in accounts:
            if account.name == wanted:
                return account
        known = ", ".join(account.name for account in accounts) or "none"
        raise UsageError(
            f"there is no email account {wanted!r} in deskhand.toml (there are: {known})"
        )
    head = raw[:20_000].lower()
    for account in accounts:
        if any(address.lower().encode() in head for address in (account.address, *account.aliases)):
            return account
    return accounts[0] if accounts else None


def import_mail(desktop: Desktop, args: Namespace) -> Answer:
    """Old mail, without clocks; can be stopped and started again."""
    from channels.importing import ImportReport
    from channels.importing import import_mail as bring_in

    shown = 0

    def progress(report: ImportReport) -> None:
        nonlocal shown
        if report.files - shown >= 5000:
            shown = report.files
            tell(f"{report.files} files, {report.files / max(report.seconds, 0.001):.0f} a second")

    report = bring_in(
        desktop.desk,
        [Path(path) for path in args.paths],
        since=_date(args.since),
        until=_date(args.until),
        on_progress=progress,
    )
    for sentence in report.faults:
        tell(f"deskhand: {sentence}")
    document = {
        "files": report.files,
        "created": report.created,
        "appended": report.appended,
        "duplicate": report.duplicate,
        "held": report.held,
        "failed": report.failed,
        "outside": report.outside,
        "seconds": round(report.seconds, 3),
    }
    text = (
        f"{report.files} files in {report.seconds:.1f} s: {report.created} tickets opened,"
        f" {report.appended} messages added, {report.duplicate} already here, {report.held} held,"
        f" {report.failed} unreadable"
    )
    return Answer(document, text)


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date: write it like 2026-01-31") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
