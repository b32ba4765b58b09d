"""The network between a client and a server, as a test wants it: cut, silent, or cut at a byte."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Self

__all__ = ["Line"]

_CHUNK = 65_536


class Line:
    """Listens on 127.0.0.1 and carries bytes to and from a port there.

    ``port``: where a client connects. ``connections``: how many were made, ``cuts``: how many of
    them ended by :meth:`cut_after`.
    """

    def __init__(self, to_port: int) -> None:
        self.connections = 0
        self.cuts = 0
        self._to_port = to_port
        self._refuses = threading.Event()
        self._quota: int | None = None
        self._counts_up = False
        self._then: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        """The line, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything for good."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """End every connection."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """What a router does that forgets its connections: those that are open stay open on both
        sides, and nothing passes them any more. New ones work.
        """
        with self._lock:
            self._forgotten = set(self._open)

    def refuse(self, *, on: bool = True) -> None:
        """Take new connections only to end them at once; ``on=False`` ends that."""
        (self._refuses.set if on else self._refuses.clear)()

    def cut_after(
        self, count: int, *, up: bool = False, then: Callable[[], None] = lambda: None
    ) -> None:
        """Cut the connection that brings the bytes for the client (``up``: those for the server) over
        this count, counted from now; once. Before that, do ``then`` (kill the server).
        """
        with self._lock:
            self._quota, self._counts_up, self._then = count, up, then

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._refuses.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port), 5)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            thread = threading.Thread(target=self._carry, args=(near, far), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            with selectors.DefaultSelector() as selector:
                for end in other:
                    selector.register(end, selectors.EVENT_READ)
                while True:
                    for key, _ in selector.select():
                        end = near if key.fileobj is near else far
                        data = end.recv(_CHUNK)
                        if not data:
                            return
                        if near in self._forgotten:
                            continue
                        if not self._within(len(data), up=end is near):
                            return
                        other[end].sendall(data)
        except OSError:
            return
        finally:
            with self._lock:
                self._open -= {near, far}
            near.close()
            far.close()

    def _within(self, count: int, *, up: bool) -> bool:
        with self._lock:
            if self._quota is None or up != self._counts_up:
                return True
            self._quota -= count
            if self._quota >= 0:
                return True
            self._quota = None
            self.cuts += 1
            then = self._then
        then()
        return False
