"""The keys of every list, and a team member's own keys from ``keys.toml``. Nothing here needs Textual."""

from __future__ import annotations

import tomllib
from pathlib import Path

from console.actions import ACTIONS

__all__ = ["MOVING", "own_keys"]

MOVING = (
    ("j,down", "move(1)", "down"),
    ("k,up", "move(-1)", "up"),
    ("g,home", "first", "to the first"),
    ("G,end", "last", "to the last"),
    ("ctrl+d", "half_page(1)", "half a page down"),
    ("ctrl+u", "half_page(-1)", "half a page up"),
    ("pagedown,ctrl+f", "page(1)", "a page down"),
    ("pageup,ctrl+b", "page(-1)", "a page up"),
)
"""The keys that move in every list and in every text that is read: keys, what they do, in words."""


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
