"""What the desk asks of a channel when an answer is written.

Make the one message, whole, before anything is queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workflow.addresses import typed_text
from workflow.inbound import Party
from workflow.plaintext import one_line, printable

__all__ = [
    "Answered",
    "Composed",
    "Composer",
    "OutgoingFile",
    "OutgoingMessage",
    "forward_subject",
    "forwarded_text",
    "reply_subject",
]

_FORWARD_MARKS = ("fwd:", "fw:", "wg:", "tr:", "rv:", "enc:")
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
    subject: str = ""

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
    """An answer as it is to be sent, before a channel has given it its form.

    ``sender`` is the address it comes from, where the account has several; ``signature`` stands
    below the text and above the history. ``answered`` is the history that a reply carries,
    ``forwarded`` what is passed on to somebody else, oldest first.
    """

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
    sender: str = ""
    signature: str = ""
    forwarded: Sequence[Answered] = ()
    automatic: bool = False
    """Nobody has looked at it: it says so where the channel has a word for that."""


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


def reply_subject(subject: str) -> str:
    """``Re:`` once, whatever stood there (RFC 5322 section 3.6.5)."""
    bare = one_line(subject)
    return bare if bare[:3].lower() == "re:" else f"Re: {bare}"


def forward_subject(subject: str) -> str:
    """``Fwd:`` once."""
    bare = one_line(subject)
    return bare if bare.lower().startswith(_FORWARD_MARKS) else f"Fwd: {bare}".rstrip()


def forwarded_text(forwarded: Sequence[Answered]) -> str:
    """The messages that are passed on as a person reads them: who wrote when to whom, and what."""
    return "\n\n".join(_one(message) for message in forwarded)


def _one(message: Answered) -> str:
    lines = [
        "---------- Forwarded message ----------",
        f"From: {_people([message.sender])}",
        f"Date: {message.at:%Y-%m-%d %H:%M} UTC",
        f"Subject: {one_line(message.subject, 300)}",
        f"To: {_people(message.to)}",
    ]
    if message.cc:
        lines.append(f"Cc: {_people(message.cc)}")
    return "\n".join([*lines, "", printable(message.text).strip("\n")])


def _people(parties: Sequence[Party]) -> str:
    return ", ".join(typed_text(Party(one_line(p.name, 200), one_line(p.address))) for p in parties)
