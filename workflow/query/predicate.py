"""The predicate back end: a query as a function of the facts of one ticket.

SLA selectors, routing cells, trigger conditions and macro guards ask it. It decides exactly as the
SQL does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from workflow.model import Status
from workflow.query.conditions import (
    Compare,
    Context,
    Either,
    Every,
    Extra,
    Filled,
    HasWords,
    How,
    Inverse,
    Like,
    Meaning,
    Named,
    OneOf,
    Place,
    Tagged,
    TierOf,
    meaning,
)
from workflow.query.terms import fold
from workflow.query.tree import Query

__all__ = ["Context", "Predicate", "TicketFacts", "build_predicate", "compile_predicate"]


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What queries can know of one ticket. Names are those of the ticket row; times are
    milliseconds since 1970.

    A ticket that is not stored yet has an ``id`` of 0. ``texts`` holds for each message the columns
    of the full-text table as :func:`workflow.query.terms.word_line` writes them.
    """

    id: int = 0
    subject: str = ""
    status: str = Status.NEW
    priority: int = 2
    channel: str = "email"
    account: str | None = None
    group_name: str | None = None
    assignee: str | None = None
    level: str | None = None
    topic: str | None = None
    language: str | None = None
    sentiment: float | None = None
    urgency: int | None = None
    wants_person: bool = False
    contacts: int = 0
    policy: str | None = None
    created_at: int = 0
    updated_at: int = 0
    snoozed_until: int | None = None
    snoozed_until_reply: bool = False
    spam_at: int | None = None
    merged_into: int | None = None
    escalated_to: str | None = None
    waiting_since: int | None = None
    next_due_at: int | None = None
    next_warn_at: int | None = None
    customer_name: str = ""
    company: str = ""
    tier: str = "standard"
    identities: tuple[str, ...] = ()
    """The values of the customer's identities."""
    senders: tuple[str, ...] = ()
    """The addresses that incoming messages came from."""
    tags: frozenset[str] = frozenset()
    extras: frozenset[Extra] = frozenset()
    """What it has of attachments, drafts, notes, replies and paused clocks."""
    texts: tuple[str, ...] = ()


Predicate = Callable[[TicketFacts], bool]


def compile_predicate(query: Query, context: Context, *, scoped: bool = True) -> Predicate:
    """The query as a function. Raises QuerySyntaxError for ``me`` without an agent."""
    return build_predicate(meaning(query, context, scoped=scoped))


def build_predicate(part: Meaning) -> Predicate:
    """A plain condition as a function."""
    return _build(part)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_MATCHES: dict[How, Callable[[str, str], bool]] = {
    How.CONTAINS: operator.contains,
    How.EQUALS: operator.eq,
    How.ENDS: str.endswith,
}
_TEXTS: dict[Place, Callable[[TicketFacts], tuple[str, ...]]] = {
    Place.SUBJECT: lambda facts: (facts.subject,),
    Place.COMPANY: lambda facts: (facts.company,),
    Place.CUSTOMER: lambda facts: (facts.customer_name, *facts.identities),
    Place.SENDER: lambda facts: facts.senders,
}


def _build(node: Meaning) -> Predicate:
    if isinstance(node, Every):
        every = [_build(part) for part in node.parts]
        return every[0] if len(every) == 1 else lambda facts: all(part(facts) for part in every)
    if isinstance(node, Either):
        either = [_build(part) for part in node.parts]
        return lambda facts: any(part(facts) for part in either)
    if isinstance(node, Inverse):
        inner = _build(node.part)
        return lambda facts: not inner(facts)
    if isinstance(node, Compare):
        return _compare(node)
    if isinstance(node, (OneOf, Named)):
        column = operator.attrgetter(node.column)
        wanted = frozenset[object](node.values if isinstance(node, OneOf) else node.names)
        return lambda facts: column(facts) in wanted
    if isinstance(node, Filled):
        filled = operator.attrgetter(node.column)
        return lambda facts: filled(facts) is not None
    if isinstance(node, Tagged):
        tags = frozenset(node.tags)
        return lambda facts: not tags.isdisjoint(facts.tags)
    if isinstance(node, TierOf):
        tiers = frozenset(node.tiers)
        return lambda facts: facts.tier in tiers
    if isinstance(node, Like):
        texts, matches, needle = _TEXTS[node.place], _MATCHES[node.how], node.needle
        return lambda facts: any(matches(fold(text), needle) for text in texts(facts))
    if isinstance(node, HasWords):
        words = node.term.needle
        return lambda facts: any(words in line for line in facts.texts)
    if node.extra is Extra.TAG:
        return lambda facts: bool(facts.tags)
    extra = node.extra
    return lambda facts: extra in facts.extras


def _compare(node: Compare) -> Predicate:
    column, compare, limit = (
        operator.attrgetter(node.column),
        _COMPARISONS[node.operator],
        node.value,
    )

    def compared(facts: TicketFacts) -> bool:
        found = column(facts)
        return found is not None and compare(found, limit)

    return compared
