"""Tickets that have to do with each other, and the guess that two might be about one matter."""

from __future__ import annotations

from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import Refusal
from workflow.store.statements import col, or_, select
from workflow.store.tables import TicketLink

__all__ = ["CONTINUES", "RELATED", "SPLIT", "put_link", "put_suggestion", "take_link"]

CONTINUES = "continues"
"""The ticket began with an answer to the other one, which had been closed for too long."""
SPLIT = "split"
"""The ticket was split off the other one."""
RELATED = "related"
"""An agent says that the two have to do with each other."""


@applies(a.Link)
def link(context: Context, action: a.Link) -> Result:
    """Link two tickets. Raises NotFound, and Refusal where they are one or are linked already."""
    ticket = context.transaction.ticket(action.ticket)
    other = context.transaction.ticket(action.other)
    if ticket.id == other.id:
        raise Refusal(f"#{ticket.id} cannot be linked with itself: name another ticket")
    if _between(context, action.ticket, action.other) is not None:
        raise Refusal(f"#{ticket.id} and #{other.id} are linked already")
    put_link(context, action.ticket, action.other, RELATED)
    return Result(f"linked #{ticket.id} with #{other.id}", ticket.id)


@applies(a.Unlink)
def unlink(context: Context, action: a.Unlink) -> Result:
    """Take the link between two tickets away. Raises NotFound, and Refusal where there is none."""
    ticket = context.transaction.ticket(action.ticket)
    other = context.transaction.ticket(action.other)
    row = _between(context, action.ticket, action.other)
    if row is None:
        raise Refusal(f"#{ticket.id} and #{other.id} are not linked")
    take_link(context, row.ticket_id, row.other_id)
    return Result(f"took the link of #{ticket.id} with #{other.id} away", ticket.id)


@applies(a.DismissSuggestion)
def dismiss_suggestion(context: Context, action: a.DismissSuggestion) -> Result:
    """Say that a ticket is not about the matter of the one it looks like.

    Raises NotFound, and Refusal where it looks like none.
    """
    ticket = context.transaction.ticket(action.ticket)
    if ticket.looks_like is None:
        raise Refusal(f"#{ticket.id} looks like no other ticket: there is nothing to dismiss")
    guess = ticket.looks_like
    put_suggestion(context, action.ticket, None)
    return Result(f"#{ticket.id} is not about #{guess}", ticket.id)


def _between(context: Context, one: int, other: int) -> TicketLink | None:
    return context.transaction.session.exec(
        select(TicketLink).where(
            or_(
                (col(TicketLink.ticket_id) == one) & (col(TicketLink.other_id) == other),
                (col(TicketLink.ticket_id) == other) & (col(TicketLink.other_id) == one),
            )
        )
    ).first()


def put_link(context: Context, ticket: int, other: int, kind: str, **said: Any) -> None:
    """Link two tickets, with an event on each; two that are linked stay as they are."""
    if _between(context, ticket, other) is not None:
        return
    context.transaction.session.add(TicketLink(ticket_id=ticket, other_id=other, kind=kind))
    context.record("ticket.linked", ticket, {"ticket": other, "kind": kind, **said})
    context.record("ticket.linked", other, {"from": ticket, "kind": kind, **said})


def take_link(context: Context, ticket: int, other: int, **said: Any) -> None:
    """Take a link away, with an event on each; where there is none, nothing happens."""
    row = _between(context, ticket, other)
    if row is None:
        return
    kind = row.kind
    context.transaction.session.delete(row)
    context.transaction.session.flush()
    context.record("ticket.unlinked", ticket, {"ticket": other, "kind": kind, **said})
    context.record("ticket.unlinked", other, {"from": ticket, "kind": kind, **said})


def put_suggestion(context: Context, ticket: int, guess: int | None, **said: Any) -> None:
    """Say which ticket this one looks like, or none."""
    row = context.transaction.ticket(ticket)
    data = {"before": row.looks_like, "after": guess, **said}
    row.looks_like = guess
    context.transaction.session.add(row)
    context.record("ticket.suggestion", ticket, data)
