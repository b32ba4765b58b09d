"""How urgent a message is by what it says: points for words, near deadlines, capital letters,
exclamation marks and for writing again and again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from workflow.model import Urgency
from workflow.triage.deadlines import deadlines
from workflow.triage.language import known_word
from workflow.triage.lexicon import Heard, Lexicon
from workflow.triage.phrases import Found
from workflow.triage.said import Said
from workflow.triage.verdict import Told

__all__ = ["tell_urgency"]

_HIGH, _CRITICAL = 2, 4
_MOST_WORDS = 3
"""Words of urgency and a near day give at most so much: saying it thrice is not three reasons."""

_CALM = 2

_OFTEN, _VERY_OFTEN = 3, 5
"""Times within a week from which writing again counts one point, and two."""

_CAPITALS = re.compile(r"(?:\b[^\W\d_a-z]{2,}\b[\s,.!?'’-]*){3,}")
_MARKS = re.compile(r"[?!]{2,}")


def tell_urgency(
    said: Said,
    heard: Sequence[tuple[str, Sequence[Found[Heard]]]],
    lexicon: Lexicon,
    now: datetime,
    contacts: int = 1,
) -> tuple[Told[Urgency], bool]:
    """The urgency, and whether the customer says that there is no hurry.

    ``heard`` are the phrases by part of the message; ``contacts`` is how often this customer has
    written within a week, this message included.
    """
    strongest, points, evidence, low = _words(heard)
    near = 0
    for part, words in said.parts:
        places = [f for name, found in heard if name == part for f in found]
        by = [f for f in places if f.value.kind in ("before", "within")]
        for deadline in deadlines(words, by, lexicon, now) if by else ():
            near = max(near, deadline.points)
            evidence.append(_quoted(deadline.said, part))
    # Urgent words and a near day are urgent, not critical: that takes what has happened.
    points = min(points + near, max(strongest, _MOST_WORDS)) - (_CALM if low else 0)
    shouted = shouting(said)
    if shouted:
        points += 1
        evidence.append(f"capital letters: {shouted}")
    spoken = f"{said.subject}\n{said.body}"
    if any("!" in run for run in _MARKS.findall(spoken)) or spoken.count("!") >= 4:
        points += 1
        evidence.append("exclamation marks")
    if contacts >= _OFTEN:
        points += 2 if contacts >= _VERY_OFTEN else 1
        evidence.append(f"wrote {contacts} times within 7 days")
    if points < 0:
        level = Urgency.LOW
    elif points < _HIGH:
        level = Urgency.NORMAL
    else:
        level = Urgency.CRITICAL if points >= _CRITICAL else Urgency.HIGH
    return Told(level, "words", tuple(evidence)), low


def _words(
    heard: Sequence[tuple[str, Sequence[Found[Heard]]]],
) -> tuple[int, int, list[str], bool]:
    """The points of the strongest phrase, of all of them (each further one counts one), the
    evidence, and whether the customer says that there is no hurry.
    """
    phrases: dict[str, tuple[int, str]] = {}
    low: dict[str, str] = {}
    for part, found in heard:
        covered = -1
        calm_places: set[int] = set()
        for place in found:
            if place.value.kind == "urgency" and place.value.points < 0:
                calm_places.update(range(place.start, place.end))
                low.setdefault(place.value.phrase, part)
        negated = _negated(found)
        for place in found:
            value = place.value
            if value.kind != "urgency" or value.points < 0:
                continue
            inside = place.end <= covered or place.start in calm_places
            if inside or place.start in negated:
                continue
            covered = place.end
            phrases.setdefault(value.phrase, (value.points, part))
    ranked = sorted(phrases.items(), key=lambda item: -item[1][0])
    evidence = [_quoted(phrase, part) for phrase, (_points, part) in ranked]
    evidence += [_quoted(phrase, part) for phrase, part in low.items()]
    strongest = ranked[0][1][0] if ranked else 0
    points = strongest + max(0, len(ranked) - 1)
    return strongest, points, evidence[:8], bool(low)


def _negated(found: Sequence[Found[Heard]]) -> set[int]:
    """The places right after a negation: "not urgent", "nicht mehr dringend"."""
    return {at for place in found if place.value.kind == "not" for at in (place.end, place.end + 1)}


def shouting(said: Said) -> str:
    """The first words of a run in capital letters that is no acronym; empty where nobody shouts."""
    for text in (said.subject, said.body):
        for match in _CAPITALS.finditer(text):
            words = re.findall(r"[^\W\d_]+", match[0])
            # What no list of words knows are acronyms and names: "HTML CSS JSON", "ACME HOLDING".
            known = sum(known_word(word.lower()) for word in words[:40])
            if known >= 2 and all(word.isupper() for word in words):
                return " ".join(words[:4])
    return ""


def _quoted(phrase: str, part: str) -> str:
    said = f'"{phrase}"' if " " in phrase else phrase
    return f"{said} ({part})"
