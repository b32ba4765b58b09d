"""How the accounts are doing, in words: what screens, ``doctor`` and ``engine --json`` show."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflow.clock import Clock, SystemClock
from workflow.errors import DeskError

__all__ = ["AccountState", "Health", "as_desk_error"]

_log = logging.getLogger("deskhand.engine")


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account: whether all is well, a sentence about it, and the same ``brief``, in a word or
    three.

    ``since`` is when it began to be well or unwell, ``next_try`` when a pause after a fault ends.
    """

    name: str
    ok: bool
    words: str
    brief: str = ""
    since: datetime | None = None
    next_try: datetime | None = None


class Health:
    """What was said last about receiving and about sending, for each account.

    Any thread may read and write.
    """

    def __init__(self, accounts: Iterable[str], clock: Clock | None = None) -> None:
        self._lock = threading.Lock()
        self._clock = clock or SystemClock()
        now = self._clock.now()
        self._receiving = {
            name: AccountState(name, True, "not started", "not started", now) for name in accounts
        }
        self._sending: dict[str, tuple[str, datetime]] = {}

    def say(
        self,
        account: str,
        words: str,
        *,
        ok: bool | None = True,
        brief: str = "",
        pause_s: float | None = None,
    ) -> None:
        """Put words to how receiving goes. Without ``ok`` it stays as well or unwell as it was: who
        tries again is not well yet.
        """
        now = self._clock.now()
        with self._lock:
            before = self._receiving[account]
            well = before.ok if ok is None else ok
            self._receiving[account] = AccountState(
                account,
                well,
                words,
                brief or words,
                before.since if well == before.ok else now,
                None if pause_s is None else now + timedelta(seconds=pause_s),
            )

    def sending(self, account: str, fault: str | None) -> None:
        """Note why nothing can be sent for the account, or (None) that it can."""
        now = self._clock.now()
        with self._lock:
            if fault is None:
                self._sending.pop(account, None)
            else:
                since = self._sending.get(account, ("", now))[1]
                self._sending[account] = (fault, since)

    def fault(self, account: str) -> str | None:
        """What is wrong with the account, receiving before sending; None if nothing is."""
        with self._lock:
            receiving = self._receiving[account]
            if not receiving.ok:
                return receiving.words
            return self._sending[account][0] if account in self._sending else None

    def states(self) -> list[AccountState]:
        """All accounts in the order of deskhand.toml."""
        with self._lock:
            return [self._both(state) for state in self._receiving.values()]

    def _both(self, state: AccountState) -> AccountState:
        if state.name not in self._sending:
            return state
        fault, since = self._sending[state.name]
        words = f"{state.words}; cannot send: {fault}"
        if not state.ok:
            return replace(state, words=words)
        return replace(state, ok=False, words=words, brief="cannot send", since=since)


def as_desk_error(fault: Exception) -> DeskError:
    """The fault itself where it has a sentence; else one that says it is ours, and a log entry."""
    if isinstance(fault, DeskError):
        return fault
    _log.error("a fault of deskhand itself", exc_info=fault)
    return DeskError(
        f"deskhand itself failed ({type(fault).__name__}: {str(fault)[:100]}):"
        " it goes on trying; please report it"
    )
