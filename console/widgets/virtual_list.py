"""A list of any length: only the lines on screen are ever fetched or drawn, and the cursor stays on an id."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.drawing import LineBuilder
from console.keymap import LIST_KEYS
from console.themes import Inks

__all__ = ["VirtualList"]

_STRIPS_KEPT = 2_000


class VirtualList(ScrollView, can_focus=True):
    """A Line API list over ids. Subclasses draw one line; this class moves, scrolls, marks and repaints.

    A key that moves the cursor repaints two lines. New ids may be given at any time: the cursor and the marks stay with
    their ids, and the lines on screen move only if they must.
    """

    BINDINGS = LIST_KEYS
    DEFAULT_CSS = """
    VirtualList { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor stands on another line (or the list has changed under it)."""

        def __init__(self, control: VirtualList) -> None:
            super().__init__()
            self.list = control

        @property
        def control(self) -> VirtualList:
            """The list."""
            return self.list

    class Chosen(Message):
        """A line was opened: enter, or a second click on it. ``id`` is the line's."""

        def __init__(self, control: VirtualList, row_id: int) -> None:
            super().__init__()
            self.list = control
            self.id = row_id

        @property
        def control(self) -> VirtualList:
            """The list."""
            return self.list

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ids: array[int] = array("q")
        self.cursor = 0
        self.marks: set[int] = set()
        self._strips: dict[tuple[int, bool, bool], Strip] = {}
        self._drawn_width = 0
        self.on_moved: Callable[[], None] | None = None
        """Called at once instead of posting :class:`Moved`, so that what depends on it is in the same frame."""

    # -- what subclasses give

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:
        """One line of the list, exactly ``width`` cells wide, on a ground."""
        raise NotImplementedError

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """A line of the empty list: what it means and what to do."""

    # -- reading

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        return inks

    @property
    def cursor_id(self) -> int | None:
        """The id under the cursor, or None in an empty list."""
        return self.ids[self.cursor] if self.cursor < len(self.ids) else None

    @property
    def visible_ids(self) -> Sequence[int]:
        """The ids of the lines that are on screen."""
        top = int(self.scroll_offset.y)
        return self.ids[top : top + self.size.height]

    # -- changing

    def set_ids(
        self, ids: Iterable[int], *, cursor_id: int | None = None, reset: bool = False
    ) -> None:
        """Show other ids. The cursor stays on its id (or goes to ``cursor_id``), at its height on the screen.

        An id that has gone leaves the cursor at its place in the list. ``reset`` puts it on the first line.
        """
        old_id, old_index = self.cursor_id, self.cursor
        old_top = int(self.scroll_offset.y)
        self.ids = ids if isinstance(ids, array) else array("q", ids)
        wanted = cursor_id if cursor_id is not None else old_id
        if reset and cursor_id is None:
            self.cursor, shift = 0, -old_top
        else:
            self.cursor, shift = self._place_of(wanted, old_index), 0
            if self.cursor_id == old_id:
                shift = self.cursor - old_index
        if self.marks:
            self.marks &= set(self.ids)
        self.virtual_size = Size(1, len(self.ids))
        top = max(0, min(old_top + shift, len(self.ids) - self.size.height))
        if old_top == 0 and self.cursor < max(1, self.size.height):
            top = 0  # someone who looks at the head of the queue goes on looking at it
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self._keep_in_sight()
        self.refresh()
        self._tell()

    def _place_of(self, wanted: int | None, fallback: int) -> int:
        if wanted is not None:
            try:
                return self.ids.index(wanted)
            except ValueError:
                pass
        return max(0, min(fallback, len(self.ids) - 1))

    def forget(self, row_ids: Iterable[int] | None = None) -> None:
        """Draw these lines again (None: all of them)."""
        if row_ids is None:
            self._strips.clear()
            self.refresh()
            return
        gone = set(row_ids)
        for row_id in gone:
            for cursor in (False, True):
                for marked in (False, True):
                    self._strips.pop((row_id, cursor, marked), None)
        top, width = int(self.scroll_offset.y), self.size.width
        regions = [
            Region(0, y, width, 1) for y, shown in enumerate(self.visible_ids) if shown in gone
        ]
        if regions:
            self.refresh(*regions)
        del top

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; only the two lines that change are painted again, unless the list scrolls."""
        index = max(0, min(index, len(self.ids) - 1))
        if index == self.cursor or not self.ids:
            return
        old, self.cursor = self.cursor, index
        if not self._keep_in_sight():
            top, width = int(self.scroll_offset.y), self.size.width
            self.refresh(Region(0, old - top, width, 1), Region(0, index - top, width, 1))
        self._tell()

    def _keep_in_sight(self) -> bool:
        top, height = int(self.scroll_offset.y), self.size.height
        if height <= 0 or top <= self.cursor < top + height:
            return False
        y = self.cursor if self.cursor < top else self.cursor - height + 1
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        self.refresh()
        return True

    def _tell(self) -> None:
        if self.on_moved is not None:
            self.on_moved()
        else:
            self.post_message(self.Moved(self))

    # -- drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen (Textual's Line API)."""
        width = self.size.width
        if width != self._drawn_width:
            self._strips.clear()
            self._drawn_width = width
        index = y + int(self.scroll_offset.y)
        if index >= len(self.ids):
            base = self.inks("text")
            if self.ids:
                return Strip([Segment(" " * width, base)], width)
            line = LineBuilder(width)
            self.draw_empty(y, line)
            return line.strip(base)
        row_id = self.ids[index]
        key = (row_id, index == self.cursor, row_id in self.marks)
        strip = self._strips.get(key)
        if strip is None:
            ground = "cursor" if key[1] else "marked" if key[2] else "base"
            strip = self.draw(row_id, index, width, ground)
            if len(self._strips) >= _STRIPS_KEPT:
                self._strips.clear()
            self._strips[key] = strip
        return strip

    def base_style(self) -> Style:
        """The style of empty cells."""
        return self.inks("text")

    def notify_style_update(self) -> None:
        """A theme was changed: nothing that was drawn is good any more."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Keep the cursor on screen when the window changes."""
        self._keep_in_sight()

    # -- keys and mouse

    def action_move(self, lines: int) -> None:
        """Go up or down by lines."""
        self.move_to(self.cursor + lines)

    def action_first(self) -> None:
        """Go to the first line."""
        self.move_to(0)

    def action_last(self) -> None:
        """Go to the last line."""
        self.move_to(len(self.ids) - 1)

    def action_page(self, direction: int) -> None:
        """Go a screen up or down."""
        self._leap(direction * max(1, self.size.height - 1))

    def action_half_page(self, direction: int) -> None:
        """Go half a screen up or down."""
        self._leap(direction * max(1, self.size.height // 2))

    def _leap(self, lines: int) -> None:
        index = max(0, min(self.cursor + lines, len(self.ids) - 1))
        if not self.ids or index == self.cursor:
            return
        top = int(self.scroll_offset.y)
        self.cursor = index
        self.scroll_to(y=max(0, top + lines), animate=False, immediate=True, force=True)
        self._keep_in_sight()
        self.refresh()
        self._tell()

    def toggle_mark(self) -> None:
        """Mark or unmark the line under the cursor and go on to the next."""
        if (row_id := self.cursor_id) is None:
            return
        self.marks ^= {row_id}
        self.forget([row_id])
        self.move_to(self.cursor + 1)
        self._tell()

    def mark_all(self) -> None:
        """Mark every line."""
        self.marks = set(self.ids)
        self.refresh()
        self._tell()

    def clear_marks(self) -> None:
        """Take all marks off."""
        self.set_marks(set())

    def set_marks(self, marks: set[int]) -> None:
        """Mark these lines and no other."""
        self.marks = marks & set(self.ids)
        self.refresh()
        self._tell()

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a second one on the same line, or a double click, opens it."""
        index = event.y + int(self.scroll_offset.y)
        if not 0 <= index < len(self.ids):
            return
        again = event.chain > 1
        self.move_to(index)
        if again:
            self.post_message(self.Chosen(self, self.ids[index]))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls three lines; the cursor comes along only when it would leave the screen."""
        self._wheel(event, 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls three lines up."""
        self._wheel(event, -3)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        event.stop()
        event.prevent_default()
        height = self.size.height
        top = max(0, min(int(self.scroll_offset.y) + lines, len(self.ids) - height))
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        inside = max(top, min(self.cursor, top + height - 1))
        if inside != self.cursor:
            self.cursor = inside
            self._tell()
        self.refresh()
