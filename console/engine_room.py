"""The engine inside the console: it works in threads of its own; what it says of its accounts reaches the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from console.bridge import AccountState

__all__ = ["EngineRoom", "Working"]


class _Account(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def words(self) -> str: ...
    @property
    def brief(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def next_try(self) -> datetime | None: ...


class Working(Protocol):
    """What the console needs of an engine (channels.engine.Engine)."""

    def start(self) -> None:
        """Begin in threads of its own."""
        ...

    def stop(self) -> None:
        """End, within seconds."""
        ...

    def hurry(self, account: str, /) -> None:
        """Try an account again now."""
        ...

    def typing(self, account: str, address: str, /) -> None:
        """Show a customer that somebody writes."""
        ...

    def states(self) -> Sequence[_Account]:
        """How each account does."""
        ...


class EngineRoom:
    """Runs an engine until it is told to stop, and tells each change of an account's state once."""

    def __init__(self, make: Callable[[], Working], tell: Callable[[AccountState], None]) -> None:
        self._make = make
        self._tell = tell
        self._stop = threading.Event()
        self._engine: Working | None = None

    def run(self) -> None:
        """Work until :meth:`stop`; called in a thread of its own. Raises DeskError when the engine cannot start."""
        engine = self._engine = self._make()
        engine.start()
        said: dict[str, AccountState] = {}
        try:
            while not self._stop.wait(0.3):
                for account in engine.states():
                    state = AccountState(
                        account.name,
                        account.ok,
                        account.words,
                        account.brief,
                        account.since,
                        account.next_try,
                    )
                    if said.get(state.name) != state:
                        said[state.name] = state
                        self._tell(state)
        finally:
            engine.stop()

    def hurry(self, account: str) -> None:
        """Try an account again now that waits after a fault."""
        if self._engine is not None:
            self._engine.hurry(account)

    def typing(self, account: str, address: str) -> None:
        """Show a customer that somebody writes; raises nothing."""
        if self._engine is not None:
            self._engine.typing(account, address)

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stop.set()
