"""One row of the queue: which columns fit a width, and how they are drawn. Pure; no widget, no clock, no query."""

from __future__ import annotations

from typing import NamedTuple

from textual.strip import Strip

from console import fmt
from console.countdown import Left, wall_clock
from console.drawing import LineBuilder
from console.themes import Inks
from workflow.model import Priority
from workflow.store.queue_rows import QueueRow

__all__ = ["CHANNELS", "STATES", "Columns", "columns_for", "draw_row", "draw_titles", "state_of"]

STATES = {
    "new": ("●", "accent"),
    "open": ("○", "text"),
    "pending": ("◐", "dim"),
    "on hold": ("□", "dim"),
    "resolved": ("✓", "good"),
    "closed": ("✕", "faint"),
    "snoozed": ("☾", "dim"),
}
"""Sign and ink of each state; snoozed is a mark that hides the status."""

CHANNELS = {"email": "✉", "telegram": "✈", "webchat": "◇", "form": "▤", "phone": "☎"}

_DONE = ("resolved", "closed")

_PRIORITY_INKS = {
    Priority.URGENT: "late",
    Priority.HIGH: "risk",
    Priority.MEDIUM: "dim",
    Priority.LOW: "faint",
    Priority.UNSET: "faint",
}


class Columns(NamedTuple):
    """Widths in cells; 0 leaves a column out. ``wide`` uses words where there is room for them."""

    number: int
    state: int
    priority: int
    customer: int
    subject: int
    group: int
    assignee: int
    waiting: int
    clock: int
    wide: bool


def columns_for(width: int, largest_id: int) -> Columns:
    """The columns for a screen of a width (80, 120 and 200 are the ones that are looked after)."""
    number = max(4, len(str(largest_id)) + 1)
    if width < 100:
        state, priority, group, assignee, waiting, clock = 1, 3, 0, 6, 4, 8
        customer = 15 if width >= 80 else 11
    elif width < 150:
        state, priority, group, assignee, waiting, clock = 10, 3, 0, 9, 4, 12
        customer = 20
    else:
        state, priority, group, assignee, waiting, clock = 10, 10, 12, 12, 5, 13
        customer = 28
    fixed = 2 + number + 1 + state + 1 + 1 + 1 + priority + 1 + customer + 1
    fixed += 1 + assignee + 1 + waiting + 1 + clock + (group + 1 if group else 0) + 1
    return Columns(
        number,
        state,
        priority,
        customer,
        max(8, width - fixed),
        group,
        assignee,
        waiting,
        clock,
        width >= 100,
    )


def state_of(row: QueueRow) -> str:
    """The status, or ``snoozed`` where that mark hides it."""
    return "snoozed" if row.snoozed_until_ms is not None or row.snoozed_until_reply else row.status


def draw_row(
    row: QueueRow,
    columns: Columns,
    inks: Inks,
    ground: str,
    width: int,
    now_ms: int,
    marked: bool,
    me: str | None,
    left_by: Left = wall_clock,
) -> Strip:
    """The row as a strip of exactly ``width`` cells."""
    line = LineBuilder(width)
    plain = inks("text", ground)
    dim, faint = inks("dim", ground), inks("faint", ground)
    gone = row.status in _DONE
    line.add("✓" if marked else "▌" if ground == "cursor" else " ", inks("accent", ground), 1)
    line.add(" ", plain)
    line.add(f"#{row.id}", dim, columns.number, "right")
    line.add(" ", plain)
    state = state_of(row)
    sign, ink = STATES.get(state, ("?", "text"))
    line.add(f"{sign} {state}" if columns.state > 1 else sign, inks(ink, ground), columns.state)
    line.add(" ", plain)
    line.add(CHANNELS.get(row.channel, "·"), dim, 1)
    line.add(" ", plain)
    priority = Priority(row.priority) if 0 <= row.priority <= 4 else Priority.UNSET
    words = fmt.priority_mark(row.priority)
    if columns.priority > 3 and priority:
        words = f"{words:<3} {priority.word}"
    line.add(words, inks(_PRIORITY_INKS[priority], ground), columns.priority)
    line.add(" ", plain)
    line.add(row.customer, dim if gone else plain, columns.customer)
    line.add(" ", plain)
    _draw_subject(line, row, columns, inks, ground, now_ms)
    line.add(" ", plain)
    if columns.group:
        line.add(row.group_name or "–", dim if row.group_name else faint, columns.group)
        line.add(" ", plain)
    mine = row.assignee is not None and row.assignee == me
    line.add(
        row.assignee or "–",
        inks("accent" if mine else "dim" if row.assignee else "faint", ground),
        columns.assignee,
    )
    line.add(" ", plain)
    line.add(fmt.age(now_ms, row.waiting_since_ms), dim, columns.waiting, "right")
    line.add(" ", plain)
    words, ink = row_clock(row, columns, now_ms, left_by)
    line.add(words, inks(ink, ground), columns.clock)
    return line.strip(plain)


def row_clock(
    row: QueueRow, columns: Columns, now_ms: int, left_by: Left = wall_clock
) -> tuple[str, str]:
    """The words and the ink of a row's nearest promise."""
    if row.status in _DONE:
        return ("–", "faint")
    return fmt.clock_words(
        now_ms, row.next_metric, row.next_due_ms, row.next_warn_ms, bool(row.paused), columns.wide,
        row.next_calendar, left_by,
    )  # fmt: skip


def row_escalation(row: QueueRow, now_ms: int) -> tuple[str, str]:
    """The words and the ink of a row's escalation; empty for one that is not escalated."""
    if not row.escalated_to:
        return ("", "dim")
    words = fmt.escalation_words(row.escalated_to, now_ms, row.ack_due_ms, row.accepted_by)
    if row.accepted_by or row.status in _DONE:
        return (words, "dim")
    late = row.ack_due_ms is not None and row.ack_due_ms < now_ms
    return (words, "late" if late else "risk")


def row_words(
    row: QueueRow, columns: Columns, now_ms: int, left_by: Left = wall_clock
) -> tuple[str, ...]:
    """What of a row changes by itself as time goes on: the promise, its ink, the age, the escalation."""
    words, ink = row_clock(row, columns, now_ms, left_by)
    return words, ink, fmt.age(now_ms, row.waiting_since_ms), *row_escalation(row, now_ms)


def _draw_subject(
    line: LineBuilder, row: QueueRow, columns: Columns, inks: Inks, ground: str, now_ms: int
) -> None:
    end = line.used + columns.subject
    if row.has_draft:
        line.add("✎ ", inks("accent", ground))
    if row.escalated_to:
        words, ink = row_escalation(row, now_ms)
        line.add(f"{words} ", inks(ink, ground), most=end - line.used)
    fresh = row.status == "new"
    ink = "dim" if row.status in _DONE else "strong" if fresh else "text"
    subject = row.subject or "(no subject)"
    line.add(subject, inks(ink, ground), most=end - line.used)
    room = end - line.used
    if room >= 8 and row.last_line:
        arrow = (
            "← "
            if row.last_direction == "out"
            else "note: "
            if row.last_direction == "note"
            else ""
        )
        line.add(f"  {arrow}{row.last_line}", inks("faint", ground), most=room)
    line.pad_to(end, inks("text", ground))


def draw_titles(columns: Columns, inks: Inks, width: int) -> Strip:
    """The line of column titles over the queue."""
    line = LineBuilder(width)
    style = inks("title", "bar")
    line.add("", style, 2)
    line.add("#", style, columns.number, "right")
    line.add(" ", style)
    line.add("State" if columns.state > 1 else " ", style, columns.state)
    line.add("   ", style)
    line.add("Priority" if columns.priority > 3 else "Pri", style, columns.priority)
    line.add(" ", style)
    line.add("Customer", style, columns.customer)
    line.add(" ", style)
    line.add("Subject", style, columns.subject)
    line.add(" ", style)
    if columns.group:
        line.add("Group", style, columns.group)
        line.add(" ", style)
    line.add("Agent", style, columns.assignee)
    line.add(" ", style)
    line.add("Wait", style, columns.waiting, "right")
    line.add(" ", style)
    line.add("Promise", style, columns.clock)
    return line.strip(style)
