"""What leaves the desk: each message of the outbox handed to its server, at most once.

Before the bytes pass that make a server take a message, the database says that it may have left. So
whenever this process dies, what is still in the outbox tells whether a message can be sent again or
whether only a person can know.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping, Sequence

from channels.contract import Channel, Fate, SendResult, Session
from channels.faults import ChannelFault, Unreachable
from channels.health import Health
from channels.tally import Sent
from workflow.desk import Desk
from workflow.errors import NotFound, SettingsError, StoreError
from workflow.files import FileStore
from workflow.outbox import (
    Claim,
    claim,
    mark_failed,
    mark_part,
    mark_past_the_dot,
    mark_retry,
    mark_sent,
    recover,
)
from workflow.settings import ChannelSettings

__all__ = ["Sender", "Sent"]

_BURST = 5
"""Messages that are claimed at once: few, since none of them can be taken back any more."""

_NOTE_TRIES = 30
_NOTE_PAUSE_S = 1.0


class Sender:
    """Sends for several accounts, each over a connection of its own, side by side.

    ``may_send`` says whether an account's lease is ours at this moment.
    """

    def __init__(
        self,
        desk: Desk,
        holder: str,
        channels: Sequence[tuple[ChannelSettings, Channel]],
        files: FileStore,
        health: Health,
        may_send: Callable[[str], bool] = lambda _account: True,
    ) -> None:
        self._desk = desk
        self._holder = holder
        self._channels: Mapping[str, tuple[ChannelSettings, Channel]] = {
            account.name: (account, channel)
            for account, channel in channels
            if channel.session is not None and channel.sends(account)
        }
        self._files = files
        self._health = health
        self._may_send = may_send
        self._stopping = False
        self._unsettled: set[str] = set()
        """Accounts whose last pass was cut short: what it had claimed is still marked."""
        self._silent_until: dict[str, float] = {}
        """Accounts whose server asked to be left alone, until when (time.monotonic)."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that can send."""
        return tuple(self._channels)

    def recover(self, account: str) -> int:
        """Settle what a dead holder was sending for an account whose lease is ours now."""
        return recover(self._desk, self._holder, [account])

    def give_back(self, account: str) -> int:
        """Settle what we were sending ourselves, once nothing is under way any more."""
        return recover(self._desk, "", [account])

    def stop(self) -> None:
        """Begin no further message; may be called from any thread."""
        self._stopping = True

    async def send_due(self, accounts: Sequence[str]) -> Sent:
        """Send what is due for these accounts; raises StoreError when the outbox cannot be used."""
        mine = [name for name in accounts if name in self._channels]
        done = await asyncio.gather(*map(self._send_for, mine), return_exceptions=True)
        tally = Sent()
        for result in done:
            if isinstance(result, BaseException):
                raise result
            tally += result
        return tally

    async def _send_for(self, account: str) -> Sent:
        """Send what is due for one account, over one connection while it holds."""
        tally = Sent()
        session: Session | None = None
        claims: list[Claim] = []
        if account in self._unsettled:
            await asyncio.to_thread(self.give_back, account)
            self._unsettled.discard(account)
        try:
            while self._goes_on(account):
                if not claims:
                    claims = await self._claim(account)
                    if not claims:
                        break
                if session is None or not session.is_open:
                    session = await self._connect(account)
                result = await self._send(session, claims[0])
                await self._note_result(claims.pop(0), result, tally)
                if result.wait_s:
                    raise Unreachable(result.words, result.wait_s)
        except (ChannelFault, SettingsError) as fault:
            # Nothing can be sent now, whatever it is.
            wait_s = fault.wait_s or None if isinstance(fault, Unreachable) else None
            if wait_s is not None:
                self._silent_until[account] = time.monotonic() + wait_s
            self._health.sending(account, str(fault))
            for item in claims:
                retry = functools.partial(mark_retry, wait_s=wait_s)
                await self._note(retry, item.id, str(fault))
        except Exception:
            self._unsettled.add(account)
            raise
        finally:
            if session is not None:
                await session.close()
        if self._stopping and claims:
            await asyncio.to_thread(self.give_back, account)
        return tally

    def _goes_on(self, account: str) -> bool:
        if self._stopping or not self._may_send(account):
            return False
        return time.monotonic() >= self._silent_until.get(account, 0.0)

    async def _claim(self, account: str) -> list[Claim]:
        return await asyncio.to_thread(claim, self._desk, self._holder, [account], _BURST)

    async def _connect(self, account: str) -> Session:
        settings, channel = self._channels[account]
        assert channel.session is not None
        session = await channel.session(settings, self._files)
        self._health.sending(account, None)
        return session

    async def _send(self, session: Session, item: Claim) -> SendResult:
        """Send one message; raises ChannelFault where nothing can be sent now."""
        try:
            raw = await asyncio.to_thread(self._files.read, item.raw_sha256)
        except NotFound as fault:
            return SendResult(Fate.NEVER, str(fault))
        return await session.send(item, raw, _Progress(self, item))

    async def _note_result(self, item: Claim, result: SendResult, tally: Sent) -> None:
        """Write down what became of a message."""
        if result.fate is Fate.SENT:
            tally.sent += 1
            await self._note(functools.partial(mark_sent, note=result.note), item.id, result.words)
        elif result.fate is Fate.LATER:
            retry = functools.partial(mark_retry, wait_s=result.wait_s)
            await self._note(retry, item.id, result.words)
        else:
            tally.failed += 1
            await self._note(mark_failed, item.id, result.words)

    async def _note(self, mark: Callable[[Desk, int, str], None], item: int, words: str) -> None:
        """Write down what became of a message, against a store that fails for a while: the server's
        answer comes only once.
        """
        for _ in range(_NOTE_TRIES):
            try:
                await asyncio.to_thread(mark, self._desk, item, words)
            except StoreError:
                if self._stopping:
                    raise
                await asyncio.sleep(_NOTE_PAUSE_S)
            else:
                return
        await asyncio.to_thread(mark, self._desk, item, words)


class _Progress:
    """The memory of one message on its way (:class:`channels.contract.Progress`)."""

    def __init__(self, sender: Sender, item: Claim) -> None:
        self._sender = sender
        self._item = item
        self.parts_done = item.parts_done

    async def leaving(self) -> bool:
        """Say that the next bytes count; False if they must not leave."""
        sender = self._sender
        return await asyncio.to_thread(
            mark_past_the_dot, sender._desk, self._item.id, sender._holder
        )

    async def part_taken(self, ids: Sequence[str] = ()) -> None:
        """Say that a part was taken."""

        def mark(desk: Desk, item: int, _words: str) -> None:
            mark_part(desk, item, ids)

        await self._sender._note(mark, self._item.id, "")
        self.parts_done += 1
