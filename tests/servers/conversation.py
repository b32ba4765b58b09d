"""One SMTP connection that plays the acts which a test has scripted."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable
from typing import Literal, Protocol

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.acts import ACCEPT, TRANSACTION, Act, Received, Stage

__all__ = ["Conversation", "Keeper"]


class Keeper(Protocol):
    """What a conversation needs of its server."""

    users: dict[str, str] | None
    token_user: Callable[[str], str | None] | None
    mechanisms: tuple[str, ...]
    size_limit: int

    def keep(self, received: Received) -> None:
        """Take a mail."""

    def verdict(self, recipient: str) -> str | None:
        """The reply that refuses a recipient, or None."""

    def next_act(self, recipient: str | None, *stages: Stage) -> Act | None:
        """Take the act that is due if its stage is one of these."""

    def count(self, what: Literal["connections", "transactions"]) -> None:
        """Count one more."""


class Conversation(SMTP):
    """One connection. It plays the acts at their stages.

    All that is right about SMTP is aiosmtpd's.
    """

    def __init__(
        self, sink: Keeper, open_ones: set[Conversation], starttls: ssl.SSLContext | None
    ) -> None:
        self.sink = sink
        self.act = ACCEPT
        self.auth_act: Act | None = None
        self._open_ones = open_ones
        wants_auth = sink.users is not None or sink.token_user is not None
        left_out = {"XOAUTH2", "OAUTHBEARER"} - set(sink.mechanisms if sink.token_user else ())
        if sink.users is None:
            left_out |= {"LOGIN", "PLAIN"}
        super().__init__(
            _Hooks(),
            data_size_limit=sink.size_limit,
            enable_SMTPUTF8=True,
            hostname="sink.test",
            ident="ESMTP",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=wants_auth,
            auth_require_tls=False,
            auth_exclude_mechanism=left_out,
            authenticator=_authenticate if wants_auth else None,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or go on over TLS."""
        # Called once more when STARTTLS has replaced the transport.
        if self not in self._open_ones:
            self._open_ones.add(self)
            self.sink.count("connections")
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._open_ones.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        """Close without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    async def play(self, act: Act, stage: Stage) -> str | None:
        """Do what the act says if this is its stage: the reply that refuses, or None to go on.

        Never returns from a drop.
        """
        if act.at != stage or act.do == "accept":
            return None
        if act.do == "refuse":
            return act.reply
        if act.do == "slow":
            await asyncio.sleep(act.seconds)
            return None
        self.cut()
        # connection_lost cancels this coroutine.
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def _handle_client(self) -> None:
        refusal = await self.play(self.sink.next_act(None, Stage.CONNECT) or ACCEPT, Stage.CONNECT)
        if refusal is None:
            await super()._handle_client()
            return
        await self.push(refusal)
        if isinstance(self.transport, asyncio.Transport):
            self.transport.close()

    async def smtp_DATA(self, arg: str) -> None:
        """DATA, with the two stages that come before the text is complete."""
        if self.envelope is not None and self.envelope.rcpt_tos:
            if (refusal := await self.play(self.act, Stage.DATA)) is not None:
                await self.push(refusal)
                self.envelope = self._create_envelope()
                return
            if self.act.at == Stage.BODY and self.act.do == "drop":
                await self.push("354 Go on")
                await self._reader.readline()
            await self.play(self.act, Stage.BODY)
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        """QUIT, which an act may leave without an answer."""
        await self.play(self.act, Stage.QUIT)
        await super().smtp_QUIT(arg)


class _Hooks:
    """What aiosmtpd calls at each command; the names are its own."""

    async def auth_XOAUTH2(self, server: Conversation, args: list[str]) -> AuthResult:
        """A token, in Google's form."""
        return await _token_auth(server, args, b"user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01")

    async def auth_OAUTHBEARER(self, server: Conversation, args: list[str]) -> AuthResult:
        """A token, in the standard's form (RFC 7628)."""
        return await _token_auth(server, args, b"n,a=([^,]*),\x01auth=Bearer ([^\x01]*)\x01\x01")

    async def handle_MAIL(
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Begin a transaction and choose its act."""
        del session
        server.sink.count("transactions")
        server.act = server.sink.next_act(None, *TRANSACTION) or ACCEPT
        if (refusal := await server.play(server.act, Stage.MAIL)) is not None:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take or refuse one recipient; an act of the recipient replaces the transaction's."""
        del session, options
        if (refusal := server.sink.verdict(address)) is not None:
            return refusal
        own = server.sink.next_act(address, *TRANSACTION)
        if own is not None and own.at != Stage.RCPT:
            server.act = own
        if (refusal := await server.play(own or server.act, Stage.RCPT)) is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Conversation, session: Session, envelope: Envelope) -> str:
        """Keep the mail, unless the act at the dot says otherwise."""
        received = Received(
            "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from),
            tuple(envelope.rcpt_tos),
            bytes(envelope.original_content or b""),
            session.auth_data if session.authenticated else None,
            server.transport is not None
            and server.transport.get_extra_info("ssl_object") is not None,
            tuple(envelope.mail_options),
        )
        # In a thread, since a subclass may write files.
        if server.act.at == Stage.DOT and server.act.do == "drop" and server.act.keep:
            await asyncio.to_thread(server.sink.keep, received)
        if (refusal := await server.play(server.act, Stage.DOT)) is not None:
            return refusal
        await asyncio.to_thread(server.sink.keep, received)
        return "250 2.0.0 taken"


async def _token_auth(server: Conversation, args: list[str], form: bytes) -> AuthResult:
    """Take a token that is its user's; a refusal comes after words that the client has to answer."""
    blob = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
    found = re.fullmatch(form, blob if isinstance(blob, bytes) else b"")
    user, token = (found[1].decode(), found[2].decode()) if found else ("", "")
    assert server.sink.token_user is not None
    if found and server.sink.token_user(token) == user:
        return AuthResult(success=True, auth_data=user)
    await server.challenge_auth(b'{"status":"401","schemes":"bearer","scope":"mail"}')
    return AuthResult(success=False, handled=False)


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: object
) -> AuthResult:
    del session, envelope, mechanism
    assert isinstance(server, Conversation)
    # A client that is refused tries its next mechanism, for which the act must still hold.
    act = server.auth_act = server.auth_act or server.sink.next_act(None, Stage.AUTH)
    if act is not None and act.do == "drop":
        server.cut()
        return AuthResult(success=False, handled=True)
    if act is not None and act.do == "refuse":
        return AuthResult(success=False, handled=False, message=act.reply)
    if isinstance(auth_data, str):
        return AuthResult(success=True, handled=False, auth_data=auth_data)
    if not isinstance(auth_data, LoginPassword):
        return AuthResult(success=False, handled=False)
    name = auth_data.login.decode()
    right = (server.sink.users or {}).get(name) == auth_data.password.decode()
    return AuthResult(success=right, handled=False, auth_data=name)
