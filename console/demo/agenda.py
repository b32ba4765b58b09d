"""What is to happen later in a demo, done in a thread of its own when its time has come."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

__all__ = ["Agenda"]

_log = logging.getLogger("deskhand.demo")


class Agenda:
    """Pieces of work with the seconds until each; from any thread, also before :meth:`start`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def plan(self, after_s: float, work: Callable[[], None]) -> None:
        """Do something after some seconds."""
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + after_s, next(self._count), work))
            self._changed.notify_all()

    def start(self) -> None:
        """Begin to do what is planned."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, limit_s: float = 5.0) -> None:
        """Do no more; waits for what is being done. Harmless when not started."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(limit_s)

    def step(self) -> bool:
        """Do what comes next at once, whenever it is due; False if nothing is planned."""
        with self._changed:
            if not self._heap:
                return False
            work = heapq.heappop(self._heap)[2]
        work()
        return True

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:  # noqa: BLE001
                # The servers are being stopped, or one message was not taken: the rest goes on.
                _log.warning("%s: something planned could not be done", self._name, exc_info=True)

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._ended:
                if self._heap and (left := self._heap[0][0] - time.monotonic()) <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(left if self._heap else None)
        return None
