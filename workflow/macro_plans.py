"""What rules ask of the macros, which live in a package above this one: it is given to the desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from workflow.actions import Action
from workflow.errors import Refusal

__all__ = ["MacroPlan", "MacroPlans", "Planner", "filled", "plans_of"]


@dataclass(frozen=True, slots=True)
class MacroPlan:
    """What a macro would do to a ticket: what it changes, and its text for the customer.

    ``gaps`` are placeholders that are empty for it and stand in the text as marks.
    """

    actions: tuple[Action, ...] = ()
    text: str = ""
    gaps: tuple[str, ...] = ()


class MacroPlans(Protocol):
    """The macros as rules need them. What it says of a ticket is how it was before this
    transaction.
    """

    def names(self) -> Collection[str]:
        """The names of the macros there are by now."""
        ...

    def plan(self, name: str, ticket: int) -> MacroPlan:
        """What a macro would do to a ticket; its reply is not among the actions.

        Raises DeskError with a sentence where there is no such macro, or it is not for the ticket.
        """
        ...

    def text(self, source: str, ticket: int) -> MacroPlan:
        """A text of a rule (Liquid) with the placeholders of a ticket filled in.

        Raises DeskError where it is no such text.
        """
        ...

    def fault(self, source: str) -> str | None:
        """What is wrong with a text of a rule whatever the ticket, in a sentence."""
        ...


class Planner(Protocol):
    """Whatever knows the macros, or that there are none: the context of a change."""

    @property
    def macros(self) -> MacroPlans | None:
        """The macros."""
        ...


def plans_of(context: Planner) -> MacroPlans:
    """The macros; raises Refusal on a desk that was made without."""
    if context.macros is None:
        raise Refusal("this desk was opened without its macros: none can be run here")
    return context.macros


def filled(context: Planner, ticket: int, source: str) -> MacroPlan:
    """A text with the placeholders of a ticket; raises DeskError as :meth:`MacroPlans.text`."""
    if "{{" not in source and "{%" not in source:
        return MacroPlan(text=source)
    return plans_of(context).text(source, ticket)
