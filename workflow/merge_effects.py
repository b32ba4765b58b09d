"""What a kept ticket takes over from one that is merged into it beside the messages: tags, whose turn
it is, an owner where it has none, an escalation; and giving it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from workflow.apply import Context
from workflow.clock import parse_moment
from workflow.model import Status, rfc3339
from workflow.store.statements import col, func, select
from workflow.store.tables import Escalation, Event, Message, Ticket, TicketTag

__all__ = ["OURS", "PART_OF", "give_back", "restore_status", "set_status", "take_over"]

PART_OF = "part_of"
"""Marks an event that only belongs to a merge or a split: undoing that takes it back as well."""

OURS = (Status.NEW, Status.OPEN)
"""It is our turn."""
_DONE = (Status.RESOLVED, Status.CLOSED)


def take_over(context: Context, ticket: Ticket, root: Ticket) -> dict[str, Any]:
    """What the kept ticket has from the other one, as the event says it for the way back."""
    effects: dict[str, Any] = {}
    if (tags := _tags_to_add(context, ticket, root)) != []:
        context.transaction.session.add_all(
            [TicketTag(ticket_id=root.id or 0, tag=tag) for tag in tags]
        )
        effects["tags"] = tags
    if (status := _status_for(ticket, root)) != root.status:
        effects["status"] = [root.status, status, rfc3339(root.resolved_at)]
        set_status(context, root, status)
    asleep = root.snoozed_until is not None or root.snoozed_until_reply
    awake = ticket.snoozed_until is None and not ticket.snoozed_until_reply
    if asleep and awake and ticket.status in OURS:
        effects["snooze"] = [rfc3339(root.snoozed_until), root.snoozed_until_reply]
        _set_snooze(context, root, None, reply=False)
    if ticket.escalated_to is not None and root.escalated_to is None:
        effects["escalation"] = _take_escalation(context, ticket, root)
    elif root.assignee is None and root.group_name is None:
        before = _owner(root)
        root.group_name, root.level, root.assignee = (
            ticket.group_name,
            ticket.level,
            ticket.assignee,
        )
        if _owner(root) != before:
            effects["owner"] = [before, _owner(root)]
            context.record(
                "ticket.assigned",
                root.id,
                {"before": before, "after": _owner(root), PART_OF: "merge"},
            )
    for name in ("topic", "language"):
        if getattr(root, name) is None and (value := getattr(ticket, name)) is not None:
            effects.setdefault("fields", {})[name] = value
            setattr(root, name, value)
    if root.no_clocks and not ticket.no_clocks:
        effects["no_clocks"] = True
        root.no_clocks = False
    context.transaction.session.add(root)
    return effects


def give_back(context: Context, ticket: Ticket, root: Ticket) -> None:
    """Undo what the merge changed beside the messages, as far as nobody has changed it since."""
    session = context.transaction.session
    effects = _effects(context, ticket, root)
    for tag in effects.get("tags", ()):
        row = session.get(TicketTag, (root.id, tag))
        if row is not None:
            session.delete(row)
    if "status" in effects:
        before, after, _resolved = effects["status"]
        if root.status == after and not _written_since(context, ticket, root):
            set_status(context, root, before, _moment(effects["status"][2]))
    if "snooze" in effects and root.snoozed_until is None and not root.snoozed_until_reply:
        until, reply = effects["snooze"]
        if not _written_since(context, ticket, root):
            _set_snooze(context, root, _moment(until), reply=reply)
    if "escalation" in effects:
        _give_escalation_back(context, ticket, root, effects["escalation"])
    if "owner" in effects and effects["owner"][1] == _owner(root):
        _put_owner(context, root, effects["owner"][0])
    for name, value in effects.get("fields", {}).items():
        if getattr(root, name) == value:
            setattr(root, name, None)
    session.add(root)


def _effects(context: Context, ticket: Ticket, root: Ticket) -> dict[str, Any]:
    event = _merged_by(context, ticket)
    if event is None or event.data["root"] != root.id:
        # The ticket that took these over was merged on since, and has them.
        return {}
    found: dict[str, Any] = event.data["effects"]
    return found


def _merged_by(context: Context, ticket: Ticket) -> Event | None:
    """The event by which a ticket was merged where it is."""
    events = context.transaction.session.exec(
        select(Event)
        .where(col(Event.ticket_id) == ticket.id, col(Event.name) == "ticket.merged")
        .order_by(col(Event.id).desc())
    )
    return next((event for event in events if event.data["after"] is not None), None)


def _written_since(context: Context, ticket: Ticket, root: Ticket) -> bool:
    """Whether anybody wrote on the kept ticket for its own sake since the merge."""
    event = _merged_by(context, ticket)
    if event is None:
        return False
    query = select(func.count()).where(
        col(Message.ticket_id) == root.id,
        col(Message.home_id).is_(None),
        col(Message.at) > event.at,
        col(Message.direction) != "note",
    )
    return bool(context.transaction.session.scalar(query))


def _tags_to_add(context: Context, ticket: Ticket, root: Ticket) -> list[str]:
    rows = context.transaction.session.exec(
        select(TicketTag).where(col(TicketTag.ticket_id).in_([ticket.id, root.id]))
    ).all()
    have = {row.tag for row in rows if row.ticket_id == root.id}
    return sorted({row.tag for row in rows if row.ticket_id == ticket.id} - have)


def _status_for(ticket: Ticket, root: Ticket) -> str:
    """Whose turn it is on the kept ticket: what waits for us on the other one waits here, and what
    is not done there is not done here.
    """
    if ticket.status in OURS and root.status not in OURS:
        return Status.OPEN.value
    if ticket.status not in _DONE and root.status in _DONE:
        return ticket.status
    return root.status


def set_status(
    context: Context, ticket: Ticket, status: str, resolved_at: datetime | None = None, **said: Any
) -> None:
    """Set a status as part of a merge or a split; ``resolved_at`` is when it had been done."""
    data = {"before": ticket.status, "after": status, PART_OF: "merge", **said}
    context.record("ticket.status", ticket.id, data)
    ticket.status = status
    ticket.resolved_at = (resolved_at or context.now) if status in _DONE else None
    context.transaction.session.add(ticket)


def restore_status(context: Context, ticket: Ticket, leaving: Iterable[int]) -> None:
    """Put a ticket back to the status from which one of the messages that leave had opened it, if
    nobody has set another since.
    """
    events = context.transaction.session.exec(
        select(Event)
        .where(col(Event.ticket_id) == ticket.id, col(Event.name) == "ticket.status")
        .order_by(col(Event.id).desc())
    ).all()
    newest = events[0] if events else None
    if newest is None or PART_OF in newest.data or newest.data.get("message") not in set(leaving):
        return
    before = newest.data["before"]
    done = next((e.at for e in events[1:] if e.data["after"] == before), None)
    # With the message that opened it: neither counts for the clocks once that is gone.
    set_status(context, ticket, before, done, message=newest.data["message"])


def _set_snooze(context: Context, ticket: Ticket, until: datetime | None, *, reply: bool) -> None:
    before = {"until": rfc3339(ticket.snoozed_until), "reply": ticket.snoozed_until_reply}
    after = {"until": rfc3339(until), "reply": reply}
    context.record(
        "ticket.snoozed", ticket.id, {"before": before, "after": after, PART_OF: "merge"}
    )
    ticket.snoozed_until, ticket.snoozed_until_reply = until, reply


def _owner(ticket: Ticket) -> dict[str, Any]:
    return {"group": ticket.group_name, "level": ticket.level, "assignee": ticket.assignee}


def _put_owner(context: Context, ticket: Ticket, owner: dict[str, Any]) -> None:
    before = _owner(ticket)
    ticket.group_name, ticket.level, ticket.assignee = (
        owner["group"],
        owner["level"],
        owner["assignee"],
    )
    context.record(
        "ticket.assigned", ticket.id, {"before": before, "after": owner, PART_OF: "merge"}
    )


def _take_escalation(context: Context, ticket: Ticket, root: Ticket) -> dict[str, Any]:
    """The escalation that is open goes on with the kept ticket, at the level it has reached."""
    session, before = context.transaction.session, _owner(root)
    rows = session.exec(
        select(Escalation)
        .where(col(Escalation.ticket_id) == ticket.id, col(Escalation.ended_at).is_(None))
        .order_by(col(Escalation.id))
    ).all()
    assert root.id is not None
    for row in rows:
        row.ticket_id = root.id
        session.add(row)
    root.group_name, root.level = ticket.group_name, ticket.level
    root.assignee, root.escalated_to = ticket.assignee, ticket.escalated_to
    newest = rows[-1] if rows else None
    context.record(
        "ticket.escalated",
        root.id,
        {
            "escalation": newest.id if newest else None,
            "ended": [],
            "to": ticket.escalated_to,
            "reason": newest.reason if newest else "",
            "home": before,
            "before": {**before, "escalated_to": None},
            "after": _owner(root),
            "from_ticket": ticket.id,
            PART_OF: "merge",
        },
    )
    return {"rows": [row.id for row in rows], "before": before, "after": _owner(root)}


def _give_escalation_back(
    context: Context, ticket: Ticket, root: Ticket, effect: dict[str, Any]
) -> None:
    session = context.transaction.session
    rows = [session.get(Escalation, number) for number in effect["rows"]]
    open_rows = [row for row in rows if row and row.ended_at is None and row.ticket_id == root.id]
    assert ticket.id is not None
    for row in open_rows:
        row.ticket_id = ticket.id
        session.add(row)
    ticket.escalated_to = open_rows[-1].to_level if open_rows else None
    if open_rows:
        root.escalated_to = None
        if _owner(root) == effect["after"]:
            _put_owner(context, root, effect["before"])


def _moment(text: str | None) -> datetime | None:
    return parse_moment(text) if text else None
