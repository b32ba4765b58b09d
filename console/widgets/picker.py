"""One overlay for every choice: statuses, agents, times to snooze, files, the palette, the help.

It is mounted once and shown by a class, so that it opens within a frame.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from console import safe
from console.drawing import LineBuilder
from console.widgets.bars import Bar
from console.widgets.field import Field
from console.widgets.virtual_list import VirtualList

__all__ = ["Choice", "Choices", "Picker", "fuzzy"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One line to choose: what it stands for, its words, an explanation, and a key at the right edge.

    A heading has the value None and cannot be chosen.
    """

    value: str | None
    title: str
    detail: str = ""
    right: str = ""


Chooser = Callable[[str], Sequence[Choice]]


def fuzzy(choices: Sequence[Choice]) -> Chooser:
    """Narrow choices by what is typed: words in any order, then letters in order; no headings then."""

    def narrow(typed: str) -> Sequence[Choice]:
        words = typed.casefold().split()
        if not words:
            return choices
        scored = []
        for index, choice in enumerate(choices):
            if choice.value is not None and (score := _score(choice, words)):
                scored.append((-score, index, choice))
        return [choice for _score_, _index, choice in sorted(scored, key=lambda item: item[:2])]

    return narrow


def _score(choice: Choice, words: list[str]) -> int:
    title = choice.title.casefold()
    rest = f"{choice.detail} {choice.right}".casefold()
    total = 0
    for word in words:
        if title.startswith(word):
            total += 100
        elif f" {word}" in title:
            total += 60
        elif word in title:
            total += 40
        elif choice.right.casefold() == word:
            total += 80
        elif word in rest:
            total += 15
        elif _in_order(word, title):
            total += 5
        else:
            return 0
    return total


def _in_order(word: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in word)


class Choices(VirtualList):
    """The lines of the picker."""

    can_focus = False
    DEFAULT_CSS = "Choices { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="choices")
        self.choices: Sequence[Choice] = ()
        self.nothing = "Nothing fits."
        self._detail_at = 0

    def put(self, choices: Sequence[Choice]) -> None:
        """Show other choices, the first that can be chosen under the cursor."""
        self.choices = choices
        titles = [
            safe.cells(safe.one_line(choice.title))
            for choice in choices
            if choice.value is not None and choice.detail
        ]
        self._detail_at = min(max(titles, default=0), 30)
        self._strips.clear()
        self.set_ids(array("q", range(len(choices))), reset=True)
        first = next((i for i, choice in enumerate(choices) if choice.value is not None), 0)
        self.move_to(first)

    def step(self, lines: int) -> None:
        """Move over headings."""
        index, direction = self.cursor + lines, 1 if lines > 0 else -1
        while 0 <= index < len(self.choices) and self.choices[index].value is None:
            index += direction
        if 0 <= index < len(self.choices):
            self.move_to(index)

    def draw(self, row_id: int, index: int, width: int, ground: str) -> Strip:  # noqa: ARG002 (the base class's arguments)
        """One choice."""
        ground = "panel" if ground == "base" else ground
        choice, inks = self.choices[index], self.inks
        line = LineBuilder(width)
        if choice.value is None:
            line.add(f" {choice.title}", inks("title", ground))
            return line.strip(inks("text", ground))
        line.add(" ▌ " if ground == "cursor" else "   ", inks("accent", ground))
        tail = safe.cells(safe.one_line(choice.right)) + 2 if choice.right else 1
        line.add(choice.title, inks("text", ground), most=max(0, line.room - tail))
        if choice.detail:
            line.pad_to(min(3 + self._detail_at, width - tail), inks("text", ground))
        if choice.detail and line.room - tail > 6:
            line.add(f"  {choice.detail}", inks("dim", ground), most=line.room - tail - 1)
        line.pad_to(width - tail, inks("text", ground))
        line.add(choice.right, inks("accent", ground))
        return line.strip(inks("text", ground))

    def draw_empty(self, y: int, line: LineBuilder) -> None:
        """Why there is nothing."""
        if y == 0:
            line.add(f"   {self.nothing}", self.inks("dim", "panel"))
        line.pad_to(line.width, self.inks("text", "panel"))


class _Heading(Bar):
    """The title of the picker."""

    GROUND = "panel"
    title = ""

    def draw(self, line: LineBuilder) -> None:
        """The title."""
        line.add(f" {self.title}", self.inks("strong", self.GROUND))


class Picker(Vertical):
    """A title, a line to type, a list of choices. ``ask`` shows it; the answer goes to a callback."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("pagedown", "step(10)", show=False),
        Binding("pageup", "step(-10)", show=False),
        Binding("tab", "step(1)", show=False),
        Binding("shift+tab", "step(-1)", show=False),
        Binding("escape", "cancel", show=False),
    ]
    DEFAULT_CSS = """
    Picker {
        layer: overlay; display: none; width: 64; max-width: 96%; height: auto; offset-y: 2;
        background: $ground-panel; border: round $border; padding: 0;
        Input { padding: 0 1; background: $ground-panel; width: 1fr; }
        Choices { max-height: 16; min-height: 1; background: $ground-panel; }
    }
    Picker.-shown { display: block; }
    Picker.-wide { width: 88; }
    """

    def __init__(self) -> None:
        super().__init__(id="picker")
        self._chooser: Chooser = lambda _typed: ()
        self._then: Callable[[str], None] = lambda _value: None
        self._return_to: Widget | None = None

    def compose(self) -> ComposeResult:
        """Title, input, choices."""
        yield _Heading()
        yield Field()
        yield Choices()

    @property
    def open(self) -> bool:
        """Whether it is on screen."""
        return self.has_class("-shown")

    def ask(
        self,
        title: str,
        chooser: Chooser,
        then: Callable[[str], None],
        *,
        hint: str = "type to narrow",
        typed: str = "",
        wide: bool = False,
        nothing: str = "Nothing fits.",
    ) -> None:
        """Show the choices; ``then`` gets the value of the one that was chosen, and nothing happens on escape."""
        self._chooser, self._then = chooser, then
        if not self.open:
            self._return_to = self.screen.focused
        heading = self.query_one(_Heading)
        heading.title = title
        heading.refresh()
        self.set_class(wide, "-wide")
        self.add_class("-shown")
        field = self.query_one(Field)
        field.placeholder = hint
        choices = self.query_one(Choices)
        choices.nothing = nothing
        with field.prevent(Input.Changed):
            field.value = typed
        self._put(typed)
        self.screen.set_focus(field)

    def _put(self, typed: str) -> None:
        choices = self.query_one(Choices)
        found = self._chooser(typed)
        choices.styles.height = max(1, min(len(found), 16, max(3, self.screen.size.height - 8)))
        choices.put(found)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.open:
            self._put(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        choices = self.query_one(Choices)
        if choices.cursor < len(choices.choices):
            self._choose(choices.choices[choices.cursor])

    @on(VirtualList.Chosen)
    def _clicked(self, event: VirtualList.Chosen) -> None:
        event.stop()
        self._choose(self.query_one(Choices).choices[event.id])

    @on(VirtualList.Moved)
    def _moved(self, event: VirtualList.Moved) -> None:
        event.stop()

    def _choose(self, choice: Choice) -> None:
        if choice.value is None:
            return
        then = self._then
        self.close()
        then(choice.value)

    def close(self) -> None:
        """Take it off the screen; the focus goes back to where it was."""
        if not self.open:
            return
        self.remove_class("-shown")
        back, self._return_to = self._return_to, None
        if back is not None and back.is_mounted:
            self.screen.set_focus(back)

    def action_step(self, lines: int) -> None:
        """Move in the list while typing."""
        self.query_one(Choices).step(lines)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.close()
