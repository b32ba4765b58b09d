"""What ``workflow/topics.toml`` says: the topics of a team, and the words and phrases that speak for
and against each, by language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from workflow.plaintext import one_line
from workflow.toml_lines import Entry, TomlFile
from workflow.triage.phrases import Phrases, words_of
from workflow.triage.said import Said
from workflow.triage.verdict import OTHER, Told

__all__ = ["FILE", "NO_TOPICS", "Topics", "built_in_topics", "load_topics", "tell_topic"]

FILE = "workflow/topics.toml"
NAME = "topics.toml"
SHIPPED = Path(__file__).parents[1] / "starter" / NAME

_ANY = "words"
_AGAINST = "not"
_NEEDS = "needs"
_CODE = re.compile(r"[a-z]{2}")
_WEIGHT = re.compile(r"(.*?)\s*\^\s*(\S*)\s*")
_SUBJECT = 2.0
"""A phrase in the subject counts so much more."""

_MOST_WEIGHT = 10.0
_MOST_PHRASES = 5_000


@dataclass(frozen=True, slots=True)
class _Clue:
    topic: str
    points: float
    phrase: str
    language: str
    line: int


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a team. ``needs`` is how many points a topic must have at least."""

    names: tuple[str, ...] = ()
    needs: Mapping[str, float] = field(default_factory=dict)
    clues: Phrases[_Clue] = field(default_factory=lambda: Phrases(()))
    file: str = NAME
    own: bool = True
    """Written by the team: what fits none of them is ``other``."""


NO_TOPICS = Topics()


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the file says of a message: the topic if one leads, those that share the lead if none
    does.
    """

    told: Told[str | None]
    tied: tuple[str, ...] = ()


def tell_topic(topics: Topics, said: Said, language: str | None) -> Spoken:
    """What a message is about by the words of the file; the lists of other languages count only
    where none of its own was found.
    """
    found = _found(topics, said)
    own = {key: clue for key, clue in found.items() if clue[0].language in ("", language)}
    return _judge(topics, own if own and language else found)


def _found(topics: Topics, said: Said) -> dict[tuple[str, str], tuple[_Clue, str]]:
    """Each phrase once, where it counts most."""
    found: dict[tuple[str, str], tuple[_Clue, str]] = {}
    for part, words in said.parts:
        for place in topics.clues.find(words):
            found.setdefault((place.value.topic, place.value.phrase), (place.value, part))
    return found


def _judge(topics: Topics, found: Mapping[tuple[str, str], tuple[_Clue, str]]) -> Spoken:
    points: dict[str, float] = {}
    for clue, part in found.values():
        counted = clue.points * (_SUBJECT if part == "subject" else 1.0)
        points[clue.topic] = points.get(clue.topic, 0.0) + counted
    enough = {name: n for name, n in points.items() if n >= topics.needs.get(name, 1.0)}
    if not enough:
        return Spoken(Told(None))
    best = max(enough.values())
    leading = tuple(name for name in topics.names if enough.get(name) == best)
    if len(leading) > 1:
        return Spoken(
            Told(None, topics.file, (f"{' or '.join(leading)} ({best:g} points each)",)), leading
        )
    ranked = sorted(
        ((clue, part) for clue, part in found.values() if clue.topic == leading[0]),
        key=lambda pair: -pair[0].points * (_SUBJECT if pair[1] == "subject" else 1.0),
    )
    evidence = tuple(f"{_shown(clue.phrase)} ({part})" for clue, part in ranked[:5])
    return Spoken(Told(leading[0], f"{topics.file}:{ranked[0][0].line}", evidence))


def _shown(phrase: str) -> str:
    return f'"{phrase}"' if " " in phrase else phrase


def load_topics(home: Path) -> Topics:
    """The topics of a home; where there is no file those that ship.

    Raises SettingsError that names the file, the line, the column, what was found and what fits.
    """
    file = TomlFile.read(home / FILE)
    return _topics(file) if file is not None else built_in_topics()


@lru_cache(maxsize=1)
def built_in_topics() -> Topics:
    """The topics that ship, for a team that has written none: what they do not hear stays open."""
    file = TomlFile.read(SHIPPED)
    assert file is not None
    return replace(_topics(file), file="built-in topics", own=False)


def _topics(file: TomlFile) -> Topics:
    file.top.allow({"topic"}, {"words": "write it below a [[topic]]"})
    entries = file.entries("topic")
    names: list[str] = []
    needs: dict[str, float] = {}
    clues: list[_Clue] = []
    for entry in entries:
        name = _name(entry, names)
        names.append(name)
        needs[name] = _number(entry, _NEEDS, 1.0)
        clues += _clues(entry, name)
        if len(clues) > _MOST_PHRASES:
            raise entry.fault("name", f"more than {_MOST_PHRASES} phrases: take fewer")
    return Topics(tuple(names), needs, Phrases([(words_of(c.phrase), c) for c in clues]))


def _name(entry: Entry, before: Sequence[str]) -> str:
    name = entry.text("name")
    if not re.fullmatch(r"[\w-]{1,40}", name) or name != name.lower():
        raise entry.fault(
            "name", f'{name!r} cannot name a topic: write one word in small letters, like "billing"'
        )
    if name in (OTHER, "none"):
        raise entry.fault(
            "name", f"{name!r} is what is about none of them: give the topic another name"
        )
    if name in before:
        raise entry.fault("name", f"{name!r} stands there twice: put all its words in one place")
    return name


def _clues(entry: Entry, name: str) -> list[_Clue]:
    known = {"name", _ANY, _AGAINST, _NEEDS}
    codes = [key for key in entry.values if _CODE.fullmatch(key)]
    hints = {
        key: "a language is written with its two letters, like de"
        for key in entry.values
        if isinstance(entry.values[key], list) and key not in known
    }
    entry.allow({*known, *codes}, hints if not codes else {})
    clues = []
    for key in (_ANY, *codes, _AGAINST):
        for written in entry.texts(key):
            phrase, points = _weighed(entry, key, written)
            clues.append(
                _Clue(
                    name,
                    -points if key == _AGAINST else points,
                    phrase,
                    key if key in codes else "",
                    entry.line_of(key, f'"{written}"'),
                )
            )
    if not clues or all(clue.points < 0 for clue in clues):
        raise entry.fault(
            "name", f'nothing speaks for {name!r}: write its words, like words = ["invoice"]'
        )
    return clues


def _weighed(entry: Entry, key: str, written: str) -> tuple[str, float]:
    """A phrase and its points: ``charged twice ^3``; without them a phrase has two, a word one."""
    match = _WEIGHT.fullmatch(written) if "^" in written else None
    phrase = one_line(match[1] if match else written, 200).strip()
    words = words_of(phrase)
    if not words:
        raise entry.fault(key, f"{written!r} has no word that could be found", f'"{written}"')
    if any(len(word) < 2 and open_ended and word.isascii() for word, open_ended in words):
        sentence = f"{written!r} begins every other word: give at least two letters"
        raise entry.fault(key, sentence, f'"{written}"')
    if match is None:
        return phrase, 2.0 if len(phrase.split()) > 1 else 1.0
    try:
        points = float(match[2])
    except ValueError:
        points = 0.0
    if not 0 < points <= _MOST_WEIGHT:
        sentence = f'after ^ stands how much it counts, 0.1 to 10: "{phrase} ^3"'
        raise entry.fault(key, sentence, f'"{written}"')
    return phrase, points


def _number(entry: Entry, key: str, default: float) -> float:
    found = entry.values.get(key, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= 100:
        raise entry.fault(key, f"{key} must be a number of points from 0.1 to 100, found {found!r}")
    return float(found)
