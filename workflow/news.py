"""What others wrote on a ticket while an answer was being composed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from workflow.model import Direction, OutboxState
from workflow.plaintext import one_line

__all__ = ["Written", "news_of", "news_sentence", "news_words"]

_SHOWN = 3
_FIRST_WORDS = 80
_DID = {Direction.IN: "wrote again", Direction.OUT: "answered", Direction.NOTE: "wrote a note"}


class Written(Protocol):
    """A message, as it is stored or as it was read."""

    @property
    def direction(self) -> str:
        """Whether it came in, goes out or is a note."""
        ...

    @property
    def author(self) -> str:
        """The name to show."""
        ...

    @property
    def agent(self) -> str | None:
        """Who of the team wrote it."""
        ...

    @property
    def text(self) -> str:
        """Its words without history."""
        ...

    @property
    def automatic(self) -> bool:
        """Whether a machine wrote it."""
        ...

    @property
    def delivery(self) -> str | None:
        """What became of it, where it goes out."""
        ...


W = TypeVar("W", bound=Written)


def news_of(messages: Sequence[W], agent: str | None) -> list[W]:
    """Those of the messages since composing began that somebody else wrote than ``agent``: a
    customer, or a colleague who answered or wrote a note. What machines wrote and what was taken
    back is no news.
    """
    return [
        message
        for message in messages
        if not message.automatic
        and message.delivery != OutboxState.CANCELLED
        and (message.agent is None or message.agent != agent)
    ]


def news_words(message: Written) -> str:
    """Who wrote what: ``Maria wrote again: Never mind, it works``."""
    return f"{_did(message)}: {one_line(message.text, _FIRST_WORDS)}"


def news_sentence(ticket: int, messages: Sequence[Written]) -> str:
    """Why an answer stops, with what is new."""
    more = f"; and {len(messages) - _SHOWN} more" if len(messages) > _SHOWN else ""
    said = "; ".join(news_words(message) for message in messages[:_SHOWN])
    return (
        f"{_did(messages[0])} since you began: read what is new on #{ticket}, then send again;"
        f" your text is kept as a draft ({said}{more})"
    )


def _did(message: Written) -> str:
    who = one_line(message.author, 60) or "somebody"
    return f"{who} {_DID[Direction(message.direction)]}"
