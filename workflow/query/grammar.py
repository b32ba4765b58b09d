"""From typed text to a query: the lexer and the parser. What the tree means is in
:mod:`conditions`.

query  = [any]                    juxtaposition is AND and binds closer than OR
any    = all {"OR" all}
all    = not {["AND"] not}
not    = ("-" | "NOT") not | "(" any ")" | field | word | '"' phrase '"'
field  = name operator value {"," value}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from workflow.errors import UsageError
from workflow.query.context import Context
from workflow.query.fields import FIELDS, OPERATORS, Field, Kind, nearest_field
from workflow.query.terms import term
from workflow.query.tree import All, Any, Condition, Node, Not, Query, Words
from workflow.query.values import Value, read_value

__all__ = ["Context", "Query", "QuerySyntaxError", "parse", "parse_cell"]

_LONGEST = 10_000
_MOST_CONDITIONS = 300
_DEEPEST = 30


class QuerySyntaxError(UsageError):
    """The query cannot be read; the text is the sentence for the person. ``position`` counts
    characters from 0."""

    def __init__(self, sentence: str, position: int = 0) -> None:
        super().__init__(f"{sentence} (character {position + 1} of the query)")
        self.position = position
        self.sentence = sentence


_QUOTES = {'"': '"', "“": '"”“', "„": '"”“'}
_FIELD = re.compile(r"([A-Za-z][A-Za-z_-]*)(" + "|".join(OPERATORS) + ")")
_BLANKS = re.compile(r"\s+")
_BARE_WORD = re.compile(r"[^\s()\"“„]+")
_BARE_VALUE = re.compile(r"[^\s(),\"“„]+")
_KEYWORD = re.compile(r"(OR|AND|NOT)(?=[\s()\"“„]|$)")


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """Read a query.

    Raises :class:`QuerySyntaxError` with the place, what was found and what fits; nothing else.
    """
    # A lone surrogate (a byte of argv that is no UTF-8) and NUL cannot travel to a database.
    clean = re.sub("[\x00\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    if len(clean) > _LONGEST:
        raise QuerySyntaxError(
            f"the query is longer than {_LONGEST} characters: shorten it", _LONGEST
        )
    return Query(text, _Parser(clean).query())


@lru_cache(maxsize=4096)
def parse_cell(name: str, cell: str) -> Query:
    """Read a cell of a decision table: an operator if need be, then values with commas between
    them.

    Values may hold blanks (``refund,charged twice``); an empty cell matches everything. ``-``, ``!``
    or ``!=`` before the values negates. Raises :class:`QuerySyntaxError`; its position counts in the
    cell.
    """
    rest = cell.strip()
    if not rest:
        return Query(cell, All(()))
    known = FIELDS.get(name.lower())
    if known is None:
        raise QuerySyntaxError(_unknown(name))
    timed = known.kind in (Kind.SCORE, Kind.LEFT, Kind.AGO)
    negated = (rest.startswith("-") and not timed) or bool(re.match(r"!(?!=)", rest))
    rest = rest[1:].lstrip() if negated else rest
    operator = next((o for o in (">=", "<=", "!=", "=", ">", "<") if rest.startswith(o)), "")
    start = cell.find(rest) + len(operator)
    parser = _Parser(cell)
    parts = re.finditer(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*?))\s*(?:,|$)', cell[start:])
    typed, end = [], 0
    for part in parts:
        if part.start() != end or end == len(cell) - start:
            break
        end = part.end()
        if part[1] is not None:
            typed.append((start + part.start(1), re.sub(r"\\(.)", r"\1", part[1]), True))
        elif part[2]:
            typed.append((start + part.start(2), part[2], False))
    if end != len(cell) - start:
        raise QuerySyntaxError(
            "a quote in the cell has no end or something stands beside it", start + end
        )
    node = parser.condition(known, operator or ":", typed, start)
    return Query(cell, Not(node) if negated else node)


def _unknown(name: str) -> str:
    near = nearest_field(name)
    meant = f"did you mean {near}?" if near else f"the fields are {', '.join(FIELDS)}."
    return f"there is no field {name!r}: {meant}"


class _Parser:
    """One reading of one text; ``at`` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.conditions = 0

    def query(self) -> Node:
        self.blanks()
        if self.at == len(self.text):
            return All(())
        node = self.any_of(0)
        if self.at < len(self.text):
            raise QuerySyntaxError(
                "a ) has no ( before it: remove it, or quote it to search for it", self.at
            )
        return node

    def blanks(self) -> None:
        if match := _BLANKS.match(self.text, self.at):
            self.at = match.end()

    def keyword(self) -> str | None:
        match = _KEYWORD.match(self.text, self.at)
        return match[1] if match else None

    def any_of(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise QuerySyntaxError(
                f"the query is nested more than {_DEEPEST} deep: make it flatter", self.at
            )
        parts = [self.all_of(depth)]
        while self.keyword() == "OR":
            self.at += 2
            self.blanks()
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def all_of(self, depth: int) -> Node:
        parts = [self.negatable(depth)]
        while self.at < len(self.text) and self.text[self.at] != ")":
            keyword = self.keyword()
            if keyword == "OR":
                break
            if keyword == "AND":
                self.at += 3
                self.blanks()
            parts.append(self.negatable(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def negatable(self, depth: int) -> Node:
        negated = False
        while True:
            start, keyword = self.at, self.keyword()
            if keyword == "NOT":
                self.at += 3
                self.blanks()
            elif self.text.startswith("-", self.at):
                self.at += 1
            else:
                break
            negated = not negated
            if self.at == len(self.text) or self.text[self.at].isspace():
                sign = keyword or "-"
                raise QuerySyntaxError(
                    f"{sign} has nothing after it: put a word, a field or a group there", start
                )
        node = self.atom(depth)
        self.blanks()
        return Not(node) if negated else node

    def atom(self, depth: int) -> Node:
        start = self.at
        if start == len(self.text):
            raise QuerySyntaxError(
                "something is missing at the end: put a word, a field or a group there", start
            )
        if keyword := self.keyword():
            raise QuerySyntaxError(
                f"{keyword} stands between two conditions; in quotes it is a word to search for",
                start,
            )
        character = self.text[start]
        if character == ")":
            raise QuerySyntaxError("a word, a field or a group is missing before the )", start)
        if character == "(":
            return self.group(depth)
        if character in _QUOTES:
            return self.words(self.quoted(), start)
        match = _FIELD.match(self.text, start)
        if match and (node := self.field(match)):
            return node
        bare = _BARE_WORD.match(self.text, start)
        assert bare is not None  # any character that begins no other atom begins a word
        self.at = bare.end()
        return self.words(bare[0], start)

    def group(self, depth: int) -> Node:
        start = self.at
        self.at += 1
        self.blanks()
        node = self.any_of(depth + 1)
        if not self.text.startswith(")", self.at):
            raise QuerySyntaxError("a ( has no ) after it: close the group", start)
        self.at += 1
        return node

    def quoted(self) -> str:
        start = self.at
        closing = _QUOTES[self.text[start]]
        made: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character in closing:
                return "".join(made)
            if character == "\\" and self.text[self.at : self.at + 1] in ('"', "\\"):
                character = self.text[self.at]
                self.at += 1
            made.append(character)
        raise QuerySyntaxError('a quote has no end: put a " after the phrase', start)

    def words(self, typed: str, start: int) -> Words:
        """A word or phrase; ``*`` at its end lets the last word go on."""
        prefix = typed.endswith("*")
        if self.text.startswith("*", self.at):  # after a closing quote
            self.at += 1
            prefix = True
        self.count(start)
        if len(typed) > 500:
            raise QuerySyntaxError("a word or phrase has at most 500 characters", start)
        wanted = term(typed, prefix)
        if not wanted.tokens:
            raise QuerySyntaxError(
                f"{typed!r} has no letter and no digit to search for: leave it out", start
            )
        return Words(wanted, start)

    def count(self, position: int) -> None:
        self.conditions += 1
        if self.conditions > _MOST_CONDITIONS:
            raise QuerySyntaxError(
                f"the query has more than {_MOST_CONDITIONS} conditions: shorten it", position
            )

    def field(self, match: re.Match[str]) -> Node | None:
        """The condition on a field; None where the text only looks like one (``Re:``,
        ``https://``)."""
        start, name, operator = self.at, match[1], match[2]
        known = FIELDS.get(name.lower().replace("-", "_"))
        if known is None:
            after = self.text[match.end() : match.end() + 2]
            if operator == ":" and (not after[:1].strip() or after == "//"):
                return None
            raise QuerySyntaxError(f"{_unknown(name)} Or quote it to search for it as text", start)
        self.at = match.end()
        return self.condition(known, operator, list(self.values(known, operator)), start)

    def values(self, known: Field, operator: str) -> Iterator[tuple[int, str, bool]]:
        while True:
            start = self.at
            if self.text[start : start + 1] in _QUOTES and start < len(self.text):
                typed = self.quoted()
                if self.text.startswith("*", self.at) and known.kind is Kind.WORDS:
                    self.at += 1
                    typed += "*"
                yield start, typed, True
            elif bare := _BARE_VALUE.match(self.text, start):
                self.at = bare.end()
                yield start, bare[0], False
            else:
                raise QuerySyntaxError(
                    f"{known.name}{operator} has no value: it takes {known.takes}", start
                )
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        following = self.text[self.at : self.at + 1]
        if following and not following.isspace() and following != ")":
            raise QuerySyntaxError(
                f"{following} follows the value of {known.name} directly: put a blank between",
                self.at,
            )

    def condition(
        self, known: Field, operator: str, typed: list[tuple[int, str, bool]], start: int
    ) -> Node:
        """The node for a field, an operator and its typed values (place, text, in quotes)."""
        if operator not in known.operators:
            raise QuerySyntaxError(
                f"{known.name} cannot be compared by {operator}: it takes "
                f"{' or '.join(known.operators)}, as in {known.example}",
                start,
            )
        if not typed:
            raise QuerySyntaxError(f"{known.name} has no value: it takes {known.takes}", start)
        if len(typed) > 1 and operator in (">", ">=", "<", "<="):
            raise QuerySyntaxError(
                f"{known.name}{operator} takes one value, not {len(typed)}", typed[1][0]
            )
        if known.kind is Kind.WORDS:
            parts = tuple(self.words(text, place) for place, text, _ in typed)
            node: Node = parts[0] if len(parts) == 1 else Any(parts)
            return Not(node) if operator == "!=" else node
        read: list[Value] = []
        for place, text, in_quotes in typed:
            self.count(place)
            try:
                read.extend(read_value(known, operator, text, in_quotes))
            except ValueError as error:
                raise QuerySyntaxError(str(error), place) from None
        return Condition(known.name, operator, tuple(dict.fromkeys(read)), start)
