"""How Alembic reaches the database.

One transaction for the whole upgrade, so that a failed one leaves the old schema.
"""

from __future__ import annotations

import sqlite3

from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection

from workflow.store import sqlite
from workflow.store.tables import metadata


def _run() -> None:
    engine = create_engine(f"sqlite:///{context.config.attributes['database']}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        sqlite.prepare(connection, writer=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


_run()
