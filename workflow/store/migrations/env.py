"""How Alembic reaches the database.

One transaction for the whole upgrade, so that a failed one leaves the old schema.
"""

from __future__ import annotations

import sqlite3

from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection

from workflow.errors import StoreError
from workflow.store import sqlite
from workflow.store.tables import metadata


def _run() -> None:
    engine = create_engine(f"sqlite:///{context.config.attributes['database']}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        sqlite.prepare(connection, writer=True)
        # A table that is made anew is dropped and renamed: its references are checked at the end instead.
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            connection.rollback()
            raise StoreError(
                f"{context.config.attributes['database']} has rows that lead nowhere ({broken[0][0]}):"
                " nothing was changed; restore the latest backup"
            )
        connection.commit()
    engine.dispose()


_run()
