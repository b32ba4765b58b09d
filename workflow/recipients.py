"""Who gets an answer, and from which address of ours: all of it comes from the one message that is
answered, never from another one, and what a person changed is shown before it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.addresses import is_ours, unique
from workflow.errors import Refusal
from workflow.inbound import Party
from workflow.model import Direction, OutboxState
from workflow.outgoing import Answered
from workflow.settings import ChannelSettings
from workflow.store.rows import MessageDetail

__all__ = [
    "Difference",
    "answered_of",
    "answered_one",
    "chat_of",
    "difference",
    "last_answer",
    "recipients_of",
    "sender_of",
]


def answered_of(message: MessageDetail) -> Answered:
    """What an answer takes from a message that was read."""

    def parties(pairs: Sequence[tuple[str, str]]) -> tuple[Party, ...]:
        return tuple(Party(name, address) for name, address in pairs)

    return Answered(
        sender=Party(message.from_name, message.from_address),
        reply_to=parties(message.reply_to),
        to=parties(message.to),
        cc=parties(message.cc),
        message_id=message.message_id,
        references=message.reference_ids,
        at=message.date or message.at,
        text=message.full_text,
        was_ours=message.direction == Direction.OUT,
        subject=message.subject,
    )


def answered_one(messages: Sequence[MessageDetail], own: frozenset[str]) -> MessageDetail | None:
    """The message that an answer is to where nobody chose another: the customer's newest that a
    person wrote, else their newest, else ours. What was taken back never reached anybody, what is
    said aside is not said to the customer, and what came in and only says that it is from us
    (``own``, in lower case) comes last.
    """
    for direction in (Direction.IN, Direction.OUT):
        fits = [
            message
            for message in messages
            if message.direction == direction
            and message.delivery != OutboxState.CANCELLED
            and not message.aside
        ]
        if fits:
            return max(
                fits, key=lambda m: (not m.automatic, m.from_address.lower() not in own, m.id)
            )
    return None


def last_answer(messages: Sequence[MessageDetail], aside: bool = False) -> MessageDetail | None:
    """Our newest answer on a ticket that was not taken back."""
    fits = [
        message
        for message in messages
        if message.direction == Direction.OUT
        and message.delivery != OutboxState.CANCELLED
        and message.aside == aside
    ]
    return max(fits, key=lambda message: message.id, default=None)


def chat_of(answered: Answered) -> tuple[Party, ...]:
    """Where an answer in a chat goes: to the place that was written in."""
    if answered.reply_to:
        return answered.reply_to[:1]
    first = answered.to[:1] if answered.was_ours else (answered.sender,)
    return tuple(party for party in first if party.address)


def recipients_of(
    answered: Answered, own: frozenset[str], reply_all: bool
) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """Who gets the answer, as (To, Cc): Reply-To, else From (RFC 5322, section 3.6.3).

    For all, also To and Cc without our own addresses.

    ``own`` are our addresses in lower case. An answer to a message of ours goes to those it went
    to. Raises Refusal when nobody is left.
    """
    seen: set[str] = set()
    to = _others(_first(answered, own), own, seen)
    cc: tuple[Party, ...] = ()
    if reply_all:
        rest = answered.cc if answered.was_ours else (*answered.to, *answered.cc)
        cc = _others(rest, own, seen)
    if not to:
        raise Refusal(
            "the message has no address to answer: give the recipient yourself (To) and send again"
        )
    return to, cc


def _first(answered: Answered, own: frozenset[str]) -> tuple[Party, ...]:
    """Who is answered."""
    if answered.was_ours:
        return answered.to
    sender = () if _is_left_out(answered.sender, own) else (answered.sender,)
    asked = tuple(party for party in answered.reply_to if not _is_left_out(party, own))
    if not asked:
        # A Reply-To that names only ourselves asks us to write to ourselves.
        return sender
    addressed = {party.address.lower() for party in (*answered.to, *answered.cc)}
    if sender and all(party.address.lower() in addressed for party in asked):
        # A Reply-To of where the mail went anyway is a list's doing, not the writer's: what is
        # meant for one person would go to everybody on the list.
        return sender
    return asked


def _is_left_out(party: Party, own: frozenset[str]) -> bool:
    return "@" not in party.address or is_ours(party.address, own)


def _others(parties: Sequence[Party], own: frozenset[str], seen: set[str]) -> tuple[Party, ...]:
    return unique((party for party in parties if not _is_left_out(party, own)), seen)


def sender_of(answered: Answered | None, account: ChannelSettings) -> str:
    """The address of the account that an answer comes from: the one that was written to (an answer
    from another would be a stranger's), else the account's own.
    """
    ours = {address.lower(): address for address in (account.address, *account.aliases) if address}
    if answered is not None:
        written_to = (answered.sender,) if answered.was_ours else (*answered.to, *answered.cc)
        for party in written_to:
            plain = party.address.lower()
            local, _, domain = plain.rpartition("@")
            for known in (plain, f"{local.partition('+')[0]}@{domain}"):
                if known in ours:
                    return ours[known]
    return account.address


@dataclass(frozen=True, slots=True)
class Difference:
    """How the recipients of one header differ from those of the last answer."""

    header: str
    """To, Cc or Bcc"""
    new: tuple[str, ...]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        """``Cc +1 new: bob@agency``, ``Cc -1: bob@agency``, ``To changed: a@x instead of b@x``."""
        new, gone = ", ".join(self.new), ", ".join(self.gone)
        if self.header == "To" and new and gone:
            return f"To changed: {new} instead of {gone}"
        words = [f"+{len(self.new)} new: {new}"] if new else []
        words += [f"-{len(self.gone)}: {gone}"] if gone else []
        return f"{self.header} {' '.join(words)}"


Three = tuple[Sequence[str], Sequence[str], Sequence[str]]
"""The addresses of To, Cc and Bcc."""


def difference(before: Three, now: Three) -> tuple[Difference, ...]:
    """What differs from the last answer, header by header; empty where nothing does."""
    found = []
    for header, old, new in zip(("To", "Cc", "Bcc"), before, now, strict=True):
        olds, news = ({address.lower() for address in each} for each in (old, new))
        added = tuple(address for address in new if address.lower() not in olds)
        gone = tuple(address for address in old if address.lower() not in news)
        if added or gone:
            found.append(Difference(header, added, gone))
    return tuple(found)
