"""The copy of our mail that came back with a report: which mail it was."""

from __future__ import annotations

import re

from channels.email.headers import header_text, message_id
from channels.email.mime import Part, split_header
from channels.email.transfer import decode_transfer
from workflow.plaintext import one_line

__all__ = ["RETURNED_TYPES", "body_of", "copy_fields", "returned_copy"]

RETURNED_TYPES = frozenset(
    (
        "message/rfc822",
        "message/global",
        "message/global-headers",
        "message/rfc822-headers",
        "message/partial",
        "text/rfc822-headers",
        "text/rfc822-header",
        "text/rfc822",
    )
)
_LONGEST = 200_000
_ID_IN_TEXT = re.compile(
    rb"^[> \t]{0,8}(?:Original-)?(?:Message-I[dD]"
    rb"|Message identifier)[ \t]*:[ \t]*(?:\r?\n[ \t]+)?(<?[^\s<>]+@[^\s<>]+>?)",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT_IN_TEXT = re.compile(
    rb"^[> \t]{0,8}Subject[ \t]*:[ \t]*(.{0,300})", re.IGNORECASE | re.MULTILINE
)


def copy_fields(root: Part) -> dict[bytes, bytes]:
    """The header fields of the first copy that is attached; empty if there is none."""
    for part in root.walk():
        if part is not root and part.content_type in RETURNED_TYPES:
            body = body_of(part).replace(b"\r\n", b"\n").lstrip(b"\n")
            return split_header(body.partition(b"\n\n")[0])
    return {}


def returned_copy(root: Part) -> tuple[str | None, str]:
    """The Message-ID and the subject of the mail that came back: from the attached copy or its header
    (RFC 3464, section 2), else from a copy pasted below the words.
    """
    fields = copy_fields(root)
    value = fields.get(b"message-id")
    found = message_id(value) if value is not None else None
    subject = one_line(header_text(fields[b"subject"]), 200) if b"subject" in fields else ""
    if found is not None:
        return found, subject
    # Some servers paste the copy as text, or attach it under a type of their own.
    for part in root.walk():
        if not part.children:
            body = body_of(part)
            pasted = _ID_IN_TEXT.search(body)
            if pasted is not None:
                title = _SUBJECT_IN_TEXT.search(body, max(0, pasted.start() - 2_000))
                if not subject and title is not None:
                    subject = one_line(header_text(title[1]), 200)
                return message_id(pasted[1]), subject
    return None, subject


def body_of(part: Part) -> bytes:
    """The first bytes of a part, its transfer encoding undone."""
    encoding = part.headers.get(b"content-transfer-encoding", b"")
    return decode_transfer(part.body[:_LONGEST], encoding)[0]
