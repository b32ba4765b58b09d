"""The arithmetic of the benchmark: percentiles, medians, ratios, sizes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Spread", "percentile", "ratio", "size_of", "size_word", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a series of times lies."""

    p50: float
    p95: float
    count: int


def percentile(values: Sequence[float], share: int) -> float:
    """The nearest-rank percentile: the least value that ``share`` per cent do not exceed.

    Raises ValueError without values.
    """
    if not values:
        raise ValueError("no values: there is no percentile of nothing")
    rank = -(-len(values) * share // 100)
    return sorted(values)[min(len(values), max(1, rank)) - 1]


def spread(values: Sequence[float]) -> Spread:
    """Median and 95th percentile of a series."""
    return Spread(statistics.median(values), percentile(values, 95), len(values))


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """Ours by theirs; None where one is missing or theirs is nothing."""
    if ours is None or not theirs:
        return None
    return ours / theirs


def size_of(word: str) -> int:
    """``10k`` as 10000; raises ValueError with a sentence."""
    text = word.strip().lower()
    factor = {"k": 1000, "m": 1_000_000}.get(text[-1:], 1)
    digits = text[:-1] if factor > 1 else text
    if not digits.isdigit() or int(digits) == 0:
        raise ValueError(f"{word!r} is not a size: write it like 500, 10k or 1m")
    return int(digits) * factor


def size_word(size: int) -> str:
    """10000 as ``10k``."""
    for factor, letter in ((1_000_000, "m"), (1000, "k")):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{letter}"
    return str(size)
