"""To which ticket a message belongs, and the rule that says so.

In this order: a token of ours in the Message-ID that is answered or in an address; In-Reply-To;
References, the newest first; a token that is written in the subject or in the text. Then the chat
that it is part of. Nothing else joins a ticket: a number without its key and a subject never do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from workflow.inbound import Inbound
from workflow.incoming import GOES_ON, Batch, TicketState
from workflow.model import UNRESOLVED, Status
from workflow.tokens import TOKEN, check_token

__all__ = ["CONTINUES", "Found", "thread"]

CONTINUES = "continues"
"""It answers a ticket that has been closed for too long, and begins one that is linked to it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a message belongs.

    ``ticket`` is None for one that opens a ticket of its own. ``home`` is the ticket that the rule
    named, which may have been merged into ``ticket`` since. ``continues`` is the closed one that a
    new ticket goes on with.
    """

    ticket: TicketState | None = None
    rule: str = "new"
    home: int | None = None
    continues: int | None = None


def thread(batch: Batch, item: Inbound) -> Found:
    """The place of an item by the first rule that knows one."""
    for rule, home in _named(batch, item):
        state = _kept(batch, home)
        if state is not None:
            return _goes_on_or_continues(batch, item, Found(state, rule, home))
    for number in batch.conversations.get(item.conversation, ()):
        if (state := _kept(batch, number)) is not None and _chat_goes_on(state, item):
            return Found(state, "conversation", number)
    return Found()


def _named(batch: Batch, item: Inbound) -> Iterator[tuple[str, int]]:
    """What the rules name, in their order; a name may lead nowhere."""
    answered = (*item.in_reply_to, *reversed(item.references))
    # A message of ours that is known says more than its token: it may have been split off since.
    for message_id in answered:
        if _is_ours(batch, message_id) and (home := _home(batch, item, message_id)) is not None:
            yield "reply-token", home
    yield from _checked(batch, item.reply_tokens, "reply-token")
    for rule, ids in (("in-reply-to", item.in_reply_to), ("references", reversed(item.references))):
        for message_id in ids:
            if (home := _home(batch, item, message_id)) is not None:
                yield rule, home
    yield from _checked(batch, item.subject_tokens, "token-in-subject")
    yield from _checked(batch, item.text_tokens, "token-in-text")


def _checked(batch: Batch, tokens: tuple[str, ...], rule: str) -> Iterator[tuple[str, int]]:
    for token in tokens:
        if (ticket := check_token(batch.secret, token)) is not None:
            yield rule, ticket


def _is_ours(batch: Batch, message_id: str) -> bool:
    """Whether it is a Message-ID that this desk has made: ``<TOKEN.random@domain>``."""
    match = TOKEN.match(message_id, 1)
    return match is not None and check_token(batch.secret, match[0]) is not None


def _home(batch: Batch, item: Inbound, message_id: str) -> int | None:
    """The home of a message that is known."""
    found = batch.by_message_id.get(message_id)
    # Of the same channel only: anybody can write the number of a chat message into a mail.
    if found is None or found[2] != item.channel:
        return None
    return batch.homes.get(message_id, found[0])


def _goes_on_or_continues(batch: Batch, item: Inbound, found: Found) -> Found:
    """The ticket itself, or one that continues it where it has been closed for too long."""
    state, seen = found.ticket, set[int]()
    while state is not None and state.id not in seen and not _opens_again(batch, state, item):
        seen.add(state.id)
        following = batch.continued_by.get(state.id)
        if following is None:
            return Found(None, CONTINUES, None, state.id)
        state = _kept(batch, following)
        found = Found(state, found.rule, following)
    return found


def _opens_again(batch: Batch, state: TicketState, item: Inbound) -> bool:
    """Whether what a customer writes goes on with a ticket, closed or not."""
    if state.status != Status.CLOSED or not item.is_a_word:
        return True
    closed_at = state.current.resolved_at if state.current is not None else None
    if closed_at is None:
        return True
    days = batch.settings.reopen_days_of(item.source.account)
    return item.reached_at - closed_at < timedelta(days=days)


def _chat_goes_on(state: TicketState, item: Inbound) -> bool:
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
