"""How the customer feels by what they write, from -1 to 1: frustration and gladness in words, turned
by negations and made stronger by what stands before them.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflow.triage.lexicon import Heard
from workflow.triage.phrases import Found
from workflow.triage.said import Said, hard, soft
from workflow.triage.urgency import shouting
from workflow.triage.verdict import Told

__all__ = ["tell_sentiment"]

_REACH = 3
"""Words that a negation reaches over."""

_HALF = 3.0
"""Points that make a feeling of one half."""

_STRONGER = 1.5
_CLOSING = 0.2
"""What a thank-you in the closing line of a letter still says."""

_EVIDENCE = 6


def tell_sentiment(said: Said, heard: Sequence[tuple[str, Sequence[Found[Heard]]]]) -> Told[float]:
    """The sentiment with the words that it rests on; 0 and no evidence where nothing is felt."""
    total = 0.0
    evidence: dict[str, float] = {}
    texts = dict((*said.parts, ("closing", said.closing_words)))
    for part, found in heard:
        for words, points in _felt(texts[part], found):
            total += points * (_CLOSING if part == "closing" else 1.0)
            if part != "closing":
                evidence.setdefault(f"{words} ({part})" if part == "subject" else words, points)
    if total < 0 and (shouted := shouting(said)):
        total -= 1.0
        evidence[f"capital letters: {shouted}"] = -1.0
    value = round(total / (abs(total) + _HALF), 2) if total else 0.0
    named = sorted(evidence, key=lambda words: -abs(evidence[words]))[:_EVIDENCE]
    return Told(value, "words", tuple(f"{words} {evidence[words]:+.1f}" for words in named))


def _felt(words: Sequence[str], found: Sequence[Found[Heard]]) -> list[tuple[str, float]]:
    """Each feeling once, with its points; the longest of phrases that overlap."""
    neutral = {at for f in found if f.value.kind == "neutral" for at in range(f.start, f.end)}
    nots = {f.end - 1: f for f in found if f.value.kind == "not"}
    mores = {f.end - 1 for f in found if f.value.kind == "more"}
    chosen: list[Found[Heard]] = []
    feelings = [f for f in found if f.value.kind == "sentiment"]
    for feeling in sorted(feelings, key=lambda f: (f.start - f.end, f.start)):
        overlaps = any(feeling.start < o.end and o.start < feeling.end for o in chosen)
        if not overlaps and feeling.start not in neutral:
            chosen.append(feeling)
    told: dict[str, float] = {}
    for feeling in sorted(chosen, key=lambda f: f.start):
        points, before = float(feeling.value.points), ""
        for at in range(feeling.start - 1, max(-1, feeling.start - 1 - _REACH), -1):
            if hard(words[at]) or soft(words[at]):
                break
            if at in mores and at == feeling.start - 1:
                points *= _STRONGER
            elif at in nots:
                if points < 0 and feeling.start - at > 1:
                    break
                # "Not happy" is unhappy; "not bad" is only not bad.
                points *= -1.0 if points > 0 else -0.3
                before = f"{nots[at].value.phrase} "
                break
        told.setdefault(f"{before}{feeling.value.phrase}", points)
    return list(told.items())
