"""Opening a ticket by hand: a call, a visit."""

from __future__ import annotations

from workflow import actions as a
from workflow.apply import Context, Result, applies, summary_line
from workflow.companies import STANDARD
from workflow.errors import UsageError
from workflow.model import ENGINE, Direction
from workflow.plaintext import one_line, printable
from workflow.store.statements import col, select
from workflow.store.store import Arrived
from workflow.store.tables import Customer, Identity, Message, Ticket

__all__ = ["new_ticket"]


@applies(a.NewTicket)
def new_ticket(context: Context, action: a.NewTicket) -> Result:
    """Open a ticket for somebody who called or came; its first message is what they said."""
    session = context.transaction.session
    address = one_line(action.customer_address).lower()
    if not address:
        raise UsageError(
            "a new ticket needs somebody: give an address or a phone number with --from"
        )
    kind = "email" if "@" in address else "phone"
    channel = one_line(action.channel, 40).lower() or "phone"
    identity = session.exec(
        select(Identity).where(col(Identity.kind) == kind, col(Identity.value) == address)
    ).first()
    company = context.companies.of(address) if identity is None else None
    if identity is None:
        customer = Customer(name=one_line(action.customer_name), created_at=context.now)
        if company is not None:
            customer.company, customer.tier = company.company, company.tier or STANDARD
        session.add(customer)
        session.flush()
        assert customer.id is not None
        identity = Identity(
            customer_id=customer.id,
            kind=kind,
            value=address,
            evidence=f"given by {context.actor.wire}",
            created_at=context.now,
        )
        session.add(identity)
    text = printable(action.text)
    ticket = Ticket(
        subject=one_line(action.subject, 500),
        channel=channel,
        customer_id=identity.customer_id,
        created_at=context.now,
        updated_at=context.now,
        last_message_at=context.now,
        last_line=summary_line(text),
        message_count=1,
    )
    session.add(ticket)
    session.flush()
    assert ticket.id is not None
    message = context.transaction.add_message(
        Message(
            ticket_id=ticket.id,
            direction=Direction.IN.value,
            author=one_line(action.customer_name) or address,
            channel=channel,
            at=context.now,
            subject=ticket.subject,
            from_name=one_line(action.customer_name),
            from_address=address,
            text=text,
            matched_by="new",
        )
    )
    context.record("ticket.created", ticket.id, {"priority": ticket.priority, "channel": channel})
    if company is not None:
        for data in company.changes:
            context.transaction.record("ticket.field", ticket.id, ENGINE, company.cause, data)
    context.record("message.received", ticket.id, {"message": message.id, "automatic": False})
    assert message.id is not None
    context.transaction.arrived.append(Arrived(ticket.id, message.id, created=True))
    return Result(f"opened #{ticket.id}", ticket.id, message.id)
