"""The author's own words of a mail, from all that the mail tells of its parts: the marks of the
plain text and the names in the HTML.
"""

from __future__ import annotations

import re

from channels.email.bodies import Contents, read_markup
from channels.email.html_marks import may_mark
from channels.email.html_text import read_html
from channels.email.quotes import Fold, find_folds, without
from workflow.plaintext import printable

__all__ = ["reply_text"]

_HEAD = 40
"""Letters and digits of quoted text by which it is found in the other form of a mail."""

_SHORTEST_HEAD = 10
_MOST_PLAIN = 200_000
_SIGNS = re.compile(r"<[^<>\s]{0,300}>|[\W_]+")


def reply_text(contents: Contents, full_text: str, *, forwarded: bool, answers: bool) -> str:
    """The text without what it quotes and without its signature; the whole text where nothing else
    would be left.

    ``full_text`` is the printable text of the contents, without blank lines around it.
    ``forwarded`` says that the mail passes on somebody else's, ``answers`` that it answers one.
    """
    marks = _shifted(contents, full_text)
    found = find_folds(full_text, forwarded=forwarded, marks=marks)
    if (
        answers
        and contents.markup is not None
        and not forwarded
        and not any(fold.kind == "quote" for fold in found)
        and len(full_text) <= _MOST_PLAIN
    ):
        markup = read_markup(contents)
        start = _start_by_html(markup, full_text) if may_mark(markup) else 0
        if start:
            rest = Fold(start, full_text.count("\n") + 1, "quote")
            found = find_folds(full_text, marks=(rest,)) or found
    return without(full_text, found)


def _shifted(contents: Contents, full_text: str) -> tuple[Fold, ...]:
    """The marks as lines of the printable text; none where its lines are not those of the text."""
    if not contents.marks:
        return ()
    text = contents.text
    blank = len(text) - len(text.lstrip("\n"))
    if text.strip("\n").rstrip().count("\n") != full_text.count("\n"):
        return ()
    return tuple(
        Fold(mark.start - blank, mark.end - blank, mark.kind)
        for mark in contents.marks
        if mark.start >= blank
    )


def _start_by_html(markup: str, full_text: str) -> int:
    """The line of the plain text where the history begins that the HTML names, or 0.

    Only history that goes on to the end of the HTML is looked for, by its first letters.
    """
    page = read_html(markup)
    lines = printable(page.text).split("\n")
    quoted = [
        fold for fold in find_folds("\n".join(lines), marks=page.marks) if fold.kind == "quote"
    ]
    if not quoted:
        return 0
    last = quoted[-1]
    if any(line.strip() for line in lines[last.end :]):
        return 0
    head = _bare("\n".join(lines[last.start : last.start + 12]))[:_HEAD]
    if len(head) < _SHORTEST_HEAD:
        return 0
    starts: list[int] = []
    pieces: list[str] = []
    at = 0
    for line in full_text.split("\n"):
        starts.append(at)
        bare = _bare(line)
        pieces.append(bare)
        at += len(bare)
    whole = "".join(pieces)
    own = len(_bare("\n".join(lines[: quoted[0].start])))
    place = whole.find(head, max(0, min(own, at) * 3 // 4 - 20))
    if place < 0:
        return 0
    # The first of the lines that begin here: those before it are empty.
    for number, start in enumerate(starts):
        if start == place and pieces[number]:
            return number
    return 0


def _bare(text: str) -> str:
    """Letters and digits only, without what stands in angle brackets: programs write links and
    marks of their own into one form of a text and not into the other.
    """
    return _SIGNS.sub("", text).lower()
