"""What becomes of two tickets' promises when one of them is merged into the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from workflow.model import Metric

if TYPE_CHECKING:
    from workflow.sla import Clock, _State

    Interval = tuple[Clock, datetime, datetime]

__all__ = ["take_over"]

_RESPONSES = (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)


def take_over(state: _State, other: _State, at: datetime, told: Sequence[Interval]) -> None:
    """Let what is owed on ``other`` be owed on ``state``, which has it from ``at`` on.

    Of two promises of a kind the one that has used up more goes on, so that no merge gives time
    back; for updates the one that began last. ``told`` are the intervals that ``other`` has
    counted.
    """
    state.under_way |= other.under_way
    if other.out:
        return
    waiting = [at for at in (state.unanswered, state.set_aside, other.unanswered) if at is not None]
    if other.unanswered is not None:
        if state.done:
            state.set_aside = min(waiting)
        else:
            state.unanswered = min(waiting)
    if state.out or state.done:
        return
    theirs = next((other.clocks[metric] for metric in _RESPONSES if other.owed(metric)), None)
    if theirs is not None:
        response = Metric.NEXT_RESPONSE if state.answered else Metric.FIRST_RESPONSE
        _go_on(state, response, theirs, at, told)
    for metric in (Metric.RESOLUTION, Metric.UPDATE):
        if other.owed(metric):
            _go_on(state, metric, other.clocks[metric], at, told)


def _go_on(
    state: _State, metric: Metric, theirs: Clock, at: datetime, told: Sequence[Interval]
) -> None:
    """Let the other ticket's promise go on as the one of this metric, if it is the nearer one."""
    mine = state.clocks.get(metric)
    if mine is not None and mine.ended_at is None:
        mine_goes_on = (
            mine.started_at >= theirs.started_at
            if metric is Metric.UPDATE
            else mine.spent(at) >= theirs.spent(at)
        )
        if mine_goes_on:
            return
    target = state.target(metric)
    same = metric is theirs.metric and target == theirs.target_s
    clock = replace(
        theirs,
        metric=metric,
        target_s=target,
        at_risk_told=same and theirs.at_risk_told,
        breached_told=same and theirs.breached_told,
    )
    if state.on_interval is not None:
        for before, start, end in told:
            if (before.metric, before.started_at) == (theirs.metric, theirs.started_at):
                state.on_interval(replace(before, metric=metric, target_s=target), start, end)
    paused = metric is Metric.RESOLUTION and state.status in state.policy.pause_on
    if clock.running_from is None and not paused:
        clock = replace(clock, running_from=at)
    state.clocks[metric] = clock
    if paused:
        state.halt(metric, at)
