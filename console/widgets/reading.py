"""Text to read from top to bottom: drawn, not mounted, so that its length does not matter."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.drawing import LineBuilder
from console.keymap import LIST_KEYS
from console.themes import Inks
from console.widgets.transcript_lines import READABLE, wrap

__all__ = ["Reading"]


class Reading(ScrollView, can_focus=True):
    """Texts, each with its ink; wrapping is by cells, and every line has passed the gate."""

    BINDINGS = LIST_KEYS
    DEFAULT_CSS = """
    Reading { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    def __init__(self, *, id: str, widest: int = READABLE) -> None:
        super().__init__(id=id)
        self._widest = widest
        self._parts: list[tuple[str, str]] = []
        self._lines: list[tuple[str, str]] = []

    def put(self, parts: list[tuple[str, str]]) -> None:
        """Show texts, each with its ink."""
        self._parts = parts
        self._lay_out()

    def on_resize(self) -> None:
        """Wrap again."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = min(self.size.width - 3, self._widest)
        self._lines = [(line, ink) for text, ink in self._parts for line in wrap(text, width)]
        self.virtual_size = Size(1, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen (Textual's Line API)."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        line = LineBuilder(self.size.width)
        index = y + int(self.scroll_offset.y)
        if index < len(self._lines):
            text, ink = self._lines[index]
            line.add(f"  {text}", inks(ink))
        return line.strip(inks("text"))

    def action_move(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to(
            y=int(self.scroll_offset.y) + lines, animate=False, immediate=True, force=True
        )

    def action_first(self) -> None:
        """Go to the head."""
        self.action_move(-len(self._lines))

    def action_last(self) -> None:
        """Go to the end."""
        self.action_move(len(self._lines))

    def action_page(self, direction: int) -> None:
        """Scroll by a screen."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_half_page(self, direction: int) -> None:
        """Scroll by half a screen."""
        self.action_move(direction * max(1, self.size.height // 2))
