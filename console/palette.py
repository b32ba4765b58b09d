"""The palette and the help, made from the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions import Entry, entries_for, key_words
from console.macro_runs import MACRO
from console.widgets.picker import Choice

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["help_choices", "palette_choices"]

_MOVING = (
    ("j k ↓ ↑", "line by line"),
    ("g G home end", "first, last"),
    ("ctrl-d ctrl-u", "half a page"),
    ("pgdn pgup", "a page"),
)
_HERE_ONLY = frozenset({"palette", "help"})


def _keys(known: Entry, own: dict[str, str]) -> list[str]:
    keys = own[known.id].split(",") if known.id in own else list(known.keys)
    return [key_words(key) for key in dict.fromkeys(keys)]


def palette_choices(desk: DeskScreen) -> list[Choice]:
    """Every action of this place with its key, and every macro."""
    actions = [
        Choice(known.id, known.title, known.sentence, (_keys(known, desk.own_keys) or [""])[0])
        for known in entries_for(desk.place)
        if known.id not in _HERE_ONLY
    ]
    macros = desk.shelf.macros if desk.shelf is not None else []
    return actions + [
        Choice(
            f"{MACRO}{macro.name}",
            f"Macro: {macro.title}",
            macro.description,
            key_words(macro.key) if desk.shelf and macro.key in desk.shelf.keys else "",
        )
        for macro in macros
    ]


def help_choices(desk: DeskScreen) -> list[Choice]:
    """Every key of this place, by what it is for."""
    place = desk.place
    groups: dict[str, list[Entry]] = {}
    for known in entries_for(place):
        groups.setdefault(known.group, []).append(known)
    if place == "ticket":
        groups["Write (in the composer)"] = entries_for("composer")[:-1]
    choices: list[Choice] = []
    for group, members in groups.items():
        if choices:
            choices.append(Choice(None, ""))
        choices.append(Choice(None, group))
        choices += [
            Choice(
                known.id if place in known.places or "desk" in known.places else "",
                known.title,
                known.sentence,
                " ".join(dict.fromkeys(_keys(known, desk.own_keys)[:2])),
            )
            for known in members
        ]
        if group == "Go":
            if place == "queue":
                choices.append(Choice("", "A view", "by its number", "1-9"))
            choices += [Choice("", "Move", words, keys) for keys, words in _MOVING]
    bound = desk.shelf.keys if desk.shelf is not None else {}
    if bound:
        choices += [Choice(None, ""), Choice(None, "Macros")]
        choices += [
            Choice(f"{MACRO}{macro.name}", macro.title, macro.description, key_words(key))
            for key, macro in bound.items()
        ]
    return choices
