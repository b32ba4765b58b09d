"""The field catalogue: the one table that the parser, both back ends, help and errors read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum

from workflow.model import Priority, Status, Urgency

__all__ = ["EQUALITY", "FIELDS", "OPERATORS", "Field", "Kind", "nearest_field"]

OPERATORS = (":", "!=", ">=", "<=", "=", ">", "<")
EQUALITY = (":", "=", "!=")


class Kind(Enum):
    """What a field's values are and how they compare."""

    NUMBER = "number"
    COUNT = "count"
    STATUS = "status"
    PRIORITY = "priority"
    URGENCY = "urgency"
    NAME = "name"
    TEXT = "text"
    CUSTOMER = "customer"
    ADDRESS = "address"
    LEFT = "time left"
    AGO = "time gone by"
    SCORE = "score"
    FLAG = "flag"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, kind and meaning, what fits, and the ticket column it reads."""

    name: str
    kind: Kind
    meaning: str
    takes: str
    """What fits, as the end of the sentence ``priority takes ...``."""
    example: str
    operators: tuple[str, ...] = EQUALITY
    values: tuple[str, ...] = ()
    """All words that fit, where the set is closed."""
    column: str = ""
    empty: bool = False
    """Whether ``none`` fits."""
    days: bool = False
    """Whether a date fits, for the kinds of time."""


_IS = {
    "unresolved": "status is new, open, pending or on hold",
    "snoozed": "put aside until a time or until the customer writes",
    "spam": "marked as spam",
    "merged": "merged into another ticket",
    "escalated": "has an escalation that is still open",
    "at-risk": "its next clock has passed its warning time but not run out",
    "breached": "its next clock has run out and is still owed",
    "overdue": "the same as breached",
    "unassigned": "nobody has it",
    "waiting": "the customer waits for an answer from us",
    "paused": "one of its clocks is paused",
    "wants-person": "the customer has asked for a person",
    "without-policy": "no policy promises anything for it",
}
_HAS = {
    "attachment": "a message has a file",
    "draft": "somebody has an unsent draft on it",
    "note": "has an internal note",
    "reply": "has a reply of ours that was not taken back",
}
_PRIORITIES = tuple(p.word for p in Priority)
_URGENCIES = tuple(u.word for u in Urgency)
_STATUSES = (*(str(s) for s in Status), "unresolved", "any")
_GONE = (
    "how long ago, such as 1h or 2d (with < or >), a date such as 2026-03-01, today or yesterday"
)
_SPAN = "a length of time such as 30m, 4h or 1d, with < or >"
_MOMENT = f"{_SPAN}; a date; or none"

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field(
            "id",
            Kind.NUMBER,
            "The ticket's number.",
            "a ticket number",
            "id:42",
            OPERATORS,
            column="id",
        ),
        Field(
            "status",
            Kind.STATUS,
            "Whose turn it is; unresolved is all up to on hold, any is all.",
            ", ".join(_STATUSES),
            "status:open,pending",
            values=_STATUSES,
            column="status",
        ),
        Field(
            "priority",
            Kind.PRIORITY,
            "How urgent it is; none is unset.",
            ", ".join(_PRIORITIES),
            "priority>=high",
            OPERATORS,
            values=_PRIORITIES,
            column="priority",
            empty=True,
        ),
        Field(
            "urgency",
            Kind.URGENCY,
            "How urgent the customer's words are.",
            f"{', '.join(_URGENCIES)} or none",
            "urgency>=high",
            OPERATORS,
            values=_URGENCIES,
            column="urgency",
            empty=True,
        ),
        Field(
            "contacts",
            Kind.COUNT,
            "How often the customer had written in seven days when they last wrote, that time"
            " included.",
            "a number",
            "contacts>=3",
            OPERATORS,
            column="contacts",
        ),
        Field(
            "policy",
            Kind.NAME,
            "The policy that promises something for it.",
            "the name of a policy, or none",
            'policy:"Billing error"',
            column="policy",
            empty=True,
        ),
        Field(
            "channel",
            Kind.NAME,
            "The kind of channel it came by.",
            "a kind of channel",
            "channel:email",
            column="channel",
        ),
        Field(
            "account",
            Kind.NAME,
            "The channel account it came by.",
            "the name of an account, or none",
            "account:support",
            column="account",
            empty=True,
        ),
        Field(
            "group",
            Kind.NAME,
            "The group that has it.",
            "the name of a group, or none",
            "group:finance",
            column="group_name",
            empty=True,
        ),
        Field(
            "assignee",
            Kind.NAME,
            "The agent who has it; me is you.",
            "me, none or the name of an agent",
            "-assignee:me",
            column="assignee",
            empty=True,
        ),
        Field(
            "level",
            Kind.NAME,
            "The level it is at.",
            "a level, or none",
            "level:L2",
            column="level",
            empty=True,
        ),
        Field(
            "topic",
            Kind.NAME,
            "What it is about.",
            "a topic, or none",
            "topic:billing",
            column="topic",
            empty=True,
        ),
        Field(
            "language",
            Kind.NAME,
            "The language the customer writes.",
            "a language code, or none",
            "language:de",
            column="language",
            empty=True,
        ),
        Field(
            "tag",
            Kind.NAME,
            "A tag it has; none is no tag at all.",
            "a tag, or none",
            "tag:refund,chargeback",
            empty=True,
        ),
        Field(
            "customer",
            Kind.CUSTOMER,
            "Part of the customer's name or of one of their addresses; = is the whole.",
            "a part of a name or address",
            "customer:kowalski",
        ),
        Field(
            "company",
            Kind.TEXT,
            "Part of the name of the customer's company; = is the whole.",
            "a part of a name, or none",
            "company:globex",
            empty=True,
        ),
        Field(
            "tier",
            Kind.NAME,
            "The customer's tier.",
            "a tier, or none",
            "tier:vip,enterprise",
            empty=True,
        ),
        Field(
            "subject",
            Kind.TEXT,
            "Part of the subject; = is the whole.",
            "a part of a subject, or none",
            'subject:"invoice 2026"',
            column="subject",
            empty=True,
        ),
        Field(
            "from",
            Kind.ADDRESS,
            "Where a message of theirs came from: an address, @domain at its end, or a part.",
            "an address, @domain or a part of an address",
            "from:@globex.example",
        ),
        Field(
            "text",
            Kind.WORDS,
            "Words or exact phrases in a message; with commas any of them.",
            "words, or phrases in quotes",
            'text:refund,"charged twice"',
            (":", "!="),
        ),
        Field(
            "due",
            Kind.LEFT,
            "Time left by the wall clock until the first clock is due; below 0s it ran out.",
            _MOMENT,
            "due<2h",
            OPERATORS,
            column="next_due_at",
            empty=True,
            days=True,
        ),
        Field(
            "snoozed",
            Kind.LEFT,
            "Time left until a snoozed ticket comes back.",
            _MOMENT,
            "snoozed<1d",
            OPERATORS,
            column="snoozed_until",
            empty=True,
            days=True,
        ),
        Field(
            "waiting",
            Kind.AGO,
            "How long the customer has waited for an answer.",
            f"{_SPAN}; or none",
            "waiting>1d",
            OPERATORS,
            column="waiting_since",
            empty=True,
        ),
        Field(
            "age",
            Kind.AGO,
            "How long ago it was created.",
            _SPAN,
            "age>30d",
            OPERATORS,
            column="created_at",
        ),
        Field(
            "created",
            Kind.AGO,
            "When it was created.",
            _GONE,
            "created>=2026-03-01",
            OPERATORS,
            column="created_at",
            days=True,
        ),
        Field(
            "updated",
            Kind.AGO,
            "When it changed last.",
            _GONE,
            "updated<1h",
            OPERATORS,
            column="updated_at",
            days=True,
        ),
        Field(
            "sentiment",
            Kind.SCORE,
            "How the customer sounds, from -1 (angry) to 1 (glad).",
            "a number between -1 and 1, or none",
            "sentiment<-0.3",
            OPERATORS,
            column="sentiment",
            empty=True,
        ),
        Field(
            "has",
            Kind.FLAG,
            "; ".join(f"{word}: {says}" for word, says in _HAS.items()) + ".",
            ", ".join(_HAS),
            "has:attachment",
            values=tuple(_HAS),
        ),
        Field(
            "is",
            Kind.FLAG,
            "; ".join(f"{word}: {says}" for word, says in _IS.items()) + ".",
            ", ".join(_IS),
            "is:at-risk",
            values=tuple(_IS),
        ),
    )
}

_ELSEWHERE = {
    word: ours
    for ours, theirs in {
        "assignee": "agent owner assigned",
        "tag": "label tags labels",
        "group": "team queue",
        "status": "state",
        "text": "body message",
        "from": "sender email",
        "customer": "requester contact",
        "company": "organization organisation",
        "language": "lang",
        "priority": "prio severity",
        "policy": "promise",
        "contacts": "repeat",
        "topic": "category",
        "subject": "title",
        "due": "sla",
        "id": "ticket number",
        "created": "date",
        "updated": "changed",
    }.items()
    for word in theirs.split()
}
"""What other desks call our fields: only for the suggestion in an error."""


def nearest_field(name: str) -> str | None:
    """The field that a mistyped or foreign name most likely means."""
    known = name.lower()
    if known in _ELSEWHERE:
        return _ELSEWHERE[known]
    near = difflib.get_close_matches(known, FIELDS, n=1, cutoff=0.6)
    return near[0] if near else None
