"""Complaints: what a provider passes on when somebody called a mail of ours spam (RFC 5965, and the form
that Microsoft's programme for senders has instead).
"""

from __future__ import annotations

import re
from typing import Any

from channels.email.headers import header_text
from channels.email.mime import Part, split_header
from channels.email.returned import body_of, copy_fields, returned_copy
from workflow.inbound import Party
from workflow.plaintext import one_line

__all__ = ["read_complaint"]

_ADDRESS = re.compile(r"[^\s<>;:,\"'()\[\]]{1,64}@[^\s<>;:,\"'()\[\]]{1,250}")
# Microsoft's Junk Mail Reporting Program and Amazon's relay of it: no report part, only the copy.
_SUBJECT = re.compile(r"\s*complaint about message from ", re.IGNORECASE)
_REPORTERS = frozenset(("staff@hotmail.com", "complaints@email-abuse.amazonses.com"))


def read_complaint(root: Part, *, subject: str, sender: Party) -> dict[str, Any] | None:
    """The complaint in a mail: its type (``abuse``, ``fraud``, ``virus``, ``other``, ``not-spam``, ``opt-out``;
    RFC 5965 section 7.3, ``auth-failure`` of RFC 6591), whose it is and about which mail; else None.
    """
    part = next((p for p in root.walk() if p.content_type == "message/feedback-report"), None)
    if part is not None:
        fields = split_header(body_of(part).replace(b"\r\n", b"\n").lstrip(b"\n"))
    elif _SUBJECT.match(subject) and _reporter(sender):
        fields = {}
    elif root.headers.get(b"x-apple-unsubscribe", b"").strip().lower() == b"true":
        # What Mail on an iPhone sends for its owner: they want no more of it.
        return _complaint("opt-out", sender.address, None, "", sender, "")
    elif root.parameters.get("report-type", "").lower() == "feedback-report":
        fields = {}
    else:
        return None
    copy = copy_fields(root)
    original, original_subject = returned_copy(root)
    kind = one_line(header_text(fields.get(b"feedback-type", b"")), 40).lower() or "abuse"
    recipient = ""
    for source, name in (
        (fields, b"original-rcpt-to"),
        (fields, b"removal-recipient"),
        (copy, b"x-hmxmroriginalrecipient"),
        (copy, b"to"),
    ):
        found = _ADDRESS.search(header_text(source.get(name, b"")))
        if found is not None:
            recipient = found[0]
            break
    agent = one_line(header_text(fields.get(b"user-agent", b"")), 80)
    return _complaint(kind, recipient, original, original_subject, sender, agent)


def _reporter(sender: Party) -> bool:
    local, _, domain = sender.address.lower().partition("@")
    return sender.address.lower() in _REPORTERS or (
        local == "complaints" and domain.endswith("email-abuse.amazonses.com")
    )


def _complaint(
    kind: str, recipient: str, original: str | None, subject: str, sender: Party, agent: str
) -> dict[str, Any]:
    return {
        "kind": "complaint",
        "type": kind,
        "recipient": recipient,
        "original_message_id": original,
        "original_subject": subject,
        "reporter": sender.address or sender.name,
        "agent": agent,
    }
