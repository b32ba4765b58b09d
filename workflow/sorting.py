"""What becomes of a customer's message once it is here, in the transaction that brought it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workflow.apply import Context
from workflow.errors import DeskError
from workflow.model import ENGINE
from workflow.routing.apply import route
from workflow.store.store import Arrived
from workflow.triage.apply import triage

__all__ = ["sort"]

_STEPS: Sequence[Callable[[Context, Sequence[Arrived]], None]] = (triage, route)
"""In their order: each may use what the one before it has found out."""


def sort(context: Context) -> None:
    """Find out what the messages of this transaction are about, and where their tickets belong.

    A step that cannot be done leaves nothing of itself behind but an event that says why: the
    messages are taken in whatever the team's files say.
    """
    transaction = context.transaction
    if not transaction.arrived:
        return
    try:
        with transaction.attempt():
            for step in _STEPS:
                step(context, transaction.arrived)
    except DeskError:
        _sort_step_by_step(context)


def _sort_step_by_step(context: Context) -> None:
    """What can be done of it, and an event about what cannot."""
    transaction = context.transaction
    for step in _STEPS:
        try:
            with transaction.attempt():
                step(context, transaction.arrived)
        except DeskError as fault:
            data = {"step": step.__name__, "problem": str(fault)}
            for ticket in sorted({one.ticket for one in transaction.arrived}):
                transaction.record("ticket.unsorted", ticket, ENGINE, "intake", data)
