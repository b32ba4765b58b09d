"""The line in the composer that says what happens together with sending."""

from __future__ import annotations

from console.drawing import LineBuilder
from console.widgets.bars import Bar

__all__ = ["WithSending"]


class WithSending(Bar):
    """What macros change when the text is sent; hidden where nothing does."""

    GROUND = "panel"
    DEFAULT_CSS = """
    WithSending { display: none; height: 1; }
    WithSending.-shown { display: block; }
    """
    words = ""
    note = False

    def tell(self, words: str, *, note: bool) -> None:
        """Say it, or nothing."""
        self.words, self.note = words, note
        self.set_class(bool(words), "-shown")
        self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """One line; the macro picker leaves it out again."""
        inks = self.inks
        line.add(" With saving: " if self.note else " With sending: ", inks("dim", self.GROUND))
        line.add(self.words, inks("good", self.GROUND))
