"""Drawing one line of the screen: text in, a strip of exactly the right width out.

Every text that is added passes the gate (:mod:`console.safe`), so a line that is drawn with this can hold no control
sequence and no markup, wherever the text came from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console import safe

__all__ = ["LineBuilder", "Zone"]


class Zone(NamedTuple):
    """Cells of a line that answer to a click: from ``start`` up to ``end``."""

    start: int
    end: int
    action: str


class LineBuilder:
    """Builds one line from left to right."""

    __slots__ = ("_segments", "used", "width", "zones")

    def __init__(self, width: int) -> None:
        self.width = width
        self.used = 0
        self._segments: list[Segment] = []
        self.zones: list[Zone] = []

    @property
    def room(self) -> int:
        """Cells that are still free."""
        return self.width - self.used

    def add(
        self,
        text: str,
        style: Style,
        width: int | None = None,
        align: str = "left",
        most: int | None = None,
    ) -> None:
        """Add a text; with ``width`` it is cropped and padded to exactly that many cells, with ``most`` only cropped.

        Nothing passes the right edge.
        """
        room = self.width - self.used
        if most is not None:
            room = min(room, most)
        if room <= 0:
            return
        text = safe.one_line(text)
        if width is not None:
            text = safe.fit(text, min(width, room), align)
        elif safe.cells(text) > room:
            text = safe.crop(text, room)
        if text:
            self._put(text, style)
            self.used += safe.cells(text)

    def _put(self, text: str, style: Style) -> None:
        # Fewer segments are fewer bytes on a slow line: neighbours of one style are one, and a blank takes the
        # style beside it where that shows no difference.
        segments = self._segments
        if segments:
            before = segments[-1]
            known = before.style
            if known is style:
                segments[-1] = Segment(before.text + text, style)
                return
            if known is not None and _same_ground(known, style):
                if text.isspace():
                    segments[-1] = Segment(before.text + text, known)
                    return
                if before.text.isspace():
                    segments[-1] = Segment(before.text + text, style)
                    return
        segments.append(Segment(text, style))

    def link(self, text: str, style: Style, action: str) -> None:
        """Add a text that runs an action when it is clicked."""
        start = self.used
        self.add(text, style)
        if self.used > start:
            self.zones.append(Zone(start, self.used, action))

    def pad_to(self, column: int, style: Style) -> None:
        """Fill with blanks up to a column."""
        gap = min(column, self.width) - self.used
        if gap > 0:
            self._put(" " * gap, style)
            self.used += gap

    def strip(self, style: Style) -> Strip:
        """The finished line, filled up with blanks in a style."""
        self.pad_to(self.width, style)
        return Strip(self._segments, self.used)


@lru_cache(maxsize=1024)
def _same_ground(one: Style, other: Style) -> bool:
    """Whether a blank looks alike in both styles."""
    return (
        one.bgcolor == other.bgcolor
        and one.reverse == other.reverse
        and not one.underline
        and not other.underline
    )
