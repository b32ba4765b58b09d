"""The names by which mail programs tell in HTML what is quoted and what is a signature.

A program may put a prefix of its own before the names in a mail that it answers (``x_`` Outlook,
``m_`` Gmail, ``yiv`` Yahoo).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from channels.email.quotes import Fold

__all__ = ["MarkReader", "may_mark"]

Kind = Literal["rest", "quote", "lead", "signature"]

_NAMES: dict[Kind, str] = {
    # History from here to the end.
    "rest": "divRplyFwdMsg appendonsend stopSpelling mail-editor-reference-message-container zwchr"
    " OLK_SRC_BODY_SECTION _MailOriginal AppleOriginalContents",
    # The element is history.
    "quote": "yahoo_quoted protonmail_quote tutanota_quote zmail_extra mail-quote-collapse"
    " ntes-mailmaster-quote isReplyContent messageReplySection front-blockquote freshdesk_quote"
    " hs_reply gmx_quote quote reply-quote yahoo-quoted-begin",
    # The introduction of a quote: up to the quote in it, else the element.
    "lead": "gmail_quote gmail_quote_container gmail_attr moz-cite-prefix reply-intro airmail_on"
    " airmail_ext_on zmail_extra_hr",
    "signature": "gmail_signature moz-signature AppleMailSignature ms-outlook-mobile-signature"
    " Signature protonmail_signature_block protonmail_signature_block-user composer_signature"
    " ymail_android_signature yahoo-signature tutanota_signature lineBreakAtBeginningOfSignature",
}
_KIND = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_PREFIX = re.compile(r"(?:x_|m_-?\d+|yiv\d+|ydp[0-9a-f]{1,10}(?=yahoo|signature))+")
# The line that Outlook draws above the headers of what it answers.
_OUTLOOK_LINE = re.compile(r"border-top:\s*solid #(?:E1E1E1|B5C4DF) 1\.0pt", re.IGNORECASE)
# What is looked for before anything is read: a search for each is far cheaper than one for all.
_ANY = (
    *(name.lower() for name in _KIND if name not in ("quote", "Signature", "zwchr")),
    *('name="quote', "name='quote", "name=quote", 'signature"', "=signature", "zwchr"),
    *("border-top:solid #e1e1e1", "border-top:solid #b5c4df"),
)


def may_mark(markup: str) -> bool:
    """Whether some HTML holds any of the names: a quick look."""
    lowered = markup.lower()
    return any(name in lowered for name in _ANY)


def mark_kind(tag: str, values: dict[str, str]) -> Kind | None:
    """What the attributes of an element say of it."""
    for attribute in ("class", "id", "name"):
        value = values.get(attribute, "")
        if not value or len(value) > 400:
            continue
        for word in value.split():
            bare = _PREFIX.sub("", word) if word[0] in "xmy" else word
            kind = _KIND.get(bare)
            if kind is None and bare.startswith("yahoo_quoted"):
                kind = "quote"
            if bare == "quote" and (attribute != "name" or tag != "div"):
                continue
            if bare == "Signature" and attribute != "id":
                continue
            if kind == "lead" and tag == "blockquote":
                continue
            if kind is not None:
                return kind
    if tag == "div" and _OUTLOOK_LINE.search(values.get("style", "")[:400]) is not None:
        return "rest"
    return None


@dataclass(slots=True)
class MarkReader:
    """Follows the elements of a page and keeps the lines that they mark."""

    marks: list[tuple[int, int, Kind]] = field(default_factory=list)
    _depth: int = 0
    _open: list[tuple[int, int, Kind]] = field(default_factory=list)  # depth, line, what

    def open(self, tag: str, values: dict[str, str], line: int) -> None:
        """An element begins at a line."""
        self._depth += 1
        if tag == "blockquote" and self._open and self._open[-1][2] == "lead":
            _, start, _ = self._open.pop()
            self.marks.append((start, line, "lead"))
        if values:
            kind = mark_kind(tag, values)
            if kind is not None:
                self._open.append((self._depth, line, kind))

    def closes(self) -> bool:
        """Whether the element that ends now marks something, so that its last line is to end."""
        return bool(self._open) and self._open[-1][0] == self._depth

    def close(self, line: int) -> None:
        """An element ends before a line."""
        while self.closes():
            _, start, kind = self._open.pop()
            self.marks.append((start, line, kind))
        self._depth -= 1

    def folds(self, places: list[int]) -> tuple[Fold, ...]:
        """The marks as spans of lines, in their order and not overlapping. ``places`` tells for
        each line that was written, and one past the last, which line it is in the text.
        """
        last = places[-1]
        spans = sorted(
            (places[start], last if kind == "rest" else places[end], kind)
            for start, end, kind in (
                *self.marks,
                *((start, len(places) - 1, kind) for _, start, kind in self._open),
            )
        )
        found: list[Fold] = []
        for start, end, kind in spans:
            if end > start and (not found or start >= found[-1].end):
                found.append(Fold(start, end, "signature" if kind == "signature" else "quote"))
        return tuple(found)
