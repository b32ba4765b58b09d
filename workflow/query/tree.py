"""The tree of a query that was read, and what its default scope hides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute

from workflow.query.terms import Term
from workflow.query.values import Value

__all__ = [
    "All",
    "Any",
    "Condition",
    "Node",
    "Not",
    "Query",
    "Scope",
    "Words",
    "leaves",
]


@dataclass(frozen=True, slots=True)
class Condition:
    """One field compared with values, any of which fits.

    ``:`` is the lenient equality, ``=`` the strict one.
    """

    field: str
    operator: str
    values: tuple[Value, ...]
    position: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Words:
    """A word or an exact phrase that some message of the ticket has."""

    term: Term
    position: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What does not fit."""

    part: Node


@dataclass(frozen=True, slots=True)
class All:
    """Every part fits; without parts everything does."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part fits."""

    parts: tuple[Node, ...]


Node = Condition | Words | Not | All | Any


@dataclass(frozen=True, slots=True)
class Scope:
    """Which tickets stay out unless the query names them: true hides the kind."""

    closed: bool = True
    spam: bool = True
    merged: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read: the text as typed and its tree."""

    text: str
    root: Node

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing in particular."""
        return self.root == All(())

    @property
    def fields(self) -> frozenset[str]:
        """The fields it names, ``text`` for words: when one of them changes, its answer may."""
        return frozenset(
            leaf.field if isinstance(leaf, Condition) else "text" for leaf in leaves(self.root)
        )

    @property
    def scope(self) -> Scope:
        """What the default scope still hides: naming a status shows closed tickets, ``is:spam``
        spam, ``id:`` everything."""
        named = [leaf for leaf in leaves(self.root) if isinstance(leaf, Condition)]
        if any(leaf.field == "id" for leaf in named):
            return Scope(closed=False, spam=False, merged=False)
        marks = {value for leaf in named if leaf.field == "is" for value in leaf.values}
        status = "unresolved" in marks or any(leaf.field == "status" for leaf in named)
        return Scope(closed=not status, spam="spam" not in marks, merged="merged" not in marks)


def leaves(node: Node) -> Iterator[Condition | Words]:
    """The conditions and words of a tree, from left to right."""
    if isinstance(node, (Condition, Words)):
        yield node
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        for part in node.parts:
            yield from leaves(part)
