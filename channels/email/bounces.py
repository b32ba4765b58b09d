"""What a delivery report says about a mail of ours that did not arrive (RFC 3464, with RFC 3463 and
RFC 5321 codes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels.email.headers import message_id
from channels.email.mime import Part, split_header
from channels.email.transfer import decode_transfer
from workflow.plaintext import one_line

__all__ = ["read_bounce"]

_LONGEST_REPORT = 200_000
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.-])([45]\d\d)(?![\d.])(?=[-\s#:;]|\Z)")
_RECIPIENT = re.compile(
    r"([^\s<>;:,\"'()\[\]]{1,64}@[^\s<>;:,\"'()\[\]]{0,250}[^\s<>;:,\"'()\[\].])"
)
_ORIGINAL_ID = re.compile(
    rb"^Message-I[dD]:[ \t]*(?:\r?\n[ \t]+)?(<?[^\s<>]+>?)", re.IGNORECASE | re.MULTILINE
)
# Where prose ends and a copy of the mail, whose headers are full of misleading words, begins.
_COPY = re.compile(
    r"^(?:[- ]*-{3,}.*(?:copy|original|header|returned|below).*|Return-Path:.*|Received: .*"
    r"|DKIM-Signature:.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_LONGEST_PROSE = 20_000
_GENERIC = frozenset(("5.0.0", "4.0.0", ""))
_HARD_REASONS = frozenset(("userunknown", "hostunknown", "hasmoved", "notaccept"))

# The words of a refusal, most telling first.
_BY_WORDS = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (
            "authfailure",
            r"\b(?:DMARC|DKIM|SPF)\b|sender policy framework|unauthenticated (?:email|mail)",
        ),
        ("requireptr", r"\bPTR\b|reverse (?:dns|lookup|hostname)|no rdns"),
        (
            "mailboxfull",
            r"(?:mailbox|quota|inbox|storage)[^.]{0,40}(?:full|exceed|over|limit)|over ?quota"
            r"|quota exceeded",
        ),
        (
            "exceedlimit",
            r"(?:message|mail)[^.]{0,30}(?:too (?:big|large)|size)[^.]{0,30}(?:limit|exceed)?"
            r"|size limit",
        ),
        ("hasmoved", r"(?:has|have) moved|new address|no longer (?:with|at|works)"),
        (
            "suspend",
            r"(?:mailbox|account|user|recipient)[^.]{0,40}(?:disabled|suspended|inactive|locked"
            r"|not active)",
        ),
        (
            "userunknown",
            r"(?:user|recipient|mailbox|account|address)[^.]{0,40}(?:unknown|not (?:exist|found"
            r"|known|here)|unavailable"
            r"|invalid|does ?n[o']t exist|rejected: undeliver)|(?:unknown|no such|invalid"
            r"|bad) (?:\S+ )?(?:user|recipient"
            r"|mailbox|address|account|person)|no mailbox here|does not exist|not our customer"
            r"|unrouteable address",
        ),
        (
            "hostunknown",
            r"host (?:or domain )?(?:name )?(?:not found|unknown|lookup)|(?:host"
            r"|domain)[^.]{0,30}(?:unknown|not (?:exist"
            r"|found))|unrouteable mail domain|NXDOMAIN|no (?:such|valid) (?:host|domain)",
        ),
        ("notaccept", r"does not accept (?:mail|email)|nullMX|null MX|no mail(?:s)? accepted"),
        (
            "norelaying",
            r"relay(?:ing)?[^.]{0,30}(?:denied|not (?:allowed|permitted)|prohibited)|relay access",
        ),
        ("badreputation", r"reputation"),
        ("blocked", r"black ?list|block ?list|blocked|\bRBL\b|spamhaus|banned|\bDNSBL\b"),
        ("spamdetected", r"\bspam\b|unsolicited|junk mail"),
        ("virusdetected", r"\bvirus\b|malware"),
        (
            "expired",
            r"retry time|too long|expired|time-?out exceeded|timed out|delivery (?:time|temporar)"
            r"|gave up|not yet been",
        ),
        (
            "networkerror",
            r"connection (?:refused|timed out|reset|lost)|network|unreachable|loop|too many hops",
        ),
        ("policyviolation", r"\bpolicy\b"),
        ("rejected", r"sender (?:address )?(?:rejected|denied)|access denied|rejected"),
    )
)
_BY_STATUS = {
    "1.0": "userunknown",
    "1.1": "userunknown",
    "1.2": "hostunknown",
    "1.3": "userunknown",
    "1.6": "hasmoved",
    "1.8": "rejected",
    "1.10": "notaccept",
    "2.1": "suspend",
    "2.2": "mailboxfull",
    "2.3": "exceedlimit",
    "3.4": "exceedlimit",
    "4.1": "networkerror",
    "4.4": "hostunknown",
    "4.6": "networkerror",
    "4.7": "expired",
    "7.1": "rejected",
    "7.25": "requireptr",
    "7.26": "authfailure",
}


def read_bounce(root: Part, text: str, *, certain: bool = False) -> dict[str, Any] | None:
    """What a delivery report says, in the form of the contract, or None for a mail that reports no
    failure.

    ``text`` is the readable body: where a server writes its report as prose, codes and address come
    from there. Of several recipients the first that failed counts. ``kind`` is ``hard`` where
    another attempt is useless because the address or its host does not exist any more.
    """
    text = _COPY.split(text[:_LONGEST_PROSE], maxsplit=1)[0]
    report: Part | None = None
    original: str | None = None
    for part in root.walk():
        if part.content_type in ("message/delivery-status", "message/global-delivery-status"):
            report = report or part
        elif part.content_type == "message/feedback-report":
            return None
        elif original is None and part.content_type in (
            "message/rfc822",
            "message/global",
            "text/rfc822-headers",
            "message/rfc822-headers",
        ):
            original = _original_id(part)
    fields = _failed_recipient(report) if report is not None else {}
    if report is not None and not fields:
        return None
    diagnostic = _text_of(fields, b"diagnostic-code")
    action = _text_of(fields, b"action").lower()
    if action in ("delivered", "relayed", "expanded"):
        return None
    told = f"{diagnostic}\n{text}"
    status_field = _STATUS.search(_text_of(fields, b"status"))
    status = status_field[1] if status_field is not None else ""
    if status in _GENERIC or status.endswith(".0.0"):
        better = _STATUS.search(diagnostic) or (_STATUS.search(text) if not diagnostic else None)
        status = better[1] if better is not None and not better[1].startswith("2") else status
    reply = _REPLY.search(diagnostic) or (_REPLY.search(text) if not diagnostic else None)
    smtp = reply[1] if reply is not None else ""
    if status.startswith("2") or (report is None and not certain and not (status or smtp)):
        return None
    reason = _reason(status, diagnostic or told)
    recipient = _recipient(fields, text)
    if original is None:
        original = _id_in_text(root)
    return {
        "status": status,
        "smtp": smtp,
        "kind": "hard" if reason in _HARD_REASONS and not status.startswith("4") else "soft",
        "reason": reason,
        "recipient": recipient,
        "original_message_id": original,
    }


def _failed_recipient(report: Part) -> Mapping[bytes, bytes]:
    """The fields of the first recipient that failed, else of the first of all (RFC 3464, section
    2.3).
    """
    body = _body(report)
    first: Mapping[bytes, bytes] = {}
    for block in re.split(rb"\n[ \t]*\n", body.replace(b"\r\n", b"\n")):
        fields = split_header(block)
        if b"final-recipient" not in fields and b"action" not in fields and b"status" not in fields:
            continue
        if not first:
            first = fields
        if fields.get(b"action", b"").strip().lower().startswith(b"fail"):
            return fields
    return first


def _recipient(fields: Mapping[bytes, bytes], text: str) -> str:
    """The address that could not be reached: as it was sent to us to, else as the last server knew
    it.
    """
    for name in (b"original-recipient", b"final-recipient", b"x-actual-recipient"):
        value = _text_of(fields, name)
        found = _RECIPIENT.search(value.partition(";")[2] or value)
        if found is not None:
            return found[1]
    found = _RECIPIENT.search(text)
    return found[1] if found is not None else ""


def _reason(status: str, told: str) -> str:
    """One word for why: from the words of the refusal, else from the code."""
    for reason, pattern in _BY_WORDS:
        if pattern.search(told[:4_000]) is not None:
            return reason
    return _BY_STATUS.get(status.partition(".")[2], "undefined")


def _original_id(part: Part) -> str | None:
    """The Message-ID of the mail that came back with the report."""
    fields = split_header(_body(part).replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0])
    value = fields.get(b"message-id")
    return message_id(value) if value is not None else None


def _id_in_text(root: Part) -> str | None:
    """The Message-ID in a copy of the mail that a server pasted below its prose."""
    for part in root.walk():
        if not part.children:
            found = _ORIGINAL_ID.search(_body(part))
            if found is not None:
                return message_id(found[1])
    return None


def _body(part: Part) -> bytes:
    encoding = part.headers.get(b"content-transfer-encoding", b"")
    return decode_transfer(part.body[:_LONGEST_REPORT], encoding)[0]


def _text_of(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return one_line(fields.get(name, b"").decode("utf-8", "replace"))
