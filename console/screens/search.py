"""Full-text search over every message, resolved and closed tickets too."""

from __future__ import annotations

from array import array
from datetime import tzinfo
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input

from console import fmt
from console.bridge import Bridge
from console.drawing import LineBuilder
from console.widgets.bars import Bar
from console.widgets.field import Field
from console.widgets.queue_row import STATES
from console.widgets.virtual_list import VirtualList
from workflow.store.rows import SearchHit

__all__ = ["SearchScreen"]

WAIT_S = 0.12
MOST = 200


class _Hits(VirtualList):
    """Two lines a hit would be nicer to read; one line keeps a hundred in reach."""

    def __init__(self, bridge: Bridge, zone: tzinfo | None) -> None:
        super().__init__(id="hits")
        self._bridge, self._zone = bridge, zone
        self.hits: list[SearchHit] = []
        self.words = 'Type words, "an exact phrase" or fields such as from:maria status:resolved.'

    def put(self, hits: list[SearchHit]) -> None:
        """Show other hits."""
        self.hits = hits
        self._strips.clear()
        self.set_ids(array("q", range(len(hits))), reset=True)

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One hit: ticket, when, who, subject, and the words around the match."""
        hit, inks, line = self.hits[row_id], self.inks, LineBuilder(width)
        line.add("▌" if ground == "cursor" else " ", inks("accent", ground))
        line.add(f"#{hit.ticket}", inks("dim", ground), 6, "right")
        sign, ink = STATES.get(hit.status, (" ", "text"))
        line.add(f" {sign} ", inks(ink, ground))
        line.add(fmt.moment(hit.at, self._bridge.now(), self._zone), inks("dim", ground), 12)
        line.add(" ", inks("text", ground))
        line.add(hit.author, inks("text", ground), 14 if width < 100 else 22)
        line.add(" ", inks("text", ground))
        if width >= 120:
            line.add(hit.subject, inks("strong", ground), min(40, width // 4))
            line.add(" ", inks("text", ground))
        at = 0
        for start, end in hit.marks:
            line.add(hit.snippet[at:start], inks("dim", ground))
            line.add(
                hit.snippet[start:end], inks("strong", "match" if ground != "cursor" else ground)
            )
            at = end
        line.add(hit.snippet[at:], inks("dim", ground))
        return line.strip(inks("text", ground))

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """Why there is nothing."""
        if y == 1:
            line.add(f"  {self.words}", self.inks("dim"))


class _Count(Bar):
    """How many there are."""

    text = ""
    ink = "dim"

    def draw(self, line: LineBuilder) -> None:
        """The words."""
        line.add(f" {self.text}", self.inks(self.ink, self.GROUND))


class SearchScreen(Screen[SearchHit | None]):
    """Type; the list follows. Enter opens the ticket under the cursor."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+q", "quit_app", show=False, priority=True),
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("pagedown", "step(20)", show=False),
        Binding("pageup", "step(-20)", show=False),
        Binding("ctrl+o", "order", show=False),
    ]
    DEFAULT_CSS = """
    SearchScreen Input { padding: 0 1; background: $ground-cursor; }
    """

    def __init__(self, bridge: Bridge, zone: tzinfo | None) -> None:
        super().__init__()
        self._bridge = bridge
        self._hits = _Hits(bridge, zone)
        self._count = _Count()
        self._count.text = "enter opens, ctrl-o best or newest first, esc goes back"
        self._order = "best"
        self._timer: Timer | None = None
        self._asked = 0

    def compose(self) -> ComposeResult:
        """The line to type, the hits, their number."""
        yield Field("search every message")
        yield self._hits
        yield self._count

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(WAIT_S, self._search)

    def _search(self) -> None:
        text = self.query_one(Field).value.strip()
        self._asked += 1
        number = self._asked
        if not text:
            self._hits.put([])
            return
        order = self._order

        def found(result: tuple[list[SearchHit], int]) -> None:
            if number == self._asked and self.is_mounted:
                hits, total = result
                self._hits.words = f"No message holds {text!r}."
                self._hits.put(hits)
                shown = f"{total} messages" if total != 1 else "1 message"
                more = f", the first {len(hits)} are shown" if total > len(hits) else ""
                self._tell(
                    f"{shown}{more}, {order} first · enter opens · ctrl-o changes the order · esc goes back",
                    "dim",
                )

        def failed(sentence: str) -> None:
            if number == self._asked and self.is_mounted:
                self._tell(sentence, "risk")

        self._bridge.search(text, MOST, order, found, failed)

    def _tell(self, text: str, ink: str) -> None:
        self._count.text, self._count.ink = text, ink
        self._count.refresh()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._open(self._hits.cursor)

    @on(VirtualList.Chosen)
    def _chosen(self, event: VirtualList.Chosen) -> None:
        self._open(event.id)

    def _open(self, index: int) -> None:
        if 0 <= index < len(self._hits.hits):
            self.dismiss(self._hits.hits[index])

    def on_key(self, event: events.Key) -> None:
        """Enter on the list opens as well."""
        if event.key == "enter" and self.focused is self._hits:
            event.stop()
            self._open(self._hits.cursor)

    def action_step(self, lines: int) -> None:
        """Move in the hits while typing."""
        self._hits.move_to(self._hits.cursor + lines)

    def action_order(self) -> None:
        """Best first, or newest first."""
        self._order = "newest" if self._order == "best" else "best"
        self._search()

    def action_leave(self) -> None:
        """Back to the desk."""
        self.dismiss(None)

    def action_quit_app(self) -> None:
        """End the program."""
        self.app.exit(0)
