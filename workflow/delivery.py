"""What a person decides about a message on its way out: take it back, or try again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workflow import actions as a
from workflow.addresses import typed_text
from workflow.apply import Context, Result, applies, remake_last_line
from workflow.drafts import DraftOptions
from workflow.errors import NotFound, Refusal
from workflow.inbound import Party
from workflow.model import Direction, OutboxState
from workflow.store.statements import col, select
from workflow.store.store import Transaction
from workflow.store.tables import AttachmentRow, Draft, Message, Outbox

__all__ = [
    "cancel_send",
    "change_delivery",
    "draft_kind",
    "give_back",
    "outbox_item",
    "put_back",
    "retry_send",
    "take_back",
]

_BEFORE_LEAVING = (
    OutboxState.HELD,
    OutboxState.SCHEDULED,
    OutboxState.QUEUED,
    OutboxState.FAILED,
)


@applies(a.CancelSend)
def cancel_send(context: Context, action: a.CancelSend) -> Result:
    """Take a reply back before it leaves; its text becomes the writer's draft again."""
    item = outbox_item(context, action.outbox)
    take_back(context, item)
    return Result(
        f"took back the reply on #{item.ticket_id}", item.ticket_id, item.message_row, item.id
    )


@applies(a.RetrySend)
def retry_send(context: Context, action: a.RetrySend) -> Result:
    """Queue a failed send again; one that is being sent or was sent is refused, so that nothing
    goes out twice.
    """
    item = outbox_item(context, action.outbox)
    if item.state not in (OutboxState.FAILED, OutboxState.QUEUED):
        raise Refusal(
            f"outbox item {item.id} is {item.state}: only failed and queued ones can be retried"
        )
    error = item.error
    item.due_at, item.past_the_dot, item.claimed_by, item.error = context.now, False, None, None
    change_delivery(context, item, OutboxState.QUEUED, "send.retried", {"error": error})
    return Result(
        f"queued the reply on #{item.ticket_id} again", item.ticket_id, item.message_row, item.id
    )


def outbox_item(context: Context, number: int) -> Outbox:
    """An item of the outbox; raises NotFound."""
    item = context.transaction.session.get(Outbox, number)
    if item is None:
        raise NotFound(f"there is no outbox item {number}: deskhand outbox lists them")
    return item


def change_delivery(
    context: Context,
    item: Outbox,
    state: OutboxState,
    event: str,
    data: dict[str, Any] | None = None,
) -> Message:
    """Move an outbox item and the message that it carries to a state, with the event."""
    session = context.transaction.session
    message = session.get(Message, item.message_row)
    assert message is not None
    context.record(
        event,
        item.ticket_id,
        {
            "outbox": item.id,
            "message": item.message_row,
            "human": message.agent is not None and not message.aside,
            "before": item.state,
            "after": state.value,
            **(data or {}),
        },
    )
    item.state = message.delivery = state.value
    session.add_all([item, message])
    return message


def take_back(
    context: Context, item: Outbox, undoes: int | None = None, *, as_draft: bool = True
) -> None:
    """Cancel what has not left and give its text back as a draft, where there is no newer one.

    ``as_draft`` False gives no draft: nobody typed the text. Raises Refusal when it is on its way
    or gone.
    """
    session = context.transaction.session
    carried = session.get(Message, item.message_row)
    # The mail of a note: it tells the team, and its text is nobody's draft.
    note = carried is not None and carried.direction == Direction.NOTE
    if item.state not in _BEFORE_LEAVING:
        if note and undoes is not None:
            # What was told stays told; what it told of is taken back all the same.
            return
        raise Refusal(
            f"the reply on #{item.ticket_id} is {item.state}: only what has not left can be taken back"
        )
    data = None if undoes is None else {"undoes": undoes}
    waited_for = item.due_at if item.state == OutboxState.SCHEDULED else None
    message = change_delivery(context, item, OutboxState.CANCELLED, "send.cancelled", data)
    if note:
        message.delivery = None
        session.add(message)
        return
    writer = message.agent or context.actor.name
    if as_draft:
        give_back(context.transaction, item, message, writer, waited_for)
    remake_last_line(context, context.transaction.ticket(item.ticket_id))


def give_back(
    transaction: Transaction,
    item: Outbox,
    message: Message,
    writer: str,
    send_at: datetime | None = None,
) -> bool:
    """Make what was taken back the writer's draft again, with its recipients and files, and the
    time that it waited for where it is to wait again.

    False where the writer has begun another one, which stays as it is.
    """
    session = transaction.session
    kind = draft_kind(message)
    if session.get(Draft, (writer, item.ticket_id, kind)) is not None:
        return False
    files = session.exec(select(AttachmentRow).where(col(AttachmentRow.message_id) == message.id))
    attached = tuple((f.name, f.content_type, f.sha256, f.size) for f in files)
    if not message.text.strip() and not attached:
        return False
    mail = message.channel == "email"
    options = DraftOptions(
        to=_addresses(message.to_list) if mail else None,
        cc=_addresses(message.cc_list) if mail else None,
        bcc=_addresses(message.bcc_list) or () if mail else (),
        subject=message.subject if mail else None,
        sender=message.from_address if mail else None,
        files=attached,
        send_at=send_at,
        unless_reply=item.unless_reply and send_at is not None,
        account=message.account,
        chosen=True,
    )
    session.add(
        Draft(
            agent=writer,
            ticket_id=item.ticket_id,
            kind=kind,
            text=message.text,
            answers=_answered_row(transaction, message),
            options=options.to_json(),
            updated_at=transaction.now,
        )
    )
    return True


def draft_kind(message: Message) -> str:
    """As what kind of draft a message of ours was written."""
    return "forward" if message.forwards else "reply"


def _answered_row(transaction: Transaction, message: Message) -> int | None:
    """The message that was answered, or the one that was forwarded."""
    if message.forwards:
        return message.forwards[0] if len(message.forwards) == 1 else None
    if message.in_reply_to is None:
        return None
    return transaction.session.exec(
        select(Message.id)
        .where(
            col(Message.ticket_id) == message.ticket_id,
            col(Message.message_id) == message.in_reply_to,
        )
        .limit(1)
    ).first()


def _addresses(pairs: list[list[str]]) -> tuple[str, ...]:
    return tuple(typed_text(Party(name, address)) for name, address in pairs)


def put_back(context: Context, item: Outbox, state: OutboxState, undoes: int) -> None:
    """Let what was taken back go out after all; its draft goes unless it was written on.

    Raises Refusal where it has another state by now.
    """
    if item.state != OutboxState.CANCELLED:
        raise Refusal(f"the reply on #{item.ticket_id} is {item.state} by now")
    item.due_at = max(item.due_at, context.now)
    message = change_delivery(context, item, state, "message.queued", {"undoes": undoes})
    session = context.transaction.session
    writer = message.agent or context.actor.name
    draft = session.get(Draft, (writer, item.ticket_id, draft_kind(message)))
    if draft is not None and draft.text == message.text:
        session.delete(draft)
    remake_last_line(context, context.transaction.ticket(item.ticket_id))
