"""Why a notice was not told."""

from __future__ import annotations

__all__ = ["Untold"]


class Untold(Exception):
    """It could not be told; the text is the sentence. ``passes``: it is worth trying again."""

    def __init__(self, sentence: str, *, passes: bool) -> None:
        super().__init__(sentence)
        self.passes = passes
