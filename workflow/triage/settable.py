"""What a person types for what triage tells: ``urgency=high``, ``sentiment=-0.5``,
``wants-person=no``.
"""

from __future__ import annotations

import re

from workflow.errors import UsageError
from workflow.model import Urgency

__all__ = ["TOLD_FIELDS", "told_value"]

TOLD_FIELDS = ("urgency", "sentiment", "wants-person")
"""Beside topic and language, which are plain words."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0", "none")


def told_value(field: str, text: str | None) -> str | int | float | bool | None:
    """The value as it is stored; raises UsageError with what fits."""
    word = (text or "").strip().lower()
    if field == "topic":
        return word or None
    if field == "language":
        if word and not _LANGUAGE.fullmatch(word):
            raise UsageError(f"language {text!r} is no code of a language: write it like de or pt")
        return word or None
    if field == "urgency":
        try:
            return int(Urgency.parse(word)) if word else None
        except ValueError as fault:
            raise UsageError(f"{fault}, or none") from None
    if field == "sentiment":
        return _sentiment(word, text)
    if word in (*_NO, ""):
        return False
    if word in _YES:
        return True
    raise UsageError(f"wants-person is yes or no, not {text!r}")


def _sentiment(word: str, text: str | None) -> float | None:
    if not word:
        return None
    try:
        value = float(word)
    except ValueError:
        value = 2.0
    if not -1 <= value <= 1:
        raise UsageError(f"sentiment {text!r} is no number from -1 (angry) to 1 (delighted)")
    return round(value, 2)
