"""Whatever is merged, taken out, split and undone, in whatever order: each message is on exactly one
ticket, nothing is lost, and what is stored is what the events say.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.workflow.bench import ANA, BEN, Bench
from tests.workflow.test_sla_properties import POLICY, _check_stored
from workflow.actions import (
    AddTags,
    Escalate,
    HandBack,
    Merge,
    Note,
    SetPriority,
    SetStatus,
    Split,
    Unmerge,
)
from workflow.clock import ManualClock
from workflow.errors import NotFound, Refusal, UsageError
from workflow.history import facts, first_priority
from workflow.ledger import ledger
from workflow.policy import Policies
from workflow.query.grammar import parse
from workflow.query.predicate import compile_predicate
from workflow.query.sql import Context, compile_sql
from workflow.sla import course, judge
from workflow.store.facts import load_facts
from workflow.timers import fire_due

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUERIES = (
    "", "is:merged", "status:any is:waiting", "has:draft", "has:note", "has:reply", "tag:x",
    "is:escalated", "from:otto@elsewhere.example", "text", "is:paused", "status:any -is:merged",
)  # fmt: skip

Move = Callable[[int, int, int], object]


def _moves(bench: Bench) -> list[Move]:
    def message(ticket: int, which: int) -> int:
        found = bench.ticket(ticket).messages
        return found[which % len(found)].id if found else 0

    def answer(ticket: int, which: int, **changes: object) -> object:
        found = bench.ticket(ticket).messages
        names = [m.message_id for m in found if m.message_id]
        if not names:
            return None
        return bench.take(bench.mail(in_reply_to=(names[which % len(names)],), **changes))

    return [
        lambda t, o, _n: bench.do(Merge(t, o)),
        lambda t, o, _n: bench.do(Merge(o, t), actor=BEN),
        lambda t, o, _n: bench.do(Merge(t, o), Merge(t % 4 + 1, o)),
        lambda t, _o, _n: bench.do(Unmerge(t)),
        lambda t, _o, _n: bench.do(Unmerge(t), actor=BEN),
        lambda t, _o, n: bench.do(Split(t, message(t, n))),
        lambda t, _o, n: bench.do(Split(t, message(t, n), only=True), actor=BEN),
        lambda _t, _o, _n: bench.desk.undo(ANA),
        lambda _t, _o, _n: bench.desk.undo(BEN),
        lambda _t, _o, _n: bench.desk.redo(ANA),
        lambda t, _o, n: answer(t, n),
        lambda t, _o, n: answer(t, n, sender="otto@elsewhere.example"),
        lambda t, _o, n: answer(t, n, automatic=True),
        lambda t, _o, n: bench.reply(t, answers=message(t, n)),
        lambda t, _o, _n: bench.reply(t, to_status="pending", undo_window_s=900),
        lambda _t, _o, _n: bench.send(),
        lambda t, _o, _n: bench.do(Note(t, "for us")),
        lambda t, _o, n: bench.desk.save_draft("ana", t, "reply", f"draft {n}", None),
        lambda t, _o, _n: bench.do(Escalate(t, "technical")),
        lambda t, _o, _n: bench.do(HandBack(t)),
        lambda t, _o, _n: bench.do(AddTags(t, ("x",))),
        lambda t, _o, n: bench.do(SetPriority(t, n % 5)),
        lambda t, _o, _n: bench.do(SetStatus(t, "resolved")),
        lambda t, _o, _n: bench.do(SetStatus(t, "pending"), actor=BEN),
        lambda t, _o, _n: bench.do(SetStatus(t, "open")),
        lambda _t, _o, _n: fire_due(bench.desk),
    ]


def _root(bench: Bench, number: int) -> int:
    seen: set[int] = set()
    while True:
        assert number not in seen, "no circle"
        seen.add(number)
        into = bench.rows("SELECT merged_into FROM ticket WHERE id = ?", number)[0][0]
        if into is None:
            return number
        number = into


def _check_places(bench: Bench, known: set[int]) -> None:
    """Every message is on the ticket at the root of where it is at home, and there alone."""
    rows = bench.rows("SELECT id, ticket_id, home_id FROM message")
    assert {row[0] for row in rows} >= known, "nothing is lost"
    for number, ticket, home in rows:
        assert ticket == _root(bench, home or ticket), number
        assert home != ticket, "at home it has no other home"
    shown = [
        message.id
        for (ticket,) in bench.rows("SELECT id FROM ticket")
        for message in bench.ticket(ticket).messages
    ]
    assert sorted(shown) == sorted(row[0] for row in rows)
    assert (
        bench.rows(
            "SELECT outbox.id FROM outbox JOIN message ON message.id = message_row"
            " WHERE outbox.ticket_id <> message.ticket_id"
        )
        == []
    )
    for ticket, count in bench.rows("SELECT id, message_count FROM ticket"):
        kept = [m for m in bench.ticket(ticket).messages if m.delivery != "cancelled"]
        assert count == len(kept)
    for (ticket,) in bench.rows("SELECT id FROM ticket WHERE merged_into IS NOT NULL"):
        running = [c for c in bench.ticket(ticket).clocks if c.state in ("running", "paused")]
        assert running == [], "a merged ticket has no running clock"


def _check_ledgers(bench: Bench) -> None:
    for (number,) in bench.rows("SELECT id FROM ticket"):
        events = [(e.at, e.name, e.data) for e in bench.ticket(number).events]
        told, born, now = facts(events), first_priority(events), bench.clock.now()
        ledgers = ledger(events, Policies.of(POLICY), now)
        for metric, clock in course(told, POLICY, born).clocks.items():
            counted = sum(entry.counted_s for entry in ledgers[metric])
            assert counted == ceil(clock.spent(clock.ended_at or now))
            assert counted == clock.target_s - judge(clock, now).remaining_s


def _check_queries(bench: Bench) -> None:
    numbers = [number for (number,) in bench.rows("SELECT id FROM ticket ORDER BY id")]
    found = load_facts(bench.reads.connection, numbers)
    context = Context("ana", bench.clock.now())
    for text in QUERIES:
        query = parse(text)
        by_sql = sorted(bench.reads.ids(compile_sql(query, context)))
        fits = compile_predicate(query, context)
        assert by_sql == [one.id for one in found if fits(one)], text


@pytest.fixture(scope="module")
def four_tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with four tickets of two messages, to be copied."""
    home = tmp_path_factory.mktemp("four")
    bench = Bench(home, ManualClock(START), policy=POLICY)
    for _ in range(4):
        bench.follow_up(bench.opened())
        bench.clock.advance(1)
    bench.close()
    return home


steps = st.tuples(
    st.integers(0, 8_000_000),
    st.integers(0, 25),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 9),
)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(history=st.lists(steps, min_size=3, max_size=20))
# Split off what a merged ticket brought, take that ticket out, then take the split back.
@example(history=[(0, 0, 1, 2, 0), (0, 6, 2, 1, 0), (0, 3, 1, 1, 0), (0, 8, 1, 1, 0)])
def test_any_history_keeps_each_message_on_one_ticket(
    four_tickets: Path, history: list[tuple[int, int, int, int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "desk"
        shutil.copytree(four_tickets, home)
        bench = Bench(home, ManualClock(START + timedelta(seconds=4)), policy=POLICY, number=8)
        try:
            moves = _moves(bench)
            known: set[int] = set()
            for milliseconds, move, ticket, other, which in history:
                bench.clock.advance(milliseconds / 1000)
                if bench.reads.ticket(ticket) is None:
                    continue
                with contextlib.suppress(Refusal, NotFound, UsageError):
                    moves[move](ticket, other, which)
                known |= {row[0] for row in bench.rows("SELECT id FROM message")}
            _check_places(bench, known)
            _check_stored(bench, Policies.of(POLICY))
            _check_ledgers(bench)
            _check_queries(bench)
            # Everything can be taken out again, whatever was done to it, unless nothing is left.
            for (number,) in bench.rows("SELECT id FROM ticket ORDER BY id DESC"):
                with contextlib.suppress(Refusal):
                    bench.do(Unmerge(number))
            _check_places(bench, known)
            _check_stored(bench, Policies.of(POLICY))
            homes = {
                home or on for on, home in bench.rows("SELECT ticket_id, home_id FROM message")
            }
            alone = {n for (n,) in bench.rows("SELECT id FROM ticket WHERE merged_into IS NULL")}
            assert homes <= alone
        finally:
            bench.close()
