"""What happens together with a reply or a note that is being written: the changes of macros that were put into it."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.actions import Action, SetStatus

__all__ = ["Brought", "Carried", "gaps_refused"]

_Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Brought:
    """What a macro brings besides its text: the actions, and how they read."""

    macro: str
    title: str
    actions: tuple[Action, ...]
    words: tuple[str, ...]


class Carried:
    """Kept for each ticket and kind of text until it is sent, thrown away or left out."""

    def __init__(self) -> None:
        self._with: dict[_Key, tuple[Brought, ...]] = {}
        self._sent: dict[_Key, tuple[str, tuple[Brought, ...]]] = {}

    def add(self, ticket: int, kind: str, brought: Brought) -> None:
        """A macro was put into the text; one that was there already counts as it is now."""
        others = [b for b in self._with.get((ticket, kind), ()) if b.macro != brought.macro]
        self._with[ticket, kind] = (*others, brought)

    def drop(self, ticket: int, kind: str) -> None:
        """Nothing is to happen with the text."""
        self._with.pop((ticket, kind), None)

    def actions(self, ticket: int, kind: str, to_status: str | None) -> list[Action]:
        """What is to be done with sending. A status that the agent chose for it is the one that counts."""
        return [
            action
            for brought in self._with.get((ticket, kind), ())
            for action in brought.actions
            if to_status is None or not isinstance(action, SetStatus)
        ]

    def cause(self, ticket: int, kind: str, key: str) -> str:
        """Through what it happens: the key, and the macros that the text has taken in."""
        names = [f"macro:{brought.macro}" for brought in self._with.get((ticket, kind), ())]
        return " ".join([key, *names])

    def words(self, ticket: int, kind: str) -> str:
        """What happens with sending, on one line; empty where nothing does."""
        found = self._with.get((ticket, kind), ())
        words = [word for brought in found for word in brought.words]
        return " · ".join(dict.fromkeys(words))

    def sent(self, ticket: int, kind: str, text: str) -> None:
        """It has happened; an undo that gives the text back gives this back, too."""
        self._sent[ticket, kind] = (text, self._with.pop((ticket, kind), ()))

    def opened(self, ticket: int, kind: str, draft: str) -> None:
        """A draft is on screen again: if it is what was sent and taken back, so is what came with it."""
        text, brought = self._sent.pop((ticket, kind), ("", ()))
        if brought and draft == text and (ticket, kind) not in self._with:
            self._with[ticket, kind] = brought


def gaps_refused(text: str) -> str:
    """Why a text cannot be sent where a macro's placeholder is still empty in it; else nothing."""
    if "⟦" not in text:
        return ""
    from macros.placeholders import mark, unfilled_in

    gaps = unfilled_in(text)
    if not gaps:
        return ""
    marks = ", ".join(mark(gap) for gap in gaps)
    return f"Not sent: {marks} still stands in the text. Write what belongs there, then send."
