"""How many messages may come in before the desk takes them for a loop, as the team has set it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from workflow.clock import parse_duration

__all__ = ["Cap", "Caps", "read_caps"]

_LONGEST_S = 7 * 86_400
_CAP = re.compile(r"\s*(\d{1,6})\s*/\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` messages within ``seconds``; one more is held."""

    count: int
    seconds: int


def _table(*caps: tuple[int, int]) -> tuple[Cap, ...]:
    return tuple(Cap(count, minutes * 60) for count, minutes in caps)


_WINDOWS = _table((10, 10), (15, 30), (25, 60), (50, 180), (100, 600))
"""Those by which Zammad stops its own loops on one ticket."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps, each with its windows, the shortest first; none switches a cap off.

    ``ticket``: automatic mail on one ticket. ``sender``: automatic mail of one address. ``answers``:
    of that, what answers us. ``subject``: automatic mail of one address with the same subject.
    ``desk``: all automatic mail. ``person``: answers of one address that say of themselves
    nothing of being automatic. docs/held.md says why these numbers.
    """

    ticket: tuple[Cap, ...] = _WINDOWS
    sender: tuple[Cap, ...] = _WINDOWS
    answers: tuple[Cap, ...] = _table((10, 180))
    subject: tuple[Cap, ...] = _table((2, 180))
    desk: tuple[Cap, ...] = _table((600, 60))
    person: tuple[Cap, ...] = _table((100, 600))

    @property
    def longest_s(self) -> int:
        """Seconds that have to be looked back."""
        return max(
            (cap.seconds for field in fields(self) for cap in getattr(self, field.name)), default=0
        )


def read_caps(entry: Mapping[str, Any]) -> Caps:
    """The caps of a table like ``{ticket = ["10/10m"], desk = []}``; those not named stay.

    Raises ValueError whose first argument is the key, the second a sentence.
    """
    known = {field.name for field in fields(Caps)}
    found: dict[str, tuple[Cap, ...]] = {}
    for key, texts in entry.items():
        if key not in known:
            raise ValueError(key, f"there is no cap {key!r}: known are {', '.join(sorted(known))}")
        if not isinstance(texts, list):
            raise ValueError(key, f'{key} must be a list like ["10/10m", "100/10h"]; [] has no cap')
        found[key] = tuple(sorted((_cap(key, text) for text in texts), key=lambda cap: cap.seconds))
    return Caps(**found)


def _cap(key: str, text: object) -> Cap:
    match = _CAP.fullmatch(text) if isinstance(text, str) else None
    try:
        seconds = parse_duration(match[2]) if match else 0
    except ValueError:
        seconds = 0
    if match is None or not int(match[1]) or not 0 < seconds <= _LONGEST_S:
        raise ValueError(
            key, f'{text!r} is no cap: write how many in what time, like "10/10m", of at most 7d'
        )
    return Cap(int(match[1]), seconds)
