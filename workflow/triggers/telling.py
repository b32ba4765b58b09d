"""Telling what was put down: each notice is taken by one process, and tried again after a fault that
passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workflow.apply import Context
from workflow.errors import NotFound, Refusal
from workflow.internal_mail import prepare
from workflow.internal_mail import tell as write_mail
from workflow.model import ENGINE
from workflow.plaintext import one_line
from workflow.store.statements import col, or_, select
from workflow.store.tables import Notice
from workflow.triggers.notices import DESKTOP, MAIL, PROGRAM

__all__ = ["Claimed", "claim_notices", "mail_due", "mark_told", "mark_untold"]

_CLAIM_S = 900
"""Longer than any of them may take: after it whoever claimed it is dead."""
_BACKOFF_S = (30, 60, 120, 300, 600, 1200, 1800, 3600)
_ATTEMPTS = 10
_DESKTOP_AGE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice that is ours to tell now."""

    id: int
    rule: str
    ticket: int | None
    kind: str
    target: Mapping[str, Any]
    body: Mapping[str, Any]
    attempts: int


def claim_notices(
    context: Context, kinds: Iterable[str], limit: int = 20, agent: str | None = None
) -> list[Claimed]:
    """Take what is due; nobody else gets it from then on. With ``agent`` only what is for them.

    What a process took and never finished: a webhook is told again, a program is not, since nobody
    knows how far it came.
    """
    session, now = context.transaction.session, context.now
    rows = session.exec(
        select(Notice)
        .where(
            or_(col(Notice.state) == "queued", col(Notice.state) == "sending"),
            col(Notice.kind).in_(list(kinds)),
            col(Notice.due_at) <= now,
        )
        .order_by(col(Notice.due_at), col(Notice.id))
        .limit(limit)
    ).all()
    found: list[Claimed] = []
    for row in rows:
        if agent is not None and row.target.get("agent") != agent:
            continue
        if row.state == "sending" and row.kind == PROGRAM:
            _fail(context, row, "deskhand was stopped while it ran: look what it has done")
            continue
        if row.kind == DESKTOP and now - row.due_at > _DESKTOP_AGE:
            row.state = "failed"
            row.error = "no console of theirs was open within 12 hours"
            session.add(row)
            continue
        row.state, row.attempts = "sending", row.attempts + 1
        row.due_at = now + timedelta(seconds=_CLAIM_S)
        session.add(row)
        assert row.id is not None
        found.append(
            Claimed(row.id, row.rule, row.ticket_id, row.kind, row.target, row.body, row.attempts)
        )
    return found


def mark_told(context: Context, number: int, answer: str) -> None:
    """It was told; ``answer`` is what came back, kept short in the event."""
    row = context.transaction.session.get(Notice, number)
    if row is None or row.state == "sent":
        return
    row.state, row.error, row.sent_at = "sent", None, context.now
    context.transaction.session.add(row)
    data = {"notice": row.id, "kind": row.kind, "rule": row.rule, "answer": one_line(answer, 300)}
    context.transaction.record("notice.sent", row.ticket_id, ENGINE, f"rule:{row.rule}", data)


def mark_untold(context: Context, number: int, error: str, *, passes: bool) -> None:
    """It was not told: tried again after a pause that grows where the fault passes."""
    row = context.transaction.session.get(Notice, number)
    if row is None or row.state != "sending":
        return
    if not passes or row.attempts >= _ATTEMPTS:
        _fail(context, row, error)
        return
    row.state, row.error = "queued", one_line(error, 300)
    pause = _BACKOFF_S[min(row.attempts, len(_BACKOFF_S)) - 1]
    row.due_at = context.now + timedelta(seconds=pause)
    context.transaction.session.add(row)


def _fail(context: Context, row: Notice, error: str) -> None:
    row.state, row.error = "failed", one_line(error, 300)
    context.transaction.session.add(row)
    data = {"notice": row.id, "kind": row.kind, "rule": row.rule, "error": row.error}
    context.transaction.record("notice.failed", row.ticket_id, ENGINE, f"rule:{row.rule}", data)


def mail_due(context: Context, limit: int) -> int:
    """Put the mails that are due into the outbox, each with its note; the number of notices."""
    claimed = claim_notices(context, [MAIL], limit)
    for notice in claimed:
        try:
            with context.transaction.attempt():
                _mail(context, notice)
        except (Refusal, NotFound) as fault:
            mark_untold(context, notice.id, str(fault), passes=False)
        else:
            mark_told(context, notice.id, f"mail to {', '.join(notice.target['to'])}")
    return len(claimed)


def _mail(context: Context, notice: Claimed) -> None:
    if notice.ticket is None:
        raise Refusal("there is no ticket on which the mail could be written")
    ticket = context.transaction.ticket(notice.ticket)
    telling = prepare(
        context,
        ticket,
        author=notice.rule,
        subject=str(notice.body["subject"]),
        text=str(notice.body["text"]),
        people=notice.target["to"],
    )
    if telling.mail is None:
        raise Refusal(telling.why_not or "it cannot be mailed")
    write_mail(context, ticket, telling)
