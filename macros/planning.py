"""The macros as rules ask for them (:class:`workflow.macro_plans.MacroPlans`): planned, not run.

What reads and fills in texts is loaded when the first rule asks.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.clock import Clock
from workflow.errors import NotFound
from workflow.macro_plans import MacroPlan
from workflow.settings import Settings
from workflow.store.reads import Reads

if TYPE_CHECKING:
    from macros.library import Library
    from macros.model import Text

__all__ = ["RulePlans"]


class RulePlans:
    """The macros of a home, for the rules of its desk."""

    def __init__(self, home: Path, settings: Settings, reads: Reads, clock: Clock) -> None:
        self._home = home
        self._settings = settings
        self._reads = reads
        self._clock = clock

    @cached_property
    def _library(self) -> Library:
        from macros.library import Library

        return Library(self._home, self._settings)

    def names(self) -> Collection[str]:
        """The names of the macros there are by now."""
        return self._library.files().keys()

    def plan(self, name: str, ticket: int) -> MacroPlan:
        """What a macro would do to a ticket, in the name of whoever has it. Raises DeskError."""
        from macros.running import Runner
        from workflow.actions import Reply

        macro = self._library.get(name)
        runner = Runner(self._reads, self._settings, self._clock, self._agent(ticket))
        made = runner.plan(macro, ticket)
        actions = tuple(action for action in made.actions if not isinstance(action, Reply))
        return MacroPlan(actions, made.text, made.unfilled)

    def text(self, source: str, ticket: int) -> MacroPlan:
        """A text with the placeholders of a ticket filled in. Raises DeskError."""
        from macros.placeholders import Scene, values
        from macros.render import render

        detail = self._reads.ticket(ticket)
        if detail is None:
            raise NotFound(f"there is no ticket #{ticket}: deskhand list shows those there are")
        scene = Scene(detail, detail.assignee or "", self._settings, self._clock.now(), {})
        made = render(_text(source), values(scene))
        return MacroPlan(text=made.text, gaps=made.unfilled)

    def fault(self, source: str) -> str | None:
        """What is wrong with a text whatever the ticket; None where nothing is."""
        from macros.render import problems_of

        return next((problem.sentence for problem in problems_of(_text(source))), None)

    def _agent(self, ticket: int) -> str:
        detail = self._reads.ticket(ticket, whole=False)
        return (detail.assignee if detail is not None else None) or ""


def _text(source: str) -> Text:
    from macros.model import Place, Text

    return Text(source, Place("text"))
