"""What triage reads and writes, for a whole batch of messages in a fixed number of statements."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ArrivedRow",
    "ContactRow",
    "LearnableRow",
    "arrived_rows",
    "contact_rows",
    "learnable",
    "learnable_count",
    "learned_facts",
    "learned_table",
    "write_triaged",
]

LEARNED = "topics"
"""The row with what is worth telling of the model."""
LEARNED_COUNTS = "topics.counts"
"""The row with its counts, which is only read where the model is another one."""


@dataclass(frozen=True, slots=True)
class ArrivedRow:
    """A customer's message, with its ticket as it stands."""

    message: int
    at_ms: int
    subject: str
    text: str
    full_text: str | None
    ticket: int
    customer: int
    topic: str | None
    language: str | None
    sentiment: float | None
    urgency: int | None
    wants_person: int
    set_by: str
    """JSON"""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A time at which a customer wrote; ``chat`` where a conversation has many short messages."""

    customer: int
    ticket: int
    message: int
    at_ms: int
    chat: int


@dataclass(frozen=True, slots=True)
class LearnableRow:
    """A resolved ticket with its topic and what its customer first wrote."""

    topic: str
    by_person: bool
    subject: str
    text: str


_ARRIVED = """
SELECT message.id, message.at, message.subject, message.text, message.full_text, ticket.id,
       ticket.customer_id, ticket.topic, ticket.language, ticket.sentiment, ticket.urgency,
       ticket.wants_person, coalesce(ticket.set_by, '{}')
FROM message JOIN ticket ON ticket.id = message.ticket_id
WHERE message.id IN (SELECT value FROM json_each(?)) ORDER BY message.id"""
_CONTACTS = """
SELECT ticket.customer_id, ticket.id, message.id, message.at, ticket.conversation IS NOT NULL
FROM ticket JOIN message ON message.ticket_id = ticket.id
WHERE ticket.customer_id IN (SELECT value FROM json_each(?)) AND ticket.last_message_at >= ?
  AND message.at >= ? AND message.direction = 'in' AND NOT message.automatic AND NOT message.aside
  AND EXISTS (SELECT 1 FROM identity WHERE identity.customer_id = ticket.customer_id
              AND identity.value = lower(message.from_address))
ORDER BY message.at, message.id"""
_WRITE = """
UPDATE ticket SET topic = ?, language = ?, sentiment = ?, urgency = ?, wants_person = ?,
       contacts = ?, set_by = ?, version = version + 1 WHERE id = ?"""
_RESOLVED = """
FROM ticket WHERE status IN ('resolved', 'closed') AND topic IS NOT NULL AND topic <> 'other'
  AND spam_at IS NULL AND merged_into IS NULL"""
_BY_PERSON = "coalesce(json_extract(ticket.set_by, '$.topic'), '') LIKE 'agent:%'"
_COUNT = f"SELECT count(*), coalesce(sum({_BY_PERSON}), 0) {_RESOLVED}"
_LEARNABLE = f"""
WITH chosen AS (
  SELECT ticket.id, ticket.topic, {_BY_PERSON} AS by_person {_RESOLVED}
    AND ({_BY_PERSON} OR EXISTS (SELECT 1 FROM event WHERE event.ticket_id = ticket.id
         AND event.name = 'ticket.status' AND event.actor LIKE 'agent:%'))
  ORDER BY ticket.resolved_at DESC, ticket.id DESC LIMIT ?)
SELECT chosen.topic, chosen.by_person, message.subject, message.text
FROM chosen JOIN message ON message.id = (
  SELECT min(first.id) FROM message AS first WHERE first.ticket_id = chosen.id
  AND first.direction = 'in' AND NOT first.automatic AND NOT first.aside)
ORDER BY chosen.id"""


def arrived_rows(connection: sqlite3.Connection, messages: Iterable[int]) -> list[ArrivedRow]:
    """The messages with their tickets, in the order in which they reached the desk."""
    rows = connection.execute(_ARRIVED, (json.dumps(list(messages)),))
    return [ArrivedRow(*row) for row in rows]


def contact_rows(
    connection: sqlite3.Connection, customers: Iterable[int], since_ms: int
) -> list[ContactRow]:
    """When these customers wrote since a moment, on all of their tickets and by all of their
    identities, the oldest first.
    """
    wanted = json.dumps(sorted(set(customers)))
    rows = connection.execute(_CONTACTS, (wanted, since_ms, since_ms))
    return [ContactRow(*row) for row in rows]


def write_triaged(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write topic, language, sentiment, urgency, wants_person, contacts and set_by of tickets; the
    number of the ticket stands at the end of each row.
    """
    connection.executemany(_WRITE, rows)


def learnable_count(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many resolved tickets have a topic, and of how many a person has set it."""
    found: tuple[int, int] = connection.execute(_COUNT).fetchone()
    return found


def learnable(connection: sqlite3.Connection, limit: int) -> list[LearnableRow]:
    """The newest tickets that a person resolved, or whose topic a person has set."""
    rows = connection.execute(_LEARNABLE, (limit,))
    return [LearnableRow(row[0], bool(row[1]), row[2], row[3]) for row in rows]


def learned_facts(connection: sqlite3.Connection) -> tuple[int, int, dict[str, Any]] | None:
    """When the model was made (milliseconds), from how many tickets, and what is told of it."""
    row = connection.execute(
        "SELECT made_at, examples, data FROM learned WHERE name = ?", (LEARNED,)
    ).fetchone()
    return (row[0], row[1], json.loads(row[2])) if row else None


def learned_table(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The counts of the model."""
    row = connection.execute(
        "SELECT data FROM learned WHERE name = ?", (LEARNED_COUNTS,)
    ).fetchone()
    return json.loads(row[0]) if row else None
