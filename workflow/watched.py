"""A file that a team edits while the desk runs: the last good version goes on until it is mended."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from workflow.errors import SettingsError

__all__ = ["LAST_GOOD", "WatchedFile"]

T = TypeVar("T")

LAST_GOOD = ".last-good"
"""The folder of a home that keeps the versions at work: with a fault in a file, a desk that starts
goes on with what the desk before it had.
"""


class WatchedFile(Generic[T]):
    """What a file of a home says by now: an edit is picked up when it is next asked for.

    ``load`` reads it from the home it is given and raises SettingsError with a sentence; where
    there is no file it gives what such a desk has. A desk without a home has ``empty``. ``beside``
    names further files of the home that a version was read from: an edit of one of them counts too,
    as one of a watched file does that ``load`` ``uses``.
    Safe to use from several threads.
    """

    def __init__(
        self,
        home: Path | None,
        name: str,
        load: Callable[[Path], T],
        empty: T,
        beside: Callable[[T], Sequence[str]] = lambda _value: (),
        uses: Sequence[WatchedFile[Any]] = (),
    ) -> None:
        self.name = name
        self.keeps = True
        """Whether good versions are kept for a desk that starts with a fault; else nothing is
        written, and such a desk has what it has without the file."""
        self._home = home
        self._load = load
        self._beside = beside
        self._value = empty
        self._lock = threading.Lock()
        self._uses = uses
        self._stamps: tuple[object, ...] | None = None
        self._faulty: tuple[str, ...] = ()
        self._problem: str | None = None
        self._digest = ""

    @property
    def value(self) -> T:
        """The newest version that could be used."""
        with self._lock:
            self._look()
            return self._value

    @property
    def problem(self) -> str | None:
        """What is wrong with the file, as a sentence; None while it is used as it stands."""
        with self._lock:
            self._look()
            return self._problem

    @property
    def digest(self) -> str:
        """Tells versions apart by what stands in them; empty where there is no file."""
        with self._lock:
            self._look()
            return self._digest

    def _look(self) -> None:
        if self._home is None:
            return
        stamps = self._stamps_of(self._home)
        if stamps == self._stamps:
            return
        first = self._stamps is None
        try:
            self._take(self._home)
            self._problem, self._faulty = None, ()
            self._keep(self._home)
        except SettingsError as fault:
            # What the fault lies in is watched as well: it may be mended there.
            self._problem, self._faulty = str(fault), fault.beside
            if first and self.keeps:
                self._start_with_the_last_good(self._home)
        # What it reads beside may be others by now.
        self._stamps = self._stamps_of(self._home)

    def _take(self, home: Path) -> None:
        self._value = self._load(home)
        parts = [_bytes_of(home / name) for name in self._names]
        known = [part or b"" for part in parts] + [file.digest.encode() for file in self._uses]
        made = hashlib.sha256(b"\0".join(known)).hexdigest()[:16]
        self._digest = made if any(part is not None for part in parts) else ""

    def _start_with_the_last_good(self, home: Path) -> None:
        kept = home / LAST_GOOD
        if (kept / self.name).exists():
            # Written by an older deskhand it may be one that this one cannot use.
            with contextlib.suppress(SettingsError):
                self._take(kept)

    def _keep(self, home: Path) -> None:
        """Copy what is at work; a home that cannot be written does without."""
        if not self.keeps:
            return
        for name in self._names:
            source, copy = _bytes_of(home / name), home / LAST_GOOD / name
            with contextlib.suppress(OSError):
                if source is None:
                    copy.unlink(missing_ok=True)
                elif source != _bytes_of(copy):
                    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
                    fresh.write_bytes(source)
                    fresh.replace(copy)

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.name, *self._beside(self._value))

    def _stamps_of(self, home: Path) -> tuple[object, ...]:
        own = (_stamp(home / name) for name in (*self._names, *self._faulty))
        return (*own, *(file.digest for file in self._uses))


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
