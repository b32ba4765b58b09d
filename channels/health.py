"""How the accounts are doing, in words: what screens, ``doctor`` and ``engine --json`` show."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from workflow.errors import DeskError

__all__ = ["AccountState", "Health", "as_desk_error"]

_log = logging.getLogger("deskhand.engine")


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account: whether all is well, and a sentence or a phrase about it."""

    name: str
    ok: bool
    words: str


class Health:
    """What was said last about receiving and about sending, for each account.

    Any thread may read and write.
    """

    def __init__(self, accounts: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._receiving = {name: AccountState(name, True, "not started") for name in accounts}
        self._sending: dict[str, str] = {}

    def say(self, account: str, words: str, *, ok: bool = True) -> None:
        """Put words to how receiving goes."""
        with self._lock:
            self._receiving[account] = AccountState(account, ok, words)

    def sending(self, account: str, fault: str | None) -> None:
        """Note why nothing can be sent for the account, or (None) that it can."""
        with self._lock:
            if fault is None:
                self._sending.pop(account, None)
            else:
                self._sending[account] = fault

    def fault(self, account: str) -> str | None:
        """What is wrong with the account, receiving before sending; None if nothing is."""
        with self._lock:
            receiving = self._receiving[account]
            return self._sending.get(account) if receiving.ok else receiving.words

    def states(self) -> list[AccountState]:
        """All accounts in the order of deskhand.toml."""
        with self._lock:
            return [
                AccountState(name, False, f"{state.words}; cannot send: {self._sending[name]}")
                if name in self._sending
                else state
                for name, state in self._receiving.items()
            ]


def as_desk_error(fault: Exception) -> DeskError:
    """The fault itself where it has a sentence; else one that says it is ours, and a log entry."""
    if isinstance(fault, DeskError):
        return fault
    _log.error("a fault of deskhand itself", exc_info=fault)
    return DeskError(
        f"deskhand itself failed ({type(fault).__name__}: {str(fault)[:100]}):"
        " it goes on trying; please report it"
    )
