"""What clocks promise: the rules of docs/clocks.md, one by one, on the pure fold of facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflow.model import ClockState, Metric, Priority, Status
from workflow.policy import BUILT_IN, Policy
from workflow.sla import Clock, Fact, course, fold, judge

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = 3600
FIRST, NEXT, UPDATE, RESOLUTION = Metric
EVERY = dict.fromkeys(Priority, 4 * HOUR)
FULL = Policy("Full", dict.fromkeys(Metric, EVERY))


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def received(hours: float = 0, **more: object) -> Fact:
    return Fact(at(hours), "received", **more)  # type: ignore[arg-type]


def sent(hours: float, message: str = "1") -> Fact:
    return Fact(at(hours), "sent", message)


def status(hours: float, word: Status) -> Fact:
    return Fact(at(hours), "status", word.value)


def priority(hours: float, value: Priority) -> Fact:
    return Fact(at(hours), "priority", str(int(value)))


def state(clock: Clock, hours: float) -> str:
    return judge(clock, at(hours)).state.value


def test_both_clocks_start_with_the_first_message() -> None:
    clocks = fold([received(1)], BUILT_IN)
    assert set(clocks) == {FIRST, RESOLUTION}
    assert {clock.started_at for clock in clocks.values()} == {at(1)}
    assert clocks[FIRST].due_at == at(9)
    assert judge(clocks[FIRST], at(2)).remaining_s == 7 * HOUR


def test_a_new_priority_changes_the_target_and_keeps_the_start() -> None:
    clocks = fold([received(), priority(0.5, Priority.HIGH)], BUILT_IN)
    assert clocks[FIRST].started_at == START
    assert clocks[FIRST].due_at == at(1)
    clocks = fold([received(), priority(2, Priority.HIGH)], BUILT_IN)
    assert judge(clocks[FIRST], at(2)).remaining_s == -1 * HOUR, "elapsed time is not given back"


def test_a_priority_without_a_target_has_no_clock_and_its_start_is_not_forgotten() -> None:
    facts = [received(), priority(1, Priority.UNSET)]
    assert fold(facts, BUILT_IN) == {}
    again = fold([*facts, priority(3, Priority.MEDIUM)], BUILT_IN)
    assert again[FIRST].started_at == START
    assert judge(again[FIRST], at(3)).remaining_s == 5 * HOUR


def test_a_ticket_born_without_a_promise_gets_one_from_its_first_message_on() -> None:
    clocks = fold([received(), priority(1, Priority.HIGH)], BUILT_IN, Priority.UNSET)
    assert clocks[RESOLUTION].started_at == START
    assert clocks[RESOLUTION].due_at == at(4)


def test_no_policy_is_no_clock() -> None:
    found = course([received(), status(1, Status.PENDING)], None)
    assert found.clocks == {}
    assert found.waiting_since == START


def test_pending_pauses_the_resolution_clock_only() -> None:
    clocks = fold([received(), status(1, Status.PENDING)], BUILT_IN)
    assert state(clocks[RESOLUTION], 5) == "paused"
    assert judge(clocks[RESOLUTION], at(5)).remaining_s == 23 * HOUR
    assert state(clocks[FIRST], 5) == "running"
    back = fold([received(), status(1, Status.PENDING), status(6, Status.OPEN)], BUILT_IN)
    assert judge(back[RESOLUTION], at(7)).remaining_s == 22 * HOUR
    assert back[RESOLUTION].due_at == at(29)


def test_on_hold_pauses_only_where_the_policy_says_so() -> None:
    facts = [received(), status(1, Status.ON_HOLD)]
    assert state(fold(facts, BUILT_IN)[RESOLUTION], 2) == "running"
    holding = Policy("p", FULL.targets, pause_on=frozenset({Status.PENDING, Status.ON_HOLD}))
    paused = fold([*facts, status(2, Status.PENDING), status(3, Status.OPEN)], holding)
    assert judge(paused[RESOLUTION], at(3)).remaining_s == 3 * HOUR


def test_the_first_response_is_met_by_a_sent_reply() -> None:
    clocks = fold([received(), sent(2)], BUILT_IN)
    assert judge(clocks[FIRST], at(99)).state is ClockState.MET
    assert judge(clocks[FIRST], at(99)).remaining_s == 6 * HOUR
    late = fold([received(), sent(9)], BUILT_IN)[FIRST]
    assert judge(late, at(99)) == judge(late, at(9.5))
    assert judge(late, at(9.5)).state is ClockState.MISSED
    assert judge(late, at(9.5)).remaining_s == -1 * HOUR


def test_what_is_used_up_exactly_is_due() -> None:
    clock = fold([received()], BUILT_IN)[FIRST]
    assert state(clock, 8 - 1 / HOUR) == "running"
    assert state(clock, 8) == "breached"
    assert state(fold([received(), sent(8)], BUILT_IN)[FIRST], 9) == "missed"


def test_the_next_response_runs_from_the_oldest_message_that_nobody_has_answered() -> None:
    facts = [received(), sent(1), received(2), received(3)]
    clocks = fold(facts, BUILT_IN)
    assert clocks[NEXT].started_at == at(2)
    assert course(facts, BUILT_IN).waiting_since == at(2)
    answered = fold([*facts, sent(4)], BUILT_IN)
    assert judge(answered[NEXT], at(5)).state is ClockState.MET
    assert course([*facts, sent(4)], BUILT_IN).waiting_since is None
    again = fold([*facts, sent(4), received(6)], BUILT_IN)
    assert again[NEXT].started_at == at(6)


def test_nothing_is_owed_next_before_the_first_reply() -> None:
    assert NEXT not in fold([received(), received(1)], BUILT_IN)


def test_reopening_goes_on_with_what_was_left_and_not_the_time_resolved() -> None:
    facts = [received(), sent(1), status(2, Status.RESOLVED)]
    done = fold(facts, BUILT_IN)
    assert judge(done[RESOLUTION], at(50)).state is ClockState.MET
    again = fold([*facts, received(30), status(30, Status.OPEN)], BUILT_IN)
    assert judge(again[RESOLUTION], at(31)).remaining_s == 21 * HOUR
    assert again[NEXT].started_at == at(30)


def test_reopening_takes_the_target_of_the_priority_by_then() -> None:
    facts = [received(), status(1, Status.RESOLVED), priority(2, Priority.HIGH)]
    assert fold(facts, BUILT_IN)[RESOLUTION].target_s == 24 * HOUR
    again = fold([*facts, status(3, Status.OPEN)], BUILT_IN)
    assert again[RESOLUTION].target_s == 4 * HOUR
    assert judge(again[RESOLUTION], at(3)).remaining_s == 3 * HOUR


def test_reopening_takes_up_what_resolving_had_set_aside() -> None:
    facts = [received(), status(1, Status.RESOLVED)]
    assert judge(fold(facts, BUILT_IN)[FIRST], at(2)).state is ClockState.STOPPED
    assert course(facts, BUILT_IN).waiting_since is None
    again = course([*facts, status(3, Status.OPEN)], BUILT_IN)
    assert judge(again.clocks[FIRST], at(3)).remaining_s == 7 * HOUR
    assert again.waiting_since == START


def test_reopening_into_pending_stands_still() -> None:
    clocks = fold([received(), status(1, Status.RESOLVED), status(3, Status.PENDING)], BUILT_IN)
    assert state(clocks[RESOLUTION], 9) == "paused"
    assert judge(clocks[RESOLUTION], at(9)).remaining_s == 23 * HOUR


def test_a_message_that_reached_us_before_the_resolution_and_was_read_after_it_is_owed() -> None:
    facts = [received(), sent(1), received(2), status(3, Status.RESOLVED), status(4, Status.OPEN)]
    found = course(facts, BUILT_IN)
    assert state(found.clocks[NEXT], 4) == "running"
    assert found.waiting_since == at(2)


def test_a_reply_on_its_way_keeps_its_clock_though_the_ticket_is_resolved() -> None:
    facts = [received(), Fact(at(1), "queued", "7"), status(1, Status.RESOLVED)]
    assert state(fold(facts, BUILT_IN)[FIRST], 1.1) == "running"
    assert state(fold([*facts, sent(2, "7")], BUILT_IN)[FIRST], 3) == "met"
    taken_back = fold([*facts, Fact(at(2), "cancelled", "7")], BUILT_IN)
    assert state(taken_back[FIRST], 3) == "stopped"


def test_a_reply_sent_elsewhere_after_the_resolution_meets_the_promise() -> None:
    clocks = fold([received(), status(1, Status.RESOLVED), sent(2)], BUILT_IN)
    assert state(clocks[FIRST], 3) == "met"


def test_spam_stops_every_clock_and_taking_it_back_resumes_them() -> None:
    facts = [received(), Fact(at(1), "out")]
    stopped = fold(facts, FULL)
    assert {judge(clock, at(9)).state for clock in stopped.values()} == {ClockState.STOPPED}
    back = fold([*facts, Fact(at(10), "back")], FULL)
    assert judge(back[FIRST], at(10)).remaining_s == 3 * HOUR
    assert judge(back[RESOLUTION], at(11)).remaining_s == 2 * HOUR


def test_a_message_to_a_ticket_that_is_out_waits_until_it_is_back() -> None:
    facts = [received(), sent(1), Fact(at(2), "out"), received(3)]
    assert NEXT not in fold(facts, BUILT_IN)
    assert fold([*facts, Fact(at(5), "back")], BUILT_IN)[NEXT].started_at == at(5)


def test_an_answer_to_a_ticket_that_is_out_is_an_answer() -> None:
    clocks = fold([received(), Fact(at(1), "out"), sent(2), Fact(at(3), "back")], BUILT_IN)
    assert state(clocks[FIRST], 4) == "met"


def test_the_update_clock_runs_from_each_reply_while_the_ticket_is_open() -> None:
    clocks = fold([received(), sent(1), sent(3)], FULL)
    assert clocks[UPDATE].started_at == at(3)
    assert judge(clocks[UPDATE], at(5)).remaining_s == 2 * HOUR
    pending = fold([received(), sent(1), status(2, Status.PENDING)], FULL)
    assert state(pending[UPDATE], 3) == "running"
    done = fold([received(), sent(1), status(2, Status.RESOLVED)], FULL)
    assert state(done[UPDATE], 3) == "stopped"
    assert UPDATE not in fold([received(), sent(1)], BUILT_IN)


def test_history_that_does_not_count_starts_nothing_but_remembers_an_answer() -> None:
    old = [received(counts=False), Fact(at(1), "sent", "1", counts=False)]
    assert fold(old, BUILT_IN) == {}
    live = fold([*old, received(5)], BUILT_IN)
    assert set(live) == {NEXT, RESOLUTION}
    assert live[RESOLUTION].started_at == at(5)


def test_the_customer_of_an_old_resolved_ticket_who_writes_again_is_promised_a_resolution() -> None:
    clocks = fold(
        [
            received(counts=False),
            status(1, Status.RESOLVED),
            received(5),
            status(5.5, Status.OPEN),
        ],
        BUILT_IN,
    )
    assert clocks[RESOLUTION].started_at == at(5)


def test_at_risk_with_a_fifth_left() -> None:
    clock = fold([received()], FULL)[RESOLUTION]
    assert clock.warn_at == at(3.2), "a 4 h target at 3 h 12 min"
    paused = fold([received(), status(1, Status.PENDING), status(2, Status.OPEN)], FULL)
    assert paused[RESOLUTION].warn_at == at(4.2)


@pytest.mark.parametrize("metric", [FIRST, RESOLUTION])
def test_what_was_told_is_kept_with_the_clock_and_not_with_the_next_target(metric: Metric) -> None:
    told = [received(), Fact(at(7), "told", "at_risk", metric)]
    clock = fold(told, BUILT_IN)[metric]
    assert (clock.at_risk_told, clock.breached_told) == (True, False)
    both = fold([*told, Fact(at(9), "told", "breached", metric)], BUILT_IN)[metric]
    assert (both.at_risk_told, both.breached_told) == (True, True)
    anew = fold([*told, priority(8, Priority.LOW)], BUILT_IN)[metric]
    assert (anew.at_risk_told, anew.breached_told) == (False, False)


def test_a_fraction_past_due_is_not_shown_as_on_time() -> None:
    clock = fold([received()], BUILT_IN)[FIRST]
    assert judge(clock, at(8) + timedelta(milliseconds=1)).remaining_s == -1
