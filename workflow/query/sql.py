"""The SQL back end: a query as the WHERE of ``SELECT ... FROM ticket``.

Words of closed sets (statuses, priorities, the scope) are written out, in the very form in which
tables.py defines the partial indexes, because SQLite proves an index by comparing expressions.
Whatever a person typed for an open field is a parameter, never text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from workflow.query.conditions import (
    Compare,
    Context,
    Either,
    Every,
    Extra,
    Filled,
    HasWords,
    How,
    Inverse,
    Like,
    Meaning,
    Named,
    OneOf,
    Place,
    Tagged,
    TierOf,
    meaning,
)
from workflow.query.terms import Term, fold, fts5_expression
from workflow.query.tree import Query

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SQLITE", "Compiled", "Context", "Dialect", "Sqlite", "add_functions", "compile_sql"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition on the table ``ticket`` with ``?`` for each of the parameters."""

    where: str
    params: tuple[object, ...]


class Dialect(Protocol):
    """What engines do differently."""

    def like(self, column: str, pattern: str) -> Compiled:
        r"""A text column, folded as :func:`workflow.query.terms.fold` does, is like a folded
        pattern (escape ``\``)."""
        ...

    def tickets_with(self, term: Term) -> Compiled:
        """A SELECT of the ids of the tickets that have a message with the words."""
        ...


class Sqlite:
    """SQLite with FTS5; a connection must have been through :func:`add_functions`."""

    def like(self, column: str, pattern: str) -> Compiled:
        """LIKE itself ignores the case of ASCII; only other text pays for a call into Python."""
        return Compiled(
            f"CASE WHEN {column} GLOB '*[^ -~]*'"
            f" THEN deskhand_fold({column}) LIKE ? ESCAPE '\\'"
            f" ELSE {column} LIKE ? ESCAPE '\\' END",
            (pattern, pattern),
        )

    def tickets_with(self, term: Term) -> Compiled:
        """The full-text table is ``message_fts``; its rowid is the message's id."""
        return Compiled(
            "SELECT message.ticket_id FROM message_fts"
            " JOIN message ON message.id = message_fts.rowid WHERE message_fts MATCH ?",
            (fts5_expression(term),),
        )


SQLITE = Sqlite()


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the function that compiled queries call; once for each connection."""
    connection.create_function("deskhand_fold", 1, _fold_or_none, deterministic=True)


def _fold_or_none(text: object) -> str | None:
    return fold(text) if isinstance(text, str) else None


def compile_sql(
    query: Query, context: Context, *, scoped: bool = True, dialect: Dialect = SQLITE
) -> Compiled:
    """The query as a condition for ``FROM ticket``; without an alias. Raises QuerySyntaxError for
    ``me`` without an agent."""
    writer = _Writer(dialect)
    return Compiled(
        writer.write(meaning(query, context, scoped=scoped), top=True), tuple(writer.params)
    )


_MESSAGE = "EXISTS (SELECT 1 FROM message WHERE message.ticket_id = ticket.id"
_CUSTOMER = "ticket.customer_id IN (SELECT customer.id FROM customer WHERE"
_EXTRAS = {
    Extra.ATTACHMENT: "EXISTS (SELECT 1 FROM message JOIN attachment"
    " ON attachment.message_id = message.id WHERE message.ticket_id = ticket.id)",
    Extra.DRAFT: "ticket.id IN (SELECT draft.ticket_id FROM draft)",
    Extra.NOTE: f"{_MESSAGE} AND message.direction = 'note')",
    Extra.REPLY: f"{_MESSAGE} AND message.direction = 'out'"
    " AND (message.delivery IS NULL OR message.delivery <> 'cancelled'))",
    Extra.PAUSED: "EXISTS (SELECT 1 FROM clock"
    " WHERE clock.ticket_id = ticket.id AND clock.state = 'paused')",
    Extra.TAG: "EXISTS (SELECT 1 FROM ticket_tag WHERE ticket_tag.ticket_id = ticket.id)",
}


class _Writer:
    """Writes one condition; collects parameters in the order of their question marks."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.params: list[object] = []

    def write(self, node: Meaning, top: bool = False) -> str:
        if isinstance(node, (Every, Either)):
            return self.joined(node, top)
        if isinstance(node, Inverse):
            return self.inverse(node.part)
        if isinstance(node, Compare):
            if node.column == "priority":
                return f"ticket.priority {node.operator} {int(node.value)}"
            self.params.append(node.value)
            return f"ticket.{node.column} {node.operator} ?"
        if isinstance(node, OneOf):
            return self.one_of(node)
        if isinstance(node, Named):
            return f"ticket.{node.column} {self.among(node.names)}"
        if isinstance(node, Filled):
            return f"ticket.{node.column} IS NOT NULL"
        if isinstance(node, Tagged):
            tagged = f"ticket_tag.tag {self.among(node.tags)}"
            return f"ticket.id IN (SELECT ticket_tag.ticket_id FROM ticket_tag WHERE {tagged})"
        if isinstance(node, TierOf):
            return f"{_CUSTOMER} customer.tier {self.among(node.tiers)})"
        if isinstance(node, Like):
            return self.like(node)
        if isinstance(node, HasWords):
            return f"ticket.id IN ({self.take(self.dialect.tickets_with(node.term))})"
        return _EXTRAS[node.extra]

    def joined(self, node: Every | Either, top: bool) -> str:
        if not node.parts:
            return "1 = 1" if isinstance(node, Every) else "1 = 0"
        if isinstance(node, Every):
            text = " AND ".join(self.write(part) for part in node.parts)
        else:
            text = " OR ".join(self.write(part) for part in node.parts)
        return text if top and isinstance(node, Every) else f"({text})"

    def inverse(self, part: Meaning) -> str:
        """Not so. ``IS NOT TRUE`` because NOT of an empty column would be neither.

        The plain forms serve the indexes.
        """
        if isinstance(part, Filled):
            return f"ticket.{part.column} IS NULL"
        if isinstance(part, OneOf) and part.column == "status" and len(part.values) == 1:
            return f"ticket.status <> '{part.values[0]}'"
        return f"({self.write(part)}) IS NOT TRUE"

    def one_of(self, node: OneOf) -> str:
        """A closed set, written out: numbers, and words that stand in the model."""
        values = [str(value) if isinstance(value, int) else f"'{value}'" for value in node.values]
        if len(values) == 1:
            return f"ticket.{node.column} = {values[0]}"
        return f"ticket.{node.column} IN ({','.join(values)})"

    def among(self, names: Sequence[str]) -> str:
        self.params.extend(names)
        return "= ?" if len(names) == 1 else f"IN ({','.join('?' * len(names))})"

    def like(self, node: Like) -> str:
        escaped = node.needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = {How.CONTAINS: f"%{escaped}%", How.ENDS: f"%{escaped}", How.EQUALS: escaped}[
            node.how
        ]

        def like(column: str) -> str:
            return self.take(self.dialect.like(column, pattern))

        if node.place is Place.SUBJECT:
            return like("ticket.subject")
        if node.place is Place.COMPANY:
            return f"{_CUSTOMER} {like('customer.company')})"
        if node.place is Place.CUSTOMER:
            by_name = f"{_CUSTOMER} {like('customer.name')}"
            by_identity = (
                f"SELECT identity.customer_id FROM identity WHERE {like('identity.value')}"
            )
            return f"{by_name} UNION ALL {by_identity})"
        return f"{_MESSAGE} AND message.direction = 'in' AND ({like('message.from_address')}))"

    def take(self, made: Compiled) -> str:
        self.params.extend(made.params)
        return made.where
