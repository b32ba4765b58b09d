"""Tickets about one matter: merging them, and taking them apart again.

What an agent merges is a tree of decisions (``Ticket.merged_into``). A message has a home: the
ticket it belongs to when nothing is merged. It is shown on the ticket at the root of the tree that
its home is in (``Message.ticket_id``); ``Message.home_id`` says where it goes back to. So a merge
moves no message for good, and taking a ticket out gives back exactly what is its own, in whatever
order tickets were merged, also what came for it since.
"""

from __future__ import annotations

from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies, remake_last_line
from workflow.errors import Refusal
from workflow.merge_effects import OURS, give_back, restore_status, set_status, take_over
from workflow.merge_tree import above, branch, clock_facts, move, root_of, take_drafts_back
from workflow.model import Status
from workflow.moved_facts import facts_about, pack
from workflow.store.statements import col, select
from workflow.store.tables import Message, Ticket

__all__ = ["join", "part"]


@applies(a.Merge)
def merge(context: Context, action: a.Merge) -> Result:
    """Merge a ticket into another, or into the one that this was merged into.

    Raises NotFound, and Refusal where it cannot be.
    """
    ticket = context.transaction.ticket(action.ticket)
    into = root_of(context.transaction, context.transaction.ticket(action.into))
    if ticket.id == action.into:
        raise Refusal(f"#{ticket.id} cannot be merged into itself: name another ticket")
    if ticket.merged_into is not None:
        kept = root_of(context.transaction, ticket)
        raise Refusal(
            f"#{ticket.id} is already merged into #{kept.id}: deskhand unmerge {ticket.id} takes it"
            " out first"
        )
    if ticket.id == into.id:
        raise Refusal(f"#{action.into} is merged into #{ticket.id} already: the two are one ticket")
    for one in (ticket, into):
        if one.spam_at is not None:
            raise Refusal(f"#{one.id} is spam: say that it is none first (spam {one.id} --not)")
    join(context, ticket, into)
    # Whoever answers then answers two people: it must not go by unseen.
    other = " of another customer" if ticket.customer_id != into.customer_id else ""
    return Result(f"merged #{ticket.id} into #{into.id}{other}", into.id)


@applies(a.Unmerge)
def unmerge(context: Context, action: a.Unmerge) -> Result:
    """Take a merged ticket out again. Raises NotFound, and Refusal where it was not merged."""
    ticket = context.transaction.ticket(action.ticket)
    if ticket.merged_into is None:
        merged = branch(context.transaction, action.ticket)[1:]
        hint = (
            f": into it were merged {', '.join(f'#{number}' for number in merged)}"
            if merged
            else ""
        )
        raise Refusal(f"#{ticket.id} is not merged into another ticket{hint}")
    kept = root_of(context.transaction, ticket)
    tickets = branch(context.transaction, action.ticket)
    if not _messages(context, col(Message.home_id).in_(tickets)):
        raise Refusal(
            f"nothing of #{ticket.id} is left to take out of #{kept.id}: its messages went to other"
            " tickets"
        )
    part(context, ticket)
    return Result(f"took #{ticket.id} out of #{kept.id}", ticket.id)


def join(context: Context, ticket: Ticket, into: Ticket, **said: Any) -> None:
    """Put a ticket, with all that were merged into it, under another."""
    session = context.transaction.session
    over = [into, *above(context.transaction, into)]
    root = over[-1]
    assert ticket.id is not None
    assert root.id is not None
    told = clock_facts(context, ticket.id)
    effects = take_over(context, ticket, root)
    ids = _messages(context, col(Message.ticket_id) == ticket.id)
    move(context, ids, root.id)
    ticket.merged_into = into.id
    session.add_all([ticket, root])
    session.flush()
    data = {"ticket": ticket.id, "messages": ids, "facts": pack(told)}
    for one in over:
        context.record("ticket.joined", one.id, data)
    context.record(
        "ticket.merged",
        ticket.id,
        {"before": None, "after": into.id, "root": root.id, "effects": effects, **said},
    )
    remake_last_line(context, ticket)
    remake_last_line(context, root)


def part(context: Context, ticket: Ticket, **said: Any) -> None:
    """Give a merged ticket, with all that had been merged into it, everything that is its own."""
    session = context.transaction.session
    over = above(context.transaction, ticket)
    root = over[-1]
    assert ticket.id is not None
    assert root.id is not None
    tickets = branch(context.transaction, ticket.id)
    ids = _messages(context, col(Message.ticket_id) == root.id, col(Message.home_id).in_(tickets))
    brought = facts_about(clock_facts(context, root.id), frozenset(ids), but=ticket.id)
    restore_status(context, root, ids)
    give_back(context, ticket, root)
    wrote = any(fact.kind == "received" and fact.counts for fact in brought)
    answered = any(fact.kind in ("sent", "queued") for fact in brought)
    if (ticket.status not in OURS and wrote) or (ticket.status == Status.NEW and answered):
        set_status(context, ticket, Status.OPEN.value)
    before, ticket.merged_into = ticket.merged_into, None
    session.add_all([ticket, root])
    move(context, ids, ticket.id)
    take_drafts_back(context, ticket, root, tickets)
    data = {"ticket": ticket.id, "tickets": tickets, "messages": ids}
    for one in over:
        context.record("ticket.parted", one.id, data)
    context.record(
        "ticket.merged",
        ticket.id,
        {"before": before, "after": None, "root": root.id, "facts": pack(brought), **said},
    )
    remake_last_line(context, ticket)
    remake_last_line(context, root)


def _messages(context: Context, *conditions: Any) -> list[int]:
    query = select(Message.id).where(*conditions).order_by(col(Message.id))
    return [number for number in context.transaction.session.exec(query) if number is not None]
