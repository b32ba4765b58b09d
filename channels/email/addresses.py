"""Address lists of mail (RFC 5322, section 3.4), as they are found: odd, broken and hostile. Linear
time, no raising.
"""

from __future__ import annotations

import re
from functools import lru_cache

from channels.email.charsets import decode_raw_header
from channels.email.headers import decode_words
from workflow.inbound import Party
from workflow.plaintext import one_line

__all__ = ["bare_addresses", "parse_addresses"]

_LONGEST_LIST = 262_144
_MOST_PARTIES = 2_000
_LONGEST_ADDRESS = 320
_LONGEST_NAME = 200
_CACHED_BELOW = 200

# One mailbox in its usual forms: Name <a@b>, "Name" <a@b>, <a@b>; everything else goes through the
# scanner.
_USUAL = re.compile(r'(?:"([^"\\]*)"\s*|([^"<>(),;:\\@]*))<([^<>\s,;:()"\\@]+@[^<>\s,;:()"\\@]+)>')
_BARE = re.compile(r'[^<>\s,;:()"\\@]+@[^<>\s,;:()"\\@]+')
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\Z)'
    r"|=\?[^?\s]{1,60}\?[BbQq]\?[^?]*\?="
    r"|<[^<>]*>"
    r'|[^"<>(),;:=]+'
    r"|.",
    re.DOTALL,
)
_COMMENT = re.compile(r"\([^()]*\)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED_ADDRESS = re.compile(r"\"[^\"]{1,64}\"@[^<>\s,;:()\"'@]{1,255}")
_ANY_ADDRESS = re.compile(r"[^<>\s,;:()\"'@\[\]]{1,64}@[^<>\s,;:()\"'@\[\]]{1,255}")


def parse_addresses(value: bytes, hint: str | None = None) -> tuple[Party, ...]:
    """The parties of an address header, in their order; groups are flattened and empty ones give
    nothing.

    A mailbox without a usable address keeps its words as the name and has the address ``""``.
    ``hint`` is the charset of the body for raw bytes that are not UTF-8.
    """
    if len(value) < _CACHED_BELOW:
        return _cached(value, hint)
    return _parse(value[:_LONGEST_LIST], hint)


def bare_addresses(value: bytes) -> tuple[str, ...]:
    """The addresses alone, for Delivered-To and its kin."""
    return tuple(party.address for party in parse_addresses(value) if party.address)


def _parse(value: bytes, hint: str | None) -> tuple[Party, ...]:
    text = decode_raw_header(value, hint).strip()
    if not text:
        return ()
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        return (_party(usual[1] or usual[2] or "", usual[3]),)
    if _BARE.fullmatch(text) is not None:
        return (_party("", text),)
    parties = _scan(text)
    if "=?" in text and not any(party.address for party in parties):
        # A whole mailbox inside one encoded word, which RFC 2047 forbids and mailers do.
        again = _scan(decode_words(text))
        if any(party.address for party in again):
            return again
    return parties


_cached = lru_cache(maxsize=4096)(_parse)


def _scan(text: str) -> tuple[Party, ...]:
    """Any list, token by token."""
    parties: list[Party] = []
    words: list[str] = []  # of the name, or a bare address
    comments: list[str] = []
    angle: str | None = None
    depth = 0
    group = False
    # A piece before a comma that may belong to the name after it: Doe, Jane <jane@example.com>
    carried = ""

    def finish(separator: str) -> None:
        nonlocal words, comments, angle, carried
        joined = "".join(words).strip()
        if angle is None and not joined and not comments:
            return
        if angle is not None:
            name = f"{carried} {joined}" if carried and joined else joined or carried[:-1]
            parties.append(_party(name or " ".join(comments), angle))
            carried = ""
        else:
            bare = _QUOTED_ADDRESS.search(joined) or _ANY_ADDRESS.search(joined)
            if bare is not None:
                if carried:
                    parties.append(_party(carried[:-1], ""))
                    carried = ""
                rest = (joined[: bare.start()] + joined[bare.end() :]).strip(" \t'\"[]")
                parties.append(_party(rest or " ".join(comments), bare[0]))
            else:
                if carried:
                    parties.append(_party(carried[:-1], ""))
                    carried = ""
                if separator and joined and not group:
                    carried = joined + separator
                elif joined or comments:
                    parties.append(_party(joined or " ".join(comments), ""))
        words, comments, angle = [], [], None

    for match in _TOKEN.finditer(text):
        token = match[0]
        if depth:
            depth += (token == "(") - (token == ")")
            if depth:
                comments.append(token)
            continue
        first = token[0]
        if first == '"':
            if len(token) < 2 or not token.endswith('"'):
                # A quote that never closes would swallow the addresses after it.
                return _scan(text.replace('"', " ")) if '"' in text else tuple(parties)
            words.append(
                _ESCAPED.sub(r"\1", token[1:-1])
                if "@" not in text[match.end() : match.end() + 1]
                else token
            )
        elif first == "<" and len(token) > 1:
            if angle is None:
                angle = token[1:-1]
        elif token == "(":
            depth = 1
        elif token == ",":
            finish(",")
        elif token == ";":
            finish(";")
            group = False
        elif token == ":" and not group and angle is None and not _no_group(words):
            # The name of a group: it is no party.
            words, comments, carried, group = [], [], "", True
        elif token in "<>" or token == ")":
            words.append(" ")
        else:
            words.append(token)
        if len(parties) >= _MOST_PARTIES:
            return tuple(parties)
    finish("")
    if carried:
        parties.append(_party(carried[:-1], ""))
    return tuple(parties)


def _no_group(words: list[str]) -> bool:
    """Whether what stands before a colon is ``mailto`` or an address, not the name of a group."""
    joined = "".join(words).strip().lower()
    return "@" in joined or joined.endswith(("mailto", "smtp"))


def _party(name: str, address: str) -> Party:
    """A party with its name decoded and both made printable."""
    if name:
        if "=?" in name:
            name = decode_words(name)
        name = one_line(name, _LONGEST_NAME)
        if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
            name = name[1:-1].strip()
    address = _normal(address)
    return Party("" if name.lower() == address.lower() else name, address)


def _normal(address: str) -> str:
    """An address with its domain in lower case, without a route, blanks and the dot at its end.

    Too long an address gives ``""``: a cut one would be somebody else's.
    """
    if not (address.isascii() and address.isprintable()) or " " in address:
        address = one_line(address)
        if '"' not in address:
            address = address.replace(" ", "")
    if not address:
        return ""
    if "(" in address:
        address = _COMMENT.sub("", address)
    if ":" in address and '"' not in address:
        # A source route (RFC 5322, section 4.4) or a scheme that was pasted along.
        address = address.rpartition(":")[2]
    local, at, domain = address.rpartition("@")
    if not at:
        return address.strip("<>'\"") if len(address) <= _LONGEST_ADDRESS else ""
    local = local.strip("'<>")
    domain = domain.strip("'<>.;").lower()
    if not domain or not local or len(local) + len(domain) >= _LONGEST_ADDRESS:
        return ""
    return f"{local}@{domain}"
