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
from workflow.outgoing import Answered, OutgoingFile, OutgoingMessage, chat_of, recipients_of
from workflow.plaintext import one_line, printable
from workflow.settings import ChannelSettings
from workflow.store.statements import col, func, select
from workflow.store.tables import AttachmentRow, Draft, Identity, Message, Outbox, Ticket
from workflow.tokens import make_token
from workflow.via import account_via, identity_of

__all__ = ["account_of", "answered_by", "reply", "reply_subject"]


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
    identity = identity_of(context, action, ticket)
    if identity is not None:
        account = account_via(context, action, identity)
    else:
        account = account_of(context, action, ticket, answered_row)
    answered = answered_by(answered_row) if answered_row else None
    to: tuple[Party, ...]
    cc: tuple[Party, ...] = ()
    if identity is not None:
        to = (Party(identity.display, identity.value),)
    elif account.kind == "email":
        if action.to is None and _is_of_a_chat(answered_row):
            to = _mail_address(context, action)
        else:
            to, cc = _recipients(context, action, answered)
    else:
        to = _chat(context, action, ticket, account, answered)
    thread_row = _thread_row(context, action, account, answered_row)
    thread = answered_by(thread_row) if thread_row else None
    bcc = tuple(Party("", address) for address in action.bcc)
    composer = context.composers.get(account.kind)
    if composer is None:
        raise Refusal(
            f"this desk has no way to send over {account.kind}: check the channel in deskhand.toml"
        )
    subject = (answered_row.subject if answered_row else "") or ticket.subject
    if account.kind == "email":
        subject = reply_subject(subject)
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
            answered=thread,
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
            in_reply_to=thread.message_id if thread else None,
            reference_ids=" ".join(thread.chain()) if thread else "",
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
    if composed.conversation and ticket.conversation is None:
        # What the customer writes back there belongs here.
        ticket.conversation = composed.conversation
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
    own = context.settings.own_addresses
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
            .order_by(
                col(Message.automatic),
                # What came in and only says that it is from us is answered last of all.
                func.lower(col(Message.from_address)).in_(own),
                col(Message.id).desc(),
            )
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


def account_of(
    context: Context, action: a.Reply, ticket: Ticket, answered: Message | None
) -> ChannelSettings:
    """The account an answer goes through: the one named, the one that reaches who is named, the one
    that the answered message or the ticket came through, else the first that can send mail.

    Raises UsageError and Refusal.
    """
    settings = context.settings
    if action.account is not None:
        named = settings.channel(action.account)
        if named is None:
            raise UsageError(
                f"there is no account {action.account!r} in deskhand.toml: there are"
                f" {', '.join(channel.name for channel in settings.channels)}"
            )
        return named
    kind = _kind_of(context, action.to, ticket) if action.to else None
    names = (answered.account if answered is not None else None, ticket.account)
    for name in names:
        channel = settings.channel(name) if name else None
        if channel is not None and kind in (None, channel.kind):
            return channel
    for channel in settings.channels:
        if channel.kind == (kind or "email"):
            return channel
    raise Refusal(
        "this desk has no account to send from: add a [[channel]] with smtp to deskhand.toml, then reply again"
    )


def _kind_of(context: Context, to: tuple[str, ...], ticket: Ticket) -> str:
    """The kind of channel that reaches an address: mail, or what the customer has it for."""
    if any("@" in address for address in to):
        return "email"
    found = context.transaction.session.exec(
        select(Identity.kind).where(
            col(Identity.customer_id) == ticket.customer_id,
            col(Identity.value).in_([one_line(address).lower() for address in to]),
        )
    ).first()
    return found or "email"


def _thread_row(
    context: Context, action: a.Reply, account: ChannelSettings, answered: Message | None
) -> Message | None:
    """The message that the channel shows the answer under: the answered one, or where that came
    over another channel, the newest that the ticket has of this one.
    """
    if answered is None or answered.channel == account.kind:
        return answered
    return context.transaction.session.exec(
        select(Message)
        .where(
            col(Message.ticket_id) == action.ticket,
            col(Message.channel) == account.kind,
            col(Message.direction) != Direction.NOTE.value,
            col(Message.delivery).is_distinct_from(OutboxState.CANCELLED.value),
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    ).first()


def _chat(
    context: Context,
    action: a.Reply,
    ticket: Ticket,
    account: ChannelSettings,
    answered: Answered | None,
) -> tuple[Party, ...]:
    """Where an answer over a chat goes: only to where this customer wrote from.

    Raises Refusal, since a chat cannot be begun by us.
    """
    if action.cc or action.bcc:
        raise Refusal(f"{account.kind} has no Cc and no Bcc: leave them empty and send again")
    known = context.transaction.session.exec(
        select(Identity.value, Identity.display).where(
            col(Identity.customer_id) == ticket.customer_id,
            col(Identity.kind) == account.kind,
        )
    ).all()
    if action.to is None:
        if answered is not None and not any("@" in p.address for p in chat_of(answered)):
            found = chat_of(answered)
        else:
            found = tuple(Party(display, value) for value, display in known[:1])
    else:
        wanted = {one_line(address).lower() for address in action.to}
        found = tuple(Party(display, value) for value, display in known if value in wanted)
        if answered is not None and not found:
            # A group: the place that was written in is nobody's identity.
            found = tuple(p for p in chat_of(answered) if p.address.lower() in wanted)
    if not found:
        raise Refusal(
            f"this customer has not written over {account.kind}, and nobody can be written to first"
            " there: answer by another channel"
        )
    return found[:1]


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


def _is_of_a_chat(row: Message | None) -> bool:
    return row is not None and row.channel != "email" and row.account is not None


def _mail_address(context: Context, action: a.Reply) -> tuple[Party, ...]:
    """The customer's mail address, for an answer by mail to what was written in a chat."""
    found = context.transaction.session.exec(
        select(Identity.value, Identity.display)
        .join(Ticket, col(Ticket.customer_id) == col(Identity.customer_id))
        .where(col(Ticket.id) == action.ticket, col(Identity.kind) == "email")
        .order_by(col(Identity.id))
    ).first()
    if found is None:
        raise Refusal(
            "this customer has no mail address here: give one yourself (To), or answer in the chat"
        )
    return (Party(found[1], found[0]),)


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
