"""Where an answer or a note is written. What is typed is kept as a draft, also when the process dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from console import safe
from console.drawing import LineBuilder
from console.keymap import bindings_for
from console.widgets.bars import Bar

__all__ = ["Composer", "Letter"]

SAVE_AFTER_S = 0.5


@dataclass(frozen=True, slots=True)
class Letter:
    """What is being written: to whom, and after which message."""

    ticket: int
    kind: str
    """reply or note"""
    everybody: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    answers: int | None = None
    """The message that is answered."""
    newest: int | None = None
    """The newest message that the writer has seen."""
    via: int | None = None
    """Another identity of the same person that it goes to, over its channel."""
    account: str | None = None
    limits: str = ""
    """What that channel can carry."""
    longest: int | None = None
    """Characters of one message there."""


class _Head(Bar):
    """To whom it goes."""

    GROUND = "panel"
    letter = Letter(0, "reply")
    remark = ""

    def draw(self, line: LineBuilder) -> None:
        """Recipients as chips, or that only the team sees it."""
        inks, letter = self.inks, self.letter
        if letter.kind == "note":
            line.add("┃", inks("note", "note"))
            line.add(" NOTE  only the team sees this ", inks("note", "note"))
        else:
            line.add(" Reply to all" if letter.everybody else " Reply", inks("strong", self.GROUND))
            for word, people in (("To", letter.to), ("Cc", letter.cc)):
                if not people:
                    continue
                line.add(f"  {word} ", inks("dim", self.GROUND))
                for index, person in enumerate(people):
                    line.add(" " if index else "", inks("text", self.GROUND))
                    line.add(f" {person} ", inks("text", "tab"))
            if letter.limits:
                line.add(f"  {letter.limits}", inks("dim", self.GROUND))
            if not letter.to:
                line.add("  nobody to write to on this ticket", inks("late", self.GROUND))
        tail = f"{self.remark} "
        line.pad_to(
            line.width - len(tail), inks("text", "note" if letter.kind == "note" else self.GROUND)
        )
        line.add(tail, inks("faint", "note" if letter.kind == "note" else self.GROUND))


class _Text(TextArea):
    """The text; keys of the composer come first."""

    BINDINGS = bindings_for("composer")

    def on_mount(self) -> None:
        """A cursor that blinks would send bytes for nothing."""
        self.cursor_blink = False

    def edit(self, edit: Edit) -> EditResult:
        """Everything that is typed, pasted or put in passes the gate: a paste may hold what a stranger wrote."""
        edit.text = safe.block(edit.text)
        return super().edit(edit)

    def action_run(self, action_id: str) -> None:
        """Pass a key of the table on to the composer."""
        self.post_message(Composer.Asked(action_id))


class Composer(Vertical):
    """A reply or a note being written."""

    DEFAULT_CSS = """
    Composer {
        display: none; height: 40%; min-height: 7; max-height: 18;
        _Text, _Text:focus {
            height: 1fr; border: none; padding: 0 1; background: $ground-base; scrollbar-size-vertical: 1;
        }
    }
    Composer.-shown { display: block; }
    Composer.-note _Text, Composer.-note _Text:focus { background: $ground-note; }
    """

    @dataclass
    class Asked(Message):
        """A key of the composer was pressed."""

        action_id: str

    def save(self, letter: Letter, text: str) -> None:
        """Keep a draft. Called when the text has stood still for half a second, and at once when it is left."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__(id="composer")
        self.letter = Letter(0, "reply")
        self._timer: Timer | None = None
        self._saved = ""
        self._sent: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        """Recipients above, text below."""
        yield _Head()
        yield _Text(
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )

    @property
    def open(self) -> bool:
        """Whether something is being written."""
        return self.has_class("-shown")

    @property
    def text(self) -> str:
        """What has been typed."""
        return self.query_one(_Text).text

    def write(self, letter: Letter, draft: str) -> None:
        """Begin, with the draft that there is."""
        self.letter = letter
        self._saved = draft
        field = self.query_one(_Text)
        with field.prevent(TextArea.Changed):
            field.load_text(safe.block(draft))
        field.move_cursor(field.document.end)
        self.set_class(letter.kind == "note", "-note")
        self.add_class("-shown")
        self.tell("draft kept" if draft else "")
        head = self.query_one(_Head)
        head.letter = letter
        head.refresh()
        self.screen.set_focus(field)

    def put(self, text: str) -> None:
        """Replace the text, as an outside editor does."""
        field = self.query_one(_Text)
        field.load_text(safe.block(text))
        field.move_cursor(field.document.end)
        self.keep()

    def tell(self, remark: str) -> None:
        """Say how the draft does."""
        head = self.query_one(_Head)
        head.remark = remark
        head.refresh()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SAVE_AFTER_S, self.keep)

    def keep(self) -> None:
        """Save the draft now if it has changed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.open and (text := self.text) != self._saved:
            self._saved = text
            self.save(self.letter, text)

    def on_descendant_blur(self) -> None:
        """The focus goes elsewhere."""
        self.keep()

    def close(self, forget: bool = False) -> None:
        """Put it away; the draft is saved first unless it has been sent or thrown away."""
        if forget:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            self._saved = self.text
        else:
            self.keep()
        self.remove_class("-shown")
