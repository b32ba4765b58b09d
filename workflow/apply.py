"""How actions change a ticket: one function an action, each writing its events in the same
transaction.

What opens, escalates, sends and holds has modules of its own, which register their functions here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from workflow import actions as a
from workflow.companies import CompanyFile
from workflow.errors import NotFound, UsageError
from workflow.escalation_rules import EscalationRules
from workflow.files import FileStore
from workflow.inbound import Reader
from workflow.macro_plans import MacroPlans
from workflow.model import (
    UNRESOLVED,
    Actor,
    Direction,
    OutboxState,
    Priority,
    Status,
    rfc3339,
)
from workflow.outgoing import Composer
from workflow.plaintext import one_line, printable
from workflow.rulebook import Rules
from workflow.settings import Settings
from workflow.store.statements import col, func, select
from workflow.store.store import Transaction
from workflow.store.tables import Agent, Customer, Group, Message, Ticket, TicketTag
from workflow.triage.settable import TOLD_FIELDS, told_value

__all__ = [
    "APPLY",
    "Context",
    "Result",
    "Within",
    "applies",
    "change_status",
    "note_setter",
    "parse_status",
    "put_tags",
    "remake_last_line",
    "set_by_person",
    "setter_of",
    "suggest_macro",
    "summary_line",
]


@dataclass(frozen=True, slots=True)
class Context:
    """What applying an action needs: the transaction, who does it and why, and the desk's
    surroundings.
    """

    transaction: Transaction
    actor: Actor
    cause: str
    settings: Settings
    files: FileStore
    secret: bytes
    composers: Mapping[str, Composer]
    readers: Mapping[str, Reader]
    rules: Rules
    companies: CompanyFile
    macros: MacroPlans | None = None
    """The standard paths that rules may run; None where none are at hand."""

    @property
    def now(self) -> datetime:
        """The moment of the change."""
        return self.transaction.now

    @property
    def escalation(self) -> EscalationRules:
        """The levels a ticket can be moved up to."""
        return self.rules.escalation

    def record(self, name: str, ticket: int | None, data: dict[str, Any]) -> None:
        """Write an event of this change."""
        self.transaction.record(name, ticket, self.actor, self.cause, data)


@dataclass(frozen=True, slots=True)
class Result:
    """What applying came to."""

    summary: str
    ticket: int | None = None
    message_id: int | None = None
    outbox_id: int | None = None


A = TypeVar("A", bound=a.Action)
APPLY: dict[type[a.Action], Callable[[Context, Any], Result]] = {}
"""The function of each action; a test holds that none is missing."""


def applies(
    action: type[A],
) -> Callable[[Callable[[Context, A], Result]], Callable[[Context, A], Result]]:
    """Register the function that applies an action."""

    def register(function: Callable[[Context, A], Result]) -> Callable[[Context, A], Result]:
        APPLY[action] = function
        return function

    return register


def summary_line(text: str, limit: int = 140) -> str:
    """The first words of a text, for a queue row."""
    return one_line(text[: limit * 4], limit)


def parse_status(word: str) -> Status:
    """The status for a word as people type it; raises UsageError with those that fit."""
    try:
        return Status.parse(word)
    except ValueError as fault:
        raise UsageError(str(fault)) from None


class Within(Protocol):
    """Whatever works in a transaction: a :class:`Context`, or a batch on its way in."""

    @property
    def transaction(self) -> Transaction:
        """The transaction."""
        ...


def remake_last_line(within: Within, ticket: Ticket) -> None:
    """Make what a queue row says of the messages anew, after one was taken back or put back."""
    session = within.transaction.session
    session.flush()
    kept = (
        col(Message.ticket_id) == ticket.id,
        col(Message.delivery).is_distinct_from(OutboxState.CANCELLED.value),
    )
    ticket.message_count = session.scalar(select(func.count()).where(*kept)) or 0
    newest = session.exec(
        select(Message)
        .where(*kept, col(Message.direction) != Direction.NOTE.value)
        .order_by(col(Message.at).desc(), col(Message.id).desc())
        .limit(1)
    ).first()
    if newest is not None:
        ticket.last_message_at, ticket.last_direction = newest.at, newest.direction
        ticket.last_line = summary_line(newest.text)
    session.add(ticket)


def note_setter(context: Context, ticket: Ticket, *fields: str) -> dict[str, dict[str, str]]:
    """Remember who set fields of a ticket (a rule asks before it sets them itself); what the event
    must say of it, for an undo.
    """
    before = {name: ticket.set_by[name] for name in fields if name in ticket.set_by}
    after = dict.fromkeys(fields, context.actor.wire)
    # Another dictionary: the session does not see what changes inside of one.
    ticket.set_by = {**ticket.set_by, **after}
    return {"set_before": before, "set_after": after}


def set_by_person(ticket: Ticket, field: str) -> bool:
    """Whether a person chose the value of a field (``priority``, ``topic``, ``language``,
    ``urgency``, ``group``, ``level``, ``assignee``, ``policy``): no rule overwrites it.
    """
    return setter_of(ticket, field).startswith("agent:")


def setter_of(ticket: Ticket, field: str) -> str:
    """Who set a field last, as an actor is written; empty where nobody has."""
    if field == "priority":
        # Known also of tickets that are older than the record of who set what.
        return ticket.priority_by
    return str(ticket.set_by.get(field, ""))


def suggest_macro(context: Context, ticket: Ticket, macro: str) -> None:
    """Propose a macro to whoever opens the ticket."""
    data = {"field": "suggested_macro", "before": ticket.suggested_macro, "after": macro}
    said = note_setter(context, ticket, "suggested_macro")
    context.record("ticket.field", ticket.id, {**data, **said})
    ticket.suggested_macro = macro
    context.transaction.session.add(ticket)


@applies(a.SetStatus)
def set_status(context: Context, action: a.SetStatus) -> Result:
    """Move a ticket to another status."""
    ticket = context.transaction.ticket(action.ticket)
    status = parse_status(action.status)
    change_status(context, ticket, status)
    return Result(f"status of #{ticket.id} to {status}", ticket.id)


def change_status(context: Context, ticket: Ticket, status: Status) -> None:
    """Set a status with its event; setting what is already there is no change."""
    if ticket.status == status:
        return
    context.record("ticket.status", ticket.id, {"before": ticket.status, "after": status.value})
    ticket.status = status.value
    ticket.resolved_at = context.now if status in (Status.RESOLVED, Status.CLOSED) else None
    context.transaction.session.add(ticket)


@applies(a.SetPriority)
def set_priority(context: Context, action: a.SetPriority) -> Result:
    """Set a priority and who set it."""
    ticket = context.transaction.ticket(action.ticket)
    priority = Priority(action.priority)
    by = context.actor.wire
    if ticket.priority != priority or ticket.priority_by != by:
        context.record(
            "ticket.priority",
            ticket.id,
            {
                "before": ticket.priority,
                "after": int(priority),
                "by_before": ticket.priority_by,
                "by_after": by,
                **note_setter(context, ticket, "priority"),
            },
        )
        ticket.priority, ticket.priority_by = int(priority), by
        context.transaction.session.add(ticket)
    return Result(f"priority of #{ticket.id} to {priority.word}", ticket.id)


_TOLD_FIELDS = ("topic", "language", *TOLD_FIELDS)
"""What triage tells: an agent who sets it to what it is already says that it is right."""
_TICKET_FIELDS = (*_TOLD_FIELDS, "level", "subject")
_CUSTOMER_FIELDS = ("tier", "company")


@applies(a.SetField)
def set_field(context: Context, action: a.SetField) -> Result:
    """Set a plain field of the ticket or of its customer."""
    ticket = context.transaction.ticket(action.ticket)
    if action.field == "policy":
        return _set_policy(context, ticket, action.value)
    value = one_line(action.value, 200) if action.value is not None else None
    target: Ticket | Customer
    stored: str | int | float | bool | None
    if action.field in _TOLD_FIELDS:
        target, stored = ticket, told_value(action.field, value)
    elif action.field in _TICKET_FIELDS:
        target, stored = ticket, (value or "") if action.field == "subject" else value
    elif action.field in _CUSTOMER_FIELDS:
        customer = context.transaction.session.get(Customer, ticket.customer_id)
        assert customer is not None
        target, stored = customer, value or ("standard" if action.field == "tier" else "")
    else:
        known = ", ".join((*_TICKET_FIELDS, "policy", *_CUSTOMER_FIELDS))
        raise UsageError(f"there is no field {action.field!r} to set: take one of {known}")
    column = action.field.replace("-", "_")
    before = getattr(target, column)
    confirms = (
        action.field in _TOLD_FIELDS
        and context.actor.kind == "agent"
        and not set_by_person(ticket, column)
    )
    if before != stored or confirms:
        data = {"field": column, "before": before, "after": stored}
        if target is not ticket:
            _touch_tickets_of(context, ticket.customer_id)
        else:
            data |= note_setter(context, ticket, column)
        context.record("ticket.field", ticket.id, data)
        setattr(target, column, stored)
        context.transaction.session.add(target)
    return Result(f"{action.field} of #{ticket.id} to {value or 'nothing'}", ticket.id)


def _touch_tickets_of(context: Context, customer: int) -> None:
    """What a person is decides what was promised to them: on every ticket of theirs."""
    numbers = context.transaction.session.exec(
        select(Ticket.id).where(
            col(Ticket.customer_id) == customer,
            col(Ticket.status).in_([status.value for status in UNRESOLVED]),
        )
    )
    context.transaction.touched.update(number for number in numbers if number is not None)


def _set_policy(context: Context, ticket: Ticket, name: str | None) -> Result:
    """Name the policy of a ticket; None leaves it to the first that matches again."""
    policies = context.rules.policies
    before, after = ticket.policy, ticket.policy
    if name is not None:
        known = next((p.name for p in policies.in_order if p.name.lower() == name.lower()), None)
        if known is None:
            there = ", ".join(policy.name for policy in policies.in_order) or "none yet"
            raise NotFound(f"there is no policy {name!r} in workflow/sla.toml: there are {there}")
        after = known
    data: dict[str, Any] = {"before": before, "after": after}
    if name is not None:
        data |= note_setter(context, ticket, "policy")
    elif "policy" in ticket.set_by:
        data |= {"set_before": {"policy": ticket.set_by["policy"]}, "set_after": {}}
        ticket.set_by = {field: by for field, by in ticket.set_by.items() if field != "policy"}
    else:
        return Result(f"policy of #{ticket.id} is chosen by itself", ticket.id)
    ticket.policy = after
    context.record("ticket.policy", ticket.id, data)
    context.transaction.session.add(ticket)
    return Result(f"policy of #{ticket.id} to {name or 'the first that matches'}", ticket.id)


@applies(a.Assign)
def assign(context: Context, action: a.Assign) -> Result:
    """Give a ticket to somebody. No clock is reset or paused by it.

    The new owner inherits what is left.
    """
    ticket = context.transaction.ticket(action.ticket)
    before = {"assignee": ticket.assignee, "group": ticket.group_name, "level": ticket.level}
    said: list[str] = []
    if action.assignee is not None:
        ticket.assignee = _agent(context, action.assignee) if action.assignee else None
        said.append(ticket.assignee or "nobody")
    if action.group is not None:
        group = _group(context, action.group) if action.group else None
        ticket.group_name = group.name if group else None
        ticket.level = group.level if group else ticket.level
        said.append(ticket.group_name or "no group")
    if action.level is not None:
        ticket.level = action.level or None
        said.append(f"level {ticket.level or 'none'}")
    after = {"assignee": ticket.assignee, "group": ticket.group_name, "level": ticket.level}
    changed = [name for name, value in after.items() if value != before[name]]
    if action.assignee and context.actor.kind == "agent" and not set_by_person(ticket, "assignee"):
        # Who takes what a rule had given them means it: from now on no rule takes it away.
        changed = list(dict.fromkeys(("assignee", *changed)))
    if changed:
        data = {"before": before, "after": after, **note_setter(context, ticket, *changed)}
        context.record("ticket.assigned", ticket.id, data)
        context.transaction.session.add(ticket)
    return Result(f"#{ticket.id} to {' and '.join(said)}", ticket.id)


def _agent(context: Context, name: str) -> str:
    row = context.transaction.session.get(Agent, name)
    if not context.settings.agents and name == context.actor.name:
        # A desk whose team has written nothing yet: whoever works on it may take tickets.
        return name
    if row is None or not row.active:
        rows = context.transaction.session.exec(select(Agent.name).where(col(Agent.active)))
        known = ", ".join(sorted(rows)) or "none yet"
        raise NotFound(f"there is no agent {name!r} in deskhand.toml (there are: {known})")
    return row.name


def _group(context: Context, name: str) -> Group:
    row = context.transaction.session.get(Group, name)
    if row is None or not row.active:
        rows = context.transaction.session.exec(select(Group.name).where(col(Group.active)))
        known = ", ".join(sorted(rows)) or "none yet"
        raise NotFound(f"there is no group {name!r} in deskhand.toml (there are: {known})")
    return row


_TAG = re.compile(r"[^\s,:;\"'()]{1,40}")


def _tags(words: tuple[str, ...]) -> list[str]:
    tags = []
    for word in words:
        tag = one_line(word).lower().lstrip("#")
        if not _TAG.fullmatch(tag):
            raise UsageError(f"{word!r} cannot be a tag: take one word of up to 40 letters")
        tags.append(tag)
    return tags


@applies(a.AddTags)
def add_tags(context: Context, action: a.AddTags) -> Result:
    """Put words on a ticket; those it already has are left alone."""
    return _change_tags(context, action.ticket, added=_tags(action.tags), removed=[])


@applies(a.RemoveTags)
def remove_tags(context: Context, action: a.RemoveTags) -> Result:
    """Take words off a ticket; those it does not have are left alone."""
    return _change_tags(context, action.ticket, added=[], removed=_tags(action.tags))


def _change_tags(context: Context, ticket_id: int, added: list[str], removed: list[str]) -> Result:
    session = context.transaction.session
    context.transaction.ticket(ticket_id)
    rows = {
        row.tag: row
        for row in session.exec(select(TicketTag).where(col(TicketTag.ticket_id) == ticket_id))
    }
    new = [tag for tag in dict.fromkeys(added) if tag not in rows]
    gone = [tag for tag in dict.fromkeys(removed) if tag in rows]
    for tag in gone:
        session.delete(rows[tag])
    put_tags(context, ticket_id, new, gone)
    words = " ".join([*(f"+{tag}" for tag in added), *(f"-{tag}" for tag in removed)])
    return Result(f"tags of #{ticket_id} {words}", ticket_id)


def put_tags(
    context: Context, ticket_id: int, new: Sequence[str], gone: Sequence[str] = ()
) -> None:
    """Write tags that a ticket does not have yet, for whoever knows that without a read; ``gone``
    are those that were taken off beside them.
    """
    context.transaction.session.add_all([TicketTag(ticket_id=ticket_id, tag=tag) for tag in new])
    if new or gone:
        context.record("ticket.tags", ticket_id, {"added": [*new], "removed": [*gone]})


@applies(a.Snooze)
def snooze(context: Context, action: a.Snooze) -> Result:
    """Put a ticket out of sight; a customer's message brings it back whatever was chosen."""
    ticket = context.transaction.ticket(action.ticket)
    if action.until is not None and action.until <= context.now:
        raise UsageError("the time to snooze until has already passed: give a later one")
    _snooze(context, ticket, action.until, until_reply=action.until is None)
    until = rfc3339(action.until) if action.until else "the customer writes"
    return Result(f"snoozed #{ticket.id} until {until}", ticket.id)


@applies(a.Unsnooze)
def unsnooze(context: Context, action: a.Unsnooze) -> Result:
    """Bring a snoozed ticket back now."""
    ticket = context.transaction.ticket(action.ticket)
    _snooze(context, ticket, None, until_reply=False)
    return Result(f"woke #{ticket.id}", ticket.id)


def _snooze(context: Context, ticket: Ticket, until: datetime | None, *, until_reply: bool) -> None:
    # To the second, as its event says it, so that an undo finds what it expects.
    until = until.replace(microsecond=0) if until else None
    before = {"until": rfc3339(ticket.snoozed_until), "reply": ticket.snoozed_until_reply}
    after = {"until": rfc3339(until), "reply": until_reply}
    if before == after:
        return
    context.record("ticket.snoozed", ticket.id, {"before": before, "after": after})
    ticket.snoozed_until, ticket.snoozed_until_reply = until, until_reply
    context.transaction.session.add(ticket)


@applies(a.MarkSpam)
def mark_spam(context: Context, action: a.MarkSpam) -> Result:
    """Take a ticket out of every view as spam, or bring it back.

    Its clocks stop and go on with it.
    """
    ticket = context.transaction.ticket(action.ticket)
    if action.spam != (ticket.spam_at is not None):
        context.record("ticket.spam", ticket.id, {"before": not action.spam, "after": action.spam})
        ticket.spam_at = context.now if action.spam else None
        context.transaction.session.add(ticket)
    return Result(f"#{ticket.id} is {'' if action.spam else 'not '}spam", ticket.id)


@applies(a.Note)
def note(context: Context, action: a.Note) -> Result:
    """Write something that only the team sees. It stops no clock and answers nobody."""
    text = printable(action.text).strip()
    if not text:
        raise UsageError("the note is empty: write its text and try again")
    ticket = context.transaction.ticket(action.ticket)
    message = context.transaction.add_message(
        Message(
            ticket_id=action.ticket,
            direction=Direction.NOTE.value,
            author=context.actor.name or context.actor.kind,
            agent=context.actor.name if context.actor.kind == "agent" else None,
            channel=ticket.channel,
            at=context.now,
            subject=ticket.subject,
            text=text,
        )
    )
    ticket.message_count += 1
    context.transaction.session.add(ticket)
    context.record("note.added", ticket.id, {"message": message.id})
    return Result(f"note on #{ticket.id}", ticket.id, message.id)
