"""The two lines at the bottom: what happened and where you are, and the keys of the place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from console import safe
from console.actions import entries_for
from console.widgets.bars import KeyLine, StatusLine

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["SAID_S", "Foot"]

SAID_S = 5.0


class Foot:
    """Fills the status line and the key line of the desk."""

    def __init__(self, own_keys: dict[str, str]) -> None:
        self.status = StatusLine()
        self.keys = KeyLine()
        self._own_keys = own_keys
        self._accounts: dict[str, tuple[str, str]] = {}

    def say(self, text: str, ink: str, seconds: float) -> None:
        """A sentence in place of the left part, for some seconds."""
        self.status.say(safe.one_line(text), ink, time.monotonic() + seconds)

    def tick(self) -> None:
        """Take the sentence off when its time has come."""
        self.status.hush(time.monotonic())

    def account_told(self, name: str, ok: bool, words: str) -> None:
        """An account of a channel does well, or not."""
        said = f"{name} {'✓' if ok else '✕'} {words}".rstrip()
        self._accounts[name] = (said, "dim" if ok else "late")

    def show(self, desk: DeskScreen) -> None:
        """Bring both lines up to date."""
        queue = desk.queue
        left = list(self._accounts.values())
        if desk.filter_text:
            left.insert(0, (f"filter: {desk.filter_text}", "accent"))
        if desk.pane is not None and desk.in_ticket and (unseen := desk.pane.transcript.unseen):
            words = "1 new message" if unseen == 1 else f"{unseen} new messages"
            left.insert(0, (f"↓ {words} below: G", "risk"))
        if queue.marks:
            left.insert(0, (f"{len(queue.marks)} marked", "accent"))
        right = []
        if not desk.in_ticket:
            right.append((f"{min(queue.cursor + 1, len(queue.ids))}/{len(queue.ids)}", "text"))
        right.append((desk.bridge.agent or "nobody", "dim"))
        right.append((f"{desk.bridge.now().astimezone(desk.zone):%H:%M}", "text"))
        self.status.update(tuple(left), tuple(right))
        self.keys.show(entries_for(desk.place), self._own_keys)
