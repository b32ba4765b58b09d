"""Moving a ticket up, with what the next person needs to know."""

from __future__ import annotations

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, Refusal, UsageError
from workflow.plaintext import one_line, printable
from workflow.store.statements import col, select
from workflow.store.tables import Escalation, Group, Ticket

__all__ = ["escalate"]


@applies(a.Escalate)
def escalate(context: Context, action: a.Escalate) -> Result:
    """Move a ticket up: to the level that was named, else to the next one the team has.

    The clocks go on.
    """
    session = context.transaction.session
    ticket = context.transaction.ticket(action.ticket)
    if not action.reason.strip():
        raise UsageError(
            "an escalation needs a reason: give --reason, for example technical or manager"
        )
    level, group = _target_level(context, ticket, action.to_level)
    before = {"group": ticket.group_name, "level": ticket.level, "assignee": ticket.assignee}
    ended = session.exec(
        select(Escalation).where(
            col(Escalation.ticket_id) == ticket.id, col(Escalation.ended_at).is_(None)
        )
    ).all()
    for earlier in ended:
        earlier.ended_at = context.now
        session.add(earlier)
    row = Escalation(
        ticket_id=action.ticket,
        at=context.now,
        by=context.actor.wire,
        from_level=ticket.level,
        to_level=level,
        reason=one_line(action.reason, 80),
        tried=printable(action.tried),
        needed=printable(action.needed),
        wanted_by=action.wanted_by,
        promised=printable(action.promised),
    )
    session.add(row)
    session.flush()
    escalated_before = ticket.escalated_to
    ticket.level, ticket.escalated_to, ticket.assignee = level, level, None
    ticket.group_name = group or ticket.group_name
    session.add(ticket)
    context.record(
        "ticket.escalated",
        ticket.id,
        {
            "escalation": row.id,
            "ended": [earlier.id for earlier in ended],
            "to": level,
            "reason": row.reason,
            "before": {**before, "escalated_to": escalated_before},
            "after": {"group": ticket.group_name, "level": level, "assignee": None},
        },
    )
    return Result(f"escalated #{ticket.id} to {level}", ticket.id)


def _target_level(context: Context, ticket: Ticket, wanted: str | None) -> tuple[str, str | None]:
    """The level to go to and a group that has it."""
    groups = context.transaction.session.exec(
        select(Group).where(col(Group.active)).order_by(col(Group.name))
    ).all()
    levels = context.settings.levels
    if wanted is None and levels:
        current = ticket.level or levels[0]
        later = levels[levels.index(current) + 1 :] if current in levels else levels[1:]
        if not later:
            raise Refusal(
                f"#{ticket.id} is already at {current}, the highest level: name another one with --to"
            )
        wanted = later[0]
    if wanted is None:
        raise NotFound(
            "this desk has no levels to escalate to: add [[group]] entries with a level to"
            " deskhand.toml"
        )
    for group in groups:
        if wanted.lower() in (group.level.lower(), group.name.lower()):
            return group.level, group.name
    known = ", ".join(levels) or "none: add [[group]] entries with a level to deskhand.toml"
    raise NotFound(f"no group has the level {wanted!r} (there are: {known})")
