"""What a channel must do, and what it says of itself: the same for mail, chat and whatever comes.

docs/write-a-channel.md tells how to write one. A channel knows nothing of tickets: it hands over
what it received (:class:`workflow.inbound.Inbound`) and is given bytes to send that it composed
itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from channels.health import Health
    from channels.tally import Tally
    from workflow.clock import Clock
    from workflow.desk import Desk
    from workflow.files import FileStore
    from workflow.inbound import Inbound, Reader
    from workflow.outbox import Claim
    from workflow.outgoing import Composer, OutgoingFile
    from workflow.receive import CursorMove
    from workflow.settings import ChannelSettings, Settings

__all__ = [
    "Batch",
    "Capabilities",
    "Channel",
    "ChatNames",
    "Check",
    "Fate",
    "Feed",
    "Piece",
    "Post",
    "Progress",
    "Receiver",
    "SendResult",
    "Session",
]


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
    typing: bool = False
    """Whether a customer can be shown that somebody writes."""
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
        return True

    async def send(self, item: Claim, raw: bytes, progress: Progress, /) -> SendResult:
        """Hand over one message, the bytes that the composer made, and say what became of it.

        Raises ChannelFault where nothing of it has left, and nothing can leave over this account
        now.
        """
        ...

    async def typing(self, _address: str, /) -> None:
        """Show the customer for some seconds that somebody writes, where the channel can.

        Raises ChannelFault.
        """
        return

    async def close(self) -> None:
        """Give the connection back, where there is one."""
        return


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

    folder: str
    """The name under which its cursor stands."""
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
        """End a wait, from any thread; nothing to do where :meth:`fetch` never waits long."""
        return

    def close(self) -> None:
        """Give everything back; a later :meth:`fetch` connects anew."""
        return


class Receiver(Protocol):
    """What the engine runs to receive for one account. A channel that gives a :class:`Feed` has one
    (:class:`channels.receiving.FeedReceiver`); mail, which waits for a server, brings its own.

    Its methods are for one thread, except :meth:`look`, :meth:`hurry`,
    :meth:`stop` and :meth:`cut`.
    """

    channel: ChannelSettings

    def receive_once(self, tally: Tally) -> None:
        """Take in what is there and count it; raises DeskError."""
        ...

    def copy_once(self) -> None:
        """Keep a copy of what was sent, where that is the channel's custom; raises DeskError."""
        ...

    def run(self) -> None:
        """Receive until :meth:`stop`; raises nothing."""
        ...

    def look(self) -> None:
        """Something was sent, or a lease came or went."""
        ...

    def hurry(self) -> None:
        """Do not wait for the end of a pause after a fault: somebody has mended what was wrong."""
        ...

    def stop(self) -> None:
        """End :meth:`run` soon."""
        ...

    def cut(self) -> None:
        """End what :meth:`run` still waits for after :meth:`stop`."""
        ...

    def close(self) -> None:
        """Give up what a receiver that does not :meth:`run` holds."""
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """The desk as a receiver needs it. ``may_work`` says whether the account's lease is ours."""

    desk: Desk
    settings: Settings
    files: FileStore
    health: Health
    may_work: Callable[[], bool]


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
class Piece:
    """One message of those that an answer is sent as: its text, and the names of its files."""

    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatNames:
    """How a chat names a message: for ever (``message``, ``dedupe_key``), the place it was said in
    (``conversation``), and where an answer to it goes (``address``).
    """

    message: str
    dedupe_key: str
    conversation: str
    address: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A kind of channel: what it says of itself, and how its parts are made.

    An account receives through what ``feed`` makes (or ``receiver``, if it brings its own loop) and
    sends through what ``session`` opens; each may be None where no account of the kind does. An
    account for which ``receives`` or ``sends`` says no is left out. ``parts`` gives the messages
    that a text and its files will be sent as, to be shown before they are. ``names`` gives the names of a message
    for its account, conversation and number, as a file writes them, and raises ValueError with a
    sentence; None for a channel that is no chat.
    """

    kind: str
    capabilities: Capabilities
    composer: Callable[[Settings, FileStore], Composer]
    reader: Callable[[Settings, FileStore], Reader]
    feed: Callable[[ChannelSettings, FileStore, Clock], Feed] | None = None
    receiver: Callable[[ChannelSettings, Post], Receiver] | None = None
    session: Callable[[ChannelSettings, FileStore], Awaitable[Session]] | None = None
    receives: Callable[[ChannelSettings], bool] = lambda _account: True
    sends: Callable[[ChannelSettings], bool] = lambda _account: True
    check: Callable[[ChannelSettings], Iterator[Check]] | None = None
    parts: Callable[[str, Sequence[OutgoingFile]], list[Piece]] = lambda text, files: [
        Piece(text, tuple(file.name for file in files))
    ]
    names: Callable[[str, str, str], ChatNames] | None = None
