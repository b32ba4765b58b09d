"""A message of ours from what was written to the outbox: composed once, stored with its files, due
when it may leave. Answers and forwards take the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflow.addresses import typed_party, unique
from workflow.apply import Context, change_status, summary_line
from workflow.drafts import SUGGESTED, File
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party
from workflow.model import Direction, OutboxState, Status
from workflow.news import news_of, news_sentence
from workflow.outgoing import Answered, OutgoingFile, OutgoingMessage
from workflow.recipients import sender_of
from workflow.settings import ChannelSettings
from workflow.signatures import signature_of
from workflow.store.statements import col, delete, select
from workflow.store.tables import AttachmentRow, Draft, Message, Outbox, Ticket
from workflow.tokens import make_token

__all__ = [
    "Post",
    "account_for",
    "answered_by",
    "open_if_new",
    "post",
    "refuse_if_news",
    "typed_parties",
]


@dataclass(frozen=True, slots=True)
class Post:
    """What is to be sent. ``thread`` is the message that the channel shows it under, ``sender`` the
    address that was chosen, if any; ``full_text`` what is read of it where that is more than its
    text; ``draft`` the kind of draft that it was written as.
    """

    account: ChannelSettings
    subject: str
    text: str
    to: tuple[Party, ...]
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    files: Sequence[File] = ()
    thread: Answered | None = None
    answered: Answered | None = None
    """Whose recipients tell from which of our addresses it comes."""
    sender: str | None = None
    signature: bool = True
    forwarded: Sequence[Answered] = ()
    forwards: list[int] | None = None
    aside: bool = False
    full_text: str | None = None
    send_at: datetime | None = None
    undo_window_s: int | None = None
    unless_reply: bool = False
    automatic: bool = False
    draft: str = "reply"


def post(context: Context, ticket: Ticket, wanted: Post) -> tuple[Message, Outbox]:
    """Compose and queue a message, with its events, and drop the draft it came from.

    Raises Refusal where the channel cannot carry it, UsageError for an address or a time that does
    not fit.
    """
    transaction, account = context.transaction, wanted.account
    composer = context.composers.get(account.kind)
    if composer is None:
        raise Refusal(
            f"this desk has no way to send over {account.kind}: check the channel in deskhand.toml"
        )
    assert ticket.id is not None
    agent = context.actor.name if context.actor.kind == "agent" else None
    sender = _sender(wanted)
    composed = composer.compose(
        OutgoingMessage(
            ticket=ticket.id,
            account=account.name,
            agent=context.actor.name,
            subject=wanted.subject,
            text=wanted.text,
            to=wanted.to,
            cc=wanted.cc,
            bcc=wanted.bcc,
            files=tuple(OutgoingFile(*entry) for entry in wanted.files),
            answered=wanted.thread,
            token=make_token(context.secret, ticket.id),
            at=context.now,
            sender=sender,
            signature=signature_of(context.settings, account, agent, sender)
            if wanted.signature
            else "",
            forwarded=wanted.forwarded,
            automatic=wanted.automatic,
        )
    )
    state, due_at = _when(context, wanted)
    message = transaction.add_message(
        Message(
            ticket_id=ticket.id,
            direction=Direction.OUT.value,
            author=context.actor.name,
            agent=agent,
            channel=account.kind,
            account=account.name,
            at=context.now,
            date=context.now,
            subject=wanted.subject,
            from_name=composed.from_name,
            from_address=composed.from_address,
            to_list=_pairs(wanted.to),
            cc_list=_pairs(wanted.cc),
            bcc_list=_pairs(wanted.bcc),
            message_id=composed.message_id,
            in_reply_to=wanted.thread.message_id if wanted.thread else None,
            reference_ids=" ".join(wanted.thread.chain()) if wanted.thread else "",
            text=wanted.text,
            full_text=wanted.full_text,
            raw_sha256=composed.raw_sha256,
            raw_size=composed.raw_size,
            delivery=state.value,
            aside=wanted.aside,
            automatic=wanted.automatic,
            forwards=wanted.forwards,
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
            for name, content_type, sha256, size in wanted.files
        ],
    )
    item = Outbox(
        ticket_id=ticket.id,
        message_row=message.id,
        channel=account.kind,
        account=account.name,
        state=state.value,
        due_at=due_at,
        recipients=list(composed.recipients),
        message_id=composed.message_id,
        raw_sha256=composed.raw_sha256,
        created_at=context.now,
        unless_reply=wanted.unless_reply,
    )
    transaction.session.add(item)
    transaction.session.flush()
    ticket.last_message_at, ticket.last_direction = context.now, Direction.OUT.value
    ticket.last_line = summary_line(wanted.text)
    ticket.message_count += 1
    if composed.conversation and ticket.conversation is None:
        # What the customer writes back there belongs here.
        ticket.conversation = composed.conversation
    transaction.session.add(ticket)
    data = {
        "message": message.id,
        "outbox": item.id,
        # No clock waits for what is said aside.
        "human": agent is not None and not wanted.aside and not wanted.automatic,
        "after": state.value,
    }
    if wanted.aside:
        data["aside"] = True
    context.record("message.queued", ticket.id, data)
    draft = transaction.session.get(Draft, (context.actor.name, ticket.id, wanted.draft))
    if draft is not None:
        transaction.session.delete(draft)
    if agent is not None and wanted.draft == "reply" and not wanted.aside:
        # What rules proposed is over.
        transaction.session.exec(
            delete(Draft).where(col(Draft.ticket_id) == ticket.id, col(Draft.kind) == SUGGESTED)
        )
    return message, item


def open_if_new(context: Context, ticket: Ticket, to_status: Status | None) -> None:
    """The status that a message of ours leads to: the one wanted; a new ticket is open then."""
    if to_status is not None:
        change_status(context, ticket, to_status)
    elif ticket.status == Status.NEW:
        change_status(context, ticket, Status.OPEN)


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
        subject=row.subject,
    )


def typed_parties(*lists: Sequence[str]) -> tuple[tuple[Party, ...], ...]:
    """The parties of To, Cc and Bcc as a person typed them, each once. Raises UsageError."""
    seen: set[str] = set()
    return tuple(unique(map(typed_party, typed), seen) for typed in lists)


def account_for(
    context: Context, sender: str | None, account: str | None
) -> ChannelSettings | None:
    """The account that an address of ours or a name stands for; None where neither was given.

    Raises UsageError.
    """
    settings = context.settings
    named = settings.channel(account) if account is not None else None
    if account is not None and named is None:
        raise UsageError(
            f"there is no account {account!r} in deskhand.toml: there are"
            f" {', '.join(channel.name for channel in settings.channels)}"
        )
    if sender is None:
        return named
    found = settings.account_of_address(sender)
    if found is None or (named is not None and found is not named):
        known = ", ".join(
            address
            for channel in settings.channels
            if named in (None, channel) and channel.kind == "email"
            for address in (channel.address, *channel.aliases)
        )
        raise UsageError(f"{sender!r} is no address of ours to send from: take one of {known}")
    return found


def refuse_if_news(context: Context, ticket: int, seen: int) -> None:
    """Raise Refusal that says what is new where somebody else wrote after message ``seen``."""
    newer = context.transaction.session.exec(
        select(Message)
        .where(col(Message.ticket_id) == ticket, col(Message.id) > seen)
        .order_by(col(Message.id))
    ).all()
    if news := news_of(newer, context.actor.name):
        raise Refusal(news_sentence(ticket, news))


def _sender(wanted: Post) -> str:
    account = wanted.account
    if account.kind != "email":
        return ""
    if wanted.sender is None:
        return sender_of(wanted.answered, account)
    chosen = wanted.sender.strip().lower()
    # As it is written in the settings.
    return next(a for a in (account.address, *account.aliases) if a.lower() == chosen)


def _when(context: Context, wanted: Post) -> tuple[OutboxState, datetime]:
    if wanted.send_at is not None:
        if wanted.send_at <= context.now:
            raise UsageError("the time to send at has already passed: give a later one")
        return OutboxState.SCHEDULED, wanted.send_at
    if wanted.unless_reply:
        raise UsageError(
            "what leaves at once cannot wait whether the customer writes: give a time to send at"
        )
    window = wanted.account.undo_send_s if wanted.undo_window_s is None else wanted.undo_window_s
    if window > 0:
        return OutboxState.HELD, context.now + timedelta(seconds=window)
    return OutboxState.QUEUED, context.now


def _parties(pairs: list[list[str]]) -> tuple[Party, ...]:
    return tuple(Party(name, address) for name, address in pairs)


def _pairs(parties: Sequence[Party]) -> list[list[str]]:
    return [[party.name, party.address] for party in parties]
