"""What a channel hands to the desk.

One received item, already parsed, its bytes already on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

__all__ = ["Attachment", "Inbound", "Party", "Reader", "Source"]


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody named in a message: a display name (may be empty) and an address of the channel's
    kind.
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; its bytes are in the file store under ``sha256``."""

    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item was found, so that the cursor can move in the transaction that stores it.

    For IMAP: the folder, its UIDVALIDITY and the UID. For a file: everything but ``account`` is
    empty.
    """

    account: str | None
    folder: str = ""
    validity: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class Inbound:
    """One received item.

    ``text`` is the readable body without quoted history, ``full_text`` the whole readable body;
    both have passed :func:`workflow.plaintext.printable`. ``reached_at`` is when it reached us
    (clocks start there), ``date`` what its sender claims. ``in_reply_to`` and ``references`` are
    the Message-IDs it answers, in the order of their headers. ``reply_tokens`` are texts of tokens
    of ours found in its recipients or references, ``subject_tokens`` and ``text_tokens`` those that
    are written in its subject and in its whole text, none of them checked yet. ``own`` marks mail
    that one of our own addresses sent; ``from_sent`` that it lay in the account's own folder of
    sent mail, where nobody but us can put it; ``claims_us`` what says so, and nothing confirms it.
    ``automatic_sign`` is the header by which it is automatic, ``authentication`` what our server
    found out about its sender (docs/json.md), ``loop_ids`` are marks against loops that it carries.

    ``bounce`` is what a report says of a mail of ours that did not arrive, ``notice`` what it says of
    one that did, or of a complaint.

    ``invitation`` is what a calendar file in it asks for, as ``show`` gives it.

    Of channels that are a conversation: ``conversation`` is its key, by which a message joins the
    ticket that goes on. ``aliases`` are further names that the channel may use for this message.
    ``edits`` is the name of an earlier message whose text this one replaces, ``adds_to`` of one
    that it belongs to (a late part of an album), ``deletes`` of those that were taken back; where
    an edited one is not known, this is a message itself. ``handle`` is how the channel shows the
    sender (``@anna``). ``set_aside`` with a ``held_cause``: nobody need decide about it.
    """

    channel: str
    source: Source
    raw_sha256: str
    raw_size: int
    reached_at: datetime
    sender: Party
    subject: str = ""
    date: datetime | None = None
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    reply_to: tuple[Party, ...] = ()
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reply_tokens: tuple[str, ...] = ()
    subject_tokens: tuple[str, ...] = ()
    text_tokens: tuple[str, ...] = ()
    text: str = ""
    full_text: str = ""
    attachments: tuple[Attachment, ...] = ()
    automatic: bool = False
    automatic_sign: str = ""
    bounce: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None
    invitation: dict[str, Any] | None = None
    own: bool = False
    from_sent: bool = False
    claims_us: bool = False
    authentication: dict[str, Any] | None = None
    loop_ids: tuple[str, ...] = ()
    before_cutoff: bool = False
    dedupe_key: str = ""
    held_cause: str | None = None
    held_evidence: str = ""
    defects: tuple[str, ...] = ()
    conversation: str = ""
    aliases: tuple[str, ...] = ()
    edits: str | None = None
    adds_to: str | None = None
    deletes: tuple[str, ...] = ()
    handle: str = ""
    set_aside: bool = False

    @property
    def is_a_word(self) -> bool:
        """Whether it is a customer's own word of today, which opens tickets and owes an answer."""
        return not (self.own or self.claims_us or self.automatic or self.before_cutoff)


class Reader(Protocol):
    """A channel's way of reading an item again from its bytes: what a held item is released by."""

    def read(self, raw: bytes, account: str | None, at: datetime) -> Inbound:
        """The item as it would come in now; ``at`` is when the desk got it.

        Raises StoreError only.
        """
        ...
