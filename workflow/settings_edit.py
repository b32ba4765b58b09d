"""Writing into deskhand.toml: what is there stays as it is, comments and order included.

The whole new text is read and checked before the file changes, which it does at once or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow.errors import SettingsError, StoreError
from workflow.settings import FILE, Settings

__all__ = ["SettingsEdit"]

_HEAD = "# Who works at this desk and how customers reach it. docs/email.md has every setting."


class SettingsEdit:
    """deskhand.toml of a home on its way to a new text. Nothing is written before :meth:`save`."""

    def __init__(self, home: Path) -> None:
        import tomlkit

        self.path = home / FILE
        try:
            text = self.path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as fault:
            raise SettingsError(f"{self.path} cannot be read ({fault})") from fault
        self.is_new = not text.strip()
        if text:
            # Complains with the line, where tomlkit would not.
            self._read(text)
        self._document = tomlkit.parse(text)
        if self.is_new:
            self._document.add(tomlkit.comment(_HEAD.removeprefix("# ")))

    def add(self, kind: str, entry: Mapping[str, Any]) -> None:
        """Add an ``[[agent]]``, ``[[group]]`` or ``[[channel]]``. Values that are tables are
        written on one line.
        """
        import tomlkit

        table = tomlkit.table()
        for key, value in entry.items():
            table.add(key, _value(value))
        table.add(tomlkit.nl())
        found = self._document.get(kind)
        if found is None:
            self._blank_line(self._document, tomlkit.dumps(self._document))
            found = tomlkit.aot()
            found.append(table)
            self._document.append(kind, found)
        else:
            if len(found):
                self._blank_line(found[-1], found[-1].as_string())
            found.append(table)

    def replace(self, kind: str, name: str, entry: Mapping[str, Any]) -> None:
        """Give the entry of a name the values of another, and keep its place, its comments and
        what the new one does not speak of.
        """
        table = next(one for one in self._document[kind] if one.get("name") == name)
        for key, value in entry.items():
            table[key] = _value(value)

    def text(self) -> str:
        """The new text."""
        import tomlkit

        return tomlkit.dumps(self._document).rstrip("\n") + "\n"

    def check(self) -> Settings:
        """What the new text says; raises SettingsError where it does not fit."""
        return self._read(self.text())

    def save(self) -> None:
        """Write it: checked, then the whole file at once, readable by this user only if it is new.

        Raises SettingsError and StoreError.
        """
        self.check()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mode = self.path.stat().st_mode & 0o777 if self.path.exists() else 0o600
            # Beside the file a link points to, so that a link stays one.
            target = self.path.resolve()
            number, draft = tempfile.mkstemp(prefix=".deskhand-", dir=target.parent)
            try:
                with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                    file.write(self.text())
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(draft, mode)
                os.replace(draft, target)
            except BaseException:
                os.unlink(draft)
                raise
        except OSError as fault:
            raise StoreError(
                f"{self.path} cannot be written ({fault.strerror}): nothing was changed"
            ) from fault

    def _read(self, text: str) -> Settings:
        from workflow.settings_file import read_settings

        return read_settings(self.path, text)

    def _blank_line(self, block: Any, text: str) -> None:
        """End what is there with a blank line."""
        import tomlkit

        for end in ("\n", "\n\n"):
            if text and not text.endswith(end):
                block.add(tomlkit.nl())
                text += "\n"


def _value(value: object) -> Any:
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table.append(key, _value(inner))
        return table
    if isinstance(value, Sequence) and not isinstance(value, str):
        array = tomlkit.array()
        array.extend(list(value))
        return array
    return value
