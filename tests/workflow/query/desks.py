"""Small desks with random tickets in a real SQLite database, for the tests of the query
language."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from random import Random

from sqlalchemy import create_mock_engine
from sqlalchemy.engine import Dialect

from workflow.model import Priority, Status, to_millis
from workflow.query.context import Context
from workflow.query.sql import add_functions
from workflow.query.terms import index_row, people_text
from workflow.store.sqlite import FTS_INSERT, FTS_SCHEMA
from workflow.store.tables import metadata

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CONTEXT = Context("ana", NOW)
HOUR = 3_600_000

AGENTS = ("ana", "Ben", "none", "me", "O'Neil")
NAMES = ("Ana Kowalska", "Łukasz Müller", "ALAN 100%_sure", "王小明", "Søren Ørsted", "")
ADDRESSES = ("ana@example.com", "L.Müller@firma.example", "bob_x@example.org", "ｗ@example.com", "")
SUBJECTS = (
    "Invoice 100%",
    "invoice_7 \\ late",
    "Rückerstattung",
    "返金のお願い",
    "Re: Возврат",
    "",
    "Straße",
)
BODIES = (
    "Please refund order ORD-5518, charged twice.",
    "Bitte um Rückerstattung der Bestellung, große Straße.",
    "Je voudrais un remboursement, ça a été débité.",
    "¿Dónde está mi devolución? Señor Núñez",
    "Прошу возврат денег за заказ ORD-5519. Ещё раз.",
    "返金をお願いします。注文ORD5518番です。ガラスが割れた",
    "환불 부탁드립니다 주문 5518",
    'ordinary order of refunds; O\'Reilly said "no" * AND OR NOT NEAR(',
    "",
)
TAGS = ("refund", "Refund", "vip", "it's", "none")


@lru_cache(maxsize=1)
def schema() -> str:
    """The tables of the store as one script."""
    statements: list[str] = []

    def keep(statement: object, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))  # type: ignore[attr-defined]

    engine = create_mock_engine("sqlite://", keep)
    assert isinstance(engine.dialect, Dialect)
    metadata.create_all(engine, checkfirst=False)
    return ";\n".join([*statements, FTS_SCHEMA, ""])


def empty_desk() -> sqlite3.Connection:
    """A database with the tables and nothing in them."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(schema())
    add_functions(connection)
    return connection


def insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    """Put a row in; its number."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    row = connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
    )
    assert row.lastrowid is not None
    return row.lastrowid


def add_message(connection: sqlite3.Connection, ticket: int, body: str, **values: object) -> int:
    """A message and its row of full text."""
    row: dict[str, object] = {
        "ticket_id": ticket,
        "direction": "in",
        "author": "",
        "channel": "email",
        "at": 0,
        "subject": "",
        "from_name": "",
        "from_address": "",
        "text": body,
        "full_text": None,
        "automatic": 0,
        "matched_by": "",
        "raw_size": 0,
        "defects": "",
        "to_list": "[]",
        "cc_list": "[]",
    }
    row.update(values)
    message = insert(connection, "message", **row)
    parties = [*json.loads(str(row["to_list"])), *json.loads(str(row["cc_list"]))]
    people = people_text(
        str(row["author"]), str(row["from_name"]), str(row["from_address"]), parties
    )
    columns = index_row(str(row["subject"]), people, str(row["full_text"] or body))
    connection.execute(FTS_INSERT, (message, *columns))
    return message


def add_ticket(connection: sqlite3.Connection, customer: int, **values: object) -> int:
    """A ticket with the columns that matter and plain defaults for the rest."""
    row: dict[str, object] = {
        "subject": "",
        "status": "open",
        "priority": 2,
        "priority_by": "default",
        "channel": "email",
        "customer_id": customer,
        "created_at": 0,
        "updated_at": 0,
        "snoozed_until_reply": 0,
        "no_clocks": 0,
        "last_direction": "in",
        "last_line": "",
        "message_count": 0,
        "due_rank": 0,
        "urgency_rank": 2,
        "waiting_rank": 0,
        "version": 1,
    }
    row.update(values)
    return insert(connection, "ticket", **row)


def random_desk(seed: int, tickets: int = 14) -> sqlite3.Connection:
    """A desk whose tickets differ in everything that a query can ask for."""
    random, connection, now = Random(seed), empty_desk(), to_millis(NOW)

    def when(*, empty: float = 0.4) -> int | None:
        spread = random.choice((HOUR, 48 * HOUR, 2000 * HOUR))
        return (
            None
            if random.random() < empty
            else now + random.choice((0, random.randint(-spread, spread)))
        )

    customers = []
    for name in NAMES:
        customer = insert(
            connection,
            "customer",
            name=name,
            company=random.choice(("Globex GmbH", "Größe AG", "")),
            tier=random.choice(("standard", "vip", "VIP", "")),
            created_at=0,
        )
        for address in random.sample(ADDRESSES, random.randint(0, 2)):
            kind = f"kind{customer}"
            insert(
                connection,
                "identity",
                customer_id=customer,
                kind=kind,
                value=address,
                display="",
                evidence="",
                created_at=0,
            )
        customers.append(customer)
    for _ in range(tickets):
        due = when()
        ticket = add_ticket(
            connection,
            random.choice(customers),
            subject=random.choice(SUBJECTS),
            status=str(random.choice(list(Status))),
            priority=int(random.choice(list(Priority))),
            channel=random.choice(("email", "telegram")),
            account=random.choice((None, "support", "Bot")),
            group_name=random.choice((None, "finance", "Finance")),
            assignee=random.choice((None, *AGENTS)),
            level=random.choice((None, "L1", "lead")),
            topic=random.choice((None, "billing", "technical")),
            language=random.choice((None, "de", "ja")),
            sentiment=random.choice((None, -0.5, 0.0, 0.25)),
            urgency=random.choice((None, 0, 1, 2, 3)),
            wants_person=random.choice((0, 0, 1)),
            contacts=random.choice((0, 1, 2, 5)),
            policy=random.choice((None, "Billing error", "vip")),
            created_at=when(empty=0),
            updated_at=when(empty=0),
            snoozed_until=when(empty=0.7),
            snoozed_until_reply=random.choice((0, 0, 1)),
            spam_at=now if random.random() < 0.15 else None,
            merged_into=1 if random.random() < 0.15 else None,
            escalated_to=random.choice((None, None, "L2")),
            waiting_since=when(),
            next_due_at=due,
            next_warn_at=None if due is None else due - random.choice((HOUR, 10 * HOUR)),
        )
        for tag in random.sample(TAGS, random.choice((0, 0, 1, 3))):
            insert(connection, "ticket_tag", ticket_id=ticket, tag=tag)
        if random.random() < 0.2:
            insert(
                connection,
                "draft",
                agent="ana",
                ticket_id=ticket,
                kind="reply",
                text="x",
                updated_at=0,
            )
        if random.random() < 0.4:
            insert(
                connection,
                "clock",
                ticket_id=ticket,
                metric="resolution",
                policy="p",
                calendar="c",
                target_s=1,
                started_at=0,
                state=random.choice(("paused", "running")),
                remaining_s=1,
                at_risk_told=0,
                breached_told=0,
            )
        for _ in range(random.choice((0, 1, 2))):
            message = add_message(
                connection,
                ticket,
                random.choice(BODIES),
                direction=random.choice(("in", "in", "out", "note")),
                subject=random.choice(SUBJECTS),
                author=random.choice(NAMES),
                from_name=random.choice(NAMES),
                from_address=random.choice(ADDRESSES),
                full_text=random.choice((None, *BODIES)),
                to_list=json.dumps(
                    random.choice(([], [[random.choice(NAMES), random.choice(ADDRESSES)]]))
                ),
                delivery=random.choice((None, "sent", "cancelled")),
            )
            if random.random() < 0.2:
                insert(
                    connection,
                    "attachment",
                    message_id=message,
                    name="a.pdf",
                    content_type="application/pdf",
                    size=1,
                    sha256="0",
                    inline=0,
                )
    return connection
