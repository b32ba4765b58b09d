"""How the clocks of a ticket stand.

A pure function of its history, its policy and the policy's calendar.

The rules are those of docs/clocks.md. Nothing here reads a database or asks for the time:
:func:`course` turns the facts of a ticket into its clocks, :func:`judge` says how one stands at a
moment. What was promised is :mod:`workflow.policy`, the list of counted intervals
:mod:`workflow.ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from workflow.joined_clocks import take_over
from workflow.model import ClockState, Metric, Priority, Status
from workflow.policy import BUILT_IN, NO_PROMISE, Policies, Policy

__all__ = [
    "BUILT_IN",
    "Clock",
    "Course",
    "Fact",
    "Listener",
    "Policy",
    "Standing",
    "course",
    "fold",
    "judge",
]

_DONE = (Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a ticket and that a clock may care about.

    ``kind``: ``received`` (a customer's own message), ``sent`` (a person's public reply that left),
    ``queued`` and ``cancelled`` (such a reply put into the outbox and taken back; ``value`` tells
    which), ``status`` and ``priority`` (``value`` is the new one), ``policy`` (``value`` is its
    name, empty for none), ``out`` and ``back`` (marked as spam or ``merged``, and taken back),
    ``joined`` (another ticket was merged into this one: ``value`` is its number, ``course`` what
    had happened to it), ``told`` (``value`` is ``at_risk``, ``breached`` or ``mark:RULE``,
    ``metric`` says of which clock). ``counts`` is False for history that came by import: it moves
    no clock. ``message`` is the message that it is about, if it is about one.
    """

    at: datetime
    kind: str
    value: str = ""
    metric: Metric | None = None
    counts: bool = True
    message: int | None = None
    course: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise. ``spent_s`` are the working seconds used before ``running_from``, which is None
    while it stands still.
    """

    metric: Metric
    policy: Policy
    target_s: int
    started_at: datetime
    running_from: datetime | None
    spent_s: float = 0.0
    ended_at: datetime | None = None
    ended_as: ClockState | None = None
    at_risk_told: bool = False
    breached_told: bool = False
    marks_told: frozenset[str] = frozenset()
    """The rules that were told that the clock has come to their mark."""

    @property
    def due_at(self) -> datetime | None:
        """When the target is used up if nothing stops the clock; None while it stands still."""
        return self.reaches(self.target_s)

    @property
    def warn_at(self) -> datetime | None:
        """When only the warning share is left; None while it stands still."""
        return self.reaches(self.target_s - self.policy.warn_left(self.target_s))

    def reaches(self, seconds: float) -> datetime | None:
        """When so many working seconds are used up if nothing stops the clock; None while it stands
        still.
        """
        if self.running_from is None:
            return None
        return self.policy.calendar.due(self.running_from, seconds - self.spent_s)

    def spent(self, moment: datetime) -> float:
        """Working seconds used up by a moment."""
        if self.running_from is None:
            return self.spent_s
        # To the millisecond, which is what the store keeps: sums of fractions must not drift.
        return round(self.spent_s + self.policy.calendar.between(self.running_from, moment), 3)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands at a moment; ``remaining_s`` is working time, negative past due."""

    state: ClockState
    remaining_s: int


@dataclass(frozen=True, slots=True)
class Course:
    """What a ticket's facts come to: its clocks, and the oldest customer message that nobody has
    answered.
    """

    clocks: dict[Metric, Clock]
    waiting_since: datetime | None
    counted: dict[Metric, Clock] = field(default_factory=dict)
    """Every clock, those too that promise nothing."""
    priority: Priority = Priority.MEDIUM


_NO_OTHERS = Policies(())

Listener = Callable[[Clock, datetime, datetime], None]
"""Told of each interval that a clock has counted: the clock before it, its start and its end."""

_RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


@dataclass(slots=True)
class _State:
    policy: Policy
    priority: Priority
    policies: Policies
    status: Status = Status.NEW
    out: bool = False
    out_at: datetime | None = None
    answered: bool = False
    unanswered: datetime | None = None
    set_aside: datetime | None = None
    """What was unanswered when the ticket was resolved; a reopening takes it up again."""
    under_way: set[str] = field(default_factory=set)
    """Replies that wait in the outbox."""
    clocks: dict[Metric, Clock] = field(default_factory=dict)
    unpromised: set[Metric] = field(default_factory=set)
    """Clocks that run without a target, so that a promise that comes later knows its start."""
    on_interval: Listener | None = None

    @property
    def done(self) -> bool:
        return self.status in _DONE

    def target(self, metric: Metric) -> int:
        """The target by now; notes where none is promised."""
        found = self.policy.target(metric, self.priority)
        if found is None:
            self.unpromised.add(metric)
        else:
            self.unpromised.discard(metric)
        return found or 0

    def start(self, metric: Metric, at: datetime) -> None:
        self.clocks[metric] = Clock(metric, self.policy, self.target(metric), at, running_from=at)
        if metric is Metric.RESOLUTION and self.status in self.policy.pause_on:
            self.halt(metric, at)

    def halt(self, metric: Metric, at: datetime) -> None:
        clock = self.clocks.get(metric)
        if clock is None or clock.running_from is None:
            return
        if self.on_interval:
            self.on_interval(clock, clock.running_from, at)
        self.clocks[metric] = replace(clock, spent_s=clock.spent(at), running_from=None)

    def meet(self, metric: Metric, at: datetime) -> None:
        """What was promised is done; also where a resolution or a spam mark had stopped its
        clock.
        """
        clock = self.clocks.get(metric)
        if clock is None or clock.ended_as not in (None, ClockState.STOPPED):
            return
        self.halt(metric, at)
        halted = self.clocks[metric]
        late = halted.spent_s >= halted.target_s
        self.clocks[metric] = replace(
            halted, ended_at=at, ended_as=ClockState.MISSED if late else ClockState.MET
        )

    def stop(self, metric: Metric, at: datetime) -> None:
        clock = self.clocks.get(metric)
        if clock is not None and clock.ended_as is None:
            self.halt(metric, at)
            self.clocks[metric] = replace(
                self.clocks[metric], ended_at=at, ended_as=ClockState.STOPPED
            )

    def resume(self, metric: Metric, at: datetime) -> None:
        """Go on with what is left, by the target of the priority that the ticket has by now."""
        clock = self.clocks.get(metric)
        if clock is None or clock.running_from is not None:
            return
        paused = metric is Metric.RESOLUTION and self.status in self.policy.pause_on
        self.clocks[metric] = self.retargeted(
            replace(clock, running_from=None if paused else at, ended_at=None, ended_as=None)
        )

    def revive(self, at: datetime) -> None:
        """What stopped is owed again. The resolution is, even if it had been met."""
        for metric, clock in list(self.clocks.items()):
            if metric is Metric.RESOLUTION or clock.ended_as is ClockState.STOPPED:
                self.resume(metric, at)

    def retargeted(self, clock: Clock) -> Clock:
        target = self.target(clock.metric)
        clock = replace(clock, policy=self.policy)
        if target == clock.target_s:
            return clock
        return replace(clock, target_s=target, at_risk_told=False, breached_told=False)

    def owed(self, metric: Metric) -> bool:
        clock = self.clocks.get(metric)
        return clock is not None and clock.ended_at is None

    def owe_response(self, at: datetime) -> None:
        """A customer's message waits: start or resume the clock that promises an answer to it."""
        metric = Metric.NEXT_RESPONSE if self.answered else Metric.FIRST_RESPONSE
        clock = self.clocks.get(metric)
        if metric is Metric.FIRST_RESPONSE and clock is not None:
            if clock.ended_as is ClockState.STOPPED:
                self.resume(metric, at)
        elif not self.owed(metric):
            self.start(metric, at)


def course(
    facts: Iterable[Fact],
    policy: Policy | None,
    priority: Priority = Priority.MEDIUM,
    on_interval: Listener | None = None,
    policies: Policies = _NO_OTHERS,
) -> Course:
    """What has become of a ticket after its facts, which must be in the order of their times.

    ``policy`` and ``priority`` are those the ticket was born with; later ones are facts, which name
    a policy of ``policies``. A ticket without a policy, and a metric without a target, has no
    clock.
    """
    state = _State(policy or NO_PROMISE, priority, policies, on_interval=on_interval)
    for fact in facts:
        _apply(state, fact)
    promised = {
        metric: clock for metric, clock in state.clocks.items() if metric not in state.unpromised
    }
    return Course(promised, state.unanswered, state.clocks, state.priority)


def fold(
    facts: Iterable[Fact],
    policy: Policy | None,
    priority: Priority = Priority.MEDIUM,
) -> dict[Metric, Clock]:
    """The clocks of :func:`course` alone."""
    return course(facts, policy, priority).clocks


def _apply(state: _State, fact: Fact) -> None:
    if fact.kind == "received":
        _received(state, fact)
    elif fact.kind == "sent":
        _sent(state, fact)
    elif fact.kind == "queued":
        state.under_way.add(fact.value)
    elif fact.kind == "cancelled":
        state.under_way.discard(fact.value)
        _stop_responses(state, fact.at)
    elif fact.kind == "status":
        _status(state, Status(fact.value), fact.at)
    elif fact.kind == "priority":
        _priority(state, Priority(int(fact.value)))
    elif fact.kind == "policy":
        _policy(state, fact)
    elif fact.kind == "out":
        state.out, state.out_at = True, fact.at
        for metric in list(state.clocks):
            state.stop(metric, fact.at)
    elif fact.kind == "back":
        state.out = False
        _back(state, fact)
    elif fact.kind == "joined":
        _joined(state, fact)
    elif fact.kind == "told" and fact.metric in state.clocks:
        _told(state, state.clocks[fact.metric], fact.value)


def _told(state: _State, clock: Clock, what: str) -> None:
    mark = what.removeprefix("mark:")
    if mark != what:
        told = replace(clock, marks_told=clock.marks_told | {mark})
    else:
        breached = clock.breached_told or what == "breached"
        told = replace(clock, at_risk_told=True, breached_told=breached)
    state.clocks[clock.metric] = told


def _policy(state: _State, fact: Fact) -> None:
    """Another promise from now on: what is spent was counted by the calendar of then and stays."""
    policy = state.policies.named(fact.value) if fact.value else NO_PROMISE
    if policy is None or policy == state.policy:
        # One that is not there any more has left its place to the one that came after it.
        return
    running = [metric for metric, clock in state.clocks.items() if clock.running_from is not None]
    for metric in running:
        state.halt(metric, fact.at)
    state.policy = policy
    for metric, clock in list(state.clocks.items()):
        if clock.ended_as not in (None, ClockState.STOPPED):
            continue
        paused = metric is Metric.RESOLUTION and state.status in policy.pause_on
        goes_on = clock.ended_as is None and not paused and not state.out
        state.clocks[metric] = state.retargeted(
            replace(clock, running_from=fact.at if goes_on else None)
        )


def _received(state: _State, fact: Fact) -> None:
    if not fact.counts:
        return
    state.unanswered = state.unanswered or fact.at
    if state.out:
        return
    state.owe_response(fact.at)
    if Metric.RESOLUTION not in state.clocks and not state.done:
        state.start(Metric.RESOLUTION, fact.at)


def _sent(state: _State, fact: Fact) -> None:
    state.answered = True
    state.under_way.discard(fact.value)
    if not fact.counts:
        return
    state.unanswered = state.set_aside = None
    for metric in _RESPONSES:
        state.meet(metric, fact.at)
    if not state.done and not state.out:
        state.start(Metric.UPDATE, fact.at)


def _stop_responses(state: _State, at: datetime) -> None:
    """A resolved ticket owes no answer, but one that is on its way must still arrive in time."""
    if state.done and not state.out and not state.under_way:
        for metric in _RESPONSES:
            state.stop(metric, at)


def _status(state: _State, status: Status, at: datetime) -> None:
    was_done, state.status = state.done, status
    if state.done and not was_done:
        state.set_aside, state.unanswered = state.unanswered, None
    elif was_done and not state.done:
        state.unanswered = state.unanswered or state.set_aside
        state.set_aside = None
    if state.out:
        return
    if state.done:
        if not was_done:
            state.meet(Metric.RESOLUTION, at)
            state.stop(Metric.UPDATE, at)
            _stop_responses(state, at)
    elif was_done:
        state.revive(at)
        if Metric.RESOLUTION not in state.clocks and state.unanswered is not None:
            state.start(Metric.RESOLUTION, state.unanswered)
    elif status in state.policy.pause_on:
        state.halt(Metric.RESOLUTION, at)
    elif state.owed(Metric.RESOLUTION):
        state.resume(Metric.RESOLUTION, at)


def _priority(state: _State, priority: Priority) -> None:
    """Other targets; the start and what is spent stay. A clock that has met its promise is over."""
    state.priority = priority
    for metric, clock in list(state.clocks.items()):
        if clock.ended_as in (None, ClockState.STOPPED):
            state.clocks[metric] = state.retargeted(clock)


def _back(state: _State, fact: Fact) -> None:
    if state.done:
        return
    state.revive(fact.at)
    if state.unanswered is None:
        return
    since = fact.at
    if fact.value == "merged" and state.out_at is not None and state.unanswered > state.out_at:
        # It was written while the clocks of the other ticket ran for it.
        since = state.unanswered
    # What was written while the ticket was spam had no clock.
    state.owe_response(since)
    if Metric.RESOLUTION not in state.clocks:
        state.start(Metric.RESOLUTION, since)


def _joined(state: _State, fact: Fact) -> None:
    """What is owed on the other ticket is owed here from now on."""
    told: list[tuple[Clock, datetime, datetime]] = []
    # It is counted as if it had been promised what is promised here.
    other = _State(state.policy, Priority.MEDIUM, state.policies)
    other.on_interval = lambda *interval: told.append(interval)
    for one in fact.course:
        if one.kind != "policy":
            _apply(other, one)
    take_over(state, other, fact.at, told)


def judge(clock: Clock, now: datetime) -> Standing:
    """How a clock stands at ``now``: an overdue one is breached while it is owed, missed once it
    was met too late.
    """
    remaining = clock.target_s - clock.spent(clock.ended_at or now)
    whole = _floor(remaining)
    if clock.ended_as is not None:
        return Standing(clock.ended_as, whole)
    # A target that is used up exactly is due, so nothing left is already late.
    if remaining <= 0:
        return Standing(ClockState.BREACHED, whole)
    if clock.running_from is None:
        return Standing(ClockState.PAUSED, whole)
    return Standing(ClockState.RUNNING, whole)


def _floor(seconds: float) -> int:
    """Whole seconds, rounded down, so that a fraction past due is not shown as on time."""
    return int(seconds // 1)
