"""Mail addresses as a person types them: one by one or as a list, checked before anything is sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from workflow.errors import UsageError
from workflow.inbound import Party
from workflow.plaintext import one_line

__all__ = ["is_ours", "split_typed", "typed_party", "typed_text", "unique"]

_LONGEST = 254
"""Characters of an address that a server must take (RFC 5321, section 4.5.3.1)."""

_NAMED = re.compile(r'\s*"?([^"<>]*?)"?\s*<([^<>]*)>\s*')
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\".]+(\.[^\s@<>()\[\]\\,;:\".]+)*|\"[^\"\\\r\n]{1,62}\"")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_LITERAL = re.compile(r"\[[0-9A-Za-z.:]{2,50}\]")
_SEPARATOR = re.compile(r'[,;\n](?=(?:[^"]*"[^"]*")*[^"]*\Z)')


def typed_party(text: str) -> Party:
    """The party that a person means: ``bob@agency.example`` or ``Bob Miller <bob@agency.example>``.

    Raises UsageError with a sentence for what is no address (RFC 5322, section 3.4.1).
    """
    name, address = "", one_line(text)
    if (named := _NAMED.fullmatch(address)) is not None and named[1]:
        name, address = one_line(named[1], 200), named[2].strip()
    local, _, domain = address.rpartition("@")
    fits = (
        len(address) <= _LONGEST
        and len(local) <= 64
        and _LOCAL.fullmatch(local) is not None
        and _is_domain(domain)
    )
    if not fits:
        raise UsageError(f"{text!r} is not an address: write it like ana@example.com")
    return Party(name, address)


def _is_domain(domain: str) -> bool:
    if not domain.isascii():
        # Letters of any script, and no sign that only looks like one.
        if any(unicodedata.category(sign)[0] not in "LMN" for sign in domain if sign not in ".-"):
            return False
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return False
    labels = domain.split(".")
    return bool(_LITERAL.fullmatch(domain)) or all(map(_LABEL.fullmatch, labels))


def split_typed(text: str) -> list[str]:
    """The addresses of a line in which a person typed several, with commas or semicolons between
    them; not yet checked.
    """
    pieces = (piece.strip() for piece in _SEPARATOR.split(text))
    return [
        piece[1:-1].strip() if piece[0] == "<" and piece[-1] == ">" else piece
        for piece in pieces
        if piece
    ]


def typed_text(party: Party) -> str:
    """How a person would type a party."""
    if not party.name:
        return party.address
    name = party.name.replace('"', "'").replace("<", "(").replace(">", ")")
    return (
        f'"{name}" <{party.address}>' if re.search(r"[,;]", name) else f"{name} <{party.address}>"
    )


def unique(parties: Iterable[Party], seen: set[str]) -> tuple[Party, ...]:
    """The parties whose address is not among ``seen`` (in lower case), each once; ``seen`` grows."""
    kept: list[Party] = []
    for party in parties:
        address = party.address.lower()
        if address not in seen:
            seen.add(address)
            kept.append(party)
    return tuple(kept)


def is_ours(address: str, own: frozenset[str]) -> bool:
    """Whether an address is one of ours (``own``, in lower case), also with a part after a plus
    (``support+billing@desk.example``), which lands in the same mailbox.
    """
    plain = address.strip().lower()
    if plain in own:
        return True
    local, _, domain = plain.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" in own
