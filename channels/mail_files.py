"""Mail that lies in files: finding it in Maildir, mbox and folders of .eml, and reading a batch of it.

Without the desk and its database, so that a parsing process starts quickly and stays small.
"""

from __future__ import annotations

import heapq
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from channels.email.inbound import read_mail
from workflow.errors import UsageError
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.settings import Settings

__all__ = ["BATCH", "Fault", "Job", "Piece", "batches", "find_mail", "parse"]

BATCH = 500
"""The most mails of one batch, which is one transaction."""

_BATCH_BYTES = 32_000_000
_SEPARATOR = re.compile(rb"(?:\A|\r?\n\r?\n)(From [^\r\n]*\r?\n)")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """One mail in a file: the whole file, or (mbox) a range of its bytes."""

    path: str
    start: int = 0
    end: int = -1


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that could not be read at all, and why in a sentence."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Job:
    """What a parsing process is given: plain values that travel."""

    pieces: tuple[Piece, ...]
    files_root: Path
    settings: Settings
    now: datetime


def find_mail(paths: Iterable[Path]) -> Iterator[Piece]:
    """The mails under paths, in the order of their names.

    Raises UsageError for a path that is not there.
    """
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        elif path.is_file():
            yield from _in_file(path)
        else:
            raise UsageError(
                f"{path} is not there: give a Maildir, an mbox, a folder of .eml or a file"
            )


def _in_folder(folder: Path) -> Iterator[Piece]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as fault:
        raise UsageError(
            f"{folder} cannot be read ({fault.strerror}): give this user the right to"
        ) from None
    maildir = any(entry.name == "cur" and entry.is_dir() for entry in entries)
    if maildir:
        # Only names are kept, not entries: a Maildir may have a million of them.
        subs = [folder / name for name in ("cur", "new") if (folder / name).is_dir()]
        listed = [_named(sorted(os.listdir(sub)), sub) for sub in subs]
        for _name, path in heapq.merge(*listed):
            if os.path.isfile(path):
                yield Piece(path)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not (maildir and entry.name in ("cur", "new", "tmp")):
                yield from _in_folder(Path(entry.path))
        elif not maildir and entry.is_file() and not entry.name.startswith("."):
            yield from _in_file(Path(entry.path))


def _named(names: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    for name in names:
        yield name, f"{folder}/{name}"


def _in_file(path: Path) -> Iterator[Piece]:
    """A file with ``From `` first is an mbox, unless its name says that it is one mail."""
    if path.suffix.lower() in (".eml", ".msg", ".txt") or not _is_mbox(path):
        yield Piece(str(path))
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start: int | None = None
        for match in _SEPARATOR.finditer(data):
            if start is not None:
                yield Piece(str(path), start, match.start() + 1)
            start = match.end()
        if start is not None:
            yield Piece(str(path), start, len(data))


def _is_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError:
        return False


def _read(piece: Piece) -> bytes:
    with open(piece.path, "rb") as file:
        if piece.end < 0:
            return file.read()
        file.seek(piece.start)
        return _QUOTED_FROM.sub(rb"\1", file.read(piece.end - piece.start))


def parse(job: Job) -> list[Inbound | Fault]:
    """Read and parse a batch and store its files; runs in a process of its own."""
    files = FileStore(job.files_root)
    parsed: list[Inbound | Fault] = []
    with files.batch():
        for piece in job.pieces:
            try:
                raw = _read(piece)
            except OSError as fault:
                parsed.append(Fault(piece.path, f"{piece.path} cannot be read: {fault.strerror}"))
                continue
            item = read_mail(
                raw,
                files=files,
                channel=None,
                settings=job.settings,
                source=Source(None),
                now=job.now,
            )
            parsed.append(replace(item, before_cutoff=True))
    return parsed


def batches(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, ...]]:
    """The mails in batches, bounded in number and in bytes."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += piece.end - piece.start if piece.end >= 0 else _file_size(piece.path)
        if len(batch) >= BATCH or size >= _BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
