"""What a customer changed of a message after it had come: edited, added to, taken back. The text that
stands is the newest; the earlier ones are shown where the message is shown whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow.store.rows import EventDetail

__all__ = ["Amendment", "amended_word", "amendments"]

_WORDS = {
    "message.edited": "edited",
    "message.extended": "added to",
    "message.deleted": "taken back by the customer",
}


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change: its word, when, and the text before it (None where the text is the same)."""

    word: str
    at: datetime
    before: str | None


def amendments(events: Iterable[EventDetail]) -> dict[int, list[Amendment]]:
    """The changes of each message, oldest first."""
    found: dict[int, list[Amendment]] = {}
    for event in events:
        word = _WORDS.get(event.name)
        message: Any = event.data.get("message")
        if word is None or not isinstance(message, int):
            continue
        before = event.data.get("before") if event.name == "message.edited" else None
        change = Amendment(word, event.at, before if isinstance(before, str) else None)
        found.setdefault(message, []).append(change)
    return found


def amended_word(changes: Sequence[Amendment]) -> str:
    """What the head of a message says of its changes: the last of them, but nothing of late parts of
    an album.
    """
    words = [change.word for change in changes if change.word != "added to"]
    return words[-1] if words else ""
