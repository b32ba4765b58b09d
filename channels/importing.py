"""Old mail from Maildir, mbox and folders of .eml, years of it, at the speed of the disk and in
flat memory.

Processes of their own read and parse, this one writes; a window bounds what lies between them. Each
file counts once, every batch is one transaction, and what is already here is recognised, so an
import that was stopped is simply started again.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from channels.email.inbound import read_mail
from workflow.desk import Desk
from workflow.errors import UsageError
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.model import Intake
from workflow.settings import Settings

__all__ = ["ImportReport", "find_mail", "import_mail"]

_BATCH = 500
_BATCH_BYTES = 32_000_000
_WINDOW = 3
_WORTH_A_PROCESS = 1000
_SEPARATOR = re.compile(rb"(?:\A|\r?\n\r?\n)(From [^\r\n]*\r?\n)")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """One mail in a file: the whole file, or (mbox) a range of its bytes."""

    path: str
    start: int = 0
    end: int = -1


@dataclass(slots=True)
class ImportReport:
    """What an import came to. ``failed`` could not be read at all.

    ``faults`` says why, a sentence each.
    """

    files: int = 0
    created: int = 0
    appended: int = 0
    duplicate: int = 0
    held: int = 0
    failed: int = 0
    outside: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Fault:
    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Job:
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
        found: list[tuple[str, str]] = []
        for name in ("cur", "new"):
            sub = folder / name
            if sub.is_dir():
                found.extend((e.name, e.path) for e in os.scandir(sub) if e.is_file())
        for _name, path in sorted(found):
            yield Piece(path)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not (maildir and entry.name in ("cur", "new", "tmp")):
                yield from _in_folder(Path(entry.path))
        elif not maildir and entry.is_file() and not entry.name.startswith("."):
            yield from _in_file(Path(entry.path))


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


def _parse(job: _Job) -> list[Inbound | _Fault]:
    """Read and parse a batch and store its files; runs in a process of its own."""
    files = FileStore(job.files_root)
    parsed: list[Inbound | _Fault] = []
    with files.batch():
        for piece in job.pieces:
            try:
                raw = _read(piece)
            except OSError as fault:
                parsed.append(_Fault(piece.path, f"{piece.path} cannot be read: {fault.strerror}"))
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


def _batches(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, ...]]:
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += piece.end - piece.start if piece.end >= 0 else _file_size(piece.path)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def import_mail(
    desk: Desk,
    paths: Iterable[Path],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    on_progress: Callable[[ImportReport], None] | None = None,
) -> ImportReport:
    """Import everything under ``paths``; when it returns, all of it is searchable.

    ``since`` and ``until`` bound the time at which a mail reached us. It can be stopped at any
    moment and started again. Raises UsageError, StoreError.
    """
    report = ImportReport()
    started = time.monotonic()
    batches = _batches(find_mail(paths))
    first: list[tuple[Piece, ...]] = []
    for batch in batches:
        first.append(batch)
        if len(first) * _BATCH > _WORTH_A_PROCESS:
            break
    executor: Executor
    if len(first) * _BATCH > _WORTH_A_PROCESS:
        # Spawned, not forked: this process has threads, and the children need no screen.
        executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    else:
        executor = ThreadPoolExecutor(1)
    waiting: deque[Future[list[Inbound | _Fault]]] = deque()

    def submit(batch: tuple[Piece, ...]) -> None:
        job = _Job(batch, desk.files.root, desk.settings, desk.clock.now())
        waiting.append(executor.submit(_parse, job))

    with executor:
        try:
            for batch in _chain(first, batches):
                submit(batch)
                if len(waiting) > _WINDOW:
                    _store(desk, waiting.popleft().result(), since, until, report)
                    report.seconds = time.monotonic() - started
                    if on_progress:
                        on_progress(report)
            while waiting:
                _store(desk, waiting.popleft().result(), since, until, report)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    report.seconds = time.monotonic() - started
    return report


def _chain(
    first: list[tuple[Piece, ...]], rest: Iterator[tuple[Piece, ...]]
) -> Iterator[tuple[Piece, ...]]:
    yield from first
    yield from rest


def _store(
    desk: Desk,
    parsed: list[Inbound | _Fault],
    since: datetime | None,
    until: datetime | None,
    report: ImportReport,
) -> None:
    items: list[Inbound] = []
    for entry in parsed:
        report.files += 1
        if isinstance(entry, _Fault):
            report.failed += 1
            report.faults.append(entry.sentence)
        elif (since and entry.reached_at < since) or (until and entry.reached_at >= until):
            report.outside += 1
        else:
            items.append(entry)
    for received in desk.receive(items) if items else ():
        if received.outcome is Intake.CREATED:
            report.created += 1
        elif received.outcome is Intake.APPENDED:
            report.appended += 1
        elif received.outcome is Intake.DUPLICATE:
            report.duplicate += 1
        else:
            report.held += 1
