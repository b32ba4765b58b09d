"""Reading: SQL text on the driver itself, tuples out.

No ORM here, so the first screen need not load one.

Each thread has a connection of its own. Everything is short: a page of a queue, a count, one
ticket.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.errors import StoreError
from workflow.model import from_millis, moment, to_millis
from workflow.query.sql import Compiled
from workflow.store import sqlite
from workflow.store.queue_rows import FROM, QueueRow

if TYPE_CHECKING:
    # Made when they are first read: the first screen shows queue rows only.
    from workflow.store.rows import (
        DraftDetail,
        HeldRow,
        HistoryRow,
        MessageDetail,
        OutboxRow,
        SenderRuleRow,
        TicketDetail,
    )

__all__ = ["SORTS", "Reads"]

QUEUE_COLUMNS = """ticket.id, ticket.subject, ticket.status, ticket.priority, ticket.channel,
 coalesce(nullif(customer.name, ''), (SELECT value FROM identity
   WHERE identity.customer_id = customer.id ORDER BY identity.id LIMIT 1), '') AS customer,
 ticket.assignee, ticket.group_name, ticket.last_line, ticket.last_direction, ticket.waiting_since,
 ticket.next_metric, ticket.next_due_at, ticket.next_warn_at,
 CASE WHEN ticket.next_metric IS NULL THEN EXISTS(SELECT 1 FROM clock
   WHERE clock.ticket_id = ticket.id AND clock.state = 'paused') ELSE 0 END AS paused,
 ticket.snoozed_until, ticket.snoozed_until_reply, ticket.escalated_to, ticket.message_count,
 EXISTS(SELECT 1 FROM draft WHERE draft.ticket_id = ticket.id) AS has_draft,
 ticket.updated_at, ticket.version,
 CASE WHEN ticket.escalated_to IS NOT NULL THEN (SELECT ack_due_at FROM escalation
   WHERE escalation.ticket_id = ticket.id AND ended_at IS NULL ORDER BY id DESC LIMIT 1) END,
 CASE WHEN ticket.escalated_to IS NOT NULL THEN (SELECT accepted_by FROM escalation
   WHERE escalation.ticket_id = ticket.id AND ended_at IS NULL ORDER BY id DESC LIMIT 1) END,
 CASE WHEN ticket.next_metric IS NOT NULL THEN (SELECT calendar FROM clock
   WHERE clock.ticket_id = ticket.id AND clock.metric = ticket.next_metric) END AS next_calendar"""


SORTS: Mapping[str, str] = {
    "due": "due_rank, urgency_rank, waiting_rank, id",
    "priority": "urgency_rank, due_rank, waiting_rank, id",
    "waiting": "waiting_rank, urgency_rank, id",
    "age": "id",
    "newest": "id DESC",
    "updated": "updated_at DESC, id DESC",
    "snoozed": "coalesce(snoozed_until, 9007199254740991), id",
}
"""The orders a list can have. ``due``: nearest promise, then most urgent, then waiting longest."""

_CHUNK = 900
_WAITING = ["held", "scheduled", "queued", "sending", "failed", "bounced"]
"""The states of what is neither sent nor taken back."""


class Reads:
    """The readers of one desk's database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = sqlite.connect(self.path)
        return found

    def close(self) -> None:
        """Give up this thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._local.connection = None

    def fetch(self, sql: str, parameters: Iterable[object] = ()) -> list[Any]:
        """All rows of a statement, each a tuple; raises StoreError with a sentence."""
        try:
            return self.connection.execute(sql, tuple(parameters)).fetchall()
        except sqlite3.Error as fault:
            raise StoreError(sqlite.fault_sentence(fault, self.path)) from fault

    # -- lists

    def ids(self, compiled: Compiled, sort: str = "due", limit: int | None = None) -> array[int]:
        """The numbers of the tickets of a list, in its order."""
        sql = f"SELECT id FROM ticket WHERE {compiled.where} ORDER BY {SORTS[sort]}"
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        try:
            cursor = self.connection.execute(sql, compiled.params)
            cursor.row_factory = lambda _cursor, row: row[0]
            return array("q", cursor.fetchall())
        except sqlite3.Error as fault:
            raise StoreError(sqlite.fault_sentence(fault, self.path)) from fault

    def page(self, compiled: Compiled, sort: str = "due", limit: int = 50) -> list[QueueRow]:
        """The first rows of a list."""
        return self.rows(self.ids(compiled, sort, limit))

    def rows(self, ids: Sequence[int]) -> list[QueueRow]:
        """The rows of tickets, in the order of their numbers as given.

        Those that are gone are left out.
        """
        found: dict[int, QueueRow] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            sql = f"SELECT {QUEUE_COLUMNS} {FROM} WHERE ticket.id IN ({marks})"
            for row in self.fetch(sql, chunk):
                found[row[0]] = QueueRow._make(row)
        return [found[number] for number in ids if number in found]

    def count(self, compiled: Compiled) -> int:
        """How many tickets a list has."""
        sql = f"SELECT count(*) FROM ticket WHERE {compiled.where}"
        return int(self.fetch(sql, compiled.params)[0][0])

    def counts(self, lists: Mapping[str, Compiled]) -> dict[str, int]:
        """How many tickets each of several lists has; always counted, never stored."""
        return {name: self.count(compiled) for name, compiled in lists.items()}

    # -- one ticket

    def ticket(self, number: int, *, whole: bool = True) -> TicketDetail | None:
        """A ticket with its customer and clocks, and (``whole``) its messages and events.

        None if there is none.
        """
        found = self.tickets([number], whole=whole)
        return found[0] if found else None

    def tickets(self, numbers: Sequence[int], *, whole: bool = False) -> list[TicketDetail]:
        """Several tickets in the order given, with a fixed number of statements."""
        from workflow.store.details import ticket_details

        details: dict[int, TicketDetail] = {}
        for start in range(0, len(numbers), _CHUNK):
            chunk = list(numbers[start : start + _CHUNK])
            details.update(ticket_details(self.fetch, chunk, whole=whole))
        return [details[number] for number in numbers if number in details]

    def reference(self, number: int) -> str | None:
        """What a customer may put into a subject or a text to reach a ticket; None on a desk that
        has no key yet.
        """
        from workflow.tokens import make_reference

        rows = self.fetch("SELECT value FROM meta WHERE name = 'reply_secret'")
        return make_reference(bytes.fromhex(rows[0][0]), number) if rows else None

    def message(self, number: int) -> MessageDetail | None:
        """One message with its attachments, wherever it is."""
        from workflow.store.details import message_details

        found = message_details(self.fetch, "message.id = ?", [number])
        return next((message for messages in found.values() for message in messages), None)

    def history(
        self, customer: int, before_ticket: int | None = None, limit: int = 20
    ) -> list[HistoryRow]:
        """The tickets of a customer but ``before_ticket``, newest first, with what came of them."""
        from workflow.store.rows import HistoryRow

        rows = self.fetch(
            """SELECT id, subject, status, channel, assignee, created_at, updated_at, resolved_at,
            waiting_since IS NOT NULL, spam_at IS NOT NULL, merged_into,
            (SELECT actor FROM event WHERE event.ticket_id = ticket.id AND name = 'ticket.status'
             ORDER BY event.id DESC LIMIT 1)
            FROM ticket WHERE customer_id = ? AND id <> ? ORDER BY id DESC LIMIT ?""",
            (customer, before_ticket or 0, limit),
        )
        return [
            HistoryRow(
                *[*row[:5], from_millis(row[5]), from_millis(row[6]), moment(row[7])],
                *[bool(row[8]), bool(row[9]), *row[10:]],
            )
            for row in rows
        ]

    def draft(self, agent: str, ticket: int, kind: str) -> DraftDetail | None:
        """What an agent has typed on a ticket and not sent."""
        from workflow.drafts import DraftOptions
        from workflow.store.rows import DraftDetail

        rows = self.fetch(
            """SELECT agent, ticket_id, kind, text, answers, updated_at, options FROM draft
            WHERE agent = ? AND ticket_id = ? AND kind = ?""",
            (agent, ticket, kind),
        )
        return next(
            (
                DraftDetail(
                    *[*row[:5], from_millis(row[5]), DraftOptions.from_json(json.loads(row[6]))]
                )
                for row in rows
            ),
            None,
        )

    # -- rooms

    def outbox(self, states: Sequence[str] | None = None, limit: int = 500) -> list[OutboxRow]:
        """What is to be sent, oldest first.

        Without states everything that has not been sent or cancelled.
        """
        wanted = list(states) if states is not None else _WAITING
        marks = ",".join("?" * len(wanted))
        return self._outbox(f"outbox.state IN ({marks}) ORDER BY outbox.id LIMIT ?", *wanted, limit)

    def outbox_of(self, ticket: int) -> list[OutboxRow]:
        """The outbox items of one ticket, whatever their state."""
        return self._outbox("outbox.ticket_id = ? ORDER BY outbox.id", ticket)

    def outbox_item(self, number: int) -> OutboxRow | None:
        """One outbox item, whatever its state."""
        return next(iter(self._outbox("outbox.id = ?", number)), None)

    def _outbox(self, where: str, *parameters: object) -> list[OutboxRow]:
        from workflow.store.rows import OutboxRow

        rows = self.fetch(
            f"""SELECT outbox.id, outbox.ticket_id, outbox.state, due_at, attempts, error, outbox.message_id,
            recipients, message.subject, outbox.account, sent_at, unless_reply
            FROM outbox JOIN message ON message.id = outbox.message_row WHERE {where}""",
            parameters,
        )
        return [
            OutboxRow(
                *[*row[:3], from_millis(row[3]), *row[4:7], tuple(json.loads(row[7]))],
                *[*row[8:10], moment(row[10]), bool(row[11])],
            )
            for row in rows
        ]

    def held(self, state: str | None = "held", limit: int = 500) -> list[HeldRow]:
        """What was kept out, newest first; ``state`` None for all."""
        if state is None:
            return self._held("1 ORDER BY id DESC LIMIT ?", limit)
        return self._held("state = ? ORDER BY id DESC LIMIT ?", state, limit)

    def held_item(self, number: int) -> HeldRow | None:
        """One held item, whatever its state."""
        return next(iter(self._held("id = ?", number)), None)

    def held_count(self) -> int:
        """How many held items wait for a person."""
        return int(self.fetch("SELECT count(*) FROM held WHERE state = 'held'")[0][0])

    def held_wanted(self, account: str) -> list[HeldRow]:
        """The released items of an account whose mail is still to be fetched whole."""
        return self._held("state = 'wanted' AND account = ? ORDER BY id", account)

    def _held(self, where: str, *parameters: object) -> list[HeldRow]:
        from workflow.store.rows import HeldRow

        rows = self.fetch(
            f"""SELECT id, at, account, cause, evidence, sender, subject, raw_sha256, raw_size, state,
            channel, coalesce(reached_at, at), ticket_id, automatic, folder, validity, position
            FROM held WHERE {where}""",
            parameters,
        )
        return [
            HeldRow(
                *[row[0], from_millis(row[1]), *row[2:11], from_millis(row[11]), row[12]],
                *[bool(row[13]), *row[14:]],
            )
            for row in rows
        ]

    def sender_rules(self) -> list[SenderRuleRow]:
        """The rules about senders, the newest first."""
        from workflow.store.rows import SenderRuleRow

        rows = self.fetch(
            "SELECT pattern, allow, at, by FROM sender_rule ORDER BY at DESC, pattern"
        )
        return [SenderRuleRow(row[0], bool(row[1]), from_millis(row[2]), row[3]) for row in rows]

    def agents(self) -> list[str]:
        """The names of the agents who work here."""
        return [name for (name,) in self.fetch("SELECT name FROM agent WHERE active ORDER BY name")]

    def groups(self) -> list[tuple[str, str]]:
        """The groups with their levels."""
        rows = self.fetch("SELECT name, level FROM desk_group WHERE active ORDER BY level, name")
        return [(name, level) for name, level in rows]

    # -- what the engine asks

    def cursor(self, account: str, folder: str) -> tuple[int, int] | None:
        """How far a folder has been read: its validity and the last position.

        None before the first time.
        """
        rows = self.fetch(
            "SELECT validity, position FROM cursor WHERE account = ? AND folder = ?",
            (account, folder),
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def next_send(self, accounts: Sequence[str]) -> datetime | None:
        """When the next message of these accounts may leave."""
        marks = ",".join("?" * len(accounts))
        rows = self.fetch(
            f"""SELECT min(due_at) FROM outbox
            WHERE state IN ('held','scheduled','queued')
            AND account IN ({marks})""",
            accounts,
        )
        return moment(rows[0][0])

    def copies_wanted(self, account: str) -> bool:
        """Whether something was sent whose copy is not yet in the account's Sent folder."""
        rows = self.fetch(
            """SELECT EXISTS(SELECT 1 FROM outbox WHERE state = 'sent' AND copied_at IS NULL
            AND copy_error IS NULL AND account = ?)""",
            (account,),
        )
        return bool(rows[0][0])

    def next_timer(self) -> datetime | None:
        """When the next clock is at risk or breached, the next snooze ends, or the next escalation
        must have been accepted.
        """
        rows = self.fetch(
            """SELECT min(at) FROM (
            SELECT min(warn_at) AS at FROM clock WHERE state = 'running' AND NOT at_risk_told
            UNION ALL SELECT min(due_at) FROM clock WHERE state = 'running' AND NOT breached_told
            UNION ALL SELECT min(snoozed_until) FROM ticket WHERE snoozed_until IS NOT NULL
            UNION ALL SELECT min(due_at) FROM rule_timer
            UNION ALL SELECT min(due_at) FROM notice WHERE state = 'queued' AND kind = 'mail'
            UNION ALL SELECT min(ack_due_at) FROM ticket JOIN escalation
            ON escalation.ticket_id = ticket.id WHERE ticket.escalated_to IS NOT NULL
            AND status <> 'closed' AND status <> 'resolved' AND spam_at IS NULL
            AND merged_into IS NULL
            AND ended_at IS NULL AND accepted_at IS NULL AND NOT ack_told)"""
        )
        return moment(rows[0][0])

    def has_notices(self, agent: str, now: datetime) -> bool:
        """Whether a notice for an agent's desktop is due."""
        rows = self.fetch(
            "SELECT EXISTS(SELECT 1 FROM notice WHERE state = 'queued' AND kind = 'desktop'"
            " AND due_at <= ? AND json_extract(target, '$.agent') = ?)",
            (to_millis(now), agent),
        )
        return bool(rows[0][0])

    def next_notice(self) -> datetime | None:
        """When the next webhook, program or service is to be told."""
        rows = self.fetch(
            "SELECT min(due_at) FROM notice WHERE state IN ('queued', 'sending')"
            " AND kind IN ('webhook', 'program', 'apprise')"
        )
        return moment(rows[0][0])

    # -- following changes

    def data_version(self) -> int:
        """A number that changes whenever another connection has committed; costs microseconds."""
        return sqlite.data_version(self.connection)

    def last_event_id(self) -> int:
        """The newest event."""
        return int(self.fetch("SELECT coalesce(max(id), 0) FROM event")[0][0])

    def changed_tickets(self, after: int) -> tuple[set[int], int]:
        """The tickets with events after the one named, and the newest event by now."""
        rows = self.fetch("SELECT id, ticket_id FROM event WHERE id > ? ORDER BY id", (after,))
        return {ticket for _id, ticket in rows if ticket is not None}, (
            rows[-1][0] if rows else after
        )
