"""Search inside the program beside notmuch's own library, and what is found of the words that were
planted.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus import PLANTED, Corpus, Truth, Word
from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT, NotmuchMail
from benchmarks.importing import Imports
from benchmarks.process import run
from workflow.query.context import Context
from workflow.store.reads import Reads
from workflow.store.search import Found, search

__all__ = ["Query", "Recall", "SearchTimes", "find_planted", "time_searches"]

_PAGE = 50
_WARM_UP = 1
_IN_A_ROW = 5
"""So many rounds of one program before the other's turn: the processor's caches are its own."""
_SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True, slots=True)
class Query:
    """A query that all programs understand. ``common``: at least one message in a hundred has it."""

    name: str
    text: str
    common: bool


QUERIES = (
    Query("common word", "refund", True),
    Query("two words", "refund parcel", True),
    Query("phrase", '"wrong invoice"', True),
    Query("1 % word", "flywheelnut", True),
    Query("rare word", "zirconquokka", False),
    Query("no hit", "qqqqnothere", False),
)


@dataclass(frozen=True, slots=True)
class SearchTimes:
    """Milliseconds of one query.

    ``newest`` gives what notmuch gives, the columns of a list; ``whole`` has also the words around
    each match and the number of all. ``best`` is ranked, which notmuch does not do.
    """

    query: Query
    hits: int
    newest: Spread
    whole: Spread
    best: Spread
    notmuch_hits: int | None
    notmuch: Spread | None


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the messages that have a word each program finds; None: not installed."""

    word: Word
    truth: int
    deskhand: int
    notmuch: int | None
    mu: int | None


class _Notmuch:
    """The other process."""

    def __init__(self, mail: NotmuchMail) -> None:
        script = Path(__file__).with_name("notmuch_search.py")
        self._process = subprocess.Popen(
            [_SYSTEM_PYTHON, script, mail.mail, mail.config],
            env={**os.environ, **mail.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.ready = bool(self._process.stdout.readline())

    def ask(self, query: str) -> tuple[float, int]:
        """Milliseconds for the newest 50, and how many there are."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(query) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["page_ms"], answer["hits"]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def time_searches(imports: Imports, runs: int) -> list[SearchTimes]:
    """Each query ``runs`` times with each program, in turn."""
    reads = Reads(imports.home / "deskhand.db")
    context = Context(AGENT, datetime.now(UTC))
    other = _Notmuch(imports.notmuch) if imports.notmuch else None
    if other is not None and not other.ready:
        other.close()
        other = None
    try:
        return [_time(reads, context, other, query, runs) for query in QUERIES]
    finally:
        if other is not None:
            other.close()
        reads.close()


def _time(
    reads: Reads, context: Context, other: _Notmuch | None, query: Query, runs: int
) -> SearchTimes:
    newest: list[float] = []
    whole: list[float] = []
    best: list[float] = []
    theirs: list[float] = []
    their_hits = 0

    def list_newest() -> Found:
        return search(reads, query.text, context, _PAGE, order="newest")

    def show_newest() -> None:
        found = list_newest()
        for hit in found.hits:
            _ = hit.excerpt
        _ = found.total

    def list_best() -> Found:
        return search(reads, query.text, context, _PAGE, order="best")

    for _ in range(0, runs, _IN_A_ROW):
        for job, times in ((list_newest, newest), (show_newest, whole), (list_best, best)):
            times.extend(_clocked(job))
        if other is not None:
            asked = [other.ask(query.text) for _ in range(_WARM_UP + _IN_A_ROW)]
            theirs.extend(took for took, _ in asked[_WARM_UP:])
            their_hits = asked[-1][1]
    hits = list_newest().total
    return SearchTimes(
        query,
        hits,
        spread(newest),
        spread(whole),
        spread(best),
        their_hits if other is not None else None,
        spread(theirs) if theirs else None,
    )


def _clocked(job: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(_WARM_UP + _IN_A_ROW):
        started = time.perf_counter()
        job()
        times.append((time.perf_counter() - started) * 1e3)
    return times[_WARM_UP:]


def find_planted(imports: Imports, corpus: Corpus, say: Callable[[str], None]) -> list[Recall]:
    """Look for every planted word with every program, and compare with what the mail says."""
    say(f"reading what {corpus.size} messages say (once)")
    truth = corpus.truth()
    reads = Reads(imports.home / "deskhand.db")
    words = [*PLANTED, Word("order", corpus.order_number())]
    try:
        return [_recall(reads, imports, corpus, truth, word) for word in words]
    finally:
        reads.close()


def _recall(reads: Reads, imports: Imports, corpus: Corpus, truth: Truth, word: Word) -> Recall:
    wanted = truth.words[word.text]
    context = Context(AGENT, datetime.now(UTC))
    found = search(reads, word.text, context, limit=corpus.size, order="newest")
    numbers = {hit.message for hit in found.hits}
    ours = {
        truth.copies[sha256]
        for number, sha256 in reads.fetch("SELECT id, raw_sha256 FROM message")
        if number in numbers
    }
    notmuch = mu = None
    if imports.notmuch is not None:
        command = ["notmuch", "search", "--output=files", word.text]
        notmuch = len(wanted & _files(run(command, env=imports.notmuch.env).output))
    if imports.mu is not None:
        command = ["mu", "find", f"--muhome={imports.mu}", "--fields=l", word.text]
        mu = len(wanted & _files(run(command).output))
    return Recall(word, len(wanted), len(wanted & ours), notmuch, mu)


def _files(lines: str) -> set[str]:
    return {line.rpartition("/")[2] for line in lines.splitlines()}
