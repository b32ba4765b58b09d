"""A channel of plain text from two functions: one that looks for new messages, one that delivers an
answer. Enough for text messages, a log, a social network's inbox; what is richer implements
:mod:`channels.contract` itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from channels.contract import (
    Batch,
    Capabilities,
    Channel,
    ChatNames,
    Fate,
    Feed,
    Progress,
    SendResult,
    Session,
)
from channels.faults import ChannelFault
from workflow.clock import Clock
from workflow.errors import NotFound, Refusal
from workflow.files import FileStore
from workflow.inbound import Inbound, Party, Source
from workflow.outbox import Claim
from workflow.outgoing import Composed, OutgoingMessage
from workflow.plaintext import one_line, printable
from workflow.receive import CursorMove
from workflow.settings import ChannelSettings

__all__ = ["Deliver", "Letter", "Look", "plain_channel"]

_SUBJECT = 80
_FOLDER = "in"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that came in. ``number`` counts up within the account and names it for ever;
    ``address`` is where an answer goes, and stands for the customer and the conversation. ``at`` is
    when it reached the channel, now if nothing is known.
    """

    number: int
    name: str
    address: str
    text: str
    at: datetime | None = None


Look = Callable[[ChannelSettings, int], Iterable[Letter]]
"""The letters of an account whose number is higher, lowest first.

Called in a thread, may block for some seconds. What it gives is asked for again until it is stored.
Raises :class:`channels.faults.Unreachable` or :class:`channels.faults.AccountRefused`.
"""

Deliver = Callable[[ChannelSettings, str, str], None]
"""Sends a text to an address. Called in a thread.

Raises ChannelFault where nothing has left and it may be tried again, Refusal where it never will be
taken. After any other fault nobody knows whether it was taken, and a person decides.
"""

PLAIN = Capabilities(attachments=False, starts="customer")


def plain_channel(
    kind: str, look: Look, deliver: Deliver, capabilities: Capabilities = PLAIN
) -> Channel:
    """The channel of a kind, to be named by an entry point."""

    async def session(account: ChannelSettings, _files: FileStore) -> Session:
        return _PlainSession(account, deliver)

    return Channel(
        kind=kind,
        capabilities=capabilities,
        composer=lambda _settings, files: _PlainForm(kind, files),
        reader=lambda _settings, files: _PlainForm(kind, files),
        feed=lambda account, files, clock: _PlainFeed(kind, account, files, clock, look),
        session=session,
        names=lambda account, address, number: _names(kind, account, address, number),
    )


def _names(kind: str, account: str, address: str, number: object) -> ChatNames:
    """How a letter is named: its address is also its conversation."""
    address = one_line(address, 200)
    name = f"{kind}.{account}.{address}.{one_line(str(number), 200)}"
    conversation = f"{kind}:{account}:{address.lower()}"
    return ChatNames(f"<{name}>", f"{kind}:{name}", conversation, address)


class _PlainForm:
    """Composer and reader: the bytes of an answer are its text, those of a letter its JSON."""

    def __init__(self, kind: str, files: FileStore) -> None:
        self._kind = kind
        self._files = files

    def compose(self, message: OutgoingMessage) -> Composed:
        if message.files:
            raise Refusal(f"{self._kind} carries no files: send a link, or answer by mail")
        if len(message.to) != 1 or message.cc or message.bcc:
            raise Refusal(
                f"an answer over {self._kind} goes to one address: leave Cc and Bcc empty"
            )
        raw, address = printable(message.text).encode("utf-8"), message.to[0].address
        return Composed(
            message_id=f"<{self._kind}.{message.account}.{secrets.token_hex(16)}>",
            raw_sha256=self._files.put(raw),
            raw_size=len(raw),
            from_name="",
            from_address=message.account,
            recipients=(address,),
            conversation=_names(self._kind, message.account, address, 0).conversation,
        )

    def read(self, raw: bytes, account: str | None, at: datetime) -> Inbound:
        sha256 = self._files.put(raw)
        try:
            found = json.loads(raw)
            texts = {key: str(found[key]) for key in ("name", "address", "text")}
            letter = Letter(int(found["number"]), at=at, **texts)
        except (ValueError, KeyError, TypeError):
            return Inbound(
                channel=self._kind,
                source=Source(account),
                raw_sha256=sha256,
                raw_size=len(raw),
                reached_at=at,
                sender=Party("nobody", ""),
                dedupe_key=f"raw:{sha256}",
                held_cause="could not be read",
                held_evidence=f"it is no stored message of {self._kind}: its bytes are kept",
            )
        return self.item(letter, Source(account), at, raw)

    def item(
        self, letter: Letter, source: Source, now: datetime, raw: bytes | None = None
    ) -> Inbound:
        """The item for a letter; its bytes are on disk when this returns."""
        if raw is None:
            said = asdict(letter) | {"at": None}
            raw = json.dumps(said, separators=(",", ":")).encode("ascii")
        text = printable(letter.text).strip("\n")
        names = _names(self._kind, source.account or "", letter.address, letter.number)
        return Inbound(
            channel=self._kind,
            source=source,
            raw_sha256=self._files.put(raw),
            raw_size=len(raw),
            reached_at=min(letter.at or now, now),
            sender=Party(one_line(letter.name, 200), names.address),
            subject=one_line(text, _SUBJECT),
            message_id=names.message,
            text=text,
            full_text=text,
            dedupe_key=names.dedupe_key,
            conversation=names.conversation,
        )


class _PlainFeed(Feed):
    folder = _FOLDER
    waits = "waiting for messages"

    def __init__(
        self, kind: str, account: ChannelSettings, files: FileStore, clock: Clock, look: Look
    ) -> None:
        # One of its own: a batch of files belongs to one thread.
        self._files = FileStore(files.root)
        self._form = _PlainForm(kind, self._files)
        self._account = account
        self._clock = clock
        self._look = look

    def fetch(self, cursor: tuple[int, int] | None, _wait_s: float) -> Batch | None:
        after = cursor[1] if cursor is not None else 0
        letters = [one for one in self._look(self._account, after) if one.number > after]
        if not letters:
            return None
        name, now = self._account.name, self._clock.now()
        with self._files.batch():
            items = [
                self._form.item(letter, Source(name, _FOLDER, 1, letter.number), now)
                for letter in letters
            ]
        return Batch(tuple(items), CursorMove(name, _FOLDER, 1, letters[-1].number))


class _PlainSession(Session):
    def __init__(self, account: ChannelSettings, deliver: Deliver) -> None:
        self._account = account
        self._deliver = deliver

    @property
    def is_open(self) -> bool:
        return True

    async def send(self, item: Claim, raw: bytes, progress: Progress, /) -> SendResult:
        if not await progress.leaving():
            return SendResult(Fate.LATER, "another deskhand has it by now")
        text, address = raw.decode("utf-8"), item.recipients[0]
        try:
            await asyncio.to_thread(self._deliver, self._account, address, text)
        except ChannelFault:
            raise
        except (Refusal, NotFound) as fault:
            return SendResult(Fate.NEVER, str(fault))
        except Exception as fault:  # noqa: BLE001  whatever it was, it came while it was on its way
            return SendResult(
                Fate.UNKNOWN,
                f"it broke off on its way ({type(fault).__name__}: {one_line(str(fault), 120)}): it"
                " may have been sent. Ask the customer, then retry (sends it again) or cancel",
            )
        return SendResult(Fate.SENT, "taken")

    async def typing(self, _address: str) -> None:
        return

    async def close(self) -> None:
        return
