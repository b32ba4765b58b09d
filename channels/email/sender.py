"""A way out for mail: one connection to a server, over which one mail after the other goes."""

from __future__ import annotations

import asyncio

from channels.contract import Fate, Progress, SendResult
from channels.email.faults import LoginRefused, Unreachable
from channels.email.login import read_login, renew_login
from channels.email.smtp import Accepted, FateUnknown, Rejected, SmtpSession
from workflow.files import FileStore
from workflow.outbox import UNKNOWN_FATE, Claim
from workflow.settings import ChannelSettings

__all__ = ["PATIENCE", "MailSession", "open_session"]

PATIENCE = 5
"""Attempts that wait for all recipients, where some are refused for now; after these the mail goes
to those that the server takes, and the rest is named."""


class MailSession:
    """One connection to the server of an account (:class:`channels.contract.Session`)."""

    def __init__(self, session: SmtpSession) -> None:
        self._session = session

    @classmethod
    async def open(cls, channel: ChannelSettings, _files: FileStore) -> MailSession:
        """Connect and log in; raises ChannelFault and SettingsError."""
        return cls(await open_session(channel))

    @property
    def is_open(self) -> bool:
        """Whether the connection can carry another mail."""
        return self._session.is_open

    async def typing(self, _address: str) -> None:
        """Mail knows no such thing."""

    async def close(self) -> None:
        """End the connection."""
        await self._session.close()

    async def send(self, item: Claim, raw: bytes, progress: Progress) -> SendResult:
        """Hand over one mail; the moment before its final dot is the moment that is noted."""
        try:
            accepted = await self._session.send(
                item.from_address,
                item.recipients,
                raw,
                progress.leaving,
                all_or_none=item.attempts <= PATIENCE,
            )
        except FateUnknown:
            return SendResult(Fate.UNKNOWN, UNKNOWN_FATE)
        except Rejected as fault:
            return SendResult(Fate.LATER if fault.passing else Fate.NEVER, str(fault))
        except Unreachable as fault:
            return SendResult(Fate.LATER, str(fault))
        return SendResult(Fate.SENT, accepted.answer, note=_refused(accepted))


async def open_session(channel: ChannelSettings) -> SmtpSession:
    """Connect and log in; a token that is refused is renewed once. Raises ChannelFault and
    SettingsError.
    """
    server = channel.smtp
    assert server is not None
    login = await asyncio.to_thread(read_login, server, channel.name, "smtp")
    try:
        return await SmtpSession.connect(server, login)
    except LoginRefused:
        again = await asyncio.to_thread(renew_login, server, channel.name, login)
        if again is None:
            raise
        return await SmtpSession.connect(server, again)


def _refused(accepted: Accepted) -> str | None:
    if not accepted.refused:
        return None
    names = "; ".join(f"{recipient} ({answer})" for recipient, answer in accepted.refused)
    return f"sent, but the server refused {names}: reach them another way"
