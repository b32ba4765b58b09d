"""What a verb gives back, and the only writer of standard output and standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len, set_cell_size

from workflow.plaintext import printable

__all__ = ["Answer", "Answers", "complain", "leave_quietly", "table", "tell", "write"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One document for programs and the same in words for people.

    ``status`` is the exit status it asks for.
    """

    document: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    status: int = 0


Answers = Answer | Iterator[Answer]
"""Most verbs give one answer; those that work on many files give one for each, as they go."""


def write(answer: Answer, *, as_json: bool) -> None:
    """Put one answer on standard output, whole and at once.

    Raises BrokenPipeError when the reader has left.
    """
    if as_json:
        line = json.dumps(answer.document, ensure_ascii=False, separators=(", ", ": "))
        # A lone surrogate has no UTF-8 form; nothing we store has one, but arguments may.
        sys.stdout.write(line.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    elif answer.text:
        # The terminal's last gate on the command line: what a customer wrote must not steer it.
        sys.stdout.write(printable(answer.text) + "\n")
    sys.stdout.flush()


def tell(sentence: str) -> None:
    """Progress and remarks, on standard error."""
    sys.stderr.write(printable(sentence) + "\n")
    sys.stderr.flush()


def complain(sentence: str) -> None:
    """Why something could not be done, with the next step."""
    tell(f"deskhand: {sentence}")


def leave_quietly() -> int:
    """The reader of our output has closed it (``| head``): end without a trace."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...], widths: tuple[int, ...]) -> str:
    """Rows in columns; a width of 0 is as wide as its longest entry."""
    fitted = [
        width or max(cell_len(row[index]) for row in [head, *rows])
        for index, width in enumerate(widths)
    ]
    lines = []
    for row in [head, *rows]:
        cells = [_fit(cell, width) for cell, width in zip(row, fitted, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _fit(cell: str, width: int) -> str:
    """A cell exactly as wide as its column, counted in the terminal's cells, with a sign where it
    was cut.
    """
    if cell_len(cell) <= width:
        return cell + " " * (width - cell_len(cell))
    return set_cell_size(cell, width - 1).rstrip() + "…"
