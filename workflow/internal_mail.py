"""Telling people of the team by mail. What is told is a note on the ticket; the mail carries it.

Since it is a note, it is no reply: no clock stops, nothing is answered by it, and it never goes to
the customer. A note whose mail comes back to us, or is answered, stays among the team's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from workflow.apply import Context
from workflow.errors import Refusal
from workflow.inbound import Party
from workflow.model import Direction, OutboxState
from workflow.outgoing import Composed, OutgoingMessage
from workflow.plaintext import one_line
from workflow.store.statements import col, select
from workflow.store.tables import Identity, Message, Outbox, Ticket
from workflow.tokens import make_token

__all__ = ["Telling", "prepare", "tell"]


@dataclass(frozen=True, slots=True)
class Telling:
    """A note and the mail that will carry it; without a mail ``why_not`` says why."""

    author: str
    subject: str
    text: str
    to: tuple[str, ...] = ()
    account: str | None = None
    mail: Composed | None = None
    why_not: str | None = None


def prepare(
    context: Context,
    ticket: Ticket,
    *,
    author: str,
    subject: str,
    text: str,
    people: Iterable[str],
) -> Telling:
    """Make the mail to these addresses, whole, before anything is queued.

    Never to an address of the ticket's customer, nor to an account of ours, where it would come in
    again.
    """

    def without(why: str) -> Telling:
        return Telling(author, subject, text, why_not=why)

    to = _addresses(context, ticket, people)
    if not to:
        return without("nobody of the level has a mail address in deskhand.toml")
    account = _account(context, ticket)
    composer = context.composers.get("email")
    if account is None or composer is None:
        return without("this desk has no mail account to tell them through")
    assert ticket.id is not None
    try:
        mail = composer.compose(
            OutgoingMessage(
                ticket=ticket.id,
                account=account,
                agent=author,
                subject=subject,
                text=text,
                to=tuple(Party("", address) for address in to),
                cc=(),
                bcc=(),
                files=(),
                answered=None,
                token=make_token(context.secret, ticket.id),
                at=context.now,
            )
        )
    except Refusal as fault:
        return without(str(fault))
    return Telling(author, subject, text, to, account, mail)


def tell(
    context: Context, ticket: Ticket, telling: Telling, due_at: datetime | None = None
) -> Message:
    """Write the note, and queue its mail where there is one; it may leave at once, or from
    ``due_at`` on.
    """
    transaction, mail = context.transaction, telling.mail
    state = OutboxState.QUEUED
    assert ticket.id is not None
    message = transaction.add_message(
        Message(
            ticket_id=ticket.id,
            direction=Direction.NOTE.value,
            author=telling.author,
            channel="email" if mail else ticket.channel,
            account=telling.account,
            at=context.now,
            subject=telling.subject,
            from_name=mail.from_name if mail else "",
            from_address=mail.from_address if mail else "",
            to_list=[["", address] for address in telling.to],
            message_id=mail.message_id if mail else None,
            text=telling.text,
            raw_sha256=mail.raw_sha256 if mail else None,
            raw_size=mail.raw_size if mail else 0,
            delivery=state.value if mail else None,
        )
    )
    ticket.message_count += 1
    transaction.session.add(ticket)
    context.record("note.added", ticket.id, {"message": message.id})
    if mail is None:
        return message
    assert message.id is not None
    assert telling.account is not None
    item = Outbox(
        ticket_id=ticket.id,
        message_row=message.id,
        account=telling.account,
        state=state.value,
        due_at=due_at or context.now,
        recipients=list(mail.recipients),
        message_id=mail.message_id,
        raw_sha256=mail.raw_sha256,
        created_at=context.now,
    )
    transaction.session.add(item)
    transaction.session.flush()
    context.record(
        "message.queued",
        ticket.id,
        {
            "message": message.id,
            "outbox": item.id,
            "human": False,
            "internal": True,
            "after": state.value,
        },
    )
    return message


def _addresses(context: Context, ticket: Ticket, people: Iterable[str]) -> tuple[str, ...]:
    ours = {
        address.lower()
        for channel in context.settings.channels
        for address in (channel.address, *channel.aliases)
    }
    theirs = context.transaction.session.exec(
        select(Identity.value).where(
            col(Identity.customer_id) == ticket.customer_id, col(Identity.kind) == "email"
        )
    )
    kept_out = ours | {value.lower() for value in theirs}
    found: dict[str, str] = {}
    for address in people:
        plain = one_line(address)
        if "@" in plain and plain.lower() not in kept_out:
            found.setdefault(plain.lower(), plain)
    return tuple(found.values())


def _account(context: Context, ticket: Ticket) -> str | None:
    """The mail account of the ticket, else the first there is."""
    mail = [c.name for c in context.settings.channels if c.kind == "email" and "@" in c.address]
    return ticket.account if ticket.account in mail else next(iter(mail), None)
