"""How often a customer has written lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from workflow.store.triage_rows import ContactRow

__all__ = ["WITHIN", "contacts_at", "count_until"]

WITHIN = timedelta(days=7)
"""What is older is another matter."""

_ONE_TALK = timedelta(minutes=30)
"""Messages of a chat with less than this between them are one contact: people press enter often."""

_WITHIN_MS = WITHIN // timedelta(milliseconds=1)
_ONE_TALK_MS = _ONE_TALK // timedelta(milliseconds=1)


Moments = Sequence[tuple[int, int]]
"""Times (milliseconds), each with the message, the oldest first."""


def contacts_at(rows: Iterable[ContactRow]) -> Mapping[int, Moments]:
    """For each customer the moments at which they turned to the desk."""
    moments: dict[int, list[tuple[int, int]]] = {}
    last: dict[tuple[int, int], int] = {}
    for row in rows:
        key = (row.customer, row.ticket)
        goes_on = row.chat and key in last and row.at_ms - last[key] < _ONE_TALK_MS
        last[key] = row.at_ms
        if not goes_on:
            moments.setdefault(row.customer, []).append((row.at_ms, row.message))
    return moments


def count_until(moments: Moments, at_ms: int, message: int) -> int:
    """How many of them lie in the seven days that end with a message; one at least, which is it.

    What arrived after it does not count, whatever its time.
    """
    begin = at_ms - _WITHIN_MS
    return max(1, sum(begin < at <= at_ms and number <= message for at, number in moments))
