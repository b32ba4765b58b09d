"""A screen as text that can be read and compared in a review: its lines, and which style stands where.

This is the one file that touches the compositor.
"""

from __future__ import annotations

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.strip import Strip

__all__ = ["lines_of", "styles_of"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _strips(app: App[int]) -> list[Strip]:
    return app.screen._compositor.render_strips()


def lines_of(app: App[int]) -> list[str]:
    """The lines of the screen without their trailing blanks."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in _strips(app)]


def _colour(colour: object) -> str:
    if colour is None:
        return "-"
    triplet = getattr(colour, "triplet", None)
    if triplet is not None:
        return str(triplet.hex)
    return str(colour.hex if isinstance(colour, Color) else getattr(colour, "name", colour))


def _name(style: Style | None) -> str:
    if style is None:
        return "- on -"
    marks = [
        word for word in ("bold", "dim", "reverse", "underline", "italic") if getattr(style, word)
    ]
    return " ".join([f"{_colour(style.color)} on {_colour(style.bgcolor)}", *marks])


def styles_of(app: App[int]) -> list[str]:
    """A line of runs (how many cells, which style) for each line of the screen, then what the letters mean."""
    legend: dict[str, str] = {}
    maps = []
    for strip in _strips(app):
        runs: list[tuple[str, int]] = []
        for segment in strip:
            letter = legend.setdefault(_name(segment.style), _LETTERS[len(legend) % len(_LETTERS)])
            if runs and runs[-1][0] == letter:
                runs[-1] = (letter, runs[-1][1] + segment.cell_length)
            elif segment.cell_length:
                runs.append((letter, segment.cell_length))
        maps.append(" ".join(f"{count}{letter}" for letter, count in runs))
    return [*_folded(maps), *(f"{letter} = {name}" for name, letter in legend.items())]


def _folded(maps: list[str]) -> list[str]:
    folded: list[str] = []
    count = 0
    for index, line in enumerate(maps):
        count += 1
        if index + 1 == len(maps) or maps[index + 1] != line:
            folded.append(f"{count:>3} x {line}")
            count = 0
    return folded
