"""What tickets have to do with each other, read for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workflow.model import from_millis
from workflow.store.rows import LinkDetail, SuggestionDetail

__all__ = ["links", "suggestions"]

_FORWARD = {"continues": "continues", "split": "split from", "related": "related"}
_BACKWARD = {"continues": "continued by", "split": "split into", "related": "related"}

Fetch = Callable[[str, Sequence[object]], list[Any]]


def links(fetch: Fetch, numbers: Sequence[int]) -> dict[int, list[LinkDetail]]:
    """The tickets that each of these is linked with or that were merged into it, in the order of
    their numbers.
    """
    marks = ",".join("?" * len(numbers))
    rows = fetch(
        f"""SELECT ticket_link.ticket_id, ticket.id, 0, kind, subject, status FROM ticket_link
        JOIN ticket ON ticket.id = ticket_link.other_id WHERE ticket_link.ticket_id IN ({marks})
        UNION ALL SELECT ticket_link.other_id, ticket.id, 1, kind, subject, status FROM ticket_link
        JOIN ticket ON ticket.id = ticket_link.ticket_id WHERE ticket_link.other_id IN ({marks})
        UNION ALL SELECT merged_into, id, 2, 'merged', subject, status FROM ticket
        WHERE merged_into IN ({marks}) ORDER BY 2""",
        [*numbers, *numbers, *numbers],
    )
    found: dict[int, list[LinkDetail]] = {}
    for number, other, way, kind, subject, status in rows:
        word = (_FORWARD, _BACKWARD, {"merged": "merged"})[way][kind]
        found.setdefault(number, []).append(LinkDetail(other, word, subject, status))
    return found


def suggestions(fetch: Fetch, numbers: Sequence[int]) -> dict[int, SuggestionDetail]:
    """The ticket that each of these looks like, or the one into which that was merged since; none
    for those that are merged themselves.
    """
    marks = ",".join("?" * len(numbers))
    rows = fetch(
        f"""WITH RECURSIVE kept(ticket, other) AS (
        SELECT id, looks_like FROM ticket
        WHERE id IN ({marks}) AND looks_like IS NOT NULL AND merged_into IS NULL
        UNION SELECT kept.ticket, ticket.merged_into FROM kept JOIN ticket ON ticket.id = kept.other
        WHERE ticket.merged_into IS NOT NULL)
        SELECT kept.ticket, ticket.id, subject, status, coalesce(last_message_at, created_at)
        FROM kept JOIN ticket ON ticket.id = kept.other
        WHERE ticket.merged_into IS NULL AND ticket.spam_at IS NULL AND ticket.id <> kept.ticket""",
        numbers,
    )
    return {
        number: SuggestionDetail(other, subject, status, from_millis(at))
        for number, other, subject, status, at in rows
    }
