"""An answer by another address or account of the same person: to whom, and through which account."""

from __future__ import annotations

from workflow import actions as a
from workflow.apply import Context
from workflow.errors import Refusal, UsageError
from workflow.model import Direction
from workflow.settings import ChannelSettings
from workflow.store.statements import col, func, select
from workflow.store.tables import Identity, Message, Ticket

__all__ = ["account_via", "identity_of"]


def identity_of(context: Context, action: a.Reply, ticket: Ticket) -> Identity | None:
    """The identity that the answer is to go to; it must be one of this very person.

    Raises UsageError.
    """
    if action.via is None:
        return None
    if action.to or action.cc or action.bcc or action.reply_all:
        raise UsageError(
            "an answer by another identity goes to that one alone: leave To, Cc and Bcc empty"
        )
    found = context.transaction.session.get(Identity, action.via)
    if found is None or found.customer_id != ticket.customer_id:
        raise UsageError(
            f"identity {action.via} is not one of the customer of #{ticket.id}: look at"
            f" deskhand customer show {ticket.customer_id}"
        )
    return found


def account_via(context: Context, action: a.Reply, identity: Identity) -> ChannelSettings:
    """The account that reaches an identity: the one named, the one that it wrote to last (another
    bot would be a stranger to it), else the first of its kind.

    Raises UsageError and Refusal.
    """
    settings = context.settings
    if action.account is not None:
        named = settings.channel(action.account)
        if named is None or named.kind != identity.kind:
            raise UsageError(
                f"{action.account!r} is no account for {identity.kind}: leave it out, or name one"
                " of deskhand.toml that is"
            )
        return named
    last = context.transaction.session.exec(
        select(Message.account)
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(
            col(Ticket.customer_id) == identity.customer_id,
            col(Message.channel) == identity.kind,
            col(Message.direction) == Direction.IN.value,
            func.lower(col(Message.from_address)) == identity.value,
            col(Message.account).is_not(None),
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    ).first()
    used = settings.channel(last) if last else None
    if used is not None and used.kind == identity.kind:
        return used
    for channel in settings.channels:
        if channel.kind == identity.kind:
            return channel
    raise Refusal(
        f"this desk has no account that reaches {identity.value} over {identity.kind}: answer by"
        " another channel, or add a [[channel]] to deskhand.toml"
    )
