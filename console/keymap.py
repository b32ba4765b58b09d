"""From the table of actions to Textual's bindings, and a team member's own keys from ``keys.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from textual.binding import Binding, BindingType

from console.actions import ACTIONS, entries_for

__all__ = ["LIST_KEYS", "bindings_for", "own_keys"]


def bindings_for(place: str) -> list[BindingType]:
    """The bindings of a place; each runs ``action_run`` of the widget that has them."""
    return [
        Binding(
            key=",".join(known.keys),
            action=f"run('{known.id}')",
            description=known.title,
            show=False,
            priority=known.priority,
            id=known.id,
        )
        for known in entries_for(place)
        if known.keys and (place in known.places or place == "desk")
    ]


LIST_KEYS: list[BindingType] = [
    Binding("j,down", "move(1)", "down", show=False),
    Binding("k,up", "move(-1)", "up", show=False),
    Binding("g,home", "first", "first", show=False),
    Binding("G,end", "last", "last", show=False),
    Binding("ctrl+d", "half_page(1)", "half a page down", show=False),
    Binding("ctrl+u", "half_page(-1)", "half a page up", show=False),
    Binding("pagedown,ctrl+f", "page(1)", "page down", show=False),
    Binding("pageup,ctrl+b", "page(-1)", "page up", show=False),
]
"""The keys that move in every list and in every text that is read."""


def own_keys(home: Path) -> tuple[dict[str, str], str]:
    """The bindings of ``keys.toml`` in the home (``reply = ["r", "ctrl+r"]``), and a sentence if a line is wrong."""
    path = home / "keys.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as fault:
        return {}, f"{path}: {fault}; the usual keys are used until it is corrected"
    known = {known.id for known in ACTIONS}
    keys: dict[str, str] = {}
    wrong = ""
    for name, value in table.items():
        words = [value] if isinstance(value, str) else value
        if (
            name not in known
            or not isinstance(words, list)
            or not all(isinstance(w, str) for w in words)
        ):
            wrong = f"{path}: {name} is not an action with a list of keys; `?` in the console names them"
            continue
        keys[name] = ",".join(words)
    return keys, wrong
