"""The form that moves a ticket up: level, reason, what was tried, what is needed, what was promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from console import safe
from console.widgets.field import Field
from workflow.errors import UsageError

__all__ = ["EscalateScreen", "Packet"]


@dataclass(frozen=True, slots=True)
class Packet:
    """What the next person needs to know."""

    level: str
    reason: str
    tried: str
    needed: str
    wanted_by: datetime | None
    promised: str


_FIELDS = (
    ("level", "To level", "the next one if empty"),
    ("reason", "Reason", "one word such as bug, billing or outage"),
    ("tried", "Tried", "what was done, and what it showed"),
    ("needed", "Needed", "what you ask of them"),
    ("by", "By", "2h, 16:00, tomorrow 9:00"),
    ("promised", "Promised", "what the customer was told"),
)


class EscalateScreen(ModalScreen[Packet | None]):
    """Six lines; enter goes on, ctrl-s sends, escape leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "send", "send", priority=True, show=False),
        Binding("escape", "leave", "leave", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    # On a low screen it leaves the lines at the bottom in sight.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012 (declared by Textual)
    DEFAULT_CSS = """
    EscalateScreen { align: center middle; }
    EscalateScreen.-low { align: center top; }
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

    def __init__(
        self,
        title: str,
        levels: tuple[str, ...],
        reasons: tuple[str, ...],
        when: Callable[[str], datetime],
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = {"level": " ".join(levels), "reason": ", ".join(reasons)}
        self._when = when

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id="form"):
            yield Label(safe.content(self._title), classes="title", markup=False)
            for name, word, hint in _FIELDS:
                with Horizontal():
                    yield Label(safe.content(word), markup=False)
                    yield Field(self._choices.get(name) or hint, id=name)
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
        """Give the packet back, once the line has what was typed just before: this key overtakes it."""
        if self.focused is not None:
            self.focused.call_later(self._send)
        else:
            self._send()

    def _send(self) -> None:
        """Give the packet back, if a reason was said."""
        said = {
            name: self.query_one(f"#{name}", Field).value.strip() for name, _word, _hint in _FIELDS
        }
        if not said["reason"]:
            known = self._choices["reason"] or "one word such as bug, billing or outage"
            self._complain("reason", f"Say the reason: {known}.")
            return
        by = said.pop("by")
        try:
            wanted = self._when(by) if by else None
        except UsageError as fault:
            self._complain("by", str(fault))
            return
        self.dismiss(Packet(**said, wanted_by=wanted))

    def _complain(self, name: str, sentence: str) -> None:
        self.query_one("#wrong", Label).update(safe.content(sentence))
        self.query_one(f"#{name}", Field).focus()

    def action_leave(self) -> None:
        """Nothing happens."""
        self.dismiss(None)
