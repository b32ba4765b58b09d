"""The gate through which every text that a stranger wrote is drawn.

Textual reads a plain string as markup and passes control bytes on to the terminal, so nothing else in the console may
hand a customer's text to a widget: lines that we draw ourselves go through :func:`printable` or :func:`one_line`,
everything else through :func:`content`. The store has cleaned the text already; this is the second, cheap pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from textual.content import Content

if TYPE_CHECKING:
    from textual.app import App
    from textual.notifications import SeverityLevel

__all__ = ["block", "cells", "content", "crop", "fit", "notify", "one_line", "printable"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "…"


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "\u2421"
    hostile = [
        *range(0x80, 0xA0),  # C1 controls: 0x9b is CSI
        0x061C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),  # line separators, bidi embeddings and overrides
        *range(0x2060, 0x2070),  # invisible operators, bidi isolates
        0xFEFF,
        *range(0xFFF0, 0xFFFC),
        *range(0xD800, 0xE000),  # a lone surrogate cannot be encoded
        *range(0xE0000, 0xE0080),  # tag characters
    ]
    table.update(dict.fromkeys(hostile, REPLACEMENT))
    table[0x00AD] = (
        ""  # a soft hyphen is a hint, not a character; terminals disagree about its width
    )
    return table


_TABLE = _table()
_NARROWED = {
    **_TABLE,
    **dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " "),
    **dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFE0E, 0xFE0F, 0x20E3), ""),
    **dict.fromkeys(range(0x1F3FB, 0x1F400), ""),
}
_WIDE_HINTS = re.compile("[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")
_PILED_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def printable(text: str) -> str:
    """One line of text with every control, C1, bidi or invisible character replaced by a visible one."""
    if text.isprintable():
        return text if text.isascii() else _PILED_MARKS.sub(r"\1", text)
    return _PILED_MARKS.sub(r"\1", text.translate(_TABLE))


def one_line(text: str) -> str:
    """Text for one row of a list: line breaks become blanks, and what terminals measure differently is dropped.

    Variation selectors, joiners and skin tones go, so that columns stay aligned in every terminal.
    """
    if text.isprintable() and (text.isascii() or not _WIDE_HINTS.search(text)):
        return text if text.isascii() else _PILED_MARKS.sub(r"\1", text)
    return _PILED_MARKS.sub(r"\1", text.translate(_NARROWED))


def cells(text: str) -> int:
    """How many terminal cells a cleaned text takes."""
    return len(text) if text.isascii() else cell_len(text)


def crop(text: str, width: int) -> str:
    """The text cut to at most ``width`` cells, with an ellipsis where something was cut."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    if text.isascii():
        return text[: width - 1].rstrip() + ELLIPSIS
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def fit(text: str, width: int, align: str = "left") -> str:
    """The text cropped and padded to exactly ``width`` cells."""
    text = crop(text, width)
    gap = width - cells(text)
    if gap <= 0:
        return text
    return " " * gap + text if align == "right" else text + " " * gap


def block(text: str) -> str:
    """Several lines of text, each of them printable; tabs become blanks."""
    if text.isprintable():
        return printable(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(printable(line.expandtabs(4) if "\t" in line else line) for line in lines)


def content(text: str) -> Content:
    """Text for a Textual widget: cleaned line by line, never parsed as markup."""
    return Content(block(text))


def notify(
    app: App[Any], text: str, severity: SeverityLevel = "information", seconds: float = 6
) -> None:
    """Show a notice; the only way in which the console does so."""
    app.notify(content(text).plain, severity=severity, timeout=seconds, markup=False)
