"""To which ticket a message belongs, and the rule that says so."""

from __future__ import annotations

from workflow.inbound import Inbound
from workflow.incoming import GOES_ON, Batch, TicketState
from workflow.model import UNRESOLVED, Status
from workflow.tokens import check_token

__all__ = ["thread"]


def thread(batch: Batch, item: Inbound) -> tuple[TicketState | None, str]:
    """The ticket that an item belongs to and the rule that says so."""
    for token in item.reply_tokens:
        ticket = check_token(batch.secret, token)
        if ticket is not None and (state := _kept(batch, ticket)) is not None:
            return state, "reply-token"
    for rule, ids in (("in-reply-to", item.in_reply_to), ("references", reversed(item.references))):
        for message_id in ids:
            found = batch.by_message_id.get(message_id)
            # Of the same channel only: anybody can write the number of a chat message into a mail.
            if found is None or found[2] != item.channel:
                continue
            if (state := _kept(batch, found[0])) is not None:
                return state, rule
    for number in batch.conversations.get(item.conversation, ()):
        if (state := _kept(batch, number)) is not None and _goes_on(state, item):
            return state, "conversation"
    return None, ""


def _goes_on(state: TicketState, item: Inbound) -> bool:
    """Whether what is said in a chat belongs to a ticket of it."""
    if state.status in UNRESOLVED:
        return True
    resolved_at = state.current.resolved_at if state.current is not None else None
    return (
        state.status == Status.RESOLVED
        and resolved_at is not None
        and item.reached_at - resolved_at < GOES_ON
    )


def _kept(batch: Batch, ticket: int) -> TicketState | None:
    """The ticket, or the one it was merged into."""
    state = batch.tickets.get(ticket)
    seen: set[int] = set()
    while state is not None and state.merged_into is not None and state.id not in seen:
        seen.add(state.id)
        state = batch.tickets.get(state.merged_into)
    return state
