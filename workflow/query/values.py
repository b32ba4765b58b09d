"""What a typed value of a field means, and the sentence where it means nothing."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from workflow.clock import parse_duration
from workflow.model import UNRESOLVED, Priority, Status, Urgency
from workflow.query.fields import EQUALITY, Field, Kind
from workflow.query.terms import fold

__all__ = ["Day", "Mark", "Span", "Value", "read_value"]

_YEARS_S = 100 * 366 * 86_400
_LONGEST = 500
"""Characters of one value; a pattern of SQL has a limit of its own that folding must not pass."""


class Mark(Enum):
    """Words that stand for something: nothing, and whoever asks."""

    NONE = "none"
    ME = "me"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day: a date, or so many days from today."""

    date: date | None
    offset: int = 0


Value = str | int | float | Mark | Status | Priority | Urgency | Span | Day | datetime


def read_value(field: Field, operator: str, typed: str, quoted: bool) -> tuple[Value, ...]:
    """What one typed value means for a field: usually one value, several for ``status:unresolved``.

    Quotes take ``none`` and ``me`` literally. Raises ValueError with a sentence that says what
    fits.
    """
    if len(typed) > _LONGEST:
        raise ValueError(f"a value of {field.name} has at most {_LONGEST} characters")
    if not quoted and typed.lower() == "none":
        if not field.empty:
            raise ValueError(f"{field.name} is never empty: it takes {field.takes}")
        if operator not in EQUALITY:
            raise ValueError(f"none cannot be compared by {operator}: write {field.name}:none")
        return (Priority.UNSET,) if field.kind is Kind.PRIORITY else (Mark.NONE,)
    if not fold(typed).strip():
        instead = (
            f"for those without one write {field.name}:none"
            if field.empty
            else f"it takes {field.takes}"
        )
        raise ValueError(f"the value of {field.name} is empty: {instead}")
    return _READERS.get(field.kind, _as_typed)(field, operator, typed, quoted)


def _as_typed(field: Field, _operator: str, typed: str, quoted: bool) -> tuple[Value, ...]:
    if field.name == "assignee" and not quoted and typed.lower() == "me":
        return (Mark.ME,)
    return (typed,)


def _number(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    if not re.fullmatch(r"#?[0-9]{1,18}", typed):
        raise ValueError(f"{typed!r} is not a ticket number: write it like {field.example}")
    return (int(typed.lstrip("#")),)


def _closed(field: Field, typed: str) -> str:
    """The word of a closed set, typed in any case, with a hyphen or underscore for a blank."""
    plain = re.sub("[-_ ]+", " ", typed.strip().lower())
    by_plain = {word.replace("-", " "): word for word in field.values}
    if plain in by_plain:
        return by_plain[plain]
    if field.name == "is" and plain in set(Status):
        raise ValueError(f"is:{typed} is said as status:{typed}")
    near = difflib.get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    meant = f"did you mean {by_plain[near[0]]}? " if near else ""
    raise ValueError(f"{typed!r} is not a value of {field.name}: {meant}it takes {field.takes}")


def _status(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    word = _closed(field, typed)
    if word == "any":
        return tuple(Status)
    return tuple(UNRESOLVED) if word == "unresolved" else (Status(word),)


def _priority(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    return (Priority.parse(_closed(field, typed)),)


def _urgency(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    return (Urgency[_closed(field, typed).upper()],)


def _count(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    if not re.fullmatch(r"[0-9]{1,9}", typed):
        raise ValueError(f"{typed!r} is not a number: write it like {field.example}")
    return (int(typed),)


def _flag(field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    return (_closed(field, typed),)


def _score(_field: Field, _operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    if not re.fullmatch(r"[+-]?([0-9]{1,6}(\.[0-9]{0,9})?|\.[0-9]{1,9})", typed):
        raise ValueError(f"{typed!r} is not a number between -1 and 1, such as -0.3")
    return (float(typed),)


_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}


def _time(field: Field, operator: str, typed: str, _quoted: bool) -> tuple[Value, ...]:
    plain = typed.lower()
    if field.days:
        if plain in _DAYS:
            return (Day(None, _DAYS[plain]),)
        if re.match(r"[0-9]{4}-[0-9]", typed):
            return (_moment(typed),)
    try:
        seconds = parse_duration(typed)
    except (ValueError, OverflowError):
        raise ValueError(f"{typed!r} does not fit {field.name}: it takes {field.takes}") from None
    if abs(seconds) > _YEARS_S:
        raise ValueError(f"{typed!r} is longer than 100 years: {field.name} takes {field.takes}")
    if operator in EQUALITY:
        raise ValueError(
            f"{field.name} changes all the time: "
            f"compare it, like {field.name}<{typed} or {field.name}>{typed}"
        )
    return (Span(seconds),)


def _moment(typed: str) -> Day | datetime:
    try:
        read: Day | datetime = (
            Day(date.fromisoformat(typed)) if len(typed) <= 10 else datetime.fromisoformat(typed)
        )
    except ValueError:
        raise ValueError(
            f"{typed!r} is not a date: write it like 2026-03-01 or 2026-03-01T09:00Z"
        ) from None
    year = read.year if isinstance(read, datetime) else typed[:4]
    if not 1970 <= int(year) <= 9000:
        raise ValueError(f"{typed!r} is out of range: the year lies between 1970 and 9000")
    return read


_READERS = {
    Kind.NUMBER: _number,
    Kind.COUNT: _count,
    Kind.STATUS: _status,
    Kind.PRIORITY: _priority,
    Kind.URGENCY: _urgency,
    Kind.FLAG: _flag,
    Kind.SCORE: _score,
    Kind.LEFT: _time,
    Kind.AGO: _time,
}
