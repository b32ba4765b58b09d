"""Who is at the desk: an agent says that they are away, and until when, and that they are back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, UsageError
from workflow.model import rfc3339
from workflow.routing.assign import hand_out, is_away
from workflow.store.statements import col, select
from workflow.store.tables import Agent, Event
from workflow.undo import reverts

__all__ = ["set_presence"]


@applies(a.SetPresence)
def set_presence(context: Context, action: a.SetPresence) -> Result:
    """Note that an agent is away or back. Who comes back is given what waits in their groups.

    Raises NotFound for nobody, UsageError for an end that has passed.
    """
    agent = _agent(context, action.agent)
    until = action.until.replace(microsecond=0) if action.until is not None else None
    if action.here:
        until = None
    elif until is not None and until <= context.now:
        raise UsageError("the time to be back has already passed: give a later one")
    before = _state(agent)
    since = None if action.here else agent.away_since
    if not action.here and (since is None or not is_away(agent, context.now)):
        since = context.now.replace(microsecond=0)
    agent.away_since, agent.away_until = since, until
    after = _state(agent)
    context.transaction.session.add(agent)
    if before != after:
        data = {"agent": agent.name, "before": before, "after": after}
        context.record("agent.here" if action.here else "agent.away", None, data)
    given = hand_out(context, agent.groups) if action.here else 0
    return Result(_words(agent, action.here, until, given))


def _words(agent: Agent, here: bool, until: datetime | None, given: int) -> str:
    if not here:
        return f"{agent.name} is away" + (f" until {rfc3339(until)}" if until else "")
    waited = f", and was given {given} waiting" if given else ""
    return f"{agent.name} is here{waited}"


def _agent(context: Context, name: str) -> Agent:
    row = context.transaction.session.get(Agent, name)
    if row is None or not row.active:
        rows = context.transaction.session.exec(select(Agent.name).where(col(Agent.active)))
        known = ", ".join(sorted(rows)) or "none yet"
        raise NotFound(f"there is no agent {name!r} in deskhand.toml (there are: {known})")
    return row


def _state(agent: Agent) -> dict[str, Any]:
    return {"since": rfc3339(agent.away_since), "until": rfc3339(agent.away_until)}


@reverts("agent.away", "agent.here")
def _back(context: Context, event: Event) -> None:
    """Be where one was before."""
    from workflow.clock import parse_moment

    agent = _agent(context, str(event.data["agent"]))
    before = event.data["before"]
    agent.away_since, agent.away_until = (
        parse_moment(before[name]) if before[name] else None for name in ("since", "until")
    )
    context.transaction.session.add(agent)
    data = {"agent": agent.name, "before": event.data["after"], "after": before}
    context.record(
        "agent.away" if agent.away_since else "agent.here", None, {**data, "undoes": event.id}
    )
