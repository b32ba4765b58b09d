"""The form that moves a ticket up: level, reason, what was tried, what is needed, what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from console import safe
from console.widgets.field import Field

__all__ = ["EscalateScreen", "Packet"]

REASONS = ("bug", "billing", "security", "access", "legal", "complaint", "outage", "other")


@dataclass(frozen=True, slots=True)
class Packet:
    """What the next person needs to know."""

    level: str
    reason: str
    tried: str
    needed: str
    promised: str


_FIELDS = (
    ("level", "To level", "the next one if empty"),
    ("reason", "Reason", " ".join(REASONS)),
    ("tried", "Tried", "what was done, and what it showed"),
    ("needed", "Needed", "what you ask of them"),
    ("promised", "Promised", "what the customer was told"),
)


class EscalateScreen(ModalScreen[Packet | None]):
    """Five lines; enter goes on, ctrl-s sends, escape leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "send", "send", priority=True, show=False),
        Binding("escape", "leave", "leave", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    DEFAULT_CSS = """
    EscalateScreen { align: center middle; background: $ground-base 60%; }
    EscalateScreen #form {
        width: 74; max-width: 96%; height: auto; background: $ground-panel; border: round $border; padding: 0 1;
    }
    EscalateScreen .title { text-style: bold; color: $ink-strong; height: 2; }
    EscalateScreen Horizontal { height: 1; margin-bottom: 1; }
    EscalateScreen Horizontal Label { width: 11; color: $ink-dim; }
    EscalateScreen Input { padding: 0 1; width: 1fr; background: $ground-base; }
    EscalateScreen Input:focus { background: $ground-cursor; }
    EscalateScreen #wrong { color: $ink-late; height: 1; }
    EscalateScreen #buttons { height: 1; margin: 0; align-horizontal: right; }
    EscalateScreen Button { min-width: 12; margin-left: 2; }
    """

    def __init__(self, title: str, levels: tuple[str, ...]) -> None:
        super().__init__()
        self._title = title
        self._levels = levels

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id="form"):
            yield Label(safe.content(self._title), classes="title", markup=False)
            for name, word, hint in _FIELDS:
                shown = " ".join(self._levels) or hint if name == "level" else hint
                with Horizontal():
                    yield Label(safe.content(word), markup=False)
                    yield Field(shown, id=name)
            yield Label("", id="wrong", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Leave  esc", id="leave", compact=True)
                yield Button("Escalate  ctrl-s", id="send", variant="primary", compact=True)

    def on_mount(self) -> None:
        """The reason is what must be said."""
        self.query_one("#reason", Field).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == _FIELDS[-1][0]:
            self.action_send()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "send":
            self.action_send()
        else:
            self.dismiss(None)

    def action_send(self) -> None:
        """Give the packet back, if a reason was said."""
        said = {
            name: self.query_one(f"#{name}", Field).value.strip() for name, _word, _hint in _FIELDS
        }
        if not said["reason"]:
            wrong = self.query_one("#wrong", Label)
            wrong.update(safe.content("Say the reason: one word such as bug, billing or outage."))
            self.query_one("#reason", Field).focus()
            return
        self.dismiss(Packet(**said))

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(None)
