"""A line at the bottom to type into: the filter of the queue, words to find, tags, a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from console.drawing import LineBuilder
from console.widgets.bars import Bar
from console.widgets.field import Field

__all__ = ["Prompt"]


class _Remark(Bar):
    """What is wrong with what was typed, or what it does."""

    GROUND = "panel"
    text = ""
    ink = "dim"

    def draw(self, line: LineBuilder) -> None:
        """The remark."""
        line.add(f" {self.text}", self.inks(self.ink, self.GROUND))


class Prompt(Vertical):
    """Asks for a line. ``changed`` is called while it is typed, ``done`` with enter, ``cancelled`` with escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    Prompt {
        display: none; height: 2; background: $ground-panel;
        Input { padding: 0 1; background: $ground-panel; width: 1fr; }
    }
    Prompt.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._changed: Callable[[str], None] | None = None
        self._done: Callable[[str], None] = lambda _text: None
        self._cancelled: Callable[[], None] | None = None
        self._return_to: Widget | None = None

    def compose(self) -> ComposeResult:
        """The line to type, and the remark under it."""
        yield Field()
        yield _Remark()

    @property
    def open(self) -> bool:
        """Whether it is on screen."""
        return self.has_class("-shown")

    def ask(
        self,
        hint: str,
        done: Callable[[str], None],
        *,
        typed: str = "",
        remark: str = "",
        changed: Callable[[str], None] | None = None,
        cancelled: Callable[[], None] | None = None,
    ) -> None:
        """Show the line with a hint in it."""
        self._done, self._changed, self._cancelled = done, changed, cancelled
        if not self.open:
            self._return_to = self.screen.focused
        field = self.query_one(Field)
        field.placeholder = hint
        with field.prevent(Input.Changed):
            field.value = typed
        field.cursor_position = len(typed)
        self.remark(remark)
        self.add_class("-shown")
        self.screen.set_focus(field)

    def remark(self, text: str, ink: str = "dim") -> None:
        """Say something under the line."""
        bar = self.query_one(_Remark)
        bar.text, bar.ink = text, ink
        bar.refresh()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.open and self._changed is not None:
            self._changed(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        done = self._done
        self.close()
        done(event.value)

    def close(self) -> None:
        """Take the line off the screen; the focus goes back."""
        self.remove_class("-shown")
        back, self._return_to = self._return_to, None
        if back is not None and back.is_mounted:
            self.screen.set_focus(back)

    def action_cancel(self) -> None:
        """Close without an answer."""
        cancelled = self._cancelled
        self.close()
        if cancelled is not None:
            cancelled()
