"""Clocks under histories that nobody would think of: sums hold, and what is stored is what the
events say.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflow.bench import ANA, Bench
from workflow.actions import (
    AddTags,
    Assign,
    CancelSend,
    Escalate,
    MarkSpam,
    Note,
    RemoveTags,
    SetField,
    SetPriority,
    SetStatus,
    Snooze,
)
from workflow.clock import ManualClock
from workflow.errors import NotFound, Refusal
from workflow.history import project
from workflow.ledger import ledger, ledger_of
from workflow.model import Metric, Priority, Status, to_millis
from workflow.policy import BUILT_IN, Policies, Policy
from workflow.projections import clock_rows
from workflow.remaking import remake_stale
from workflow.sla import Fact, course, fold, judge
from workflow.timers import fire_due

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
POLICY = Policy(
    "Everything",
    {metric: {p: int(p) * 7200 for p in Priority if p} for metric in Metric},
    pause_on=frozenset({Status.PENDING, Status.ON_HOLD}),
)

steps_ms = st.integers(0, 8_000_000)
fact_makers: list[Callable[[datetime], Fact]] = [
    lambda at: Fact(at, "received"),
    lambda at: Fact(at, "received", counts=False),
    lambda at: Fact(at, "sent", "1"),
    lambda at: Fact(at, "queued", "2"),
    lambda at: Fact(at, "cancelled", "2"),
    lambda at: Fact(at, "out"),
    lambda at: Fact(at, "back"),
    *(lambda at, s=s: Fact(at, "status", s.value) for s in Status),
    *(lambda at, p=p: Fact(at, "priority", str(int(p))) for p in Priority),
]
histories = st.lists(st.tuples(steps_ms, st.sampled_from(fact_makers)), max_size=25)


def _made(steps: list[tuple[int, Callable[[datetime], Fact]]]) -> tuple[list[Fact], datetime]:
    at, made = START, [Fact(START, "received")]
    for milliseconds, make in steps:
        at += timedelta(milliseconds=milliseconds)
        made.append(make(at))
    return made, at


@given(histories, steps_ms)
def test_the_ledger_adds_up_to_what_is_spent(
    steps: list[tuple[int, Callable[[datetime], Fact]]], rest: int
) -> None:
    made, last = _made(steps)
    now = last + timedelta(milliseconds=rest)
    clocks = fold(made, POLICY)
    ledgers = ledger_of(lambda note: course(made, POLICY, on_interval=note), now)
    assert ledgers.keys() == clocks.keys()
    for metric, clock in clocks.items():
        entries = ledgers[metric]
        moment = clock.ended_at or now
        assert sum(e.counted_s for e in entries) == ceil(clock.spent(moment))
        assert sum(e.counted_s for e in entries) == clock.target_s - judge(clock, now).remaining_s
        for one, other in pairwise(entries):
            assert one.end == other.start, "no gap and no overlap"
        assert all(e.start < e.end for e in entries)
        assert all(e.counted_s == 0 for e in entries if e.why == "paused")


@given(st.lists(st.tuples(steps_ms, st.sampled_from([Status.OPEN, Status.PENDING])), max_size=20))
def test_pausing_and_resuming_in_any_order_keeps_the_sum(
    steps: list[tuple[int, Status]],
) -> None:
    at, running, spent = START, True, 0
    made = [Fact(START, "received")]
    for milliseconds, status in steps:
        at += timedelta(milliseconds=milliseconds)
        spent += milliseconds if running else 0
        running = status is Status.OPEN
        made.append(Fact(at, "status", status.value))
    clock = fold(made, BUILT_IN)[Metric.RESOLUTION]
    assert round(clock.spent(at) * 1000) == spent


def _check_stored(bench: Bench, policies: Policies) -> None:
    for (number,) in bench.rows("SELECT id FROM ticket"):
        events = [(e.at, e.name, e.data) for e in bench.ticket(number).events]
        made = project(events, policies)

        def millis(moment: datetime | None) -> int | None:
            return None if moment is None else to_millis(moment)

        stored = bench.rows(
            """SELECT waiting_since, next_metric, next_due_at, next_warn_at, due_rank, waiting_rank,
            urgency_rank FROM ticket WHERE id = ?""",
            number,
        )[0]
        assert stored == (
            millis(made.waiting_since),
            made.next_metric,
            millis(made.next_due_at),
            millis(made.next_warn_at),
            made.due_rank,
            made.waiting_rank,
            Priority.URGENT - bench.ticket(number).priority,
        )
        clocks = bench.rows(
            """SELECT metric, target_s, started_at, state, due_at, warn_at, remaining_s, ended_at,
            at_risk_told, breached_told FROM clock WHERE ticket_id = ? ORDER BY metric""",
            number,
        )
        expected = sorted(clock_rows(number, made), key=lambda row: row["metric"])
        assert clocks == [
            (
                row["metric"],
                row["target_s"],
                millis(row["started_at"]),
                row["state"],
                millis(row["due_at"]),
                millis(row["warn_at"]),
                row["remaining_s"],
                millis(row["ended_at"]),
                int(row["at_risk_told"]),
                int(row["breached_told"]),
            )
            for row in expected
        ]
        ledgers = ledger(events, policies, bench.clock.now())
        assert {metric.value for metric in ledgers} == {row["metric"] for row in expected}


def _moves(bench: Bench) -> list[Callable[[int], object]]:
    def old_answer(ticket: int) -> object:
        first = bench.ticket(ticket).messages[0].message_id
        return bench.take(
            bench.mail(
                own=True, before_cutoff=True, in_reply_to=(first,), sender="support@desk.example"
            )
        )

    return [
        lambda t: bench.follow_up(t),
        lambda t: bench.follow_up(t, automatic=True),
        lambda t: bench.follow_up(t, before_cutoff=True),
        old_answer,
        lambda t: bench.reply(t),
        lambda t: bench.reply(t, to_status="resolved"),
        lambda t: bench.reply(t, to_status="pending", undo_window_s=900),
        lambda t: bench.send(),
        lambda t: bench.do(Note(t, "for us")),
        lambda t: bench.do(Assign(t, assignee="ben", group="experts")),
        lambda t: bench.do(Escalate(t, "technical")),
        lambda t: bench.do(AddTags(t, ("refund",))),
        lambda t: bench.do(Snooze(t, bench.clock.now() + timedelta(hours=1))),
        lambda t: bench.do(MarkSpam(t)),
        lambda t: bench.do(MarkSpam(t, False)),
        lambda t: bench.do(CancelSend(len(bench.reads.outbox_of(t)))),
        lambda t: bench.desk.undo(ANA),
        lambda t: bench.desk.redo(ANA),
        lambda t: fire_due(bench.desk),
        *(lambda t, s=s: bench.do(SetStatus(t, s)) for s in Status),
        *(lambda t, p=p: bench.do(SetPriority(t, p)) for p in Priority),
    ]


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(steps_ms, st.integers(0, 29), st.booleans()), min_size=1, max_size=18))
def test_what_is_stored_is_what_the_events_say(steps: list[tuple[int, int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), ManualClock(START), policy=POLICY)
        try:
            tickets = [bench.opened(), bench.opened(before_cutoff=True)]
            moves = _moves(bench)
            for milliseconds, move, other in steps:
                bench.clock.advance(milliseconds / 1000)
                try:
                    moves[move % len(moves)](tickets[other])
                except (Refusal, NotFound):
                    continue
            _check_stored(bench, Policies.of(POLICY))
        finally:
            bench.close()


HOURS = """
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]
tuesday = ["22:00-06:00"]
thursday = ["00:00-24:00"]
"""
ONE = """
[[policy]]
name = "Billing"
match = "topic:billing"
calendar = "office"
first_response = "1h"
next_response = "2h"
update = "5h"
resolution = { urgent = "2h", high = "4h", medium = "1d" }
escalate_unresolved = "1h"

[[policy]]
name = "VIP"
match = "tier:vip -tag:free"
first_response = "20m"
resolution = "3h"
warn = "1h"
pause_on = ["pending", "on hold"]
"""
OTHER = """
[[policy]]
name = "VIP"
match = "priority>=high"
calendar = "office"
next_response = "90m"
resolution = "5h"

[[policy]]
name = "Rest"
match = "-tag:free"
first_response = { high = "1h", low = "9h" }
resolution = "10h"
"""


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.tuples(steps_ms, st.integers(0, 99)), min_size=1, max_size=20))
def test_it_is_with_policies_that_change_and_are_edited(steps: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "workflow").mkdir()
        (home / "workflow" / "calendars.toml").write_text(HOURS)
        (home / "workflow" / "sla.toml").write_text(ONE)
        bench = Bench(home, ManualClock(START))

        def edit(text: str) -> object:
            (home / "workflow" / "sla.toml").write_text(text)
            return remake_stale(bench.desk)

        try:
            ticket = bench.opened()
            moves = [
                *_moves(bench),
                lambda t: bench.do(SetField(t, "topic", "billing")),
                lambda t: bench.do(SetField(t, "topic", None)),
                lambda t: bench.do(SetField(t, "tier", "vip")),
                lambda t: bench.do(SetField(t, "tier", "standard")),
                lambda t: bench.do(AddTags(t, ("free",))),
                lambda t: bench.do(RemoveTags(t, ("free",))),
                lambda t: bench.do(SetField(t, "policy", "VIP")),
                lambda t: bench.do(SetField(t, "policy", None)),
                lambda t: edit(ONE),
                lambda t: edit(OTHER),
            ]
            for milliseconds, move in steps:
                bench.clock.advance(milliseconds / 1000)
                with contextlib.suppress(Refusal, NotFound):
                    moves[move % len(moves)](ticket)
            # What is resolved keeps what it was judged by; open again it is made anew.
            bench.do(SetStatus(ticket, Status.RESOLVED))
            bench.do(MarkSpam(ticket, False), SetStatus(ticket, Status.OPEN))
            _check_stored(bench, bench.desk.rule_book.current.policies)
        finally:
            bench.close()
