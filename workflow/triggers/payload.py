"""What webhooks and programs are given: the rule, what happened, and the ticket as it is then."""

from __future__ import annotations

from typing import Any

from workflow.apply import Context
from workflow.model import Priority, rfc3339
from workflow.store.statements import col, select
from workflow.store.tables import Customer, Identity, Ticket, TicketTag
from workflow.triggers.occasion import Occasion

__all__ = ["payload"]


def payload(context: Context, occasion: Occasion) -> dict[str, Any]:
    """What a webhook and a program are given; times as in all JSON of the desk."""
    numbers = [occasion.ticket] if occasion.ticket is not None else list(occasion.tickets)
    tickets = [found for n in numbers if (found := _ticket_facts(context, n)) is not None]
    body: dict[str, Any] = {
        "rule": occasion.rule.name,
        "cause": occasion.rule.cause,
        "on": occasion.on,
        "at": rfc3339(context.now),
        "event": dict(occasion.data),
        "ticket": tickets[0] if occasion.ticket is not None and tickets else None,
    }
    if occasion.tickets:
        body["tickets"] = tickets
    if occasion.ticket is None and occasion.customer is not None:
        body["customer"] = _customer_facts(context, occasion.customer)
    return body


def _ticket_facts(context: Context, number: int) -> dict[str, Any] | None:
    ticket = context.transaction.session.get(Ticket, number)
    if ticket is None:
        return None
    tags = context.transaction.session.exec(
        select(TicketTag.tag).where(col(TicketTag.ticket_id) == number)
    ).all()
    return {
        "id": ticket.id,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": Priority(ticket.priority).word,
        "channel": ticket.channel,
        "group": ticket.group_name,
        "assignee": ticket.assignee,
        "level": ticket.level,
        "topic": ticket.topic,
        "language": ticket.language,
        "tags": sorted(tags),
        "created_at": rfc3339(ticket.created_at),
        "waiting_since": rfc3339(ticket.waiting_since),
        "due_at": rfc3339(ticket.next_due_at),
        "escalated_to": ticket.escalated_to,
        "customer": _customer_facts(context, ticket.customer_id),
    }


def _customer_facts(context: Context, number: int) -> dict[str, Any] | None:
    customer = context.transaction.session.get(Customer, number)
    if customer is None:
        return None
    identities = context.transaction.session.exec(
        select(Identity).where(col(Identity.customer_id) == number).order_by(col(Identity.id))
    ).all()
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "tier": customer.tier,
        "identities": [{"kind": one.kind, "value": one.value} for one in identities],
    }
