"""What reading gives: plain values made from the driver's tuples.

Times are milliseconds (``*_ms``) or aware datetimes.

Text in these values has passed :func:`workflow.plaintext.printable` when it was stored; a screen
still draws it through its own gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from workflow.drafts import NOTHING_CHOSEN, DraftOptions
from workflow.store.queue_rows import QueueRow

__all__ = [
    "AttachmentDetail",
    "ClockDetail",
    "CustomerDetail",
    "CustomerRow",
    "DraftDetail",
    "EscalationDetail",
    "EventDetail",
    "HeldRow",
    "HistoryRow",
    "IdentityDetail",
    "LinkDetail",
    "MessageDetail",
    "OutboxRow",
    "ProposedReply",
    "QueueRow",
    "SearchHit",
    "SenderRuleRow",
    "SuggestionDetail",
    "TicketDetail",
]


@dataclass(frozen=True, slots=True)
class AttachmentDetail:
    """A file of a message."""

    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool


@dataclass(frozen=True, slots=True)
class MessageDetail:
    """One message of a ticket, whole. Parties are (name, address) pairs."""

    id: int
    direction: str
    author: str
    agent: str | None
    at: datetime
    date: datetime | None
    subject: str
    from_name: str
    from_address: str
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    bcc: tuple[tuple[str, str], ...]
    reply_to: tuple[tuple[str, str], ...]
    message_id: str | None
    text: str
    full_text: str
    automatic: bool
    bounce: dict[str, Any] | None
    matched_by: str
    delivery: str | None
    raw_sha256: str | None
    reference_ids: tuple[str, ...]
    in_reply_to: str | None
    account: str | None
    channel: str
    authentication: dict[str, Any] | None = None
    """What our mail server found out about its sender; ``claims_us`` where it says it is from us."""
    invitation: dict[str, Any] | None = None
    attachments: tuple[AttachmentDetail, ...] = ()
    deliveries: tuple[dict[str, Any], ...] = ()
    """What reports told of its recipients (:mod:`workflow.mail_reports`)."""
    aside: bool = False
    """Said between the team and somebody who is not the customer."""
    forwards: tuple[int, ...] = ()
    """The messages that it passes on."""
    home: int | None = None
    """The merged ticket that it belongs to; None for the one it is on."""
    stranger: bool = False
    """Whether its sender took no part in the conversation until then; known for whole tickets."""

    @property
    def people(self) -> tuple[str, ...]:
        """The addresses of everybody but its sender whom it names."""
        everybody = (*self.to, *self.cc, *self.bcc, *self.reply_to)
        return tuple(address for _name, address in everybody if address)


@dataclass(frozen=True, slots=True)
class EventDetail:
    """One fact of the timeline."""

    id: int
    at: datetime
    name: str
    actor: str
    cause: str
    data: dict[str, Any]
    change_id: int | None


@dataclass(frozen=True, slots=True)
class ClockDetail:
    """One clock as stored; ``remaining_s(now)`` is in sla.py."""

    metric: str
    policy: str
    calendar: str
    target_s: int
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    state: str
    remaining_s: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class IdentityDetail:
    """An address, chat account or phone of a customer."""

    kind: str
    value: str
    display: str
    evidence: str = ""
    """Why it is held to be theirs: ``wrote from it``, ``joined by agent:ana``."""
    id: int = 0
    undeliverable_at: int | None = None
    """Milliseconds since 1970, as is ``complained_at``: when a mail to it came back for good."""
    undeliverable_code: str = ""
    undeliverable_reason: str = ""
    complained_at: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerDetail:
    """A person and how they reach us."""

    id: int
    name: str
    company: str
    tier: str
    identities: tuple[IdentityDetail, ...]
    merged_into: int | None = None
    """The person with whom this one was joined; then that one has the identities and tickets."""


class CustomerRow(NamedTuple):
    """A person in a list of people."""

    id: int
    name: str
    company: str
    tier: str
    tickets: int
    """How many there are, and how many of them are not done."""
    unresolved: int
    identities: tuple[IdentityDetail, ...]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An earlier ticket of a customer, with what came of it."""

    id: int
    subject: str
    status: str
    channel: str
    assignee: str | None
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    waiting: bool = False
    """Whether the customer waits for an answer."""
    spam: bool = False
    merged_into: int | None = None
    ended_by: str | None = None
    """Who set the status that it has, as written in events (``agent:ana``)."""

    @property
    def outcome(self) -> str:
        """What came of it, in a phrase."""
        if self.merged_into is not None:
            return f"merged into #{self.merged_into}"
        if self.spam:
            return "spam"
        if self.status in ("resolved", "closed"):
            by = self.ended_by or ""
            return f"{self.status} by {by.partition(':')[2] or by}" if by else self.status
        if self.waiting:
            return f"{self.status}, waits for us"
        return {"pending": "pending, waits for the customer"}.get(self.status, self.status)


@dataclass(frozen=True, slots=True)
class EscalationDetail:
    """An escalation that is still open."""

    id: int
    at: datetime
    by: str
    from_level: str | None
    to_level: str
    reason: str
    tried: str
    needed: str
    wanted_by: datetime | None
    promised: str
    ack_due_at: datetime | None = None
    """When somebody of the level must have accepted it; None where nothing is promised."""
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    climbed_from: int | None = None
    """The escalation that nobody accepted and that this one follows."""


@dataclass(frozen=True, slots=True)
class LinkDetail:
    """Another ticket that this one has to do with."""

    ticket: int
    kind: str
    """continues, continued by, split from, split into, related, merged (into this one)"""
    subject: str
    status: str

    @property
    def words(self) -> str:
        """The kind as it is shown before the ticket's number."""
        return {"merged": "merged in", "related": "see also"}.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class SuggestionDetail:
    """The earlier ticket that a new one looks like."""

    ticket: int
    subject: str
    status: str
    at: datetime
    """When something last came or went on it."""


@dataclass(frozen=True, slots=True)
class ProposedReply:
    """A text that a rule has put before the agent; ``rule`` is its actor, as ``rule:NAME``."""

    rule: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """One ticket, whole."""

    id: int
    subject: str
    status: str
    priority: int
    priority_by: str
    channel: str
    account: str | None
    group_name: str | None
    assignee: str | None
    level: str | None
    topic: str | None
    language: str | None
    sentiment: float | None
    tags: tuple[str, ...]
    snoozed_until: datetime | None
    snoozed_until_reply: bool
    spam: bool
    merged_into: int | None
    created_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    version: int
    customer: CustomerDetail
    clocks: tuple[ClockDetail, ...] = ()
    messages: tuple[MessageDetail, ...] = ()
    events: tuple[EventDetail, ...] = ()
    escalation: EscalationDetail | None = None
    links: tuple[LinkDetail, ...] = ()
    suggestion: SuggestionDetail | None = None
    urgency: int | None = None
    """How urgent the customer's words are (model.Urgency as a number)."""
    contacts: int = 0
    policy: str | None = None
    suggested_macro: str | None = None
    wants_person: bool = False
    proposed: tuple[ProposedReply, ...] = ()
    """What rules propose to answer, the newest first."""
    set_by: Mapping[str, str] = field(default_factory=dict)
    """Who set a field last, as actors are written."""


@dataclass(frozen=True, slots=True)
class DraftDetail:
    """What an agent has typed and not sent."""

    agent: str
    ticket_id: int
    kind: str
    text: str
    answers: int | None
    updated_at: datetime
    options: DraftOptions = NOTHING_CHOSEN


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message on its way out, as a person sees it."""

    id: int
    ticket: int
    state: str
    due_at: datetime
    attempts: int
    error: str | None
    message_id: str
    recipients: tuple[str, ...]
    subject: str
    account: str
    sent_at: datetime | None
    unless_reply: bool = False
    """Scheduled only for as long as the customer does not write."""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One item that was kept out, and why."""

    id: int
    at: datetime
    account: str | None
    cause: str
    evidence: str
    sender: str
    subject: str
    raw_sha256: str
    raw_size: int
    state: str
    channel: str
    reached_at: datetime
    ticket: int | None
    """The ticket that it answers."""
    automatic: bool
    folder: str
    validity: int
    position: int


@dataclass(frozen=True, slots=True)
class SenderRuleRow:
    """What a person has decided about all mail of an address, or (``@domain``) of a domain."""

    pattern: str
    allow: bool
    at: datetime
    by: str


Excerpt = tuple[str, tuple[tuple[int, int], ...]]
"""A line, and where in it the matched words stand (start, end)."""


@dataclass(slots=True)
class SearchHit:
    """One message that matches.

    The words around the match are cut out when they are first asked for: a screen shows few of its
    hits at a time.
    """

    ticket: int
    message: int
    at: datetime
    subject: str
    author: str
    status: str
    cut: Callable[[], Excerpt] = field(repr=False, compare=False)
    _excerpt: Excerpt | None = field(default=None, repr=False, compare=False)

    @property
    def excerpt(self) -> Excerpt:
        """The snippet with its marks."""
        if self._excerpt is None:
            self._excerpt = self.cut()
        return self._excerpt

    @property
    def snippet(self) -> str:
        """The words around the match, on one line."""
        return self.excerpt[0]

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """Where in the snippet the matched words stand (start, end)."""
        return self.excerpt[1]
