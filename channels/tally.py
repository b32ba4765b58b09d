"""Counting what became of what was received and sent."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.model import Intake

__all__ = ["Sent", "Tally"]


@dataclass(slots=True)
class Tally:
    """What became of the items that were received."""

    created: int = 0
    appended: int = 0
    duplicate: int = 0
    held: int = 0

    @property
    def received(self) -> int:
        """All of them."""
        return self.created + self.appended + self.duplicate + self.held

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.created + other.created,
            self.appended + other.appended,
            self.duplicate + other.duplicate,
            self.held + other.held,
        )

    def add(self, outcome: Intake) -> None:
        """Count one."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)


@dataclass(slots=True)
class Sent:
    """How many messages were taken by a server, and how many need a person now."""

    sent: int = 0
    failed: int = 0

    def __add__(self, other: Sent) -> Sent:
        """Both together."""
        return Sent(self.sent + other.sent, self.failed + other.failed)
