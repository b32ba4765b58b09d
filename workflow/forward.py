"""A conversation passed on to somebody who is not the customer: a supplier, an expert, an office.

It is said aside: it goes to nobody but those who are named, no clock waits for it, and what is
answered to it comes back to the ticket without being the customer's.
"""

from __future__ import annotations

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import Refusal, UsageError
from workflow.model import Delivery, Direction
from workflow.outgoing import forward_subject, forwarded_text
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
from workflow.settings import ChannelSettings
from workflow.store.statements import col, select
from workflow.store.tables import Message, Ticket

__all__ = ["forward"]


@applies(a.Forward)
def forward(context: Context, action: a.Forward) -> Result:
    """Compose the forward, put it into the outbox, and drop the draft it came from.

    Raises UsageError without a recipient or without such a message, Refusal where the desk has no
    mail account or somebody else wrote after ``expect_last``.
    """
    to, cc, bcc = typed_parties(action.to, action.cc, action.bcc)
    if not to:
        raise UsageError("a forward goes to nobody by itself: give the address it is for (To)")
    ticket = context.transaction.ticket(action.ticket)
    if action.expect_last is not None:
        refuse_if_news(context, action.ticket, action.expect_last)
    rows = _passed_on(context, action)
    text = printable(action.text).strip("\n")
    forwarded = tuple(answered_by(row) for row in rows)
    subject = rows[0].subject if action.message is not None else ticket.subject
    message, item = post(
        context,
        ticket,
        Post(
            account=_account(context, action, ticket),
            subject=one_line(action.subject)
            if action.subject is not None
            else forward_subject(subject or ticket.subject),
            text=text,
            to=to,
            cc=cc,
            bcc=bcc,
            files=action.attachments,
            answered=forwarded[-1],
            sender=action.sender,
            signature=action.signature,
            forwarded=forwarded,
            forwards=[row.id for row in rows if row.id is not None],
            aside=True,
            full_text="\n\n".join(filter(None, (text, forwarded_text(forwarded)))),
            send_at=action.send_at,
            undo_window_s=action.undo_window_s,
            draft="forward",
        ),
    )
    open_if_new(context, ticket, None)
    return Result(f"forward of #{ticket.id}", ticket.id, message.id, item.id)


def _passed_on(context: Context, action: a.Forward) -> list[Message]:
    """The messages that go along, oldest first: never a note, nor what was said aside or has not
    reached anybody.
    """
    session = context.transaction.session
    if action.message is not None:
        row = session.get(Message, action.message)
        if row is None or row.ticket_id != action.ticket:
            raise UsageError(f"message {action.message} is not on ticket #{action.ticket}")
        if row.direction == Direction.NOTE:
            raise Refusal(
                f"message {action.message} is a note, which only the team knows: copy what may be"
                " told into the text"
            )
        return [row]
    rows = session.exec(
        select(Message)
        .where(
            col(Message.ticket_id) == action.ticket,
            col(Message.direction) != Direction.NOTE.value,
            col(Message.aside).is_(False),
        )
        .order_by(col(Message.at), col(Message.id))
    ).all()
    found = [row for row in rows if row.delivery in (None, Delivery.SENT, Delivery.BOUNCED)]
    if not found:
        raise Refusal(f"there is no message on #{action.ticket} to forward")
    return found


def _account(context: Context, action: a.Forward, ticket: Ticket) -> ChannelSettings:
    """The mail account it leaves through: that of the address chosen, the ticket's, else the first."""
    chosen = account_for(context, action.sender, None)
    if chosen is not None:
        return chosen
    mail = [channel for channel in context.settings.channels if channel.kind == "email"]
    if not mail:
        raise Refusal(
            "this desk has no mail account to forward from: add a [[channel]] with smtp to deskhand.toml"
        )
    return next((channel for channel in mail if channel.name == ticket.account), mail[0])
