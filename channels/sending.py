"""What leaves the desk: each mail of the outbox handed to its server, at most once.

Before the final dot of a mail passes, the database says that it may have left. So whenever this
process dies, what is still in the outbox tells whether a mail can be sent again or whether only a
person can know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from channels.email.faults import MailFault, Unreachable
from channels.email.smtp import Accepted, FateUnknown, Rejected, SmtpSession
from channels.health import Health
from channels.secrets import read_secret
from workflow.desk import Desk
from workflow.errors import NotFound, SettingsError, StoreError
from workflow.files import FileStore
from workflow.outbox import (
    UNKNOWN_FATE,
    Claim,
    claim,
    mark_failed,
    mark_past_the_dot,
    mark_retry,
    mark_sent,
    recover,
)
from workflow.settings import ChannelSettings

__all__ = ["Sender", "Sent"]

_BURST = 5
"""Mails that are claimed at once: few, since none of them can be taken back any more."""

_NOTE_TRIES = 30
_NOTE_PAUSE_S = 1.0

PATIENCE = 5
"""Attempts that wait for all recipients, where some are refused for now; after these the mail goes
to those that the server takes, and the rest is named."""


@dataclass(slots=True)
class Sent:
    """How many mails were taken by a server, and how many need a person now."""

    sent: int = 0
    failed: int = 0

    def __add__(self, other: Sent) -> Sent:
        """Both together."""
        return Sent(self.sent + other.sent, self.failed + other.failed)


class Sender:
    """Sends for several accounts, each over a connection of its own, side by side.

    ``may_send`` says whether an account's lease is ours at this moment.
    """

    def __init__(
        self,
        desk: Desk,
        holder: str,
        channels: Sequence[ChannelSettings],
        files: FileStore,
        health: Health,
        may_send: Callable[[str], bool] = lambda _account: True,
    ) -> None:
        self._desk = desk
        self._holder = holder
        self._channels: Mapping[str, ChannelSettings] = {
            channel.name: channel for channel in channels if channel.smtp is not None
        }
        self._files = files
        self._health = health
        self._may_send = may_send
        self._stopping = False
        self._unsettled: set[str] = set()
        """Accounts whose last pass was cut short by the store: what it had claimed is still marked."""

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
        """Begin no further mail; may be called from any thread."""
        self._stopping = True

    async def send_due(self, accounts: Sequence[str]) -> Sent:
        """Send what is due for these accounts; raises StoreError when the outbox cannot be used."""
        mine = [self._channels[name] for name in accounts if name in self._channels]
        done = await asyncio.gather(*map(self._send_for, mine), return_exceptions=True)
        tally = Sent()
        for result in done:
            if isinstance(result, BaseException):
                raise result
            tally += result
        return tally

    async def _send_for(self, channel: ChannelSettings) -> Sent:
        """Send what is due for one account, over one connection while it holds."""
        tally = Sent()
        session: SmtpSession | None = None
        claims: list[Claim] = []
        if channel.name in self._unsettled:
            await asyncio.to_thread(self.give_back, channel.name)
            self._unsettled.discard(channel.name)
        try:
            while self._goes_on(channel):
                if not claims:
                    claims = await self._claim(channel)
                    if not claims:
                        break
                if session is None or not session.is_open:
                    session = await self._connect(channel)
                await self._send(session, claims.pop(0), tally)
        except (MailFault, SettingsError) as fault:
            # Nothing can be sent now, whatever it is.
            self._health.sending(channel.name, str(fault))
            for item in claims:
                await self._note(mark_retry, item.id, str(fault))
        except Exception:
            self._unsettled.add(channel.name)
            raise
        finally:
            if session is not None:
                await session.close()
        if self._stopping and claims:
            await asyncio.to_thread(self.give_back, channel.name)
        return tally

    def _goes_on(self, channel: ChannelSettings) -> bool:
        return not self._stopping and self._may_send(channel.name)

    async def _claim(self, channel: ChannelSettings) -> list[Claim]:
        return await asyncio.to_thread(claim, self._desk, self._holder, [channel.name], _BURST)

    async def _connect(self, channel: ChannelSettings) -> SmtpSession:
        server = channel.smtp
        assert server is not None
        what = f"the smtp password of {channel.name}"
        password = await asyncio.to_thread(read_secret, server.password, what)
        session = await SmtpSession.connect(server, password)
        self._health.sending(channel.name, None)
        return session

    async def _send(self, session: SmtpSession, item: Claim, tally: Sent) -> None:
        """Send one mail and write down what became of it."""

        async def before_dot() -> bool:
            return await asyncio.to_thread(mark_past_the_dot, self._desk, item.id, self._holder)

        try:
            raw = await asyncio.to_thread(self._files.read, item.raw_sha256)
            accepted = await session.send(
                item.from_address,
                item.recipients,
                raw,
                before_dot,
                all_or_none=item.attempts <= PATIENCE,
            )
        except FateUnknown:
            tally.failed += 1
            await self._note(mark_failed, item.id, UNKNOWN_FATE)
        except NotFound as fault:
            tally.failed += 1
            await self._note(mark_failed, item.id, str(fault))
        except Rejected as fault:
            tally.failed += not fault.passing
            await self._note(mark_retry if fault.passing else mark_failed, item.id, str(fault))
        except Unreachable as fault:
            await self._note(mark_retry, item.id, str(fault))
        else:
            tally.sent += 1
            note = _refused(accepted)
            await self._note(
                lambda desk, number, answer: mark_sent(desk, number, answer, note=note),
                item.id,
                accepted.answer,
            )

    async def _note(self, mark: Callable[[Desk, int, str], None], item: int, words: str) -> None:
        """Write down what became of a mail, against a store that fails for a while: the server's
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


def _refused(accepted: Accepted) -> str | None:
    if not accepted.refused:
        return None
    names = "; ".join(f"{recipient} ({answer})" for recipient, answer in accepted.refused)
    return f"sent, but the server refused {names}: reach them another way"
