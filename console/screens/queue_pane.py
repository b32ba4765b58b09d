"""The queue of a view, with its tabs and its column titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from console.bridge import Bridge
from console.keymap import bindings_for
from console.widgets.bars import TitleLine, ViewTabs
from console.widgets.queue_list import QueueList

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["Pane", "QueuePane"]


class Pane(Vertical):
    """A part of the desk whose keys are entries of the table."""

    def action_run(self, action_id: str) -> None:
        """Do what a key of the table stands for."""
        desk: DeskScreen = self.screen  # type: ignore[assignment]
        desk.run_action_id(action_id)


class QueuePane(Pane):
    """Views, column titles, the queue."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for("queue"),
        *(Binding(str(number), f"view({number - 1})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(id="queue-pane")
        self.tabs = ViewTabs()
        self.queue = QueueList(bridge.reads.rows, bridge.now, bridge.agent, bridge.countdown.left)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.tabs
        yield TitleLine(self.queue.titles)
        yield self.queue

    def action_view(self, index: int) -> None:
        """Show the view of a number."""
        desk: DeskScreen = self.screen  # type: ignore[assignment]
        desk.show_view(index)
