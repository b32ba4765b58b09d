"""Finding a macro by a few letters: by name, title and words, those used lately first."""

from __future__ import annotations

from collections.abc import Sequence

from macros.model import Macro
from workflow.model import Actor
from workflow.query.terms import fold
from workflow.store.reads import Reads

__all__ = ["rank", "used_lately"]

_LOOKED_AT = 500
"""Changes of an agent that are looked through for macros."""
_HALF_MS = 3 * 86_400_000


def rank(macros: Sequence[Macro], typed: str, lately: Sequence[str] = ()) -> list[Macro]:
    """The macros that fit what is typed, the best first; all of them where nothing is typed.

    Every word must fit: it begins the name or the title, begins or is in a word of them, is in the
    tags or the description, or its letters stand in that order in the name or the title. Case and
    accents do not matter. ``lately`` are names, the last used first; they decide among equals.
    """
    words = fold(typed).split()
    recency = {name: len(lately) - index for index, name in reversed(list(enumerate(lately)))}
    scored = [
        (-score, -recency.get(macro.name, 0), fold(macro.title), macro.name, macro)
        for macro in macros
        if (score := _score(macro, words)) is not None
    ]
    return [entry[-1] for entry in sorted(scored, key=lambda entry: entry[:-1])]


def _score(macro: Macro, words: Sequence[str]) -> int | None:
    heads = (fold(macro.name), fold(macro.title))
    parts = [part for head in heads for part in head.replace("-", " ").split()]
    tags = [fold(tag) for tag in macro.tags]
    rest = fold(macro.description)
    total = 0
    for word in words:
        if word in heads:
            total += 200
        elif any(head.startswith(word) for head in heads):
            total += 100
        elif any(part.startswith(word) for part in parts):
            total += 80
        elif any(tag.startswith(word) for tag in tags):
            total += 60
        elif any(word in head for head in heads):
            total += 40
        elif word in rest:
            total += 15
        elif any(_in_order(word, head) for head in heads):
            total += 5
        else:
            return None
    return total


def _in_order(word: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in word)


def used_lately(reads: Reads, agent: str, limit: int = 20) -> list[str]:
    """The names of the macros an agent uses, the most used of the last days first, each once.

    A use counts half after three days; what was taken back was no use.
    """
    rows = reads.fetch(
        "SELECT cause, at FROM change WHERE actor = ? AND undone_by IS NULL"
        " ORDER BY id DESC LIMIT ?",
        (Actor.agent(agent).wire, _LOOKED_AT),
    )
    weights: dict[str, float] = {}
    for cause, at in rows:
        for name in _names(str(cause)):
            worth = 0.5 ** ((rows[0][1] - at) / _HALF_MS)
            weights[name] = weights.get(name, 0.0) + worth
    # Among equals the order of the rows stays: the last used first.
    return sorted(weights, key=lambda name: -weights[name])[:limit]


def _names(cause: str) -> list[str]:
    """The macros of a change: ``macro:NAME``, or ``key:ctrl+s macro:NAME`` for what went into a
    reply that an agent wrote.
    """
    return f" {cause}".split(" macro:")[1:]
