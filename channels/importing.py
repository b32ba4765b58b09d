"""Old mail from Maildir, mbox and folders of .eml, years of it, at the speed of the disk and in
flat memory.

Processes of their own read and parse, this one writes; a window bounds what lies between them. Each
file counts once, every batch is one transaction, and what is already here is recognised, so an
import that was stopped is simply started again.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from channels.mail_files import BATCH, Fault, Job, Piece, batches, find_mail, parse
from workflow.desk import Desk
from workflow.errors import StoreError
from workflow.inbound import Inbound
from workflow.model import Intake

__all__ = ["ImportReport", "import_mail"]

_AHEAD = 2
"""Batches that may be ready or under way beside those being parsed: what bounds the memory."""
_WORTH_A_PROCESS = 1000
_MOST_PARSERS = 4
"""One writer keeps up with about as many."""


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
    found = batches(find_mail(paths))
    first: list[tuple[Piece, ...]] = []
    for batch in found:
        first.append(batch)
        if len(first) * BATCH > _WORTH_A_PROCESS:
            break
    executor: Executor
    if len(first) * BATCH > _WORTH_A_PROCESS:
        # Spawned, not forked: this process has threads, and the children need no screen.
        parsers = max(1, min(_MOST_PARSERS, _processors()))
        executor = ProcessPoolExecutor(parsers, multiprocessing.get_context("spawn"))
    else:
        parsers, executor = 1, ThreadPoolExecutor(1)
    waiting: deque[Future[list[Inbound | Fault]]] = deque()

    def submit(batch: tuple[Piece, ...]) -> None:
        job = Job(batch, desk.files.root, desk.settings, desk.clock.now())
        waiting.append(executor.submit(parse, job))

    with executor:
        try:
            for batch in _chain(first, found):
                submit(batch)
                if len(waiting) >= parsers + _AHEAD:
                    _store(desk, waiting.popleft().result(), since, until, report)
                    report.seconds = time.monotonic() - started
                    if on_progress:
                        on_progress(report)
            while waiting:
                _store(desk, waiting.popleft().result(), since, until, report)
        except BrokenExecutor:
            raise StoreError(
                "a process that reads mail was ended from outside (out of memory?): start the import"
                " again; what was taken in stays"
            ) from None
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    report.seconds = time.monotonic() - started
    return report


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _chain(
    first: list[tuple[Piece, ...]], rest: Iterator[tuple[Piece, ...]]
) -> Iterator[tuple[Piece, ...]]:
    yield from first
    yield from rest


def _store(
    desk: Desk,
    parsed: list[Inbound | Fault],
    since: datetime | None,
    until: datetime | None,
    report: ImportReport,
) -> None:
    items: list[Inbound] = []
    for entry in parsed:
        report.files += 1
        if isinstance(entry, Fault):
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
