"""How the clocks of a ticket stand.

A pure function of its history, its policy and the policy's calendar.

The rules are those of docs/clocks.md. Nothing here reads a database or asks for the time:
:func:`fold` turns the facts of a ticket into its clocks, :func:`judge` says how one stands at a
moment, :func:`ledger` lists the intervals that were counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from workflow.calendars import ALWAYS, Calendar
from workflow.model import ClockState, Metric, Priority, Status

__all__ = [
    "BUILT_IN",
    "Clock",
    "Counted",
    "Fact",
    "Policy",
    "Standing",
    "fold",
    "judge",
    "ledger",
]

_MINUTE, _HOUR = 60, 3600
_DONE = (Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is promised: seconds of working time for each metric and priority.

    A metric or priority that is missing has no promise. ``warn_share`` is the part of the target
    that is left when a clock is at risk. ``pause_on`` names the statuses in which the resolution
    clock stands still.
    """

    name: str
    targets: Mapping[Metric, Mapping[Priority, int]]
    calendar: Calendar = ALWAYS
    warn_share: float = 0.2
    pause_on: frozenset[Status] = frozenset({Status.PENDING})

    def target(self, metric: Metric, priority: Priority) -> int | None:
        """Seconds promised, or None where nothing is."""
        return self.targets.get(metric, {}).get(priority)


_FIRST = {
    Priority.URGENT: 30 * _MINUTE,
    Priority.HIGH: _HOUR,
    Priority.MEDIUM: 8 * _HOUR,
    Priority.LOW: 24 * _HOUR,
}
BUILT_IN = Policy(
    name="Built-in",
    targets={
        Metric.FIRST_RESPONSE: _FIRST,
        Metric.NEXT_RESPONSE: _FIRST,
        Metric.RESOLUTION: {
            Priority.URGENT: 2 * _HOUR,
            Priority.HIGH: 4 * _HOUR,
            Priority.MEDIUM: 24 * _HOUR,
            Priority.LOW: 72 * _HOUR,
        },
    },
)
"""The policy of a desk whose team has written none: by priority, around the clock."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a ticket and that a clock may care about.

    ``kind``: ``received`` (a customer's own message), ``sent`` (a person's public reply that left),
    ``status`` and ``priority`` (``value`` is the new one), ``out`` and ``back`` (marked as spam or
    merged, and taken back), ``told`` (``value`` is ``at_risk`` or ``breached``, ``metric`` says of
    which clock). ``counts`` is False for history that came by import: it moves no clock.
    """

    at: datetime
    kind: str
    value: str = ""
    metric: Metric | None = None
    counts: bool = True


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

    @property
    def due_at(self) -> datetime | None:
        """When the target is used up if nothing stops the clock; None while it stands still."""
        if self.running_from is None:
            return None
        return self.policy.calendar.due(self.running_from, self.target_s - self.spent_s)

    @property
    def warn_at(self) -> datetime | None:
        """When only the warning share is left; None while it stands still."""
        if self.running_from is None:
            return None
        left = self.target_s * (1 - self.policy.warn_share) - self.spent_s
        return self.policy.calendar.due(self.running_from, left)

    def spent(self, moment: datetime) -> float:
        """Working seconds used up by a moment."""
        if self.running_from is None:
            return self.spent_s
        return self.spent_s + self.policy.calendar.between(self.running_from, moment)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands at a moment; ``remaining_s`` is working time, negative past due."""

    state: ClockState
    remaining_s: int


@dataclass(frozen=True, slots=True)
class Counted:
    """An interval of a clock's ledger. ``why``: counted, paused, closed."""

    start: datetime
    end: datetime
    counted_s: int
    why: str


class _Listener(Protocol):
    def __call__(self, clock: Clock, start: datetime, end: datetime, why: str) -> None: ...


@dataclass(slots=True)
class _State:
    policy: Policy | None
    priority: Priority
    status: Status = Status.NEW
    out: bool = False
    answered: bool = False
    clocks: dict[Metric, Clock] = field(default_factory=dict)
    on_interval: _Listener | None = None

    def start(self, metric: Metric, at: datetime) -> None:
        policy = self.policy
        target = policy.target(metric, self.priority) if policy else None
        if policy is None or target is None:
            self.clocks.pop(metric, None)
            return
        self.clocks[metric] = Clock(metric, policy, target, at, running_from=at)
        if metric is Metric.RESOLUTION and self.status in policy.pause_on:
            self.halt(metric, at)

    def halt(self, metric: Metric, at: datetime) -> None:
        clock = self.clocks.get(metric)
        if clock is None or clock.running_from is None:
            return
        if self.on_interval:
            self.on_interval(clock, clock.running_from, at, "counted")
        self.clocks[metric] = replace(clock, spent_s=clock.spent(at), running_from=None)

    def end(self, metric: Metric, at: datetime, *, as_stopped: bool = False) -> None:
        clock = self.clocks.get(metric)
        if clock is None or clock.ended_at is not None:
            return
        self.halt(metric, at)
        halted = self.clocks[metric]
        if as_stopped:
            outcome = ClockState.STOPPED
        else:
            outcome = ClockState.MISSED if halted.spent_s > halted.target_s else ClockState.MET
        self.clocks[metric] = replace(halted, ended_at=at, ended_as=outcome)

    def resume(self, metric: Metric, at: datetime) -> None:
        clock = self.clocks.get(metric)
        if clock is None or clock.running_from is not None:
            return
        if self.on_interval:
            since = clock.ended_at or at
            self.on_interval(clock, since, at, "paused")
        self.clocks[metric] = replace(clock, running_from=at, ended_at=None, ended_as=None)

    def owed(self, metric: Metric) -> bool:
        clock = self.clocks.get(metric)
        return clock is not None and clock.ended_at is None


def fold(
    facts: Iterable[Fact],
    policy: Policy | None,
    priority: Priority = Priority.MEDIUM,
) -> dict[Metric, Clock]:
    """The clocks of a ticket after its facts, which must be in the order of their times.

    ``priority`` is the one the ticket was born with; later ones are facts. A ticket without a
    policy has no clocks.
    """
    state = _State(policy, priority)
    for fact in facts:
        _apply(state, fact)
    return state.clocks


def _apply(state: _State, fact: Fact) -> None:
    if fact.kind == "received":
        _received(state, fact)
    elif fact.kind == "sent":
        _sent(state, fact)
    elif fact.kind == "status":
        _status(state, Status(fact.value), fact.at)
    elif fact.kind == "priority":
        _priority(state, Priority(int(fact.value)))
    elif fact.kind == "out":
        state.out = True
        for metric in list(state.clocks):
            state.end(metric, fact.at, as_stopped=True)
    elif fact.kind == "back":
        state.out = False
        _back(state, fact.at)
    elif fact.kind == "told" and fact.metric in state.clocks:
        clock = state.clocks[fact.metric]
        if fact.value == "at_risk":
            state.clocks[fact.metric] = replace(clock, at_risk_told=True)
        else:
            state.clocks[fact.metric] = replace(clock, at_risk_told=True, breached_told=True)


def _received(state: _State, fact: Fact) -> None:
    if not fact.counts or state.out:
        return
    if not state.answered:
        if Metric.FIRST_RESPONSE not in state.clocks:
            state.start(Metric.FIRST_RESPONSE, fact.at)
        else:
            stopped = state.clocks[Metric.FIRST_RESPONSE]
            if stopped.ended_as is ClockState.STOPPED:
                state.resume(Metric.FIRST_RESPONSE, fact.at)
    elif not state.owed(Metric.NEXT_RESPONSE):
        state.start(Metric.NEXT_RESPONSE, fact.at)
    if Metric.RESOLUTION not in state.clocks and state.status not in _DONE:
        state.start(Metric.RESOLUTION, fact.at)


def _sent(state: _State, fact: Fact) -> None:
    state.answered = True
    if not fact.counts or state.out:
        return
    state.end(Metric.FIRST_RESPONSE, fact.at)
    state.end(Metric.NEXT_RESPONSE, fact.at)
    if state.status not in _DONE:
        state.start(Metric.UPDATE, fact.at)


def _status(state: _State, status: Status, at: datetime) -> None:
    was, state.status = state.status, status
    if state.out or state.policy is None:
        return
    if status in _DONE:
        if was not in _DONE:
            state.end(Metric.RESOLUTION, at)
            for metric in (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE, Metric.UPDATE):
                state.end(metric, at, as_stopped=True)
        return
    if was in _DONE and status not in state.policy.pause_on:
        state.resume(Metric.RESOLUTION, at)
        return
    if status in state.policy.pause_on:
        if state.owed(Metric.RESOLUTION):
            state.halt(Metric.RESOLUTION, at)
        elif was in _DONE and Metric.RESOLUTION in state.clocks:
            # Reopened straight into a pause: owed again, and standing still.
            clock = state.clocks[Metric.RESOLUTION]
            state.clocks[Metric.RESOLUTION] = replace(clock, ended_at=None, ended_as=None)
    elif was in state.policy.pause_on:
        state.resume(Metric.RESOLUTION, at)


def _priority(state: _State, priority: Priority) -> None:
    state.priority = priority
    for metric, clock in list(state.clocks.items()):
        if clock.ended_at is not None or state.policy is None:
            continue
        target = state.policy.target(metric, priority)
        if target is None:
            # No promise for this priority: it ends here and now, and the elapsed time is kept in
            # case one returns.
            continue
        if target != clock.target_s:
            state.clocks[metric] = replace(
                clock, target_s=target, at_risk_told=False, breached_told=False
            )


def _back(state: _State, at: datetime) -> None:
    if state.policy is None or state.status in _DONE:
        return
    for metric, clock in list(state.clocks.items()):
        if clock.ended_as is not ClockState.STOPPED:
            continue
        if metric is Metric.RESOLUTION and state.status in state.policy.pause_on:
            state.clocks[metric] = replace(clock, ended_at=None, ended_as=None)
        elif metric is not Metric.UPDATE:
            state.resume(metric, at)


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


def ledger(
    facts: Iterable[Fact],
    policy: Policy | None,
    now: datetime,
    priority: Priority = Priority.MEDIUM,
) -> dict[Metric, list[Counted]]:
    """For each clock the intervals that were counted and that were not, which add up to what is
    spent.
    """
    found: dict[Metric, list[Counted]] = {}

    def note(clock: Clock, start: datetime, end: datetime, why: str) -> None:
        intervals = found.setdefault(clock.metric, [])
        if intervals and start > intervals[-1].end and start != clock.started_at:
            intervals.append(Counted(intervals[-1].end, start, 0, "paused"))
        elif start == clock.started_at:
            intervals.clear()
        if why == "counted":
            seconds = round(clock.policy.calendar.between(start, end))
            intervals.append(Counted(start, end, seconds, why))

    state = _State(policy, priority, on_interval=note)
    for fact in facts:
        _apply(state, fact)
    for metric, clock in list(state.clocks.items()):
        found.setdefault(metric, [])
        if clock.ended_at is None:
            if clock.running_from is not None:
                note(clock, clock.running_from, now, "counted")
            elif found[metric] and found[metric][-1].end < now:
                found[metric].append(Counted(found[metric][-1].end, now, 0, "paused"))
    return {metric: found[metric] for metric in state.clocks}
