"""After an edit of policies, calendars or rules: the clocks of the open tickets made anew, a few at a
time, so that nobody waits for it.

What is done stays in the database, ticket by ticket: a desk that is stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflow.desk import Desk
from workflow.projections import refresh
from workflow.store.tables import Meta

__all__ = ["remake_stale", "stale"]

_BATCH = 100
"""Tickets of one transaction: whoever wants to write meanwhile waits for no more than these."""

_DONE = "clocks_version"
_STALE = """
SELECT id FROM ticket INDEXED BY ix_ticket_queue_open WHERE status IN
('new','open','pending','on hold') AND spam_at IS NULL AND merged_into IS NULL AND
clocks_version <> ? ORDER BY due_rank, urgency_rank, waiting_rank, id LIMIT ?"""


def stale(desk: Desk) -> bool:
    """Whether there are clocks to be made anew; cheap to ask."""
    rules = desk.rule_book.current
    return desk.clocks_made_by != rules.clocks_version


def remake_stale(desk: Desk) -> int:
    """Make them anew, those that are due first before the others; the number of tickets."""
    return sum(_batches(desk)) if stale(desk) else 0


def _batches(desk: Desk) -> Iterator[int]:
    while True:
        with desk.engine_change("timer") as context:
            transaction, version = context.transaction, context.rules.clocks_version
            rows = transaction.raw.execute(_STALE, (version, _BATCH)).fetchall()
            if not rows:
                row = transaction.session.get(Meta, _DONE) or Meta(name=_DONE, value="")
                row.value = version
                transaction.session.add(row)
                desk.clocks_made_by = version
                return
            refresh(transaction, context.rules, [number for (number,) in rows])
        yield len(rows)
        desk.store.make_way()
