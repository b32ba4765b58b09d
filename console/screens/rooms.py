"""The rooms beside the queue: what all of them have in common, and what is on its way out."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip

from console import fmt, safe
from console.bridge import Bridge, ReadsPort
from console.drawing import LineBuilder
from console.widgets.bars import Bar
from console.widgets.transcript_lines import wrap
from console.widgets.virtual_list import VirtualList
from workflow.actions import Action, CancelSend, RetrySend
from workflow.store.rows import OutboxRow

__all__ = ["OutboxRoom", "Room", "RoomLine"]

READ_AGAIN_S = 1.0


class _RoomList(VirtualList):
    """The lines of a room; two of the screen for what is under the cursor are in the foot."""

    def __init__(self, room: Room) -> None:
        super().__init__(id="room-list")
        self._room = room

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One item, as the room draws it."""
        line = LineBuilder(width)
        marked = row_id in self.marks
        line.add("▌" if ground == "cursor" else " ", self.inks("accent", ground))
        line.add("✓" if marked else " ", self.inks("accent", ground))
        self._room.draw_item(line, self._room.items[row_id], ground)
        return line.strip(self.inks("text", ground))

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """What an empty room means."""
        if y == max(1, self.size.height // 3):
            words = self._room.nothing
            line.pad_to(max(0, (line.width - len(words)) // 2), self.inks("text"))
            line.add(words, self.inks("dim"))


class RoomLine(Bar):
    """A title or the explanation of the item under the cursor."""

    def __init__(self, text: str, ground: str, ink: str) -> None:
        super().__init__()
        self.GROUND = ground
        self.text, self.ink = text, ink
        self.buttons: tuple[tuple[str, str, str], ...] = ()

    def draw(self, line: LineBuilder) -> None:
        """The text, or buttons with their keys."""
        line.add(f" {self.text}", self.inks(self.ink, self.GROUND))
        for key, word, action in self.buttons:
            start = line.used
            line.add(f" {key}", self.inks("accent", self.GROUND))
            line.link(f" {word} ", self.inks("dim", self.GROUND), action)
            line.zones[-1] = (
                type(line.zones[-1])(start, line.used, action) if line.zones else line.zones[-1]
            )


class _Why(Bar):
    """The explanation of the item under the cursor, on two lines."""

    DEFAULT_CSS = "_Why { height: 2; width: 1fr; }"
    GROUND = "base"
    text = ""

    def show(self, text: str) -> None:
        """Another explanation."""
        if text != self.text:
            self.text = text
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of its lines (Textual's Line API)."""
        width = self.size.width
        lines = wrap(self.text, width - 2)
        line = LineBuilder(width)
        # What does not fit is cut, with a sign that it is.
        shown = " ".join(lines[1:]) if y == 1 else lines[0]
        line.add(f" {shown}", self.inks("dim", self.GROUND))
        return line.strip(self.inks("text", self.GROUND))

    def draw(self, line: LineBuilder) -> None:
        """Not used: there are two lines."""


class Room(Screen[int | None]):
    """A list of items that a person decides about."""

    TITLE_WORDS: ClassVar[str] = ""
    NOTHING: ClassVar[str] = ""
    BUTTONS: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    AUTO_FOCUS = "#room-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left", "leave", show=False),
        Binding("ctrl+q", "quit_app", show=False, priority=True),
        Binding("enter", "open_item", show=False),
        Binding("z", "undo", show=False),
    ]

    def __init__(self, bridge: Bridge, zone: tzinfo | None) -> None:
        super().__init__()
        self.bridge = bridge
        self.zone = zone
        self.items: dict[int, Any] = {}
        self._list = _RoomList(self)
        self._head = RoomLine(self.TITLE_WORDS, "bar", "strong")
        self._why = _Why()
        self._foot = RoomLine("", "panel", "dim")
        self._foot.buttons = self.BUTTONS

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._list
        yield self._why
        yield self._foot

    @property
    def nothing(self) -> str:
        """What an empty room means."""
        return self.NOTHING

    @property
    def title_words(self) -> str:
        """What the room shows."""
        return self.TITLE_WORDS

    def show_title(self) -> None:
        """The title with the number of items and of those that are marked."""
        marks = len(self._list.marks)
        marked = f"   {marks} marked" if marks else ""
        words = f"{self.title_words}  {len(self.items)}{marked}"
        if words != self._head.text:
            self._head.text = words
            self._head.refresh()

    def on_mount(self) -> None:
        """Read, and go on reading."""
        self.read()
        self.set_interval(READ_AGAIN_S, self.read)

    def load(self, reads: ReadsPort) -> Sequence[Any]:
        """Read the items, newest first."""
        raise NotImplementedError

    def draw_item(self, line: LineBuilder, item: Any, ground: str) -> None:
        """Draw one item."""
        raise NotImplementedError

    def explain(self, item: Any) -> str:
        """One sentence about the item under the cursor."""
        raise NotImplementedError

    def read(self) -> None:
        """Read the items again, in a thread."""
        self.bridge.look_up(self.load, self._put, self._failed)

    def _put(self, items: Sequence[Any]) -> None:
        if not self.is_mounted:
            return
        fresh = {item.id: item for item in items}
        if fresh != self.items or not self._list.ids:
            self.items = fresh
            self._list.forget()
            self._list.set_ids(array("q", fresh))
        self.show_title()

    def _failed(self, sentence: str) -> None:
        safe.notify(self.app, sentence, "error")

    @property
    def item(self) -> Any | None:
        """The item under the cursor."""
        row_id = self._list.cursor_id
        return None if row_id is None else self.items.get(row_id)

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        item = self.item
        self._why.show(self.explain(item) if item is not None else "")
        self.show_title()

    def perform(self, action: Action, cause: str) -> None:
        """Ask the desk, say what came of it."""
        self.perform_all([action], cause)

    def perform_all(self, actions: Sequence[Action], cause: str, *, undo: bool = True) -> None:
        """Ask for several as one change; ``undo`` tells whether it can be taken back."""

        def done(outcomes: list[Any], faults: list[str]) -> None:
            for fault in faults:
                self._failed(fault)
            if outcomes:
                words = str(outcomes[0].summary)
                more = f" and {len(outcomes) - 1} more" if len(outcomes) > 1 else ""
                back = " z undoes it." if undo else ""
                safe.notify(self.app, f"{words[:1].upper()}{words[1:]}{more}.{back}")
            self.read()

        self.bridge.perform(actions, cause, done, self._failed)

    def action_undo(self) -> None:
        """Take the last change back."""
        self.bridge.write(
            lambda desk: desk.undo(self.bridge.actor),
            self._undone,
            self._failed,
        )

    def _undone(self, said: list[str]) -> None:
        safe.notify(self.app, "; ".join(said))
        self.read()

    def action_leave(self) -> None:
        """Back to the desk."""
        self.dismiss(None)

    def action_quit_app(self) -> None:
        """End the program."""
        self.app.exit(0)

    def action_open_item(self) -> None:
        """Open the ticket that the item belongs to, if there is one."""

    @on(Bar.Clicked)
    async def _clicked(self, event: Bar.Clicked) -> None:
        await self.run_action(event.action)


class OutboxRoom(Room):
    """What is on its way out; a person sends again what failed, or takes back what has not left."""

    TITLE_WORDS = "Outbox"
    NOTHING = "Nothing waits to be sent."
    BUTTONS = (
        ("r", "retry", "retry"),
        ("c", "cancel", "cancel"),
        ("enter", "open ticket", "open_item"),
        ("esc", "back", "leave"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", show=False),
        Binding("c", "cancel", show=False),
    ]
    _SIGNS: ClassVar[dict[str, tuple[str, str]]] = {
        "held": ("⧗ held", "risk"),
        "scheduled": ("⧗ scheduled", "dim"),
        "queued": ("→ queued", "text"),
        "sending": ("→ sending", "accent"),
        "failed": ("✕ failed", "late"),
        "bounced": ("✕ bounced", "late"),
        "sent": ("✓ sent", "good"),
    }

    def load(self, reads: ReadsPort) -> Sequence[OutboxRow]:
        """What has not left yet, and what failed."""
        return reads.outbox(("held", "scheduled", "queued", "sending", "failed", "bounced"))

    def draw_item(self, line: LineBuilder, item: OutboxRow, ground: str) -> None:
        """State, when, to whom, what."""
        inks, now = self._list.inks, self.bridge.now()
        wide = line.width >= 100
        sign, ink = self._SIGNS.get(item.state, (item.state, "text"))
        line.add(sign, inks(ink, ground), 12)
        line.add(fmt.moment(item.due_at, now, self.zone), inks("dim", ground), 12)
        line.add(" ", inks("text", ground))
        line.add(f"#{item.ticket}", inks("dim", ground), 6, "right")
        line.add(" ", inks("text", ground))
        line.add(", ".join(item.recipients), inks("text", ground), 34 if wide else 22)
        line.add(" ", inks("text", ground))
        line.add(item.subject or "(no subject)", inks("strong", ground))

    def explain(self, item: OutboxRow) -> str:
        """What stands in its way."""
        if item.error:
            return f"{item.error}  (tried {item.attempts} times)"
        left = (item.due_at - self.bridge.now()).total_seconds()
        when = (
            f"leaves in {fmt.span_words(left)}"
            if left > 0
            else "leaves with the next pass of the engine"
        )
        unless = ", unless the customer writes first" if item.unless_reply else ""
        return f"{when}{unless}, by {item.account}"

    def action_retry(self) -> None:
        """Send it again."""
        if self.item is not None:
            self.perform(RetrySend(self.item.id), "key:r")

    def action_cancel(self) -> None:
        """Take it back."""
        if self.item is not None:
            self.perform(CancelSend(self.item.id), "key:c")

    def action_open_item(self) -> None:
        """Open its ticket."""
        if self.item is not None:
            self.dismiss(self.item.ticket)
