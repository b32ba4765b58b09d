"""What a channel must do, and what it says of itself: the same for mail, chat and whatever comes.

docs/write-a-channel.md tells how to write one. A channel knows nothing of tickets: it hands over
what it received (:class:`workflow.inbound.Inbound`) and is given bytes to send that it composed
itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from workflow.errors import DeskError
from workflow.files import FileStore
from workflow.inbound import Inbound, Reader
from workflow.outbox import Claim
from workflow.outgoing import Composer
from workflow.receive import CursorMove
from workflow.settings import ChannelSettings, Settings

__all__ = [
    "AccountRefused",
    "Batch",
    "Capabilities",
    "Channel",
    "ChannelFault",
    "Check",
    "Fate",
    "Feed",
    "Progress",
    "SendResult",
    "Session",
    "Unreachable",
]


class ChannelFault(DeskError):
    """A channel's server could not be used; the text is the sentence for a person."""


class Unreachable(ChannelFault):
    """No connection, or it broke, or the server is busy: time may mend it.

    ``wait_s`` is how long the server asked to be left alone.
    """

    def __init__(self, sentence: str, wait_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class AccountRefused(ChannelFault):
    """The server does not take the account (a password, a token): somebody has to mend it."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry, so that a person sees it before sending."""

    longest_text: int | None = None
    """Characters of one message as the channel counts them; a longer answer is sent in parts."""
    attachments: bool = True
    longest_file: int | None = None
    """Bytes of one file."""
    formatting: bool = False
    """Whether text may carry marks (bold, links) that the customer sees as such."""
    edits: bool = False
    """Whether a customer can change or delete what they wrote."""
    receipts: tuple[str, ...] = ("sent", "failed")
    """Which of sent, delivered, read and failed the channel tells."""
    starts: str = "anyone"
    """Who may write first: ``anyone``, or ``customer``."""


class Fate(StrEnum):
    """What became of a message that was to be sent."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The fate of one message.

    ``words``: what the server said, or a sentence that says what happened and what to do next.
    ``wait_s``: with ``later``, how long the server asked to wait, if it did. ``note``: with
    ``sent``, a sentence about what went wrong all the same.
    """

    fate: Fate
    words: str
    wait_s: float | None = None
    note: str | None = None


class Progress(Protocol):
    """The memory of one message on its way, on disk before each call returns."""

    @property
    def parts_done(self) -> int:
        """How many parts of the message the server has taken in earlier attempts."""
        ...

    async def leaving(self) -> bool:
        """Say that the next bytes may make the server take the message or its next part.

        False if they must not leave: the message is no longer ours. Until the fate is told (or
        :meth:`part_taken`) a crash means that nobody knows.
        """
        ...

    async def part_taken(self, ids: Sequence[str] = ()) -> None:
        """Say that one more part was taken; ``ids`` are the names by which the channel will speak
        of it (when a customer answers it).
        """
        ...


class Session(Protocol):
    """A way out that is open: one connection to a server, or what stands for it."""

    @property
    def is_open(self) -> bool:
        """Whether it can carry another message."""
        ...

    async def send(self, item: Claim, raw: bytes, progress: Progress) -> SendResult:
        """Hand over one message, the bytes that the composer made.

        Raises nothing: every fault is a fate.
        """
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What was received, in its order, and how far the cursor moves when it is stored."""

    items: tuple[Inbound, ...]
    move: CursorMove
    left: int = 0
    """How many more wait that are known of."""


class Feed(Protocol):
    """A way in: hands over what is new after a cursor. Its methods are for one thread, except
    :meth:`interrupt`.
    """

    waits: str
    """What a screen says while nothing comes: ``waiting for messages``."""

    def fetch(self, cursor: tuple[int, int] | None, wait_s: float) -> Batch | None:
        """The next items after ``cursor`` (validity and position, None at the first time), or None
        when nothing came within about ``wait_s`` seconds or :meth:`interrupt` was called.

        What it gives is asked for again until the cursor has moved past it. Raises Unreachable,
        AccountRefused, SettingsError and StoreError.
        """
        ...

    def interrupt(self) -> None:
        """End a wait, from any thread."""
        ...

    def close(self) -> None:
        """Give everything back; a later :meth:`fetch` connects anew."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that ``doctor`` tried. A fault's sentence holds its remedy; ``remedy`` is for what
    could be better.
    """

    about: str
    ok: bool
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A kind of channel: what it says of itself, and how to make its parts.

    ``feed`` and ``session`` are None where an account of this kind never receives or never sends;
    either may give None for one account (mail without IMAP). ``address`` brings an address of this
    kind that a person typed into its form, and raises ValueError with a sentence for what is none.
    """

    kind: str
    capabilities: Capabilities
    composer: Callable[[Settings, FileStore], Composer]
    reader: Callable[[Settings, FileStore], Reader]
    feed: Callable[[ChannelSettings, Settings, FileStore], Feed | None] | None = None
    session: Callable[[ChannelSettings, FileStore], Awaitable[Session]] | None = None
    sends: Callable[[ChannelSettings], bool] = field(default=lambda _account: True)
    check: Callable[[ChannelSettings], Iterator[Check]] | None = None
