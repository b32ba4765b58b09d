"""The answer to a customer: composed once, queued durably, taken back within its undo window."""

from __future__ import annotations

from workflow import actions as a
from workflow.addresses import unique
from workflow.apply import Context, Result, applies, parse_status
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party
from workflow.model import Direction, OutboxState
from workflow.outgoing import Answered, reply_subject
from workflow.plaintext import one_line, printable
from workflow.posting import (
    Post,
    account_for,
    answered_by,
    open_if_new,
    post,
    refuse_if_news,
    typed_parties,
)
from workflow.recipients import chat_of, recipients_of
from workflow.settings import ChannelSettings
from workflow.store.statements import col, func, select
from workflow.store.tables import Identity, Message, Ticket
from workflow.tokens import with_reference
from workflow.via import account_via, identity_of

__all__ = ["account_of", "reply"]

Three = tuple[tuple[Party, ...], tuple[Party, ...], tuple[Party, ...]]


@applies(a.Reply)
def reply(context: Context, action: a.Reply) -> Result:
    """Compose the answer, put it into the outbox, and drop the draft it came from.

    Its clocks stop only when it was really sent. Raises Refusal when there is nobody to send to, no
    account to send through, or somebody else wrote after ``expect_last``.
    """
    text = printable(action.text).strip("\n")
    if not text.strip() and not action.attachments:
        raise UsageError("the reply is empty: write its text and try again")
    ticket = context.transaction.ticket(action.ticket)
    answered_row = _answered_row(context, action)
    if action.expect_last is not None:
        refuse_if_news(context, action.ticket, action.expect_last)
    identity = identity_of(context, action, ticket)
    if identity is not None:
        account = account_via(context, action, identity)
    else:
        account = account_of(context, action, ticket, answered_row)
    answered = answered_by(answered_row) if answered_row else None
    to: tuple[Party, ...]
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    if identity is not None:
        to = (Party(identity.display, identity.value),)
    elif account.kind == "email":
        to, cc, bcc = _recipients(context, action, answered_row, answered)
    else:
        to = _chat(context, action, ticket, account, answered)
    thread_row = _thread_row(context, action, account, answered_row)
    message, item = post(
        context,
        ticket,
        Post(
            account=account,
            subject=_subject(context, action, account, answered_row, ticket),
            text=text,
            to=to,
            cc=cc,
            bcc=bcc,
            files=action.attachments,
            thread=answered_by(thread_row) if thread_row else None,
            answered=answered,
            sender=action.sender,
            signature=action.signature,
            # Who was asked aside is answered aside: the customer waits on.
            aside=answered_row is not None and answered_row.aside,
            send_at=action.send_at,
            undo_window_s=action.undo_window_s,
            unless_reply=action.unless_reply,
            automatic=action.automatic,
        ),
    )
    # It belongs with what it answers, should a merge be undone.
    message.home_id = answered_row.home_id if answered_row else None
    if not action.automatic or action.to_status:
        # A machine's answer is no sign that somebody has seen it.
        open_if_new(context, ticket, parse_status(action.to_status) if action.to_status else None)
    return Result(f"reply on #{ticket.id}", ticket.id, message.id, item.id)


def _subject(
    context: Context,
    action: a.Reply,
    account: ChannelSettings,
    answered: Message | None,
    ticket: Ticket,
) -> str:
    subject = (answered.subject if answered else "") or ticket.subject
    if account.kind != "email":
        return subject
    subject = reply_subject(subject) if action.subject is None else one_line(action.subject)
    if account.subject_reference:
        return with_reference(context.secret, action.ticket, subject)
    return subject


def _answered_row(context: Context, action: a.Reply) -> Message | None:
    """The message that is answered: the one named, else the customer's newest, else our newest."""
    session = context.transaction.session
    own = context.settings.own_addresses
    if action.answers is not None:
        row = session.get(Message, action.answers)
        if row is None or row.ticket_id != action.ticket:
            raise UsageError(f"message {action.answers} is not on ticket #{action.ticket}")
        if row.direction == Direction.NOTE:
            raise UsageError(
                f"message {action.answers} is a note, which only the team knows: answer a message"
            )
        return row
    for direction in (Direction.IN, Direction.OUT):
        query = (
            select(Message)
            .where(
                col(Message.ticket_id) == action.ticket,
                col(Message.direction) == direction.value,
                # What is said aside, the customer does not know.
                col(Message.aside).is_(False),
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


def account_of(
    context: Context, action: a.Reply, ticket: Ticket, answered: Message | None
) -> ChannelSettings:
    """The account an answer goes through: the one named, the one that reaches who is named, the one
    that the answered message or the ticket came through, else the first that can send mail.

    Raises UsageError and Refusal.
    """
    settings = context.settings
    chosen = account_for(context, action.sender, action.account)
    if chosen is not None:
        return chosen
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
    context: Context, action: a.Reply, row: Message | None, answered: Answered | None
) -> Three:
    """To, Cc and Bcc of an answer by mail: what a person wrote, else what the message says."""
    to, cc, bcc = typed_parties(action.to or (), action.cc or (), action.bcc)
    if action.to is not None:
        if not to:
            raise Refusal("nobody stands in To: give the recipient, then send again")
        return to, cc, bcc
    proposed_cc: tuple[Party, ...] = ()
    if _is_of_a_chat(row):
        to = _mail_address(context, action)
    elif answered is None:
        raise Refusal("the ticket has no message to answer: give the recipient yourself (To)")
    else:
        own = context.settings.own_addresses
        to, proposed_cc = recipients_of(answered, own, action.reply_all)
    seen = {party.address.lower() for party in to}
    cc = unique(cc if action.cc is not None else proposed_cc, seen)
    return to, cc, unique(bcc, seen)


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
