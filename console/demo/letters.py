"""The customers' mail as bytes: new mails, answers, automatic replies, returned mail."""

from __future__ import annotations

import base64
import email.policy
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from console.demo.attachments import file_for
from console.demo.quoting import Quoted, as_html, as_plain
from console.demo.script import Person

__all__ = ["Letter", "bounce", "compose", "local_time"]

_PROGRAMS = {
    "thunderbird": ("User-Agent", "Mozilla Thunderbird"),
    "outlook": ("X-Mailer", "Microsoft Outlook 16.0"),
    "apple": ("X-Mailer", "Apple Mail (2.3826.400.131)"),
    "iphone": ("X-Mailer", "iPhone Mail (22F76)"),
}
_ON_THE_WAY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail says, before it has a form.

    ``references`` are oldest first and end with what is answered.
    """

    subject: str
    text: str
    at: datetime
    message_id: str
    references: tuple[str, ...] = ()
    quoted: Quoted | None = None
    html: bool = False
    attach: str = ""
    automatic: bool = False


def local_time(person: Person, moment: datetime) -> datetime:
    """A moment by the clock on the person's wall."""
    return moment.astimezone(ZoneInfo(person.zone))


def compose(person: Person, to: str, letter: Letter) -> bytes:
    """The mail as it reaches the desk's server, with the trace headers of the way."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Return-Path"] = f"<{person.address}>" if not letter.automatic else "<>"
    mail["Received"] = _received(person, to, letter.message_id, letter.at + _ON_THE_WAY)
    local, _, domain = person.address.rpartition("@")
    mail["From"] = Address(person.name, local, domain)
    mail["To"] = to
    # A header object would refuse control characters; a hostile sender encodes them by hand.
    hostile = not letter.subject.isprintable()
    mail["Subject"] = "@@subject@@" if hostile else letter.subject
    mail["Date"] = format_datetime(local_time(person, letter.at))
    mail["Message-ID"] = letter.message_id
    if letter.references:
        mail["In-Reply-To"] = letter.references[-1]
        mail["References"] = " ".join(letter.references)
    if person.client in _PROGRAMS:
        name, value = _PROGRAMS[person.client]
        mail[name] = value
    if letter.automatic:
        mail["Auto-Submitted"] = "auto-replied"  # RFC 3834 section 5
        mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(as_plain(person, letter.text, letter.quoted))
    if letter.html or (
        letter.quoted is not None and person.client in ("gmail", "outlook", "apple")
    ):
        mail.add_alternative(as_html(person, letter.text, letter.quoted), subtype="html")
    if letter.attach:
        kind, data = file_for(letter.attach, letter.at)
        main, _, sub = kind.partition("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=letter.attach)
    if person.language != "en":
        mail["Content-Language"] = person.language
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{number}_{_digest(letter.message_id)}")
    raw = mail.as_bytes()
    if hostile:
        raw = raw.replace(b"@@subject@@", _encoded_words(letter.subject), 1)
    return raw


def bounce(
    to: str, recipient: str, said: str, original: Message, at: datetime
) -> tuple[str, bytes]:
    """A delivery status notification (RFC 3464) of the recipient's server.

    ``said`` is that server's answer: SMTP code, enhanced status, words. ``original`` has the
    headers of the mail that is returned. Returns the notification's Message-ID and its bytes.
    """
    domain = recipient.rpartition("@")[2] or "nowhere.example"
    code, status = said.split()[:2]
    original_id = str(original.get("Message-ID", "")).strip()
    message_id = f"<{_digest('bounce', original_id, recipient)}@{domain}>"
    report = MIMEMultipart("report", report_type="delivery-status", policy=email.policy.SMTP)
    report["Return-Path"] = "<>"
    report["Received"] = (
        f"from {domain} ([192.0.2.66]) by mx.mossandmeter.example with ESMTP; {format_datetime(at)}"
    )
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{domain}>"
    report["To"] = to
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = message_id
    report["Auto-Submitted"] = "auto-replied"
    if original_id:
        report["In-Reply-To"] = original_id
        report["References"] = original_id
    report.attach(
        MIMEText(
            f"This is the mail system at host {domain}.\n\n"
            "I'm sorry to have to inform you that your message could not be delivered\n"
            f"to one or more recipients.\n\n<{recipient}>: host {domain} said:\n    {said}\n"
        )
    )
    per_message, per_recipient = Message(), Message()
    per_message["Reporting-MTA"] = f"dns; {domain}"
    per_recipient["Final-Recipient"] = f"rfc822; {recipient}"
    per_recipient["Action"] = "failed"
    per_recipient["Status"] = status
    per_recipient["Remote-MTA"] = f"dns; {domain}"
    per_recipient["Diagnostic-Code"] = f"smtp; {code} {said.split(maxsplit=1)[1]}"
    details = MIMEBase("message", "delivery-status")
    del details["MIME-Version"]
    details.set_payload([per_message, per_recipient])
    report.attach(details)
    headers = MIMEText("".join(f"{name}: {value}\n" for name, value in original.items()))
    headers.replace_header("Content-Type", 'text/rfc822-headers; charset="utf-8"')
    report.attach(headers)
    return message_id, report.as_bytes()


def _received(person: Person, to: str, message_id: str, at: datetime) -> str:
    number = int(_digest(person.domain)[:2], 16) % 250 + 1
    return (
        f"from mail.{person.domain} (mail.{person.domain} [192.0.2.{number}]) "
        f"by mx.mossandmeter.example with ESMTPS id {_digest(message_id)[:10]} "
        f"for <{to}>; {format_datetime(at)}"
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _encoded_words(text: str) -> bytes:
    """Text as encoded words (RFC 2047 section 2) of at most 75 characters, a line each."""
    pieces = [text[start : start + 12] for start in range(0, len(text), 12)]
    words = [base64.b64encode(piece.encode()) for piece in pieces]
    return b"\r\n ".join(b"=?utf-8?b?" + word + b"?=" for word in words)
