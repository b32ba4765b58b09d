"""How changes are taken back: for each kind of event, what restores the state before it.

A change is taken back as a whole or not at all. Its events stay; taking back writes new ones, with
the sides swapped, so the clocks and the audit trail see what really happened and when.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from workflow.apply import Context, remake_last_line
from workflow.clock import parse_moment
from workflow.customers import JOINED, MOVED, SPLIT, link, root_of, unlink
from workflow.delivery import change_delivery, outbox_item, put_back, take_back
from workflow.errors import Refusal
from workflow.merge_effects import PART_OF
from workflow.model import OutboxState, rfc3339
from workflow.sender_rules import put_rule
from workflow.store.statements import col, select
from workflow.store.tables import (
    Change,
    Customer,
    Escalation,
    Event,
    Held,
    Message,
    SenderRule,
    Ticket,
    TicketTag,
)

__all__ = ["REVERTS", "revert", "reverts"]

Revert = Callable[[Context, Event], None]
REVERTS: dict[str, Revert] = {}


def reverts(*names: str) -> Callable[[Revert], Revert]:
    """Register the function that takes events of these names back."""

    def register(function: Revert) -> Revert:
        for name in names:
            REVERTS[name] = function
        return function

    return register


def revert(context: Context, change: Change) -> None:
    """Restore what stood before a change, newest event first.

    Raises Refusal where that is impossible now.
    """
    events = context.transaction.session.exec(
        select(Event).where(col(Event.change_id) == change.id).order_by(col(Event.id).desc())
    ).all()
    for event in events:
        if PART_OF in event.data:
            continue
        undo = REVERTS.get(event.name)
        if undo is None:
            raise Refusal(f"{change.summary} cannot be undone: {event.name} has no way back")
        undo(context, event)


def _ticket(context: Context, event: Event) -> Ticket:
    assert event.ticket_id is not None
    return context.transaction.ticket(event.ticket_id)


_SIDES = (
    ("before", "after"),
    ("by_before", "by_after"),
    ("set_before", "set_after"),
    ("added", "removed"),
)


def _put_setters(ticket: Ticket, data: dict[str, Any]) -> None:
    """Who had set the fields before."""
    fields = data.get("set_after", {})
    kept = {name: by for name, by in ticket.set_by.items() if name not in fields}
    ticket.set_by = {**kept, **data.get("set_before", {})}


def _put_setters_again(ticket: Ticket, data: dict[str, Any]) -> None:
    """Who had set the fields after it."""
    ticket.set_by = {**ticket.set_by, **data.get("set_after", {})}


def _swap(context: Context, event: Event) -> None:
    """Write the event with its sides swapped."""
    data: dict[str, Any] = {**event.data, "undoes": event.id}
    for one, other in _SIDES:
        if one in event.data:
            data[one], data[other] = event.data[other], event.data[one]
    context.record(event.name, event.ticket_id, data)


def _changed_since(ticket: Ticket, what: str, now: object, expected: object) -> Refusal:
    return Refusal(
        f"the {what} of #{ticket.id} was changed again since (it is now {now or 'empty'}, not {expected or 'empty'}):"
        " set it by hand"
    )


@reverts("ticket.status")
def _status(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    if ticket.status != event.data["after"]:
        raise _changed_since(ticket, "status", ticket.status, event.data["after"])
    ticket.status = event.data["before"]
    ticket.resolved_at = event.at if ticket.status in ("resolved", "closed") else None
    context.transaction.session.add(ticket)
    _swap(context, event)


@reverts("ticket.priority")
def _priority(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    if ticket.priority != event.data["after"]:
        raise _changed_since(ticket, "priority", ticket.priority, event.data["after"])
    ticket.priority, ticket.priority_by = event.data["before"], event.data["by_before"]
    _put_setters(ticket, event.data)
    context.transaction.session.add(ticket)
    _swap(context, event)


@reverts("ticket.policy")
def _policy(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    if ticket.policy != event.data["after"]:
        if "set_after" not in event.data:
            # It followed from something else, and so has what it is now.
            return
        raise _changed_since(ticket, "policy", ticket.policy, event.data["after"])
    ticket.policy = event.data["before"]
    _put_setters(ticket, event.data)
    context.transaction.session.add(ticket)
    _swap(context, event)


@reverts("ticket.field")
def _field(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    name = event.data["field"]
    target: Ticket | Customer | None = ticket
    if name in ("tier", "company"):
        target = context.transaction.session.get(Customer, ticket.customer_id)
    assert target is not None
    if getattr(target, name) != event.data["after"]:
        raise _changed_since(ticket, name, getattr(target, name), event.data["after"])
    setattr(target, name, event.data["before"])
    _put_setters(ticket, event.data)
    context.transaction.session.add(target)
    _swap(context, event)


@reverts("ticket.assigned")
def _assigned(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    after, before = event.data["after"], event.data["before"]
    if (ticket.assignee, ticket.group_name) != (after["assignee"], after["group"]):
        raise _changed_since(ticket, "owner", ticket.assignee, after["assignee"])
    ticket.assignee, ticket.group_name, ticket.level = (
        before["assignee"],
        before["group"],
        before["level"],
    )
    _put_setters(ticket, event.data)
    context.transaction.session.add(ticket)
    _swap(context, event)


@reverts("ticket.tags")
def _tags(context: Context, event: Event) -> None:
    session = context.transaction.session
    ticket = _ticket(context, event)
    assert ticket.id is not None
    for tag in event.data["added"]:
        row = session.get(TicketTag, (ticket.id, tag))
        if row is not None:
            session.delete(row)
    for tag in event.data["removed"]:
        if session.get(TicketTag, (ticket.id, tag)) is None:
            session.add(TicketTag(ticket_id=ticket.id, tag=tag))
    _swap(context, event)


@reverts("ticket.snoozed")
def _snoozed(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    before, after = event.data["before"], event.data["after"]
    now = (rfc3339(ticket.snoozed_until), ticket.snoozed_until_reply)
    if now != (after["until"], after["reply"]):
        raise _changed_since(ticket, "snooze", now[0], after["until"])
    ticket.snoozed_until = _moment(before["until"])
    ticket.snoozed_until_reply = before["reply"]
    context.transaction.session.add(ticket)
    _swap(context, event)


def _moment(text: str | None) -> datetime | None:
    return parse_moment(text) if text else None


@reverts("ticket.spam")
def _spam(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    if (ticket.spam_at is not None) != event.data["after"]:
        raise _changed_since(ticket, "spam mark", "set" if ticket.spam_at else None, None)
    ticket.spam_at = event.at if event.data["before"] else None
    context.transaction.session.add(ticket)
    _swap(context, event)


@reverts("ticket.escalated")
def _escalated(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    before, after = event.data["before"], event.data["after"]
    if ticket.level != after["level"]:
        raise _changed_since(ticket, "level", ticket.level, after["level"])
    _refuse_if_accepted(context, ticket, event.data["escalation"])
    _end_escalations(context, [event.data["escalation"]], ended=True)
    _end_escalations(context, event.data["ended"], ended=False)
    _put_owner(context, ticket, before)
    _put_setters(ticket, event.data)
    data = {**event.data, "undoes": event.id}
    context.record("ticket.de_escalated", ticket.id, data)


@reverts("ticket.de_escalated")
def _escalated_again(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    before = event.data["before"]
    if ticket.level != before["level"]:
        raise _changed_since(ticket, "level", ticket.level, before["level"])
    _end_escalations(context, event.data["ended"], ended=True)
    _end_escalations(context, [event.data["escalation"]], ended=False)
    _put_owner(context, ticket, {**event.data["after"], "escalated_to": event.data["to"]})
    _put_setters_again(ticket, event.data)
    context.record("ticket.escalated", ticket.id, {**event.data, "undoes": event.id})


@reverts("ticket.accepted")
def _accepted(context: Context, event: Event) -> None:
    """Nobody has accepted it: the acknowledgement clock goes on as it was."""
    ticket, row = _ticket(context, event), _escalation(context, event)
    if row.ended_at is not None or row.accepted_by != event.data["by"]:
        raise _changed_since(ticket, "escalation", row.accepted_by, event.data["by"])
    if ticket.assignee != event.data["after"]["assignee"]:
        raise _changed_since(ticket, "owner", ticket.assignee, event.data["after"]["assignee"])
    row.accepted_at = row.accepted_by = None
    ticket.assignee = event.data["before"]["assignee"]
    _put_setters(ticket, event.data)
    context.transaction.session.add_all([row, ticket])
    data = {**event.data, "accepted_at": rfc3339(event.at), "undoes": event.id}
    context.record("ticket.unaccepted", ticket.id, data)


@reverts("ticket.unaccepted")
def _accepted_again(context: Context, event: Event) -> None:
    ticket, row = _ticket(context, event), _escalation(context, event)
    if row.ended_at is not None or row.accepted_by is not None:
        raise _changed_since(ticket, "escalation", row.accepted_by, None)
    row.accepted_at, row.accepted_by = context.now, event.data["by"]
    ticket.assignee = event.data["after"]["assignee"]
    _put_setters_again(ticket, event.data)
    context.transaction.session.add_all([row, ticket])
    context.record("ticket.accepted", ticket.id, {**event.data, "undoes": event.id})


@reverts("ticket.handed_back")
def _handed_back(context: Context, event: Event) -> None:
    """It is up there again, as long as nobody moved it since."""
    ticket = _ticket(context, event)
    if ticket.escalated_to is not None or ticket.level != event.data["after"]["level"]:
        raise _changed_since(ticket, "level", ticket.level, event.data["after"]["level"])
    _end_escalations(context, [event.data["escalation"]], ended=False)
    _put_owner(context, ticket, event.data["before"])
    _put_setters(ticket, event.data)
    context.record("ticket.kept_up", ticket.id, {**event.data, "undoes": event.id})


@reverts("ticket.kept_up")
def _handed_back_again(context: Context, event: Event) -> None:
    ticket = _ticket(context, event)
    before = event.data["before"]
    if ticket.level != before["level"]:
        raise _changed_since(ticket, "level", ticket.level, before["level"])
    _end_escalations(context, [event.data["escalation"]], ended=True)
    _put_owner(context, ticket, {**event.data["after"], "escalated_to": None})
    _put_setters_again(ticket, event.data)
    context.record("ticket.handed_back", ticket.id, {**event.data, "undoes": event.id})


def _escalation(context: Context, event: Event) -> Escalation:
    row = context.transaction.session.get(Escalation, event.data["escalation"])
    assert row is not None
    return row


def _refuse_if_accepted(context: Context, ticket: Ticket, number: int) -> None:
    row = context.transaction.session.get(Escalation, number)
    if row is not None and row.accepted_by is not None:
        raise Refusal(
            f"#{ticket.id} was accepted by {row.accepted_by} since: hand it back (hand-back)"
        )


def _end_escalations(context: Context, numbers: list[int], *, ended: bool) -> None:
    for number in numbers:
        row = context.transaction.session.get(Escalation, number)
        if row is not None:
            row.ended_at = context.now if ended else None
            context.transaction.session.add(row)


def _put_owner(context: Context, ticket: Ticket, owner: dict[str, Any]) -> None:
    ticket.group_name, ticket.level = owner["group"], owner["level"]
    ticket.assignee, ticket.escalated_to = owner["assignee"], owner["escalated_to"]
    context.transaction.session.add(ticket)


@reverts("note.added")
def _note(context: Context, event: Event) -> None:
    """A note is struck out, not deleted: somebody may have read it."""
    _strike_note(context, event, "note.withdrawn", OutboxState.CANCELLED)


@reverts("note.withdrawn")
def _note_again(context: Context, event: Event) -> None:
    _strike_note(context, event, "note.added", None)


def _strike_note(context: Context, event: Event, name: str, delivery: OutboxState | None) -> None:
    message = context.transaction.session.get(Message, event.data["message"])
    assert message is not None
    # Where it is by now: its ticket may have been merged since.
    ticket = context.transaction.ticket(message.ticket_id)
    message.delivery = delivery.value if delivery else None
    context.transaction.session.add(message)
    remake_last_line(context, ticket)
    context.record(name, ticket.id, {"message": message.id, "undoes": event.id})


@reverts("message.queued")
def _queued(context: Context, event: Event) -> None:
    """A reply that has not left is taken back and its text becomes the writer's draft again.

    Not that of a macro's run: on twenty tickets it would leave twenty drafts that nobody began.
    What an agent typed around a macro's text was sent by a key, and comes back.
    """
    typed = not event.cause.startswith("macro:")
    take_back(context, outbox_item(context, event.data["outbox"]), event.id, as_draft=typed)


@reverts("send.cancelled")
def _cancelled(context: Context, event: Event) -> None:
    state = OutboxState(event.data["before"])
    assert event.id is not None
    put_back(context, outbox_item(context, event.data["outbox"]), state, event.id)


@reverts("send.retried")
def _retried(context: Context, event: Event) -> None:
    """What waits for another attempt waits for a person again."""
    item = outbox_item(context, event.data["outbox"])
    if item.state != OutboxState.QUEUED:
        raise Refusal(f"the reply on #{item.ticket_id} is {item.state} by now")
    item.error = event.data["error"]
    state = OutboxState(event.data["before"])
    change_delivery(context, item, state, "send.kept", {"error": item.error, "undoes": event.id})


@reverts("send.kept")
def _retried_again(context: Context, event: Event) -> None:
    item = outbox_item(context, event.data["outbox"])
    if item.state != event.data["after"]:
        raise Refusal(f"the reply on #{item.ticket_id} is {item.state} by now")
    item.due_at, item.past_the_dot, item.error = context.now, False, None
    error = {"error": event.data["error"], "undoes": event.id}
    change_delivery(context, item, OutboxState.QUEUED, "send.retried", error)


@reverts("held.discarded")
def _held(context: Context, event: Event) -> None:
    """It is what it was before."""
    became = event.name.partition(".")[2]
    _put_held(context, event, "held.put_back", became, event.data["before"])


@reverts("held.put_back")
def _held_again(context: Context, event: Event) -> None:
    became = event.data["before"]
    _put_held(context, event, f"held.{became}", event.data["after"], became)


def _put_held(context: Context, event: Event, name: str, expected: str, wanted: str) -> None:
    row = context.transaction.session.get(Held, event.data["held"])
    assert row is not None
    if row.state != expected:
        raise Refusal(f"held item {row.id} is {row.state} by now, not {expected}")
    row.state = wanted
    context.transaction.session.add(row)
    data = {"held": row.id, "before": expected, "after": wanted, "undoes": event.id}
    context.record(name, event.ticket_id, data)


@reverts("sender.ruled")
def _sender_rule(context: Context, event: Event) -> None:
    """The rule of before, or none."""
    pattern, before, after = (event.data[key] for key in ("pattern", "before", "after"))
    row = context.transaction.session.get(SenderRule, pattern)
    if (row.allow if row is not None else None) != after:
        raise Refusal(f"the rule about {pattern} was changed again since: set it by hand")
    if before is None:
        context.transaction.session.delete(row)
    else:
        put_rule(context, pattern, before)
    _swap(context, event)


@reverts("held.released")
def _released(context: Context, event: Event) -> None:
    del context
    raise Refusal(
        f"held item {event.data['held']} is a message on #{event.ticket_id} by now and cannot be held again:"
        " mark the ticket as spam, or resolve it"
    )


@reverts("ticket.created", "message.received")
def _opened(context: Context, event: Event) -> None:
    """The exceptions: what a customer said is never taken away."""
    del context
    raise Refusal(f"#{event.ticket_id} was opened and stays: mark it as spam, or resolve it")


@reverts(JOINED)
def _joined(context: Context, event: Event) -> None:
    other, keep = _two_people(context, event)
    if other.merged_into != keep.id:
        raise Refusal(
            f"customers {other.id} and {keep.id} were taken apart or joined anew since: look at"
            f" deskhand customer show {other.id}"
        )
    unlink(context, other, undoes=event.id)


@reverts(SPLIT)
def _joined_again(context: Context, event: Event) -> None:
    other, keep = _two_people(context, event)
    if other.merged_into is not None or root_of(context, keep).id == other.id:
        raise Refusal(
            f"customer {other.id} was joined anew since: look at deskhand customer show {other.id}"
        )
    link(context, other, keep, fields=tuple(event.data["filled"]), undoes=event.id)


def _two_people(context: Context, event: Event) -> tuple[Customer, Customer]:
    session = context.transaction.session
    other = session.get(Customer, event.data["other"])
    keep = session.get(Customer, event.data["keep"])
    assert other is not None
    assert keep is not None
    return other, keep


@reverts(MOVED)
def _moved(context: Context, event: Event) -> None:
    """It goes where its customer goes: what takes those back or apart moves it, too."""
    del context, event
