"""How each action changes the desk.

One function an action, each writing its events in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from workflow import actions as a
from workflow.errors import NotFound, Refusal, UsageError
from workflow.files import FileStore
from workflow.inbound import Reader
from workflow.model import Actor, Direction, OutboxState, Priority, Status, rfc3339
from workflow.outgoing import Composer
from workflow.plaintext import one_line, printable
from workflow.settings import Settings
from workflow.store.statements import col, select
from workflow.store.store import Transaction
from workflow.store.tables import (
    Agent,
    Customer,
    Escalation,
    Group,
    Held,
    Identity,
    Message,
    Outbox,
    Ticket,
    TicketTag,
)

__all__ = ["APPLY", "Context", "Result", "applies", "summary_line"]


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

    @property
    def now(self) -> datetime:
        """The moment of the change."""
        return self.transaction.now

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


@applies(a.SetStatus)
def set_status(context: Context, action: a.SetStatus) -> Result:
    """Move a ticket to another status; ``new`` is only for tickets nobody has touched."""
    ticket = context.transaction.ticket(action.ticket)
    try:
        status = Status(action.status.strip().lower().replace("-", " "))
    except ValueError:
        known = ", ".join(Status)
        raise UsageError(f"status {action.status!r} is not one of {known}") from None
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
            },
        )
        ticket.priority, ticket.priority_by = int(priority), by
        context.transaction.session.add(ticket)
    return Result(f"priority of #{ticket.id} to {priority.word}", ticket.id)


_TICKET_FIELDS = ("topic", "language", "level", "subject")
_CUSTOMER_FIELDS = ("tier", "company")


@applies(a.SetField)
def set_field(context: Context, action: a.SetField) -> Result:
    """Set a plain field of the ticket or of its customer."""
    ticket = context.transaction.ticket(action.ticket)
    value = one_line(action.value, 200) if action.value is not None else None
    target: Ticket | Customer
    if action.field in _TICKET_FIELDS:
        target = ticket
        stored: str | None = (value or "") if action.field == "subject" else value
    elif action.field in _CUSTOMER_FIELDS:
        customer = context.transaction.session.get(Customer, ticket.customer_id)
        assert customer is not None
        target, stored = customer, value or ("standard" if action.field == "tier" else "")
    else:
        known = ", ".join((*_TICKET_FIELDS, *_CUSTOMER_FIELDS))
        raise UsageError(f"there is no field {action.field!r} to set: take one of {known}")
    before = getattr(target, action.field)
    if before != stored:
        context.record(
            "ticket.field", ticket.id, {"field": action.field, "before": before, "after": stored}
        )
        setattr(target, action.field, stored)
        context.transaction.session.add(target)
    return Result(f"{action.field} of #{ticket.id} to {stored or 'nothing'}", ticket.id)


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
    after = {"assignee": ticket.assignee, "group": ticket.group_name, "level": ticket.level}
    if after != before:
        context.record("ticket.assigned", ticket.id, {"before": before, "after": after})
        context.transaction.session.add(ticket)
    return Result(f"#{ticket.id} to {' and '.join(said)}", ticket.id)


def _agent(context: Context, name: str) -> str:
    row = context.transaction.session.get(Agent, name)
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
    ticket = context.transaction.ticket(ticket_id)
    rows = {
        row.tag: row
        for row in session.exec(select(TicketTag).where(col(TicketTag.ticket_id) == ticket_id))
    }
    new = [tag for tag in dict.fromkeys(added) if tag not in rows]
    gone = [tag for tag in dict.fromkeys(removed) if tag in rows]
    session.add_all([TicketTag(ticket_id=ticket_id, tag=tag) for tag in new])
    for tag in gone:
        session.delete(rows[tag])
    if new or gone:
        context.record("ticket.tags", ticket.id, {"added": new, "removed": gone})
    words = " ".join([*(f"+{tag}" for tag in added), *(f"-{tag}" for tag in removed)])
    return Result(f"tags of #{ticket_id} {words}", ticket_id)


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
    for row in session.exec(
        select(Escalation).where(
            col(Escalation.ticket_id) == ticket.id, col(Escalation.ended_at).is_(None)
        )
    ):
        row.ended_at = context.now
        session.add(row)
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
    if wanted is None:
        current = ticket.level or (levels[0] if levels else "L1")
        later = levels[levels.index(current) + 1 :] if current in levels else levels[1:]
        if not later:
            raise Refusal(
                f"#{ticket.id} is already at {current}, the highest level: name another one with --to"
            )
        wanted = later[0]
    for group in groups:
        if wanted.lower() in (group.level.lower(), group.name.lower()):
            return group.level, group.name
    known = ", ".join(levels) or "none: add [[group]] entries with a level to deskhand.toml"
    raise NotFound(f"no group has the level {wanted!r} (there are: {known})")


@applies(a.NewTicket)
def new_ticket(context: Context, action: a.NewTicket) -> Result:
    """Open a ticket for somebody who called or came; its first message is what they said."""
    session = context.transaction.session
    address = one_line(action.customer_address).lower()
    if not address:
        raise UsageError(
            "a new ticket needs somebody: give an address or a phone number with --from"
        )
    kind = "email" if "@" in address else "phone"
    identity = session.exec(
        select(Identity).where(col(Identity.kind) == kind, col(Identity.value) == address)
    ).first()
    if identity is None:
        customer = Customer(name=one_line(action.customer_name), created_at=context.now)
        session.add(customer)
        session.flush()
        assert customer.id is not None
        identity = Identity(
            customer_id=customer.id,
            kind=kind,
            value=address,
            evidence=f"given by {context.actor.wire}",
            created_at=context.now,
        )
        session.add(identity)
    text = printable(action.text)
    ticket = Ticket(
        subject=one_line(action.subject, 500),
        channel=action.channel,
        customer_id=identity.customer_id,
        created_at=context.now,
        updated_at=context.now,
        last_message_at=context.now,
        last_line=summary_line(text),
        message_count=1,
    )
    session.add(ticket)
    session.flush()
    assert ticket.id is not None
    message = context.transaction.add_message(
        Message(
            ticket_id=ticket.id,
            direction=Direction.IN.value,
            author=one_line(action.customer_name) or address,
            channel=action.channel,
            at=context.now,
            subject=ticket.subject,
            from_name=one_line(action.customer_name),
            from_address=address,
            text=text,
            matched_by="new",
        )
    )
    context.record(
        "ticket.created", ticket.id, {"priority": ticket.priority, "channel": action.channel}
    )
    context.record("message.received", ticket.id, {"message": message.id, "automatic": False})
    return Result(f"opened #{ticket.id}", ticket.id, message.id)


@applies(a.CancelSend)
def cancel_send(context: Context, action: a.CancelSend) -> Result:
    """Take a reply back before it leaves."""
    item = _outbox(context, action.outbox)
    if item.state not in (
        OutboxState.HELD,
        OutboxState.SCHEDULED,
        OutboxState.QUEUED,
        OutboxState.FAILED,
    ):
        raise Refusal(f"outbox item {item.id} is {item.state}: it cannot be taken back any more")
    change_delivery(context, item, OutboxState.CANCELLED, "send.cancelled")
    return Result(
        f"took back the reply on #{item.ticket_id}", item.ticket_id, item.message_row, item.id
    )


@applies(a.RetrySend)
def retry_send(context: Context, action: a.RetrySend) -> Result:
    """Queue a failed send again; one that is being sent or was sent is refused, so that nothing
    goes out twice.
    """
    item = _outbox(context, action.outbox)
    if item.state not in (OutboxState.FAILED, OutboxState.QUEUED):
        raise Refusal(
            f"outbox item {item.id} is {item.state}: only failed and queued ones can be retried"
        )
    item.due_at, item.past_the_dot, item.claimed_by, item.error = context.now, False, None, None
    change_delivery(context, item, OutboxState.QUEUED, "send.retried")
    return Result(
        f"queued the reply on #{item.ticket_id} again", item.ticket_id, item.message_row, item.id
    )


def _outbox(context: Context, item_id: int) -> Outbox:
    item = context.transaction.session.get(Outbox, item_id)
    if item is None:
        raise NotFound(f"there is no outbox item {item_id}: deskhand outbox lists them")
    return item


def change_delivery(context: Context, item: Outbox, state: OutboxState, event: str) -> None:
    """Move an outbox item and the message that it carries to a state, with the event."""
    session = context.transaction.session
    message = session.get(Message, item.message_row)
    assert message is not None
    context.record(
        event,
        item.ticket_id,
        {
            "outbox": item.id,
            "message": item.message_row,
            "before": item.state,
            "after": state.value,
        },
    )
    item.state = message.delivery = state.value
    session.add_all([item, message])


@applies(a.DiscardHeld)
def discard_held(context: Context, action: a.DiscardHeld) -> Result:
    """Decide that a held item is not wanted."""
    item = context.transaction.session.get(Held, action.held)
    if item is None:
        raise NotFound(f"there is no held item {action.held}: deskhand held lists them")
    if item.state != "held":
        raise Refusal(f"held item {item.id} was already {item.state}")
    item.state = "discarded"
    context.transaction.session.add(item)
    context.record("held.discarded", None, {"held": item.id, "before": "held"})
    return Result(f"discarded held item {item.id}")
