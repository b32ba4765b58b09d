"""What happens because time has passed: clocks at risk and breached, snoozes that end, escalations
that nobody accepted, tickets that wait in a group for somebody to be free.

Nothing here depends on the process having been up: what is due is a column, and a late pass tells
it all the same, once.
"""

from __future__ import annotations

from datetime import datetime

from workflow.desk import Desk
from workflow.escalation import climb_due
from workflow.model import ENGINE, ClockState, rfc3339
from workflow.remaking import remake_stale
from workflow.routing.assign import hand_out
from workflow.store.statements import col, or_, select
from workflow.store.tables import ClockMark, ClockRow, Ticket
from workflow.triggers.due import act_on_time

__all__ = ["fire_due"]

_BATCH = 200
_LATE = (ClockState.PAUSED.value, ClockState.MISSED.value)


def fire_due(desk: Desk) -> int:
    """Tell everything that is due by now, in batches; the number of events written.

    Clocks that were made by other policies or calendars than those of now are made anew first.
    """
    remake_stale(desk)
    fired = 0
    while True:
        told = _tell_clocks(desk) + _tell_marks(desk) + _wake(desk) + _climb(desk) + _hand_out(desk)
        acted = act_on_time(desk)
        fired += told + acted
        if told < _BATCH and not acted:
            return fired


def _tell_clocks(desk: Desk) -> int:
    with desk.engine_work() as transaction:
        now = transaction.now
        rows = transaction.session.exec(
            select(ClockRow)
            .where(
                or_(
                    (col(ClockRow.warn_at) <= now) & ~col(ClockRow.at_risk_told),
                    (col(ClockRow.due_at) <= now) & ~col(ClockRow.breached_told),
                    # Nobody looked while it ran out: it stands still or was met too late by now.
                    (col(ClockRow.state).in_(_LATE) & (col(ClockRow.remaining_s) <= 0))
                    & ~col(ClockRow.breached_told),
                ),
            )
            .order_by(col(ClockRow.ticket_id), col(ClockRow.metric))
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
            late = row.remaining_s <= 0 if row.due_at is None else row.due_at <= now
            names = [] if row.at_risk_told else ["sla.at_risk"]
            if late and not row.breached_told:
                names.append("sla.breached")
            for name in names:
                transaction.record(name, row.ticket_id, ENGINE, f"policy:{row.policy}", data)
            told += len(names)
        return told


def _tell_marks(desk: Desk) -> int:
    """Tell each rule, once, that a clock has come to the moment it waits for."""
    with desk.engine_work() as transaction:
        rows = transaction.session.exec(
            select(ClockMark)
            .where(col(ClockMark.at) <= transaction.now)
            .order_by(col(ClockMark.at), col(ClockMark.ticket_id))
            .limit(_BATCH)
        ).all()
        for row in rows:
            data = {
                "rule": row.rule,
                "metric": row.metric,
                "after_s": row.after_s,
                "reached_at": _text(row.at),
            }
            transaction.record("sla.mark", row.ticket_id, ENGINE, f"clock of {row.rule}", data)
        return len(rows)


def _wake(desk: Desk) -> int:
    with desk.engine_work() as transaction:
        rows = transaction.session.exec(
            select(Ticket).where(col(Ticket.snoozed_until) <= transaction.now).limit(_BATCH)
        ).all()
        for ticket in rows:
            transaction.record(
                "ticket.woken",
                ticket.id,
                ENGINE,
                "timer",
                {"until": _text(ticket.snoozed_until)},
            )
            ticket.snoozed_until = None
            transaction.session.add(ticket)
        return len(rows)


def _climb(desk: Desk) -> int:
    with desk.engine_change("timer") as context:
        return climb_due(context, _BATCH)


def _hand_out(desk: Desk) -> int:
    """Give tickets that wait in a group to whoever is back or has room again."""
    if all(group.assign == "manual" for group in desk.settings.groups):
        return 0
    with desk.engine_change("timer") as context:
        return hand_out(context)


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment)
