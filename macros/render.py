"""Liquid texts: compiled with limits, checked against the catalogue, filled in for a ticket.

Values are data: Liquid never reads a value as a template, so what a customer wrote comes out as it
stands. There is no way to another file, to the system's time, or to more than a long letter.
The library costs 0.16 s to import and is loaded with the first text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any

from macros.model import MacroProblem, Text
from macros.placeholders import ANSWERS, CATALOGUE, Value, mark

if TYPE_CHECKING:
    from liquid import BoundTemplate, Environment

__all__ = ["Rendered", "problems_of", "render"]

_LONGEST = 50_000
"""Characters of a text, before and after; a letter has a few thousand."""

_TAGS = frozenset((
    "if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "echo",
    "#", "content", "output", "illegal",
))  # fmt: skip
_FILTERS = frozenset((
    "append", "at_least", "at_most", "capitalize", "ceil", "default", "divided_by", "downcase",
    "first", "floor", "last", "lstrip", "minus", "modulo", "plus", "prepend", "remove",
    "round", "rstrip", "size", "slice", "split", "squish", "strip", "strip_newlines", "times",
    "truncate", "truncatewords", "uniq", "upcase", "url_encode",
))  # fmt: skip
_OWN_FILTERS = ("date", "join", "replace")
_DIRECTIVE = re.compile(r"%-?[aAbBdejmyY%]")
_FAULTS = (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the library lets through on strange texts, besides its own faults."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text filled in. ``unfilled`` are the placeholders that were empty and have no default."""

    text: str
    unfilled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parts:
    """The library's own classes, imported together when the first text is read."""

    environment: Environment
    fault: type[Exception]
    empty: Callable[[str, list[str]], Any]
    range_literal: type


@cache
def _liquid() -> _Parts:
    from liquid import Environment, StrictUndefined
    from liquid.builtin.expressions.primitive import RangeLiteral
    from liquid.exceptions import FilterArgumentError, LiquidError
    from liquid.undefined import Undefined

    class Limited(Environment):
        """No loop, output, nesting or variable beyond what a letter needs."""

        block_nesting_limit = 20
        context_depth_limit = 20
        loop_iteration_limit = 1_000
        local_namespace_limit = 4 * _LONGEST
        output_stream_limit = 4 * _LONGEST

    class Empty(Undefined):
        """A known placeholder without a value: false, replaced by ``default``, visible if written."""

        __slots__ = ("_told",)
        force_liquid_default = True

        def __init__(self, name: str, told: list[str]) -> None:
            super().__init__(name)
            self._told = told

        def __str__(self) -> str:
            self._told.append(self.name)
            return mark(self.name)

    def date_(value: object, form: object = "%Y-%m-%d") -> str:
        if isinstance(value, Empty):
            return str(value)
        if "%" in _DIRECTIVE.sub("", str(form)):
            raise FilterArgumentError(
                f"{form!r} is no form of a date: take %d %m %Y %y %B %b %A %a %j %e", token=None
            )
        try:
            return date.fromisoformat(str(value)).strftime(str(form))
        except ValueError:
            raise FilterArgumentError(
                f"{str(value)!r} is no date: take today, ticket.created or a day like 2026-03-01",
                token=None,
            ) from None

    def replace(value: object, old: object, new: object = "") -> str:
        text, search, instead = str(value), str(old), str(new)
        if search and len(text) + text.count(search) * len(instead) > _LONGEST:
            raise too_long()
        return text.replace(search, instead) if search else text

    def join(value: object, separator: object = " ") -> str:
        words = [str(word) for word in value] if isinstance(value, (list, tuple)) else [str(value)]
        between = str(separator)
        if sum(map(len, words)) + len(words) * len(between) > _LONGEST:
            raise too_long()
        return between.join(words)

    def too_long() -> Exception:
        return FilterArgumentError("the text becomes too long", token=None)

    def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter whose result is no longer than a text may be: chains cannot grow without end."""

        @wraps(function)
        def filter_(*given: Any, **named: Any) -> Any:
            result = function(*given, **named)
            if isinstance(result, (str, list)) and len(result) > _LONGEST:
                raise too_long()
            return result

        return filter_

    environment = Limited(undefined=StrictUndefined)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in _TAGS}
    known = {name: bounded(fn) for name, fn in environment.filters.items() if name in _FILTERS}
    environment.filters = known | {"date": date_, "join": join, "replace": replace}
    return _Parts(environment, LiquidError, Empty, RangeLiteral)


@lru_cache(maxsize=1_000)
def _compiled(text: Text) -> BoundTemplate:
    """The template of a text; raises MacroProblem for what is no Liquid."""
    if len(text.source) > _LONGEST:
        raise MacroProblem(text.start, f"the text is longer than {_LONGEST} characters: shorten it")
    parts = _liquid()
    try:
        return parts.environment.from_string(text.source)
    except (parts.fault, *_FAULTS) as fault:
        raise _problem(text, fault) from None


def _problem(text: Text, fault: Exception) -> MacroProblem:
    """A fault of the library as our sentence with its place."""
    token = getattr(fault, "token", None)
    index = 0
    if token is not None and token.source == text.source:
        index = token.start_index if token.start_index >= 0 else len(text.source)
    said = getattr(fault, "message", None) or fault
    if getattr(fault, "__cause__", None) is not None and str(said).startswith("unexpected liquid"):
        said = fault.__cause__
    words = " ".join(str(said).split()) or type(fault).__name__
    if match := re.fullmatch(r"unexpected tag '(.*)'", words):
        known = sorted(tag for tag in _TAGS if tag.isalpha() and tag not in _INNER)
        words = f"there is no tag {match[1]!r} here{_nearest(match[1], known)}"
    elif match := re.fullmatch(r"unknown filter '(.*)'", words):
        words = f"there is no filter {match[1]!r}{_nearest(match[1], _all_filters())}"
    return MacroProblem(text.place(index), f"{words}: mend the text there")


_INNER = frozenset(("content", "output", "illegal"))


def _all_filters() -> list[str]:
    return sorted((*_FILTERS, *_OWN_FILTERS))


def _nearest(found: str, known: list[str]) -> str:
    near = get_close_matches(found, known, 1, 0.5)
    return f" (did you mean {near[0]}?)" if near else f" (there are: {', '.join(known)})"


def problems_of(text: Text, answers: frozenset[str] = frozenset()) -> list[MacroProblem]:
    """Everything that is wrong with a text, whatever the ticket: syntax, tags, filters, names.

    ``answers`` are the names of the macro's questions.
    """
    try:
        template = _compiled(text)
        found = template.analyze(include_partials=False)
        ranges = any(isinstance(e, _liquid().range_literal) for e in _expressions(template))
    except MacroProblem as problem:
        return [problem]
    except (_liquid().fault, *_FAULTS) as fault:
        return [_problem(text, fault)]
    known = [entry.name for entry in CATALOGUE] + [f"{ANSWERS}.{name}" for name in sorted(answers)]
    problems = [
        MacroProblem(text.place(use.span.index), _unknown(str(use), known))
        for uses in found.globals.values()
        for use in uses
        if str(use) not in known
    ]
    problems += [
        MacroProblem(
            text.place(spans[0].index),
            f"there is no filter {name!r}{_nearest(name, _all_filters())}",
        )
        for name, spans in found.filters.items()
        if name not in _FILTERS and name not in _OWN_FILTERS
    ]
    if ranges:
        problems.append(MacroProblem(text.start, "a range such as (1..5) has no place in a macro"))
    if not problems:
        problems += _trial(text, answers)
    return sorted(problems, key=lambda problem: (problem.place.line, problem.place.column))


def _trial(text: Text, answers: frozenset[str]) -> list[MacroProblem]:
    """Fill a text in with examples: filters with arguments that never work show themselves."""
    examples: dict[str, Value] = {
        entry.name: (entry.example,) if entry.many else entry.example for entry in CATALOGUE
    }
    examples |= {f"{ANSWERS}.{name}": "1" for name in answers}
    try:
        render(text, examples)
    except MacroProblem as problem:
        # What an agent answers may well be the date or the number that our example is not.
        return [] if f"{ANSWERS}." in text.source else [problem]
    return []


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1, 0.5)
    if name.partition(".")[0] == ANSWERS and not (near and near[0].startswith(ANSWERS)):
        return f"the macro does not ask for {name}: add it to [ask] in the front matter"
    hint = (
        f"did you mean {near[0]}?" if near else "deskhand macro check --json lists those there are"
    )
    return f"there is no placeholder {name}: {hint}"


def _expressions(template: BoundTemplate) -> Iterator[object]:
    """Every expression of a template, the inner ones too."""
    from liquid import RenderContext

    context = RenderContext(template)
    nodes = list(template.nodes)
    while nodes:
        node = nodes.pop()
        pending = list(node.expressions())
        while pending:
            expression = pending.pop()
            yield expression
            pending.extend(expression.children())
        nodes.extend(node.children(context, include_partials=False))


def render(text: Text, values: Mapping[str, Value]) -> Rendered:
    """Fill a text in with the values of the catalogue; raises MacroProblem, and nothing else.

    An empty value is replaced by its ``default`` filter, or stays as a visible mark and is named in
    ``unfilled``.
    """
    parts, told = _liquid(), list[str]()
    template = _compiled(text)
    try:
        written = template.render(**_tree(values, parts, told))
    except (parts.fault, *_FAULTS) as fault:
        raise _problem(text, fault) from None
    if len(written) > _LONGEST:
        raise MacroProblem(
            text.start, f"it comes out longer than {_LONGEST} characters: shorten it"
        )
    lines = "\n".join(line.rstrip() for line in written.split("\n"))
    clean = re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
    return Rendered(clean, tuple(dict.fromkeys(told)))


def _tree(values: Mapping[str, Value], parts: _Parts, told: list[str]) -> dict[str, Any]:
    """Dotted names as the nested values that Liquid reads."""
    tree: dict[str, Any] = {ANSWERS: {}}
    for name, value in values.items():
        root, dot, leaf = name.partition(".")
        filled: Any = list(value) if isinstance(value, tuple) else value
        if filled == "":
            filled = parts.empty(name, told)
        if dot:
            tree.setdefault(root, {})[leaf] = filled
        else:
            tree[root] = filled
    return tree
