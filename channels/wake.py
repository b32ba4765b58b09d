"""A bell that ends a wait on a socket, from any thread."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence

__all__ = ["Wake"]


class Wake:
    """Rings until it is cleared. Unlike an event, one can wait for it and for sockets together."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)

    def ring(self) -> None:
        """End the wait that goes on, or the next one; harmless after :meth:`close`."""
        try:
            self._far.send(b"!")
        except OSError:
            # Full: it rings already. Closed: nobody waits.
            return

    def wait(self, limit_s: float, also: Sequence[socket.socket] = ()) -> bool:
        """Wait until it rings, one of the sockets can be read, or the time is over.

        True if it rang; it is quiet again then.
        """
        # Not select.select, which knows the first 1024 files only.
        with selectors.DefaultSelector() as selector:
            for sock in (self._near, *also):
                selector.register(sock, selectors.EVENT_READ)
            ready = selector.select(max(limit_s, 0.0))
        if not any(key.fileobj is self._near for key, _ in ready):
            return False
        try:
            while self._near.recv(4096):
                pass
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Give the sockets back."""
        self._near.close()
        self._far.close()
