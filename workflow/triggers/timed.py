"""Rules that time fires: so long after an event, or at times that come again. Each is a row with its
due time, which goes in the transaction of what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo

from workflow.apply import Context
from workflow.calendars import ALWAYS, Calendar, CalendarError, WorkingTime
from workflow.caps import span_words
from workflow.query.context import Context as Asking
from workflow.query.sql import compile_sql
from workflow.store.statements import col, select
from workflow.store.tables import Event, RuleTimer, Ticket
from workflow.triggers.asked import Asked
from workflow.triggers.events import Happening
from workflow.triggers.firing import FIRED, fire
from workflow.triggers.occasion import Occasion
from workflow.triggers.rule import OF_POLICY, Rule

__all__ = ["call_off", "fire_timers", "keep_schedules", "start_timer"]

_MOST_AT_A_TIME = 1_000


def start_timer(context: Context, rule: Rule, happening: Happening) -> None:
    """Wait from an event on; a newer one of the same ticket starts the time anew."""
    if happening.ticket is None:
        return
    assert rule.delay_s is not None
    try:
        due = _calendar(context, rule, happening.ticket).due(happening.at, rule.delay_s)
    except CalendarError:
        return
    row = _timer(context, rule, happening.ticket)
    if row is None:
        row = RuleTimer(
            rule=rule.name, ticket_id=happening.ticket, due_at=due, started_at=happening.at
        )
    row.due_at, row.started_at, row.event_id = due, happening.at, happening.id
    context.transaction.session.add(row)
    context.transaction.session.flush()


def call_off(context: Context, rule: Rule, happening: Happening) -> None:
    """What the rule waited for has come to nothing."""
    row = _timer(context, rule, happening.ticket) if happening.ticket is not None else None
    if row is not None and (row.event_id or 0) < happening.id:
        context.transaction.session.delete(row)
        context.transaction.session.flush()


def _timer(context: Context, rule: Rule, ticket: int | None) -> RuleTimer | None:
    return context.transaction.session.exec(
        select(RuleTimer).where(
            col(RuleTimer.rule) == rule.name,
            col(RuleTimer.ticket_id).is_(None)
            if ticket is None
            else col(RuleTimer.ticket_id) == ticket,
        )
    ).first()


def _calendar(context: Context, rule: Rule, ticket: int | None) -> Calendar:
    """The calendar in which a rule counts; around the clock where there is none of the name."""
    calendars = context.rules.calendars
    if rule.calendar != OF_POLICY:
        return calendars.get(rule.calendar, ALWAYS)
    row = context.transaction.session.get(Ticket, ticket)
    found = context.rules.policies.named(row.policy) if row is not None else None
    return found.calendar if found is not None else ALWAYS


def keep_schedules(context: Context, rules: Iterable[Rule]) -> None:
    """Make the next time of each rule that comes at times a row; take away those of other rules."""
    session = context.transaction.session
    rows = session.exec(select(RuleTimer).where(col(RuleTimer.ticket_id).is_(None))).all()
    known = {row.rule: row for row in rows}
    for rule in rules:
        assert rule.every is not None
        zone = _zone(_calendar(context, rule, None))
        row = known.pop(rule.name, None)
        if row is not None and row.due_at == rule.every.next(row.started_at, zone):
            continue
        _schedule(context, rule, row or RuleTimer(
            rule=rule.name, due_at=context.now, started_at=context.now
        ))  # fmt: skip
    for row in known.values():
        session.delete(row)
    session.flush()


def _schedule(context: Context, rule: Rule, row: RuleTimer) -> None:
    assert rule.every is not None
    zone = _zone(_calendar(context, rule, None))
    row.started_at, row.due_at = context.now, rule.every.next(context.now, zone)
    context.transaction.session.add(row)


def _zone(calendar: Calendar) -> tzinfo:
    return calendar.hours.zone if isinstance(calendar, WorkingTime) else UTC


def fire_timers(context: Context, known: Mapping[str, Rule], limit: int) -> int:
    """Do what is due; the number of rows that were settled. A rule that is gone fires nothing."""
    session = context.transaction.session
    rows = session.exec(
        select(RuleTimer)
        .where(col(RuleTimer.due_at) <= context.now)
        .order_by(col(RuleTimer.due_at), col(RuleTimer.id))
        .limit(limit)
    ).all()
    asked = Asked(context.transaction, known.values())
    for row in rows:
        rule = known.get(row.rule)
        if row.ticket_id is None and rule is not None and rule.every is not None:
            # A pass that comes late makes up for one time, not for each that was missed.
            _schedule(context, rule, row)
            session.flush()
            _come_round(context, rule, asked)
            continue
        number, event = row.ticket_id, row.event_id
        session.delete(row)
        session.flush()
        if rule is None:
            continue
        if rule.every is not None:
            fire(context, Occasion(rule, f"every {rule.every.text}", ticket=number), asked)
        elif rule.delay_s is not None:
            fire(context, _after(context, rule, number, event), asked)
    return len(rows)


def _come_round(context: Context, rule: Rule, asked: Asked) -> None:
    """A time that comes again: each ticket that matches gets a row that is due at once, so that
    many are settled in several short transactions; a digest tells of all of them.
    """
    assert rule.every is not None
    asking = compile_sql(rule.when, Asking(None, context.now))
    most = min(rule.cap.count, _MOST_AT_A_TIME)
    numbers = [
        int(number)
        for (number,) in context.transaction.raw.execute(
            f"SELECT id FROM ticket WHERE {asking.where} ORDER BY due_rank, urgency_rank, id LIMIT ?",
            (*asking.params, most),
        )
    ]
    if rule.digest:
        if numbers:
            fire(context, Occasion(rule, f"every {rule.every.text}", tickets=tuple(numbers)), asked)
        return
    waiting = set(
        context.transaction.session.exec(
            select(RuleTimer.ticket_id).where(col(RuleTimer.rule) == rule.name)
        )
    )
    for number in numbers:
        if number not in waiting:
            context.transaction.session.add(
                RuleTimer(
                    rule=rule.name, ticket_id=number, due_at=context.now, started_at=context.now
                )
            )
    context.transaction.session.flush()


def _after(context: Context, rule: Rule, ticket: int | None, event: int | None) -> Occasion:
    row = context.transaction.session.get(Event, event) if event is not None else None
    words = " or ".join(rule.on)
    chain: tuple[str, ...] = ()
    if row is not None and row.change_id is not None:
        fired = context.transaction.session.exec(
            select(Event.data).where(
                col(Event.change_id) == row.change_id, col(Event.name) == FIRED
            )
        )
        chain = next((tuple(data.get("chain", ())) for data in fired), ())
    return Occasion(
        rule,
        f"{span_words(rule.delay_s or 0)} after {words}",
        ticket=ticket,
        event=event,
        chain=chain,
        data=row.data if row is not None else {},
    )
