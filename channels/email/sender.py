"""A way out for mail: one connection to a server, over which one mail after the other goes."""

from __future__ import annotations

import asyncio

from channels.contract import Fate, Progress, SendResult
from channels.email.faults import Unreachable
from channels.email.smtp import Accepted, FateUnknown, Rejected, SmtpSession
from channels.secrets import read_secret
from workflow.files import FileStore
from workflow.outbox import UNKNOWN_FATE, Claim
from workflow.settings import ChannelSettings

__all__ = ["PATIENCE", "MailSession"]

PATIENCE = 5
"""Attempts that wait for all recipients, where some are refused for now; after these the mail goes
to those that the server takes, and the rest is named."""


class MailSession:
    """One connection to the server of an account (:class:`channels.contract.Session`)."""

    def __init__(self, session: SmtpSession) -> None:
        self._session = session

    @classmethod
    async def open(cls, channel: ChannelSettings, _files: FileStore) -> MailSession:
        """Connect and log in; raises MailFault and SettingsError."""
        server = channel.smtp
        assert server is not None
        what = f"the smtp password of {channel.name}"
        password = await asyncio.to_thread(read_secret, server.password, what)
        return cls(await SmtpSession.connect(server, password))

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


def _refused(accepted: Accepted) -> str | None:
    if not accepted.refused:
        return None
    names = "; ".join(f"{recipient} ({answer})" for recipient, answer in accepted.refused)
    return f"sent, but the server refused {names}: reach them another way"
