"""Days and hours by which a customer needs something, as far as they are near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from workflow.triage.lexicon import Deadlines, Heard, Lexicon
from workflow.triage.phrases import Found
from workflow.triage.said import hard, soft

__all__ = ["Deadline", "deadlines"]

_NEAR = 3
"""Days; what is due later is no hurry yet."""

_LOOK = 4
"""Words after "by" among which the day must stand."""

_HOURS = 48


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that must be done by a day; ``points`` as urgency counts them."""

    said: str
    points: int


def deadlines(
    words: Sequence[str], found: Sequence[Found[Heard]], lexicon: Lexicon, now: datetime
) -> Iterator[Deadline]:
    """The near deadlines in the words of a message. ``found`` are the places of "by" and "within"."""
    today = now.date()
    seen: set[str] = set()
    for place in found:
        tail = _tail(words, place.end)
        within = place.value.kind == "within"
        by = lexicon.deadlines
        told = _within(tail, by) if within else _by(tail, by, today)
        if told is None:
            continue
        points, length = told
        day = " ".join(tail[:length])
        if points and day not in seen:
            seen.add(day)
            yield Deadline(f"{place.value.phrase} {day}", points)


def _tail(words: Sequence[str], start: int) -> list[str]:
    tail: list[str] = []
    for word in words[start : start + _LOOK + 5]:
        if hard(word):
            break
        if not soft(word):
            tail.append(word)
    return tail


def _within(tail: Sequence[str], by: Deadlines) -> tuple[int, int] | None:
    """``within 2 hours``: a number and a unit."""
    if len(tail) < 2 or not tail[0].isdigit() or len(tail[0]) > 4:
        return None
    number = int(tail[0])
    if tail[1] in by.hours:
        return (2 if number <= _HOURS else 0), 2
    if tail[1] in by.days:
        return _points(number), 2
    return None


def _by(tail: Sequence[str], by: Deadlines, today: date) -> tuple[int, int] | None:
    """``by the end of Friday``: a day after at most a few words that mean nothing here."""
    for index in range(min(len(tail), _LOOK)):
        word = tail[index]
        pair = f"{word} {tail[index + 1]}" if index + 1 < len(tail) else ""
        if pair in by.today or pair in by.tomorrow:
            return _points(0 if pair in by.today else 1), index + 2
        if word in by.today or word in by.tomorrow:
            return _points(0 if word in by.today else 1), index + 1
        # The weekday may stand before the date: by Friday, 3 December.
        day, length = _date(tail[index:], by, today)
        if day is not None:
            return _points((day - today).days), index + length
        if word in by.weekdays and len(word) > 1:
            later = [(_date(tail[at:], by, today)[0]) for at in range(index + 1, len(tail))]
            named = next((each for each in later if each is not None), None)
            if named is not None:
                return _points((named - today).days), len(tail)
            return _points((by.weekdays[word] - today.weekday()) % 7), index + 1
        if word not in by.fillers:
            return None
    return None


def _points(days: int) -> int:
    if days < 0 or days > _NEAR:
        return 0
    return 2 if days <= 1 else 1


def _date(words: Sequence[str], by: Deadlines, today: date) -> tuple[date | None, int]:
    """A date at the beginning of the words: 2026-12-03, 3.12., 12/3, 3 December, December 3rd."""
    numbers = [_number(word) for word in words[:3]] + [None] * 3
    first, second, third = numbers[:3]
    if first is not None and first > 1000 and second and third:
        return _day(first, second, third), 3
    if first is not None and second is not None:
        year = third if third is not None and third > 1000 else None
        tried = [_near(year, second, first, today), _near(year, first, second, today)]
        days = [day for day in tried if day is not None and day >= today]
        return min(days, default=None), 3 if year else 2
    if first is not None and len(words) > 1:
        at = 2 if words[1] in by.fillers and len(words) > 2 else 1
        if words[at] in by.months:
            return _near(_number(_at(words, at + 1)), by.months[words[at]], first, today), at + 1
    if words and words[0] in by.months and second is not None:
        return _near(third, by.months[words[0]], second, today), 2
    return None, 0


def _at(words: Sequence[str], index: int) -> str:
    return words[index] if index < len(words) else ""


def _number(word: str) -> int | None:
    digits = word[:-2] if word[-2:] in ("st", "nd", "rd", "th", "er") else word
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else None


def _near(year: int | None, month: int, day: int, today: date) -> date | None:
    """The day in a year, or without one the next time that it comes."""
    if year is not None and year > 1000:
        return _day(year, month, day)
    found = _day(today.year, month, day)
    if found is not None and found < today - timedelta(days=1):
        found = _day(today.year + 1, month, day)
    return found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
