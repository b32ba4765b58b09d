"""What programs write above history: the line that introduces a quote, and the headers of the mail
that is answered.
"""

from __future__ import annotations

import re

from channels.email.quote_words import (
    BEGINS,
    DATED,
    MYSELF,
    RULE,
    TIMED,
    WROTE,
    WROTE_LAST,
    header_label,
    names_headers,
)

__all__ = ["LONGEST_LINE", "QUOTE_MARKS", "introduction_start", "starts_headers"]

LONGEST_LINE = 600
"""Characters of a line beyond which no program wrote it above history."""

QUOTE_MARKS = frozenset(">＞")

_LONGEST_INTRODUCTION = 400
_MOST_INTRODUCTION_LINES = 4
# Own words stand before what a program wrote on the same line.
_SHARED = re.compile(r"\S.*(?:-{2,}|[.!?])\s?(?:On|Am|Le|El|Em|Il|Op)\s[^.!?]*\d")
# "io" and "eu" are words of their own only outside of addresses.
_ADDRESS = re.compile(r"\S+@\S+")
# The quote begins on the line that introduces it.
_GOES_ON = re.compile(
    rf"[^\s@]@[^\s@]{{3,100}}>?,?\s{{0,2}}(?:{WROTE.pattern})[^:：]{{0,4}}[:：](?=\s{{1,4}}\S)"
)


def introduction_start(lines: list[str], last: int, floor: int, *, marked: bool) -> int:
    """Where the introduction of a quote begins that ends with a line, or -1 where it is none.

    Programs break it, so up to four lines are read together. What follows without quote marks takes
    more evidence.
    """
    line = lines[last].rstrip(" \t\xa0*_-–—‐>")
    ends = line.endswith((":", "：")) or WROTE_LAST.search(line[-40:]) is not None
    if not ends and not marked:
        return last if _goes_on(lines[last]) else -1
    joined = ""
    found = -1
    for start in range(last, max(last - _MOST_INTRODUCTION_LINES, floor - 1), -1):
        line = lines[start]
        if not line.strip() or line[0] in QUOTE_MARKS or len(line) > LONGEST_LINE:
            break
        if start < last and line.endswith((":", "：")):
            break
        joined = f"{line.strip()} {joined}" if joined else line.strip()
        if len(joined) > _LONGEST_INTRODUCTION:
            break
        begins = BEGINS.match(joined) is not None
        if found < 0 and not begins and _SHARED.match(joined) is not None:
            return -1
        if (found < 0 or begins) and _introduces(joined, begins, ends, marked):
            found = start
            if begins:
                return start
    if found > floor and lines[found].lstrip()[:1] in "<([" and lines[found - 1].strip():
        found -= 1  # an address alone: the name is above it
    return found


def _goes_on(line: str) -> bool:
    """Whether a line is an introduction and goes on with what it introduces, as Yahoo's for phones
    does.
    """
    if "@" not in line[:200] or BEGINS.match(line) is None:
        return False
    found = _GOES_ON.search(line[:_LONGEST_INTRODUCTION])
    return found is not None and _introduces(line[: found.end()].strip(), True, True, False)


def _introduces(text: str, begins: bool, ends: bool, marked: bool) -> bool:
    """Whether a text is what programs write above a quote."""
    addressed = "@" in text
    if marked:
        if ends and (text.endswith((" wrote:", " schrieb:")) or WROTE.search(text) is not None):
            return True
        return (
            (addressed or begins)
            and DATED.search(text) is not None
            and (addressed or TIMED.search(text) is not None)
        )
    timed = TIMED.search(text) is not None
    if not ends or not (addressed or (begins and timed)) or DATED.search(text) is None:
        return False
    if MYSELF.search(_ADDRESS.sub("", text)) is not None:
        return False
    # Some programs say who and when, and not that he wrote.
    return (begins and addressed and timed) or WROTE.search(text) is not None


def starts_headers(lines: list[str], number: int, labels: dict[int, str]) -> bool:
    """Whether the headers of an older mail start here, as Outlook and others write them above it:
    a sender and at least two more, in any of their languages.
    """
    kind = _label(lines, number, labels)
    if not kind or kind == "other":
        return False
    line = lines[number]
    if kind == "from" and "@" in line and names_headers(line):
        return True
    kinds = {kind}
    solid = "@" in line
    first = line[:200] if kind == "date" else ""
    timed, dated = TIMED.search(first) is not None, DATED.search(first) is not None
    unnamed = 0
    for at in range(number + 1, min(number + 14, len(lines))):
        below = lines[at]
        if not below.strip():
            if not _label(lines, min(at + 1, len(lines) - 1), labels):
                break
            continue
        kind = _label(lines, at, labels)
        if kind:
            kinds.add(kind)
            unnamed = 0
            solid = solid or "@" in below[:400]
            if kind == "date":
                timed = timed or TIMED.search(below[:200]) is not None
                dated = dated or DATED.search(below[:200]) is not None
        else:
            unnamed += 1
            if unnamed > 3:
                break
    if "from" not in kinds or not (solid or timed or (dated and "subject" in kinds)):
        return False
    if len(kinds) >= 3:
        return True
    # Two are enough under a line that was drawn.
    above = lines[number - 1] if number else ""
    return len(kinds) == 2 and len(above) < 200 and RULE.fullmatch(above) is not None


def _label(lines: list[str], at: int, labels: dict[int, str]) -> str:
    """What a line of headers names, looked up once."""
    kind = labels.get(at)
    if kind is None:
        kind = labels[at] = header_label(lines[at][:80])
    return kind
