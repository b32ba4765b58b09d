"""The model that this desk has learned, as it is kept: read once for each version of it."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict

from workflow.model import rfc3339
from workflow.store.store import Transaction
from workflow.store.tables import Learned
from workflow.store.triage_rows import LEARNED, LEARNED_COUNTS, learned_facts, learned_table
from workflow.triage.learning import Model

__all__ = ["keep", "model_of"]

_MOST = 4
_models: OrderedDict[str, Model] = OrderedDict()
"""By their digest, which tells them apart whatever desk they are of."""
_lock = threading.Lock()


def model_of(connection: sqlite3.Connection) -> Model | None:
    """The model that holds; None where nothing was learned yet."""
    kept = learned_facts(connection)
    if kept is None:
        return None
    _made_at, examples, facts = kept
    digest = str(facts["digest"])
    with _lock:
        if digest not in _models:
            table = learned_table(connection)
            if table is None:
                return None
            _models[digest] = Model.from_json(facts, table, examples)
            while len(_models) > _MOST:
                _models.popitem(last=False)
        _models.move_to_end(digest)
        return _models[digest]


def keep(transaction: Transaction, model: Model, basis: tuple[int, int]) -> None:
    """Write a model in place of the one before; ``basis`` is how many tickets there were to learn
    from, and how many of their topics a person had set.
    """
    facts = {**model.facts(), "basis": list(basis), "made_at": rfc3339(transaction.now)}
    for name, data in ((LEARNED, facts), (LEARNED_COUNTS, model.table())):
        row = transaction.session.get(Learned, name) or Learned(name=name, made_at=transaction.now)
        row.made_at, row.examples, row.data = transaction.now, model.examples, data
        transaction.session.add(row)
