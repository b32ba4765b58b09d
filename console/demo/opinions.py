"""How a customer of the demo takes an answer: glad if it has what they want, else not yet."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Opinion"]


@dataclass(slots=True)
class Opinion:
    """What one person wants to read about one matter.

    An answer that contains one of ``wants`` (without regard to case) is answered with ``glad`` and
    ends the matter; any other gets the next of ``sour``, and ``glad`` when there are no more.
    """

    wants: tuple[str, ...]
    glad: str
    sour: tuple[str, ...]
    told: int = 0
    done: bool = False

    def of(self, text: str) -> str:
        """What they write back to an answer; empty for nothing."""
        plain = text.casefold()
        pleased = not self.wants or any(word in plain for word in self.wants)
        if not pleased and self.told < len(self.sour):
            self.told += 1
            return self.sour[self.told - 1]
        self.done = True
        return self.glad
