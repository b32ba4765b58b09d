"""Finds the history that a reply quotes and what stands below the answer, so that both can be
folded. Nothing is deleted.

One pass over the lines, linear in their number and length, whatever they hold. History is ``>``
quotes (above, below and between the answers) with the line that introduces them, header blocks as
Outlook writes them, what follows a separator such as ``-----Original Message-----``, text that an
introduction without marks leads in, and what the HTML of the mail names as quoted. The rest, own
words, may end in a signature (:mod:`channels.email.signatures`). Each find is a :class:`Fold`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from channels.email.introductions import (
    LONGEST_LINE,
    QUOTE_MARKS,
    introduction_start,
    starts_headers,
)
from channels.email.quote_words import FORWARD, RULE, SEPARATOR
from channels.email.signatures import armour_end, signature_start

__all__ = ["Fold", "cut", "find_folds", "folds", "refold", "without"]

_LINK = re.compile(r"\s*[(<]?https?://[^\s>)]{4,}[)>]?[\s>]*\Z")
# First and last characters of lines that can begin history.
_FIRSTS = frozenset(">＞-_–—=‐‑*#~|")
_LASTS = frozenset(":：>-_*~ \t道")
_SPACES = frozenset(" \t\xa0")


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines ``start`` up to but not including ``end``, counted from 0: quoted history or a
    signature.
    """

    start: int
    end: int
    kind: Literal["quote", "signature"]


def cut(full_text: str, *, forwarded: bool = False, marks: Sequence[Fold] = ()) -> str:
    """The author's own words: the text without the history and the signature that can be folded;
    the whole text where nothing else would be left.

    ``forwarded`` says that the mail passes on somebody else's: then what follows a header block is
    the matter itself. ``marks`` are spans that the HTML of the mail names.
    """
    return without(full_text, find_folds(full_text, forwarded=forwarded, marks=marks))


def without(full_text: str, found: Sequence[Fold]) -> str:
    """The text without its folds. One blank line stands where something was cut out."""
    if not found:
        return full_text
    lines = full_text.split("\n")
    pieces: list[str] = []
    at = 0
    for start, end in (*((fold.start, fold.end) for fold in found), (len(lines), 0)):
        piece = "\n".join(lines[at:start])
        if piece and not piece.isspace():
            pieces.append(piece.lstrip("\n").rstrip())
        at = end
    return "\n\n".join(pieces)


def folds(full_text: str, *, forwarded: bool = False) -> tuple[tuple[int, int], ...]:
    """The line spans to fold, quotes and signatures, as (first, one past the last) counted from 0,
    in their order.
    """
    return tuple((fold.start, fold.end) for fold in find_folds(full_text, forwarded=forwarded))


def find_folds(
    full_text: str, *, forwarded: bool = False, marks: Sequence[Fold] = ()
) -> tuple[Fold, ...]:
    """The spans with their kinds, in their order and not overlapping; none where folding would
    leave nothing to read.
    """
    lines = full_text.split("\n")
    history, matter = _history(lines, forwarded, marks)
    found = _with_signatures(lines, history, matter, marks)
    if not found:
        return ()
    at = 0
    for start, end in (*((fold.start, fold.end) for fold in found), (len(lines), 0)):
        if any(line and not line.isspace() for line in lines[at:start]):
            return tuple(found)
        at = end
    # Only history and signature: the signature alone is not worth the rest.
    return ()


def refold(full_text: str, text: str) -> tuple[Fold, ...]:
    """The folds that once made ``text`` of ``full_text``, found by comparing them; ``()`` where it
    was not made so.
    """
    if text == full_text:
        return ()
    lines = full_text.split("\n")
    kept = bytearray(len(lines))
    at = 0
    for line in text.split("\n"):
        wanted = line.rstrip()
        if not wanted:
            continue
        while at < len(lines) and lines[at].rstrip() != wanted:
            at += 1
        if at == len(lines):
            return ()
        kept[at] = 1
        at += 1
    signed = bytearray(len(lines))
    for fold in find_folds(full_text) or find_folds(full_text, forwarded=True):
        if fold.kind == "signature":
            signed[fold.start : fold.end] = b"\1" * (fold.end - fold.start)
    found: list[Fold] = []
    start = -1
    for number, line in enumerate(lines):
        if kept[number]:
            start = -1
        elif line.strip():
            kind: Literal["quote", "signature"] = "signature" if signed[number] else "quote"
            if start >= 0 and found[-1].kind == kind:
                found[-1] = Fold(start, number + 1, kind)
            else:
                start = number
                found.append(Fold(start, number + 1, kind))
    return tuple(found)


# -- history


def _history(
    lines: list[str], forwarded: bool, marks: Sequence[Fold]
) -> tuple[list[tuple[int, int]], int]:
    """The spans of history in their order, not overlapping, and the line where the matter of a
    forwarded mail begins (the number of lines where there is none).
    """
    named: dict[int, int] = {}
    for mark in marks:
        if mark.kind == "quote" and mark.end > mark.start:
            named[_first_text(lines, mark.start)] = mark.end
    found: list[tuple[int, int]] = []
    count = len(lines)
    done = 0  # lines before this one are decided
    labels: dict[int, str] = {}
    for number in _candidates(lines, named):
        if number < done:
            continue
        line = lines[number]
        end = min(named.get(number, 0), count)
        if end > number:
            if forwarded or _passes_on(lines, number, end):
                return found, _rules_above(lines, number, done)
            start = _rules_above(lines, number, done)
            done = end
        elif _quoted(line):
            if not _is_quote(lines, number, done, first=not found):
                continue
            end = _quote_end(lines, number)
            start = _rules_above(lines, _introduced(lines, number, done), done)
            if forwarded or _passes_on(lines, number, end):
                return found, start  # a mail may be passed on in quote marks
            done = end
        elif len(line) > LONGEST_LINE:
            continue
        else:
            start = number
            if FORWARD.fullmatch(line) is not None:
                return found, _rules_above(lines, start, done)
            if SEPARATOR.fullmatch(line) is None and not starts_headers(lines, number, labels):
                start = introduction_start(lines, number, done, marked=False)
                if start < 0 or _quoted(lines[_next_text(lines, number + 1)]):
                    continue
            start = _rules_above(lines, start, done)
            if forwarded:
                return found, start
            end = done = count
        found.append((start, end))
    return found, count


def _candidates(lines: list[str], named: dict[int, int]) -> Iterator[int]:
    """The lines that can begin history, by a quick look that most lines fail."""
    for number, line in enumerate(lines):
        if line and (
            line[0] in _FIRSTS
            or line[-1] in _LASTS
            or ":" in line[:48]
            or "：" in line[:48]
            or (line[0] in _SPACES and _quoted(line))
            or (line[0] in "Pp#" and "above this line" in line)
            or number in named
        ):
            yield number


def _quoted(line: str) -> bool:
    """Whether a line carries a quote mark, at most a few blanks in."""
    if not line:
        return False
    if line[0] in QUOTE_MARKS:
        return True
    return line[0] in _SPACES and line[:5].lstrip()[:1] in QUOTE_MARKS and bool(line[:5].strip())


def _is_quote(lines: list[str], number: int, floor: int, *, first: bool) -> bool:
    """Whether a line with a mark begins a quote, rather than being the author's own sign."""
    line = lines[number]
    after = lines[number + 1] if number + 1 < len(lines) else ""
    if line.startswith(">From ") and not _quoted(after):
        return False  # mbox's escape
    if _quoted(after) or (line[0] in QUOTE_MARKS and not first):
        return True
    above = lines[number - 1] if number else ""
    if line[0] in QUOTE_MARKS and not (above.strip() and after.strip()):
        return True
    return _introduced(lines, number, floor) < number


def _quote_end(lines: list[str], start: int) -> int:
    """One past the last line of a quote with marks; blank lines between its parts belong to it, and
    the rest of a long line that a program broke without a mark.
    """
    end = at = start
    count = len(lines)
    while at < count:
        line = lines[at]
        if _quoted(line):
            at += 1
            end = at
        elif not line or line.isspace() or (at == end and _broken_off(lines, at)):
            at += 1
        else:
            break
    return end


def _broken_off(lines: list[str], at: int) -> bool:
    """Whether a short line between two quoted ones is the end of the long one above it."""
    above, line = lines[at - 1] if at else "", lines[at]
    if at + 1 >= len(lines) or not _quoted(lines[at + 1]):
        return False
    if line.lstrip()[:1] in "(<h" and _LINK.match(line[:200]) is not None:
        return True
    return (
        len(above) >= 68
        and len(line) <= 60
        and above.rstrip()[-1:] not in ".?!:;"
        and line[0].islower()
    )


def _passes_on(lines: list[str], start: int, end: int) -> bool:
    """Whether a span begins with the line above a mail that is passed on."""
    seen = 0
    for line in lines[start:end]:
        bare = line.strip(" \t>＞")
        if bare:
            if len(bare) < LONGEST_LINE and FORWARD.fullmatch(bare) is not None:
                return True
            seen += 1
            if seen == 2:
                return False
    return False


def _next_text(lines: list[str], at: int) -> int:
    """The next line that is not blank, looking at a few only; the last line at the end."""
    for number in range(at, min(at + 4, len(lines))):
        if lines[number].strip():
            return number
    return min(at, len(lines) - 1)


def _first_text(lines: list[str], at: int) -> int:
    """The next line that is not blank, however far it is; the number of lines where there is none."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _rules_above(lines: list[str], start: int, floor: int) -> int:
    """Where a span begins with the drawn lines above it."""
    at = start
    while at > floor:
        at -= 1
        above = lines[at]
        if above and not above.isspace():
            if len(above) > 200 or RULE.fullmatch(above) is None:
                break
            start = at
    return start


def _introduced(lines: list[str], number: int, floor: int) -> int:
    """Where a quote that starts with marks begins, with the line that introduces it."""
    at = number - 1
    while at >= floor and at >= number - 4 and not lines[at].strip():
        at -= 1
    if at < floor or not lines[at].strip():
        return number
    start = introduction_start(lines, at, floor, marked=True)
    return start if start >= 0 else number


# -- signatures


def _with_signatures(
    lines: list[str], history: list[tuple[int, int]], matter: int, marks: Sequence[Fold]
) -> list[Fold]:
    """The history as folds, and the signatures at the ends of the own words between it, which go up
    to the line where the matter of a forwarded mail begins.
    """
    begin = armour_end(lines)
    spans = [(max(start, begin), end) for start, end in history if end > begin]
    found: list[Fold] = []
    last = True  # whether nothing of the author's own stands below
    below = matter
    for start, end in reversed([(0, begin), *spans]):
        if end < below:
            signed = _signed(lines, end, below, marks, last=last)
            if signed < below:
                found.append(Fold(signed, below, "signature"))
            last = last and not any(line.strip() for line in lines[end:signed])
        if start < end:
            found.append(Fold(start, end, "signature" if end == begin else "quote"))
        below = start
    found.reverse()
    return _joined(lines, found)


def _signed(lines: list[str], start: int, end: int, marks: Sequence[Fold], *, last: bool) -> int:
    """Where the signature of the own words in a span begins, or its end."""
    signed = signature_start(lines, start, end, last=last)
    for mark in reversed(marks):
        if (
            mark.kind == "signature"
            and start <= mark.start < signed
            and not any(line.strip() for line in lines[mark.end : signed])
        ):
            signed = signature_start(lines, start, mark.start, last=last)
    return signed


def _joined(lines: list[str], found: list[Fold]) -> list[Fold]:
    """The folds, with those of one kind made one where nothing but blank lines is between them."""
    out: list[Fold] = []
    for fold in found:
        last = out[-1] if out else None
        if (
            last is not None
            and last.kind == fold.kind
            and not any(line.strip() for line in lines[last.end : fold.start])
        ):
            out[-1] = Fold(last.start, fold.end, fold.kind)
        else:
            out.append(fold)
    return out
