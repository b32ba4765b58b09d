"""Taking messages out of a ticket into one of their own: what undoes a wrong join.

The messages get a new home for good. Undoing a split gives them their old homes back and merges
the new ticket, with whatever came for it meanwhile, into the old one, so that its number still
leads somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies, remake_last_line, summary_line
from workflow.companies import STANDARD
from workflow.errors import Refusal, UsageError
from workflow.linking import SPLIT, put_link, take_link
from workflow.merge_effects import PART_OF, restore_status
from workflow.merge_tree import above, clock_facts, move, root_of
from workflow.merging import join, part
from workflow.model import ENGINE, Direction, Status
from workflow.moved_facts import facts_about, pack
from workflow.store.statements import col, select, update
from workflow.store.tables import Customer, Draft, Identity, Message, Ticket

__all__ = ["SPLIT_OFF", "split", "split_again", "unsplit"]

SPLIT_OFF = "ticket.split"
"""On the new ticket: the messages and where each had been at home."""


@applies(a.Split)
def split(context: Context, action: a.Split) -> Result:
    """Make a ticket of its own of a message and all after it, or of it alone.

    Its first response counts from that message. Raises NotFound, UsageError where the message is
    not on the ticket, and Refusal where nothing would be left or nobody wrote what is taken out.
    """
    session = context.transaction.session
    ticket = context.transaction.ticket(action.ticket)
    rows = session.exec(
        select(Message)
        .where(col(Message.ticket_id) == ticket.id)
        .order_by(col(Message.at), col(Message.id))
    ).all()
    place = next((n for n, row in enumerate(rows) if row.id == action.message), None)
    if place is None:
        raise UsageError(
            f"message {action.message} is not on #{ticket.id}: deskhand show {ticket.id} lists those"
            " that are"
        )
    taken = [rows[place]] if action.only else rows[place:]
    if len(taken) == len(rows):
        raise Refusal(
            f"nothing would be left on #{ticket.id}: split from a later message, or take this one"
            " alone"
        )
    first = next((row for row in taken if row.direction != Direction.NOTE), None)
    if first is None:
        raise Refusal("a note alone is no ticket: split from a message of the customer")
    fresh = _new_ticket(context, ticket, first, taken, goes_on=not action.only)
    assert fresh.id is not None
    assert ticket.id is not None
    ids = [row.id for row in taken if row.id is not None]
    homes = {str(row.id): row.home_id for row in taken if row.home_id is not None}
    told = facts_about(clock_facts(context, ticket.id), frozenset(ids))
    drafts = _move_drafts(context, ticket.id, fresh.id, ids)
    restore_status(context, ticket, ids)
    move(context, ids, fresh.id)
    _set_home(context, ids, None)
    context.record(
        "ticket.created",
        fresh.id,
        {
            "priority": fresh.priority,
            "channel": fresh.channel,
            "account": fresh.account,
            PART_OF: "split",
        },
    )
    context.record("messages.left", ticket.id, {"to": fresh.id, "messages": ids, PART_OF: "split"})
    context.record(
        "messages.came",
        fresh.id,
        {"from": ticket.id, "messages": ids, "facts": pack(told), PART_OF: "split"},
    )
    data = {"from": ticket.id, "messages": ids, "homes": homes, "drafts": drafts}
    context.record(SPLIT_OFF, fresh.id, data)
    put_link(context, fresh.id, ticket.id, SPLIT, **{PART_OF: "split"})
    remake_last_line(context, ticket)
    remake_last_line(context, fresh)
    said = "1 message" if len(ids) == 1 else f"{len(ids)} messages"
    return Result(f"split {said} off #{ticket.id} as #{fresh.id}", fresh.id, ids[0])


def _new_ticket(
    context: Context, ticket: Ticket, first: Message, taken: Sequence[Message], *, goes_on: bool
) -> Ticket:
    answered = any(row.direction == Direction.OUT for row in taken)
    written = next((row for row in taken if row.direction == Direction.IN), None)
    chat = ticket.conversation if goes_on and first.channel != "email" else None
    fresh = Ticket(
        subject=first.subject or summary_line(first.text, 80) or ticket.subject,
        status=(Status.OPEN if answered else Status.NEW).value,
        channel=first.channel,
        account=first.account or ticket.account,
        # What is said in the chat from now on goes on with what was split off.
        conversation=chat,
        # Whoever works on it decides what becomes of it: it must not vanish from their sight.
        group_name=ticket.group_name,
        level=ticket.level,
        assignee=ticket.assignee,
        customer_id=_customer(context, written) if written is not None else ticket.customer_id,
        created_at=first.at,
        updated_at=context.now,
        no_clocks=ticket.no_clocks,
    )
    context.transaction.session.add(fresh)
    context.transaction.session.flush()
    return fresh


def _customer(context: Context, row: Message) -> int:
    """Whose a message is, as intake finds it; somebody new where nobody has the address yet."""
    session = context.transaction.session
    value = row.from_address.lower()
    kinds = [row.channel, "email" if "@" in value else "phone"]
    known = session.exec(
        select(Identity).where(col(Identity.value) == value, col(Identity.kind).in_(kinds))
    ).all()
    for identity in sorted(known, key=lambda one: kinds.index(one.kind)):
        return identity.customer_id
    company = context.companies.of(value)
    customer = Customer(
        name=row.from_name,
        company=company.company if company else "",
        tier=(company.tier if company else "") or STANDARD,
        created_at=context.now,
    )
    session.add(customer)
    session.flush()
    assert customer.id is not None
    session.add(
        Identity(
            customer_id=customer.id,
            kind=row.channel,
            value=value,
            display=row.from_name,
            evidence="wrote from it",
            created_at=context.now,
        )
    )
    if company is not None:
        for data in company.changes:
            context.transaction.record("ticket.field", row.ticket_id, ENGINE, company.cause, data)
    return customer.id


def _move_drafts(context: Context, source: int, target: int, ids: Sequence[int]) -> list[list[str]]:
    """What answers a message goes where the message goes."""
    session = context.transaction.session
    drafts = session.exec(
        select(Draft).where(col(Draft.ticket_id) == source, col(Draft.answers).in_(ids))
    ).all()
    for draft in drafts:
        draft.ticket_id, draft.home_id = target, None
        session.add(draft)
    return [[draft.agent, draft.kind] for draft in drafts]


def _set_home(context: Context, ids: Sequence[int], home: int | None) -> None:
    context.transaction.session.exec(
        update(Message)
        .where(col(Message.id).in_(ids))
        .values(home_id=home)
        .execution_options(synchronize_session=False)
    )
    context.transaction.session.expire_all()


def unsplit(context: Context, number: int, data: dict[str, Any], undoes: int | None) -> None:
    """Bring back what was split off, with what came for it since."""
    transaction = context.transaction
    fresh, source = transaction.ticket(number), transaction.ticket(data["from"])
    if fresh.merged_into is not None:
        raise Refusal(f"#{number} was merged since: take it out first (deskhand unmerge {number})")
    if root_of(transaction, source).id == number:
        raise Refusal(f"#{source.id} is merged into #{number}: the two are one ticket already")
    join(context, fresh, source, **{PART_OF: "split"})
    root = root_of(transaction, source)
    for message in data["messages"]:
        row = transaction.session.get(Message, message)
        # What was split off once more since stays where it is.
        if row is not None and row.ticket_id == root.id and row.home_id == number:
            home = data["homes"].get(str(message), source.id)
            if root_of(transaction, transaction.ticket(home)).id != root.id:
                # That ticket was taken out since: it is brought back to where it was split off.
                home = source.id
            row.home_id = None if home == root.id else home
            transaction.session.add(row)
    take_link(context, number, source.id or 0, **{PART_OF: "split"})
    context.record("ticket.unsplit", number, {**data, "undoes": undoes})


def split_again(context: Context, number: int, data: dict[str, Any], undoes: int | None) -> None:
    """Take it out anew, as it was split off."""
    transaction = context.transaction
    fresh = transaction.ticket(number)
    over = above(transaction, fresh)
    if not over or over[0].id != data["from"]:
        raise Refusal(f"#{number} was merged or taken out anew since: split it off by hand")
    root = over[-1]
    back = [
        row.id
        for message in data["messages"]
        if (row := transaction.session.get(Message, message)) is not None
        and row.ticket_id == root.id
    ]
    _set_home(context, [one for one in back if one is not None], number)
    part(context, fresh, **{PART_OF: "split"})
    put_link(context, number, data["from"], SPLIT, **{PART_OF: "split"})
    context.record(SPLIT_OFF, number, {**data, "undoes": undoes})
