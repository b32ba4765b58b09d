"""Cutting an answer into messages that Telegram takes: at most 4096 UTF-16 code units each."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["CAPTION_LIMIT", "LIMIT", "length", "split"]

LIMIT = 4096
"""UTF-16 code units of one message (Bot API, sendMessage)."""

CAPTION_LIMIT = 1024
"""UTF-16 code units below a photo or a file (Bot API, sendPhoto)."""

_SHORTEST_SHARE = 0.4
"""A message is at least so full before a nicer place to cut counts for more than a fuller one."""

# Nicer first: between paragraphs, after a line, after a sentence, between words.
_PLACES = (
    re.compile(r"\n[ ]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.!?…。！？])[\"'»”’)\]]*(?:\s+|(?<=[。！？])(?=.))"),
    re.compile(r"\s+"),
)
_JOINER = "\u200d"


def length(text: str) -> int:
    """How long Telegram finds a text: in UTF-16 code units, where an emoji counts two."""
    return len(text) + sum(character > "\uffff" for character in text)


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The messages that a text is sent as, in their order; none for a text of blanks.

    It is cut between paragraphs where that leaves no short message, else between lines, sentences
    or words, and only where there is no blank at all within a word; never within an emoji or
    between a letter and its accents. White space at a cut is dropped, nothing else is.
    """
    if limit < 2:
        raise ValueError("a message holds at least one character, which may count two")
    rest = text.strip()
    parts: list[str] = []
    while length(rest) > limit:
        most = _fitting(rest, limit)
        end, start = _cut(rest, most)
        parts.append(rest[:end].rstrip())
        rest = rest[start:].lstrip()
    return [*parts, rest] if rest else parts


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > limit:
            return index
    return len(text)


def _cut(text: str, most: int) -> tuple[int, int]:
    """Where to cut within the first ``most`` characters: the end of one part, the start of the
    next.
    """
    least = most * _SHORTEST_SHARE
    # One more, since a blank right after the last character that fits is a place to cut.
    window = text[: most + 1]
    for place in _PLACES:
        last = None
        for found in place.finditer(window):
            if least <= found.start() <= most:
                last = found
        if last is not None:
            # The quotation mark or bracket that closes a sentence goes with it.
            closing = len(last[0].rstrip()) if last[0].strip() else 0
            end = min(last.start() + closing, most)
            return end, max(last.end(), end) if last.end() <= most else end
    at = most
    while at > max(1, most - 64) and _belongs(text[at - 1], text[at]):
        at -= 1
    if at <= 1 or _belongs(text[at - 1], text[at]):
        at = most
    return at, at


def _belongs(before: str, after: str) -> bool:
    """Whether two characters make one sign: an accent, a variant, a skin tone, a joined emoji, a
    flag.
    """
    if unicodedata.combining(after) or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if _JOINER in (before, after) or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    # Two regional indicators make a flag. Where many follow each other it may cut between flags
    # only by luck, which changes nothing but the picture.
    return "\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff"
