"""What happens because time has passed: clocks at risk and breached, snoozes that end.

Nothing here depends on the process having been up: what is due is a column, and a late pass tells
it all the same, once.
"""

from __future__ import annotations

from datetime import datetime

from workflow.desk import Desk
from workflow.model import rfc3339
from workflow.store.statements import col, or_, select
from workflow.store.tables import ClockRow, Ticket

__all__ = ["fire_due"]

_BATCH = 200


def fire_due(desk: Desk) -> int:
    """Tell everything that is due by now, in batches; the number of events written."""
    fired = 0
    while True:
        told = _tell_clocks(desk) + _wake(desk)
        fired += told
        if told < _BATCH:
            return fired


def _tell_clocks(desk: Desk) -> int:
    with desk.engine_work("timer") as work:
        transaction = work.transaction
        now = transaction.now
        rows = transaction.session.exec(
            select(ClockRow)
            .where(
                col(ClockRow.state) == "running",
                or_(
                    (col(ClockRow.warn_at) <= now) & ~col(ClockRow.at_risk_told),
                    (col(ClockRow.due_at) <= now) & ~col(ClockRow.breached_told),
                ),
            )
            .order_by(col(ClockRow.due_at))
            .limit(_BATCH)
        ).all()
        told = 0
        for row in rows:
            data = {
                "metric": row.metric,
                "policy": row.policy,
                "started_at": _text(row.started_at),
                "due_at": _text(row.due_at),
            }
            if not row.at_risk_told:
                transaction.record(
                    "sla.at_risk", row.ticket_id, work.actor, f"policy:{row.policy}", data
                )
                told += 1
            if row.due_at is not None and row.due_at <= now and not row.breached_told:
                transaction.record(
                    "sla.breached", row.ticket_id, work.actor, f"policy:{row.policy}", data
                )
                told += 1
        return told


def _wake(desk: Desk) -> int:
    with desk.engine_work("timer") as work:
        transaction = work.transaction
        rows = transaction.session.exec(
            select(Ticket).where(col(Ticket.snoozed_until) <= transaction.now).limit(_BATCH)
        ).all()
        for ticket in rows:
            transaction.record(
                "ticket.woken",
                ticket.id,
                work.actor,
                "timer",
                {"until": _text(ticket.snoozed_until)},
            )
            ticket.snoozed_until = None
            transaction.session.add(ticket)
        return len(rows)


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment)
