"""Loops are stopped by counting: too many messages of one kind in a time are kept out, with the
numbers.

What counts is in docs/held.md. Everything is counted for a whole batch with a fixed number of
statements, none for a batch in which nothing has just come in by mail; what is held counts as what
was let in, so that a loop that goes on stays out.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workflow.cap_settings import Cap, Caps
from workflow.inbound import Inbound
from workflow.model import Direction
from workflow.store.statements import col, columns, text
from workflow.store.store import Transaction
from workflow.store.tables import Held, Message

__all__ = ["CAP", "Counts", "count_recent", "is_live", "span_words"]

CAP = "cap"
"""The first word of the cause of what a cap holds."""

_LIVE = timedelta(days=1)
"""What a server has had for longer is no loop that goes on: a desk that was away takes it in."""

_CHUNK = 800
_ANSWER = re.compile(
    r"(?:(?:re|aw|sv|vs|antw|odp|fwd?|wg|tr|auto|automatic reply|autoreply|out of office)\s*:\s*)+",
    re.IGNORECASE,
)

Key = tuple[str, ...]


@dataclass(slots=True)
class Counts:
    """When messages came in, by what they have in common; the batch adds its own."""

    caps: Caps
    now: datetime
    times: dict[Key, list[datetime]] = field(default_factory=dict)

    def judge(self, item: Inbound, ticket: int | None) -> tuple[str, str] | None:
        """The cap that a message would break on the ticket that it answers (None: on a new one), as
        a cause and its numbers; None if it breaks none.
        """
        if not is_live(item, self.now):
            return None
        for name, key, caps, what in self._kinds(item, ticket):
            times = self.times.get(key, [])
            for cap in caps:
                since = item.reached_at - timedelta(seconds=cap.seconds)
                count = len(times) - bisect_right(times, since) + 1
                if count > cap.count:
                    return f"{CAP} {name}", _evidence(count, what, cap)
        return None

    def add(self, item: Inbound, ticket: int | None, *, joined: bool) -> None:
        """Count a message that was let in, or held (``ticket`` is then the one it answers)."""
        if is_live(item, self.now):
            for key in _keys(item, ticket, joined):
                insort(self.times.setdefault(key, []), item.reached_at)

    def _kinds(
        self, item: Inbound, ticket: int | None
    ) -> Iterator[tuple[str, Key, Sequence[Cap], str]]:
        """The caps that apply to a message: their names, what they count, and that in words."""
        address = item.sender.address
        words = {
            "ticket": ("on a ticket", f"automatic messages on #{ticket}"),
            "subject": ("on a subject", f"automatic messages from {address} with the same subject"),
            "answers": ("on a sender", f"automatic answers from {address}"),
            "sender": ("on a sender", f"automatic messages from {address}"),
            "person": ("on a sender", f"answers from {address}"),
            "desk": ("of the desk", "automatic messages in all"),
        }
        for key in _keys(item, ticket, ticket is not None):
            name, what = words[key[0]]
            yield name, key, getattr(self.caps, key[0]), what


def is_live(item: Inbound, now: datetime) -> bool:
    """Whether a message counts: just received, by mail, from somebody else.

    A conversation (a chat) has its own rules, and what was imported or came before the cut-off date
    is history.
    """
    if item.own or item.conversation or item.before_cutoff or item.edits or item.deletes:
        return False
    return not item.source.position or now - item.reached_at < _LIVE


def _keys(item: Inbound, ticket: int | None, joined: bool) -> list[Key]:
    keys = _sender_keys(
        item.sender.address,
        ticket if joined else None,
        item.automatic,
        bool(item.bounce),
        item.subject,
    )
    if item.automatic:
        if ticket is not None:
            keys.insert(0, ("ticket", str(ticket)))
        keys.append(("desk",))
    return keys


def _sender_keys(
    address: str, ticket: int | None, automatic: bool, report: bool, subject: str
) -> list[Key]:
    """What a message is counted by on its sender; ``ticket`` is the one that it answers.

    A mail server speaks of many mails, so its reports of delivery (``report``) are left out.
    """
    address = address.lower()
    if not address or report:
        return []
    answers = ticket is not None
    if not automatic:
        return [("person", address)] if answers else []
    found = [("subject", address, _folded(subject), str(ticket or "new"))]
    return [*found, *([("answers", address)] if answers else []), ("sender", address)]


def _folded(subject: str) -> str:
    """A subject by which the turns of a loop are the same."""
    bare = " ".join(subject.casefold().split())
    match = _ANSWER.match(bare)
    return bare[match.end() :] if match else bare


def _evidence(count: int, what: str, cap: Cap) -> str:
    return f"{count} {what} within {span_words(cap.seconds)}, the cap is {cap.count}"


def span_words(seconds: int) -> str:
    """A time in the largest whole unit: ``10 minutes``, ``3 hours``."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            number = seconds // size
            return f"{number} {word}{'s' if number != 1 else ''}"
    return f"{seconds} seconds"


def count_recent(
    transaction: Transaction, items: Sequence[Inbound], tickets: Sequence[int], caps: Caps
) -> Counts:
    """Count what came before a batch, as far as its messages ask for it; ``tickets`` are those that
    they may answer.
    """
    counts = Counts(caps, transaction.now)
    live = [item for item in items if is_live(item, transaction.now)]
    if not live:
        return counts
    oldest = min(item.reached_at for item in live)
    since = oldest - timedelta(seconds=caps.longest_s)
    senders = sorted({item.sender.address for item in live if item.sender.address})
    for start in range(0, len(senders), _CHUNK):
        _count_senders(counts, transaction, senders[start : start + _CHUNK], since)
    if any(item.automatic for item in live):
        for start in range(0, len(tickets), _CHUNK):
            _count_tickets(counts, transaction, tickets[start : start + _CHUNK], since)
        longest = max((cap.seconds for cap in caps.desk), default=0)
        _count_desk(counts, transaction, oldest - timedelta(seconds=longest))
    for times in counts.times.values():
        times.sort()
    return counts


_IS_AUTOMATIC = text("message.automatic")
"""As its index has it, which no bound value would find."""
_IS_AUTOMATIC_HELD = text("held.automatic")
_WAS_KEPT = col(Held.state) != "released"
"""What was released counts as the message that it is by now."""


def _count_senders(
    counts: Counts, transaction: Transaction, senders: Sequence[str], since: datetime
) -> None:
    rows = [
        *transaction.connection.execute(
            columns(
                col(Message.from_address),
                col(Message.ticket_id),
                col(Message.matched_by),
                col(Message.automatic),
                col(Message.bounce).is_not(None),
                col(Message.subject),
                col(Message.at),
            ).where(
                col(Message.from_address).in_(senders),
                col(Message.at) > since,
                col(Message.direction) == Direction.IN.value,
            )
        ),
        *transaction.connection.execute(
            columns(
                col(Held.sender),
                col(Held.ticket_id),
                col(Held.cause),
                col(Held.automatic),
                col(Held.report),
                col(Held.subject),
                col(Held.reached_at),
            ).where(col(Held.sender).in_(senders), col(Held.reached_at) > since, _WAS_KEPT)
        ),
    ]
    for address, ticket, matched_by, automatic, report, subject, at in rows:
        joined = None if matched_by == "new" else ticket
        for key in _sender_keys(address, joined, automatic, report, subject):
            counts.times.setdefault(key, []).append(at)


def _count_tickets(
    counts: Counts, transaction: Transaction, tickets: Sequence[int], since: datetime
) -> None:
    for ticket, at in (
        *transaction.connection.execute(
            columns(col(Message.ticket_id), col(Message.at)).where(
                col(Message.ticket_id).in_(tickets),
                _IS_AUTOMATIC,
                col(Message.direction) == Direction.IN.value,
                col(Message.at) > since,
            )
        ),
        *transaction.connection.execute(
            columns(col(Held.ticket_id), col(Held.reached_at)).where(
                col(Held.ticket_id).in_(tickets),
                col(Held.automatic),
                col(Held.reached_at) > since,
                _WAS_KEPT,
            )
        ),
    ):
        counts.times.setdefault(("ticket", str(ticket)), []).append(at)


def _count_desk(counts: Counts, transaction: Transaction, since: datetime) -> None:
    found = counts.times.setdefault(("desk",), [])
    for rows in (
        transaction.connection.execute(
            columns(col(Message.at)).where(
                _IS_AUTOMATIC,
                col(Message.at) > since,
                col(Message.direction) == Direction.IN.value,
            )
        ),
        transaction.connection.execute(
            columns(col(Held.reached_at)).where(
                _IS_AUTOMATIC_HELD, col(Held.reached_at) > since, _WAS_KEPT
            )
        ),
    ):
        found.extend(at for (at,) in rows if at is not None)
