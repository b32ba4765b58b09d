"""What a query means: its tree with the context filled in, as a few plain conditions that both back
ends know.

Fields, scope, ``me``, dates and lengths of time end here, once. :mod:`sql` and :mod:`predicate`
only translate what this module makes, so they agree by construction. Columns are those of the
ticket row; times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from workflow.model import UNRESOLVED, Priority, Status, Urgency, to_millis
from workflow.query.context import Context
from workflow.query.fields import FIELDS, Kind
from workflow.query.grammar import QuerySyntaxError
from workflow.query.terms import Term, fold
from workflow.query.tree import All, Any, Condition, Node, Not, Query, Words
from workflow.query.values import Day, Mark, Span, Value

__all__ = [
    "Compare",
    "Context",
    "Either",
    "Every",
    "Extra",
    "Filled",
    "Has",
    "HasWords",
    "How",
    "Inverse",
    "Like",
    "Meaning",
    "Named",
    "OneOf",
    "Place",
    "Tagged",
    "TierOf",
    "meaning",
]


class How(Enum):
    """How a folded text is compared."""

    CONTAINS = "contains"
    EQUALS = "equals"
    ENDS = "ends"


class Place(Enum):
    """Which texts are compared folded."""

    SUBJECT = "subject"
    COMPANY = "company"
    CUSTOMER = "customer"
    """The customer's name and the values of their identities."""
    SENDER = "sender"
    """The addresses that incoming messages came from."""


class Extra(Enum):
    """What a ticket may have beside its row."""

    ATTACHMENT = "attachment"
    DRAFT = "draft"
    NOTE = "note"
    REPLY = "reply"
    PAUSED = "paused"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Compare:
    """A number of the ticket against a number: ``<``, ``<=``, ``>``, ``>=`` or ``=``.

    An empty column never fits.
    """

    column: str
    operator: str
    value: int | float


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column has one of the words or numbers of a closed set; in the order of the set."""

    column: str
    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A column has one of the names that were typed."""

    column: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A column is not empty."""

    column: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """The ticket has one of the tags."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TierOf:
    """The customer has one of the tiers; the empty name is no tier."""

    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """One of the texts of a place, folded, contains, equals or ends with a folded text."""

    place: Place
    how: How
    needle: str


@dataclass(frozen=True, slots=True)
class Has:
    """The ticket has something beside its row."""

    extra: Extra


@dataclass(frozen=True, slots=True)
class HasWords:
    """Some message has the words."""

    term: Term


@dataclass(frozen=True, slots=True)
class Inverse:
    """Not so. A comparison with an empty column does not hold, hence its inverse does."""

    part: Meaning


@dataclass(frozen=True, slots=True)
class Every:
    """All of them; without parts, true."""

    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of them; without parts, false."""

    parts: tuple[Meaning, ...]


Meaning = (
    Compare
    | OneOf
    | Named
    | Filled
    | Tagged
    | TierOf
    | Like
    | Has
    | HasWords
    | Inverse
    | Every
    | Either
)

_NOT_CLOSED = Inverse(OneOf("status", (Status.CLOSED,)))
_NOT_SPAM = Inverse(Filled("spam_at"))
_NOT_MERGED = Inverse(Filled("merged_into"))


def meaning(query: Query, context: Context, *, scoped: bool = True) -> Meaning:
    """The query in plain conditions, with its default scope unless ``scoped`` is false.

    Raises :class:`QuerySyntaxError` for ``me`` where nobody acts.
    """
    parts: list[Meaning] = []
    if scoped:
        scope = query.scope
        hidden = ((scope.closed, _NOT_CLOSED), (scope.spam, _NOT_SPAM), (scope.merged, _NOT_MERGED))
        parts.extend(condition for hides, condition in hidden if hides)
    asked = _node(query.root, context)
    parts.extend(asked.parts if isinstance(asked, Every) else (asked,))
    return Every(tuple(dict.fromkeys(parts)))


def _node(node: Node, context: Context) -> Meaning:
    if isinstance(node, Words):
        return HasWords(node.term)
    if isinstance(node, Not):
        inner = _node(node.part, context)
        return inner.part if isinstance(inner, Inverse) else Inverse(inner)
    if isinstance(node, All):
        parts: list[Meaning] = []
        for part in node.parts:
            made = _node(part, context)
            parts.extend(made.parts if isinstance(made, Every) else (made,))
        return Every(tuple(parts))
    if isinstance(node, Any):
        return Either(tuple(_node(part, context) for part in node.parts))
    made = _condition(node, context)
    return Inverse(made) if node.operator == "!=" else made


def _condition(node: Condition, context: Context) -> Meaning:
    field = FIELDS[node.field]
    if field.kind is Kind.STATUS:
        return _status(tuple(Status(str(value)) for value in node.values))
    if node.operator not in (":", "=", "!="):
        return _ordered(node, context)
    numbers = tuple(value for value in node.values if isinstance(value, int))
    if field.kind is Kind.PRIORITY:
        return OneOf("priority", tuple(int(p) for p in Priority if p in numbers))
    if field.kind in (Kind.NUMBER, Kind.COUNT):
        return OneOf(field.column, numbers)
    if field.kind is Kind.URGENCY:
        return _urgencies(node)
    if field.kind is Kind.NAME:
        return _names(node, context)
    parts = tuple(_equal(node, value, context) for value in node.values)
    return parts[0] if len(parts) == 1 else Either(parts)


def _status(wanted: tuple[Status, ...]) -> Meaning:
    """One of the statuses, in the forms by which tables.py defines its partial indexes.

    That a set leaves out closed is said again, because a database proves an index by what is
    written. Not of the unresolved: they have an index of their own that gives the order of the
    queue, and a lookup of four statuses does not.
    """
    ordered = OneOf("status", tuple(status.value for status in Status if status in wanted))
    if Status.CLOSED in wanted or ordered.values == UNRESOLVED:
        return ordered
    return Every((_NOT_CLOSED, ordered))


def _spellings(name: str) -> tuple[str, ...]:
    """The ways a name is taken: as typed, small, in capitals, with a capital first letter."""
    return tuple(dict.fromkeys((name, name.lower(), name.upper(), name.capitalize())))


def _names(node: Condition, context: Context) -> Meaning:
    column = FIELDS[node.field].column
    names: list[str] = []
    for value in node.values:
        if value is Mark.ME:
            if context.me is None:
                raise QuerySyntaxError(
                    f"{node.field}:me needs to know who you are: name the agent (--agent NAME)",
                    node.position,
                )
            names.append(context.me)
        elif isinstance(value, str):
            names.extend((value,) if node.operator == "=" else _spellings(value))
    known = tuple(dict.fromkeys(names))
    empty = Mark.NONE in node.values
    if node.field == "tier":
        return TierOf((*known, "") if empty else known)
    has: Meaning
    any_at_all: Meaning
    if node.field == "tag":
        has, any_at_all = Tagged(known), Has(Extra.TAG)
    else:
        has, any_at_all = Named(column, known), Filled(column)
    if not empty:
        return has
    return Either((has, Inverse(any_at_all))) if known else Inverse(any_at_all)


def _equal(node: Condition, value: Value, context: Context) -> Meaning:
    """One value by ``:`` or ``=``."""
    field = FIELDS[node.field]
    if isinstance(value, (Day, datetime)):
        start, end = _bounds(value, context)
        return Every((Compare(field.column, ">=", start), Compare(field.column, "<", end)))
    if value is Mark.NONE:
        if field.kind is Kind.TEXT:
            return Like(Place(field.name), How.EQUALS, "")
        return Inverse(Filled(field.column))
    if isinstance(value, float):
        return Compare(field.column, "=", value)
    word = str(value)
    if field.kind is Kind.FLAG:
        return Has(Extra(word)) if field.name == "has" else _mark(word, to_millis(context.now))
    how = How.EQUALS if node.operator == "=" else How.CONTAINS
    if field.kind is Kind.ADDRESS:
        if word.startswith("@"):
            how = How.ENDS
        elif "@" in word:
            how = How.EQUALS
        return Like(Place.SENDER, how, fold(word))
    return Like(Place(field.name), how, fold(word))


def _mark(word: str, now: int) -> Meaning:
    """What an ``is:`` word means at a moment."""
    if word == "unresolved":
        return _status(UNRESOLVED)
    if word == "snoozed":
        # "Until the customer writes" has no time; an hour that has passed counts before the engine
        # has cleared it.
        until_reply = Every((OneOf("snoozed_until_reply", (1,)), Inverse(Filled("snoozed_until"))))
        return Either((Compare("snoozed_until", ">", now), until_reply))
    if word in ("breached", "overdue"):
        return Compare("next_due_at", "<=", now)
    if word == "at-risk":
        return Every((Compare("next_warn_at", "<=", now), Compare("next_due_at", ">", now)))
    if word == "unassigned":
        return Inverse(Filled("assignee"))
    if word == "paused":
        return Has(Extra.PAUSED)
    if word == "wants-person":
        return OneOf("wants_person", (1,))
    if word == "without-policy":
        return Inverse(Filled("policy"))
    columns = {
        "spam": "spam_at",
        "merged": "merged_into",
        "escalated": "escalated_to",
        "waiting": "waiting_since",
    }
    return Filled(columns[word])


def _urgencies(node: Condition) -> Meaning:
    wanted = OneOf("urgency", tuple(int(u) for u in Urgency if u in node.values))
    if Mark.NONE not in node.values:
        return wanted
    empty = Inverse(Filled("urgency"))
    return Either((wanted, empty)) if wanted.values else empty


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _ordered(node: Condition, context: Context) -> Meaning:
    """One value by an ordering operator."""
    field, value, operator = FIELDS[node.field], node.values[0], node.operator
    if isinstance(value, Span):
        now, span = to_millis(context.now), value.seconds * 1000
        if field.kind is Kind.AGO:  # gone by for less than an hour is later than an hour ago
            return Compare(field.column, _MIRRORED[operator], now - span)
        return Compare(field.column, operator, now + span)
    if isinstance(value, (Day, datetime)):
        start, end = _bounds(value, context)
        if operator in (">=", "<"):
            return Compare(field.column, operator, start)
        return Compare(field.column, ">=" if operator == ">" else "<", end)
    assert isinstance(value, (int, float))  # the parser lets numbers and priorities through
    return Compare(field.column, operator, value if isinstance(value, float) else int(value))


def _bounds(value: Day | datetime, context: Context) -> tuple[int, int]:
    """The first millisecond of a day or moment and the first after it.

    Days are those of the zone of the context's now.
    """
    zone = context.now.tzinfo or UTC
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=zone)
        start = to_millis(moment)
        return start, start + 1
    day: date = value.date or context.now.date() + timedelta(days=value.offset)
    midnight, next_midnight = (
        datetime.combine(each, time(), tzinfo=zone) for each in (day, day + timedelta(days=1))
    )
    return to_millis(midnight), to_millis(next_midnight)
