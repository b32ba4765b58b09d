"""The two lines of the tour, above the status line: they take their place and cover nothing."""

from __future__ import annotations

from textual.strip import Strip

from console.drawing import LineBuilder
from console.widgets.bars import Bar

__all__ = ["TourStrip"]


class TourStrip(Bar):
    """What to press next, and a line about what that is good for."""

    GROUND = "tab"
    DEFAULT_CSS = "TourStrip { height: 2; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="tour")
        self._said = ("", "", "", "")

    def show(self, title: str, say: str, why: str, leave: str) -> None:
        """Say something else."""
        if (said := (title, say, why, leave)) != self._said:
            self._said = said
            self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """Not used: there are two lines."""

    def render_line(self, y: int) -> Strip:
        """One of the two (Textual's Line API)."""
        title, say, why, leave = self._said
        inks, ground = self.inks, self.GROUND
        line = LineBuilder(self.size.width)
        if y:
            line.add(f" {why}", inks("dim", ground))
        else:
            line.add(f" {title} ", inks("accent", ground))
            line.add(f" {say}", inks("strong", ground))
            if leave and line.room > len(leave) + 2:
                line.pad_to(line.width - len(leave) - 1, inks("text", ground))
                line.add(leave, inks("dim", ground))
        return line.strip(inks("text", ground))
