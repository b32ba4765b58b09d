"""What a customer sees in a mail of the desk: who answers, to what, and in which words."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr

__all__ = ["DeskMail", "headers_of", "read_desk_mail"]

_ID = re.compile(r"<[^<>\s]+>")
_TAG = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_QUOTE = re.compile(r"^(?:>|_{8,}|-{5,}|On .+ wrote:|Am .+ schrieb .+:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DeskMail:
    """One mail of the desk.

    ``answer_to`` is where a mail program sends the answer: Reply-To, else From (RFC 5322 section
    3.6.2). ``answers`` are the Message-IDs that it names. ``text`` is without the quoted history.
    """

    message_id: str
    answers: frozenset[str]
    subject: str
    from_name: str
    from_address: str
    answer_to: str
    text: str
    automatic: bool


def read_desk_mail(raw: bytes, sender: str) -> DeskMail:
    """Read a mail as it was submitted; ``sender`` is the envelope's, for a mail that names none."""
    mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
    name, address = parseaddr(str(mail.get("From", "")))
    wanted = getaddresses([str(mail.get("Reply-To", "")), str(mail.get("From", ""))])
    found = _ID.search(str(mail.get("Message-ID", "")))
    return DeskMail(
        message_id=found[0] if found else "",
        answers=frozenset(
            _ID.findall(f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}")
        ),
        subject=str(mail.get("Subject", "")),
        from_name=name,
        from_address=address or sender,
        answer_to=next((to for _, to in wanted if "@" in to), sender),
        text=_text_of(mail),
        automatic=str(mail.get("Auto-Submitted", "no")).strip().casefold() != "no",
    )


def headers_of(raw: bytes) -> Message:
    """The headers alone, as a server that returns a mail repeats them."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return email.message_from_bytes(head, policy=email.policy.compat32)


def _text_of(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    text = str(part.get_content())
    if part.get_content_subtype() == "html":
        text = _TAG.sub(" ", text)
    text = text.replace("\r\n", "\n")
    quote = _QUOTE.search(text)
    own = text[: quote.start()] if quote else text
    return own.strip() or text.strip()
