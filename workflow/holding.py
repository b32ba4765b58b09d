"""Whether a received item is kept out of the queue: what its channel objects to, what a person has
decided about its sender, and the caps against loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workflow.caps import Counts, count_recent
from workflow.inbound import Inbound
from workflow.model import Direction
from workflow.settings import Settings
from workflow.store.statements import col, columns
from workflow.store.store import Transaction
from workflow.store.tables import Message, SenderRule
from workflow.tokens import TOKEN, check_token

__all__ = [
    "BLOCKED",
    "CLAIMS_US",
    "FAILED_CHECK",
    "SPAM",
    "TOO_LARGE",
    "UNKNOWN_ADDRESS",
    "UNREADABLE",
    "Gate",
    "Objection",
    "open_gate",
    "pattern_of",
]

UNREADABLE = "could not be read"
"""The cause of a mail that no reader understood; its bytes are kept."""
TOO_LARGE = "too large"
"""The cause of a mail over its account's ``max_size``."""
SPAM = "spam"
"""The team's own mail server calls it that."""
FAILED_CHECK = "failed check"
"""The mail server found that it is not from whom it says."""
CLAIMS_US = "says it is from us"
"""The same for one of our own addresses."""
UNKNOWN_ADDRESS = "unknown address"
"""It was delivered for an address that is no account of ours."""
AMONG_US = "among ourselves"
"""The cause of mail that the team wrote to itself in another program: no ticket's, so set aside."""
BLOCKED = "blocked sender"
"""A person has decided that nobody need look at mail of this sender."""

_ALLOWED = frozenset((SPAM, FAILED_CHECK, UNKNOWN_ADDRESS))
"""What a rule lets through; a cap is not even looked at."""
_CHUNK = 800
_SAME_DATE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an item is kept out, and in what state of ``held`` it begins."""

    cause: str
    evidence: str = ""
    state: str = "held"


@dataclass(frozen=True, slots=True)
class _Rule:
    allow: bool
    pattern: str
    by: str
    at: datetime


@dataclass(slots=True)
class Gate:
    """What is known for judging the items of a batch."""

    counts: Counts
    rules: dict[str, _Rule] = field(default_factory=dict)
    ours: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    """Mail of ours by its Message-ID: its ticket and its Date."""

    def came_back(self, item: Inbound) -> int | None:
        """The ticket of the mail of ours that an item is, as it comes back from a list or a forward
        that has put another sender on it; None if it is none.

        Its id could be known to others, so its Date must be the same as well, unless it says itself
        that it is from us.
        """
        for name in (item.message_id, *item.loop_ids):
            found = self.ours.get(name or "")
            if found is None:
                continue
            ticket, date = found
            same = item.date is not None and date is not None and abs(item.date - date) < _SAME_DATE
            if same or item.own:
                return ticket
        return None

    def judge(self, item: Inbound, ticket: int | None) -> Objection | None:
        """Why an item is kept out; ``ticket`` is the one it answers. None lets it in."""
        if item.held_cause == AMONG_US:
            # On a ticket it is what one of us wrote about it, else nobody's matter here.
            return None if ticket is not None else Objection(AMONG_US, state="discarded")
        if item.own:
            return Objection(item.held_cause, item.held_evidence) if item.held_cause else None
        rule = self.rule_of(item.sender.address)
        if rule is not None and not rule.allow and item.held_cause != UNREADABLE:
            said = f"{rule.by} blocked {rule.pattern.lstrip('@')} on {rule.at:%Y-%m-%d}"
            return Objection(BLOCKED, said, "blocked")
        allowed = rule is not None and rule.allow
        if item.held_cause and not (allowed and item.held_cause in _ALLOWED):
            state = "discarded" if item.set_aside else "held"
            return Objection(item.held_cause, item.held_evidence, state)
        broken = None if allowed else self.counts.judge(item, ticket)
        return Objection(*broken) if broken is not None else None

    def rule_of(self, address: str) -> _Rule | None:
        """The rule about a sender; one about the address wins over one about its domain."""
        return self.rules.get(address.lower()) or self.rules.get(pattern_of(address, domain=True))


def pattern_of(address: str, *, domain: bool) -> str:
    """How a rule about an address, or its whole domain, is stored."""
    return f"@{address.rpartition('@')[2]}".lower() if domain else address.lower()


def open_gate(
    transaction: Transaction,
    items: Sequence[Inbound],
    settings: Settings,
    secret: bytes,
    tickets: Sequence[int],
) -> Gate:
    """Read what a batch has to be judged by, with a fixed number of statements for each chunk;
    ``tickets`` are those that its items may answer.
    """
    gate = Gate(count_recent(transaction, items, tickets, settings.caps))
    _load_rules(gate, transaction, items)
    _load_ours(gate, transaction, items, secret)
    return gate


def _load_rules(gate: Gate, transaction: Transaction, items: Sequence[Inbound]) -> None:
    wanted: set[str] = set()
    for item in items:
        # History is taken as it is.
        if item.sender.address and not (item.own or item.before_cutoff or item.conversation):
            wanted.add(item.sender.address.lower())
            wanted.add(pattern_of(item.sender.address, domain=True))
    names = sorted(wanted)
    for start in range(0, len(names), _CHUNK):
        found = transaction.connection.execute(
            columns(
                col(SenderRule.pattern),
                col(SenderRule.allow),
                col(SenderRule.by),
                col(SenderRule.at),
            ).where(col(SenderRule.pattern).in_(names[start : start + _CHUNK]))
        )
        for pattern, allow, by, at in found:
            gate.rules[pattern] = _Rule(allow, pattern, by, at)


def _load_ours(
    gate: Gate, transaction: Transaction, items: Sequence[Inbound], secret: bytes
) -> None:
    names = sorted(
        {
            name
            for item in items
            for name in (item.message_id, *item.loop_ids)
            if name is not None
            and (token := TOKEN.match(name, 1)) is not None
            and check_token(secret, token[0]) is not None
        }
    )
    for start in range(0, len(names), _CHUNK):
        found = transaction.connection.execute(
            columns(col(Message.message_id), col(Message.ticket_id), col(Message.date)).where(
                col(Message.message_id).in_(names[start : start + _CHUNK]),
                col(Message.direction) != Direction.IN.value,
            )
        )
        for name, ticket, date in found:
            gate.ours[name or ""] = (ticket, date)
