"""What the desk asks of a channel when an answer is written.

Make the one message, whole, before anything is queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workflow.errors import Refusal
from workflow.inbound import Party

__all__ = [
    "Answered",
    "Composed",
    "Composer",
    "OutgoingFile",
    "OutgoingMessage",
    "chat_of",
    "recipients_of",
]

_KEPT_REFERENCES = 20
"""The first and the last ones: what mail clients thread by, short enough for every server (RFC 5322
section 3.6.4).
"""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file that goes with an answer; its bytes are in the file store."""

    name: str
    content_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that an answer is to: what recipients, subject and threading are taken from."""

    sender: Party
    reply_to: tuple[Party, ...]
    to: tuple[Party, ...]
    cc: tuple[Party, ...]
    message_id: str | None
    references: tuple[str, ...]
    at: datetime
    text: str
    was_ours: bool = False

    def chain(self) -> tuple[str, ...]:
        """The References of an answer: those of this message and its own id, shortened in the
        middle.
        """
        chain = [*self.references, *([self.message_id] if self.message_id else [])]
        if len(chain) > _KEPT_REFERENCES:
            chain = [chain[0], *chain[-(_KEPT_REFERENCES - 1) :]]
        return tuple(chain)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """An answer as it is to be sent, before a channel has given it its form."""

    ticket: int
    account: str
    agent: str
    subject: str
    text: str
    to: tuple[Party, ...]
    cc: tuple[Party, ...]
    bcc: tuple[Party, ...]
    files: Sequence[OutgoingFile]
    answered: Answered | None
    token: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Composed:
    """The finished message: its one id for ever, and its bytes in the file store."""

    message_id: str
    raw_sha256: str
    raw_size: int
    from_name: str
    from_address: str
    recipients: tuple[str, ...]
    conversation: str = ""
    """The chat that it is said in, where the channel has such."""


class Composer(Protocol):
    """A channel's way of making a message. It stores the bytes durably before it returns."""

    def compose(self, message: OutgoingMessage) -> Composed:
        """The finished message; raises Refusal when the channel cannot carry it."""
        ...


def chat_of(answered: Answered) -> tuple[Party, ...]:
    """Where an answer in a chat goes: to the place that was written in."""
    if answered.reply_to:
        return answered.reply_to[:1]
    first = answered.to[:1] if answered.was_ours else (answered.sender,)
    return tuple(party for party in first if party.address)


def recipients_of(
    answered: Answered, own: frozenset[str], reply_all: bool
) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """Who gets the answer, as (To, Cc): Reply-To, else From.

    For all, also To and Cc without our own addresses.

    ``own`` are our addresses in lower case. An answer to a message of ours goes to those it went
    to. Raises Refusal when nobody is left.
    """
    if answered.was_ours:
        first = answered.to
    else:
        first = answered.reply_to or ((answered.sender,) if answered.sender.address else ())
    to = _without(first, own, set())
    seen = {party.address.lower() for party in to}
    cc: tuple[Party, ...] = ()
    if reply_all:
        others = answered.cc if answered.was_ours else (*answered.to, *answered.cc)
        cc = _without(others, own, seen)
    if not to:
        raise Refusal(
            "the message has no address to answer: give the recipient yourself (To) and send again"
        )
    return to, cc


def _without(parties: Sequence[Party], own: frozenset[str], seen: set[str]) -> tuple[Party, ...]:
    kept: list[Party] = []
    for party in parties:
        address = party.address.lower()
        if "@" in address and address not in own and address not in seen:
            seen.add(address)
            kept.append(party)
    return tuple(kept)
