"""Moving a ticket up with what the next person needs to know, accepting it there, and the way back.

Nothing here touches a clock towards the customer: no event of it is one that clocks read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies, note_setter
from workflow.calendars import ALWAYS, Calendar
from workflow.errors import NotFound, Refusal, UsageError
from workflow.escalation_rules import FILE, Level
from workflow.internal_mail import prepare, tell
from workflow.model import Direction, Status, rfc3339
from workflow.packet import AUTHOR, Occasion, packet_subject, packet_text, span
from workflow.plaintext import one_line, printable
from workflow.settings import AgentSettings
from workflow.store.statements import col, select
from workflow.store.tables import Agent, Escalation, Event, Group, Message, Ticket
from workflow.triggers.notices import MAIL, tell_agents, when_told

__all__ = ["accept", "climb_due", "escalate", "hand_back"]


_OWNER = ("group", "level", "assignee")


@dataclass(frozen=True, slots=True)
class _Said:
    """What a packet is made of; a climb takes it over from the escalation that nobody accepted."""

    reason: str
    tried: str
    needed: str
    wanted_by: datetime | None
    promised: str
    climbed_from: int | None = None
    climbed: str = ""
    urgent: bool = True


@applies(a.Escalate)
def escalate(context: Context, action: a.Escalate) -> Result:
    """Move a ticket up: to the level that was named, else to the next one the team has.

    Its people are told, and have the level's time to accept. The clocks go on. Raises UsageError
    for a reason that the team does not have, NotFound for such a level, Refusal at the top.
    """
    ticket = context.transaction.ticket(action.ticket)
    said = _Said(
        _reason(context, action.reason),
        printable(action.tried).strip(),
        printable(action.needed).strip(),
        action.wanted_by,
        printable(action.promised).strip(),
        urgent=action.urgent,
    )
    level = _target_level(context, ticket, action.to_level)
    why_not = _move_up(context, ticket, level, said)
    note = f" ({why_not})" if why_not else ""
    return Result(f"escalated #{ticket.id} to {level.name}{note}", ticket.id)


@applies(a.Accept)
def accept(context: Context, action: a.Accept) -> Result:
    """Take an escalated ticket: its acknowledgement clock stops, and it is the agent's."""
    ticket = context.transaction.ticket(action.ticket)
    row = _open_escalation(context, ticket)
    who = context.actor.name or context.actor.kind
    if row.accepted_by == who:
        return Result(f"#{ticket.id} is already accepted by {who}", ticket.id)
    if row.accepted_by is not None:
        raise Refusal(
            f"#{ticket.id} was accepted by {row.accepted_by}: take it (assign), or hand it back"
        )
    before = ticket.assignee
    row.accepted_at, row.accepted_by = context.now, who
    setters: dict[str, dict[str, str]] = {}
    if context.actor.kind == "agent":
        ticket.assignee = who
        setters = note_setter(context, ticket, "assignee")
    context.transaction.session.add_all([row, ticket])
    context.record(
        "ticket.accepted",
        ticket.id,
        {
            "escalation": row.id,
            "level": row.to_level,
            "by": who,
            "before": {"assignee": before},
            "after": {"assignee": ticket.assignee},
            **setters,
        },
    )
    return Result(f"accepted #{ticket.id} at {row.to_level}", ticket.id)


@applies(a.HandBack)
def hand_back(context: Context, action: a.HandBack) -> Result:
    """Give a ticket back to group, level and assignee as they were before it was first moved up."""
    ticket = context.transaction.ticket(action.ticket)
    row = _open_escalation(context, ticket)
    home = _home(context, row, _owner(ticket))
    if home["assignee"] is not None:
        agent = context.transaction.session.get(Agent, home["assignee"])
        if agent is not None and not agent.active:
            # Who had it works here no more.
            home["assignee"] = None
    before = {**_owner(ticket), "escalated_to": ticket.escalated_to}
    row.ended_at = context.now
    ticket.group_name, ticket.level, ticket.assignee = (
        home["group"],
        home["level"],
        home["assignee"],
    )
    ticket.escalated_to = None
    setters = note_setter(context, ticket, *_OWNER)
    context.transaction.session.add_all([row, ticket])
    text = printable(action.note).strip()
    to = ", ".join(filter(None, (home["group"], home["assignee"]))) or "nobody"
    context.record(
        "ticket.handed_back",
        ticket.id,
        {
            "escalation": row.id,
            "from": row.to_level,
            "to": to,
            "note": text,
            "before": before,
            "after": home,
            **setters,
        },
    )
    _write_note(context, ticket, f"Handed back from {row.to_level} to {to}.", text)
    return Result(f"handed #{ticket.id} back to {to}", ticket.id)


def climb_due(context: Context, limit: int) -> int:
    """Tell the next level of each escalation that nobody has accepted in time, once; the number of
    events written. At the top it is told that nobody did, and the ticket stays.
    """
    rows = context.transaction.session.exec(
        select(Escalation, Ticket)
        .join(Ticket, col(Ticket.id) == col(Escalation.ticket_id))
        .where(
            col(Escalation.ended_at).is_(None),
            col(Escalation.accepted_at).is_(None),
            ~col(Escalation.ack_told),
            col(Escalation.ack_due_at) <= context.now,
            col(Ticket.status).not_in([Status.RESOLVED.value, Status.CLOSED.value]),
            col(Ticket.spam_at).is_(None),
            col(Ticket.merged_into).is_(None),
        )
        .order_by(col(Escalation.ack_due_at), col(Escalation.id))
        .limit(limit)
    ).all()
    return sum(_climb(context, row, ticket) for row, ticket in rows)


def _climb(context: Context, row: Escalation, ticket: Ticket) -> int:
    level = context.escalation.level(row.to_level)
    following = context.escalation.level(level.then) if level and level.then else None
    row.ack_told = True
    context.transaction.session.add(row)
    data = {
        "escalation": row.id,
        "level": row.to_level,
        "ack_due_at": rfc3339(row.ack_due_at),
        "next": following.name if following else None,
    }
    context.record("escalation.unacknowledged", ticket.id, data)
    if following is None:
        return 1
    assert row.ack_due_at is not None
    given = span(int((row.ack_due_at - row.at).total_seconds()))
    if level is not None and level.accept_within_s is not None:
        given = span(level.accept_within_s)
    said = _Said(
        row.reason,
        row.tried,
        row.needed,
        row.wanted_by,
        row.promised,
        climbed_from=row.id,
        climbed=f"Nobody of {row.to_level} accepted within {given}.",
        urgent=bool(_event_of(context, row).get("urgent", True)),
    )
    _move_up(context, ticket, following, said)
    return 2


def _move_up(context: Context, ticket: Ticket, level: Level, said: _Said) -> str | None:
    """Make the escalation, with its note and its mail; the reason why nobody could be told."""
    session = context.transaction.session
    assert ticket.id is not None
    earlier = session.exec(
        select(Escalation).where(
            col(Escalation.ticket_id) == ticket.id, col(Escalation.ended_at).is_(None)
        )
    ).all()
    before = _owner(ticket)
    home = _home(context, earlier[-1], before) if earlier else before
    for ended in earlier:
        ended.ended_at = context.now
        session.add(ended)
    within = level.accept_within_s
    row = Escalation(
        ticket_id=ticket.id,
        at=context.now,
        by=context.actor.wire,
        from_level=ticket.level,
        to_level=level.name,
        reason=said.reason,
        tried=said.tried,
        needed=said.needed,
        wanted_by=said.wanted_by,
        promised=said.promised,
        ack_due_at=None if within is None else _calendar(context, level).due(context.now, within),
        climbed_from=said.climbed_from,
    )
    session.add(row)
    session.flush()
    occasion = Occasion(row, level, said.climbed)
    telling = prepare(
        context,
        ticket,
        author=AUTHOR,
        subject=packet_subject(ticket, occasion),
        text=packet_text(context.transaction, ticket, occasion, context.rules.calendars),
        people=_people(context, level),
    )
    escalated_before = ticket.escalated_to
    ticket.level, ticket.escalated_to, ticket.assignee = level.name, level.name, None
    ticket.group_name = level.group or ticket.group_name
    setters = note_setter(context, ticket, *_OWNER)
    session.add(ticket)
    context.record(
        "ticket.escalated",
        ticket.id,
        {
            "escalation": row.id,
            "ended": [ended.id for ended in earlier],
            "to": level.name,
            "reason": row.reason,
            "climbed_from": said.climbed_from,
            "ack_due_at": rfc3339(row.ack_due_at),
            "told": list(telling.to),
            "not_told": telling.why_not,
            "home": home,
            "urgent": said.urgent,
            "before": {**before, "escalated_to": escalated_before},
            "after": {"group": ticket.group_name, "level": level.name, "assignee": None},
            **setters,
        },
    )
    agents = _agents(context, level)
    tell(context, ticket, telling, None if said.urgent else _when_mailed(context, level, agents))
    tell_agents(
        context,
        agents,
        {"subject": telling.subject, "text": telling.text},
        rule=context.actor.name or context.actor.kind,
        ticket=ticket.id,
        urgent=said.urgent,
        mail=False,
    )
    return telling.why_not


def _agents(context: Context, level: Level) -> list[AgentSettings]:
    """Those who work at a level."""
    agents = context.settings.agents
    return [agent for agent in agents if level.group is not None and level.group in agent.groups]


def _mailed(agent: AgentSettings) -> bool:
    return bool(agent.email) and any(way.kind == MAIL for way in agent.ways)


def _people(context: Context, level: Level) -> Iterable[str]:
    """The addresses of those at a level who are told by mail."""
    agents = [agent.email for agent in _agents(context, level) if _mailed(agent)]
    return (*agents, *level.notify)


def _when_mailed(context: Context, level: Level, agents: list[AgentSettings]) -> datetime:
    """When the packet leaves that is not urgent: once the first of those who get it is at work."""
    if level.notify:
        return context.now
    times = [when_told(context, agent) for agent in agents if _mailed(agent)]
    return min(times, default=context.now)


def _calendar(context: Context, level: Level) -> Calendar:
    return context.rules.calendars.get(level.calendar, ALWAYS)


def _owner(ticket: Ticket) -> dict[str, Any]:
    return {"group": ticket.group_name, "level": ticket.level, "assignee": ticket.assignee}


def _home(context: Context, row: Escalation, otherwise: dict[str, Any]) -> dict[str, Any]:
    """Whose the ticket was before it was first moved up, as the event of an escalation says."""
    data = _event_of(context, row)
    if not data:
        return dict(otherwise)
    found = data.get("home", data["before"])
    return {name: found[name] for name in ("group", "level", "assignee")}


def _event_of(context: Context, row: Escalation) -> Mapping[str, Any]:
    """What the event of an escalation says; nothing where there is none."""
    events = context.transaction.session.exec(
        select(Event.data)
        .where(col(Event.ticket_id) == row.ticket_id, col(Event.name) == "ticket.escalated")
        .order_by(col(Event.id).desc())
    )
    return next((data for data in events if data["escalation"] == row.id), {})


def _open_escalation(context: Context, ticket: Ticket) -> Escalation:
    row = context.transaction.session.exec(
        select(Escalation)
        .where(col(Escalation.ticket_id) == ticket.id, col(Escalation.ended_at).is_(None))
        .order_by(col(Escalation.id).desc())
        .limit(1)
    ).first()
    if row is None:
        raise Refusal(f"#{ticket.id} is not escalated: deskhand escalate {ticket.id} moves it up")
    return row


def _write_note(context: Context, ticket: Ticket, head: str, text: str) -> None:
    assert ticket.id is not None
    message = context.transaction.add_message(
        Message(
            ticket_id=ticket.id,
            direction=Direction.NOTE.value,
            author=context.actor.name or context.actor.kind,
            agent=context.actor.name if context.actor.kind == "agent" else None,
            channel=ticket.channel,
            at=context.now,
            subject=ticket.subject,
            text=f"{head}\n\n{text}" if text else head,
        )
    )
    ticket.message_count += 1
    context.transaction.session.add(ticket)
    context.record("note.added", ticket.id, {"message": message.id})


def _reason(context: Context, said: str) -> str:
    reason = one_line(said, 80)
    if not reason:
        raise UsageError(
            "an escalation needs a reason: give --reason, for example technical or manager"
        )
    found = context.escalation.reason(reason)
    if found is None and context.actor.kind in ("rule", "policy"):
        # Why it was moved up is what made the rule fire; the list is for people to choose from.
        return reason
    if found is None:
        known = ", ".join(context.escalation.reasons)
        raise UsageError(f"{reason!r} is not one of the reasons of {FILE}: there are {known}")
    return found


def _target_level(context: Context, ticket: Ticket, wanted: str | None) -> Level:
    """The level to go to, by its name or by that of a group that works there."""
    rules = context.escalation
    if not rules.levels:
        raise NotFound(
            "this desk has no levels to escalate to: add [[group]] entries with a level to"
            " deskhand.toml"
        )
    if wanted is None:
        following = rules.after(ticket.level)
        if following is None:
            raise Refusal(
                f"#{ticket.id} is already at {ticket.level or rules.lowest}, the highest level:"
                " name another one with --to"
            )
        return following
    word = one_line(wanted)
    if (named := rules.level(word)) is not None:
        return named
    for level in rules.levels:
        if level.group is not None and level.group.lower() == word.lower():
            return level
    groups = context.transaction.session.exec(select(Group).where(col(Group.active))).all()
    for group in groups:
        at = rules.level(group.level)
        if at is not None and group.name.lower() == word.lower():
            return replace(at, group=group.name)
    known = ", ".join(level.name for level in rules.levels)
    raise NotFound(f"no group has the level {word!r} (there are: {known})")
