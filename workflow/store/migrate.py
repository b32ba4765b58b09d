"""Bring a database to the schema of this program.

Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from workflow.errors import StoreError
from workflow.store import sqlite

__all__ = ["HEAD", "ensure_schema", "schema_version"]

HEAD = "0009"
"""The newest migration; a test holds it equal to what Alembic finds."""

_FOLDER = Path(__file__).parent / "migrations"
_lock = threading.Lock()
"""Alembic keeps what it is at in globals: one thread of a process at a time."""


def schema_version(path: Path) -> str | None:
    """The migration that a database is at; None for a new one.

    Raises StoreError when it is no database of ours.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return None
    except OSError as fault:
        raise StoreError(
            f"{path} cannot be opened ({fault.strerror}): give this user the right to read it"
        ) from fault
    connection = sqlite.connect(path)
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if tables and not {"alembic_version", "ticket", "message"} <= tables:
            raise StoreError(
                f"{path} is a database of another program: choose another file as `database` in deskhand.toml"
            )
        if not tables:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as fault:
        raise StoreError(sqlite.fault_sentence(fault, path)) from fault
    finally:
        connection.close()
    return str(row[0]) if row else None


def ensure_schema(path: Path) -> None:
    """Make the database, or migrate it, if it is not at HEAD. Raises StoreError with a sentence."""
    found = schema_version(path)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise StoreError(
            f"{path} was made by a newer deskhand (schema {found}, this one knows {HEAD}):"
            " upgrade deskhand on this machine"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise StoreError(
            f"{path.parent} cannot be made ({fault.strerror}): choose another --home"
        ) from fault
    with _lock:
        if schema_version(path) != HEAD:
            _migrate(path)


def _migrate(path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["database"] = path
    try:
        command.upgrade(config, "head")
    except CommandError as fault:
        raise StoreError(
            f"{path} has a schema that this deskhand does not know ({fault}): upgrade deskhand on this"
            " machine"
        ) from fault
    except DBAPIError as fault:
        if schema_version(path) == HEAD:  # another process was quicker
            return
        raise StoreError(sqlite.fault_sentence(fault.orig or fault, path)) from fault
