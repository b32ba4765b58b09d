"""The macro picker: a few letters, a preview of what would happen, the macro's questions one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console.actions import key_words
from console.bridge import Bridge, ReadsPort
from console.macro_shelf import Shelf
from console.macro_words import preview
from console.widgets.bars import Sentence
from console.widgets.field import Field
from console.widgets.lines import Lines
from console.widgets.picker import Choice, Choices
from console.widgets.virtual_list import VirtualList
from workflow.errors import DeskError

if TYPE_CHECKING:
    from macros.model import Macro
    from macros.running import Plan

__all__ = ["MacroPicker", "Picked", "Target"]

_LEAVE_OUT = "leave out"
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Target:
    """What a macro is wanted for. ``into`` is the text that is open or will be: reply, note, or empty for the
    tickets of the queue. ``carried`` is what happens with sending already.
    """

    tickets: Sequence[int]
    into: str = ""
    carried: str = ""

    @property
    def words(self) -> str:
        """The tickets, as a title names them."""
        return f"#{self.tickets[0]}" if len(self.tickets) == 1 else f"{len(self.tickets)} tickets"


@dataclass(frozen=True, slots=True)
class Picked:
    """The macro that was chosen, with the answers to its questions; no macro: leave out what was to happen."""

    macro: Macro | None
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """What would happen to the first ticket, or why nothing."""

    macro: Macro
    plan: Plan | None
    problem: str = ""
    hopeless: bool = False
    """A fault of the file: no other ticket helps."""


class MacroPicker(ModalScreen[Picked | None]):
    """Names at the left, what the one under the cursor would do at the right; in a small window below."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012 (declared by Textual)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("escape", "back", show=False),
        Binding("ctrl+q", "quit_app", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    MacroPicker { align: center middle; }
    MacroPicker #macros { width: 96%; max-width: 150; height: 94%; background: $ground-panel; border: round $border; }
    MacroPicker Input { padding: 0 1; background: $ground-panel; width: 1fr; }
    MacroPicker #halves { layout: vertical; height: 1fr; }
    MacroPicker Choices { height: auto; max-height: 7; min-height: 1; background: $ground-panel; }
    MacroPicker Lines { height: 1fr; border-top: solid $border-blurred; }
    MacroPicker.-normal #halves { layout: horizontal; }
    MacroPicker.-normal Choices { height: 1fr; max-height: 100%; width: 46; }
    MacroPicker.-normal Lines { width: 1fr; border-top: none; border-left: solid $border-blurred; }
    """

    def __init__(
        self,
        bridge: Bridge,
        shelf: Shelf,
        zone: tzinfo | None,
        target: Target,
        macro: Macro | None = None,
    ) -> None:
        super().__init__()
        self._bridge, self._shelf, self._zone, self._target = bridge, shelf, zone, target
        self._begin_with = macro
        self._shown: Sequence[Macro] = ()
        self._fitting: frozenset[str] | None = None
        self._asking: Macro | None = None
        self._question = 0
        self._answers: dict[str, str] = {}
        self._number = 0
        self._look: _Look | None = None
        self._head = Sentence()
        self._foot = Sentence()
        self._choices = Choices()
        self._preview = Lines()

    def compose(self) -> ComposeResult:
        """Title, line to type, names, preview, what the keys do."""
        with Vertical(id="macros"):
            yield self._head
            yield Field()
            with Container(id="halves"):
                yield self._choices
                yield self._preview
            yield self._foot

    def on_mount(self) -> None:
        """Show what there is; those that are not for this ticket go to the end when that is known."""
        self._choices.nothing = "Reading the macros …"
        self._put()
        self.query_one(Field).focus()
        self.set_interval(_LOOK_S, self._look_at_shelf)
        if self._begin_with is not None:
            self._ask(self._begin_with)
            return
        macros, tickets = self._shelf.macros, self._target.tickets

        if len(tickets) == 1:
            self._bridge.look_up(
                lambda reads: self._shelf.runner(reads).fitting(macros, tickets[0]),
                self._know,
                self._failed,
            )

    def _know(self, fitting: frozenset[str]) -> None:
        self._fitting = fitting
        if self._asking is None and len(fitting) < len(self._shown):
            # Where nobody has moved yet, the first that fits is the one to begin with.
            self._put(keep=self._choices.cursor > 0)

    def _failed(self, sentence: str) -> None:
        self._foot.tell(sentence, "late")

    def _look_at_shelf(self) -> None:
        """A file was edited while this is open."""
        if self._asking is None and self._shelf.macros != self._shown:
            self._put(keep=True)

    # -- the list

    @property
    def _field(self) -> Field:
        return self.query_one(Field)

    def _put(self, keep: bool = False) -> None:
        from macros.pick import rank

        typed = self._field.value
        self._shown = macros = self._shelf.macros
        found = rank(macros, typed, self._shelf.lately)
        fits = self._fitting
        good = [macro for macro in found if fits is None or macro.name in fits]
        others = [macro for macro in found if macro not in good]
        choices = [self._choice(macro) for macro in good]
        if others:
            choices += [Choice(None, "Not for this ticket"), *map(self._choice, others)]
        if not typed.strip():
            if self._target.carried:
                choices.append(Choice(_LEAVE_OUT, "Leave the changes out", self._target.carried))
            if self._shelf.problems:
                choices.append(Choice(None, "Files with a fault"))
                choices += [
                    Choice(
                        f"fault:{index}",
                        f"✕ {problem.place.file.rpartition('/')[2]}",
                        problem.sentence,
                    )
                    for index, problem in enumerate(self._shelf.problems)
                ]
        before = self._value if keep else None
        if macros:
            self._choices.nothing = f"No macro fits {typed.strip()!r}: take some letters away."
        self._choices.put(choices)
        if before is not None:
            at = next((i for i, choice in enumerate(choices) if choice.value == before), None)
            self._choices.move_to(at or 0)
        self._head.tell(f"Macro for {self._target.words}", "strong")
        self._field.placeholder = "name, title or tag"
        self._show_current()

    def _choice(self, macro: Macro) -> Choice:
        key = key_words(macro.key) if macro.key in self._shelf.keys else ""
        return Choice(macro.name, macro.title, " ".join(macro.tags), key)

    @property
    def _value(self) -> str | None:
        choices, cursor = self._choices.choices, self._choices.cursor
        return choices[cursor].value if cursor < len(choices) else None

    @on(VirtualList.Moved)
    def _moved(self, event: VirtualList.Moved) -> None:
        event.stop()
        if self._asking is None:
            self._show_current()

    def _show_current(self) -> None:
        value = self._value
        macro = self._shelf.get(value) if value is not None else None
        self._look = None
        self._number += 1
        if macro is not None:
            self._plan(macro, {}, self._show)
            return
        problem = self._fault(value)
        if problem:
            self._preview.show([(problem, "late")])
            self._foot.tell("mend the file: it is read again by itself   esc: back")
        elif value == _LEAVE_OUT:
            self._preview.show(
                [("The text stays; with sending nothing else happens than sending.", "text")]
            )
            self._foot.tell("enter: leave the changes out   esc: back")
        else:
            self._preview.show(
                [("Write one of your own: a file macros/NAME.md in the home.", "dim")]
            )
            self._foot.tell("esc: back")

    def _fault(self, value: str | None) -> str:
        kind, _, index = (value or "").partition(":")
        return self._shelf.say(self._shelf.problems[int(index)]) if kind == "fault" else ""

    def _plan(self, macro: Macro, answers: dict[str, str], then: Callable[[_Look], None]) -> None:
        """Plan it for the first ticket, in a thread; only the newest plan counts."""
        self._number += 1
        number, ticket = self._number, self._target.tickets[0]

        def read(reads: ReadsPort) -> _Look:
            from macros.model import MacroProblem

            try:
                return _Look(macro, self._shelf.runner(reads).plan(macro, ticket, answers))
            except MacroProblem as fault:
                return _Look(macro, None, self._shelf.say(fault), hopeless=True)
            except DeskError as fault:
                return _Look(macro, None, str(fault))

        def deliver(look: _Look) -> None:
            if number == self._number and self.is_mounted:
                then(look)

        self._bridge.look_up(read, deliver, self._failed)

    def _show(self, look: _Look, *, keep_place: bool = False) -> None:
        self._look = look
        asking = self._asking is not None
        now, zone = self._bridge.now(), self._zone
        pieces = preview(look.macro, look.plan, look.problem, now, zone, asking=asking)
        if len(self._target.tickets) > 1 and look.plan is not None:
            first = (
                f"As it would be for #{self._target.tickets[0]}, the first of {self._target.words}:"
            )
            pieces = [(first, "dim"), *pieces]
        self._preview.show(pieces, keep_place=keep_place)
        self._foot.tell(*self._what_enter_does(look))

    def _what_enter_does(self, look: _Look) -> tuple[str, str]:
        if self._asking is not None:
            left = len(self._asking.questions) - self._question - 1
            return f"enter: {'the next question' if left else 'go on'}   esc: back", "dim"
        if self._refuses(look):
            return "it cannot be used here   esc: back", "late"
        if look.macro.questions:
            many = f"{len(look.macro.questions)} questions"
            return (
                f"enter: {many if len(look.macro.questions) > 1 else 'one question'} first   pgdn: read on   esc: back",
                "dim",
            )
        return f"enter: {self._end_words(look)}   pgdn: read on   esc: back", "dim"

    def _end_words(self, look: _Look) -> str:
        if not self._target.into:
            return "look at it once more, then do it"
        if look.plan is None or not look.plan.text:
            return "do it now; z undoes it"
        return f"put it into the {self._target.into}; changes come with sending"

    def _refuses(self, look: _Look) -> bool:
        return look.hopeless or (look.plan is None and len(self._target.tickets) == 1)

    # -- choosing and asking

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._asking is None:
            self._put()
        else:
            said = self._said() | {self._asking.questions[self._question].name: event.value}
            self._plan(self._asking, said, lambda look: self._show(look, keep_place=True))

    @on(VirtualList.Chosen)
    def _clicked(self, event: VirtualList.Chosen) -> None:
        event.stop()
        self._enter()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._enter()

    def _enter(self) -> None:
        if self._asking is not None:
            self._answered()
            return
        value = self._value
        macro = self._shelf.get(value) if value is not None else None
        if value == _LEAVE_OUT:
            self.dismiss(Picked(None))
        elif problem := self._fault(value):
            self._foot.tell(problem, "late")
        elif macro is not None and macro.questions:
            self._ask(macro)
        elif macro is not None:
            self._plan(macro, {}, self._end)

    def _ask(self, macro: Macro, question: int = 0, remark: str = "") -> None:
        """Show a question, with the answer that was given before."""
        self._asking, self._question = macro, question
        asked = macro.questions[question]
        place = (
            f": question {question + 1} of {len(macro.questions)}"
            if len(macro.questions) > 1
            else ""
        )
        self._head.tell(f"{macro.title} for {self._target.words}{place}", "strong")
        self._choices.put(
            [
                Choice(q.name, q.question, "", self._answers.get(q.name, q.default))
                for q in macro.questions
            ]
        )
        self._choices.move_to(question)
        field = self._field
        with field.prevent(Input.Changed):
            field.value = self._answers.get(asked.name, asked.default)
        field.cursor_position = len(field.value)
        field.placeholder = asked.question

        def show(look: _Look) -> None:
            self._show(look)
            if remark:
                self._foot.tell(remark, "late")

        self._plan(macro, self._said(), show)

    def _said(self) -> dict[str, str]:
        """The answers to this macro's questions so far; those that were not asked yet are empty."""
        assert self._asking is not None
        return {q.name: self._answers.get(q.name, q.default) for q in self._asking.questions}

    def _answered(self) -> None:
        macro = self._asking
        assert macro is not None
        self._answers[macro.questions[self._question].name] = self._field.value.strip()
        if self._question + 1 < len(macro.questions):
            self._ask(macro, self._question + 1)
        else:
            self._plan(macro, self._said(), self._end)

    def _end(self, look: _Look) -> None:
        """Give it back, unless it cannot be used or an answer is missing that the text needs."""
        if self._refuses(look):
            self._show(look)
            return
        names = [question.name for question in look.macro.questions]
        gaps = (
            [gap.partition(".")[2] for gap in look.plan.unfilled if gap.startswith("answers.")]
            if look.plan
            else []
        )
        missing = [names.index(gap) for gap in gaps if gap in names]
        if missing:
            self._ask(look.macro, min(missing), "The text needs this answer: type it, then enter.")
            return
        self.dismiss(Picked(look.macro, self._said() if self._asking is not None else {}))

    def action_step(self, lines: int) -> None:
        """Move in the list while typing."""
        if self._asking is None:
            self._choices.step(lines)

    def action_page(self, direction: int) -> None:
        """Read on in the preview."""
        self._preview.page(direction)

    def action_quit_app(self) -> None:
        """End the program; nothing has happened, drafts are kept."""
        self.app.exit(0)

    def action_back(self) -> None:
        """The question before, the list, then away; nothing has happened."""
        macro = self._asking
        if macro is None:
            self.dismiss(None)
        elif self._question:
            self._answers[macro.questions[self._question].name] = self._field.value
            self._ask(macro, self._question - 1)
        elif self._begin_with is not None:
            self.dismiss(None)
        else:
            self._asking = None
            with self._field.prevent(Input.Changed):
                self._field.value = ""
            self._put()
