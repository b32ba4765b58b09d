"""What triage listens for in each language beside the topic: read from ``words/LANGUAGE.toml`` when a
message in it first comes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from workflow.triage.phrases import Phrases, words_of

__all__ = ["LANGUAGES", "Deadlines", "Heard", "Lexicon", "closings", "lexicon"]

LANGUAGES = (
    "en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "nb", "fi", "cs", "tr", "ro", "hu",
    "ru", "ja",
)  # fmt: skip
"""The languages that have a file of words."""

_EVERYWHERE = ("urgent", "asap")
"""English words of urgency that people write in any language."""

_URGENCY = {"critical": 4, "high": 2, "some": 1, "low": -2}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a phrase stands for: its kind (``urgency``, ``sentiment``, ``not``, ``speak`` ...), its
    points, and itself as the file writes it.
    """

    kind: str
    points: int
    phrase: str
    language: str


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How a language says when something must be done."""

    fillers: frozenset[str]
    today: frozenset[str]
    tomorrow: frozenset[str]
    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    hours: frozenset[str]
    days: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language, or all of them together where it is not known which one it is."""

    phrases: Phrases[Heard]
    deadlines: Deadlines
    has_deadlines: bool


@cache
def lexicon(language: str | None) -> Lexicon:
    """The lexicon of a language; that of all for None and for one that has no file."""
    codes = (language,) if language in LANGUAGES else LANGUAGES
    entries = [(words_of(heard.phrase), heard) for code in codes for heard in _entries(code)]
    if "en" not in codes:
        entries += [(words_of(word), Heard("urgency", 2, word, "en")) for word in _EVERYWHERE]
    deadlines = [_read(code).get("deadline", {}) for code in codes]
    return Lexicon(Phrases(entries), _deadlines(deadlines), any(deadlines))


@cache
def closings(kind: str) -> frozenset[str]:
    """The folded lines with which letters close, in every language: ``regards`` or ``thanks``."""
    return frozenset(
        " ".join(word for word, _open in words_of(line))
        for code in LANGUAGES
        for line in _read(code).get("closing", {}).get(kind, ())
    )


def _entries(code: str) -> Iterator[Heard]:
    read = _read(code)
    for name, points in _URGENCY.items():
        for phrase in read.get("urgency", {}).get(name, ()):
            yield Heard("urgency", points, phrase, code)
    for name, phrases in read.get("sentiment", {}).items():
        points = int(name) if name.lstrip("-").isdigit() else 0
        for phrase in phrases:
            yield Heard("sentiment" if points else name, points, phrase, code)
    for name, phrases in read.get("person", {}).items():
        for phrase in phrases:
            yield Heard(name, 0, phrase, code)
    for name in ("before", "within"):
        for phrase in read.get("deadline", {}).get(name, ()):
            yield Heard(name, 0, phrase, code)


def _deadlines(read: Sequence[Mapping[str, Any]]) -> Deadlines:
    def words(key: str) -> frozenset[str]:
        return frozenset(_folded(word) for each in read for word in each.get(key, ()))

    def numbered(key: str, first: int) -> dict[str, int]:
        return {
            _folded(name): number
            for each in read
            for number, names in enumerate(each.get(key, ()), first)
            for name in names.split()
        }

    return Deadlines(
        words("fillers"),
        words("today"),
        words("tomorrow"),
        numbered("weekdays", 0),
        numbered("months", 1),
        words("hours"),
        words("days"),
    )


def _folded(word: str) -> str:
    return " ".join(part for part, _open in words_of(word))


@cache
def _read(code: str) -> dict[str, Any]:
    source = files("workflow.triage").joinpath(f"words/{code}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
