"""Words and phrases that are listened for, found in one pass over the words of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from workflow.query.terms import term
from workflow.triage.said import normal

__all__ = ["Found", "Phrases", "words_of"]

T = TypeVar("T")
Word = tuple[str, bool]
"""A folded word; with True it is the beginning of one."""

_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Where a phrase begins and ends among the words, and what it stands for."""

    start: int
    end: int
    value: T


def words_of(phrase: str) -> tuple[Word, ...]:
    """The folded words of a phrase as a file writes it: ``refund*`` is every word that begins so.

    Empty where it has neither a letter nor a digit.
    """
    found: list[Word] = []
    for part in normal(phrase).split():
        wanted = term(part.rstrip("*"))
        for token in wanted.tokens:
            found.append((token, False))
        if wanted.tokens and (part.endswith("*") or wanted.prefix):
            found[-1] = (found[-1][0], True)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Begun(Generic[T]):
    """The phrases that begin with a word: those that are it alone, those that go on with a certain
    word, and those whose second word is only begun.
    """

    alone: tuple[T, ...]
    second: dict[str, list[tuple[Sequence[Word], T]]]
    open_second: tuple[tuple[Sequence[Word], T], ...]


class Phrases(Generic[T]):
    """Many phrases, each with what it stands for. Finding costs a look-up a word, however many
    there are.
    """

    def __init__(self, phrases: Iterable[tuple[Sequence[Word], T]]) -> None:
        self._exact: dict[str, list[tuple[Sequence[Word], T]]] = {}
        self._open: dict[str, list[tuple[Sequence[Word], T]]] = {}
        for words, value in phrases:
            if words:
                first, open_ended = words[0]
                table = self._open if open_ended else self._exact
                table.setdefault(first, []).append((words[1:], value))
        self._lengths = sorted({len(stem) for stem in self._open})
        self._known: dict[str, _Begun[T] | None] = {}

    def __bool__(self) -> bool:
        return bool(self._exact or self._open)

    def find(self, words: Sequence[str]) -> Iterator[Found[T]]:
        """Every phrase at every place, in the order of the places."""
        known, last = self._known, len(words) - 1
        for start, word in enumerate(words):
            begun = known[word] if word in known else self._look(word)
            if begun is None:
                continue
            for value in begun.alone:
                yield Found(start, start + 1, value)
            if start == last:
                continue
            for rest, value in begun.second.get(words[start + 1], ()):
                end = start + 2 + len(rest)
                if not rest or _matches(words, start + 2, rest):
                    yield Found(start, end, value)
            for rest, value in begun.open_second:
                if _matches(words, start + 1, rest):
                    yield Found(start, start + 1 + len(rest), value)

    def _look(self, word: str) -> _Begun[T] | None:
        found = list(self._exact.get(word, ()))
        for length in self._lengths:
            if length > len(word):
                break
            found += self._open.get(word[:length], ())
        second: dict[str, list[tuple[Sequence[Word], T]]] = {}
        for rest, value in found:
            if rest and not rest[0][1]:
                second.setdefault(rest[0][0], []).append((rest[1:], value))
        made = _Begun(
            tuple(value for rest, value in found if not rest),
            second,
            tuple((rest, value) for rest, value in found if rest and rest[0][1]),
        )
        if len(self._known) >= _MOST_KEPT:
            self._known = {}
        self._known[word] = begun = made if found else None
        return begun


def _matches(words: Sequence[str], start: int, rest: Sequence[Word]) -> bool:
    if start + len(rest) > len(words):
        return False
    for index, (wanted, open_ended) in enumerate(rest, start):
        if not (words[index].startswith(wanted) if open_ended else words[index] == wanted):
            return False
    return True
