"""SMTP (RFC 5321): the one file that speaks it.

The final dot is sent apart from the message: up to it the server cannot have taken anything, from
it on only its answer tells. So the moment that must be on disk before it passes is a moment of ours.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)
from aiosmtplib.typing import SMTPStatus

from channels.email.faults import MailFault, Unreachable, network_fault, refusal
from channels.email.login import Login, bearer_text
from workflow.plaintext import one_line
from workflow.settings import ServerSettings

__all__ = ["Accepted", "FateUnknown", "Rejected", "SmtpSession"]

_CONNECT_LIMIT_S = 30.0
_COMMAND_LIMIT_S = 60.0
_QUIT_LIMIT_S = 5.0
_DOT_LIMIT_S = 600.0
"""RFC 5321, section 4.5.3.2.6: the answer after the dot may take ten minutes."""

_STALL_LIMIT_S = 180.0
"""Seconds without a byte taken after which a transfer is given up (section 4.5.3.2.5)."""

_CHUNK = 65_536
_LOOK_AGAIN_S = 0.01
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has taken the mail: its answer, and the recipients that it refused with why."""

    answer: str
    refused: tuple[tuple[str, str], ...] = ()


class Rejected(MailFault):
    """The server does not take this mail. ``passing``: another try may go better (a 4xx)."""

    def __init__(self, sentence: str, *, passing: bool) -> None:
        super().__init__(sentence)
        self.passing = passing


class FateUnknown(MailFault):
    """The connection broke after the final dot and before the answer."""


class SmtpSession:
    """One connection, for one mail after the other."""

    def __init__(self, client: aiosmtplib.SMTP, server: ServerSettings) -> None:
        self._client = client
        self._server = server
        self._half_done = False

    @classmethod
    async def connect(cls, server: ServerSettings, login: Login) -> SmtpSession:
        """Connect, secure and log in; raises Unreachable or LoginRefused with a sentence."""
        context = None
        if server.security != "none":
            context = await asyncio.to_thread(ssl.create_default_context)
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=(server.user or None) if not login.token else None,
            password=login.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=context,
            timeout=_COMMAND_LIMIT_S,
        )
        try:
            async with asyncio.timeout(_CONNECT_LIMIT_S):
                await client.connect()
                if login.token:
                    await _show_token(client, server, login.token)
        except SMTPAuthenticationError as fault:
            if fault.code < 500:
                client.close()
                raise Unreachable(
                    f"{server.host} takes no login of {server.user} now ({_reply(fault)})"
                ) from fault
            client.close()
            raise refusal(server, _reply(fault)) from fault
        except (SMTPException, OSError, ValueError) as fault:
            client.close()
            raise _broken(fault, server) from fault
        return cls(client, server)

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as we know."""
        return self._client.is_connected

    async def send(
        self,
        sender: str,
        recipients: Sequence[str],
        raw: bytes,
        before_dot: Callable[[], Awaitable[bool]],
        *,
        all_or_none: bool = False,
    ) -> Accepted:
        """Hand over one mail, with CRLF lines.

        ``before_dot`` is awaited when all but the final dot has left; if it says False, the dot is
        not sent and the server forgets the mail. Where the server refuses some recipients, the mail
        goes to the others; with ``all_or_none`` and a refusal that may pass, to nobody. Raises
        Rejected or Unreachable (then nothing was taken) or FateUnknown.
        """
        try:
            try:
                refused = await self._envelope(sender, recipients, len(raw), all_or_none)
                await self._content(raw)
            except (SMTPException, OSError) as fault:
                raise _broken(fault, self._server) from fault
            except ValueError as fault:
                raise Rejected(
                    f"an address of this mail cannot be said to a server ({fault}): correct it",
                    passing=False,
                ) from fault
            if not await before_dot():
                raise Unreachable("another deskhand sends this mail")
        except Rejected:
            self._half_done = True
            raise
        except BaseException:
            # Also when we are stopped: half a mail must not get its dot from the next command.
            self._client.close()
            raise
        return Accepted(await self._dot(), refused)

    async def close(self) -> None:
        """Say QUIT, whatever comes of it."""
        with contextlib.suppress(SMTPException, OSError):
            await self._client.quit(timeout=_QUIT_LIMIT_S)
        self._client.close()

    async def _envelope(
        self, sender: str, recipients: Sequence[str], size: int, all_or_none: bool
    ) -> tuple[tuple[str, str], ...]:
        """MAIL, RCPT and DATA up to the server's go-ahead; the recipients that were refused."""
        client = self._client
        if self._half_done:
            await client.rset()
            self._half_done = False
        options = []
        if client.supports_extension("size"):
            limit = client.esmtp_extensions["size"].strip()
            if limit.isdigit() and 0 < int(limit) < size:
                raise Rejected(
                    f"the mail has {size / 1e6:.1f} MB and {self._server.host} takes"
                    f" {int(limit) / 1e6:.1f} MB: send it without its largest file",
                    passing=False,
                )
            options.append(f"SIZE={size}")
        try:
            await client.mail(sender, options=options)
        except SMTPResponseException as fault:
            raise self._rejected(fault, f"does not let {sender} send") from fault
        refused: list[SMTPRecipientRefused] = []
        for recipient in recipients:
            try:
                await client.rcpt(recipient)
            except SMTPRecipientRefused as fault:
                if fault.code == SMTPStatus.domain_unavailable:
                    raise self._rejected(fault, "closes the connection") from fault
                if fault.code >= 300:
                    refused.append(fault)
        passing = [fault for fault in refused if fault.code < 500]
        if refused and (len(refused) == len(recipients) or (all_or_none and passing)):
            worst = passing[0] if passing else refused[0]
            raise self._rejected(worst, f"does not take {worst.recipient}")
        answer = await client.execute_command(b"DATA")
        if answer.code != SMTPStatus.start_input:
            refusal_of_all = SMTPResponseException(answer.code, answer.message)
            raise self._rejected(refusal_of_all, "does not take the mail")
        return tuple((fault.recipient, _reply(fault)) for fault in refused)

    async def _content(self, raw: bytes) -> None:
        """Everything but the final dot, until the system has taken it from us."""
        data = _DOT.sub(b"..", _LINE_END.sub(b"\r\n", raw))
        if not data.endswith(b"\r\n"):
            data += b"\r\n"
        for start in range(0, len(data), _CHUNK):
            self._write(data[start : start + _CHUNK])
            await self._drained()

    async def _drained(self) -> None:
        """Wait until nothing is left in our buffers; raises OSError when the connection has gone or
        the server takes nothing.
        """
        end = time.monotonic() + _STALL_LIMIT_S
        while True:
            transport = self._client.transport
            if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
                raise ConnectionResetError("the server closed the connection")
            if not transport.get_write_buffer_size():
                return
            if time.monotonic() > end:
                raise TimeoutError
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _dot(self) -> str:
        """The final dot and the server's answer to it."""
        protocol = self._client.protocol
        if protocol is None or not protocol.is_connected:
            # Known before the dot was sent, so the server cannot have taken the mail.
            self._client.close()
            raise network_fault(ConnectionResetError("it was cut before the end"), self._server)
        try:
            protocol.write(b".\r\n")
            answer = await protocol.read_response(timeout=_DOT_LIMIT_S)
        except (SMTPException, OSError) as fault:
            self._client.close()
            raise FateUnknown(str(_broken(fault, self._server))) from fault
        except BaseException:
            self._client.close()
            raise
        if not 200 <= answer.code < 300:
            said = SMTPResponseException(answer.code, answer.message)
            if not 400 <= answer.code < 600:
                self._client.close()
                raise FateUnknown(f"{self._server.host} answered {_reply(said)}")
            self._half_done = True
            raise self._rejected(said, "does not take the mail")
        return one_line(f"{answer.code} {answer.message}", 200)

    def _write(self, data: bytes) -> None:
        protocol = self._client.protocol
        if protocol is None:
            raise ConnectionResetError("the server closed the connection")
        protocol.write(data)

    def _rejected(self, fault: SMTPResponseException, what: str) -> Rejected:
        passing = not 500 <= fault.code < 600
        advice = "" if passing else ": correct it and send again, or ask who runs the server"
        return Rejected(f"{self._server.host} {what} ({_reply(fault)}){advice}", passing=passing)


async def _show_token(client: aiosmtplib.SMTP, server: ServerSettings, token: str) -> None:
    """Log in by the way that the server offers; raises SMTPAuthenticationError."""
    await client.ehlo()
    wish = server.oauth.mechanism if server.oauth is not None else ""
    offered = client.server_auth_methods
    if wish == "oauthbearer" or (
        not wish and "oauthbearer" in offered and "xoauth2" not in offered
    ):
        text = base64.b64encode(bearer_text(server.user, token).encode())
        answer = await client.execute_command(b"AUTH", b"OAUTHBEARER", text)
        if answer.code == SMTPStatus.auth_continue:
            # Its words about the refusal wait for this (RFC 7628, section 3.2.3).
            answer = await client.execute_command(b"AQ==")
        if answer.code != SMTPStatus.auth_successful:
            raise SMTPAuthenticationError(answer.code, answer.message)
        return
    await client.auth_xoauth2(server.user, token)


def _reply(fault: SMTPResponseException) -> str:
    return one_line(f"{fault.code} {fault.message}", 200)


def _broken(fault: BaseException, server: ServerSettings) -> MailFault:
    """The sentence for a connection that failed; what aiosmtplib wraps is looked through."""
    if isinstance(fault, SMTPResponseException):
        return Unreachable(f"{server.host} does not serve now ({_reply(fault)})")
    inner: BaseException | None = fault
    while inner is not None:
        if isinstance(inner, OSError) and not isinstance(inner, SMTPException):
            return network_fault(inner, server)
        inner = inner.__cause__
    if isinstance(fault, TimeoutError):
        return network_fault(TimeoutError(), server)
    return network_fault(fault, server)
