"""The queue: ids from a view, rows from the database as they come on screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from textual.strip import Strip

from console.countdown import Left, wall_clock
from console.drawing import LineBuilder
from console.widgets.queue_row import Columns, columns_for, draw_row, draw_titles, row_words
from console.widgets.virtual_list import VirtualList
from workflow.model import to_millis
from workflow.store.queue_rows import QueueRow

__all__ = ["QueueList"]

_PAGE = 64
_ROWS_KEPT = 4_096


class QueueList(VirtualList):
    """The tickets of a view. ``fetch`` reads rows by id (it is asked for a page around what is drawn)."""

    HELP = "The queue: one line a ticket, the nearest promise first."

    def __init__(
        self,
        fetch: Callable[[Sequence[int]], list[QueueRow]],
        now: Callable[[], datetime],
        me: str | None,
        left: Left = wall_clock,
    ) -> None:
        super().__init__(id="queue")
        self._fetch = fetch
        self._now = now
        self._me = me
        self._left = left
        self._rows: dict[int, QueueRow] = {}
        self._words: dict[int, tuple[str, ...]] = {}
        self._columns: Columns | None = None
        self._columns_of = (0, 0)
        self.empty_words: tuple[str, ...] = ("Reading the queue …",)

    # -- rows

    def put_rows(self, rows: Iterable[QueueRow]) -> None:
        """Rows that were read along with something else."""
        self._rows.update((row.id, row) for row in rows)

    def row(self, ticket_id: int) -> QueueRow | None:
        """The row of a ticket, read if it is not at hand; None for one that has gone."""
        row = self._rows.get(ticket_id)
        if row is None:
            self._read_around(ticket_id)
            row = self._rows.get(ticket_id)
        return row

    def _read_around(self, ticket_id: int) -> None:
        top = int(self.scroll_offset.y)
        start = max(0, top - _PAGE // 4)
        near = self.ids[start : start + max(_PAGE, self.size.height + _PAGE // 2)]
        wanted = [known for known in near if known not in self._rows]
        if ticket_id not in wanted:
            wanted = [ticket_id]
        if len(self._rows) > _ROWS_KEPT:
            self._rows.clear()
        self.put_rows(self._fetch(wanted))

    def drop_rows(self, ticket_ids: Iterable[int]) -> None:
        """Read these rows again when they are next drawn, which is now for those on screen."""
        gone = list(ticket_ids)
        for ticket_id in gone:
            self._rows.pop(ticket_id, None)
            self._words.pop(ticket_id, None)
        self.forget(gone)

    def drop_all(self) -> None:
        """Read every row again."""
        self._rows.clear()
        self._words.clear()
        self.forget()

    # -- drawing

    @property
    def columns(self) -> Columns:
        """The columns that fit the width and the numbers of the tickets."""
        width = self.size.width
        if self._columns is None or self._columns_of != (width, len(self.ids)):
            known = self.ids if len(self.ids) <= 2_000 else self.ids[-2_000:]
            columns = columns_for(width, max(known, default=0))
            if columns != self._columns:
                self._columns = columns
                self._strips.clear()
            self._columns_of = (width, len(self.ids))
        return self._columns

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One ticket."""
        now_ms = to_millis(self._now())
        row = self.row(row_id)
        if row is None:
            line = LineBuilder(width)
            line.add(f"  #{row_id}  has left this desk", self.inks("faint", ground))
            return line.strip(self.inks("text", ground))
        columns = self.columns
        self._words[row_id] = row_words(row, columns, now_ms, self._left)
        return draw_row(
            row,
            columns,
            self.inks,
            ground,
            width,
            now_ms,
            row_id in self.marks,
            self._me,
            self._left,
        )

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """What an empty view means and what to do."""
        first = max(1, self.size.height // 3)
        if 0 <= y - first < len(self.empty_words):
            words = self.empty_words[y - first]
            line.pad_to(max(0, (line.width - len(words)) // 2), self.inks("text"))
            line.add(words, self.inks("text" if y == first else "dim"))

    def titles(self, width: int) -> Strip:
        """The column titles, aligned with the rows."""
        return draw_titles(self.columns, self.inks, width)

    def tick(self) -> None:
        """A second has passed: paint again the lines whose words have changed, and no other."""
        now_ms = to_millis(self._now())
        columns = self.columns
        stale = []
        for ticket_id in self.visible_ids:
            row, words = self._rows.get(ticket_id), self._words.get(ticket_id)
            if (
                row is not None
                and words is not None
                and row_words(row, columns, now_ms, self._left) != words
            ):
                stale.append(ticket_id)
        if stale:
            self.forget(stale)
