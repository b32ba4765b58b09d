"""The queue's partial indexes are found by SQLite for the queries of the views: in order, without
sorting."""

from __future__ import annotations

import sqlite3

import pytest

from tests.workflow.query.desks import CONTEXT, add_ticket, empty_desk, insert
from workflow.errors import NotFound
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.views import BUILT_IN, View, view

ORDER = "ORDER BY due_rank, urgency_rank, waiting_rank, id LIMIT 50"


@pytest.fixture(scope="module")
def desk():
    connection = empty_desk()
    customer = insert(connection, "customer", name="", company="", tier="", created_at=0)
    add_ticket(connection, customer)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, text: str) -> str:
    made = compile_sql(parse(text), CONTEXT)
    rows = connection.execute(
        f"EXPLAIN QUERY PLAN SELECT ticket.id FROM ticket WHERE {made.where} {ORDER}", made.params
    )
    return "; ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("", "ix_ticket_queue"),
        ("is:unresolved", "ix_ticket_queue_open"),
        ("status:unresolved", "ix_ticket_queue_open"),
        ('status:"on hold",pending,new,open', "ix_ticket_queue_open"),
        ("assignee:me is:unresolved", "ix_ticket_queue_assignee"),
        ("assignee:none is:unresolved", "ix_ticket_queue_assignee"),
        ("is:unassigned status:unresolved", "ix_ticket_queue_assignee"),
        ("group=finance is:unresolved", "ix_ticket_queue_group"),
        ("status:pending", "ix_ticket_queue_status"),
        ("status:resolved", "ix_ticket_queue_status"),
        ("is:escalated status:open", "ix_ticket_queue_status"),
        ("is:unresolved -is:snoozed priority>=high", "ix_ticket_queue_open"),
    ],
)
def test_the_index_gives_the_order(desk, text, index):
    found = plan(desk, text)
    assert f"USING INDEX {index} " in f"{found} ".replace("COVERING ", "").replace("(", " ("), found
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize("each", BUILT_IN, ids=lambda each: each.name)
def test_no_view_reads_the_whole_table(desk, each):
    found = plan(desk, each.query)
    assert "INDEX ix_ticket_" in found, found


@pytest.mark.parametrize("name", ["Mine", "Unassigned", "Escalated", "All"])
def test_the_views_people_live_in_are_not_sorted(desk, name):
    assert "TEMP B-TREE" not in plan(desk, view(name).query)


def test_names_in_any_spelling_still_use_the_index(desk):
    assert "ix_ticket_queue_assignee" in plan(desk, "assignee:ben is:unresolved")


def test_views_are_found_in_any_case_and_an_unknown_one_lists_the_names():
    assert view("at RISK").name == "At risk"
    assert [each.name for each in BUILT_IN] == [
        "Mine",
        "Unassigned",
        "At risk",
        "Escalated",
        "Waiting",
        "Snoozed",
        "All",
    ]
    assert view("own", [View("Own", "tag:a")]).query == "tag:a"
    with pytest.raises(NotFound, match="no view 'mien': the views are Mine, Unassigned, At risk"):
        view("mien")
