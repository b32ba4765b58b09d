"""A CSV file with the place of each of its cells, which the standard library's reader does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import SettingsError

__all__ = ["Cell", "Problem", "SheetError", "read_sheet", "read_text"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of a file, and what fits; lines and columns count from 1."""

    file: str
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"


class SheetError(SettingsError):
    """The file cannot be taken apart."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it is meant (quotes undone), and where each of its characters stands."""

    text: str
    line: int
    column: int
    places: tuple[tuple[int, int], ...] = ()

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of a character; of the end for what lies behind it."""
        if index < len(self.places):
            return self.places[index]
        if not self.places:
            return self.line, self.column
        line, column = self.places[-1]
        return line, column + 1


def read_text(path: Path) -> str | None:
    """The text of a file that a team wrote; None where there is none.

    Raises SettingsError where it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SettingsError(
            f"{path} cannot be read ({fault.strerror}): give this user the right to read it"
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        column = fault.start - (data.rfind(b"\n", 0, fault.start) + 1) + 1
        problem = Problem(str(path), line, column, "this is not UTF-8: save the file as UTF-8")
        raise SheetError(problem) from None


def read_sheet(file: str, text: str) -> Iterator[list[Cell]]:
    """The records of a CSV text (RFC 4180), without empty lines and those that begin with ``#``.

    Cells stand between commas, or between semicolons or tabs where the first line has no comma: so
    spreadsheets of some countries write it. Raises SheetError.
    """
    return _Reading(file, text).records()


class _Reading:
    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.at = 0
        self.line = 1
        self.line_start = 0
        self.separator = self._separator()

    def _separator(self) -> str:
        for line in self.text.split("\n"):
            if line.strip() and not line.lstrip().startswith("#"):
                return next((mark for mark in ",;\t" if mark in line), ",")
        return ","

    def records(self) -> Iterator[list[Cell]]:
        while self.at < len(self.text):
            end = self._line_end()
            line = self.text[self.at : end]
            if not line.strip() or line.lstrip().startswith("#"):
                self._next_line(end)
                continue
            cells = self._record()
            if any(cell.text.strip() for cell in cells):
                yield cells

    def _line_end(self) -> int:
        found = self.text.find("\n", self.at)
        return len(self.text) if found < 0 else found

    def _next_line(self, end: int) -> None:
        self.at = end + 1
        self.line += 1
        self.line_start = self.at

    def _record(self) -> list[Cell]:
        cells = []
        while True:
            cells.append(self._cell())
            if self.at < len(self.text) and self.text[self.at] == self.separator:
                self.at += 1
                continue
            self._next_line(self.at)
            return cells

    def _here(self) -> tuple[int, int]:
        return self.line, self.at - self.line_start + 1

    def _cell(self) -> Cell:
        line, column = self._here()
        if self.text.startswith('"', self.at):
            return self._quoted(line, column)
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in (self.separator, "\n"):
            self.at += 1
        text = self.text[start : self.at]
        return Cell(text, line, column, tuple((line, column + i) for i in range(len(text))))

    def _quoted(self, line: int, column: int) -> Cell:
        made: list[str] = []
        places: list[tuple[int, int]] = []
        self.at += 1
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == '"':
                if self.text.startswith('""', self.at):
                    self.at += 1
                else:
                    self.at += 1
                    self._refuse_tail()
                    return Cell("".join(made), line, column, tuple(places))
            made.append(character)
            places.append(self._here())
            self.at += 1
            if character == "\n":
                self.line += 1
                self.line_start = self.at
        sentence = 'the cell begins with a " that has no end: put one behind the cell'
        raise SheetError(Problem(self.file, line, column, sentence))

    def _refuse_tail(self) -> None:
        """Nothing may stand between the closing quote and the next cell."""
        following = self.text[self.at : self.at + 1]
        if following in ("", "\n", self.separator):
            return
        sentence = (
            f"{following!r} stands behind the cell's closing quote: put the whole cell in quotes,"
            ' and write a " of its text twice'
        )
        raise SheetError(Problem(self.file, *self._here(), sentence))
