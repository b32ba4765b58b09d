"""What the keys do with macros: pick one, put it into a reply, run it on tickets of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.bridge import DeskPort, ReadsPort
from console.carried import Brought
from console.macro_words import change_words
from console.people_keys import People

if TYPE_CHECKING:
    from console.screens.macro_picker import Picked
    from macros.model import Macro
    from macros.running import Plan, Ran
    from workflow.actions import Action

__all__ = ["MACRO", "MacroRuns"]

MACRO = "macro:"
"""What stands before the name of a macro where an action's id could stand: a key, the palette, the help."""


class MacroRuns(People):
    """The keys of macros."""

    def do_macro(self) -> None:
        """Pick a macro for the open ticket, the marked ones, or the one under the cursor."""
        self._pick(None)

    def run_macro(self, name: str) -> None:
        """What a key of its own does: the same without the list."""
        desk, macro = self._desk, self._desk.shelf.get(name) if self._desk.shelf else None
        if macro is None:
            desk.complain(f"There is no macro {name} any more: m lists those there are.")
        elif macro.questions:
            self._pick(macro)
        elif targets := self._macro_targets():
            self._use(macro, {}, targets)

    def _macro_targets(self) -> list[int]:
        desk = self._desk
        if desk.shelf is None or self._bridge.agent is None:
            desk.complain("Nobody is named as the agent: start with --agent NAME to use macros.")
            return []
        targets = self.targets()
        if not targets:
            desk.say("There is no ticket here.", "dim")
        return targets

    def _pick(self, macro: Macro | None) -> None:
        from console.screens.macro_picker import MacroPicker, Target

        desk, targets = self._desk, self._macro_targets()
        if not targets or desk.shelf is None:
            return
        kind = desk.writing.kind or "reply"
        into = kind if desk.in_ticket else ""
        carried = desk.writing.carried.words(targets[0], kind) if desk.writing.kind else ""
        picker = MacroPicker(
            self._bridge, desk.shelf, desk.zone, Target(targets, into, carried), macro
        )

        def picked(choice: Picked | None) -> None:
            if choice is not None and choice.macro is not None:
                self._use(choice.macro, dict(choice.answers), targets)
            elif choice is not None:
                desk.writing.leave_out()

        desk.app.push_screen(picker, picked)

    def _use(self, macro: Macro, answers: dict[str, str], targets: Sequence[int]) -> None:
        """In a ticket the text goes before the agent's eyes; in the queue it is shown, ticket by ticket, and asked."""
        if self._desk.in_ticket:
            self._use_in_ticket(macro, answers, targets[0])
        else:
            self._use_in_queue(macro, answers, targets)

    # -- in a ticket

    def _use_in_ticket(self, macro: Macro, answers: dict[str, str], ticket: int) -> None:
        desk, shelf = self._desk, self._desk.shelf
        assert shelf is not None

        def read(reads: ReadsPort) -> tuple[Plan, tuple[Action, ...]]:
            plan = shelf.runner(reads).plan(macro, ticket, answers)
            # The agent can mend a gap in the text, not one in the macro's note.
            return plan, plan.beside("")

        def planned(found: tuple[Plan, tuple[Action, ...]]) -> None:
            plan, actions = found
            if desk.ticket is None or desk.ticket.id != ticket:
                return
            if not plan.text:
                self._do_at_once(macro, answers, ticket)
                return
            words = tuple(change_words(plan.differences, self._bridge.now(), desk.zone))
            brought = Brought(macro.name, macro.title, actions, words)
            desk.writing.put_in(plan.text, brought, macro.reply_all)

        self._bridge.look_up(read, planned, desk.complain)

    def _do_at_once(self, macro: Macro, answers: dict[str, str], ticket: int) -> None:
        """A macro without a text: there is nothing to be seen before it is sent."""
        desk, shelf, bridge = self._desk, self._desk.shelf, self._bridge
        assert shelf is not None

        def do(port: DeskPort) -> Ran:
            (ran,) = shelf.runner(bridge.reads, port).run(macro, [ticket], answers)
            return ran

        def done(ran: Ran) -> None:
            if ran.plan is None:
                desk.complain(ran.problem)
                return
            words = ", ".join(change_words(ran.plan.differences, bridge.now(), desk.zone))
            desk.say(f"{macro.title}: {words}. z undoes it.", "good")
            shelf.look()

        bridge.write(do, done, desk.complain)

    # -- in the queue

    def _use_in_queue(self, macro: Macro, answers: dict[str, str], targets: Sequence[int]) -> None:
        from console.screens.macro_run import MacroRun

        desk, shelf = self._desk, self._desk.shelf
        assert shelf is not None
        marked = bool(desk.queue.marks)

        def told(results: Sequence[Ran]) -> None:
            """The marks stay on what could not be done, so that it can be looked at."""
            shelf.look()
            if marked:
                left = {ran.ticket for ran in results if ran.plan is None}
                desk.queue.set_marks(left if results else set(targets))

        desk.app.push_screen(
            MacroRun(self._bridge, shelf, desk.zone, macro, targets, answers, told), self._opened
        )

    def _opened(self, ticket: int | None) -> None:
        """A room was left for a ticket."""
        if ticket is not None:
            self._desk.open_ticket(ticket)
