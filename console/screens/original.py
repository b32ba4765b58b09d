"""A message as it came: the whole header, and each part of the mail; the original is one key away."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from console import fmt
from console.bridge import Bridge
from console.screens.rooms import RoomLine
from console.widgets.bars import Bar
from console.widgets.reading import Reading
from workflow.errors import StoreError
from workflow.store.rows import MessageDetail

__all__ = ["Original"]

_WIDEST = 200


class Original(Screen[None]):
    """Shows one message. It is read in a thread; nothing in it is opened or fetched."""

    AUTO_FOCUS = "#original-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left,u,w", "leave", show=False),
        Binding("ctrl+q", "app.exit(0)", show=False, priority=True),
    ]

    def __init__(self, bridge: Bridge, zone: tzinfo | None, message: MessageDetail) -> None:
        super().__init__()
        self._bridge, self._message = bridge, message
        when = fmt.moment(message.at, bridge.now(), zone)
        words = f"Original of {message.author}, {when}"
        self._head = RoomLine(words, "bar", "strong")
        self._text = Reading(id="original-text", widest=_WIDEST)
        self._foot = RoomLine("", "panel", "dim")
        self._foot.buttons = (("esc", "back", "leave"),)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._text
        yield self._foot

    def on_mount(self) -> None:
        """Read it."""
        self._text.put([("\nReading it …", "dim")])
        files, message = self._bridge.files, self._message

        def job() -> list[tuple[str, str]]:
            from channels.email.original import original_mail
            from workflow.files import FileStore

            if files is None or message.raw_sha256 is None:
                raise StoreError("there is no original: this was written here, or not kept")
            raw = FileStore(files).read(message.raw_sha256)
            if message.channel == "email":
                return original_mail(raw)
            return [("", raw.decode("utf-8", "replace"))]

        self._bridge.in_background(job, self._put, self._failed)

    def _put(self, parts: list[tuple[str, str]]) -> None:
        if not self.is_mounted:
            return
        shown: list[tuple[str, str]] = []
        for title, text in parts:
            if title:
                shown += [("", "text"), (f"── {title}", "accent")]
            if text:
                shown.append((text, "text" if title else "dim"))
        self._text.put(shown)

    def _failed(self, sentence: str) -> None:
        if self.is_mounted:
            self._text.put([("", "text"), (sentence, "late")])

    def action_leave(self) -> None:
        """Back to the ticket."""
        self.dismiss(None)

    async def on_bar_clicked(self, event: Bar.Clicked) -> None:
        """A button."""
        await self.run_action(event.action)
