"""A real SMTP server on 127.0.0.1 that keeps what it is given and can be told to misbehave.

In the test's process: :class:`SmtpSink`. As a process of its own: smtp_process.SmtpProcess, or by
hand ``python -m tests.servers.smtp --dir DIR [--port N] [--act ACT]... [--always]``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self

from tests.servers.acts import ACCEPT, Act, Received, Stage, drop, refuse, slow
from tests.servers.conversation import Conversation
from tests.servers.tls import Certificate

__all__ = ["ACCEPT", "Act", "FileSink", "Received", "SmtpSink", "Stage", "drop", "refuse", "slow"]


class SmtpSink:
    """A server in a thread with an event loop of its own.

    Every public method may be called from any thread.

    ``host``, ``port``, ``messages`` (what it has taken, oldest first), ``connections`` and
    ``transactions`` (how many were begun), ``ca_file`` (what a client must trust, or None).

    ``tls``: ``starttls`` (offered and required) or ``tls`` (from the first byte), with a
    certificate. ``users``: names and passwords; with them AUTH is required (PLAIN and LOGIN),
    without them it is not offered. ``token_user`` gives the user of a token; with it AUTH by
    ``mechanisms`` is offered.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        port: int = 0,
        tls: Literal["none", "starttls", "tls"] = "none",
        certificate: Certificate | None = None,
        users: dict[str, str] | None = None,
        token_user: Callable[[str], str | None] | None = None,
        mechanisms: tuple[str, ...] = ("XOAUTH2", "OAUTHBEARER"),
        size_limit: int = 33_554_432,
    ) -> None:
        if (tls != "none") != (certificate is not None):
            raise ValueError(
                "TLS needs a certificate, and a certificate needs tls='starttls' or 'tls'"
            )
        self.port = port
        self.connections = 0
        self.transactions = 0
        self.ca_file = certificate.ca_file if certificate else None
        self._tls = tls
        self._context = certificate.server_context() if certificate else None
        self.users = users
        self.token_user = token_user
        self.mechanisms = mechanisms
        self.size_limit = size_limit
        self._taken: list[Received] = []
        self._acts: dict[str, deque[Act]] = defaultdict(deque)
        self._lasting: dict[str, Act] = {}
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._open: set[Conversation] = set()

    @classmethod
    def start(cls, **options: Any) -> Self:
        """A running sink; takes the options of the constructor."""
        sink = cls(**options)
        sink.resume()
        return sink

    def resume(self) -> None:
        """Listen (again, on the same port); nothing if it does.

        Raises OSError if the port is taken.
        """
        if self._thread is not None:
            return
        started: deque[OSError | None] = deque()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready, started)), name="smtp-sink", daemon=True
        )
        self._thread.start()
        ready.wait()
        if (fault := started.popleft()) is not None:
            self._thread.join()
            self._thread = None
            raise fault

    def stop(self) -> None:
        """Cut every connection and stop listening; what was taken stays readable."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()

    def __enter__(self) -> Self:
        """The sink, listening."""
        self.resume()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def script(self, *acts: Act, recipient: str | None = None, always: bool = False) -> None:
        """Say what happens next.

        Each act serves one transaction (or one connection, if its stage is connect or auth) and is
        used up; after the last one the sink accepts again. With a recipient it serves the next RCPT
        of that address only. ``always``: the (single) act stays until :meth:`accept_all`.
        """
        key = (recipient or "").lower()
        with self._changed:
            if always:
                (self._lasting[key],) = acts
            else:
                self._acts[key].extend(acts)

    def accept_all(self) -> None:
        """Forget every act that is waiting or lasting."""
        with self._changed:
            self._acts.clear()
            self._lasting.clear()

    @property
    def messages(self) -> list[Received]:
        """What was taken until now, oldest first."""
        with self._changed:
            return list(self._taken)

    def clear(self) -> None:
        """Forget what was taken."""
        with self._changed:
            self._taken.clear()

    def wait_for(self, count: int, *, limit_s: float = 10.0) -> list[Received]:
        """The mails once there are at least ``count``.

        Raises TimeoutError after ``limit_s`` seconds.

        It blocks: a coroutine calls ``await asyncio.to_thread(sink.wait_for, 1)``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._taken) >= count, limit_s):
                raise TimeoutError(f"{len(self._taken)} mails after {limit_s} s, expected {count}")
            return list(self._taken)

    def keep(self, received: Received) -> None:
        """Take one mail; a subclass may put it somewhere else as well, before the sender is
        answered.
        """
        with self._changed:
            self._taken.append(received)
            self._changed.notify_all()

    def verdict(self, recipient: str) -> str | None:
        """The reply that refuses a recipient, or None; a subclass may know its recipients."""
        del recipient
        return None

    def next_act(self, recipient: str | None, *stages: Stage) -> Act | None:
        """Take the act that is due if its stage is one of these.

        For the server's own conversations.
        """
        key = (recipient or "").lower()
        with self._changed:
            waiting = self._acts.get(key)
            if waiting and waiting[0].at in stages:
                return waiting.popleft()
            lasting = self._lasting.get(key)
            return lasting if lasting and lasting.at in stages else None

    def count(self, what: Literal["connections", "transactions"]) -> None:
        """Count one more; for the server's own conversations."""
        with self._changed:
            setattr(self, what, getattr(self, what) + 1)

    async def _serve(self, ready: threading.Event, started: deque[OSError | None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            context = self._context if self._tls == "tls" else None
            server = await self._loop.create_server(
                self._conversation, self.host, self.port, ssl=context
            )
        except OSError as fault:
            started.append(fault)
            ready.set()
            return
        self.port = int(server.sockets[0].getsockname()[1])
        started.append(None)
        ready.set()
        await self._stopping.wait()
        server.close()
        for conversation in list(self._open):
            conversation.cut()
        # Their own ends run in the turns of the loop that follow; asyncio.run ends what is left.
        await asyncio.sleep(0)

    def _conversation(self) -> Conversation:
        return Conversation(self, self._open, self._context if self._tls == "starttls" else None)


class FileSink(SmtpSink):
    """A sink that writes each mail to DIR as ``000001.eml`` and its envelope as ``000001.json``
    before it answers.
    """

    def __init__(self, directory: Path, **options: Any) -> None:
        super().__init__(**options)
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._serial = sum(1 for _ in directory.glob("*.eml"))

    def keep(self, received: Received) -> None:
        """Write the files, the envelope first, each complete when its name appears."""
        self._serial += 1
        stem = self._directory / f"{self._serial:06d}"
        envelope = asdict(received)
        del envelope["content"]
        for name, blob in ((".json", json.dumps(envelope).encode()), (".eml", received.content)):
            draft = stem.with_suffix(".tmp")
            draft.write_bytes(blob)
            draft.replace(stem.with_suffix(name))
        super().keep(received)


def main(arguments: list[str] | None = None) -> None:
    """Serve until standard input closes or SIGTERM; the first line on standard output is ``{"host".

    ..., "port": ...}``.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.servers.smtp", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where each mail is written")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--act",
        action="append",
        default=[],
        help="accept | refuse STAGE REPLY | drop STAGE [keep] | slow STAGE S",
    )
    parser.add_argument("--always", action="store_true", help="the (single) act is never used up")
    given = parser.parse_args(arguments)
    with FileSink(given.dir, port=given.port) as sink:
        sink.script(
            *(Act.parse(text) for text in given.act), always=given.always and bool(given.act)
        )
        sys.stdout.write(json.dumps({"host": sink.host, "port": sink.port}) + "\n")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt):
            # A parent that dies closes the pipe, so no server is left behind.
            while os.read(sys.stdin.fileno(), 4096):
                pass


if __name__ == "__main__":
    main()
