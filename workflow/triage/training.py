"""Learning topics from this desk's resolved tickets, in the background."""

from __future__ import annotations

import time

from workflow.desk import Desk
from workflow.model import from_millis
from workflow.store.reads import Reads
from workflow.store.triage_rows import LearnableRow, learnable, learnable_count, learned_facts
from workflow.triage.judge import judge
from workflow.triage.language import library
from workflow.triage.learned import keep
from workflow.triage.learning import LEAST_TICKETS, Example, Model, features, learn
from workflow.triage.lexicon import closings
from workflow.triage.said import listen

__all__ = ["Learning", "retrain", "warm"]

_MOST_TICKETS = 2_000
"""The newest count: what a shop sold years ago says little."""

_MORE, _MORE_SHARE = 10, 0.1
"""So many more resolved tickets, and such a share more, are worth learning anew ..."""

_EVERY_S = 600.0

_CORRECTED = 5
"""... and so many more topics that a person has set."""


class Learning:
    """When a running engine looks again whether there is something to learn."""

    def __init__(self, desk: Desk, reads: Reads) -> None:
        self._desk = desk
        self._reads = reads
        self._looked: float | None = None

    def look(self) -> None:
        """Learn anew where that is worth it; does nothing if it has looked a while ago only. Raises
        StoreError.
        """
        now = time.monotonic()
        if self._looked is None:
            # A message of the first minutes need not wait for word lists and models to be read.
            warm()
        if self._looked is None or now - self._looked >= _EVERY_S:
            self._looked = now
            retrain(self._desk, self._reads)


def warm() -> None:
    """Read what triage needs, so that no message waits for it in its transaction."""
    library()
    judge("", "", from_millis(0))


def retrain(desk: Desk, reads: Reads) -> Model | None:
    """Learn anew where that is worth it; the new model, None where there is none.

    It reads beside the desk's work and writes in one short transaction. Raises StoreError.
    """
    basis = learnable_count(reads.connection)
    if not _worth_it(basis, learned_facts(reads.connection)):
        return None
    model = learn(_example(row) for row in learnable(reads.connection, _MOST_TICKETS))
    if model is None:
        return None
    with desk.store.write(desk.clock.now()) as transaction:
        keep(transaction, model, basis)
    return model


def _worth_it(basis: tuple[int, int], kept: tuple[int, int, dict[str, object]] | None) -> bool:
    count, corrected = basis
    if count < LEAST_TICKETS:
        return False
    if kept is None:
        return True
    before = kept[2].get("basis")
    if not isinstance(before, list) or len(before) != 2:
        return True
    more = max(_MORE, int(before[0]) * _MORE_SHARE)
    return count - int(before[0]) >= more or corrected - int(before[1]) >= _CORRECTED


def _example(row: LearnableRow) -> Example:
    said = listen(row.subject, row.text, closings("regards"), closings("thanks"))
    return Example(features(said), row.topic, 2 if row.by_person else 1)
