"""Counting a view reads an index and no row: SQLite takes the index that was made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.clock import ManualClock
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.store.migrate import ensure_schema
from workflow.store.reads import Reads
from workflow.views import view


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("Mine", "ix_ticket_queue_assignee"),
        ("Unassigned", "ix_ticket_queue_assignee"),
        ("At risk", "ix_ticket_queue_open"),
        ("Escalated", "ix_ticket_escalated"),
        ("Waiting", "ix_ticket_queue_status"),
        # Not its order, but it has the columns that are asked for and no others.
        ("Snoozed", "ix_ticket_queue"),
    ],
)
def test_the_count_of_a_view_uses_its_index(
    tmp_path: Path, clock: ManualClock, name: str, index: str
) -> None:
    ensure_schema(tmp_path / "desk.db")
    reads = Reads(tmp_path / "desk.db")
    made = compile_sql(parse(view(name).query), Context("ana", clock.now()))
    plan = reads.fetch(
        f"EXPLAIN QUERY PLAN SELECT count(*) FROM ticket WHERE {made.where}", made.params
    )
    reads.close()
    assert index in plan[0][3].replace("COVERING ", "").split()
