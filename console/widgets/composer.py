"""Where an answer or a note is written. What is typed is kept as a draft, also when the process dies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Selection

from console import safe
from console.keymap import bindings_for
from console.widgets.envelope import Envelope
from console.widgets.letter_head import LetterHead, SignatureLines
from console.widgets.with_sending import WithSending
from workflow.drafts import NOTHING_CHOSEN, DraftOptions
from workflow.proposal import Proposal

__all__ = ["Composer", "Letter"]

SAVE_AFTER_S = 0.5
_MEASURE_AFTER_S = 0.1
_WRITING_KEYS = frozenset({"enter", "backspace", "delete"})
_GAP = re.compile("⟦[^⟦⟧\n]*⟧")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is being written: on which ticket, after which message, with what was chosen for it."""

    ticket: int
    kind: str
    """reply, note or forward"""
    answers: int | None = None
    """The message that is answered, or the only one that is forwarded."""
    newest: int | None = None
    """The newest message that the writer has seen."""
    options: DraftOptions = NOTHING_CHOSEN


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

    def on_key(self, event: events.Key) -> None:
        """Somebody writes: the customer may be shown that."""
        if event.is_printable or event.key in _WRITING_KEYS:
            self.post_message(Composer.Keyed())

    def action_run(self, action_id: str) -> None:
        """Pass a key of the table on to the composer."""
        self.post_message(Composer.Asked(action_id))


class Composer(Vertical):
    """A reply, a forward or a note being written: the lines above it, the text, the signature that follows."""

    DEFAULT_CSS = """
    Composer {
        display: none; height: 44%; min-height: 8; max-height: 22;
        _Text, _Text:focus {
            height: 1fr; min-height: 2; border: none; padding: 0 1; background: $ground-base;
            scrollbar-size-vertical: 1;
        }
    }
    Composer.-shown { display: block; }
    Composer.-editing, Composer.-crowded { height: 60%; min-height: 12; }
    Composer.-note _Text, Composer.-note _Text:focus { background: $ground-note; }
    """

    @dataclass
    class Asked(Message):
        """A key of the composer was pressed."""

        action_id: str

    class Keyed(Message):
        """A key was pressed that writes."""

    def measure(self) -> None:
        """The text has changed: say what is new about how it goes out. Called soon after a change."""

    def save(self, letter: Letter, text: str) -> None:
        """Keep a draft. Called when the text has stood still for half a second, and at once when it is left."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__(id="composer")
        self.letter = Letter(0, "reply")
        self.head = LetterHead()
        self.envelope = Envelope()
        self.with_sending = WithSending()
        self.signature = SignatureLines()
        self._timer: Timer | None = None
        self._measuring = False
        self._saved: tuple[str, DraftOptions] = ("", NOTHING_CHOSEN)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.head
        yield self.envelope
        yield self.with_sending
        yield _Text(
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )
        yield self.signature

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
        self._saved = (draft, letter.options)
        field = self.query_one(_Text)
        with field.prevent(TextArea.Changed):
            field.load_text(safe.block(draft))
        field.move_cursor(field.document.end)
        self.set_class(letter.kind == "note", "-note")
        self.head.doubts, self.head.news, self.head.parts = (), 0, ""
        self.envelope.hide()
        self.remove_class("-editing")
        self.add_class("-shown")
        self.tell("draft kept" if draft or letter.options.files else "")
        self.screen.set_focus(field)

    def show(self, proposal: Proposal, answers: str = "", limits: str = "") -> None:
        """Show how the letter would go out as it stands; ``answers`` names the message that was chosen,
        ``limits`` what the channel can carry.
        """
        letter = self.letter
        self.head.show(letter.kind, proposal, letter.options, limits, answers)
        self.signature.show(
            proposal.signature if letter.kind != "note" else "", self._signature_room()
        )
        self._make_room()

    def _make_room(self) -> None:
        """The more stands above the text, the more of the screen it takes."""
        self.set_class(self.head.lines > 3, "-crowded")

    def _signature_room(self) -> int:
        return 2 if self.app.size.height < 32 else 5

    def choose(self, options: DraftOptions) -> None:
        """Take other options, and keep them at once."""
        self.letter = replace(self.letter, options=options)
        self.keep()

    def put(self, text: str) -> None:
        """Replace the text, as an outside editor does."""
        field = self.query_one(_Text)
        field.load_text(safe.block(text))
        field.move_cursor(field.document.end)
        self.keep()

    def insert(self, text: str) -> None:
        """Put a text in at the cursor; what was typed stays. Its first gap is selected, to be typed over."""
        field = self.query_one(_Text)
        row, column = field.cursor_location
        field.insert(text, maintain_selection_offset=False)
        for number, line in enumerate(text.split("\n")):
            if gap := _GAP.search(line):
                shift = 0 if number else column
                start, end = ((row + number, index + shift) for index in gap.span())
                field.selection = Selection(start, end)
                break
        self.focus_text()
        self.keep()

    def tell_with_sending(self, words: str) -> None:
        """Say what happens together with sending."""
        self.with_sending.tell(words, note=self.letter.kind == "note")

    def focus_text(self) -> None:
        """Back to the text."""
        self.remove_class("-editing")
        self.screen.set_focus(self.query_one(_Text))

    def tell(self, remark: str) -> None:
        """Say how the draft does."""
        self.head.remark = remark
        self.head.refresh()

    def tell_parts(self, words: str) -> None:
        """Say that it goes in several messages; empty: in one."""
        if words != self.head.parts:
            self.head.parts = words
            self.head.retell()
            self._make_room()

    def doubt(self, sentences: Sequence[str]) -> None:
        """Show what should be looked at again."""
        self.head.doubts = sentences
        self.head.retell()
        self._make_room()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SAVE_AFTER_S, self.keep)
        if not self._measuring:
            self._measuring = True
            self.set_timer(_MEASURE_AFTER_S, self._measure)

    def _measure(self) -> None:
        self._measuring = False
        if self.open:
            self.measure()

    def keep(self) -> None:
        """Save the draft now if it has changed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        state = (self.text, self.letter.options)
        if self.open and state != self._saved:
            self._saved = state
            self.save(self.letter, state[0])

    def on_descendant_blur(self) -> None:
        """The focus goes elsewhere."""
        self.keep()

    def close(self, forget: bool = False) -> None:
        """Put it away; the draft is saved first unless it has been sent or thrown away."""
        if forget:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            self._saved = (self.text, self.letter.options)
        else:
            self.keep()
        self.envelope.hide()
        self.remove_class("-shown", "-editing", "-crowded")
