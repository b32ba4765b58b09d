"""The answer to a customer: composed once, queued durably, taken back within its undo window."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflow import actions as a
from workflow.apply import (
    Context,
    Result,
    applies,
    change_status,
    parse_status,
    summary_line,
)
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party
from workflow.model import Direction, OutboxState, Status
from workflow.outgoing import Answered, OutgoingFile, OutgoingMessage, recipients_of
from workflow.plaintext import one_line, printable
from workflow.settings import ChannelSettings
from workflow.store.statements import col, select
from workflow.store.tables import AttachmentRow, Draft, Message, Outbox, Ticket
from workflow.tokens import make_token

__all__ = ["answered_by", "reply", "reply_subject"]


@applies(a.Reply)
def reply(context: Context, action: a.Reply) -> Result:
    """Compose the answer, put it into the outbox, and drop the draft it came from.

    Its clocks stop only when it was really sent. Raises Refusal when there is nobody to send to, no
    account to send through, or the customer wrote again after ``expect_last``.
    """
    transaction = context.transaction
    text = printable(action.text).strip("\n")
    if not text.strip() and not action.attachments:
        raise UsageError("the reply is empty: write its text and try again")
    ticket = transaction.ticket(action.ticket)
    answered_row = _answered_row(context, action)
    if action.expect_last is not None:
        _refuse_if_news(context, action.ticket, action.expect_last)
    account = _account(context, ticket)
    answered = answered_by(answered_row) if answered_row else None
    to, cc = _recipients(context, action, answered)
    bcc = tuple(Party("", address) for address in action.bcc)
    composer = context.composers.get(account.kind)
    if composer is None:
        raise Refusal(
            f"this desk has no way to send over {account.kind}: check the channel in deskhand.toml"
        )
    subject = reply_subject(answered_row.subject if answered_row else ticket.subject)
    composed = composer.compose(
        OutgoingMessage(
            ticket=action.ticket,
            account=account.name,
            agent=context.actor.name,
            subject=subject,
            text=text,
            to=to,
            cc=cc,
            bcc=bcc,
            files=tuple(OutgoingFile(*entry) for entry in action.attachments),
            answered=answered,
            token=make_token(context.secret, action.ticket),
            at=context.now,
        )
    )
    state, due_at = _when(context, action, account)
    message = transaction.add_message(
        Message(
            ticket_id=action.ticket,
            direction=Direction.OUT.value,
            author=context.actor.name,
            agent=context.actor.name if context.actor.kind == "agent" else None,
            channel=account.kind,
            account=account.name,
            at=context.now,
            date=context.now,
            subject=subject,
            from_name=composed.from_name,
            from_address=composed.from_address,
            to_list=[[party.name, party.address] for party in to],
            cc_list=[[party.name, party.address] for party in cc],
            bcc_list=[[party.name, party.address] for party in bcc],
            message_id=composed.message_id,
            in_reply_to=answered.message_id if answered else None,
            reference_ids=" ".join(answered.chain()) if answered else "",
            text=text,
            raw_sha256=composed.raw_sha256,
            raw_size=composed.raw_size,
            delivery=state.value,
        )
    )
    assert message.id is not None
    transaction.insert_many(
        AttachmentRow,
        [
            {
                "message_id": message.id,
                "name": name,
                "content_type": content_type,
                "sha256": sha256,
                "size": size,
                "inline": False,
            }
            for name, content_type, sha256, size in action.attachments
        ],
    )
    item = Outbox(
        ticket_id=action.ticket,
        message_row=message.id,
        channel=account.kind,
        account=account.name,
        state=state.value,
        due_at=due_at,
        recipients=list(composed.recipients),
        message_id=composed.message_id,
        raw_sha256=composed.raw_sha256,
        created_at=context.now,
    )
    transaction.session.add(item)
    transaction.session.flush()
    ticket.last_message_at, ticket.last_direction = context.now, Direction.OUT.value
    ticket.last_line = summary_line(text)
    ticket.message_count += 1
    transaction.session.add(ticket)
    context.record(
        "message.queued",
        ticket.id,
        {
            "message": message.id,
            "outbox": item.id,
            "human": message.agent is not None,
            "after": state.value,
        },
    )
    if action.to_status:
        change_status(context, ticket, parse_status(action.to_status))
    elif ticket.status == Status.NEW:
        change_status(context, ticket, Status.OPEN)
    draft = transaction.session.get(Draft, (context.actor.name, action.ticket, "reply"))
    if draft is not None:
        transaction.session.delete(draft)
    return Result(f"reply on #{ticket.id}", ticket.id, message.id, item.id)


def reply_subject(subject: str) -> str:
    """``Re:`` once, whatever stood there (RFC 5322 section 3.6.5)."""
    bare = one_line(subject)
    return bare if bare[:3].lower() == "re:" else f"Re: {bare}"


def answered_by(row: Message) -> Answered:
    """What an answer takes from a stored message."""
    return Answered(
        sender=Party(row.from_name, row.from_address),
        reply_to=_parties(row.reply_to),
        to=_parties(row.to_list),
        cc=_parties(row.cc_list),
        message_id=row.message_id,
        references=tuple(row.reference_ids.split()),
        at=row.date or row.at,
        text=row.full_text or row.text,
        was_ours=row.direction == Direction.OUT,
    )


def _parties(pairs: list[list[str]]) -> tuple[Party, ...]:
    return tuple(Party(name, address) for name, address in pairs)


def _answered_row(context: Context, action: a.Reply) -> Message | None:
    """The message that is answered: the one named, else the customer's newest, else our newest."""
    session = context.transaction.session
    if action.answers is not None:
        row = session.get(Message, action.answers)
        if row is None or row.ticket_id != action.ticket:
            raise UsageError(f"message {action.answers} is not on ticket #{action.ticket}")
        return row
    for direction in (Direction.IN, Direction.OUT):
        query = (
            select(Message)
            .where(
                col(Message.ticket_id) == action.ticket,
                col(Message.direction) == direction.value,
                # What was taken back never reached anybody.
                col(Message.delivery).is_distinct_from(OutboxState.CANCELLED.value),
            )
            .order_by(col(Message.automatic), col(Message.id).desc())
            .limit(1)
        )
        row = session.exec(query).first()
        if row is not None:
            return row
    return None


def _refuse_if_news(context: Context, ticket: int, seen: int) -> None:
    newer = context.transaction.session.exec(
        select(Message.id, Message.author)
        .where(
            col(Message.ticket_id) == ticket,
            col(Message.id) > seen,
            col(Message.direction) == Direction.IN.value,
        )
        .limit(1)
    ).first()
    if newer is not None:
        raise Refusal(
            f"{newer[1]} wrote again since you began: read the new message on #{ticket}, then send again;"
            " your text is kept as a draft"
        )


def _account(context: Context, ticket: Ticket) -> ChannelSettings:
    """The account that the ticket came through, else the first that can send mail."""
    channels = context.settings.channels
    for channel in channels:
        if channel.name == ticket.account:
            return channel
    for channel in channels:
        if channel.kind == "email":
            return channel
    raise Refusal(
        "this desk has no account to send from: add a [[channel]] with smtp to deskhand.toml, then reply again"
    )


def _recipients(
    context: Context, action: a.Reply, answered: Answered | None
) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    if action.to is None:
        if answered is None:
            raise Refusal("the ticket has no message to answer: give the recipient yourself (To)")
        to, cc = recipients_of(answered, context.settings.own_addresses, action.reply_all)
    else:
        to = tuple(Party("", _address(text)) for text in action.to)
    if action.cc is not None:
        cc = tuple(Party("", _address(text)) for text in action.cc)
    return to, cc


def _address(text: str) -> str:
    address = one_line(text)
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or any(mark in address for mark in " <>,;"):
        raise UsageError(f"{text!r} is not an address: write it like ana@example.com")
    return address


def _when(
    context: Context, action: a.Reply, account: ChannelSettings
) -> tuple[OutboxState, datetime]:
    if action.send_at is not None:
        if action.send_at <= context.now:
            raise UsageError("the time to send at has already passed: give a later one")
        return OutboxState.SCHEDULED, action.send_at
    window = account.undo_send_s if action.undo_window_s is None else action.undo_window_s
    if window > 0:
        return OutboxState.HELD, context.now + timedelta(seconds=window)
    return OutboxState.QUEUED, context.now
