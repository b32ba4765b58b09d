"""Queries that ask only for what a ticket is, not for how late it is: what is chosen by them is
chosen again when the ticket changes, and never by the mere passing of time.
"""

from __future__ import annotations

from datetime import UTC, datetime

from workflow.query.context import Context
from workflow.query.tree import Condition, Query, leaves

__all__ = ["JUDGED_AT", "moving"]

JUDGED_AT = Context(None, datetime(1970, 1, 1, tzinfo=UTC))
"""Nobody asks, and no moment matters."""

_FIELDS = frozenset({"due", "snoozed", "waiting", "age", "created", "updated"})
_MARKS = frozenset({"at-risk", "breached", "overdue", "snoozed", "waiting", "paused"})


def moving(query: Query) -> str | None:
    """The first condition of a query whose answer changes by itself (``age``, ``is:at-risk``); None
    where there is none.
    """
    for leaf in leaves(query.root):
        if not isinstance(leaf, Condition):
            continue
        if leaf.field in _FIELDS:
            return leaf.field
        if leaf.field == "is" and (marks := _MARKS.intersection(map(str, leaf.values))):
            return f"is:{min(marks)}"
    return None
