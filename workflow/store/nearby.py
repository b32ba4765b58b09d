"""Tickets to choose another one from: quick enough to be asked for at each key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from workflow.query.terms import words

__all__ = ["NearbyTicket", "nearby"]

_MESSAGES = 400
"""Messages that are looked at for their tickets; a longer word finds what is further back."""

Fetch = Callable[[str, Sequence[object]], list[Any]]


class NearbyTicket(NamedTuple):
    """A ticket that may be meant."""

    id: int
    subject: str
    status: str
    customer: str
    updated_ms: int


_COLUMNS = """SELECT ticket.id, ticket.subject, ticket.status,
 coalesce(nullif(customer.name, ''), (SELECT value FROM identity
   WHERE identity.customer_id = customer.id ORDER BY identity.id LIMIT 1), ''), ticket.updated_at
 FROM ticket JOIN customer ON customer.id = ticket.customer_id"""
_LIVE = "ticket.merged_into IS NULL AND ticket.spam_at IS NULL"


def nearby(
    fetch: Fetch, typed: str, besides: Sequence[int], customer: int, limit: int = 30
) -> list[NearbyTicket]:
    """Tickets but ``besides``, by number, or by the beginnings of words in their subjects, names,
    addresses and texts, the newest first; without words those of the customer, then the newest.
    """
    number = re.fullmatch(r"#?(\d{1,15})", typed.strip())
    found: list[int] = []
    if number is not None:
        found = [row[0] for row in fetch("SELECT id FROM ticket WHERE id = ?", (int(number[1]),))]
    wanted = words(typed)
    if wanted:
        matching = " ".join(f'"{word}"*' for word in wanted)
        # By rowid from the end: however many match, only the newest are looked at.
        rows = fetch(
            """SELECT ticket_id FROM message WHERE id IN (SELECT rowid FROM message_fts
            WHERE message_fts MATCH ? ORDER BY rowid DESC LIMIT ?) ORDER BY id DESC""",
            (matching, _MESSAGES),
        )
        found += [row[0] for row in rows]
    elif number is None:
        for where, values in (("customer_id = ?", (customer,)), ("1 = 1", ())):
            rows = fetch(
                f"SELECT id FROM ticket WHERE {where} AND {_LIVE} ORDER BY id DESC LIMIT ?",
                (*values, limit + len(besides)),
            )
            found += [row[0] for row in rows]
    chosen = [each for each in dict.fromkeys(found) if each not in set(besides)][: limit * 2]
    marks = ",".join("?" * len(chosen))
    rows = fetch(f"{_COLUMNS} WHERE ticket.id IN ({marks}) AND {_LIVE}", chosen)
    by_number = {row[0]: NearbyTicket(*row) for row in rows}
    return [by_number[each] for each in chosen if each in by_number][:limit]
