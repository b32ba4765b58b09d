"""The words of the desk as values.

Statuses, priorities, outcomes, and what travels between the packages.

Nothing here touches a database or a screen, and importing it costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

__all__ = [
    "CUSTOMER",
    "ENGINE",
    "FAR_FUTURE_MS",
    "UNRESOLVED",
    "Actor",
    "ClockState",
    "Delivery",
    "Direction",
    "Intake",
    "Metric",
    "OutboxState",
    "Priority",
    "Status",
    "Urgency",
    "from_millis",
    "moment",
    "rfc3339",
    "to_millis",
]

FAR_FUTURE_MS = 9_007_199_254_740_991
"""Sorts after every real instant; stored where a ticket has no due time (2**53 - 1, exact in JSON
too).
"""


class Status(StrEnum):
    """Whose turn it is. Snoozed, spam and merged are marks beside the status, not statuses."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on hold"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @classmethod
    def parse(cls, word: str) -> Status:
        """The status for a word as people type it (``On-Hold``); raises ValueError with the words
        that fit.
        """
        try:
            return cls(" ".join(word.lower().replace("-", " ").replace("_", " ").split()))
        except ValueError:
            raise ValueError(f"status {word!r} is not one of {', '.join(cls)}") from None


UNRESOLVED = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)


class Priority(IntEnum):
    """How urgent a ticket is; stored as its number so that ``priority>=high`` is a comparison."""

    UNSET = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4

    @property
    def word(self) -> str:
        """The word a person reads and types."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Priority:
        """The priority for a word; raises ValueError with the words that fit."""
        try:
            return cls[word.strip().upper()]
        except KeyError:
            known = ", ".join(p.word for p in cls)
            raise ValueError(f"priority {word!r} is not one of {known}") from None


class Urgency(IntEnum):
    """How urgent the words of a customer are, as triage hears them; stored as its number."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The word a person reads and types."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Urgency:
        """The urgency for a word; raises ValueError with the words that fit."""
        try:
            return cls[word.strip().upper()]
        except KeyError:
            known = ", ".join(u.word for u in cls)
            raise ValueError(f"urgency {word!r} is not one of {known}") from None


class Direction(StrEnum):
    """Where a message went."""

    IN = "in"
    OUT = "out"
    NOTE = "note"


class Metric(StrEnum):
    """What a clock promises."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    UPDATE = "update"
    RESOLUTION = "resolution"

    @property
    def letter(self) -> str:
        """The letter that stands for the clock in a queue row."""
        return {"first_response": "F", "next_response": "N", "update": "U", "resolution": "R"}[self]


class ClockState(StrEnum):
    """breached: ran out and is still owed; missed: met too late; stopped: no longer applies."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    MISSED = "missed"
    STOPPED = "stopped"


class Intake(StrEnum):
    """What became of an item from a channel. There is no fifth outcome."""

    CREATED = "created"
    APPENDED = "appended"
    DUPLICATE = "duplicate"
    HELD = "held"


class OutboxState(StrEnum):
    """held: inside the undo window; cancelled: taken back by a person; failed: needs a person."""

    HELD = "held"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


Delivery = OutboxState
"""A message's delivery is the state of its outbox item, kept on the message for reading."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changed something: an agent, the engine, a rule, a customer."""

    kind: str
    name: str = ""

    @property
    def wire(self) -> str:
        """How the actor is written in events and JSON: ``agent:ana``, ``rule:vip``, ``engine``."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def parse(cls, wire: str) -> Actor:
        """The actor for its written form."""
        kind, _, name = wire.partition(":")
        return cls(kind, name)

    @classmethod
    def agent(cls, name: str) -> Actor:
        """A person of the team."""
        return cls("agent", name)


ENGINE = Actor("engine")
CUSTOMER = Actor("customer")


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC, the form in which the store keeps time."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return round(moment.timestamp() * 1000)


def from_millis(millis: int) -> datetime:
    """The aware UTC moment for stored milliseconds."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def moment(millis: int | None) -> datetime | None:
    """The moment of stored milliseconds that may be missing."""
    return None if millis is None else from_millis(millis)


def rfc3339(moment: datetime | None) -> str | None:
    """A moment as the JSON contract writes it (RFC 3339, UTC, whole seconds)."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
