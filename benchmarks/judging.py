"""Measurements as rows of the table, each with its goal. The goals are ratios of one run, and hold
for its largest size.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Spread, ratio, size_word
from benchmarks.importing import Imported
from benchmarks.process import Ran
from benchmarks.queues import ViewTimes
from benchmarks.remaking import Remade
from benchmarks.rules import Ruled
from benchmarks.screens import ScreenTimes
from benchmarks.searching import Recall, SearchTimes
from benchmarks.table import Row
from benchmarks.working_time import Rate

__all__ = [
    "arrival_rows",
    "import_rows",
    "queue_rows",
    "recall_rows",
    "remaking_rows",
    "rule_rows",
    "screen_rows",
    "search_rows",
    "triage_rows",
    "working_time_rows",
]

IMPORT_RATE = 2.0
"""At least so many times the messages a second of ``notmuch new``."""

IMPORT_MEMORY = 1.3
"""At most so many times the memory at a tenth of the messages: flat."""

_MANY = 100_000

SEARCH = 0.1
VIEW_MS = 5.0
START = 1.6
ARRIVAL_MS = 1000.0
TRIAGE_MS = 1.5
WORKING_TIME_RATE = 100_000
REMAKING_S = 10.0
RULE_RATE = 100_000
SORTING_MS = 5.0
KEY = 1.5


@dataclass(frozen=True, slots=True)
class _Verdict:
    goal: str = ""
    measured: str = ""
    met: bool | None = None


_NO_GOAL = _Verdict()


def import_rows(
    size: int, found: Sequence[Imported], smaller: Sequence[Imported], *, judged: bool
) -> list[Row]:
    """Rate and memory; ``smaller`` are the imports of a tenth of the messages, if there were any."""
    rates = {each.program: size / _median(each, "wall_s") for each in found}
    cpu = {each.program: size / _median(each, "cpu_s") for each in found}
    memory = {each.program: _median(each, "tree_peak_mib") for each in found}
    rate_goal = memory_goal = _NO_GOAL
    if judged:
        by = ratio(rates.get("deskhand"), rates.get("notmuch"))
        rate_goal = _judge("at least 2 x notmuch", by, by is not None and by >= IMPORT_RATE)
        before = {each.program: _median(each, "tree_peak_mib") for each in smaller}
        by = ratio(memory.get("deskhand"), before.get("deskhand"))
        if size < _MANY:  # below, it is the parsing processes that come with more mail
            by = None
        memory_goal = _judge(
            f"at most 1.3 x at {size_word(size // 10)}", by, by is not None and by <= IMPORT_MEMORY
        )
    return [
        _row("import, messages/s", size, rates, "{:.0f}", rate_goal),
        _row("import, messages per CPU second", size, cpu, "{:.0f}", _NO_GOAL),
        _row("import, peak memory of all processes, MiB", size, memory, "{:.0f}", memory_goal),
    ]


def search_rows(size: int, found: Sequence[SearchTimes], *, judged: bool) -> list[Row]:
    """The newest 50 beside notmuch, and the best 50, which notmuch does not have."""
    rows = []
    for each in found:
        spreads = {"deskhand": each.newest}
        if each.notmuch is not None:
            spreads["notmuch"] = each.notmuch
        verdict = _NO_GOAL
        if judged and each.query.common:
            by = ratio(each.newest.p95, each.notmuch.p95 if each.notmuch else None)
            verdict = _judge("p95 at most 0.1 x notmuch", by, by is not None and by <= SEARCH)
        what = f"search, newest 50: {each.query.name} ({each.hits} hits), ms"
        rows.append(_spread_row(what, size, spreads, verdict))
    for each in found:
        what = (
            f"search, newest 50 with the words around each and their count: {each.query.name}, ms"
        )
        rows.append(_spread_row(what, size, {"deskhand": each.whole}, _NO_GOAL))
    for each in found:
        what = f"search, best 50: {each.query.name}, ms"
        rows.append(_spread_row(what, size, {"deskhand": each.best}, _NO_GOAL))
    return rows


def recall_rows(size: int, found: Sequence[Recall]) -> list[Row]:
    """Found of those there are."""
    rows = []
    for each in found:
        counts = {"deskhand": each.deskhand, "notmuch": each.notmuch, "mu": each.mu}
        rows.append(
            Row(
                f"found: {each.word.text} ({each.word.language})",
                size,
                {
                    name: f"{count} of {each.truth}"
                    for name, count in counts.items()
                    if count is not None
                },
                "all",
                f"{each.deskhand} of {each.truth}",
                each.deskhand == each.truth if each.truth else None,
                {name: float(count) for name, count in counts.items() if count is not None},
            )
        )
    return rows


def queue_rows(size: int, found: Sequence[ViewTimes], *, judged: bool) -> list[Row]:
    """Every view at the largest size; the slowest one at the others."""
    if not found:
        return []
    slowest = max(found, key=lambda each: each.page.p95)
    longest = max(found, key=lambda each: each.count.p95)
    rows = []
    for each in found if judged else [slowest]:
        verdict = _NO_GOAL
        if judged:
            verdict = _Verdict("p95 under 5 ms", f"{each.page.p95:.2f} ms", each.page.p95 < VIEW_MS)
        what = f"first 50 of {each.view}, {each.work.value} ({each.tickets} tickets), ms"
        if not judged:
            what = f"first 50 of the slowest view ({each.view}, {each.work.value}), ms"
        rows.append(_spread_row(what, size, {"deskhand": each.page}, verdict))
    what = f"count of the slowest view ({longest.view}, {longest.work.value}), ms"
    rows.append(_spread_row(what, size, {"deskhand": longest.count}, _NO_GOAL))
    return rows


def screen_rows(size: int, found: Sequence[ScreenTimes], *, judged: bool) -> list[Row]:
    """Start, keys and memory."""
    starts = {each.program: each.start_ms for each in found if each.start_ms is not None}
    keys = {each.program: each.key for each in found if each.key is not None}
    memory = {each.program: each.memory_mib for each in found if each.memory_mib is not None}
    start_goal = key_goal = _NO_GOAL
    if judged:
        by = ratio(starts.get("deskhand"), starts.get("bare list"))
        start_goal = _judge("at most 1.6 x the bare list", by, by is not None and by <= START)
        ours, bare = keys.get("deskhand"), keys.get("bare list")
        by = ratio(ours.p95 if ours else None, bare.p95 if bare else None)
        key_goal = _judge("p95 at most 1.5 x the bare list", by, by is not None and by <= KEY)
    return [
        _row("start to first row on the screen, ms", size, starts, "{:.0f}", start_goal),
        _spread_row("key to paint, ms", size, keys, key_goal),
        _row("memory with the list on the screen, MiB", size, memory, "{:.0f}", _NO_GOAL),
    ]


def arrival_rows(size: int, found: Spread) -> list[Row]:
    """From the hand-out of an update to its row on the screen; the goal holds for the 95th percentile."""
    verdict = _Verdict("p95 within 1 s", f"{found.p95:.0f} ms", found.p95 <= ARRIVAL_MS)
    what = "Telegram's update to the row on the screen, ms"
    return [_spread_row(what, size, {"deskhand": found}, verdict)]


def working_time_rows(found: Sequence[Rate]) -> list[Row]:
    """Computations a second: due times, and spans between two moments."""
    return [
        _row(
            f"working time, {each.what}, computations/s",
            each.count,
            {"deskhand": each.per_s},
            "{:.0f}",
            _Verdict(
                "at least 100000",
                f"{each.per_s:.0f}",
                each.per_s >= WORKING_TIME_RATE,
            ),
        )
        for each in found
    ]


def remaking_rows(found: Remade) -> list[Row]:
    """Seconds for all open tickets, and what others waited meanwhile."""
    seconds = found.seconds
    goal = _Verdict("under 10 s", f"{seconds:.1f} s", seconds < REMAKING_S)
    what = "promises edited: clocks made anew"
    waits = (
        ("meanwhile a page of the queue, ms", found.page),
        ("meanwhile a change by a person, ms", found.change),
        ("meanwhile an event loop is late by, ms", found.stall),
    )
    return [
        _row(f"{what}, s", found.tickets, {"deskhand": seconds}, "{:.1f}", goal),
        *(
            _spread_row(f"{what}: {word}", found.tickets, {"deskhand": spread}, _NO_GOAL)
            for word, spread in waits
        ),
    ]


def rule_rows(found: Ruled) -> list[Row]:
    """Rows of a table asked a second, and what triage and routing of a message take."""
    rate, took = found.rows_per_s, found.message
    asked = _Verdict("at least 100000", f"{rate:.0f}", rate >= RULE_RATE)
    sorting = _Verdict("p95 under 5 ms", f"{took.p95:.2f} ms", took.p95 < SORTING_MS)
    return [
        _row("rows of a decision table, evaluations/s", 100, {"deskhand": rate}, "{:.0f}", asked),
        _spread_row(
            "triage and routing of a message, ms",
            found.tickets_open,
            {"deskhand": took},
            sorting,
        ),
        _spread_row(
            "triage and routing of a message, ms of the processor",
            found.tickets_open,
            {"deskhand": found.cpu},
            _NO_GOAL,
        ),
    ]


def triage_rows(took: Spread) -> list[Row]:
    """What looking at a long mail takes."""
    goal = _Verdict("p50 under 1.5 ms", f"{took.p50:.2f} ms", took.p50 < TRIAGE_MS)
    return [_spread_row("triage of a mail of 500 words, ms", 1, {"deskhand": took}, goal)]


def _median(imported: Imported, name: str) -> float:
    return statistics.median(_cost(ran, name) for ran in imported.runs)


def _cost(ran: Ran, name: str) -> float:
    return {"wall_s": ran.wall_s, "cpu_s": ran.cpu_s, "tree_peak_mib": ran.tree_peak_mib}[name]


def _judge(goal: str, by: float | None, met: bool) -> _Verdict:
    if by is None:
        return _Verdict(goal)
    return _Verdict(goal, f"{by:.2f} x", met)


def _row(what: str, size: int, values: dict[str, float], form: str, verdict: _Verdict) -> Row:
    figures = {name: form.format(value) for name, value in values.items()}
    return Row(what, size, figures, verdict.goal, verdict.measured, verdict.met, dict(values))


def _spread_row(what: str, size: int, spreads: dict[str, Spread], verdict: _Verdict) -> Row:
    figures = {name: f"{each.p50:.2f} / {each.p95:.2f}" for name, each in spreads.items()}
    numbers = {f"{name} p50": each.p50 for name, each in spreads.items()}
    numbers |= {f"{name} p95": each.p95 for name, each in spreads.items()}
    return Row(
        f"{what} p50 / p95", size, figures, verdict.goal, verdict.measured, verdict.met, numbers
    )
