"""Formatted text as text that reads well: Telegram sends the words and, beside them, which of them
are bold (Bot API, MessageEntity).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["readable"]

_MARKS = {
    "bold": "*",
    "italic": "_",
    "underline": "__",
    "strikethrough": "~",
    "spoiler": "||",
    "code": "`",
}
_QUOTES = ("blockquote", "expandable_blockquote")
_MOST = 400
"""Entities that are looked at; Telegram itself gives 100."""


def readable(text: str, entities: Sequence[Mapping[str, Any]]) -> str:
    """A text with its formatting as marks: ``*bold*``, ``code`` in backticks, quotes behind ``>``,
    and the address of a link behind its words.

    Whatever the entities are, every character of the text is in the result. It has not passed
    :func:`workflow.plaintext.printable`.
    """
    if not entities:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    spans = [span for entity in entities[:_MOST] if (span := _span(entity, units))]
    parts: list[str] = []
    at = 0
    for start, end, _entity in sorted(
        (s for s in spans if s[2].get("type") in _QUOTES), key=lambda span: span[0]
    ):
        if start < at:
            continue
        parts.append(_marked(units, at, start, spans))
        quoted = _marked(units, start, end, spans)
        before = "" if not parts[0] or "".join(parts).endswith("\n") else "\n"
        lines = (f"> {line}" if line else ">" for line in quoted.split("\n"))
        parts.append(before + "\n".join(lines))
        # What comes behind a quote stands on a line of its own.
        at = end
        if at < len(units) // 2 and units[2 * at : 2 * at + 2] != b"\n\0":
            parts.append("\n")
    parts.append(_marked(units, at, len(units) // 2, spans))
    return "".join(parts)


_Span = tuple[int, int, Mapping[str, Any]]


def _span(entity: Mapping[str, Any], units: bytes) -> _Span | None:
    start, length = entity.get("offset"), entity.get("length")
    if not isinstance(start, int) or not isinstance(length, int):
        return None
    start, end = max(start, 0), min(start + length, len(units) // 2)
    # Places are counted in UTF-16: one that lies inside a character is moved to its edge.
    if _inside_a_character(units, start):
        start -= 1
    if _inside_a_character(units, end):
        end += 1
    return (start, end, entity) if start < end else None


def _inside_a_character(units: bytes, at: int) -> bool:
    """Whether a place lies between the two halves of a surrogate pair."""
    if not 0 < at < len(units) // 2:
        return False
    high, low = units[2 * at - 1], units[2 * at + 1]
    return 0xD8 <= high < 0xDC <= low < 0xE0


def _marked(units: bytes, start: int, end: int, spans: Sequence[_Span]) -> str:
    """A piece of the text with its marks; spans that reach over its ends are cut there."""
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    # The widest first, so that marks are nested as the formats are.
    inside = [(max(s, start), min(e, end), entity) for s, e, entity in spans]
    for first, last, entity in sorted(inside, key=lambda span: (span[0], -span[1])):
        if first >= last:
            continue
        before, after = _marks(entity, _text(units, first, last))
        if before:
            opening.setdefault(first, []).append(before)
        if after:
            closing.setdefault(last, []).insert(0, after)
    parts: list[str] = []
    at = start
    for place in sorted({*opening, *closing, end}):
        parts += [_text(units, at, place), *closing.get(place, ()), *opening.get(place, ())]
        at = place
    return "".join(parts)


def _marks(entity: Mapping[str, Any], words: str) -> tuple[str, str]:
    kind = str(entity.get("type"))
    if kind in _MARKS:
        return _MARKS[kind], _MARKS[kind]
    if kind == "pre":
        language = str(entity.get("language") or "")
        return f"```{language}\n", "\n```"
    if kind == "text_link":
        address = str(entity.get("url") or "")
        shown = {address, address.removesuffix("/"), address.partition("://")[2].strip("/")}
        return "", f" ({address})" if address and words.strip() not in shown else ""
    return "", ""


def _text(units: bytes, start: int, end: int) -> str:
    return units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
