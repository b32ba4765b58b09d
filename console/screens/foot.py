"""The two lines at the bottom: what happened and where you are, and the keys of the place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from console import fmt, safe
from console.actions import entries_for
from console.widgets.bars import KeyLine, StatusLine

if TYPE_CHECKING:
    from console.bridge import AccountState
    from console.screens.desk import DeskScreen

__all__ = ["SAID_S", "Foot", "account_words"]

SAID_S = 5.0
_NAMED = 2
"""Accounts out of order that are named on the line; the room of accounts has them all."""


def account_words(accounts: Sequence[AccountState], now: datetime) -> list[tuple[str, str]]:
    """What the status line says of the accounts, with inks: those out of order first, and how to see more of them."""
    wrong = [state for state in accounts if not state.ok]
    said = [(f"{state.name} ✕ {_state(state, now)}", "late") for state in wrong[:_NAMED]]
    if len(wrong) > _NAMED:
        said = [(f"✕ {len(wrong)} of {len(accounts)} accounts do not work", "late"), *said]
    if wrong:
        said.append(("@ tells more", "dim"))
    return said + [(f"{state.name} ✓ {state.brief}", "dim") for state in accounts if state.ok]


def _state(state: AccountState, now: datetime) -> str:
    if state.next_try is None:
        return state.brief
    left = (state.next_try - now).total_seconds()
    return (
        f"{state.brief}, again in {fmt.span_words(left)}" if left >= 1 else f"{state.brief}, again"
    )


class Foot:
    """Fills the status line and the key line of the desk."""

    def __init__(self, own_keys: dict[str, str]) -> None:
        self.status = StatusLine()
        self.keys = KeyLine()
        self._own_keys = own_keys
        self.held = 0
        """How many held items wait for a person."""
        self.faults: dict[str, tuple[str, ...]] = {}
        """Names of files of the team that have a fault, by what they are, until they are mended."""

    def _fault_words(self) -> list[tuple[str, str]]:
        return [
            (f"{kind} ✕ {', '.join(names)}", "late") for kind, names in self.faults.items() if names
        ]

    def say(self, text: str, ink: str, seconds: float) -> None:
        """A sentence in place of the left part, for some seconds."""
        self.status.say(safe.one_line(text), ink, time.monotonic() + seconds)

    def tick(self) -> None:
        """Take the sentence off when its time has come."""
        self.status.hush(time.monotonic())

    def show(self, desk: DeskScreen) -> None:
        """Bring both lines up to date."""
        queue = desk.queue
        left = account_words(list(desk.bridge.accounts.values()), desk.bridge.now())
        left = [*self._fault_words(), *left]
        if self.held:
            left.insert(0, (f"{self.held} held · H", "risk"))
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
        agent = desk.bridge.agent or "nobody"
        right.append((f"{agent} away", "risk") if agent in desk.bridge.away() else (agent, "dim"))
        right.append((f"{desk.bridge.now().astimezone(desk.zone):%H:%M}", "text"))
        self.status.update(tuple(left), tuple(right))
        self.keys.show(entries_for(desk.place), self._own_keys)
