"""The one gate for text that a stranger wrote, passed when a readable form of it is stored.

What comes out holds no control character but the line feed, nothing that turns the direction of
writing, nothing that cannot be seen and no half of a surrogate pair. Nothing vanishes silently:
whatever is taken out leaves a visible sign, so that a reader sees that somebody put it there. What
the console draws passes a second gate of its own.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["one_line", "printable"]

# Joiners and variation selectors are in here too: whether they stay is decided by their neighbours.
_SUSPECT = re.compile(
    "["
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 but the line feed, DEL, C1
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, bidi, separators
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # format, tags, selectors
    "\ud800-\udfff"
    "]"
)
# One alternative a run of the same character, so that thousands of zero-width spaces become one
# short sign.
_SUSPECT_RUN = re.compile(f"({_SUSPECT.pattern})\\1*")

_NEWLINES = frozenset("\x85\u2028\u2029")
_JOINERS = frozenset("\u200c\u200d")
_KEYCAP_BASES = frozenset("0123456789#*")


def printable(text: str, *, multiline: bool = True) -> str:
    """Text that is safe to store and to show, with every hostile character replaced by a visible
    sign.

    Line ends of every kind become a line feed, or a space when ``multiline`` is false; a tab
    becomes spaces up to the next eighth column. C0 controls and DEL become their control pictures
    (U+2400 and on), lone surrogates U+FFFD, and C1 controls, bidi controls, zero-width and other
    invisible characters a bracketed name such as ``⟨U+202E⟩`` (with a count for a run). ZWJ, ZWNJ
    and variation selectors stay where scripts and emoji need them. Clean text is returned as it is,
    after one quick look.
    """
    if text.isascii():
        # The common case by far: one pass in C instead of a regular expression.
        if text.isprintable() or text.replace("\n", "").isprintable():
            return text if multiline else text.replace("\n", " ")
    elif _SUSPECT.search(text) is None:
        return text if multiline else text.replace("\n", " ")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\t" in text:
        text = text.expandtabs(8)
    text = _SUSPECT_RUN.sub(_visible, text)
    return text if multiline else text.replace("\n", " ")


def one_line(text: str, limit: int | None = None) -> str:
    """One printable line for a subject or a name: white space collapsed and stripped.

    With ``limit`` a longer line is cut to that many characters, the last of them an ellipsis.
    """
    if not (text.isascii() and text.isprintable()):
        text = printable(text, multiline=False)
    line = " ".join(text.split())
    if limit is not None and len(line) > limit:
        line = line[: max(limit - 1, 0)].rstrip() + "…"
    return line


def _visible(match: re.Match[str]) -> str:
    """The visible sign for a run of one suspect character, or the run itself where it is
    legitimate.
    """
    character = match[1]
    count = match.end() - match.start()
    code = ord(character)
    if character in _NEWLINES:
        return "\n" * count
    if code < 0x20:
        return chr(0x2400 + code) * count
    if code == 0x7F:
        return "\u2421" * count
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd" * count
    if count == 1:
        text, at = match.string, match.start()
        before = text[at - 1] if at else ""
        if character in _JOINERS:
            if before and _joins(character, before, text[at + 1 : at + 2]):
                return character
        elif before and _selects(code, before):
            return character
        return f"⟨U+{code:04X}⟩"
    return f"⟨U+{code:04X} ×{count}⟩"


def _joins(joiner: str, before: str, after: str) -> bool:
    """Whether a ZWJ or ZWNJ stands where a script or an emoji uses one: between two characters
    outside Latin.
    """
    if ord(before) < 0x300:
        return False
    if joiner == "\u200d" and unicodedata.combining(before) == 9:
        return True  # after a virama it forms a half letter, also at the end of a word
    return (
        after != ""
        and ord(after) >= 0x300
        and _is_body(unicodedata.category(before))
        and _is_body(unicodedata.category(after))
    )


def _is_body(category: str) -> bool:
    """Whether a category is one of letters, marks and the symbols that emoji are made of."""
    return category[0] in "LM" or category in ("So", "Sk", "Sm")


def _selects(code: int, before: str) -> bool:
    """Whether a variation selector follows something that has variants."""
    if 0xFE00 <= code <= 0xFE0F:
        if before in _KEYCAP_BASES:
            return True
        return (
            ord(before) >= 0xA0
            and not before.isspace()
            and unicodedata.category(before)[0] in "LSPN"
        )
    if 0xE0100 <= code <= 0xE01EF:
        return ord(before) >= 0x3400 and unicodedata.category(before) == "Lo"
    if code in (0x180B, 0x180C, 0x180D, 0x180F):
        return 0x1800 <= ord(before) <= 0x18AF
    return False
