"""Reply tokens: a ticket's number with a key that only this desk can make, so that a bare number
lets no stranger in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator

__all__ = [
    "REFERENCE",
    "TOKEN",
    "check_token",
    "make_reference",
    "make_token",
    "with_reference",
    "written_tokens",
]

TOKEN = re.compile(r"dh([0-9]{1,12})\.([a-z2-7]{16})")
"""How a token is written inside an address or a Message-ID: ``dh42.abcdefghijklmnop``."""

REFERENCE = re.compile(r"\[#([0-9]{1,12})-([a-z2-7]{16})\]", re.IGNORECASE)
"""How it is written where people see it, in a subject or a text: ``[#42-ABCDEFGHIJKLMNOP]``."""

# In running text: the reference with or without its brackets, or a token out of a quoted address.
_WRITTEN = re.compile(
    r"(?<![0-9a-z])(?:#([0-9]{1,12})-|dh([0-9]{1,12})\.)([a-z2-7]{16})(?![a-z0-9])", re.IGNORECASE
)
_LONGEST_TEXT = 200_000
_MOST = 20


def make_token(secret: bytes, ticket: int) -> str:
    """The token of a ticket: 80 bits of HMAC-SHA256, in letters and digits that survive every mail
    system.
    """
    digest = hmac.new(secret, b"ticket:%d" % ticket, hashlib.sha256).digest()[:10]
    return f"dh{ticket}.{base64.b32encode(digest).decode().lower()}"


def make_reference(secret: bytes, ticket: int) -> str:
    """The same for people: what stands in a subject, or can be told on the phone."""
    return f"[#{ticket}-{make_token(secret, ticket).rpartition('.')[2].upper()}]"


def with_reference(secret: bytes, ticket: int, subject: str) -> str:
    """A subject that ends with the ticket's reference, and holds no other."""
    return f"{REFERENCE.sub('', subject).strip()} {make_reference(secret, ticket)}".strip()


def check_token(secret: bytes, text: str) -> int | None:
    """The ticket of a token, or None if the key is not ours."""
    match = TOKEN.fullmatch(text)
    if match is None:
        return None
    ticket = int(match[1])
    return ticket if hmac.compare_digest(make_token(secret, ticket), text) else None


def written_tokens(text: str) -> tuple[str, ...]:
    """The tokens in a subject or a text, in their order, each once and not yet checked; a text may
    hold more than anybody needs, so only the first ones count.
    """
    return tuple(_distinct(text[:_LONGEST_TEXT]))


def _distinct(text: str) -> Iterator[str]:
    seen: set[str] = set()
    if "#" not in text and "dh" not in text and "DH" not in text:
        return
    for match in _WRITTEN.finditer(text):
        token = f"dh{match[1] or match[2]}.{match[3].lower()}"
        if token not in seen:
            seen.add(token)
            yield token
            if len(seen) == _MOST:
                return
