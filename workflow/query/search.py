"""The words of a query as one full-text expression: what the search of messages asks for."""

from __future__ import annotations

from workflow.query.terms import fts5_expression
from workflow.query.tree import All, Any, Node, Not, Query, Words

__all__ = ["match_expression", "split_words"]


def _expression(node: Node) -> str | None:
    """The FTS5 expression of a tree of words; None where it has a field or only a negation."""
    if isinstance(node, Words):
        return fts5_expression(node.term)
    if isinstance(node, Any):
        parts = [_expression(part) for part in node.parts]
        return None if None in parts else "(" + " OR ".join(part for part in parts if part) + ")"
    if isinstance(node, All):
        wanted, rest = _split(node)
        return None if rest else wanted
    return None


def _split(node: Node) -> tuple[str | None, tuple[Node, ...]]:
    """The words of a conjunction as one expression, and the parts that it cannot hold."""
    wanted: list[str] = []
    unwanted: list[tuple[str, Node]] = []
    rest: list[Node] = []
    for part in node.parts if isinstance(node, All) else (node,):
        inner = _expression(part.part) if isinstance(part, Not) else None
        expression = _expression(part)
        if expression:
            wanted.append(expression)
        elif inner:
            unwanted.append((inner, part))
        else:
            rest.append(part)
    if not wanted:
        return None, (*rest, *(part for _, part in unwanted))
    positive = "(" + " AND ".join(wanted) + ")"
    if unwanted:
        positive = f"({positive} NOT ({' OR '.join(text for text, _ in unwanted)}))"
    return positive, tuple(rest)


def split_words(query: Query) -> tuple[str | None, Query]:
    """For the search of messages: the words as one FTS5 expression, and the rest as a query on
    their tickets.

    In that expression all words must stand in **one** message, and ``-word`` keeps messages with it
    out. Words that are mixed with fields under OR, and negations without any wanted word, stay in
    the rest, where they speak of the ticket.
    """
    expression, rest = _split(query.root)
    return expression, Query(query.text, rest[0] if len(rest) == 1 else All(rest))


def match_expression(query: Query) -> str | None:
    """The FTS5 expression of :func:`split_words` alone; None where no word is wanted."""
    return split_words(query)[0]
