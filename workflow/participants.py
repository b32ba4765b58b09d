"""Who takes part in a conversation, and whose message came from outside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from workflow.model import Direction, OutboxState

__all__ = ["Said", "strangers"]

Pairs = Iterable[Iterable[str]]
"""(name, address) of each."""


class Said(Protocol):
    """What has to be known of a message."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def direction(self) -> str:
        """Where it went."""
        ...

    @property
    def channel(self) -> str:
        """How it came."""
        ...

    @property
    def automatic(self) -> bool:
        """Whether a machine wrote it."""
        ...

    @property
    def delivery(self) -> str | None:
        """What became of it, if it is ours."""
        ...

    @property
    def home(self) -> int | None:
        """The merged ticket it belongs to; None for the one it is shown on."""
        ...

    @property
    def from_address(self) -> str:
        """Who wrote it."""
        ...

    @property
    def people(self) -> tuple[str, ...]:
        """The addresses of everybody else whom it names: To, Cc, Bcc and Reply-To."""
        ...


def strangers(messages: Iterable[Said], known: Iterable[str]) -> frozenset[int]:
    """The messages whose senders were no participants when they wrote, of messages in their order.

    ``known`` are the customer's own addresses. Participants are they, whoever wrote the first
    message of the ticket or of one that was merged into it, and everybody to whom or from whom
    something went since. Only mail has strangers: nobody is let into a chat by an address.
    """
    taking_part = {address.lower() for address in known}
    opened: set[int | None] = set()
    found: set[int] = set()
    for message in messages:
        if message.channel != "email" or message.direction == Direction.NOTE:
            continue
        if message.automatic or message.delivery == OutboxState.CANCELLED:
            continue
        sender = message.from_address.lower()
        outside = message.home in opened and sender not in taking_part
        if message.direction == Direction.IN and outside:
            found.add(message.id)
        opened.add(message.home)
        taking_part.add(sender)
        taking_part.update(address.lower() for address in message.people)
    return frozenset(found)
