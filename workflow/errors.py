"""Faults that a person can act on.

Each carries one sentence that says what happened, to what, and what to do next.
"""

from __future__ import annotations

__all__ = ["DeskError", "NotFound", "Refusal", "SettingsError", "StoreError", "UsageError"]


class DeskError(Exception):
    """Something could not be done; its text is the sentence for the person (exit status 1)."""


class UsageError(DeskError):
    """The words of a command or a query do not fit (exit status 2)."""


class NotFound(DeskError):
    """What was named does not exist."""


class Refusal(DeskError):
    """The desk's rules do not allow the action now."""


class SettingsError(DeskError):
    """A file that the team writes cannot be used; the text names file and line.

    ``beside`` are further files of the home that it depends on, so that mending them is noticed.
    """

    def __init__(self, sentence: str, beside: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.beside = beside


class StoreError(DeskError):
    """The database or the files cannot be read or written."""
