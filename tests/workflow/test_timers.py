"""What happens because time has passed, told once however late somebody looks."""

from __future__ import annotations

from datetime import timedelta

from tests.workflow.bench import Bench
from workflow.actions import SetPriority, SetStatus, Snooze
from workflow.model import Priority
from workflow.timers import fire_due

HOUR = 3600


def told(bench: Bench, ticket: int) -> list[tuple[str, str]]:
    return [
        (event.name, event.data["metric"])
        for event in bench.ticket(ticket).events
        if event.name.startswith("sla.")
    ]


def test_nothing_is_told_too_early(bench: Bench) -> None:
    bench.opened()
    bench.clock.advance(6.4 * HOUR - 1)
    assert fire_due(bench.desk) == 0


def test_at_risk_then_breached_once_each(bench: Bench) -> None:
    ticket = bench.opened()
    bench.clock.advance(6.4 * HOUR)
    assert fire_due(bench.desk) == 1
    assert fire_due(bench.desk) == 0
    assert told(bench, ticket) == [("sla.at_risk", "first_response")]
    bench.clock.advance(1.6 * HOUR)
    assert fire_due(bench.desk) == 1
    assert fire_due(bench.desk) == 0
    assert told(bench, ticket)[1:] == [("sla.breached", "first_response")]


def test_a_late_pass_tells_both_at_once_and_once(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetPriority(ticket, Priority.HIGH))
    bench.clock.advance(48 * HOUR)
    assert fire_due(bench.desk) == 4
    assert fire_due(bench.desk) == 0
    assert sorted(told(bench, ticket)) == [
        ("sla.at_risk", "first_response"),
        ("sla.at_risk", "resolution"),
        ("sla.breached", "first_response"),
        ("sla.breached", "resolution"),
    ]


def test_a_promise_that_was_broken_while_nobody_looked_is_told_though_it_is_met_by_now(
    bench: Bench,
) -> None:
    ticket = bench.opened()
    bench.clock.advance(9 * HOUR)
    bench.reply(ticket)
    bench.send()
    assert fire_due(bench.desk) == 2
    assert fire_due(bench.desk) == 0
    assert told(bench, ticket) == [
        ("sla.at_risk", "first_response"),
        ("sla.breached", "first_response"),
    ]


def test_a_promise_that_ran_out_before_it_was_paused_is_told(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket)
    bench.send()
    bench.clock.advance(25 * HOUR)
    bench.do(SetStatus(ticket, "pending"))
    assert fire_due(bench.desk) == 2
    assert fire_due(bench.desk) == 0
    assert {metric for _name, metric in told(bench, ticket)} == {"resolution"}


def test_more_than_a_batch_is_told_in_one_call(bench: Bench) -> None:
    bench.take(*(bench.mail() for _ in range(450)))
    bench.clock.advance(100 * HOUR)
    assert fire_due(bench.desk) == 450 * 4
    assert fire_due(bench.desk) == 0


def test_a_snooze_that_has_ended_wakes_the_ticket_once(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Snooze(ticket, bench.clock.now() + timedelta(hours=1)))
    assert fire_due(bench.desk) == 0
    bench.clock.advance(HOUR)
    assert fire_due(bench.desk) == 1
    assert fire_due(bench.desk) == 0
    assert bench.ticket(ticket).snoozed_until is None
    assert bench.names(ticket)[-1] == "ticket.woken"


def test_the_next_timer_is_when_something_will_be_told(bench: Bench) -> None:
    assert bench.reads.next_timer() is None
    ticket = bench.opened()
    start = bench.clock.now()
    assert bench.reads.next_timer() == start + timedelta(hours=6.4)
    bench.do(Snooze(ticket, start + timedelta(hours=2)))
    assert bench.reads.next_timer() == start + timedelta(hours=2)
