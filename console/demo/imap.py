"""The IMAP side of the demo's mail servers: pymap on plain loopback, mail kept in memory only.

Importing this module imports pymap.
"""

from __future__ import annotations

import asyncio
import ssl
from argparse import Namespace
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from proxyprotocol.result import ProxyResultUnknown
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet, Message
from pymap.concurrent import Event, Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from workflow.clock import Clock

__all__ = ["ImapHouse"]

FOLDERS = ("INBOX", "Sent")
"""What every mailbox begins with."""

_TELL_AFTER_S = 0.05
# Clients that poll their socket miss what comes in one packet with the answer to IDLE.


class _WholeResponses:
    """A stream writer that sends a response in one piece.

    pymap writes a response in parts, and a client that polls in IDLE may read between two of them.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._parts.append(bytes(data))

    async def drain(self) -> None:
        whole = b"".join(self._parts)
        self._parts.clear()
        self._writer.write(whole)
        await self._writer.drain()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class _Config(Config):
    """pymap's settings without what a loopback server must not do: look up host names."""

    @property
    def greeting(self) -> bytes:
        return b"deskhand demo ready"


class _Mailbox(MailboxData):
    """A folder that also tells an idling client of mail which came while it was being told."""

    def __init__(self, like: MailboxData, clock: Clock) -> None:
        super().__init__(like._content_cache, like._thread_cache)
        self._clock = clock

    async def update_selected(
        self, selected: SelectedMailbox, *, wait_on: Event | None = None
    ) -> SelectedMailbox:
        # The back end waits for the next change even if one came since the client was last told.
        seen = selected.mod_sequence
        if wait_on is not None and seen is not None and seen < self._mod_sequences.highest:
            wait_on = None
            await asyncio.sleep(_TELL_AFTER_S)
        return await super().update_selected(selected, wait_on=wait_on)

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:
        # A mail without a time of its own would be given one that no Clock knows of.
        when = append_msg.when or self._clock.now()
        dated = AppendMessage(append_msg.literal, when, append_msg.flag_set, append_msg.options)
        return await super().append(dated, recent=recent)


class _MailboxSet(MailboxSet):
    """The folders of one user."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._inbox: MailboxData = _Mailbox(self._inbox, clock)
        self._set.update(
            (name, _Mailbox(self._inbox, clock)) for name in FOLDERS if name != "INBOX"
        )


class ImapHouse:
    """All mailboxes and the listener in front of them. Its coroutines belong to one event loop."""

    def __init__(self, clock: Clock, users: Iterable[str], password: str) -> None:
        self._clock = clock
        arguments = Namespace(passlib_cfg=None, proxy_protocol=None)
        self._config = _Config(
            arguments,
            demo_data=False,
            demo_user="",
            demo_password="",
            host=None,
            port=0,
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            tls_enabled=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
        )
        self._login = Login(self._config)
        for user in users:
            self._login.users_dict[user] = UserMetadata(self._config, user, password=password)
        self._server: asyncio.Server | None = None

    async def open(self, host: str) -> int:
        """Make the folders and listen on a free port of ``host``; returns the port."""
        self._config.apply_context()
        for user in self._login.users_dict:
            self._config.set_cache[user] = (_MailboxSet(self._clock), FilterSet())
        serve = IMAPServer(self._login, self._config)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            whole = cast(asyncio.StreamWriter, _WholeResponses(writer))
            try:
                await serve(reader, whole, SocketInfo.get(writer, ProxyResultUnknown()))
            except (ConnectionError, asyncio.CancelledError):
                pass  # the client left, or the demo ends; neither is worth a word
            finally:
                writer.transport.abort()

        self._server = await asyncio.start_server(connected, host, 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no longer; open connections end with the loop's tasks."""
        if self._server is not None:
            self._server.close()

    async def append(self, user: str, folder: str, raw: bytes, arrived: datetime | None) -> int:
        """Store a mail and wake the clients in IDLE; returns its UID."""
        mailbox = await self._config.set_cache[user][0].get_mailbox(folder)
        return (await mailbox.append(AppendMessage(raw, arrived))).uid

    async def count(self, user: str, folder: str) -> int:
        """How many mails a folder holds."""
        mailbox = await self._config.set_cache[user][0].get_mailbox(folder)
        return (await mailbox.snapshot()).exists
