"""A mail as the desk reads it: who, what, when, the text, the files, and whether a machine wrote
it.

:func:`parse_mail` takes any bytes and always answers; what could not be understood is named in
``defects``. Nothing is dropped: a part that is no text to read is an attachment. All strings have
passed :mod:`workflow.plaintext`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.email.addresses import bare_addresses, parse_addresses
from channels.email.automatic import NOT_AUTOMATIC, Automatic, judge_automatic
from channels.email.bodies import ParsedAttachment, collect
from channels.email.bounces import read_report
from channels.email.charsets import decode_raw_header
from channels.email.dates import parse_date, received_date
from channels.email.headers import header_text, message_id, message_ids
from channels.email.invitations import invitation_words, read_invitation
from channels.email.mime import Part, split
from channels.email.reply_text import reply_text
from workflow.inbound import Party
from workflow.plaintext import one_line, printable

__all__ = ["ParsedAttachment", "ParsedMail", "parse_mail"]

LONGEST_SUBJECT = 1_000
"""Characters of a subject that are kept; the raw mail has the rest."""

_NOBODY = Party("", "")
_CALENDARS = frozenset(("text/calendar", "application/ics", "text/x-vcalendar"))
_LARGEST_ENCLOSED = 1_000_000
_MOST_DEFECTS = 20
# Subjects of mail that passes on another one, in the languages of mail programs.
_FORWARD = re.compile(
    r"\s*(?:\[[^\]]{0,60}\]\s*)?(?:fwd?|wg|wtr|tr|rv|enc|i|doorst|pd|vb|vl|videresendt|пересл|转发|轉寄|転送)\s*[:：]",
    re.IGNORECASE,
)
# Subjects of answers.
_ANSWER = re.compile(
    r"\s*(?:\[[^\]]{0,60}\]\s*)?(?:re|aw|antw|antwort|sv|vs|odp|res|resp|rif|r|ref|ynt|vá|回复|答复|回覆|答覆"
    r"|返信|ответ|отв|на)\s*(?:[\[(]\d{1,3}[\])])?\s*[:：]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail, read. Times are aware UTC; strings are printable; addresses have their domain in
    lower case.

    ``received_at`` is from the topmost Received header. ``full_text`` is the first plain body, or
    the HTML as text, or where the mail has no words of its own those of the invitation or of the mail
    that it encloses; ``text`` is that without quoted history. ``references`` stand in the order of
    their header. ``invitation`` is what :mod:`channels.email.invitations` reads.
    """

    subject: str = ""
    sender: Party = _NOBODY
    sender_header: Party | None = None
    reply_to: tuple[Party, ...] = ()
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    delivered_to: tuple[str, ...] = ()
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    date: datetime | None = None
    received_at: datetime | None = None
    text: str = ""
    full_text: str = ""
    attachments: tuple[ParsedAttachment, ...] = ()
    automatic: Automatic = NOT_AUTOMATIC
    bounce: dict[str, Any] | None = None
    invitation: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None
    defects: tuple[str, ...] = ()
    headers: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """All of them, names in lower case, values as they came (:class:`channels.email.mime.Part`)."""


def parse_mail(raw: bytes) -> ParsedMail:
    """The mail in some bytes, whatever they are: never raises, never leaves anything out without a
    defect.
    """
    try:
        root, defects = split(raw)
        return read_tree(root, defects)
    # The last net: a fault of ours must not lose a customer's mail.
    except Exception as fault:  # noqa: BLE001
        text = printable(decode_raw_header(raw[:100_000]))
        whole = ParsedAttachment("message.eml", "message/rfc822", raw, False, None)
        return ParsedMail(
            text=text,
            full_text=text,
            attachments=(whole,),
            defects=(f"could not be read ({type(fault).__name__})",),
        )


def read_tree(root: Part, defects: list[str]) -> ParsedMail:
    """The mail for its tree of parts and the defects found so far."""
    headers = root.headers
    contents = collect(root)
    hint = contents.charset
    defects = defects + contents.defects

    senders = parse_addresses(headers.get(b"from", b""), hint)
    sender = senders[0] if senders else _NOBODY
    if not sender.address:
        # The first with an address, if there is one behind words that are none.
        sender = next((party for party in senders if party.address), sender)
        defects.append("no From" if not senders else "no address in From")

    subject = one_line(header_text(headers.get(b"subject", b""), hint), LONGEST_SUBJECT)
    date_value = headers.get(b"date")
    date = parse_date(date_value) if date_value is not None else None
    if date is None:
        defects.append("no Date" if date_value is None else "unreadable date")
    received = headers.get(b"received")
    own_id = message_id(headers.get(b"message-id", b""))
    if own_id is None:
        defects.append("no Message-ID")

    full_text = printable(contents.text).strip("\n").rstrip()
    invitation = _invitation(contents.attachments)
    if not full_text and invitation is not None:
        full_text = invitation_words(invitation)
    automatic = judge_automatic(headers, root.content_type, sender.address or sender.name, subject)
    report = read_report(
        root,
        full_text,
        subject=subject,
        sender=sender,
        automatic=automatic.automatic,
        reported=automatic.is_report,
    )
    if report is not None and not automatic.automatic:
        automatic = Automatic(True, report.sign, True)
    forwarded = _FORWARD.match(subject) is not None
    if not full_text and not automatic.automatic:
        full_text = _enclosed_words(contents.attachments)
        forwarded = True
    text = reply_text(
        contents,
        full_text,
        forwarded=forwarded,
        answers=b"in-reply-to" in headers
        or b"references" in headers
        or _ANSWER.match(subject) is not None,
    )
    sender_values = parse_addresses(headers[b"sender"], hint) if b"sender" in headers else ()
    return ParsedMail(
        subject=subject,
        sender=sender,
        sender_header=sender_values[0] if sender_values else None,
        reply_to=parse_addresses(headers[b"reply-to"], hint) if b"reply-to" in headers else (),
        to=parse_addresses(headers[b"to"], hint) if b"to" in headers else (),
        cc=parse_addresses(headers[b"cc"], hint) if b"cc" in headers else (),
        delivered_to=_delivered_to(headers),
        message_id=own_id,
        in_reply_to=message_ids(headers[b"in-reply-to"]) if b"in-reply-to" in headers else (),
        references=message_ids(headers[b"references"]) if b"references" in headers else (),
        date=date,
        received_at=received_date(received) if received is not None else None,
        text=text,
        full_text=full_text,
        attachments=tuple(contents.attachments),
        automatic=automatic,
        bounce=report.bounce if report is not None else None,
        notice=report.notice if report is not None else None,
        invitation=invitation,
        defects=_told(defects),
        headers=headers,
    )


def _told(defects: list[str]) -> tuple[str, ...]:
    """The defects, each once, printable: some quote what they found."""
    return tuple(dict.fromkeys(one_line(defect, 80) for defect in defects))[:_MOST_DEFECTS]


def _delivered_to(headers: dict[bytes, bytes]) -> tuple[str, ...]:
    """The addresses that the receiving servers noted, each once."""
    found: list[str] = []
    for name in (b"delivered-to", b"x-original-to", b"envelope-to"):
        value = headers.get(name)
        if value is not None:
            found += bare_addresses(value)
    return tuple(dict.fromkeys(found))


def _invitation(files: list[ParsedAttachment]) -> dict[str, Any] | None:
    """What the first calendar file says that is an invitation or an answer to one."""
    for file in files:
        if file.content_type in _CALENDARS or file.name.lower().endswith(".ics"):
            found = read_invitation(file.data)
            if found is not None:
                return found
    return None


def _enclosed_words(files: list[ParsedAttachment]) -> str:
    """A mail that was passed on without a word beside it, as mail programs show one; ``""`` where
    none is enclosed.
    """
    enclosed = next(
        (f for f in files if f.content_type in ("message/rfc822", "message/global")), None
    )
    if enclosed is None or len(enclosed.data) > _LARGEST_ENCLOSED:
        return ""
    root, _defects = split(enclosed.data)
    headers = root.headers
    contents = collect(root)
    lines = ["---------- Forwarded message ----------"]
    for name in ("From", "Date", "Subject", "To"):
        value = one_line(
            header_text(headers.get(name.lower().encode(), b""), contents.charset), 500
        )
        if value:
            lines.append(f"{name}: {value}")
    return "\n".join([*lines, "", printable(contents.text).strip("\n").rstrip()]).rstrip()
