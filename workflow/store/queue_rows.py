"""One line of a queue. Alone in its file: the first screen needs it and none of the other rows."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FROM", "QueueRow"]

FROM = "FROM ticket JOIN customer ON customer.id = ticket.customer_id"
"""Where rows and details come from."""


class QueueRow(NamedTuple):
    """One line of a queue: everything a row shows, in the order of ``reads.QUEUE_COLUMNS``."""

    id: int
    subject: str
    status: str
    priority: int
    channel: str
    customer: str
    """The customer's name, or their first address."""
    assignee: str | None
    group_name: str | None
    last_line: str
    last_direction: str
    waiting_since_ms: int | None
    next_metric: str | None
    """``first_response`` ... of the running clock that is due first; None where no clock runs."""
    next_due_ms: int | None
    next_warn_ms: int | None
    paused: int
    """1 where the resolution clock is paused (pending)."""
    snoozed_until_ms: int | None
    snoozed_until_reply: int
    escalated_to: str | None
    message_count: int
    has_draft: int
    """1 where somebody has an unsent draft on it."""
    updated_ms: int
    version: int
    ack_due_ms: int | None = None
    """When somebody must have accepted its escalation; None where nothing is promised."""
    accepted_by: str | None = None
    """Who has accepted its escalation."""
    next_calendar: str | None = None
    """The calendar of the clock that is due first."""
