"""A mail from an account to itself: the whole way out and, where it receives, back in."""

from __future__ import annotations

import asyncio
import secrets
import time
from email.message import EmailMessage
from email.utils import format_datetime

from channels.email.imap import ImapSession
from channels.email.login import logged_in
from channels.email.sender import open_session
from workflow.clock import Clock
from workflow.settings import ChannelSettings

__all__ = ["send_test"]

_ARRIVES_WITHIN_S = 20.0
_LOOK_S = 1.0


def send_test(channel: ChannelSettings, clock: Clock) -> str:
    """Send it and look whether it arrives; what came of it, as a phrase. Raises DeskError."""
    assert channel.smtp is not None
    server = channel.smtp
    message_id = f"<deskhand-test.{secrets.token_hex(8)}@{channel.address.rpartition('@')[2]}>"
    mail = EmailMessage()
    mail["From"] = mail["To"] = channel.address
    mail["Subject"] = "A test by deskhand"
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("This mail shows that deskhand can send over this account.\n")
    raw = mail.as_bytes()

    async def leave() -> None:
        session = await open_session(channel)
        try:
            await session.send(channel.address, [channel.address], raw, _always, all_or_none=True)
        finally:
            await session.close()

    asyncio.run(leave())
    if channel.imap is None:
        return f"{server.host} has taken it"
    began = time.monotonic()
    imap = channel.imap
    session = logged_in(imap, channel.name, "imap", lambda login: ImapSession.connect(imap, login))
    try:
        while time.monotonic() - began < _ARRIVES_WITHIN_S:
            session.open(channel.folders[0])
            if session.holds(message_id):
                return f"sent, and it arrived in {channel.folders[0]}"
            time.sleep(_LOOK_S)
    finally:
        session.close()
    return (
        f"{server.host} has taken it, but it has not arrived within {_ARRIVES_WITHIN_S:.0f} s: look"
        " for it in the mailbox, also under spam"
    )


async def _always() -> bool:
    return True
