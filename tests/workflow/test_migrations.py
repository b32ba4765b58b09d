"""A desk that has been used is brought to the newest schema with everything that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config

from workflow.store import migrate
from workflow.store.migrate import HEAD, ensure_schema, schema_version


def at_revision(path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["database"] = path
    command.upgrade(config, revision)


def fill(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(
        "INSERT INTO customer(id, name, company, tier, created_at) VALUES (1, 'Grace', '', 'vip', 1)"
    )
    connection.execute(
        "INSERT INTO identity(customer_id, kind, value, display, evidence, created_at)"
        " VALUES (1, 'email', 'grace@example.org', 'Grace', 'wrote', 1)"
    )
    connection.execute(
        "INSERT INTO ticket(id, subject, status, priority, priority_by, channel, customer_id,"
        " created_at, updated_at,"
        " snoozed_until_reply, no_clocks, last_direction, last_line, message_count, due_rank,"
        " urgency_rank, waiting_rank,"
        " version)"
        " VALUES (7, 'Hello', 'open', 2, 'default', 'email', 1, 1, 1, 0, 0, 'in', '', 0, 9, 2, 9, 1)"
    )
    connection.execute(
        "INSERT INTO escalation(ticket_id, at, by, to_level, reason, tried, needed, promised)"
        " VALUES (7, 1, 'agent:ana', 'L2', 'technical', '', '', '')"
    )
    connection.commit()
    connection.close()


def test_a_used_desk_of_the_first_schema_comes_to_the_newest_one(tmp_path: Path) -> None:
    path = tmp_path / "deskhand.db"
    at_revision(path, "0001")
    fill(path)
    ensure_schema(path)
    assert schema_version(path) == HEAD
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = connection.execute(
        "SELECT ticket.id, customer.name, identity.value, escalation.to_level FROM ticket"
        " JOIN customer ON customer.id = ticket.customer_id JOIN identity ON identity.customer_id = customer.id"
        " JOIN escalation ON escalation.ticket_id = ticket.id"
    ).fetchall()
    assert rows == [(7, "Grace", "grace@example.org", "L2")]
    # References still lead to the table that was made anew.
    connection.execute("PRAGMA foreign_keys=ON")
    try:
        connection.execute("DELETE FROM customer WHERE id = 1")
    except sqlite3.IntegrityError:
        pass
    else:
        raise AssertionError("a customer with tickets could be deleted")
    connection.close()
