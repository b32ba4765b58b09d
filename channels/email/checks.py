"""Trying an email account as the engine would use it, without receiving or sending anything: what ``doctor`` tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from channels.email.imap import ImapSession
from channels.email.login import logged_in
from channels.email.sender import open_session
from workflow.errors import DeskError
from workflow.settings import ChannelSettings

__all__ = ["Check", "check_account"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. A fault's sentence holds its remedy; ``remedy`` is for what could be better."""

    about: str
    ok: bool
    says: str
    remedy: str = ""


def check_account(channel: ChannelSettings) -> Iterator[Check]:
    """Log in, open every folder, look for IDLE, and log in for sending."""
    if channel.imap is None:
        yield Check("receiving", True, "no imap in deskhand.toml: this account receives nothing")
    else:
        yield from _receiving(channel)
    if channel.smtp is None:
        yield Check("sending", True, "no smtp in deskhand.toml: this account sends nothing")
    else:
        yield _sending(channel)


def _receiving(channel: ChannelSettings) -> Iterator[Check]:
    server = channel.imap
    assert server is not None
    try:
        session = logged_in(
            server, channel.name, "imap", lambda login: ImapSession.connect(server, login)
        )
    except DeskError as fault:
        yield Check("receiving", False, str(fault))
        return
    try:
        yield Check("receiving", True, f"{server.host} takes the login of {server.user}")
        for name in channel.folders:
            yield _folder(session, name)
        sent = channel.sent_folder or session.sent_folder()
        if sent is not None:
            yield _folder(session, sent, "sent mail")
        elif channel.read_sent:
            yield Check(
                "sent mail",
                True,
                "the server has no folder for it: one named Sent is made for the first answer",
                "" if channel.smtp is None else "name another with sent_folder in deskhand.toml",
            )
        if session.waits:
            yield Check("new mail", True, "the server tells of it at once (IDLE)")
        else:
            yield Check(
                "new mail", True, f"the server has no IDLE: it is asked every {channel.poll_s} s"
            )
    except DeskError as fault:
        yield Check("receiving", False, str(fault))
    finally:
        session.close()


def _folder(session: ImapSession, name: str, about: str = "") -> Check:
    about = about or f"folder {name}"
    try:
        found = session.open(name)
    except DeskError as fault:
        return Check(about, False, str(fault))
    where = f"{name}: " if not about.endswith(name) else ""
    return Check(
        about, True, f"{where}{found.count} {'message' if found.count == 1 else 'messages'}"
    )


def _sending(channel: ChannelSettings) -> Check:
    assert channel.smtp is not None
    server = channel.smtp

    async def attempt() -> None:
        session = await open_session(channel)
        await session.close()

    try:
        asyncio.run(attempt())
    except DeskError as fault:
        return Check("sending", False, str(fault))
    return Check("sending", True, f"{server.host} takes the login of {server.user or 'nobody'}")
