"""The way out: which message may leave now, and what became of it.

One row is one Message-ID is at most one send.

The states and who moves them: held, scheduled and queued become sending when the engine claims
them; sending becomes sent, queued again (a fault that passes), or failed (a person decides). A
claim whose holder died is looked at by :func:`recover`: if the last bytes cannot have left, it is
queued again; if they may have, it is failed and says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workflow.desk import Desk
from workflow.mail_reports import settle_sent
from workflow.model import ENGINE, OutboxState
from workflow.store.statements import col, or_, select
from workflow.store.store import Transaction
from workflow.store.tables import Message, MessageAlias, Outbox

__all__ = [
    "UNKNOWN_FATE",
    "Claim",
    "claim",
    "mark_copied",
    "mark_failed",
    "mark_part",
    "mark_past_the_dot",
    "mark_retry",
    "mark_sent",
    "recover",
    "uncopied",
]

_BACKOFF_S = (30, 60, 120, 300, 600, 1200, 1800, 3600)
_ATTEMPTS = 40
"""With the pauses above about a day and a half; then a person is asked."""

UNKNOWN_FATE = (
    "the connection broke after the whole mail was handed over and before the server answered: it may have been sent."
    " Ask the customer or look into the server's log, then retry (sends it again) or cancel"
)


UNKNOWN_PART = (
    "deskhand was stopped after a part of it was handed over and before the server answered: it may have been sent."
    " Look into the chat, or ask the customer; then retry (sends it again) or cancel"
)
"""The same for a chat, where what was sent before that part is known."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send now."""

    id: int
    ticket: int
    account: str
    channel: str
    recipients: tuple[str, ...]
    message_id: str
    raw_sha256: str
    attempts: int
    sent_at: datetime | None
    from_address: str
    parts_done: int = 0


def claim(desk: Desk, holder: str, accounts: Sequence[str], limit: int = 20) -> list[Claim]:
    """Take what is due for these accounts; nobody else can take it from then on."""
    with desk.engine_work() as transaction:
        session, now = transaction.session, transaction.now
        rows = session.exec(
            select(Outbox)
            .where(
                col(Outbox.state).in_(["held", "scheduled", "queued"]),
                col(Outbox.due_at) <= now,
                col(Outbox.account).in_(accounts),
            )
            .order_by(col(Outbox.due_at), col(Outbox.id))
            .limit(limit)
        ).all()
        claims = []
        for row in rows:
            message = session.get(Message, row.message_row)
            assert message is not None
            row.claimed_by, row.past_the_dot = holder, False
            row.attempts += 1
            _move(transaction, row, OutboxState.SENDING, "send.started", {"attempt": row.attempts})
            claims.append(_claim(row, message))
        return claims


def _claim(row: Outbox, message: Message) -> Claim:
    assert row.id is not None
    return Claim(
        id=row.id,
        ticket=row.ticket_id,
        account=row.account,
        channel=row.channel,
        recipients=tuple(row.recipients),
        message_id=row.message_id,
        raw_sha256=row.raw_sha256,
        attempts=row.attempts,
        sent_at=row.sent_at,
        from_address=message.from_address,
        parts_done=row.parts_done,
    )


def mark_past_the_dot(desk: Desk, item: int, holder: str) -> bool:
    """Note that the last bytes are about to leave.

    False if the item is no longer ours, then they must not.
    """
    with desk.engine_work() as transaction:
        row = transaction.session.get(Outbox, item)
        if row is None or row.state != OutboxState.SENDING or row.claimed_by != holder:
            return False
        row.past_the_dot = True
        transaction.session.add(row)
        return True


def mark_part(desk: Desk, item: int, ids: Sequence[str] = ()) -> None:
    """One more part of it was taken; ``ids`` are the names that the channel has for it."""
    with desk.engine_work() as transaction:
        row = _row(transaction, item)
        row.parts_done += 1
        row.past_the_dot = False
        transaction.session.add(row)
        known = transaction.session.exec(
            select(MessageAlias.alias).where(col(MessageAlias.alias).in_(ids))
        ).all()
        transaction.session.add_all(
            MessageAlias(alias=name, message_row=row.message_row)
            for name in dict.fromkeys(ids)
            if name not in known
        )


def mark_sent(
    desk: Desk, item: int, answer: str, at: datetime | None = None, note: str | None = None
) -> None:
    """The server has taken it: only now do the clocks that wait for an answer stop.

    ``note`` is a sentence about recipients that the server refused while it took the mail for the
    others.
    """
    with desk.engine_work() as transaction:
        row = _row(transaction, item)
        row.sent_at = at or transaction.now
        row.error = note
        data = (
            {"answer": answer[:200]} if note is None else {"answer": answer[:200], "refused": note}
        )
        _move(transaction, row, OutboxState.SENT, "send.accepted", data)
        message = transaction.session.get(Message, row.message_row)
        assert message is not None
        transaction.record(
            "message.sent",
            row.ticket_id,
            ENGINE,
            "send",
            {
                "message": row.message_row,
                "human": message.agent is not None and not message.aside and not message.automatic,
                "by": message.agent,
                **({"aside": True} if message.aside else {}),
            },
            at=row.sent_at,
        )
        settle_sent(transaction, message)


def mark_retry(
    desk: Desk,
    item: int,
    error: str,
    *,
    holder: str | None = None,
    wait_s: float | None = None,
) -> None:
    """A fault that passes: queue it again after a pause that grows (or the ``wait_s`` seconds that
    the server asked for), or fail it when it has been tried for long enough.

    Nothing happens to an item that is not being sent any more, or (with ``holder``) by somebody
    else by now: it was settled, and to queue it again might send it twice.
    """
    with desk.engine_work() as transaction:
        row = _row(transaction, item)
        if not _is_ours(row, holder):
            return
        row.error, row.claimed_by, row.past_the_dot = error, None, False
        if row.attempts >= _ATTEMPTS:
            row.error = f"given up after {row.attempts} attempts; the last error: {error}"
            _move(transaction, row, OutboxState.FAILED, "send.failed", {"error": row.error})
            return
        pause = _BACKOFF_S[min(row.attempts, len(_BACKOFF_S)) - 1]
        if wait_s is not None:
            pause = math.ceil(wait_s)
        row.due_at = transaction.now + timedelta(seconds=pause)
        data = {"error": error, "seconds": pause}
        _move(transaction, row, OutboxState.QUEUED, "send.postponed", data)


def mark_failed(desk: Desk, item: int, error: str, *, holder: str | None = None) -> None:
    """A fault that stays, or a fate that is unknown: a person decides.

    Nothing happens to an item that is not ours any more, as in :func:`mark_retry`.
    """
    with desk.engine_work() as transaction:
        row = _row(transaction, item)
        if not _is_ours(row, holder):
            return
        row.error, row.claimed_by = error, None
        _move(transaction, row, OutboxState.FAILED, "send.failed", {"error": error})


def _is_ours(row: Outbox, holder: str | None) -> bool:
    return row.state == OutboxState.SENDING and holder in (None, row.claimed_by)


def mark_copied(desk: Desk, item: int, error: str | None = None) -> None:
    """The copy lies in the Sent folder, or why it does not."""
    with desk.engine_work() as transaction:
        row = _row(transaction, item)
        row.copy_error = error
        if error is None:
            row.copied_at = transaction.now
        transaction.session.add(row)


def uncopied(desk: Desk, accounts: Sequence[str], limit: int = 50) -> list[Claim]:
    """What was sent and whose copy is not yet in the Sent folder."""
    with desk.engine_work() as transaction:
        rows = transaction.session.exec(
            select(Outbox, Message)
            .join(Message, col(Message.id) == col(Outbox.message_row))
            .where(
                col(Outbox.state) == OutboxState.SENT.value,
                col(Outbox.copied_at).is_(None),
                col(Outbox.copy_error).is_(None),
                col(Outbox.account).in_(accounts),
            )
            .order_by(col(Outbox.id))
            .limit(limit)
        ).all()
        return [_claim(row, message) for row, message in rows]


def recover(desk: Desk, holder: str, accounts: Sequence[str]) -> int:
    """Settle what a dead holder was sending on these accounts (their lease is ours).

    The number of items settled.
    """
    with desk.engine_work() as transaction:
        rows = transaction.session.exec(
            select(Outbox).where(
                col(Outbox.state) == OutboxState.SENDING.value,
                col(Outbox.account).in_(accounts),
                or_(col(Outbox.claimed_by).is_(None), col(Outbox.claimed_by) != holder),
            )
        ).all()
        for row in rows:
            row.claimed_by = None
            if row.past_the_dot:
                row.error = UNKNOWN_FATE if row.channel == "email" else UNKNOWN_PART
                _move(transaction, row, OutboxState.FAILED, "send.failed", {"error": row.error})
            else:
                row.due_at = transaction.now
                _move(
                    transaction,
                    row,
                    OutboxState.QUEUED,
                    "send.postponed",
                    {"error": "the sender was stopped", "seconds": 0},
                )
        return len(rows)


def _row(transaction: Transaction, item: int) -> Outbox:
    row = transaction.session.get(Outbox, item)
    assert row is not None
    return row


def _move(
    transaction: Transaction, row: Outbox, state: OutboxState, event: str, data: dict[str, Any]
) -> None:
    message = transaction.session.get(Message, row.message_row)
    assert message is not None
    transaction.record(
        event,
        row.ticket_id,
        ENGINE,
        "send",
        {
            "outbox": row.id,
            "message": row.message_row,
            "before": row.state,
            "after": state.value,
            **data,
        },
    )
    row.state = message.delivery = state.value
    transaction.session.add_all([row, message])
