"""Reply tokens: a ticket's number with a key that only this desk can make, so that a bare number
lets no stranger in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

__all__ = ["TOKEN", "check_token", "make_token"]

TOKEN = re.compile(r"dh([0-9]{1,12})\.([a-z2-7]{16})")
"""How a token is written inside an address or a Message-ID: ``dh42.abcdefghijklmnop``."""


def make_token(secret: bytes, ticket: int) -> str:
    """The token of a ticket: 80 bits of HMAC-SHA256, in letters and digits that survive every mail
    system.
    """
    digest = hmac.new(secret, b"ticket:%d" % ticket, hashlib.sha256).digest()[:10]
    return f"dh{ticket}.{base64.b32encode(digest).decode().lower()}"


def check_token(secret: bytes, text: str) -> int | None:
    """The ticket of a token, or None if the key is not ours."""
    match = TOKEN.fullmatch(text)
    if match is None:
        return None
    ticket = int(match[1])
    return ticket if hmac.compare_digest(make_token(secret, ticket), text) else None
