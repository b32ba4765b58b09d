"""The keys that macros may have: those that nothing else means and that every terminal passes on.

The macros know no console, so what they may not take is said here, to ``macro check`` and to the console alike. Nothing
here needs Textual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from console.actions import ACTIONS, key_words
from console.own_keys import MOVING
from macros.model import Macro, MacroProblem

__all__ = ["EDITING", "SWALLOWED", "keys_of", "problems_with_keys"]

SWALLOWED = frozenset(
    ("ctrl+c", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+z", "ctrl+left_square_bracket")
)
"""What terminals keep for themselves, or send as another key (ctrl-i is tab, ctrl-m is enter)."""

EDITING = frozenset(
    [
        "ctrl+a",
        "ctrl+d",
        "ctrl+e",
        "ctrl+f",
        "ctrl+k",
        "ctrl+u",
        "ctrl+v",
        "ctrl+w",
        "ctrl+x",
        "ctrl+y",
        "f6",
        "f7",
    ]
)
"""What edits the text of a reply."""

_ARRIVES = re.compile(
    r"(?:ctrl\+|alt\+)?[a-z]|alt\+[0-9]|[0-9]|(?:ctrl\+|alt\+)?f(?:[1-9]|1\d|2[0-4])"
)
_GOOD = "take a function key such as f5 or f8"


def problems_with_keys(
    macros: Iterable[Macro], own_keys: Mapping[str, str] | None = None
) -> list[MacroProblem]:
    """The keys of macros that cannot be had; ``own_keys`` are those of keys.toml, by action."""
    problems = []
    for macro in macros:
        if macro.key and (reason := _why_not(macro.key, own_keys or {})):
            problems.append(MacroProblem(macro.place("key"), f"{reason}: {_GOOD}"))
    return problems


def keys_of(macros: Iterable[Macro], own_keys: Mapping[str, str] | None = None) -> dict[str, Macro]:
    """The macro of each key, without those that cannot be had; the first by name of two on one key."""
    found: dict[str, Macro] = {}
    for macro in macros:
        if macro.key and not _why_not(macro.key, own_keys or {}):
            found.setdefault(macro.key, macro)
    return found


def _why_not(key: str, own_keys: Mapping[str, str]) -> str:
    """Why a macro cannot have a key, as the beginning of a sentence; empty where it can."""
    shown = key_words(key)
    for known in ACTIONS:
        own = own_keys.get(known.id)
        keys = known.keys if own is None else tuple(own.split(","))
        if key in keys:
            places = " and ".join(known.places)
            return f"the key {shown} means {known.title.rstrip(' …')!r} in {places} already"
    for listed, _action, words in MOVING:
        if key in listed.split(","):
            return f"the key {shown} goes {words} in every list already"
    if key in "123456789":
        return f"the key {shown} shows a view of the queue already"
    if key in EDITING:
        return f"the key {shown} edits the text of a reply already"
    if key in SWALLOWED or not _ARRIVES.fullmatch(key):
        return f"the key {shown} does not reach a program in every terminal"
    return ""
