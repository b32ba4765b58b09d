"""What is scheduled only for as long as the customer says nothing: their message takes it back."""

from __future__ import annotations

from collections.abc import Collection

from workflow.apply import Within, remake_last_line
from workflow.delivery import give_back
from workflow.model import ENGINE, Direction, OutboxState
from workflow.store.statements import col, select
from workflow.store.tables import Message, Outbox

__all__ = ["cancel_unless_reply"]

_CAUSE = "the customer wrote first"


def cancel_unless_reply(within: Within, tickets: Collection[int]) -> None:
    """Take back what was to leave these tickets unless their customers wrote, for they have: the
    text is the writer's draft again, and a note says so.
    """
    transaction = within.transaction
    session = transaction.session
    if not tickets:
        return
    rows = session.exec(
        select(Outbox, Message)
        .join(Message, col(Message.id) == col(Outbox.message_row))
        .where(
            col(Outbox.state) == OutboxState.SCHEDULED.value,
            col(Outbox.unless_reply).is_(True),
            col(Outbox.ticket_id).in_(sorted(tickets)),
        )
    ).all()
    for item, message in rows:
        item.state = message.delivery = OutboxState.CANCELLED.value
        session.add_all([item, message])
        transaction.record(
            "send.cancelled",
            item.ticket_id,
            ENGINE,
            _CAUSE,
            {
                "outbox": item.id,
                "message": message.id,
                "human": message.agent is not None and not message.aside,
                "before": OutboxState.SCHEDULED.value,
                "after": OutboxState.CANCELLED.value,
            },
        )
        writer = message.agent or ""
        back = bool(writer) and give_back(transaction, item, message, writer)
        what_now = (
            f"Its text is {writer}'s draft again."
            if back
            else "Its text stands where it was to be said."
        )
        note = transaction.add_message(
            Message(
                ticket_id=item.ticket_id,
                direction=Direction.NOTE.value,
                author="deskhand",
                channel=message.channel,
                at=transaction.now,
                subject=message.subject,
                text=f"The reply that was to leave at {item.due_at:%Y-%m-%d %H:%M} UTC was not sent:"
                f" {_CAUSE}. {what_now}",
                automatic=True,
            )
        )
        transaction.record("note.added", item.ticket_id, ENGINE, _CAUSE, {"message": note.id})
        remake_last_line(within, transaction.ticket(item.ticket_id))
