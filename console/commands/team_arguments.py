"""The words of the verbs about the team and its rules: presence."""

from __future__ import annotations

import argparse
from collections.abc import Callable

__all__ = ["team_verbs"]


def team_verbs(
    verb: Callable[[str, str], argparse.ArgumentParser],
    part: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the verbs; ``part`` adds a word below one of them."""
    found = verb("presence", "who is at the desk; say that you are away, or here again")
    whats = found.add_subparsers(dest="what", metavar="WHAT", parser_class=type(found))
    for name, help_ in (
        ("list", "everybody, with how much waits for them (also without a word)"),
        ("away", "nothing is handed to you until you are back"),
        ("here", "back again: you are given what waits"),
    ):
        added = part(whats, name, help_)
        if name != "list":
            added.add_argument("name", nargs="?", metavar="AGENT", help="you if not given")
        if name == "away":
            added.add_argument("--until", metavar="TIME", help="as in 14:00, 2h, mon, 2026-12-01")
