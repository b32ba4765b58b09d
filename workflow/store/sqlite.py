"""What only SQLite speaks: how a connection is opened, the full-text table, and its faults in plain
words.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from workflow.errors import StoreError
from workflow.query.sql import add_functions

__all__ = [
    "FTS_DELETE",
    "FTS_INSERT",
    "FTS_SCHEMA",
    "connect",
    "data_version",
    "fault_sentence",
    "prepare",
]

BUSY_TIMEOUT_MS = 5000

FTS_SCHEMA = (
    "CREATE VIRTUAL TABLE message_fts USING fts5("
    "subject, people, body, content='', tokenize='ascii', detail='full')"
)
"""Contentless: the text is kept once, in ``message``.

The 'ascii' tokenizer takes every non-ASCII character as a letter;
:func:`workflow.query.terms.searchable` has folded and split the text before, so queries and
predicates agree.
"""

FTS_INSERT = "INSERT INTO message_fts(rowid, subject, people, body) VALUES (?, ?, ?, ?)"
FTS_DELETE = "INSERT INTO message_fts(message_fts, rowid, subject, people, body) VALUES ('delete', ?, ?, ?, ?)"


def prepare(connection: sqlite3.Connection, *, writer: bool) -> None:
    """Set what every connection needs. FULL.

    A commit that was answered must survive a power cut, or a mail goes out twice.
    """
    add_functions(connection)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if writer:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    else:
        cursor.execute("PRAGMA query_only=ON")
    cursor.execute("PRAGMA cache_size=-32768")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def connect(path: Path, *, writer: bool = False) -> sqlite3.Connection:
    """A connection of the driver itself, in autocommit mode; raises StoreError with a sentence."""
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        prepare(connection, writer=writer)
    except sqlite3.Error as fault:
        raise StoreError(fault_sentence(fault, path)) from fault
    return connection


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def fault_sentence(fault: BaseException, path: Path | str) -> str:
    """What a driver's error means for a person, and what to do next."""
    text = str(fault).lower()
    if "locked" in text or "busy" in text:
        return (
            f"the database {path} is locked by another program: close whatever holds it"
            " (a backup, a database browser) and try again; nothing was changed"
        )
    if "full" in text:
        return f"the disk of {path} is full: free some space and try again; nothing was changed"
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return (
            f"{path} is damaged or is no deskhand database: move it away and restore the latest backup"
            " (deskhand restore FILE), or start anew by removing it"
        )
    if "readonly" in text or "read-only" in text:
        return (
            f"{path} cannot be written: give this user the right to write the file and its folder"
        )
    if "unable to open" in text:
        return f"{path} cannot be opened: check that its folder exists and that this user may read and write it"
    return f"the database {path} cannot be used ({fault}): run deskhand doctor"


def data_version(connection: sqlite3.Connection) -> int:
    """SQLite's own counter of commits by other connections."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
