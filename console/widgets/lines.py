"""A text to be read beside a list: wrapped to the width, scrolled by pages, every line through the gate."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.drawing import LineBuilder
from console.themes import Inks
from console.widgets.transcript_lines import wrap

__all__ = ["Lines", "Piece"]

Piece = tuple[str, str]
"""A text, which may have several lines, and its ink."""


class Lines(ScrollView, can_focus=False):
    """Shows pieces of text, each in its ink, on the ground of a panel."""

    GROUND = "panel"
    DEFAULT_CSS = """
    Lines { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; background: $ground-panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pieces: tuple[Piece, ...] = ()
        self._lines: list[Piece] = []

    def show(self, pieces: Sequence[Piece], *, keep_place: bool = False) -> None:
        """Show other pieces, from their head; ``keep_place`` stays where somebody is reading."""
        self._pieces = tuple(pieces)
        self._wrap()
        if not keep_place:
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.refresh()

    def _wrap(self) -> None:
        width = max(8, self.size.width - 2)
        self._lines = [(line, ink) for text, ink in self._pieces for line in wrap(text, width)]
        self.virtual_size = Size(1, len(self._lines))

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._wrap()

    def page(self, direction: int) -> None:
        """Go a page up or down."""
        lines = direction * max(1, self.size.height - 1)
        self.scroll_to(
            y=int(self.scroll_offset.y) + lines, animate=False, immediate=True, force=True
        )
        self.refresh()

    @property
    def more(self) -> bool:
        """Whether there is something below what is on screen."""
        return int(self.scroll_offset.y) + self.size.height < len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One line of the screen (Textual's Line API)."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        line = LineBuilder(self.size.width)
        index = y + int(self.scroll_offset.y)
        if index < len(self._lines):
            text, ink = self._lines[index]
            line.add(f" {text}", inks(ink, self.GROUND))
        return line.strip(inks("text", self.GROUND))
