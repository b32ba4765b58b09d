"""The line to type into that every part of the console uses."""

from __future__ import annotations

from textual.widgets import Input

__all__ = ["Field"]


class Field(Input):
    """An input of one line, without a frame; its cursor does not blink, which would send bytes for nothing."""

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, id=id, select_on_focus=False, compact=True)
        self.cursor_blink = False
