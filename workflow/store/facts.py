"""The facts of tickets as the query language's predicates read them, for many at once."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from workflow.query.conditions import Extra
from workflow.query.predicate import TicketFacts
from workflow.query.terms import people_text, word_line

__all__ = ["event_rows", "load_facts", "promise_rows"]

_BATCH = 500
_CHOSEN = "IN (SELECT value FROM json_each(?))"
_OF_TICKET = (
    "id",
    "subject",
    "status",
    "priority",
    "channel",
    "account",
    "group_name",
    "assignee",
    "level",
    "topic",
    "language",
    "sentiment",
    "urgency",
    "wants_person",
    "contacts",
    "policy",
    "created_at",
    "updated_at",
    "snoozed_until",
    "snoozed_until_reply",
    "spam_at",
    "merged_into",
    "escalated_to",
    "waiting_since",
    "next_due_at",
    "next_warn_at",
)
_NAMES = (*_OF_TICKET, "customer_name", "company", "tier")
_TICKETS = f"""
SELECT {", ".join(f"ticket.{column}" for column in _OF_TICKET)}, customer.name, customer.company,
customer.tier FROM ticket JOIN customer ON customer.id = ticket.customer_id WHERE ticket.id
{_CHOSEN}"""
_IDENTITIES = f"""
SELECT ticket.id, identity.value FROM ticket JOIN identity ON identity.customer_id =
ticket.customer_id WHERE ticket.id {_CHOSEN} ORDER BY identity.id"""
_TAGS = f"SELECT ticket_id, tag FROM ticket_tag WHERE ticket_id {_CHOSEN}"
_SENDERS = f"""
SELECT DISTINCT ticket_id, from_address FROM message WHERE ticket_id {_CHOSEN} AND direction =
'in'"""
_EXTRAS = f"""
SELECT DISTINCT ticket_id, CASE direction WHEN 'note' THEN 'note' ELSE 'reply' END FROM message
WHERE ticket_id {_CHOSEN}
  AND (direction = 'note' OR (direction = 'out' AND (delivery IS NULL OR delivery <> 'cancelled')))
UNION SELECT message.ticket_id, 'attachment' FROM message JOIN attachment ON attachment.message_id =
message.id WHERE message.ticket_id {_CHOSEN}
UNION SELECT ticket_id, 'draft' FROM draft WHERE ticket_id {_CHOSEN}
UNION SELECT ticket_id, 'paused' FROM clock WHERE ticket_id {_CHOSEN} AND state = 'paused'"""
_TEXTS = f"""
SELECT ticket_id, subject, author, from_name, from_address, to_list, cc_list,
       coalesce(nullif(full_text, ''), text)
FROM message WHERE ticket_id {_CHOSEN} ORDER BY id"""


def load_facts(
    connection: sqlite3.Connection, ticket_ids: Iterable[int], *, texts: bool = True
) -> list[TicketFacts]:
    """The facts of the tickets, in the order given; ids that do not exist are left out.

    ``texts=False`` leaves the messages' words out, for queries without any (``"text" not in
    query.fields``). A handful of statements for each 500 tickets, however many messages they have.
    """
    ids = list(ticket_ids)
    made: list[TicketFacts] = []
    for start in range(0, len(ids), _BATCH):
        made.extend(_batch(connection, ids[start : start + _BATCH], texts))
    return made


def promise_rows(
    connection: sqlite3.Connection, ticket_ids: Iterable[int]
) -> Iterator[tuple[int, int, str, str | None, dict[str, str], bool]]:
    """What decides of a ticket's promise beside its facts: number, priority, status, policy, who set
    what, and whether it is spam or merged.
    """
    for number, priority, status, policy, set_by, out in connection.execute(
        f"SELECT id, priority, status, policy, set_by, spam_at IS NOT NULL OR merged_into IS NOT NULL"
        f" FROM ticket WHERE id {_CHOSEN} ORDER BY id",
        (json.dumps(list(ticket_ids)),),
    ).fetchall():
        yield number, priority, status, policy, json.loads(set_by), bool(out)


def event_rows(
    connection: sqlite3.Connection, ticket_ids: Iterable[int], names: Collection[str]
) -> list[tuple[int, int, str, str]]:
    """Ticket, time, name and data (as JSON) of the events of tickets, in the order of writing."""
    return connection.execute(
        f"""SELECT ticket_id, at, name, data FROM event WHERE ticket_id {_CHOSEN}
        AND name IN ({",".join("?" * len(names))}) ORDER BY id""",
        (json.dumps(list(ticket_ids)), *names),
    ).fetchall()


def _batch(connection: sqlite3.Connection, ids: list[int], texts: bool) -> Iterator[TicketFacts]:
    chosen = json.dumps(ids)

    def lists(statement: str) -> defaultdict[int, list[str]]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for ticket, value in connection.execute(statement, (chosen,) * statement.count("?")):
            found[ticket].append(value)
        return found

    tickets = {row[0]: row for row in connection.execute(_TICKETS, (chosen,))}
    identities, tags, senders, extras = (
        lists(_IDENTITIES),
        lists(_TAGS),
        lists(_SENDERS),
        lists(_EXTRAS),
    )
    lines: defaultdict[int, list[str]] = defaultdict(list)
    if texts:
        for ticket, subject, author, name, address, to, cc, body in connection.execute(
            _TEXTS, (chosen,)
        ):
            people = people_text(author, name, address, [*json.loads(to), *json.loads(cc)])
            lines[ticket].extend(map(word_line, (subject, people, body)))
    for ticket in ids:
        row = tickets.get(ticket)
        if row is None:
            continue
        yield TicketFacts(
            **dict(zip(_NAMES, row, strict=True)),
            identities=tuple(identities[ticket]),
            senders=tuple(senders[ticket]),
            tags=frozenset(tags[ticket]),
            extras=frozenset(map(Extra, extras[ticket])),
            texts=tuple(lines[ticket]),
        )
