"""The one way to change a desk: a transaction that carries its events and its full-text rows with
it.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, insert
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session

from workflow.errors import NotFound, Refusal, StoreError
from workflow.model import Actor
from workflow.query.terms import index_row, people_text
from workflow.store import sqlite
from workflow.store.migrate import ensure_schema
from workflow.store.tables import Change, Event, Message, Meta, Ticket

__all__ = ["Arrived", "Store", "Transaction"]

_PATIENCE = 50


@dataclass(frozen=True, slots=True)
class Arrived:
    """A customer's own message that a transaction took in; ``created`` if it opened its ticket.

    What machines wrote, what is ours, and what is older than the desk's time is none.
    """

    ticket: int
    message: int
    created: bool


class Transaction:
    """A unit of work. Rows got here may be changed.

    What was recorded is written with them or not at all.
    """

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.touched: set[int] = set()
        """Tickets whose projections must be made anew before the commit."""
        self.arrived: list[Arrived] = []
        self.recorded: set[str] = set()
        """The names of the events that it has written."""
        self.change: Change | None = None
        self._indexed: list[tuple[int, str, str, str]] = []
        self._unindexed: list[tuple[int, str, str, str]] = []

    @property
    def connection(self) -> Connection:
        """The connection of this transaction, for statements on many rows."""
        return self.session.connection()

    def ticket(self, ticket_id: int) -> Ticket:
        """The ticket's row; raises NotFound."""
        row = self.session.get(Ticket, ticket_id)
        if row is None:
            raise NotFound(f"there is no ticket #{ticket_id}: deskhand list shows those there are")
        return row

    def begin_change(self, actor: Actor, cause: str, summary: str = "") -> Change:
        """Open the unit of undo to which the events recorded from now on belong."""
        change = Change(at=self.now, actor=actor.wire, cause=cause, summary=summary)
        self.session.add(change)
        self.session.flush()
        self.change = change
        return change

    def record(
        self,
        name: str,
        ticket_id: int | None,
        actor: Actor,
        cause: str,
        data: dict[str, Any] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write an event; it says that its ticket has changed."""
        self.session.add(
            Event(
                at=at or self.now,
                name=name,
                ticket_id=ticket_id,
                actor=actor.wire,
                cause=cause,
                data=data or {},
                change_id=self.change.id if self.change else None,
            )
        )
        self.recorded.add(name)
        if ticket_id is not None:
            self.touched.add(ticket_id)

    @property
    def raw(self) -> sqlite3.Connection:
        """The driver's connection of this transaction, for what reads as SQL text; what the session
        holds is written first.
        """
        self.session.flush()
        driver = self.connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that leaves nothing behind when it raises, while what came before it stays."""
        self.session.flush()
        touched, indexed, unindexed = set(self.touched), list(self._indexed), list(self._unindexed)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            self.touched, self._indexed, self._unindexed = touched, indexed, unindexed
            raise

    def add_message(self, message: Message) -> Message:
        """Write one message with its full-text row."""
        self.session.add(message)
        self.session.flush()
        assert message.id is not None
        people = people_text(
            message.author,
            message.from_name,
            message.from_address,
            [*message.to_list, *message.cc_list],
        )
        self.index([(message.id, message.subject, people, message.full_text or message.text)])
        return message

    def index(self, rows: Sequence[tuple[int, str, str, str]]) -> None:
        """Take (message, subject, people, body) into the full-text index at the end of the
        transaction.
        """
        self._indexed.extend(rows)

    def reindex(self, before: tuple[int, str, str, str], after: tuple[int, str, str, str]) -> None:
        """Replace a message's full-text row; ``before`` is exactly what was indexed."""
        if before in self._indexed:
            # Changed twice in one transaction: what is not written yet need not be taken away.
            self._indexed[self._indexed.index(before)] = after
            return
        self._unindexed.append(before)
        self._indexed.append(after)

    def insert_many(self, table: type, rows: Sequence[dict[str, Any]]) -> None:
        """Write many rows of a table in one statement."""
        if rows:
            if table is Event:
                self.recorded.update(row["name"] for row in rows)
            self.connection.execute(insert(table), list(rows))

    def flush_index(self) -> None:
        """Write the full-text rows that wait.

        In one statement, never by a trigger (which halves the rate).
        """
        if not self._indexed:
            return
        gone = [
            (row, *index_row(subject, people, body))
            for row, subject, people, body in self._unindexed
        ]
        rows = [
            (row, *index_row(subject, people, body)) for row, subject, people, body in self._indexed
        ]
        driver = self.raw
        driver.executemany(sqlite.FTS_DELETE, gone)
        driver.executemany(sqlite.FTS_INSERT, rows)
        self._indexed.clear()
        self._unindexed.clear()


class Store:
    """A desk's database. One writer at a time in this process.

    Readers have connections of their own (reads.py).
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self.path = path
        self._lock = threading.RLock()
        self._waiting = 0
        """How many of this process wait to write; a hint, not guarded."""
        self._listeners: list[Callable[[], None]] = []
        self._secret: bytes | None = None

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the database, making it or bringing its schema up to date first.

        Raises StoreError with a sentence.
        """
        ensure_schema(path)
        engine = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0, pool_timeout=60)

        @event.listens_for(engine, "connect")
        def _prepare(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None
            sqlite.prepare(connection, writer=True)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # The write lock is taken at once: a transaction that read first could not be upgraded
            # later.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return cls(engine, path)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every commit of this process, in the thread that committed."""
        self._listeners.append(listener)

    def make_way(self) -> None:
        """Between two transactions of long background work: let whoever waits to write go first. The
        lock by itself would go to the one that has just given it back.
        """
        for _ in range(_PATIENCE):
            time.sleep(0.002)
            if not self._waiting:
                return

    @contextmanager
    def write(self, now: datetime) -> Iterator[Transaction]:
        """A transaction that commits when the block ends and leaves nothing behind when it raises.

        Raises StoreError when the database is locked for longer than five seconds, full or damaged,
        and Refusal when somebody else changed the same ticket at the same moment.
        """
        self._waiting += 1
        with self._lock:
            self._waiting -= 1
            try:
                with Session(self._engine, expire_on_commit=False) as session, session.begin():
                    transaction = Transaction(session, now)
                    yield transaction
                    session.flush()
                    transaction.flush_index()
            except StaleDataError:
                raise Refusal(
                    "somebody else changed this ticket at the same moment: look and try again"
                ) from None
            except (OperationalError, DBAPIError) as fault:
                raise StoreError(sqlite.fault_sentence(fault.orig or fault, self.path)) from fault
            except sqlite3.Error as fault:
                raise StoreError(sqlite.fault_sentence(fault, self.path)) from fault
        for listener in self._listeners:
            listener()

    def secret(self, now: datetime) -> bytes:
        """The key that signs this desk's reply tokens; made with the desk."""
        if self._secret is None:
            with self.write(now) as transaction:
                row = transaction.session.get(Meta, "reply_secret")
                if row is None:
                    row = Meta(name="reply_secret", value=secrets.token_hex(32))
                    transaction.session.add(row)
                self._secret = bytes.fromhex(row.value)
        return self._secret
