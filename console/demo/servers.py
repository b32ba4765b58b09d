"""An IMAP and an SMTP server on 127.0.0.1, for a desk that should see real mail without a network.

The IMAP side is pymap with its in-memory back end, the SMTP side is aiosmtpd. Both run in one
background thread with an event loop of its own, and both are imported when
:meth:`LoopbackMail.start` is called, not before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from workflow.clock import Clock
from workflow.errors import DeskError

if TYPE_CHECKING:
    from console.demo.imap import ImapHouse
    from console.demo.smtp import SmtpDoor

__all__ = ["HOST", "LoopbackMail", "OnMail"]

HOST = "127.0.0.1"
"""The only address that the servers listen on."""

OnMail = Callable[[str, tuple[str, ...], bytes], None]
"""Called in the servers' thread: the envelope's sender, the outside recipients, the bytes."""

_START_S = 15.0
_STOP_S = 5.0
_DELIVER_S = 10.0
_T = TypeVar("_T")


def _nobody(_sender: str, _recipients: tuple[str, ...], _raw: bytes) -> None:
    """The default for mail to the outside: it is taken and forgotten."""


class LoopbackMail:
    """The mail servers of a demo or a test: a context manager, or start() and stop() once.

    ``mailboxes`` gives, for each IMAP user, the addresses whose mail lands in the user's INBOX.
    Mail that the desk submits for any other address is handed to ``on_mail``. Every user logs in
    with ``password``, on both servers.
    """

    def __init__(
        self,
        clock: Clock,
        mailboxes: Mapping[str, Iterable[str]],
        *,
        on_mail: OnMail = _nobody,
        password: str | None = None,
    ) -> None:
        self.password = password or secrets.token_urlsafe(12)
        self.imap_port = 0
        self.smtp_port = 0
        self._clock = clock
        self._users = tuple(mailboxes)
        self._homes = {
            a.casefold(): user for user, addresses in mailboxes.items() for a in addresses
        }
        self._on_mail = on_mail
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._imap: ImapHouse | None = None
        self._smtp: SmtpDoor | None = None

    def __enter__(self) -> LoopbackMail:
        """Start both servers."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both servers."""
        self.stop()

    def start(self) -> None:
        """Listen on two free ports; returns when both do.

        Raises DeskError when a server library is missing or a port cannot be had.
        """
        if self._thread is not None:
            return
        try:
            from console.demo.imap import ImapHouse
            from console.demo.smtp import SmtpDoor
        except ImportError as error:
            raise DeskError(
                f"The demo's mail servers need the package {error.name!r}, which is not installed: "
                "install deskhand with its demo extra."
            ) from None
        # A library that warns where no logging is set up would write into the middle of the screen.
        for name in ("mail.log", "mail.debug", "pymap"):
            logging.getLogger(name).addHandler(logging.NullHandler())
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(_note_loop_error)
        self._loop = loop
        self._thread = threading.Thread(
            target=_run_loop, args=(loop,), name="deskhand-demo-mail", daemon=True
        )
        self._thread.start()
        self._imap = ImapHouse(self._clock, self._users, self.password)
        self._smtp = SmtpDoor(self._route, self._users, self.password)
        try:
            self.imap_port = self._call(self._imap.open(HOST), _START_S)
            self.smtp_port = self._call(self._smtp.open(HOST), _START_S)
        except OSError as error:
            self.stop()
            raise DeskError(
                f"The demo's mail servers cannot listen on {HOST} ({error.strerror or error}): "
                "allow loopback connections and start the demo again."
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close every connection and both listeners, and end the thread; harmless when stopped."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        for listener in (self._imap, self._smtp):
            if listener is not None:
                with contextlib.suppress(RuntimeError):  # the loop ended already
                    loop.call_soon_threadsafe(listener.close)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_S)
        self._imap = self._smtp = None

    def deliver(self, mailbox_user: str, raw: bytes, arrived: datetime | None = None) -> int:
        """Put a mail into a user's INBOX, where clients in IDLE see it at once; returns its UID.

        ``arrived`` becomes the INTERNALDATE, now if not given. Raises DeskError when the servers
        are not running or there is no such user.
        """
        if self._imap is None:
            raise DeskError(
                "The demo's mail servers are not running: start them before mail is delivered."
            )
        if mailbox_user not in self._users:
            raise DeskError(
                f"The demo's mail servers have no mailbox {mailbox_user!r}: use one of theirs."
            )
        return self._call(self._imap.append(mailbox_user, "INBOX", raw, arrived), _DELIVER_S)

    def count(self, mailbox_user: str, folder: str = "INBOX") -> int:
        """How many mails a folder holds."""
        if self._imap is None:
            return 0
        return self._call(self._imap.count(mailbox_user, folder), _DELIVER_S)

    def _call(self, work: Coroutine[Any, Any, _T], limit_s: float) -> _T:
        """Run a coroutine in the servers' thread and wait for its result."""
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            raise DeskError("The demo's mail servers are not running: start the demo again.")
        return asyncio.run_coroutine_threadsafe(work, loop).result(limit_s)

    async def _route(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> None:
        """What the desk submitted: into a mailbox of ours, or out to the customers."""
        outside = []
        for recipient in recipients:
            user = self._homes.get(recipient.casefold())
            if user is None or self._imap is None:
                outside.append(recipient)
            else:
                await self._imap.append(user, "INBOX", raw, None)
        if outside:
            self._on_mail(sender, tuple(outside), raw)


def _note_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep what goes wrong with one connection off the screen, and in the log for whoever looks."""
    logging.getLogger("deskhand.demo").debug(
        "mail server: %s", context.get("message"), exc_info=context.get("exception")
    )


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Serve until the loop is stopped, then end what runs: no socket outlives the thread."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=_STOP_S / 2))
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Closing transports finishes in callbacks of the next turns.
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
