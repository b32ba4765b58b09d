"""The tree of merged tickets, and moving messages and drafts along it (see :mod:`workflow.merging`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workflow import actions as a
from workflow.apply import Context
from workflow.errors import Refusal
from workflow.history import facts, first_priority
from workflow.moved_facts import with_priority
from workflow.projections import events_of
from workflow.sla import Fact
from workflow.store.statements import col, func, select, update
from workflow.store.store import Transaction
from workflow.store.tables import Draft, Message, Outbox, Ticket

__all__ = [
    "above",
    "branch",
    "clock_facts",
    "draft_on",
    "follow",
    "move",
    "raise_drafts",
    "root_of",
    "take_drafts_back",
]

_CHUNK = 800


def above(transaction: Transaction, ticket: Ticket) -> list[Ticket]:
    """The tickets that a ticket is merged into, the nearest first; none for one that stands alone."""
    found: list[Ticket] = []
    while ticket.merged_into is not None:
        ticket = transaction.ticket(ticket.merged_into)
        if ticket in found:
            raise Refusal(f"#{ticket.id} is merged in a circle: run deskhand doctor")
        found.append(ticket)
    return found


def root_of(transaction: Transaction, ticket: Ticket) -> Ticket:
    """The ticket that is kept: the end of the chain of those it was merged into."""
    return [ticket, *above(transaction, ticket)][-1]


def branch(transaction: Transaction, number: int) -> list[int]:
    """A ticket and all that were merged into it, at whatever remove."""
    found, wanted = [number], [number]
    while wanted:
        query = (
            select(Ticket.id).where(col(Ticket.merged_into).in_(wanted)).order_by(col(Ticket.id))
        )
        wanted = [child for child in transaction.session.exec(query) if child is not None]
        found += wanted
    return found


def follow(context: Context, action: a.Action) -> a.Action:
    """The action on the ticket that is kept, where its own was merged: what is written goes there.

    Raises Refusal for any other change.
    """
    number = getattr(action, "ticket", None)
    if number is None or isinstance(action, (a.Merge, a.Unmerge, a.Link, a.Unlink)):
        return action
    ticket = context.transaction.session.get(Ticket, number)
    if ticket is None or ticket.merged_into is None:
        return action
    kept = root_of(context.transaction, ticket)
    if isinstance(action, (a.Reply, a.Forward, a.Note, a.Split)):
        assert kept.id is not None
        return replace(action, ticket=kept.id)
    raise Refusal(
        f"#{number} is merged into #{kept.id}: change that one, or take it out with deskhand unmerge"
        f" {number}"
    )


def clock_facts(context: Context, number: int) -> list[Fact]:
    """What a ticket's clocks are made of by now, with the priority that it was born with."""
    context.transaction.session.flush()
    rows = events_of(context.transaction, [number]).get(number, [])
    known = facts(rows)
    born = min((at for at, _name, _data in rows), default=context.now)
    first = min((fact.at for fact in known), default=born)
    return with_priority(known, first_priority(rows), min(first, born))


def move(context: Context, messages: Iterable[int], to: int) -> None:
    """Show messages, with what carries them out, on a ticket; where each is at home stays known."""
    session, ids = context.transaction.session, list(messages)
    session.flush()
    home = func.coalesce(col(Message.home_id), col(Message.ticket_id))
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        session.exec(
            update(Message)
            .where(col(Message.id).in_(chunk))
            .values(home_id=func.nullif(home, to), ticket_id=to)
            .execution_options(synchronize_session=False)
        )
        session.exec(
            update(Outbox)
            .where(col(Outbox.message_row).in_(chunk))
            .values(ticket_id=to)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def raise_drafts(transaction: Transaction) -> None:
    """Bring drafts on merged tickets to the kept one, where the same agent has none of the kind
    there; another waits until that one is sent or thrown away.
    """
    session = transaction.session
    session.flush()
    waiting = session.exec(
        select(Draft, Ticket)
        .join(Ticket, col(Ticket.id) == col(Draft.ticket_id))
        .where(col(Ticket.merged_into).is_not(None))
        .order_by(col(Draft.updated_at))
    ).all()
    for draft, ticket in waiting:
        root = root_of(transaction, ticket)
        assert root.id is not None
        if session.get(Draft, (draft.agent, root.id, draft.kind)) is None:
            draft.home_id = draft.home_id or draft.ticket_id
            draft.ticket_id = root.id
            session.add(draft)
            session.flush()


def draft_on(transaction: Transaction, agent: str, ticket: int, kind: str) -> Draft | None:
    """An agent's draft that was begun on a ticket, also where that was merged meanwhile."""
    session = transaction.session
    draft = session.get(Draft, (agent, ticket, kind))
    row = session.get(Ticket, ticket)
    if draft is not None or row is None or row.merged_into is None:
        return draft
    moved = session.get(Draft, (agent, root_of(transaction, row).id, kind))
    return moved if moved is not None and moved.home_id == ticket else None


def take_drafts_back(
    context: Context, ticket: Ticket, root: Ticket, tickets: Iterable[int]
) -> None:
    """Give the drafts back that were begun on a merged ticket, or on one that is part of it."""
    session = context.transaction.session
    assert ticket.id is not None
    drafts = session.exec(
        select(Draft).where(col(Draft.ticket_id) == root.id, col(Draft.home_id).in_(list(tickets)))
    ).all()
    for draft in drafts:
        if session.get(Draft, (draft.agent, ticket.id, draft.kind)) is None:
            draft.ticket_id = ticket.id
            draft.home_id = None if draft.home_id == ticket.id else draft.home_id
            session.add(draft)
            session.flush()
