"""From the bytes of a mail to what the desk takes in: its tokens, its identity, when it reached us,
and whether it is kept out.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import datetime, timedelta

from channels.email.headers import message_ids
from channels.email.parse import ParsedMail, parse_mail
from channels.email.screening import screen
from channels.email.text_tokens import text_tokens
from workflow.errors import StoreError
from workflow.files import FileStore
from workflow.holding import AMONG_US, TOO_LARGE, UNREADABLE
from workflow.inbound import Attachment, Inbound, Party, Source
from workflow.settings import ChannelSettings, Settings
from workflow.tokens import TOKEN, written_tokens

__all__ = [
    "TOO_LARGE",
    "UNREADABLE",
    "EmailReader",
    "read_header",
    "read_mail",
    "to_inbound",
    "unreadable",
]

_NOBODY = Party("no sender", "")
_PLUS = re.compile(r"\+([^@]*)@")


class EmailReader:
    """Reads a mail again from its stored bytes (:class:`workflow.inbound.Reader`)."""

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._settings = settings
        self._files = files

    def read(self, raw: bytes, account: str | None, at: datetime) -> Inbound:
        """The mail as it would come in, without a limit of size; raises StoreError only."""
        channel = self._settings.channel(account) if account else None
        return read_mail(
            raw,
            files=self._files,
            channel=replace(channel, max_bytes=len(raw)) if channel else None,
            settings=self._settings,
            source=Source(account),
            now=at,
        )


def read_mail(
    raw: bytes,
    *,
    files: FileStore,
    channel: ChannelSettings | None,
    settings: Settings,
    source: Source,
    now: datetime,
    received_at: datetime | None = None,
    sent: bool = False,
) -> Inbound:
    """Store a mail's bytes, read it, store its attachments, and say what it is.

    ``received_at`` is the server's INTERNALDATE, if a server has one; ``sent`` says that it lay in
    the account's own folder of sent mail. Whatever the bytes are, it
    answers; raises only StoreError when they cannot be stored.
    """
    sha256 = files.put(raw)
    try:
        return to_inbound(
            raw,
            parse_mail(raw),
            files=files,
            channel=channel,
            settings=settings,
            source=source,
            now=now,
            received_at=received_at,
            sha256=sha256,
            sent=sent,
        )
    except StoreError:
        raise
    except Exception as fault:  # noqa: BLE001  a fault of ours must not lose a customer's mail
        return unreadable(
            raw, sha256, source, min(received_at or now, now), f"{type(fault).__name__}: {fault}"
        )


def read_header(
    head: bytes,
    size: int,
    *,
    files: FileStore,
    channel: ChannelSettings,
    settings: Settings,
    source: Source,
    now: datetime,
    received_at: datetime | None = None,
    sent: bool = False,
) -> Inbound:
    """A mail of which only the header was fetched since it is too large: held, its header kept."""
    item = read_mail(
        head,
        files=files,
        channel=None,
        settings=settings,
        source=source,
        now=now,
        received_at=received_at,
        sent=sent,
    )
    where = f"{source.folder} of {channel.name}" if source.folder else channel.name
    said = (
        f"{_megabytes(size)} is more than the {_megabytes(channel.max_bytes)} that max_size allows:"
        f" only the header was read, the mail itself stays in {where} on the server"
    )
    return replace(item, raw_size=size, held_cause=TOO_LARGE, held_evidence=said)


def to_inbound(
    raw: bytes,
    parsed: ParsedMail,
    *,
    files: FileStore,
    channel: ChannelSettings | None,
    settings: Settings,
    source: Source,
    now: datetime,
    received_at: datetime | None = None,
    sha256: str | None = None,
    sent: bool = False,
) -> Inbound:
    """The item for a mail that was parsed; stores its attachments, and its bytes unless their
    ``sha256`` says that they lie there.

    Raises StoreError when they cannot be stored.
    """
    if sha256 is None:
        sha256 = files.put(raw)
    reached_at = min(_fresh(received_at, now) or parsed.received_at or parsed.date or now, now)
    if sent and parsed.date is not None:
        # A copy may be filed later than its mail was sent; the date is of a client of ours.
        reached_at = min(reached_at, parsed.date)
    sender = _sender(parsed)
    # A report belongs to the mail it is about, whatever its own header says it answers.
    about = (parsed.bounce or parsed.notice or {}).get("original_message_id")
    in_reply_to = parsed.in_reply_to
    if isinstance(about, str):
        in_reply_to = (about, *(other for other in in_reply_to if other != about))
    cause, evidence = _hold(parsed, len(raw), channel)
    screened = screen(raw, parsed, sender.address, channel, settings, sent=sent)
    # Without any it went out blind, to whom nobody can see.
    named = [party.address.lower() for party in (*parsed.to, *parsed.cc)]
    among_us = sent and bool(named) and settings.own_addresses.issuperset(named)
    return Inbound(
        channel="email",
        source=source,
        raw_sha256=sha256,
        raw_size=len(raw),
        reached_at=reached_at,
        sender=sender,
        subject=parsed.subject,
        date=parsed.date,
        to=parsed.to,
        cc=parsed.cc,
        reply_to=parsed.reply_to,
        message_id=parsed.message_id,
        in_reply_to=in_reply_to,
        references=parsed.references,
        reply_tokens=_tokens(parsed, in_reply_to),
        subject_tokens=written_tokens(parsed.subject),
        text_tokens=text_tokens(raw, parsed),
        text=parsed.text,
        full_text=parsed.full_text,
        attachments=tuple(
            Attachment(
                name=file.name,
                content_type=file.content_type,
                size=len(file.data),
                sha256=files.put(file.data),
                inline=file.inline,
                content_id=file.content_id,
            )
            for file in parsed.attachments
        ),
        automatic=parsed.automatic.automatic,
        automatic_sign=parsed.automatic.reason,
        bounce=parsed.bounce,
        notice=parsed.notice,
        invitation=parsed.invitation,
        from_sent=sent,
        own=screened.own,
        claims_us=screened.claims_us,
        authentication=screened.authentication,
        loop_ids=message_ids(parsed.headers.get(b"x-loop", b"")),
        before_cutoff=channel is not None
        and channel.since is not None
        and reached_at < channel.since,
        dedupe_key=_dedupe_key(parsed),
        held_cause=cause or screened.cause or (AMONG_US if among_us else None),
        held_evidence=evidence if cause else screened.evidence,
        defects=parsed.defects,
    )


def _sender(parsed: ParsedMail) -> Party:
    """From; where it has no address, Sender; a mail without either is a ticket all the same."""
    if parsed.sender.address:
        return parsed.sender
    if parsed.sender_header is not None and parsed.sender_header.address:
        return parsed.sender_header
    return Party(parsed.sender.name or _NOBODY.name, "")


def _hold(parsed: ParsedMail, size: int, channel: ChannelSettings | None) -> tuple[str | None, str]:
    broken = next((defect for defect in parsed.defects if defect.startswith(UNREADABLE)), None)
    if broken is not None:
        return UNREADABLE, broken
    if channel is not None and size > channel.max_bytes:
        return TOO_LARGE, (
            f"{_megabytes(size)} is more than the {_megabytes(channel.max_bytes)} that max_size of"
            f" {channel.name} allows: release it if it is wanted"
        )
    return None, ""


def _tokens(parsed: ParsedMail, in_reply_to: tuple[str, ...]) -> tuple[str, ...]:
    """Texts of tokens, not yet checked: from plus addresses, then from the ids that are answered,
    the newest first.
    """
    found: list[str] = []
    addresses = [party.address for party in (*parsed.to, *parsed.cc)]
    for address in (*addresses, *parsed.delivered_to):
        if "+" in address:
            plus = _PLUS.search(address.lower())
            found.extend(match[0] for match in TOKEN.finditer(plus[1] if plus else ""))
    for message_id in (*in_reply_to, *reversed(parsed.references)):
        # Ours are <TOKEN.random@domain>.
        match = TOKEN.match(message_id, 1)
        if match is not None and message_id[match.end() : match.end() + 1] == ".":
            found.append(match[0])
    return tuple(dict.fromkeys(found))


def _dedupe_key(parsed: ParsedMail) -> str:
    """What two copies of one mail have in common: its id, its sender and its date.

    The id alone would let one mail hide another. Without an id or a date the words decide too.
    """
    date = parsed.date.isoformat() if parsed.date is not None else ""
    parts = [parsed.message_id or "", parsed.sender.address.lower(), date]
    if not parsed.message_id or not date:
        parts += [parsed.sender.name, parsed.subject, parsed.full_text]
        parts += [hashlib.sha256(file.data).hexdigest() for file in parsed.attachments]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def unreadable(raw: bytes, sha256: str, source: Source, at: datetime, why: str) -> Inbound:
    """The item for a mail that was not understood, with why: held, so that a person looks at it."""
    return Inbound(
        channel="email",
        source=source,
        raw_sha256=sha256,
        raw_size=len(raw),
        reached_at=at,
        sender=_NOBODY,
        dedupe_key=f"raw:{sha256}",
        held_cause=UNREADABLE,
        held_evidence=f"{UNREADABLE} ({why[:200]})",
    )


def _megabytes(size: int) -> str:
    if size < 1_000_000:
        return f"{max(1, round(size / 1e3))} KB"
    return f"{size / 1e6:.1f} MB" if size < 10_000_000 else f"{round(size / 1e6)} MB"


_FRESH = timedelta(seconds=2)


def _fresh(received_at: datetime | None, now: datetime) -> datetime | None:
    """An INTERNALDATE has whole seconds (RFC 3501 section 2.3.3): an answer that comes in the second in which ours left
    would seem to be older. What has just arrived is taken to have come at the end of its second.
    """
    if received_at is None or not timedelta() <= now - received_at < _FRESH:
        return received_at
    return received_at.replace(microsecond=999_000) if received_at.microsecond == 0 else received_at
