"""Paths as they are typed: what is in the folder that fits, folders first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from console import fmt
from console.widgets.picker import Choice

__all__ = ["path_choices"]

_SHOWN = 200
_LOOKED_AT = 5_000
"""Entries of a folder; a folder with more is searched as far as that."""


def path_choices(typed: str) -> Sequence[Choice]:
    """The files and folders whose names begin with, else have, what was typed after the last slash.

    The value of a folder ends in a slash. Hidden ones are shown when the dot is typed.
    """
    words = typed.strip()
    if words == "~":
        words = "~/"
    before, slash, name = words.rpartition("/")
    shown = f"{before}{slash}"
    folder = Path(shown or ".").expanduser()
    exact = Path(words).expanduser() if words else None
    found: list[tuple[bool, bool, str, Choice]] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _LOOKED_AT:
                    break
                fits = entry.name.casefold().startswith(name.casefold())
                if not fits and name.casefold() not in entry.name.casefold():
                    continue
                if entry.name.startswith(".") and not name.startswith("."):
                    continue
                found.append(_entry(entry, shown, not fits))
    except OSError as fault:
        return [Choice(None, f"{folder} cannot be read: {fault.strerror}")]
    found.sort(key=lambda item: item[:3])
    choices = [item[3] for item in found[:_SHOWN]]
    if exact is not None and name and exact.is_file():
        # What was typed whole comes first, whatever else begins like it.
        choices.sort(key=lambda choice: choice.value != words)
    if len(found) > _SHOWN:
        choices.append(Choice(None, f"and {len(found) - _SHOWN} more: type on"))
    return choices


def _entry(entry: os.DirEntry[str], shown: str, second: bool) -> tuple[bool, bool, str, Choice]:
    value = f"{shown}{entry.name}"
    try:
        if entry.is_dir():
            choice = Choice(f"{value}/", f"{entry.name}/", "folder")
            return second, False, entry.name.casefold(), choice
        size = fmt.size(entry.stat().st_size)
    except OSError as fault:
        size = fault.strerror or "cannot be read"
    return second, True, entry.name.casefold(), Choice(value, entry.name, size)
