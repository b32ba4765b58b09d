"""IMAP (RFC 3501, RFC 9051): the one file that speaks it. Reading never changes a flag.

A session belongs to one thread; only :meth:`ImapSession.abort` may be called from another.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from channels.email.answers import (
    answer_in,
    asked_to_wait,
    choose_sent,
    is_passing,
    moment_of,
    number_of,
    sequence_set,
)
from channels.email.faults import (
    Busy,
    FolderMissing,
    MailFault,
    Unreachable,
    network_fault,
    refusal,
)
from channels.email.login import Login, bearer_text, xoauth2_text
from channels.email.mailbox import Fetched, Folder
from channels.wake import Wake
from workflow.plaintext import one_line
from workflow.settings import ServerSettings

__all__ = ["IDLE_LIMIT_S", "ImapSession"]

IDLE_LIMIT_S = 540
"""Seconds after which IDLE is renewed: servers may cut it after 29 minutes, routers after 10."""

_CONNECT_LIMIT_S = 15
_READ_LIMIT_S = 60
_DONE_LIMIT_S = 20
"""Seconds for the answer to the end of IDLE: a connection that a router has forgotten gives none."""

_LOGOUT_LIMIT_S = 3
_KEEP_ALIVE_S = 120
_LARGEST_LITERAL = 200_000_000
_WINDOW = 50_000
"""Messages in one answer to a search: an answer is one line, which imaplib takes up to 1 MB."""

_BODY = b"BODY[]"
_HEADER = b"BODY[HEADER]"


class _Client(IMAPClient):  # type: ignore[misc]  # it ships no types
    """The client, which also sees what came in one packet with the answer to IDLE.

    Its own check asks the socket first, where such bytes no longer are.
    """

    _reads_unasked = False
    largest = 0
    """Bytes of a literal that are taken; may be changed for one answer."""

    def bound_literals(self, largest: int) -> None:
        """Take no literal (RFC 3501, section 4.3) of more bytes: memory is not the server's to fill."""
        read = self._imap.read
        self.largest = largest

        def bounded(size: int) -> Any:
            if size > self.largest:
                # What follows are its bytes, not answers: this connection cannot go on.
                raise self._imap.abort(f"it announces {size} bytes, more than we take")
            return read(size)

        self._imap.read = bounded

    def came_with_the_answer(self) -> bool:
        """Whether news lie in the buffer already; never waits."""
        self._reads_unasked = True
        try:
            return bool(self.idle_check(timeout=0))
        finally:
            self._reads_unasked = False

    def _poll_socket(self, sock: socket.socket, timeout: float | None = None) -> Any:
        return self._reads_unasked or super()._poll_socket(sock, timeout)

    def _select_poll_socket(self, sock: socket.socket, timeout: float | None = None) -> Any:
        return self._reads_unasked or super()._select_poll_socket(sock, timeout)


class ImapSession:
    """One logged-in connection."""

    def __init__(self, client: _Client, server: ServerSettings) -> None:
        self._client = client
        self._server = server
        self._selected: str | None = None
        self._count = 0
        self._idle_works = True
        self._sent: str | None = None
        self._sent_known = False

    @classmethod
    def connect(
        cls, server: ServerSettings, login: Login, *, largest: int = _LARGEST_LITERAL
    ) -> ImapSession:
        """Connect and log in; raises Unreachable or LoginRefused with a sentence.

        ``largest`` is how many bytes one message may have that the server sends.
        """
        with _translated(server):
            try:
                client = _Client(
                    server.host,
                    server.port,
                    ssl=server.security == "tls",
                    ssl_context=ssl.create_default_context() if server.security == "tls" else None,
                    timeout=SocketTimeout(_CONNECT_LIMIT_S, _READ_LIMIT_S),
                )
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                # A greeting that is BYE: nobody was let in, so it says nothing of the account.
                raise Busy(
                    f"{server.host} takes no connection now ({answer_in(fault)})",
                    asked_to_wait(answer_in(fault)),
                ) from fault
        session = cls(client, server)
        try:
            with _translated(server):
                client.bound_literals(largest)
                _keep_alive(client.socket())
                if server.security == "starttls":
                    client.starttls(ssl.create_default_context())
                client.normalise_times = False
                _log_in(client, server, login)
                session._introduce()
        except BaseException:
            session.abort()
            raise
        return session

    def _introduce(self) -> None:
        """After the login: what is offered before it is another list on many servers, and some
        (NetEase) open no folder for a client that does not say its name (RFC 2971).
        """
        for step in (self._client.capabilities, self._say_name):
            try:
                step()
            except IMAPClientAbortError:
                raise
            except IMAPClientError:
                continue

    def _say_name(self) -> None:
        if self._offers("ID"):
            self._client.id_({"name": "deskhand"})

    def close(self) -> None:
        """Log out; never raises, and waits but shortly for a server that is not there any more."""
        try:
            self._client.socket().settimeout(_LOGOUT_LIMIT_S)
            self._client.logout()
        except (OSError, IMAPClientError, ValueError, AttributeError):
            self.abort()

    def abort(self) -> None:
        """Cut the connection at once, also while another thread waits for it."""
        with contextlib.suppress(OSError, AttributeError):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, IMAPClientError, AttributeError):
            self._client.shutdown()

    def open(self, name: str) -> Folder:
        """Open a folder for reading only (EXAMINE); raises FolderMissing."""
        with _translated(self._server):
            try:
                found = self._client.select_folder(name, readonly=True)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                self._selected = None
                if is_passing(answer_in(fault)):
                    raise
                raise FolderMissing(
                    f"the folder {name} cannot be opened on {self._server.host} ({answer_in(fault)}):"
                    f" there are {', '.join(self._names()[:20]) or 'none'}; correct folders"
                    " in deskhand.toml"
                ) from fault
        self._selected = name
        self._count = number_of(found.get(b"EXISTS"))
        return Folder(name, number_of(found.get(b"UIDVALIDITY")), self._count)

    def uids_after(self, position: int, since: date | None = None) -> list[int]:
        """The UIDs above a position in the open folder, ascending; with ``since`` of those only
        that reached it on that day or later.

        ``UID n:*`` also gives the last message where all are below n (RFC 3501 section 6.4.8).
        """
        wanted: list[Any] = ["UID", f"{position + 1}:*"]
        if since is not None:
            wanted += ["SINCE", since]
        found: set[int] = set()
        with _translated(self._server):
            if self._count <= _WINDOW:
                found.update(int(uid) for uid in self._client.search(wanted))
            # From the newest down, by sequence numbers, which have no gaps: UIDs rise with them.
            for last in range(self._count if self._count > _WINDOW else 0, 0, -_WINDOW):
                first = max(last - _WINDOW + 1, 1)
                # What has come since it was opened has higher numbers.
                end = "*" if last == self._count else last
                part = self._client.search([f"{first}:{end}", *wanted])
                found.update(int(uid) for uid in part)
                if since is None and len(part) < last - first + 1:
                    break
        return sorted(uid for uid in found if uid > position)

    def still_there(self, uids: Sequence[int]) -> set[int]:
        """Which of these messages have not been expunged."""
        with _translated(self._server):
            return {int(uid) for uid in self._client.search(["UID", sequence_set(uids)])}

    def sizes(self, uids: Sequence[int], above: int) -> dict[int, int]:
        """The sizes in bytes of those messages that are larger than ``above``.

        Asked for by a search, since an answer for each message costs more than reading it.
        """
        with _translated(self._server):
            large = self._client.search(["UID", sequence_set(uids), "LARGER", str(above)])
        wanted = sorted(set(uids) & {int(uid) for uid in large})
        if not wanted:
            return {}
        with _translated(self._server):
            found = self._client.fetch(wanted, ["RFC822.SIZE"])
        return {uid: number_of(found.get(uid, {}).get(b"RFC822.SIZE")) for uid in wanted}

    def fetch(self, uids: Sequence[int], *, headers_only: bool = False) -> list[Fetched]:
        """The messages with these UIDs that are still there, in their order.

        What the server refuses or garbles is asked for again one by one; what it then still does
        not give comes with its ``fault``.
        """
        try:
            return self._fetch(uids, headers_only, with_date=True)
        except Unreachable:
            raise
        except MailFault as fault:
            if len(uids) == 1:
                return self._fetch_alone(uids[0], headers_only, str(fault))
        return [entry for uid in uids for entry in self.fetch([uid], headers_only=headers_only)]

    def fetch_large(self, uid: int, size: int) -> list[Fetched]:
        """One message that a person wants although it is above the limit; ``size`` is what the
        server has said of it.
        """
        usual, self._client.largest = self._client.largest, size + size // 10 + 1_000
        try:
            return self.fetch([uid])
        finally:
            self._client.largest = usual

    def _fetch_alone(self, uid: int, headers_only: bool, why: str) -> list[Fetched]:
        """A second way to a message whose INTERNALDATE may be what cannot be read."""
        try:
            return self._fetch([uid], headers_only, with_date=False)
        except Unreachable:
            raise
        except MailFault:
            return [Fetched(uid, b"", None, 0, fault=why)]

    def _fetch(self, uids: Sequence[int], headers_only: bool, *, with_date: bool) -> list[Fetched]:
        wanted = ["BODY.PEEK[HEADER]" if headers_only else "BODY.PEEK[]"]
        if with_date:
            wanted.append("INTERNALDATE")
        with _translated(self._server):
            found = self._client.fetch(list(uids), wanted)
        key = _HEADER if headers_only else _BODY
        gone = [uid for uid in uids if key not in found.get(uid, {})]
        there = self.still_there(gone) if gone else set()
        fetched: list[Fetched] = []
        for uid in uids:
            entry: dict[bytes, Any] = found.get(uid, {})
            if key in entry:
                raw = bytes(entry[key] or b"")
                fetched.append(
                    Fetched(uid, raw, moment_of(entry), len(raw), whole=not headers_only)
                )
            elif uid in there:
                fetched.append(
                    Fetched(uid, b"", None, 0, fault=f"{self._server.host} gave no content for it")
                )
        return fetched

    def wait(self, wake: Wake, limit_s: float) -> None:
        """Wait until something may have changed in the open folder, the bell rings, or time is up.

        With IDLE (RFC 2177) where it works, else by waiting; either way the caller then looks.
        """
        if not self._idle_works or not self._offers("IDLE"):
            wake.wait(limit_s)
            self.check()
            return
        with _translated(self._server):
            try:
                self._client.idle()
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                if re.search(r"response: b['\"]\* ", str(fault)):
                    # News came before the answer, which imapclient takes for the answer.
                    raise Unreachable(
                        f"the connection to {self._server.host} lost step during IDLE"
                    ) from fault
                if is_passing(answer_in(fault)):
                    raise
                # Offered and refused: from now on we look ourselves.
                self._idle_works = False
                return
            end = time.monotonic() + min(limit_s, IDLE_LIMIT_S)
            line = self._client.socket()
            news = self._client.came_with_the_answer()
            while not news and (left := end - time.monotonic()) > 0:
                if wake.wait(0 if _pending(line) else left, [line]):
                    break
                if time.monotonic() >= end:
                    break
                if _news(self._client.idle_check(timeout=0)):
                    break
            line.settimeout(_DONE_LIMIT_S)
            self._client.idle_done()
            line.settimeout(_READ_LIMIT_S)

    @property
    def waits(self) -> bool:
        """Whether the server tells of new mail by itself (IDLE)."""
        with _translated(self._server):
            return self._idle_works and self._offers("IDLE")

    def check(self) -> None:
        """Ask for a sign of life (NOOP); raises Unreachable."""
        with _translated(self._server):
            self._client.noop()

    def append_sent(
        self, raw: bytes, message_id: str, at: datetime, folder: str | None = None
    ) -> bool:
        """Put a copy into the folder of sent mail unless it lies there; False if it did.

        It is looked for first, so that a crash between the copy and its note makes no second one.
        Raises MailFault with a sentence.
        """
        name = folder or self.sent_folder() or self._make_sent_folder()
        self.open(name)
        if self.holds(message_id):
            return False
        with _translated(self._server):
            try:
                self._client.append(name, raw, [rb"\Seen"], at)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                if is_passing(answer_in(fault)):
                    raise
                raise MailFault(
                    f"{self._server.host} did not take the copy for {name} ({answer_in(fault)})"
                ) from fault
        return True

    def sent_folder(self) -> str | None:
        r"""The folder of sent mail: marked ``\Sent`` (RFC 6154), else of a usual name; None without
        one. The server is asked once.
        """
        if not self._sent_known:
            with _translated(self._server):
                self._sent = choose_sent(self._folders())
            self._sent_known = True
        return self._sent

    def holds(self, message_id: str) -> bool:
        """Whether a mail of this Message-ID lies in the open folder."""
        with _translated(self._server):
            return bool(self._client.search(["HEADER", "Message-ID", message_id]))

    def _make_sent_folder(self) -> str:
        with _translated(self._server):
            below = any(name.lower().startswith("inbox.") for name, _ in self._folders())
            fresh = "INBOX.Sent" if below else "Sent"
            try:
                self._client.create_folder(fresh)
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                raise FolderMissing(
                    f"{self._server.host} has no folder for sent mail and makes none"
                    f" ({answer_in(fault)}): name one with sent_folder in deskhand.toml"
                ) from fault
        self._sent, self._sent_known = fresh, True
        return fresh

    def _folders(self) -> list[tuple[str, list[str]]]:
        """The folders with their attributes."""
        return [
            (str(name), [bytes(flag).decode("ascii", "replace") for flag in flags])
            for flags, _, name in self._client.list_folders()
        ]

    def _names(self) -> list[str]:
        try:
            return [one_line(name, 80) for name, _ in self._folders()]
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return []

    def _offers(self, capability: str) -> bool:
        try:
            return bool(self._client.has_capability(capability))
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return False


def _log_in(client: IMAPClient, server: ServerSettings, login: Login) -> None:
    try:
        if login.token:
            _show_token(client, server, login.token)
        else:
            client.login(server.user, login.password)
    except LoginError as fault:
        # A connection that was cut during the login says nothing about the password.
        if isinstance(fault.__context__, IMAPClientAbortError):
            raise fault.__context__ from None
        answer = answer_in(fault)
        if is_passing(answer):
            raise Busy(
                f"{server.host} takes no login of {server.user} now ({one_line(answer, 160)})",
                asked_to_wait(answer),
            ) from fault
        raise refusal(server, answer) from fault


@contextlib.contextmanager
def _translated(server: ServerSettings) -> Iterator[None]:
    """Turn whatever the libraries raise into a sentence."""
    try:
        yield
    except MailFault:
        raise
    except (IMAPClientAbortError, OSError, EOFError) as fault:
        if isinstance(fault, IMAPClientAbortError) and is_passing(str(fault)):
            raise _busy(server, fault) from fault
        raise network_fault(fault, server) from fault
    except IMAPClientError as fault:
        if is_passing(answer_in(fault)):
            raise _busy(server, fault) from fault
        raise MailFault(f"{server.host} answered {answer_in(fault)!r}") from fault
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError) as fault:
        # imapclient's and imaplib's parsers on an answer that is no IMAP, or a connection that
        # another thread has cut.
        raise MailFault(
            f"{server.host} gave an answer that is no IMAP ({one_line(str(fault), 120)})"
        ) from fault


def _show_token(client: IMAPClient, server: ServerSettings, token: str) -> None:
    """Log in by the way that the server offers; after a refusal it waits for an empty answer to its
    words about why (RFC 7628, section 3.2.3).
    """
    wish = server.oauth.mechanism if server.oauth is not None else ""
    offers = bool(client.has_capability("AUTH=OAUTHBEARER"))
    bearer = wish == "oauthbearer" or (
        not wish and offers and not client.has_capability("AUTH=XOAUTH2")
    )
    text = bearer_text(server.user, token) if bearer else xoauth2_text(server.user, token)
    said = iter([text])
    client.sasl_login(
        "OAUTHBEARER" if bearer else "XOAUTH2", lambda _: next(said, "\x01" if bearer else "")
    )


def _busy(server: ServerSettings, fault: BaseException) -> Busy:
    """The sentence for a server that does not serve now; it may say how long."""
    answer = answer_in(fault)
    return Busy(f"{server.host} does not serve now ({answer})", asked_to_wait(answer))


def _keep_alive(line: socket.socket) -> None:
    """Let the system look whether the other end is still there, which also keeps a router from
    forgetting a connection in IDLE.
    """
    with contextlib.suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE"):
            if hasattr(socket, name):
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), _KEEP_ALIVE_S)
                break


def _pending(line: socket.socket) -> bool:
    """Whether TLS has read bytes that the system's socket no longer shows."""
    return isinstance(line, ssl.SSLSocket) and line.pending() > 0


def _news(responses: list[Any]) -> bool:
    """Whether answers in IDLE say more than that the server is still there.

    None at all, from a socket that could be read, means that the connection has ended.
    """
    return not responses or any(
        not (isinstance(entry, tuple) and entry and entry[0] == b"OK") for entry in responses
    )
