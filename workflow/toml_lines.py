"""A TOML file that a team wrote, with the place of each of its entries: a complaint names file,
line and column, what was found and what fits.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from workflow.errors import SettingsError

__all__ = ["Entry", "TomlFile"]


class TomlFile:
    """A parsed file of flat keys and ``[[tables]]``; raises SettingsError where it is no TOML."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines = text.splitlines()
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            raise SettingsError(
                f"{path}:{self._toml_fault(fault)}: mend that line, the rest is unread until then"
            ) from None
        self.top = Entry(self, data, "", 0)

    @classmethod
    def read(cls, path: Path) -> TomlFile | None:
        """The file at a path; None where there is none. Raises SettingsError with a sentence."""
        try:
            return cls(path, path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as fault:
            raise SettingsError(
                f"{path}: byte {fault.start} is not UTF-8: save the file as UTF-8"
            ) from None
        except OSError as fault:
            raise SettingsError(
                f"{path} cannot be read ({fault.strerror}): give this user the right to read it"
            ) from None

    def entries(self, kind: str) -> list[Entry]:
        """The ``[[kind]]`` tables in their order."""
        found = self.top.values.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self.top.fault(kind, f"write each as [[{kind}]] on a line of its own")
        return [Entry(self, values, kind, index) for index, values in enumerate(found)]

    def line_of(self, kind: str, index: int) -> int:
        """The line of the n-th table of a kind."""
        return self._table(kind, index) + 1

    def place(self, kind: str, index: int, key: str, item: str = "") -> str:
        """``line:column`` of a key in the n-th table of a kind, or of the table where it has none.

        ``item`` is a text that stands in the key's value: its place, where it is found.
        """
        start = self._table(kind, index)
        named = re.compile(rf"\s*([\"']?{re.escape(key)}[\"']?)\s*[=.]")
        header = re.compile(rf"\s*(\[\[?\s*{re.escape(key)}\s*\]\]?)")
        below = re.compile(rf"\s*(\[\s*{re.escape(kind)}\s*\.\s*{re.escape(key)}\s*\])")
        own = True
        for number in range(start, len(self._lines)):
            line = self._lines[number]
            # Below the header of a table in it no key is its own.
            own = own and not (number > start and kind and re.match(r"\s*\[", line))
            match = (named.match(line) if own else None) or (below if kind else header).match(line)
            if match:
                return self._within(number, match.start(1), item)
            if number > start and kind and re.match(r"\s*\[\[", line):
                break
        return f"{start + 1}:1"

    def place_inside(self, kind: str, index: int, outer: str, key: str) -> str:
        """``line:column`` of a key of a table in the n-th table of a kind, however that is written:
        ``outer = { key = ... }`` or ``[kind.outer]`` with lines of its own.
        """
        start = self._table(kind, index)
        named = re.compile(rf"([\"']?{re.escape(key)}[\"']?)\s*=")
        header = re.compile(rf"\s*\[\s*{re.escape(kind)}\s*\.\s*{re.escape(outer)}\s*\]")
        begun = re.compile(rf"\s*{re.escape(outer)}\s*[=.]")
        inside = False
        for number in range(start, len(self._lines)):
            line = self._lines[number]
            if number > start and re.match(rf"\s*\[(?!\s*{re.escape(kind)}\s*\.)", line):
                break
            if header.match(line):
                inside = True
                continue
            after = begun.match(line)
            if (inside or after) and (found := named.search(line, after.end() if after else 0)):
                return f"{number + 1}:{found.start(1) + 1}"
        return self.place(kind, index, outer)

    def _within(self, number: int, column: int, item: str) -> str:
        """The place of an item from a key on, up to the next table; else that of the key."""
        at = column
        for later in range(number, len(self._lines)) if item else ():
            line = self._lines[later]
            if later > number and re.match(r"\s*\[[^\]\"']*\]\]?\s*(#.*)?$", line):
                break
            found = line.find(item, at)
            if found >= 0:
                quoted = found > 0 and line[found - 1] in "\"'"
                return f"{later + 1}:{found + 1 - quoted}"
            at = 0
        return f"{number + 1}:{column + 1}"

    def _table(self, kind: str, index: int) -> int:
        header = re.compile(rf"\s*\[\[\s*{re.escape(kind)}\s*\]\]")
        found = [n for n, line in enumerate(self._lines) if kind and header.match(line)]
        return found[index] if index < len(found) else 0

    def _toml_fault(self, fault: tomllib.TOMLDecodeError) -> str:
        """Line, column and what is wrong there, from the parser's English."""
        said = str(fault)
        match = re.search(r"\(at line (\d+), column (\d+)\)", said)
        if match:
            return f"{match[1]}:{match[2]}: {said[: match.start()].strip().lower()}"
        last = self._lines[-1] if self._lines else ""
        what = said.partition("(")[0].strip().lower()
        return f"{len(self._lines) or 1}:{len(last) + 1}: {what} at the end of the file"


class Entry:
    """The top of a file or one of its tables; what it gives is checked."""

    def __init__(
        self, file: TomlFile, values: Mapping[str, Any], kind: str, index: int, outer: str = ""
    ) -> None:
        self.values = values
        self._outer = outer
        self._file = file
        self._kind = kind
        self._index = index

    @property
    def line(self) -> int:
        """The line on which the table begins."""
        return self._file.line_of(self._kind, self._index)

    def table(self, key: str) -> Entry | None:
        """A table in this one, ``key = { ... }`` or ``[kind.key]``; None where there is none."""
        found = self.values.get(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self.fault(key, f"{key} is a table: write {key} = {{ ... }}, found {found!r}")
        return self.inner(key, found)

    def inner(self, key: str, values: Mapping[str, Any]) -> Entry:
        """Values of a table that stands in this one under a key, also in a list of such."""
        return Entry(self._file, values, self._kind, self._index, self._outer or key)

    def fault(self, key: str, sentence: str, item: str = "") -> SettingsError:
        """A complaint about a key of this entry, or about an item of its value."""
        if self._outer:
            place = self._file.place_inside(self._kind, self._index, self._outer, key)
        else:
            place = self._file.place(self._kind, self._index, key, item)
        return SettingsError(f"{self._file.path}:{place}: {sentence}")

    def line_of(self, key: str, item: str) -> int:
        """The line on which an item of a key's value stands."""
        return int(self._file.place(self._kind, self._index, key, item).partition(":")[0])

    def allow(self, known: Collection[str], hints: Mapping[str, str] | None = None) -> None:
        """Refuse every other key; ``hints`` say where such a key belongs."""
        for key in self.values:
            if key in known:
                continue
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
            hint = (hints or {}).get(key, hint)
            raise self.fault(key, f"there is no setting {key!r} here: {hint}")

    def text(self, key: str, default: str = "") -> str:
        """A text in quotes."""
        found = self.values.get(key, default)
        if not isinstance(found, str):
            raise self.fault(key, f"{key} must be a text in quotes, found {found!r}")
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        found = self.values.get(key, default)
        if not isinstance(found, bool):
            raise self.fault(key, f"{key} must be true or false, found {found!r}")
        return found

    def words(self, key: str) -> tuple[str, ...]:
        """One text, or a list of them."""
        found = self.values.get(key, [])
        if isinstance(found, str):
            return (found,)
        return self.texts(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self.fault(key, f'{key} must be a list of texts like ["a", "b"], found {found!r}')
        return tuple(found)
