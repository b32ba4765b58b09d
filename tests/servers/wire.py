"""A connection that can be cut: a TCP forwarder on 127.0.0.1 that counts what passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Literal, Self

__all__ = ["Wire"]

Direction = Literal["up", "down"]


class Wire:
    """Forwards each connection to a port of 127.0.0.1, until it is told to cut.

    ``up`` is from the client to the server, ``down`` from the server to the client.
    """

    host = "127.0.0.1"

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        """How often it was cut."""
        self._lock = threading.Lock()
        self._plan: tuple[Direction, int, Callable[[], None]] | None = None
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._serve, name="wire", daemon=True).start()

    def cut_after(self, direction: Direction, size: int, then: Callable[[], None]) -> None:
        """Once ``size`` more bytes have gone in a direction: do ``then`` (kill the server), and cut
        every connection. Once only; later connections are forwarded again.
        """
        with self._lock:
            self._plan = (direction, size, then)

    def __enter__(self) -> Self:
        """The wire, which is taken down when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all and listen no more."""
        # Only shutting it down wakes the thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut_all()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((self.host, self._target), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            ways: list[tuple[Direction, socket.socket, socket.socket]] = [
                ("up", client, server),
                ("down", server, client),
            ]
            for way in ways:
                threading.Thread(target=self._carry, args=way, name="wire", daemon=True).start()

    def _carry(self, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if (then := self._due(direction, len(data))) is not None:
                    then()
                    self._cut_all()
                    return
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _due(self, direction: Direction, passed: int) -> Callable[[], None] | None:
        with self._lock:
            if self._plan is None or self._plan[0] != direction:
                return None
            left = self._plan[1] - passed
            if left > 0:
                self._plan = (direction, left, self._plan[2])
                return None
            then, self._plan = self._plan[2], None
            self.cuts += 1
            return then

    def _cut_all(self) -> None:
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
