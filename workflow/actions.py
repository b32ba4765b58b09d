"""The one vocabulary of change: every key, button, command, macro and rule builds one of these
values.

Applying them is :mod:`workflow.apply`, doing it in a transaction with its events is
:mod:`workflow.desk`. Importing this module is cheap, so that a screen can build actions without
loading the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

__all__ = [
    "Accept",
    "Action",
    "AddTags",
    "Assign",
    "CancelSend",
    "DiscardHeld",
    "DismissSuggestion",
    "Escalate",
    "Forward",
    "HandBack",
    "JoinCustomers",
    "Link",
    "MarkSpam",
    "Merge",
    "NewTicket",
    "Note",
    "ReleaseHeld",
    "RemoveTags",
    "Reply",
    "RetrySend",
    "RuleSender",
    "SetField",
    "SetPresence",
    "SetPriority",
    "SetStatus",
    "Signal",
    "Snooze",
    "Split",
    "SplitCustomer",
    "Unlink",
    "Unmerge",
    "Unsnooze",
]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be asked of the desk.

    ``word`` is its name in rules, the palette and the change log.
    """

    word: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class SetStatus(Action):
    """Move a ticket to a status (one of model.Status as a word)."""

    word: ClassVar[str] = "set status"
    ticket: int
    status: str


@dataclass(frozen=True, slots=True)
class SetPriority(Action):
    """Set how urgent a ticket is (one of model.Priority as a number)."""

    word: ClassVar[str] = "set priority"
    ticket: int
    priority: int


@dataclass(frozen=True, slots=True)
class SetField(Action):
    """Set one of ``topic``, ``language``, ``urgency``, ``sentiment``, ``wants-person``, ``level``,
    ``subject``, ``policy``, ``tier``, ``company``.

    None clears it; for ``policy`` it leaves the choice to the first that matches. What an agent
    sets of the first five stays, whatever triage says later; topics that agents set are what it
    learns from.

    ``tier`` and ``company`` belong to the ticket's customer.
    """

    word: ClassVar[str] = "set field"
    ticket: int
    field: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Assign(Action):
    """Give a ticket to an agent, a group, or both; ``""`` clears, None leaves as it is.

    ``level`` is for another level than the group's own.
    """

    word: ClassVar[str] = "assign"
    ticket: int
    assignee: str | None = None
    group: str | None = None
    level: str | None = None


@dataclass(frozen=True, slots=True)
class AddTags(Action):
    """Put words on a ticket."""

    word: ClassVar[str] = "tag"
    ticket: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveTags(Action):
    """Take words off a ticket."""

    word: ClassVar[str] = "untag"
    ticket: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snooze(Action):
    """Put a ticket out of sight until a moment, or (``until`` None) until the customer writes."""

    word: ClassVar[str] = "snooze"
    ticket: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Unsnooze(Action):
    """Bring a snoozed ticket back."""

    word: ClassVar[str] = "wake"
    ticket: int


@dataclass(frozen=True, slots=True)
class Note(Action):
    """Write something that only the team sees."""

    word: ClassVar[str] = "note"
    ticket: int
    text: str


@dataclass(frozen=True, slots=True)
class Reply(Action):
    """Queue an answer to the customer.

    Recipients come from the message that is answered (``answers``: its row, None for the newest
    customer message); ``to`` and ``cc`` replace them when a person edited them; ``reply_all`` adds
    the other recipients. ``attachments`` are (name, content type, sha256, size) of files already in
    the file store. ``undo_window_s`` None takes the account's. ``expect_last`` is the newest
    message that the writer had seen: the reply is refused if there is a newer one of somebody else.
    ``account`` names the account to send through; None takes that of the message that is answered,
    or the one that reaches ``to``. ``via`` is the row of another identity of the same person: the
    answer goes to that one alone, over its channel.

    ``sender`` is the address of ours that it comes from (None: the one that was written to),
    ``subject`` replaces that of the answered message. ``signature`` False leaves the signature of
    whoever sends away. ``unless_reply``: what is scheduled is taken back if the customer writes
    before ``send_at``. ``automatic``: a machine answers, and the message says so.
    """

    word: ClassVar[str] = "reply"
    ticket: int
    text: str
    to_status: str | None = None
    answers: int | None = None
    reply_all: bool = False
    to: tuple[str, ...] | None = None
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] = ()
    attachments: tuple[tuple[str, str, str, int], ...] = ()
    send_at: datetime | None = None
    undo_window_s: int | None = None
    expect_last: int | None = None
    account: str | None = None
    via: int | None = None
    sender: str | None = None
    subject: str | None = None
    signature: bool = True
    unless_reply: bool = False
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Forward(Action):
    """Pass a conversation, or one message of it (``message``), on to somebody who is not the
    customer. It goes to nobody but those who are named, and stops no clock.

    ``attachments`` are files in the file store, those of the messages among them where they are to
    go along. The rest is as for :class:`Reply`.
    """

    word: ClassVar[str] = "forward"
    ticket: int
    to: tuple[str, ...]
    text: str = ""
    message: int | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    attachments: tuple[tuple[str, str, str, int], ...] = ()
    send_at: datetime | None = None
    undo_window_s: int | None = None
    expect_last: int | None = None
    sender: str | None = None
    subject: str | None = None
    signature: bool = True


@dataclass(frozen=True, slots=True)
class Escalate(Action):
    """Move a ticket up to a level, with what the next person needs to know.

    Without ``urgent`` its people are told in the hours they chose.
    """

    word: ClassVar[str] = "escalate"
    ticket: int
    reason: str
    to_level: str | None = None
    tried: str = ""
    needed: str = ""
    wanted_by: datetime | None = None
    promised: str = ""
    urgent: bool = True


@dataclass(frozen=True, slots=True)
class Accept(Action):
    """Say that an escalated ticket is yours now: its acknowledgement clock stops."""

    word: ClassVar[str] = "accept"
    ticket: int


@dataclass(frozen=True, slots=True)
class HandBack(Action):
    """Give an escalated ticket back to who had it before, with a note."""

    word: ClassVar[str] = "hand back"
    ticket: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkSpam(Action):
    """Take a ticket out of every view as spam, or (``spam`` False) bring it back."""

    word: ClassVar[str] = "spam"
    ticket: int
    spam: bool = True


@dataclass(frozen=True, slots=True)
class Merge(Action):
    """Say that a ticket is about the same matter as another: that one has its messages from now on."""

    word: ClassVar[str] = "merge"
    ticket: int
    into: int


@dataclass(frozen=True, slots=True)
class Unmerge(Action):
    """Take a merged ticket out again, with everything that is its own."""

    word: ClassVar[str] = "unmerge"
    ticket: int


@dataclass(frozen=True, slots=True)
class Split(Action):
    """Make a ticket of its own of a message and all that came after it, or (``only``) of it alone."""

    word: ClassVar[str] = "split"
    ticket: int
    message: int
    only: bool = False


@dataclass(frozen=True, slots=True)
class Link(Action):
    """Say that two tickets have to do with each other."""

    word: ClassVar[str] = "link"
    ticket: int
    other: int


@dataclass(frozen=True, slots=True)
class Unlink(Action):
    """Say that two tickets have nothing to do with each other after all."""

    word: ClassVar[str] = "unlink"
    ticket: int
    other: int


@dataclass(frozen=True, slots=True)
class DismissSuggestion(Action):
    """Say that a ticket is not about the matter of the one it looks like."""

    word: ClassVar[str] = "dismiss suggestion"
    ticket: int


@dataclass(frozen=True, slots=True)
class NewTicket(Action):
    """Open a ticket by hand for a phone call or a visit."""

    word: ClassVar[str] = "new ticket"
    customer_address: str
    customer_name: str
    subject: str
    text: str
    channel: str = "phone"


@dataclass(frozen=True, slots=True)
class CancelSend(Action):
    """Take a reply back before it leaves; its text becomes the writer's draft again."""

    word: ClassVar[str] = "cancel send"
    outbox: int


@dataclass(frozen=True, slots=True)
class RetrySend(Action):
    """Queue a failed send again. Only a person decides that about a send whose fate is unknown."""

    word: ClassVar[str] = "retry send"
    outbox: int


@dataclass(frozen=True, slots=True)
class ReleaseHeld(Action):
    """Let a held item into the queue; one of which only the header is here is fetched first."""

    word: ClassVar[str] = "release"
    held: int


@dataclass(frozen=True, slots=True)
class DiscardHeld(Action):
    """Decide that a held item is not wanted; its bytes stay in the file store."""

    word: ClassVar[str] = "discard"
    held: int


@dataclass(frozen=True, slots=True)
class RuleSender(Action):
    """Let mail of a sender in from now on, or set it aside; ``allow`` None leaves it to the checks
    again.

    ``pattern`` is an address, or ``@domain`` for everybody there.
    """

    word: ClassVar[str] = "rule sender"
    pattern: str
    allow: bool | None


@dataclass(frozen=True, slots=True)
class JoinCustomers(Action):
    """Say that two customers are one person: ``keep`` has everything of ``other`` from now on."""

    word: ClassVar[str] = "join customers"
    keep: int
    other: int


@dataclass(frozen=True, slots=True)
class SplitCustomer(Action):
    """Say that a customer who was joined with somebody is a person of their own after all."""

    word: ClassVar[str] = "split customer"
    customer: int


@dataclass(frozen=True, slots=True)
class SetPresence(Action):
    """Say that an agent is away (until a moment, or until they are back), or ``here``."""

    word: ClassVar[str] = "presence"
    agent: str
    here: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signal(Action):
    """Tell what another system knows of a customer: a failed login, a signup, an order."""

    word: ClassVar[str] = "customer event"
    customer: int
    event: str
    data: tuple[tuple[str, str], ...] = ()
