"""Search over all messages: the words in one full-text expression, the rest of the query on their
tickets.

Best first ranks the newest 2,000 hits only: ranking every message that has a common word costs a
hundred times more and an agent looks for what is recent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workflow.model import from_millis
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.search import split_words
from workflow.query.sql import Compiled, compile_sql
from workflow.query.terms import fold
from workflow.query.tree import Words, leaves
from workflow.store.reads import Reads
from workflow.store.rows import Excerpt, SearchHit

__all__ = ["Found", "search"]

_RANKED = 2000
_SNIPPET = 160
_LEAD = 50
_CHUNK = 900
_COLUMNS = (
    "message.id, message.ticket_id, message.at, message.subject, message.author, ticket.status,"
    " coalesce(nullif(message.full_text, ''), message.text)"
)


@dataclass(slots=True)
class Found:
    """The hits of a search, and how many messages match in all."""

    hits: list[SearchHit]
    count: Callable[[], int] = field(repr=False)
    _total: int | None = field(default=None, repr=False)

    @property
    def total(self) -> int:
        """How many messages match; counted when it is first asked for, in that thread."""
        if self._total is None:
            self._total = self.count()
        return self._total


def search(
    reads: Reads, text: str, context: Context, limit: int = 50, order: str = "best"
) -> Found:
    """Messages that match a query, ``best`` or ``newest`` first, each with the words around the
    match.

    Raises QuerySyntaxError where the query cannot be read.
    """
    query = parse(text)
    expression, rest = split_words(query)
    where = compile_sql(rest, context, scoped=False)
    if expression is None:
        return _without_words(reads, where, limit)
    pattern = _pattern(
        token
        for leaf in leaves(query.root)
        if isinstance(leaf, Words)
        for token in leaf.term.tokens
    )
    if order == "best":
        hits = _hits(reads, _ranked(reads, expression, where, limit), pattern)
    else:
        hits = _newest_hits(reads, expression, where, limit, pattern)
    return Found(hits, partial(_count, reads, expression, where))


def _is_all(where: Compiled) -> bool:
    return where.where in ("1 = 1", "(1 = 1)")


def _join(where: Compiled) -> str:
    if _is_all(where):
        return ""
    return " JOIN message ON message.id = message_fts.rowid JOIN ticket ON ticket.id = message.ticket_id"


def _and(where: Compiled) -> str:
    return "" if _is_all(where) else f" AND ({where.where})"


def _count(reads: Reads, expression: str, where: Compiled) -> int:
    sql = f"SELECT count(*) FROM message_fts{_join(where)} WHERE message_fts MATCH ?{_and(where)}"
    return int(reads.fetch(sql, (expression, *where.params))[0][0])


def _newest(reads: Reads, expression: str, where: Compiled, limit: int) -> list[int]:
    sql = (
        f"SELECT message_fts.rowid FROM message_fts{_join(where)} WHERE message_fts MATCH ?{_and(where)}"
        " ORDER BY message_fts.rowid DESC LIMIT ?"
    )
    return [row[0] for row in reads.fetch(sql, (expression, *where.params, limit))]


def _newest_hits(
    reads: Reads, expression: str, where: Compiled, limit: int, pattern: re.Pattern[str] | None
) -> list[SearchHit]:
    """In one statement; CROSS JOIN keeps the full-text table outermost, which has the order."""
    sql = (
        f"SELECT {_COLUMNS} FROM message_fts CROSS JOIN message ON message.id = message_fts.rowid"
        " CROSS JOIN ticket ON ticket.id = message.ticket_id"
        f" WHERE message_fts MATCH ?{_and(where)} ORDER BY message_fts.rowid DESC LIMIT ?"
    )
    rows = reads.fetch(sql, (expression, *where.params, limit))
    return [_hit(row, pattern) for row in rows]


def _ranked(reads: Reads, expression: str, where: Compiled, limit: int) -> list[int]:
    newest = _newest(reads, expression, where, max(_RANKED, limit))
    if len(newest) <= 1:
        return newest
    oldest = newest[-1]
    sql = (
        f"SELECT message_fts.rowid FROM message_fts{_join(where)}"
        f" WHERE message_fts MATCH ? AND message_fts.rowid >= ?{_and(where)}"
        " ORDER BY bm25(message_fts, 4.0, 2.0, 1.0), message_fts.rowid DESC LIMIT ?"
    )
    return [row[0] for row in reads.fetch(sql, (expression, oldest, *where.params, limit))]


def _without_words(reads: Reads, where: Compiled, limit: int) -> Found:
    """No words to look for: the newest messages of the tickets that match."""
    source = f"FROM message JOIN ticket ON ticket.id = message.ticket_id WHERE {where.where}"

    def count() -> int:
        return int(reads.fetch(f"SELECT count(*) {source}", where.params)[0][0])

    rows = reads.fetch(
        f"SELECT message.id {source} ORDER BY message.id DESC LIMIT ?", (*where.params, limit)
    )
    return Found(_hits(reads, [row[0] for row in rows], None), count)


def _hits(reads: Reads, ids: list[int], pattern: re.Pattern[str] | None) -> list[SearchHit]:
    hits: list[SearchHit] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows = reads.fetch(
            f"""SELECT {_COLUMNS} FROM message JOIN ticket ON ticket.id = message.ticket_id
            WHERE message.id IN ({",".join("?" * len(chunk))})""",
            chunk,
        )
        by_id = {row[0]: row for row in rows}
        hits.extend(_hit(row, pattern) for row in filter(None, map(by_id.get, chunk)))
    return hits


def _hit(row: tuple[Any, ...], pattern: re.Pattern[str] | None) -> SearchHit:
    number, ticket, at, subject, author, status, text = row
    cut = partial(_snippet, text, pattern)
    return SearchHit(ticket, number, from_millis(at), subject, author, status, cut)


def _pattern(wanted: Iterable[str]) -> re.Pattern[str] | None:
    words = sorted({word for word in wanted if word}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words))) if words else None


def _snippet(text: str, pattern: re.Pattern[str] | None) -> Excerpt:
    """The part of a text around the first match on one line, and where the matches stand in it.

    Places are right where folding keeps the length of the text, which it does for nearly every
    script; elsewhere the snippet is shown without marks.
    """
    match = _first(text, pattern) if pattern else None
    start = max(0, match - _LEAD) if match is not None else 0
    if start:
        blank = text.find(" ", start, start + 20)
        start = blank + 1 if blank >= 0 else start
    piece = text[start : start + _SNIPPET].replace("\n", " ")
    line = ("…" if start else "") + piece + ("…" if start + _SNIPPET < len(text) else "")
    if not pattern or match is None:
        return line, ()
    folded = fold(line)
    if len(folded) != len(line):
        return line, ()
    return line, tuple(found.span() for found in pattern.finditer(folded))


def _first(text: str, pattern: re.Pattern[str]) -> int | None:
    """Where the first match stands; None where there is none or its place cannot be told."""
    # Most words are written as they are folded, and folding a long text costs a hundred times more.
    for folding in (str.lower, fold):
        folded = folding(text)
        match = pattern.search(folded) if len(folded) == len(text) else None
        if match is not None:
            return match.start()
        if text.isascii():
            break
    return None
