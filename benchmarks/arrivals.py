"""From a Bot API server that hands an update out to the row that is painted for it, in the real console
on a terminal of its own; nothing is pressed in between.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT
from benchmarks.terminal import Terminal
from console.demo.bot_http import Answer
from console.demo.bot_server import BotServer

__all__ = ["ArrivalFailed", "time_arrivals"]

_LIMIT_S = 20.0
_START_S = 60.0
_FILTER = "channel:telegram"
_PAUSE_S = 0.6
"""Seconds between two arrivals: each is met by a console that waits."""


class ArrivalFailed(Exception):
    """A row that did not come; the text says which."""


class _Clocked(BotServer):
    """Notes when an update was last handed out."""

    def __init__(self) -> None:
        self.given: dict[int, float] = {}
        super().__init__()

    def handle(self, method: str, form: dict[str, Any]) -> Answer | None:
        """The answer, and the moment of it."""
        answer = super().handle(method, form)
        if method == "getUpdates" and answer is not None and answer[0] == 200:
            now = time.perf_counter()
            for update in answer[1]["result"]:
                self.given.setdefault(update["update_id"], now)
        return answer


def time_arrivals(home: Path, count: int, say: Callable[[str], None]) -> Spread:
    """Milliseconds for ``count`` new chats, each of somebody else. The home gets a bot for it.

    Raises ArrivalFailed.
    """
    say(f"arrivals: {count} chats")
    with _Clocked() as server:
        settings = home / "deskhand.toml"
        settings.write_text(
            settings.read_text(encoding="utf-8")
            + f'\n[[channel]]\nname = "bot"\nkind = "telegram"\nbase_url = "{server.base_url}"\n'
            'token = { env = "ARRIVALS_TOKEN" }\n',
            encoding="utf-8",
        )
        command = (sys.executable, "-m", "console", "--home", str(home), "--agent", AGENT)
        terminal = Terminal(command, {"ARRIVALS_TOKEN": server.token})
        try:
            return spread(list(_arrivals(terminal, server, count)))
        finally:
            terminal.close("q")


def _arrivals(terminal: Terminal, server: _Clocked, count: int) -> list[float]:
    if terminal.wait_for(re.compile(r"bot ✓ waiting"), _START_S) is None:
        raise ArrivalFailed("the console did not begin to wait for messages")
    for key in ("7", "/", *_FILTER, "\r"):
        terminal.key(key)
    found = []
    for number in range(count):
        word = f"Arrival-{number:04d}"
        terminal.settle(_PAUSE_S)
        server.customer(9000 + number, f"Person {number}").says(word)
        painted = terminal.wait_for(re.compile(word), _LIMIT_S)
        if painted is None:
            raise ArrivalFailed(f"{word} was not on the screen after {_LIMIT_S:.0f} s")
        given = server.given[server.next_update - 1]
        found.append((terminal.started + painted - given) * 1e3)
    return found
