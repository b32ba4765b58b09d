"""Which of the engine's pieces of work are ours: leases taken, kept, lost and given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from channels.health import as_desk_error
from workflow.leases import Holder

__all__ = ["RENEW_S", "TIMERS", "Leases", "account_lease"]

TIMERS = "timers"
"""The lease of what happens because time has passed."""

RENEW_S = 10.0
"""Seconds between renewals, a third of the time after which a lease is lost."""

_TRY_S = 2.0
_TRUSTED_S = 25.0
"""Seconds for which a renewal is believed: less than a lease lasts, so that nobody else has it."""


def account_lease(name: str) -> str:
    """The lease of receiving and sending for an account."""
    return f"account:{name}"


class Leases:
    """The leases that one engine wants. Any thread may ask; one thread keeps them.

    ``taken`` is called for each lease that becomes ours, before anybody is told that it is.
    """

    def __init__(
        self, holder: Holder, names: Iterable[str], taken: Callable[[str], None] | None = None
    ) -> None:
        self.holder = holder
        self._names = tuple(names)
        self._taken = taken
        # Real seconds: a machine that slept must not believe in what it held before.
        self._held: dict[str, float] = {}
        self._lock = threading.Lock()

    def held(self, name: str) -> bool:
        """Whether the lease is ours at this moment."""
        with self._lock:
            since = self._held.get(name)
        return since is not None and _seconds() - since < _TRUSTED_S

    def take(self) -> None:
        """Take or renew each lease; one that another living engine has is left to it.

        Raises StoreError when the database cannot be used.
        """
        for name in self._names:
            before = self.held(name)
            asked = _seconds()
            if not self.holder.take(name):
                with self._lock:
                    self._held.pop(name, None)
                continue
            if not before and self._taken is not None:
                self._taken(name)
            with self._lock:
                self._held[name] = asked

    def release(self) -> None:
        """Give all back, so that another engine need not wait."""
        with self._lock:
            names = list(self._held)
            self._held.clear()
        for name in names:
            self.holder.release(name)

    def keep(self, stopping: threading.Event, changed: Callable[[], None]) -> None:
        """Renew until told to stop, and try for those that another engine has."""
        renewed = -RENEW_S
        before: set[str] = set()
        while not stopping.is_set():
            missing = any(not self.held(name) for name in self._names)
            if missing or time.monotonic() - renewed >= RENEW_S:
                try:
                    self.take()
                    renewed = time.monotonic()
                except Exception as fault:  # noqa: BLE001  without leases nothing works
                    # The workers say what is wrong with the store; here it only means: try again.
                    as_desk_error(fault)
            now = {name for name in self._names if self.held(name)}
            if now != before:
                before = now
                changed()
            stopping.wait(_TRY_S)


def _seconds() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
