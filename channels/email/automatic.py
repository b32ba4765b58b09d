"""Whether a mail was written by a machine: replies of absent people, bulk mail, reports (RFC 3834 and
the customs around it).

Such mail joins its ticket, but it opens none again, starts no clock and is never answered
automatically.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.plaintext import one_line

__all__ = ["NOT_AUTOMATIC", "Automatic", "is_machine", "judge_automatic"]


@dataclass(frozen=True, slots=True)
class Automatic:
    """Whether a mail is automatic, the header that says so (``""`` if not), and whether it is a
    report on other mail.
    """

    automatic: bool
    reason: str
    is_report: bool


NOT_AUTOMATIC = Automatic(False, "", False)

# Present at all means automatic, unless the value says no.
_SIGNS = (
    b"x-autoreply",
    b"x-autorespond",
    b"x-autoresponder",
    b"x-autoreply-from",
    b"x-auto-reply-from",
    b"x-mail-autoreply",
    b"x-auto-response-suppress",
    b"x-ms-exchange-inbox-rules-loop",
    b"x-ms-exchange-generated-message-source",
    b"x-fc-machinegenerated",
    b"x-failed-recipients",
    b"feedback-type",
)
_SIGN_SET = frozenset((*_SIGNS, b"auto-submitted", b"precedence", b"x-precedence"))
_NO = frozenset((b"", b"no", b"none", b"false", b"0"))
# A desk may stand behind a list (a Google Group): what comes through one was written by a person, unless more is said.
_BULK = frozenset((b"auto_reply", b"auto-reply", b"autoreply", b"bulk", b"junk"))
_MACHINES = frozenset(
    (
        "mailer-daemon",
        "postmaster",
        "post_master",
        "mail-daemon",
        "mailerdaemon",
        "mdaemon",
        "double-bounce",
    )
)


def judge_automatic(
    headers: Mapping[bytes, bytes], content_type: str, sender_address: str
) -> Automatic:
    """The judgement from a mail's headers (names in lower case), its type and its sender's address.

    The first sign found is the reason: a report, Auto-Submitted, the customs of mail programs,
    Precedence, an empty Return-Path, the sender's name.
    """
    if content_type == "multipart/report":
        return Automatic(True, "multipart/report", True)
    if content_type in ("message/delivery-status", "message/disposition-notification"):
        return Automatic(True, content_type, True)
    if not _SIGN_SET.isdisjoint(headers):
        submitted = headers.get(b"auto-submitted", b"").split(b";", 1)[0].strip().lower()
        if submitted and submitted != b"no":
            return Automatic(True, _reason(b"auto-submitted", submitted), False)
        for name in _SIGNS:
            value = headers.get(name)
            if value is not None and value.strip().lower() not in _NO:
                return Automatic(True, _reason(name, value), False)
        for name in (b"precedence", b"x-precedence"):
            value = headers.get(name, b"").strip().lower()
            if value in _BULK:
                return Automatic(True, _reason(name, value), False)
    path = headers.get(b"return-path")
    if path is not None and path.strip() == b"<>":
        return Automatic(True, "Return-Path: <>", False)
    if is_machine(sender_address):
        return Automatic(True, f"From: {sender_address}", False)
    return NOT_AUTOMATIC


def is_machine(address: str) -> bool:
    """Whether an address, or a bare name in its place, is that of a mail server."""
    return address.partition("@")[0].strip().lower() in _MACHINES


def _reason(name: bytes, value: bytes) -> str:
    """The header as a person would quote it."""
    words = "-".join(word.capitalize() for word in name.decode("ascii").split("-"))
    return f"{words}: {one_line(value.decode('utf-8', 'replace'), 60)}"
