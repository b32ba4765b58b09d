"""What was measured as one Markdown table, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.figures import size_word

__all__ = ["PROGRAMS", "Row", "as_json", "as_markdown"]

PROGRAMS = ("deskhand", "notmuch", "mu", "neomutt", "aerc", "bare list")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a measure at a size, each program's figure, and the goal if it has one."""

    measure: str
    size: int
    figures: dict[str, str]
    goal: str = ""
    measured: str = ""
    met: bool | None = None
    """None where there is no goal, or nothing to judge it by."""
    numbers: dict[str, float] | None = None


def as_markdown(rows: Sequence[Row], missing: Iterable[str]) -> str:
    """The table. Programs that are not installed say so; what a program does not do is a dash."""
    absent = set(missing)
    head = ["what", "size", *PROGRAMS, "goal", "measured", "met"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        cells = [
            row.figures.get(name) or ("not installed" if name in absent else "–")
            for name in PROGRAMS
        ]
        met = {True: "yes", False: "**no**", None: "not judged" if row.goal else ""}[row.met]
        lines.append(_line([row.measure, size_word(row.size), *cells, row.goal, row.measured, met]))
    return "\n".join(lines)


def as_json(rows: Sequence[Row], about: dict[str, str]) -> str:
    """The same as one JSON document."""
    return json.dumps(
        {
            "about": about,
            "rows": [
                {
                    "measure": row.measure,
                    "size": row.size,
                    "figures": row.figures,
                    "numbers": row.numbers or {},
                    "goal": row.goal or None,
                    "measured": row.measured or None,
                    "met": row.met,
                }
                for row in rows
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
