"""One held item, whole: why it was held, what it says, its files by name, its header; nothing of it is opened."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from console import fmt
from console.bridge import Bridge
from console.screens.rooms import RoomLine
from console.widgets.bars import Bar
from console.widgets.reading import Reading
from workflow.model import to_millis
from workflow.store.rows import HeldRow

if TYPE_CHECKING:
    from workflow.release import HeldWhole

__all__ = ["HeldItem"]

_SHOWN = ("from", "to", "cc", "reply-to", "subject", "date")


class HeldItem(Screen[str | None]):
    """Shows one item; its answer is what is to be done with it: release, discard, allow or block."""

    AUTO_FOCUS = "#held-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,left,u", "decide('')", show=False),
        Binding("ctrl+q", "app.exit(0)", show=False, priority=True),
        Binding("r", "decide('release')", show=False),
        Binding("d", "decide('discard')", show=False),
        Binding("a", "decide('allow')", show=False),
        Binding("b", "decide('block')", show=False),
    ]

    def __init__(self, bridge: Bridge, zone: tzinfo | None, row: HeldRow) -> None:
        super().__init__()
        self._bridge, self._zone, self._row = bridge, zone, row
        self._lines = Reading(id="held-text")
        self._head = RoomLine(f"Held item {row.id}", "bar", "strong")
        self._foot = RoomLine("", "panel", "dim")
        self._foot.buttons = (
            ("r", "release", "decide('release')"),
            ("d", "discard", "decide('discard')"),
            ("a", "always allow", "decide('allow')"),
            ("b", "always block", "decide('block')"),
            ("esc", "back", "decide('')"),
        )

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._lines
        yield self._foot

    def on_mount(self) -> None:
        """Show what is known, and read the rest."""
        self._lines.put([*self._why(), ("\nReading it …", "dim")])
        self._bridge.write(
            lambda desk: cast(Any, desk).look_into(self._row), self._put, self._failed
        )

    def _why(self) -> list[tuple[str, str]]:
        row = self._row
        cause = f"{row.cause[:1].upper()}{row.cause[1:]}"
        when = fmt.moment(row.reached_at, self._bridge.now(), self._zone)
        old = fmt.age(to_millis(self._bridge.now()), to_millis(row.reached_at))
        joins = f" · would join #{row.ticket}" if row.ticket else ""
        facts = f"{when} · {old} · {fmt.size(row.raw_size)} · {row.account or 'no account'}{joins}"
        return [("", "text"), (cause, "risk"), (row.evidence, "text"), (facts, "dim")]

    def _put(self, whole: HeldWhole) -> None:
        if not self.is_mounted:
            return
        parts = [*self._why(), ("", "text")]
        if whole.fault:
            parts += [(whole.fault, "late"), ("", "text")]
        if not whole.whole:
            said = "Only the header is here. A release fetches the rest from the server."
            parts += [(said, "risk"), ("", "text")]
        fields = _unfolded(whole.head)
        parts += [(f"{n}: {v}", "dim") for n, v in fields if n.lower() in _SHOWN]
        parts += [("", "text"), (whole.text.strip("\n") or "(no text)", "text"), ("", "text")]
        parts += [
            (f"⊞ {name or '(no name)'}  {kind}  {fmt.size(size)}", "accent")
            for name, kind, size in whole.files
        ]
        if whole.head:
            parts += [("", "text"), ("The whole header", "strong"), (whole.head, "dim")]
        self._lines.put(parts)

    def _failed(self, sentence: str) -> None:
        if self.is_mounted:
            self._lines.put([*self._why(), ("", "text"), (sentence, "late")])

    def action_decide(self, word: str) -> None:
        """Go back, with what is to be done."""
        self.dismiss(word or None)

    async def on_bar_clicked(self, event: Bar.Clicked) -> None:
        """A button."""
        await self.run_action(event.action)


def _unfolded(head: str) -> list[tuple[str, str]]:
    """The fields of a header that is shown, each on one line."""
    fields: list[tuple[str, str]] = []
    for line in head.split("\n"):
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
        else:
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
    return fields
