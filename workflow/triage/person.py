"""Whether the customer asks for a person: a wish, a way to speak and whom, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from workflow.triage.lexicon import Heard
from workflow.triage.phrases import Found
from workflow.triage.said import Said, hard
from workflow.triage.verdict import Told

__all__ = ["tell_wants_person"]

_BETWEEN = 4
"""Words that may stand between "speak" and "a person", in either order."""

_SHORT = 6
"""A message of so few words need not wish: "speak to a human"."""


def tell_wants_person(
    said: Said, heard: Sequence[tuple[str, Sequence[Found[Heard]]]]
) -> Told[bool]:
    """Whether they ask for a person, with the words that say so."""
    texts = dict(said.parts)
    for part, found in heard:
        if part not in texts:
            continue
        words = texts[part]
        if not any(f.value.kind in ("speak", "alone") for f in found):
            continue
        for first, last in _sentences(words):
            inside = [f for f in found if first <= f.start and f.end <= last]
            if said_words := _asks(words[first:last], inside):
                return Told(True, "words", (f'"{said_words}" ({part})',))
    return Told(False)


def _asks(words: Sequence[str], found: Sequence[Found[Heard]]) -> str:
    if not found or any(f.value.kind == "but" for f in found):
        return ""
    alone = next((f for f in found if f.value.kind == "alone"), None)
    if alone is not None:
        return alone.value.phrase
    speaks = [f for f in found if f.value.kind == "speak"]
    whoms = [f for f in found if f.value.kind == "whom"]
    if not speaks or not whoms:
        return ""
    wishes = [f for f in found if f.value.kind == "ask"]
    short = sum(word[0].isalnum() for word in words) <= _SHORT
    for speak in speaks:
        for whom in whoms:
            apart = whom.start - speak.end if whom.start >= speak.end else speak.start - whom.end
            if not 0 <= apart <= _BETWEEN:
                continue
            wished = next((w for w in wishes if w.start <= max(speak.start, whom.start)), None)
            if wished is not None or short:
                start = f"{wished.value.phrase} ... " if wished is not None else ""
                pair = sorted((speak, whom), key=lambda f: f.start)
                return start + " ... ".join(f.value.phrase for f in pair)
    return ""


def _sentences(words: Sequence[str]) -> list[tuple[int, int]]:
    found, first = [], 0
    for index, word in enumerate(words):
        if hard(word):
            found.append((first, index))
            first = index + 1
    found.append((first, len(words)))
    return [(a, b) for a, b in found if b > a]
