"""What becomes of a customer's message once it is here, in the transaction that brought it."""

from __future__ import annotations

from workflow.apply import Context
from workflow.routing.apply import route

__all__ = ["sort"]


def sort(context: Context) -> None:
    """Find out what the messages of this transaction are about, and where their tickets belong."""
    arrived = context.transaction.arrived
    if not arrived:
        return
    context.transaction.session.flush()
    route(context, arrived)
