"""Verbs by which messages come in from files: intake and import."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, tell
from workflow.errors import UsageError
from workflow.inbound import Source
from workflow.settings import ChannelSettings

__all__ = ["import_mail", "intake"]


def intake(desktop: Desktop, args: Namespace) -> Iterator[Answer]:
    """Each file as if it had just arrived; one answer each, as it is taken in."""
    for name in args.files:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as fault:
            yield _refused(name, f"{name} cannot be read ({fault.strerror}): check the path")
            continue
        if (kind := _chat_channel(raw)) is not None:
            said = f"{name} is a message of {kind!r}, a channel that this desk does not have"
            yield _refused(name, f"{said}: only mail (.eml) can be taken in")
            continue
        yield _one(desktop, name, raw)


def _refused(name: str, sentence: str) -> Answer:
    """A file that cannot be taken in; the others still are."""
    tell(f"deskhand: {sentence}")
    return Answer({"file": name, "error": sentence}, "", 1)


def _one(desktop: Desktop, name: str, raw: bytes) -> Answer:
    from channels.email.inbound import read_mail

    desk = desktop.desk
    account = _account(desktop, raw)
    item = read_mail(
        raw,
        files=desktop.files,
        channel=account,
        settings=desktop.settings,
        source=Source(account.name if account else None),
        now=desktop.clock.now(),
        received_at=None,
    )
    received = desk.receive([item])[0]
    where = f" ticket #{received.ticket}" if received.ticket else ""
    where = where or (f" as item {received.held}" if received.held else "")
    cause = f" ({received.cause})" if received.cause else ""
    return Answer(
        documents.intake(item, received),
        f"{name}: {received.outcome.value}{where}{cause}",
    )


def _chat_channel(raw: bytes) -> str | None:
    """The channel that a JSON object names, None for a mail, which never begins with a brace (RFC
    5322 section 2.2).
    """
    if raw.lstrip()[:1] != b"{":
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return str(found["channel"]) if isinstance(found, dict) and "channel" in found else None


def _account(desktop: Desktop, raw: bytes) -> ChannelSettings | None:
    """The email account that the mail was sent to.

    By the addresses in its header, else the first one there is.
    """
    accounts = [channel for channel in desktop.settings.channels if channel.kind == "email"]
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
