"""The tables, as SQLModel classes. Changes are written through them.

Lists are read as SQL text (reads.py).

Conventions: times are UTC and stored as whole milliseconds in a BIGINT (``UtcMillis``), so that the
same arithmetic works in every engine; enums are stored as their words (priority as its number,
because it is compared); lists and dicts as JSON text. A column that another fact decides
("projection") says so. No ``from __future__ import annotations`` here: SQLModel reads the
annotations when the classes are made.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import AutoString, Field, SQLModel

from workflow.model import FAR_FUTURE_MS, from_millis, to_millis

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
metadata = SQLModel.metadata


class UtcMillis(TypeDecorator[datetime]):
    """An aware UTC datetime in Python, whole milliseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Milliseconds for a moment; a naive one is refused."""
        return None if value is None else to_millis(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """The moment for stored milliseconds."""
        return None if value is None else from_millis(value)


def _when(nullable: bool = True, index: bool = False) -> Any:
    return Field(sa_column=Column(UtcMillis, nullable=nullable, index=index))


def _json(default: str = "[]") -> Any:
    return Field(
        default_factory=list if default == "[]" else dict,
        sa_column=Column(JSON, nullable=False, server_default=default),
    )


class Meta(SQLModel, table=True):
    """What the desk knows of itself: its secret for reply tokens, its creation, format numbers."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str


class Agent(SQLModel, table=True):
    """A person of the team, mirrored from deskhand.toml; the name is the identity."""

    __tablename__ = "agent"
    name: str = Field(primary_key=True)
    email: str = ""
    role: str = "agent"
    groups: list[str] = _json()
    active: bool = True
    away_since: datetime | None = _when()
    """Not at the desk since then; null while they are. Nothing is assigned to them by rules."""
    away_until: datetime | None = _when()
    """When they are back by themselves; null until somebody says so."""
    last_assigned_at: datetime | None = _when()
    """When a rule gave them a ticket last: whose turn it is."""


class Group(SQLModel, table=True):
    """A set of agents with a level, mirrored from deskhand.toml."""

    __tablename__ = "desk_group"
    name: str = Field(primary_key=True)
    level: str = "L1"
    active: bool = True


class Customer(SQLModel, table=True):
    """A person who writes to us."""

    __tablename__ = "customer"
    id: int | None = Field(default=None, primary_key=True)
    name: str = ""
    company: str = ""
    tier: str = "standard"
    created_at: datetime = _when(nullable=False)
    merged_into: int | None = Field(default=None, foreign_key="customer.id")
    """The person with whom an agent joined this one; then it has no identities and no tickets of its own."""


class Identity(SQLModel, table=True):
    """An address, chat account or phone of a customer, with the evidence that it is theirs."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("kind", "value"),)
    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    kind: str
    value: str
    """Normalised for comparison: an email address in lower case."""
    display: str = ""
    """The name that came with it last."""
    evidence: str = ""
    created_at: datetime = _when(nullable=False)
    undeliverable_at: datetime | None = _when()
    """When a mail to it came back for good; null once somebody wrote from it or one arrived."""
    undeliverable_code: str = Field(
        default="", sa_column=Column(Text, nullable=False, server_default="")
    )
    """The enhanced status (RFC 3463): ``5.1.1``."""
    undeliverable_reason: str = Field(
        default="", sa_column=Column(Text, nullable=False, server_default="")
    )
    complained_at: datetime | None = _when()
    """When its owner called a mail of ours spam."""


_QUEUED = "status IN ('new','open','pending','on hold') AND spam_at IS NULL AND merged_into IS NULL"
_LISTED = "status <> 'closed' AND spam_at IS NULL AND merged_into IS NULL"
_BY_DUE = ("due_rank", "urgency_rank", "waiting_rank", "id")
OURS = (
    "status IN ('new','open') AND spam_at IS NULL AND merged_into IS NULL AND snoozed_until IS NULL"
    " AND NOT snoozed_until_reply"
)
"""What waits for us: in the other statuses somebody else has to do something."""
_SNOOZED = ("snoozed_until", "snoozed_until_reply")


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


_TICKET_VERSION = Column("version", Integer, nullable=False, default=1, server_default="1")


class Ticket(SQLModel, table=True):
    """One conversation about one matter."""

    __tablename__ = "ticket"
    # Two writers of one ticket: the second one fails instead of overwriting what it has not seen.
    __mapper_args__ = {"version_id_col": _TICKET_VERSION}
    __table_args__ = (
        # The queue in its default order, whole and by assignee, group and status; only what can be
        # in a queue is in the index, with the columns that views leave tickets out by, so that a
        # list and its count never look at a row. SQLite takes the last of equally good indexes:
        # the narrow ones stand at the end.
        _partial("ix_ticket_queue_status", "status", *_BY_DUE, *_SNOOZED, where=_LISTED),
        _partial("ix_ticket_queue_group", "group_name", *_BY_DUE, *_SNOOZED, where=_QUEUED),
        _partial("ix_ticket_queue_assignee", "assignee", *_BY_DUE, *_SNOOZED, where=_QUEUED),
        _partial("ix_ticket_queue", *_BY_DUE, *_SNOOZED, where=_LISTED),
        _partial("ix_ticket_queue_open", *_BY_DUE, "next_due_at", "next_warn_at", where=_QUEUED),
        _partial("ix_ticket_escalated", *_BY_DUE, where=f"escalated_to IS NOT NULL AND {_LISTED}"),
        _partial("ix_ticket_warn", "next_warn_at", where="next_warn_at IS NOT NULL"),
        _partial("ix_ticket_snoozed", "snoozed_until", where="snoozed_until IS NOT NULL"),
        Index("ix_ticket_updated", "updated_at", "id"),
        Index("ix_ticket_customer", "customer_id", "id"),
        # How much each agent has to do, and what waits in a group for somebody to be free.
        _partial(
            "ix_ticket_ours", "assignee", "group_name", "due_rank", "urgency_rank", "id", where=OURS
        ),
        _partial("ix_ticket_conversation", "conversation", "id", where="conversation IS NOT NULL"),
        _partial("ix_ticket_merged", "merged_into", where="merged_into IS NOT NULL"),
    )
    id: int | None = Field(default=None, primary_key=True)
    subject: str = ""
    status: str = "new"
    priority: int = 2
    priority_by: str = "default"
    channel: str = "email"
    account: str | None = None
    conversation: str | None = None
    """The chat in which it goes on (``telegram:bot:4711``): where the next message of it belongs."""
    group_name: str | None = None
    assignee: str | None = None
    level: str | None = None
    topic: str | None = None
    language: str | None = None
    sentiment: float | None = None
    customer_id: int = Field(foreign_key="customer.id")
    created_at: datetime = _when(nullable=False)
    updated_at: datetime = _when(nullable=False)
    snoozed_until: datetime | None = _when()
    snoozed_until_reply: bool = False
    spam_at: datetime | None = _when()
    merged_into: int | None = Field(default=None, foreign_key="ticket.id")
    """The ticket into which an agent merged this one; its messages are there until it is taken out again."""
    looks_like: int | None = None
    """An earlier ticket of the same customer with the same subject, until somebody has decided."""
    resolved_at: datetime | None = _when()
    escalated_to: str | None = None
    """Projection: the level of the escalation that is still open."""
    no_clocks: bool = False
    """Came in by import or from before an account's cut-off date.

    No clock runs until the customer writes again.
    """
    waiting_since: datetime | None = _when()
    """Projection: the oldest customer message that nobody has answered."""
    last_message_at: datetime | None = _when()
    """Projection, with the three below."""
    last_direction: str = "in"
    last_line: str = ""
    message_count: int = 0
    next_metric: str | None = None
    """Projection: the running clock that is due first, with its due and warning times."""
    next_due_at: datetime | None = _when()
    next_warn_at: datetime | None = _when()
    due_rank: int = Field(
        default=FAR_FUTURE_MS, sa_column=Column(BigInteger, nullable=False, default=FAR_FUTURE_MS)
    )
    """Projection, as the next two: the order of the queue, ascending."""
    urgency_rank: int = 2
    waiting_rank: int = Field(
        default=FAR_FUTURE_MS, sa_column=Column(BigInteger, nullable=False, default=FAR_FUTURE_MS)
    )
    policy: str | None = None
    """The policy in force; null where none matches."""
    set_by: dict[str, Any] = _json("{}")
    """Who set a field last, as an actor is written: ``{"topic": "agent:ana", "group": "rule:vip"}``."""
    urgency: int | None = None
    """How urgent the customer's words are (model.Urgency as a number)."""
    wants_person: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    """The customer has asked for a person."""
    contacts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    """How often this customer had written in seven days when they last wrote, that time included."""
    suggested_macro: str | None = None
    """The macro that a rule suggests for it."""
    clocks_version: str = Field(
        default="", sa_column=Column(AutoString, nullable=False, server_default="")
    )
    """Of the policies and calendars that its clocks were made by."""
    version: int = Field(default=1, sa_column=_TICKET_VERSION)


class TicketTag(SQLModel, table=True):
    """A word that a person or a rule put on a ticket."""

    __tablename__ = "ticket_tag"
    __table_args__ = (Index("ix_ticket_tag_tag", "tag", "ticket_id"),)
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    tag: str = Field(primary_key=True)


class TicketLink(SQLModel, table=True):
    """What one ticket has to do with another."""

    __tablename__ = "ticket_link"
    __table_args__ = (UniqueConstraint("ticket_id", "other_id"),)
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id")
    other_id: int = Field(foreign_key="ticket.id", index=True)
    kind: str
    """continues (the other one, which was closed), split (off the other one), related"""


class Message(SQLModel, table=True):
    """Something that came in, goes out, or is a note."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_ticket", "ticket_id", "id"),
        Index("ix_message_message_id", "message_id"),
        Index("uq_message_dedupe_key", "dedupe_key", unique=True),
        Index("ix_message_sender", "from_address", "at"),
        _partial("ix_message_automatic", "at", where="automatic"),
    )
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id")
    """Where it is shown: its home, or the ticket that this was merged into."""
    home_id: int | None = None
    """The ticket it goes back to when the merge is undone; null while it is there."""
    direction: str
    author: str = ""
    """The name to show: the customer's, or the agent's."""
    agent: str | None = None
    channel: str = "email"
    account: str | None = None
    at: datetime = _when(nullable=False)
    """When it reached us, was queued or was written."""
    date: datetime | None = _when()
    """What the Date header says."""
    subject: str = ""
    from_name: str = ""
    from_address: str = ""
    to_list: list[Any] = _json()
    """Lists of [name, address]."""
    cc_list: list[Any] = _json()
    bcc_list: list[Any] = _json()
    reply_to: list[Any] = _json()
    message_id: str | None = None
    in_reply_to: str | None = None
    reference_ids: str = Field(
        default="", sa_column=Column(Text, nullable=False, server_default="")
    )
    """Message-IDs with a blank between them, oldest first."""
    text: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    full_text: str | None = Field(default=None, sa_column=Column(Text))
    """The whole readable body; null where nothing was cut, then it is ``text``."""
    automatic: bool = False
    bounce: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    authentication: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    """What our mail server found out about its sender; ``claims_us`` where it says it is from us."""
    invitation: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    """What a calendar file in it asks for."""
    matched_by: str = ""
    raw_sha256: str | None = None
    raw_size: int = 0
    delivery: str | None = None
    """Projection: the state of the outbox item that carries it."""
    deliveries: list[Any] = _json()
    """What reports told of its recipients, the latest of each: ``{"recipient", "state", "status",
    "reason", "kind", "at", "report"}``."""
    dedupe_key: str | None = None
    defects: str = ""
    aside: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    """Said between the team and somebody who is not the customer: a forward, and what is answered to it."""
    forwards: list[int] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """The messages that it passes on; null where it is no forward."""


class MessageAlias(SQLModel, table=True):
    """A further name of a message in its channel: chats number what we sent only when it is sent,
    and the parts of an album each.
    """

    __tablename__ = "message_alias"
    alias: str = Field(primary_key=True)
    message_row: int = Field(foreign_key="message.id", index=True)


class AttachmentRow(SQLModel, table=True):
    """A file of a message; its bytes lie in the file store under their SHA-256."""

    __tablename__ = "attachment"
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", index=True)
    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool = False
    content_id: str | None = None


class Change(SQLModel, table=True):
    """One action as a person or the engine did it: the unit of undo. Its events point here."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_actor", "actor", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _when(nullable=False)
    actor: str
    cause: str
    summary: str
    """One phrase a person can read: ``status of #42 to resolved``."""
    undone_by: int | None = Field(default=None, foreign_key="change.id")
    undoes: int | None = Field(default=None, foreign_key="change.id")


class Event(SQLModel, table=True):
    """A fact: append-only. The timeline, the audit trail, undo, the clocks' ledger and live updates
    read it.
    """

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_ticket", "ticket_id", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _when(nullable=False)
    name: str
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id")
    actor: str
    cause: str
    data: dict[str, Any] = _json("{}")
    change_id: int | None = Field(default=None, foreign_key="change.id", index=True)


class ClockRow(SQLModel, table=True):
    """One promise on one ticket. A projection of the ticket's events, its policy and its calendar."""

    __tablename__ = "clock"
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    metric: str = Field(primary_key=True)
    policy: str
    calendar: str
    target_s: int
    started_at: datetime = _when(nullable=False)
    state: str
    due_at: datetime | None = _when()
    """Null while paused."""
    warn_at: datetime | None = _when()
    remaining_s: int = 0
    """Working seconds left when the state last changed; what a paused clock shows."""
    ended_at: datetime | None = _when()
    at_risk_told: bool = False
    breached_told: bool = False


class Draft(SQLModel, table=True):
    """What an agent has typed and not yet sent."""

    __tablename__ = "draft"
    agent: str = Field(primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    kind: str = Field(primary_key=True)
    """reply, note or forward"""
    text: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    answers: int | None = None
    """The message that is answered, or forwarded."""
    options: dict[str, Any] = _json("{}")
    """Recipients, files and whatever else was chosen (:class:`workflow.drafts.DraftOptions`)."""
    home_id: int | None = None
    """The merged ticket on which it was begun; null where it is still there."""
    updated_at: datetime = _when(nullable=False)


class Outbox(SQLModel, table=True):
    """One message on its way out. One row is one Message-ID is at most one send."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_message", "message_row", unique=True),
        Index("ix_outbox_ticket", "ticket_id", "id"),
        _partial(
            "ix_outbox_due", "due_at", where="state IN ('held','scheduled','queued','sending')"
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id")
    message_row: int = Field(foreign_key="message.id")
    channel: str = "email"
    account: str
    state: str
    due_at: datetime = _when(nullable=False)
    """Not before this: the end of the undo window, the time it is scheduled for, or of the next
    attempt.
    """
    attempts: int = 0
    error: str | None = None
    claimed_by: str | None = None
    """The lease holder that is sending it."""
    past_the_dot: bool = False
    """Set before the last bytes go out.

    From here on a broken connection leaves the fate unknown.
    """
    parts_done: int = Field(
        default=0, sa_column=Column(Integer, nullable=False, server_default="0")
    )
    """How many of its parts the server has taken; ``past_the_dot`` speaks of the next one."""
    recipients: list[str] = _json()
    message_id: str
    raw_sha256: str
    created_at: datetime = _when(nullable=False)
    sent_at: datetime | None = _when()
    copied_at: datetime | None = _when()
    """When the copy was put into the account's Sent folder."""
    copy_error: str | None = None
    unless_reply: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    """Scheduled only for as long as the customer does not write."""


class Held(SQLModel, table=True):
    """An inbound item kept out of the queue, with its cause."""

    __tablename__ = "held"
    __table_args__ = (
        Index("ix_held_sender", "sender", "reached_at"),
        Index("ix_held_ticket", "ticket_id", "reached_at"),
        _partial("ix_held_waiting", "id", where="state = 'held'"),
        _partial("ix_held_wanted", "account", "id", where="state = 'wanted'"),
        _partial("ix_held_automatic", "reached_at", where="automatic"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _when(nullable=False)
    channel: str = "email"
    account: str | None = None
    cause: str
    evidence: str = ""
    sender: str = ""
    subject: str = ""
    raw_sha256: str
    raw_size: int = 0
    state: str = "held"
    """held; blocked: set aside by a rule; released; wanted: released, its mail still to be fetched;
    discarded"""
    message_row: int | None = Field(default=None, foreign_key="message.id")
    dedupe_key: str | None = Field(default=None, index=True)
    reached_at: datetime | None = _when()
    """When it reached us: where its clocks start if it is released."""
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id")
    """The ticket that it answers."""
    automatic: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    report: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    """A report of delivery."""
    folder: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    """Where its whole mail lies on the server, with the two below."""
    validity: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False, server_default="0")
    )
    position: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False, server_default="0")
    )


class SenderRule(SQLModel, table=True):
    """What a person has decided about all mail of an address, or (``@domain``) of a domain."""

    __tablename__ = "sender_rule"
    pattern: str = Field(primary_key=True)
    """In lower case."""
    allow: bool
    at: datetime = _when(nullable=False)
    by: str
    """The agent."""


class Cursor(SQLModel, table=True):
    """How far a channel account has been read, a row for each folder."""

    __tablename__ = "cursor"
    account: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    validity: int = Field(sa_column=Column(BigInteger, nullable=False))
    """IMAP: UIDVALIDITY (RFC 3501 section 2.3.1.1)."""
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    """IMAP: the last UID that has an outcome."""
    updated_at: datetime = _when(nullable=False)


class Arrival(SQLModel, table=True):
    """The intake ledger: what became of each item that a channel showed us."""

    __tablename__ = "arrival"
    account: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    validity: int = Field(sa_column=Column(BigInteger, primary_key=True))
    position: int = Field(sa_column=Column(BigInteger, primary_key=True))
    at: datetime = _when(nullable=False)
    outcome: str
    cause: str | None = None
    message_row: int | None = None
    held_id: int | None = None


class Lease(SQLModel, table=True):
    """Who does a piece of background work.

    One row for each account, one for sending, one for timers.
    """

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    host: str
    pid: int
    process_started: str = ""
    """Tells a reused process number from the holder."""
    expires_at: datetime = _when(nullable=False)


class Escalation(SQLModel, table=True):
    """A ticket moved up, with its packet."""

    __tablename__ = "escalation"
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    at: datetime = _when(nullable=False)
    by: str
    from_level: str | None = None
    to_level: str
    reason: str
    tried: str = ""
    needed: str = ""
    wanted_by: datetime | None = _when()
    promised: str = ""
    ended_at: datetime | None = _when()
    ack_due_at: datetime | None = _when()
    """When somebody of the level must have accepted it; null where the level promises nothing."""
    ack_told: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    """The acknowledgement has run out, and the next level was told."""
    accepted_at: datetime | None = _when()
    accepted_by: str | None = None
    climbed_from: int | None = Field(default=None, foreign_key="escalation.id")
    """The escalation that nobody accepted and that this one follows."""


class ClockMark(SQLModel, table=True):
    """A moment of a clock that a rule waits for: so long unanswered, so long unresolved. A
    projection, as the clock is.
    """

    __tablename__ = "clock_mark"
    __table_args__ = (_partial("ix_clock_mark_at", "at", where="at IS NOT NULL"),)
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True)
    metric: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    """The name of the rule, ``policy:NAME`` for what a policy itself says."""
    after_s: int
    """Working seconds after the clock's start."""
    at: datetime | None = _when()
    """Null while the clock stands still, and once it was told."""


class RuleTimer(SQLModel, table=True):
    """What a rule does later: so long after an event, or at a time of the calendar."""

    __tablename__ = "rule_timer"
    __table_args__ = (UniqueConstraint("rule", "ticket_id"),)
    id: int | None = Field(default=None, primary_key=True)
    rule: str
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True)
    due_at: datetime = _when(nullable=False, index=True)
    started_at: datetime = _when(nullable=False)
    event_id: int | None = None
    """What it counts from."""


class Firing(SQLModel, table=True):
    """A rule did something, or (shadow) would have: what its guards count."""

    __tablename__ = "firing"
    __table_args__ = (
        Index("ix_firing_ticket", "rule", "ticket_id"),
        Index("ix_firing_customer", "rule", "customer_id", "at"),
        Index("ix_firing_at", "rule", "at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    rule: str
    ticket_id: int | None = None
    customer_id: int | None = None
    at: datetime = _when(nullable=False)
    shadow: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )


class Notice(SQLModel, table=True):
    """Something to be told outside the desk: a webhook, a program, a notification."""

    __tablename__ = "notice"
    __table_args__ = (_partial("ix_notice_due", "due_at", where="state = 'queued'"),)
    id: int | None = Field(default=None, primary_key=True)
    rule: str
    ticket_id: int | None = None
    kind: str
    target: dict[str, Any] = _json("{}")
    body: dict[str, Any] = _json("{}")
    due_at: datetime = _when(nullable=False)
    state: str
    """queued, sending, sent, failed"""
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    error: str | None = None
    created_at: datetime = _when(nullable=False)
    sent_at: datetime | None = _when()


class Learned(SQLModel, table=True):
    """What the desk has learned from its own tickets."""

    __tablename__ = "learned"
    name: str = Field(primary_key=True)
    made_at: datetime = _when(nullable=False)
    examples: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    data: dict[str, Any] = _json("{}")
