"""To, Cc, Bcc, subject and sender of a message, to be edited line by line; addresses complete themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label

from console import safe
from console.drawing import LineBuilder
from console.widgets.bars import Bar
from console.widgets.field import Field
from workflow.addresses import split_typed, typed_party, typed_text
from workflow.drafts import DraftOptions
from workflow.errors import UsageError
from workflow.inbound import Party
from workflow.proposal import Proposal

__all__ = ["Envelope"]

_PEOPLE = ("to", "cc", "bcc")
_LINES = (("to", "To"), ("cc", "Cc"), ("bcc", "Bcc"), ("subject", "Subject"), ("sender", "From"))
_SUGGESTED = 4


class _Hint(Bar):
    """What fits to what is being typed, or what is wrong with it."""

    GROUND = "panel"
    people: Sequence[Party] = ()
    fault = ""

    def draw(self, line: LineBuilder) -> None:
        """A fault before anything else."""
        inks = self.inks
        if self.fault:
            line.add(f" {self.fault}", inks("late", self.GROUND))
        elif self.people:
            line.add(" tab ", inks("accent", self.GROUND))
            for index, party in enumerate(self.people):
                ink = "text" if index == 0 else "dim"
                line.add(f" {typed_text(party)} ", inks(ink, self.GROUND))
        else:
            words = " enter: next line · esc: leave as it was · ctrl-t: done"
            line.add(words, inks("faint", self.GROUND))


class _Line(Field):
    """One line; tab takes what is suggested."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", show=False),
        Binding("shift+tab,up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("ctrl+t", "done", show=False),
        Binding("ctrl+s,ctrl+enter", "send", show=False),
        Binding("escape", "cancel", show=False),
    ]

    def _envelope(self) -> Envelope:
        found = next(node for node in self.ancestors if isinstance(node, Envelope))
        assert isinstance(found, Envelope)
        return found

    def action_take(self) -> None:
        """Take the first suggestion, else go on."""
        if not self._envelope().take(self):
            self._envelope().step(self, 1)

    def action_step(self, lines: int) -> None:
        """Go to another line."""
        self._envelope().step(self, lines)

    def action_done(self) -> None:
        """Keep what was typed."""
        self._envelope().finish()

    def action_send(self) -> None:
        """Keep it, and send."""
        self._envelope().finish(send=True)

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self._envelope().cancel()


class Envelope(Vertical):
    """Five lines and a hint. ``Closed`` tells that it was left, with what was typed or without."""

    DEFAULT_CSS = """
    Envelope { display: none; height: 6; background: $ground-panel; }
    Envelope.-shown { display: block; }
    Envelope Horizontal { height: 1; }
    Envelope Label { width: 10; color: $ink-dim; padding: 0 1; }
    Envelope Input { width: 1fr; background: $ground-panel; }
    Envelope Input:focus { background: $ground-base; }
    """

    @dataclass
    class Closed(Message):
        """It was left; ``options`` is None where nothing is to change."""

        options: DraftOptions | None
        send: bool = False

    def __init__(self) -> None:
        super().__init__()
        self._options = DraftOptions()
        self._shown: dict[str, str] = {}
        self._senders: Sequence[str] = ()
        self.look_up: Callable[[str, Callable[[Sequence[Party]], None]], None] = lambda _t, _f: None
        """Asks for people whose name or address fits."""

    def compose(self) -> ComposeResult:
        """The lines."""
        for name, word in _LINES:
            with Horizontal():
                yield Label(safe.content(word))
                yield _Line(id=f"envelope-{name}")
        yield _Hint()

    @property
    def open(self) -> bool:
        """Whether it is on screen."""
        return self.has_class("-shown")

    def ask(self, proposal: Proposal, options: DraftOptions, senders: Sequence[str]) -> None:
        """Show what there is now, the cursor where somebody is missing."""
        self._options, self._senders = options, senders
        self._shown = {
            "to": ", ".join(map(typed_text, proposal.to)),
            "cc": ", ".join(map(typed_text, proposal.cc)),
            "bcc": ", ".join(map(typed_text, proposal.bcc)),
            "subject": proposal.subject,
            "sender": proposal.sender,
        }
        for name, text in self._shown.items():
            field = self._field(name)
            with field.prevent(Input.Changed):
                field.value = text
            field.cursor_position = len(text)
        self._hint()
        self.add_class("-shown")
        self.screen.set_focus(self._field("to" if not proposal.to else "cc"))

    def _field(self, name: str) -> Input:
        return self.query_one(f"#envelope-{name}", Input)

    def _hint(self, people: Sequence[Party] = (), fault: str = "") -> None:
        hint = self.query_one(_Hint)
        hint.people, hint.fault = people, fault
        hint.refresh()

    # -- typing

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        name = (event.input.id or "").removeprefix("envelope-")
        if name == "sender":
            fits = [Party("", one) for one in self._senders if event.value.lower() in one.lower()]
            self._hint(fits[:_SUGGESTED])
            return
        if name not in _PEOPLE:
            self._hint()
            return
        pieces = split_typed(event.value)
        last = pieces[-1] if pieces and not event.value.rstrip().endswith((",", ";")) else ""
        for piece in pieces[:-1] if last else pieces:
            try:
                typed_party(piece)
            except UsageError as fault:
                self._hint(fault=str(fault))
                return
        self._hint()
        if len(last) < 2:
            return

        def found(people: Sequence[Party]) -> None:
            if self.open and self._field(name).value == event.value:
                self._hint([p for p in people if typed_text(p) != last][:_SUGGESTED])

        self.look_up(last, found)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.step(event.input, 1)

    def take(self, field: Input) -> bool:
        """Put the first suggestion in place of what is being typed; False where there is none."""
        people = self.query_one(_Hint).people
        if not people:
            return False
        if field.id == "envelope-sender":
            field.value = people[0].address
        else:
            before = field.value[: len(field.value) - len(_last_piece(field.value))]
            field.value = f"{before}{typed_text(people[0])}, "
        field.cursor_position = len(field.value)
        self._hint()
        return True

    def step(self, field: Input, lines: int) -> None:
        """Go to another line; past the last one it is done."""
        names = [name for name, _word in _LINES]
        index = names.index((field.id or "").removeprefix("envelope-")) + lines
        if index >= len(names):
            self.finish()
        elif index >= 0:
            self._hint()
            self.screen.set_focus(self._field(names[index]))

    # -- leaving

    def finish(self, send: bool = False) -> None:
        """Keep what was typed, unless an address is wrong: that is said, and the line stays open."""
        typed = {name: self._field(name).value.strip() for name, _word in _LINES}
        options = self._options
        for name in _PEOPLE:
            people = split_typed(typed[name])
            try:
                for piece in people:
                    typed_party(piece)
            except UsageError as fault:
                self._hint(fault=str(fault))
                self.screen.set_focus(self._field(name))
                return
            if typed[name].rstrip(", ") != self._shown[name].rstrip(", "):
                # Whoever changes one line has seen the others: all of them are theirs from now on.
                options = replace(
                    options,
                    to=tuple(split_typed(typed["to"])),
                    cc=tuple(split_typed(typed["cc"])),
                    bcc=tuple(split_typed(typed["bcc"])),
                )
        if typed["sender"].lower() not in {one.lower() for one in self._senders}:
            self._hint(fault=f"{typed['sender']!r} is no address of ours to send from")
            self.screen.set_focus(self._field("sender"))
            return
        if typed["subject"] != self._shown["subject"]:
            options = replace(options, subject=typed["subject"])
        if typed["sender"] != self._shown["sender"]:
            # It may be another account's: that goes along with its address.
            options = replace(options, sender=typed["sender"], account=None)
        self.remove_class("-shown")
        self.post_message(self.Closed(options, send))

    def cancel(self) -> None:
        """Leave everything as it was."""
        self.remove_class("-shown")
        self.post_message(self.Closed(None))

    def hide(self) -> None:
        """Take it off the screen without a word."""
        self.remove_class("-shown")


def _last_piece(text: str) -> str:
    """What is being typed: the words after the last separator."""
    if text.rstrip().endswith((",", ";")):
        return ""
    pieces = split_typed(text)
    return text[text.rfind(pieces[-1]) :] if pieces else ""
