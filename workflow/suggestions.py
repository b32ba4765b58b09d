"""The guess that a new ticket is about the matter of an earlier one: same customer, same subject,
within days. A person decides; nothing is ever joined by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from workflow.inbound import Inbound
from workflow.incoming import Batch, Recent, TicketState
from workflow.store.statements import col, select
from workflow.store.tables import Ticket
from workflow.subjects import same_matter

__all__ = ["load_recent", "suggest"]

_CHUNK = 800


def load_recent(batch: Batch, items: Sequence[Inbound]) -> None:
    """Read what the customers of a batch have written about lately, with one statement a chunk."""
    asking = [item for item in items if _may_ask(item)]
    days = batch.settings.suggest_days
    known = {batch.customers.get(batch.identity(item)) for item in asking}
    customers = sorted(number for number in known if number is not None)
    if not customers or not days:
        return
    since = min(item.reached_at for item in asking) - timedelta(days=days)
    for start in range(0, len(customers), _CHUNK):
        rows = batch.transaction.session.exec(
            select(Ticket.customer_id, Ticket.id, Ticket.subject, Ticket.last_message_at)
            .where(
                col(Ticket.customer_id).in_(customers[start : start + _CHUNK]),
                col(Ticket.last_message_at) >= since,
                col(Ticket.spam_at).is_(None),
                col(Ticket.merged_into).is_(None),
            )
            .order_by(col(Ticket.id))
        )
        for customer, number, subject, at in rows:
            if number is not None and at is not None:
                batch.recent.setdefault(customer, []).append(
                    Recent(number, same_matter(subject), at)
                )


def suggest(batch: Batch, item: Inbound, state: TicketState) -> None:
    """Note on a ticket that an item has opened which earlier one it looks like, the newest first."""
    if not _may_ask(item):
        return
    matter, customer = same_matter(item.subject), int(state.row["customer_id"])
    recent = batch.recent.setdefault(customer, [])
    within = timedelta(days=batch.settings.suggest_days)
    found = next(
        (
            one
            for one in reversed(recent)
            if matter and one.matter == matter and abs(item.reached_at - one.at) < within
        ),
        None,
    )
    recent.append(Recent(state.id, matter, item.reached_at))
    if found is not None:
        state.row["looks_like"] = found.ticket
        batch.event(
            "ticket.suggestion",
            state.id,
            batch.now,
            {"before": None, "after": found.ticket},
            cause=f"same customer and subject within {batch.settings.suggest_days} days",
        )


def _may_ask(item: Inbound) -> bool:
    """Not for history, not for machines, which write the same subject day by day, not for chats."""
    return item.is_a_word and not item.conversation
