"""How a macro reads on the screen: what it changes, which text was chosen, what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from console import fmt
from workflow.clock import parse_moment

if TYPE_CHECKING:
    from console.widgets.lines import Piece
    from macros.model import Macro
    from macros.running import Difference, Plan

__all__ = ["change_pieces", "change_words", "preview", "text_pieces"]

_GAP = "⟦"


def change_words(
    differences: Sequence[Difference], now: datetime, zone: tzinfo | None
) -> list[str]:
    """What changes, a phrase each: ``status open -> pending``, ``+refund``, ``snoozed until Thu 09:00``."""
    ordered = sorted(differences, key=lambda one: one.field != "status")
    return [_change(difference, now, zone) for difference in ordered]


def _change(difference: Difference, now: datetime, zone: tzinfo | None) -> str:
    if difference.field == "snoozed":
        if difference.after == "reply":
            return "snoozed until the customer writes"
        return f"snoozed until {fmt.moment(parse_moment(difference.after), now, zone)}"
    return difference.words


def preview(
    macro: Macro,
    plan: Plan | None,
    problem: str,
    now: datetime,
    zone: tzinfo | None,
    *,
    asking: bool = False,
) -> list[Piece]:
    """What a macro would do to one ticket, or why it cannot be used there.

    ``asking`` leaves out what was read before the questions began.
    """
    pieces: list[Piece] = []
    if not asking:
        pieces.append((macro.title, "strong"))
        pieces += [(macro.description, "dim")] if macro.description else []
        pieces += [(f"Asks: {question.question}", "accent") for question in macro.questions]
    if problem:
        pieces.append((problem, "late"))
    if plan is None:
        return pieces
    pieces += change_pieces(plan.differences, now, zone)
    if not plan.differences:
        idle = "Only the text." if plan.text else "It is so already: nothing would change."
        pieces.append((idle, "dim"))
    if plan.text:
        pieces += [("", "text"), (f"Text: {plan.why}", "dim"), *text_pieces(plan.text)]
    return pieces


def change_pieces(
    differences: Sequence[Difference], now: datetime, zone: tzinfo | None
) -> list[Piece]:
    """What changes, the fields on as few lines as they need, each text on lines of its own."""
    short = [one for one in differences if one.field != "note"]
    notes = [one for one in differences if one.field == "note"]
    pieces: list[Piece] = [(" · ".join(change_words(short, now, zone)), "good")] if short else []
    return pieces + [(one.words, "good") for one in notes]


def text_pieces(text: str) -> list[Piece]:
    """The text as it will be; a line with a gap stands out."""
    return [(line, "risk" if _GAP in line else "text") for line in text.split("\n")]
