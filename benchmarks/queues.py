"""The first fifty rows of every built-in view, and its count, at each size and in two spreads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT, copy_home
from benchmarks.tickets import Work, fill
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.store.reads import Reads
from workflow.views import BUILT_IN

__all__ = ["ViewTimes", "time_views", "worked_home"]

_PAGE = 50
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class ViewTimes:
    """Milliseconds of one view."""

    view: str
    work: Work
    tickets: int
    page: Spread
    count: Spread


def worked_home(home: Path, target: Path, tickets: int, work: Work) -> Path:
    """A copy of a home with so many tickets, spread over the states."""
    copy = copy_home(home, target)
    fill(copy / "deskhand.db", tickets, work, datetime.now(UTC))
    return copy


def time_views(home: Path, work: Work, runs: int, say: Callable[[str], None]) -> list[ViewTimes]:
    """Every view ``runs`` times: compiled, its first rows, its count."""
    reads = Reads(home / "deskhand.db")
    found = []
    try:
        for view in BUILT_IN:
            pages: list[float] = []
            counts: list[float] = []
            tickets = 0
            for number in range(runs + _WARM_UP):
                started = time.perf_counter()
                context = Context(AGENT, datetime.now(UTC))
                compiled = compile_sql(parse(view.query), context)
                reads.page(compiled, view.sort, _PAGE)
                paged = time.perf_counter()
                tickets = reads.count(compiled)
                counted = time.perf_counter()
                if number >= _WARM_UP:
                    pages.append((paged - started) * 1e3)
                    counts.append((counted - paged) * 1e3)
            found.append(ViewTimes(view.name, work, tickets, spread(pages), spread(counts)))
            say(
                f"view {view.name} ({work.value}): {tickets} tickets,"
                f" page {found[-1].page.p95:.2f} ms, count {found[-1].count.p95:.2f} ms"
            )
    finally:
        reads.close()
    return found
