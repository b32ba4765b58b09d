"""The SMTP side of the demo's mail servers: aiosmtpd on plain loopback, for whoever logs in.

Importing this module imports aiosmtpd.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

__all__ = ["SmtpDoor"]

Submit = Callable[[str, tuple[str, ...], bytes], Awaitable[None]]


class SmtpDoor:
    """The listener that takes what the desk sends. Its coroutines belong to one event loop."""

    def __init__(self, submit: Submit, users: Iterable[str], password: str) -> None:
        self._submit = submit
        self._users = frozenset(user.encode() for user in users)
        self._password = password.encode()
        self._server: asyncio.Server | None = None

    async def open(self, host: str) -> int:
        """Listen on a free port of ``host``; returns the port."""
        loop = asyncio.get_running_loop()

        def connection() -> SMTP:
            # Without a host name the library looks one up, which may wait for a name server.
            return SMTP(
                self,
                hostname="deskhand-demo",
                ident="deskhand demo",
                enable_SMTPUTF8=True,
                auth_require_tls=False,
                authenticator=self._authenticate,
                loop=loop,
            )

        self._server = await loop.create_server(connection, host, 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no longer; open connections end with the loop's tasks."""
        if self._server is not None:
            self._server.close()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        right = (
            isinstance(data, LoginPassword)
            and data.login in self._users
            and secrets.compare_digest(data.password, self._password)
        )
        return AuthResult(success=right, handled=False)

    async def handle_MAIL(
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse a sender who has not logged in (RFC 4954 section 6)."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take the mail; the answer is given once it has been handed on."""
        raw = envelope.original_content or b""
        await self._submit(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        return "250 2.0.0 OK, taken by the demo"
