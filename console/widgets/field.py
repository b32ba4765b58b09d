"""The line to type into that every part of the console uses."""

from __future__ import annotations

from textual.widgets import Input

from console import safe

__all__ = ["Field"]


class Field(Input):
    """An input of one line, without a frame; its cursor does not blink, which would send bytes for nothing."""

    DEFAULT_CSS = "Field.-textual-compact { padding: 0 1; }"

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, id=id, select_on_focus=False, compact=True)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Whatever is put in passes the gate: a paste may hold what a stranger wrote."""
        return safe.printable(value)

    def replace(self, text: str, start: int, end: int) -> None:
        """The same for what is typed and pasted, before the cursor is placed behind it."""
        super().replace(safe.printable(text), start, end)
