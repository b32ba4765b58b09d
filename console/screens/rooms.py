"""The rooms beside the queue: what was held on its way in, what is on its way out."""

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
from console.widgets.virtual_list import VirtualList
from workflow.actions import Action, CancelSend, DiscardHeld, ReleaseHeld, RetrySend
from workflow.store.rows import HeldRow, OutboxRow

__all__ = ["HeldRoom", "OutboxRoom", "Room"]

READ_AGAIN_S = 1.0


class _RoomList(VirtualList):
    """The lines of a room; two of the screen for what is under the cursor are in the foot."""

    def __init__(self, room: Room) -> None:
        super().__init__(id="room-list")
        self._room = room

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One item, as the room draws it."""
        line = LineBuilder(width)
        line.add("▌ " if ground == "cursor" else "  ", self.inks("accent", ground))
        self._room.draw_item(line, self._room.items[row_id], ground)
        return line.strip(self.inks("text", ground))

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """What an empty room means."""
        if y == max(1, self.size.height // 3):
            words = self._room.NOTHING
            line.pad_to(max(0, (line.width - len(words)) // 2), self.inks("text"))
            line.add(words, self.inks("dim"))


class _Line(Bar):
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
        self._head = _Line(self.TITLE_WORDS, "bar", "strong")
        self._why = _Line("", "base", "dim")
        self._foot = _Line("", "panel", "dim")
        self._foot.buttons = self.BUTTONS

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._list
        yield self._why
        yield self._foot

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
        self._head.text = f"{self.TITLE_WORDS}  {len(fresh)}"
        self._head.refresh()

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
        self._why.text = self.explain(item) if item is not None else ""
        self._why.refresh()

    def perform(self, action: Action, cause: str) -> None:
        """Ask the desk, say what came of it."""

        def done(outcomes: list[Any], faults: list[str]) -> None:
            for fault in faults:
                self._failed(fault)
            if outcomes:
                words = str(outcomes[0].summary)
                safe.notify(self.app, f"{words[:1].upper()}{words[1:]}. z undoes it.")
            self.read()

        self.bridge.perform([action], cause, done, self._failed)

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


class HeldRoom(Room):
    """What was kept out of the queue; a person lets it in or decides that it is not wanted."""

    TITLE_WORDS = "Held items"
    NOTHING = "Nothing is held: everything that came in is in the queue."
    BUTTONS = (
        ("r", "release", "release"),
        ("d", "discard", "discard"),
        ("z", "undo", "undo"),
        ("esc", "back", "leave"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "release", show=False),
        Binding("d", "discard", show=False),
    ]

    def load(self, reads: ReadsPort) -> Sequence[HeldRow]:
        """The items that wait for a decision."""
        return reads.held("held")

    def draw_item(self, line: LineBuilder, item: HeldRow, ground: str) -> None:
        """When, why, who, what."""
        inks = self._list.inks
        now = self.bridge.now()
        wide = line.width >= 100
        line.add(fmt.moment(item.at, now, self.zone), inks("dim", ground), 12)
        line.add(" ", inks("text", ground))
        line.add(item.cause, inks("risk", ground), 22 if wide else 16)
        line.add(" ", inks("text", ground))
        line.add(item.sender, inks("text", ground), 30 if wide else 20)
        line.add(" ", inks("text", ground))
        line.add(item.subject or "(no subject)", inks("strong", ground))

    def explain(self, item: HeldRow) -> str:
        """Why it was held."""
        evidence = f": {item.evidence}" if item.evidence else ""
        return f"Held because of {item.cause}{evidence}  ({item.account or item.state}, {fmt.size(item.raw_size)})"

    def action_release(self) -> None:
        """Let it in."""
        if self.item is not None:
            self.perform(ReleaseHeld(self.item.id), "key:r")

    def action_discard(self) -> None:
        """Not wanted."""
        if self.item is not None:
            self.perform(DiscardHeld(self.item.id), "key:d")


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
        return f"{when}, by {item.account}"

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
