"""What goes with a ticket that is moved up: everything the next person needs, as plain text.

It is a note on the ticket and the mail to the people of the level. All that strangers wrote stands
on lines of its own, indented or on one line, so that it cannot pass for a line of the packet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflow.calendars import Calendar
from workflow.escalation_rules import Level
from workflow.model import ClockState, Direction, OutboxState, Priority
from workflow.plaintext import one_line, printable
from workflow.standing import standing
from workflow.store.rows import ClockDetail
from workflow.store.statements import col, or_, select
from workflow.store.store import Transaction
from workflow.store.tables import ClockRow, Customer, Escalation, Message, Ticket

__all__ = ["AUTHOR", "Occasion", "packet_subject", "packet_text", "span"]

AUTHOR = "escalation"
"""Who signs a packet."""

_MOST_EARLIER = 5
_MOST_MESSAGES = 6
_MESSAGE_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a packet is written: an escalation to a level, and what came before it.

    ``climbed`` says of an escalation that nobody accepted which level it was and what it had been
    given.
    """

    row: Escalation
    level: Level
    climbed: str = ""


def packet_subject(ticket: Ticket, occasion: Occasion) -> str:
    """The subject of the mail."""
    row = occasion.row
    return one_line(
        f"[#{ticket.id}] Escalated to {row.to_level}: {row.reason} - {ticket.subject}", 200
    )


def packet_text(
    transaction: Transaction,
    ticket: Ticket,
    occasion: Occasion,
    calendars: Mapping[str, Calendar],
) -> str:
    """The packet."""
    row, now = occasion.row, transaction.now
    customer = transaction.session.get(Customer, ticket.customer_id)
    assert customer is not None
    lines = [_summary(ticket, row, now)]
    if occasion.climbed:
        lines.append(occasion.climbed)
    group = f" ({occasion.level.group})" if occasion.level.group else ""
    lines.append(f"To {row.to_level}{group}, by {_who(row.by)}, {_moment(row.at)}.")
    if row.ack_due_at is not None:
        left = span(int((row.ack_due_at - now).total_seconds()))
        lines.append(
            f"Accept within {left}, until {_moment(row.ack_due_at)}: deskhand accept {ticket.id}"
        )
    who = [one_line(customer.name, 100) or "no name", f"tier {one_line(customer.tier, 40)}"]
    if customer.company:
        who.insert(1, one_line(customer.company, 100))
    lines += ["", f"Customer: {', '.join(who)}"]
    wanted = _moment(row.wanted_by) if row.wanted_by else ""
    for word, said in (
        ("Reason", row.reason),
        ("Tried", row.tried),
        ("Needed", row.needed),
        ("By", wanted),
        ("Promised", row.promised),
    ):
        lines += _said(word, said)
    lines += ["", "What is left of each promise:", *_clocks(transaction, ticket, calendars)]
    lines += ["", "Earlier tickets:", *_earlier(transaction, ticket)]
    lines += ["", "The last messages:", *_messages(transaction, ticket)]
    return "\n".join(lines)


def span(seconds: int) -> str:
    """A length of time in words: ``1 h 20 min``."""
    seconds = abs(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _summary(ticket: Ticket, row: Escalation, now: datetime) -> str:
    parts = [
        f"#{ticket.id} {one_line(ticket.subject, 200) or '(no subject)'}",
        ticket.status,
        f"{Priority(ticket.priority).word} priority",
        ticket.channel,
    ]
    if ticket.waiting_since is not None:
        waited = int((now - ticket.waiting_since).total_seconds())
        parts.append(f"the customer has waited {span(waited)}")
    return f"{row.reason}: {' · '.join(parts)}"


def _said(word: str, said: str) -> list[str]:
    """A field with what was said; its further lines are indented, so none passes for a field."""
    lines = printable(said).strip().split("\n")
    return [f"{word}: {lines[0] or '-'}", *(f"    {line}" for line in lines[1:])]


def _clocks(
    transaction: Transaction, ticket: Ticket, calendars: Mapping[str, Calendar]
) -> list[str]:
    rows = transaction.session.exec(
        select(ClockRow)
        .where(col(ClockRow.ticket_id) == ticket.id)
        .order_by(col(ClockRow.started_at), col(ClockRow.metric))
    ).all()
    said = []
    for row in rows:
        clock = ClockDetail(
            row.metric,
            row.policy,
            row.calendar,
            row.target_s,
            row.started_at,
            row.due_at,
            row.warn_at,
            row.state,
            row.remaining_s,
            row.ended_at,
        )
        found = standing(clock, transaction.now, calendars)
        words = found.state.value
        if found.state in (ClockState.RUNNING, ClockState.PAUSED):
            words = f"{span(found.remaining_s)} left"
            words += " (paused)" if found.state is ClockState.PAUSED else ""
        elif found.state is ClockState.BREACHED:
            words = f"late by {span(found.remaining_s)}"
        due = f", due {_moment(row.due_at)}" if row.due_at else ""
        said.append(f"  {row.metric.replace('_', ' ')}: {words}{due}")
    return said or ["  none is running"]


def _earlier(transaction: Transaction, ticket: Ticket) -> list[str]:
    rows = transaction.session.exec(
        select(Ticket)
        .where(
            col(Ticket.customer_id) == ticket.customer_id,
            col(Ticket.id) != ticket.id,
            col(Ticket.spam_at).is_(None),
        )
        .order_by(col(Ticket.id).desc())
        .limit(_MOST_EARLIER)
    ).all()
    said = []
    for row in rows:
        outcome = row.status
        if row.resolved_at is not None:
            outcome += f" {row.resolved_at:%Y-%m-%d}"
        if row.assignee:
            outcome += f" by {row.assignee}"
        said.append(f"  #{row.id} {one_line(row.subject, 120) or '(no subject)'}: {outcome}")
    return said or ["  none: this is the first one"]


def _messages(transaction: Transaction, ticket: Ticket) -> list[str]:
    rows = transaction.session.exec(
        select(Message)
        .where(
            col(Message.ticket_id) == ticket.id,
            col(Message.delivery).is_distinct_from(OutboxState.CANCELLED.value),
            or_(col(Message.direction) != Direction.NOTE.value, col(Message.author) != AUTHOR),
        )
        .order_by(col(Message.at).desc(), col(Message.id).desc())
        .limit(_MOST_MESSAGES)
    ).all()
    said = []
    for row in reversed(rows):
        who = one_line(row.author, 80) or "?"
        kind = {"in": "", "out": " (us)", "note": " (note)"}.get(row.direction, "")
        text = one_line(row.text[: _MESSAGE_LENGTH * 4], _MESSAGE_LENGTH) or "(no text)"
        said.append(f"  {_moment(row.at)} {who}{kind}: {text}")
    return said or ["  none"]


def _who(wire: str) -> str:
    kind, _, name = wire.partition(":")
    return name or kind


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
