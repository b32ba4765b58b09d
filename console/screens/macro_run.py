"""A macro on tickets of the queue: what it would do to each, then, once that was agreed, what became of each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from console.bridge import Bridge, DeskPort, ReadsPort
from console.drawing import LineBuilder
from console.macro_shelf import Shelf
from console.macro_words import change_pieces, change_words, text_pieces
from console.widgets.bars import Sentence
from console.widgets.lines import Lines, Piece
from console.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from macros.model import Macro
    from macros.running import Ran
    from workflow.store.queue_rows import QueueRow

__all__ = ["MacroRun"]


class _Tickets(VirtualList):
    """A line for each ticket: its sign, number, customer, and what happens or why nothing."""

    def __init__(self, words: Callable[[Ran], str]) -> None:
        super().__init__(id="macro-tickets")
        self._words = words
        self.results: dict[int, Ran] = {}
        self.rows: dict[int, QueueRow] = {}
        self.sign = "·"
        self.nothing = "Looking at the tickets …"

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One ticket."""
        ground = "panel" if ground == "base" else ground
        ran, row, inks = self.results[row_id], self.rows.get(row_id), self.inks
        line = LineBuilder(width)
        good = ran.plan is not None
        line.add("▌" if ground == "cursor" else " ", inks("accent", ground))
        line.add(f"{self.sign if good else '✕'} ", inks("good" if good else "late", ground))
        line.add(f"#{row_id}", inks("dim", ground), 6)
        line.add(" ", inks("text", ground))
        line.add(row.customer if row is not None else "", inks("text", ground), 16)
        line.add("  ", inks("text", ground))
        line.add(self._words(ran), inks("text" if good else "late", ground))
        return line.strip(inks("text", ground))

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """Why there is nothing yet."""
        if y == 0:
            line.add(f"   {self.nothing}", self.inks("dim", "panel"))
        line.pad_to(line.width, self.inks("text", "panel"))


class MacroRun(ModalScreen[int | None]):
    """First what would happen, ticket by ticket, with each text; enter does it; then the results.

    Gives back a ticket that is to be opened.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012 (declared by Textual)
    AUTO_FOCUS = "#macro-tickets"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s,ctrl+enter", "go_on", show=False),
        Binding("z", "undo", show=False),
        Binding("space", "page(1)", show=False),
        Binding("escape,q", "leave", show=False),
        Binding("ctrl+q", "quit_app", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    MacroRun { align: center middle; }
    MacroRun #run { width: 96%; max-width: 150; height: 94%; background: $ground-panel; border: round $border; }
    MacroRun #halves { layout: vertical; height: 1fr; }
    MacroRun _Tickets { height: auto; max-height: 50%; background: $ground-panel; }
    MacroRun Lines { height: 1fr; border-top: solid $border-blurred; }
    MacroRun.-normal #halves { layout: horizontal; }
    MacroRun.-normal _Tickets { width: 3fr; height: 1fr; max-height: 100%; }
    MacroRun.-normal Lines { width: 2fr; height: 100%; border-top: none; border-left: solid $border-blurred; }
    """

    def __init__(
        self,
        bridge: Bridge,
        shelf: Shelf,
        zone: tzinfo | None,
        macro: Macro,
        tickets: Sequence[int],
        answers: Mapping[str, str],
        told: Callable[[Sequence[Ran]], None],
    ) -> None:
        super().__init__()
        self._bridge, self._shelf, self._zone = bridge, shelf, zone
        self._macro, self._tickets, self._answers = macro, tickets, answers
        self._told = told
        self._state = "looking"
        """looking, asked, doing, done, undone, failed"""
        self._results: Sequence[Ran] = ()
        self._head = Sentence()
        self._foot = Sentence()
        self._list = _Tickets(self._words)
        self._text = Lines()

    def compose(self) -> ComposeResult:
        """Title, tickets, the text of the one under the cursor, what the keys do."""
        with Vertical(id="run"):
            yield self._head
            with Container(id="halves"):
                yield self._list
                yield self._text
            yield self._foot

    def on_mount(self) -> None:
        """Look at each ticket; nothing happens yet."""
        self._head.tell(f"{self._macro.title}: {_tickets(len(self._tickets))}", "strong")
        self._foot.tell("esc: back")
        macro, tickets, answers = self._macro, self._tickets, self._answers

        def read(reads: ReadsPort) -> tuple[Sequence[Ran], Sequence[QueueRow]]:
            return self._shelf.runner(reads).rehearse(macro, tickets, answers), reads.rows(tickets)

        self._bridge.look_up(read, self._ask, self._failed)

    def _failed(self, sentence: str) -> None:
        self._state = "failed"
        self._list.nothing = "Nothing was done."
        self._list.refresh()
        self._text.show([(sentence, "late")])
        self._head.tell(f"{self._macro.title}: nothing was done", "late")
        self._foot.tell("esc: back")

    # -- before

    def _ask(self, found: tuple[Sequence[Ran], Sequence[QueueRow]]) -> None:
        results, rows = found
        self._list.rows = {row.id: row for row in rows}
        self._put(results, "asked")
        good = [ran for ran in results if ran.plan is not None]
        replies = sum(_replies(ran) for ran in good)
        left = len(results) - len(good)
        if not good:
            self._head.tell(f"{self._macro.title}: it cannot be done to {_these(left)}", "late")
            self._foot.tell("esc: back, nothing has happened")
            return
        also = f" {left} cannot be done." if left else ""
        self._head.tell(f"{self._macro.title}: do this to {_tickets(len(good))}?{also}", "strong")
        sends = (
            f", {replies} {'reply goes' if replies == 1 else 'replies go'} out" if replies else ""
        )
        self._foot.tell(f"enter: do it{sends}   space: read on   esc: nothing happens", "accent")

    def _put(self, results: Sequence[Ran], state: str, sign: str = "·") -> None:
        """Show results, those that could not be done first."""
        self._results, self._state = results, state
        shown = sorted(results, key=lambda ran: ran.plan is not None)
        self._list.results = {ran.ticket: ran for ran in shown}
        self._list.sign = sign
        self._list.forget()
        self._list.set_ids(array("q", (ran.ticket for ran in shown)), reset=True)
        self._show_text()

    def _words(self, ran: Ran) -> str:
        if ran.plan is None:
            return ran.problem.removeprefix(f"#{ran.ticket} ")
        words = change_words(ran.plan.differences, self._bridge.now(), self._zone)
        return " · ".join([*(["reply"] if _replies(ran) else []), *words])

    @on(VirtualList.Moved)
    def _moved(self, event: VirtualList.Moved) -> None:
        event.stop()
        self._show_text()

    def _show_text(self) -> None:
        row_id = self._list.cursor_id
        ran = self._list.results.get(row_id) if row_id is not None else None
        if ran is None:
            return
        row = self._list.rows.get(ran.ticket)
        pieces: list[Piece] = [
            (f"#{ran.ticket} {row.subject if row is not None else ''}", "strong")
        ]
        if ran.plan is None:
            pieces.append((ran.problem, "late"))
        else:
            pieces += change_pieces(ran.plan.differences, self._bridge.now(), self._zone)
            if ran.plan.text:
                kind = "Reply" if _replies(ran) else "Text, which is not sent"
                pieces += [("", "text"), (f"{kind}: {ran.plan.why}", "dim")]
                pieces += text_pieces(ran.plan.text)
        self._text.show(pieces)

    # -- doing it

    def action_go_on(self) -> None:
        """Do what was shown; afterwards: open the ticket under the cursor."""
        if self._state == "asked" and any(ran.plan is not None for ran in self._results):
            self._state = "doing"
            self._foot.tell("doing it …")
            macro, results, bridge = self._macro, self._results, self._bridge

            def do(desk: DeskPort) -> Sequence[Ran]:
                return self._shelf.runner(bridge.reads, desk).carry_out(macro, results)

            bridge.write(do, self._done, self._failed)
        elif self._state in ("done", "undone"):
            self.dismiss(self._list.cursor_id)

    @on(VirtualList.Chosen)
    def _clicked(self, event: VirtualList.Chosen) -> None:
        event.stop()
        if self._state in ("done", "undone"):
            self.dismiss(event.id)

    def _done(self, results: Sequence[Ran]) -> None:
        self._put(results, "done", "✓")
        good = sum(ran.plan is not None for ran in results)
        left = len(results) - good
        self._head.tell(
            f"{self._macro.title}: {good} done{f', {left} not' if left else ''}",
            "risk" if left else "good",
        )
        undo = "z: take it all back   " if good else ""
        self._foot.tell(f"{undo}enter: open   space: read on   esc: back", "accent")
        self._told(results)

    def action_undo(self) -> None:
        """Take the whole run back, the queued replies too."""
        if self._state == "done" and any(ran.plan is not None for ran in self._results):
            self._state = "doing"
            bridge, results = self._bridge, self._results

            def undo(desk: DeskPort) -> tuple[str, bool]:
                said = "; ".join(desk.undo(bridge.actor))
                return said, self._shelf.runner(bridge.reads).taken_back(results)

            bridge.write(undo, self._undone, self._not_undone)

    def _undone(self, found: tuple[str, bool]) -> None:
        said, it_was_this = found
        if not it_was_this:
            # The same agent at another screen: the newest change goes first, as everywhere.
            self._not_undone(f"z again: a later change of yours came first ({said})")
            return
        done = [ran for ran in self._results if ran.plan is not None]
        self._put(self._results, "undone", "↶")
        sent = ", nothing was sent" if any(map(_replies, done)) else ""
        self._head.tell(
            f"{self._macro.title}: taken back, {_tickets(len(done))} as before{sent}", "strong"
        )
        self._foot.tell("enter: open   esc: back")
        self._told([])

    def _not_undone(self, sentence: str) -> None:
        self._state = "done"
        self._foot.tell(sentence, "late")

    def action_page(self, direction: int) -> None:
        """Read on in the text."""
        self._text.page(direction)

    def action_quit_app(self) -> None:
        """End the program; what was asked for is finished first."""
        self.app.exit(0)

    def action_leave(self) -> None:
        """Back to the queue."""
        if self._state != "doing":
            self.dismiss(None)


def _replies(ran: Ran) -> bool:
    from workflow.actions import Reply

    return ran.plan is not None and any(isinstance(a, Reply) for a in ran.plan.actions)


def _tickets(count: int) -> str:
    return "1 ticket" if count == 1 else f"{count} tickets"


def _these(count: int) -> str:
    return "this ticket" if count == 1 else f"any of these {count} tickets"
