"""The one-line parts of the screen: the tabs of the views, the column titles, the status line, the key line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from console.actions import Entry, key_words
from console.drawing import LineBuilder, Zone
from console.themes import Inks

__all__ = ["Bar", "KeyLine", "Sentence", "StatusLine", "TitleLine", "ViewTabs"]


class Bar(Widget):
    """One line that is drawn, with parts that can be clicked."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"
    GROUND = "bar"

    class Clicked(Message):
        """A part was clicked; ``action`` is what it stands for."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._zones: list[Zone] = []

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        return inks

    def draw(self, line: LineBuilder) -> None:
        """Fill the line."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """The line (Textual's Line API)."""
        line = LineBuilder(self.size.width)
        self.draw(line)
        self._zones = line.zones
        return line.strip(self.inks("text", self.GROUND))

    def on_click(self, event: events.Click) -> None:
        """Tell which part was clicked."""
        for zone in self._zones:
            if zone.start <= event.x < zone.end:
                event.stop()
                self.post_message(self.Clicked(zone.action))
                return


class Sentence(Bar):
    """A line of words that changes: the title of a panel, or what its keys do."""

    GROUND = "panel"
    text, ink = "", "dim"

    def tell(self, text: str, ink: str = "dim") -> None:
        """Say something else."""
        if (text, ink) != (self.text, self.ink):
            self.text, self.ink = text, ink
            self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """The words."""
        line.add(f" {self.text}", self.inks(self.ink, self.GROUND))


class ViewTabs(Bar):
    """The views with their numbers and live counts; the one that is shown is lit."""

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self.names: Sequence[str] = ()
        self.counts: dict[str, int] = {}
        self.current = 0

    def show(self, names: Sequence[str], current: int) -> None:
        """Set the views and which one is shown."""
        self.names, self.current = names, current
        self.refresh()

    def set_counts(self, counts: dict[str, int]) -> None:
        """Show other counts."""
        if counts != self.counts:
            self.counts = counts
            self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """All views if they fit, shortened names if they do not."""
        inks = self.inks
        widths = [len(name) + len(str(self.counts.get(name, ""))) + 4 for name in self.names]
        tight = sum(widths) > line.width
        for index, name in enumerate(self.names):
            ground = "tab" if index == self.current else self.GROUND
            lit = index == self.current
            count = self.counts.get(name)
            alarm = name == "At risk" and bool(count)
            start = line.used
            line.add(
                f" {index + 1}" if not tight or lit else " ",
                inks("faint" if not lit else "dim", ground),
            )
            line.add(
                f" {name}" if not tight or lit else name, inks("strong" if lit else "dim", ground)
            )
            if count is not None:
                ink = "risk" if alarm else "accent" if lit else "text" if count else "faint"
                line.add(f" {count}", inks(ink, ground))
            if alarm:
                line.add("!", inks("risk", ground))
            line.add(" ", inks("text", ground))
            line.zones.append(Zone(start, line.used, f"view:{index}"))


class TitleLine(Bar):
    """The column titles over a list."""

    def __init__(self, titles: Callable[[int], Strip]) -> None:
        super().__init__(id="titles")
        self._titles = titles

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """The line as the list draws it; its last cell stands over the scroll bar."""
        width = self.size.width
        return self._titles(width - 1).extend_cell_length(width, self.inks("title", self.GROUND))

    def draw(self, line: LineBuilder) -> None:
        """Not used: the list draws its own titles."""


class Said(NamedTuple):
    """A sentence on the status line."""

    text: str
    ink: str
    until: float


class StatusLine(Bar):
    """What happened last, how the accounts do, who acts, where the cursor is, what time it is."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self.said: Said | None = None
        self.left: tuple[tuple[str, str], ...] = ()
        self.right: tuple[tuple[str, str], ...] = ()

    def update(self, left: tuple[tuple[str, str], ...], right: tuple[tuple[str, str], ...]) -> None:
        """Set the (text, ink) parts at both ends."""
        if left != self.left:
            self.refresh()
        elif right != self.right:
            # A cursor key changes only the end of the line: no more than that is painted.
            longest = max(_tail(right), _tail(self.right))
            self.refresh(Region(max(0, self.size.width - longest), 0, longest, 1))
        self.left, self.right = left, right

    def say(self, text: str, ink: str, until: float) -> None:
        """Show a sentence in place of the left part until a moment of the monotonic clock."""
        self.said = Said(text, ink, until)
        self.refresh()

    def hush(self, moment: float) -> None:
        """Take the sentence off when its time has come."""
        if self.said is not None and moment >= self.said.until:
            self.said = None
            self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """The sentence or the accounts on the left, the position on the right."""
        inks = self.inks
        right = LineBuilder(line.width)
        for text, ink in self.right:
            right.add(f" {text} ", inks(ink, self.GROUND))
        room = line.width - right.used
        if self.said is not None:
            ground = "alert" if self.said.ink == "late" else self.GROUND
            line.add(
                f" {self.said.text} ",
                inks(self.said.ink, ground),
                min(room, len(self.said.text) + 2),
            )
        else:
            for text, ink in self.left:
                if line.used + len(text) + 2 <= room:
                    line.add(f" {text} ", inks(ink, self.GROUND))
        line.pad_to(room, inks("text", self.GROUND))
        for text, ink in self.right:
            line.add(f" {text} ", inks(ink, self.GROUND))


def _tail(parts: tuple[tuple[str, str], ...]) -> int:
    return sum(len(text) + 2 for text, _ink in parts)


class KeyLine(Bar):
    """The keys of this place; each is a button for the mouse as well."""

    GROUND = "panel"

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._entries: list[Entry] = []
        self._keys: dict[str, str] = {}

    def show(self, entries: list[Entry], own_keys: dict[str, str]) -> None:
        """Show the hints of these entries, with the keys that the person chose."""
        shown = [known for known in entries if known.hint and known.keys]
        if shown != self._entries or own_keys != self._keys:
            self._entries, self._keys = shown, own_keys
            self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """As many as fit; what is left out is behind ``?``."""
        last = [known for known in self._entries if known.id in _AT_THE_END]
        end = line.width - sum(len(self._key(known)) + len(known.hint) + 3 for known in last)
        for known in self._entries:
            if known in last or line.used + len(self._key(known)) + len(known.hint) + 3 > end:
                continue
            self._button(line, known)
        line.pad_to(end, self.inks("text", self.GROUND))
        for known in last:
            self._button(line, known)

    def _key(self, known: Entry) -> str:
        return key_words((self._keys.get(known.id) or known.keys[0]).split(",")[0])

    def _button(self, line: LineBuilder, known: Entry) -> None:
        start = line.used
        line.add(f" {self._key(known)}", self.inks("accent", self.GROUND))
        line.add(f" {known.hint} ", self.inks("dim", self.GROUND))
        line.zones.append(Zone(start, line.used, f"run:{known.id}"))


_AT_THE_END = ("palette", "help")
"""Always shown: whoever knows no other key finds them all behind these."""
