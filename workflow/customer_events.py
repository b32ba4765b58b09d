"""What other systems tell of a customer: a failed login, a signup, an order."""

from __future__ import annotations

import re

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, UsageError
from workflow.model import UNRESOLVED
from workflow.plaintext import one_line
from workflow.store.statements import col, select
from workflow.store.tables import Customer, Ticket

__all__ = ["SIGNAL", "signal"]

SIGNAL = "customer.event"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
_LONGEST = 2_000


@applies(a.Signal)
def signal(context: Context, action: a.Signal) -> Result:
    """Record it on the customer's newest ticket that is not resolved, or on none.

    What it leads to is for triggers to say.
    """
    session = context.transaction.session
    customer = session.get(Customer, action.customer)
    if customer is None:
        raise NotFound(f"there is no customer {action.customer}: deskhand customer list shows them")
    name = action.event.strip().lower().replace(" ", "_")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{one_line(action.event, 100)!r} cannot name an event: take letters, digits and _,"
            " such as failed_login"
        )
    ticket = session.exec(
        select(Ticket.id)
        .where(
            col(Ticket.customer_id) == customer.id,
            col(Ticket.status).in_([status.value for status in UNRESOLVED]),
            col(Ticket.spam_at).is_(None),
            col(Ticket.merged_into).is_(None),
        )
        .order_by(col(Ticket.id).desc())
        .limit(1)
    ).first()
    known = {one_line(key, 80): one_line(value, _LONGEST) for key, value in action.data}
    context.record(SIGNAL, ticket, {"event": name, "customer": customer.id, "data": known})
    where = f" on #{ticket}" if ticket else ""
    return Result(f"{name} of customer {customer.id}{where}", ticket)
