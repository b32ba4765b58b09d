"""Routing: a ticket that has just come in, or whose customer has written again before anybody took
it, is given what the first matching row of the table says, and somebody of its group.

What a person has chosen stays. The number of reads does not grow with the number of tickets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workflow.actions import Assign, SetField, SetPriority
from workflow.apply import (
    APPLY,
    Context,
    put_tags,
    set_by_person,
    setter_of,
    suggest_macro,
)
from workflow.model import ENGINE, UNRESOLVED, Actor, Priority, rfc3339
from workflow.query.conditions import Extra
from workflow.query.predicate import TicketFacts
from workflow.routing.assign import (
    Staff,
    give,
    load_previous,
    load_staff,
    previous_of,
)
from workflow.routing.matching import Verdict
from workflow.routing.table import Given, Route, Table
from workflow.store.facts import load_facts
from workflow.store.statements import col, select
from workflow.store.store import Arrived
from workflow.store.tables import Event, Group, Ticket

__all__ = ["ROUTED", "UNPLACED", "as_before_routing", "route"]

ROUTED = "ticket.routed"
UNPLACED = "ticket.unplaced"
"""Nobody of the group could be given the ticket, and why."""

_CHUNK = 400


@dataclass(slots=True)
class _Batch:
    """What was read for the tickets of one transaction."""

    context: Context
    created: frozenset[int]
    facts: Mapping[int, TicketFacts]
    last: Mapping[int, Mapping[str, Any]]
    staff: Staff
    groups: Sequence[Group]
    """Held so that the session need not read them for each ticket."""
    previous: Mapping[int, list[str]] = field(default_factory=dict)


def route(context: Context, arrived: Sequence[Arrived]) -> None:
    """Route the tickets of messages that customers have just sent."""
    numbers = sorted({one.ticket for one in arrived})
    created = frozenset(one.ticket for one in arrived if one.created)
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        tickets = context.transaction.session.exec(
            select(Ticket).where(col(Ticket.id).in_(chunk)).order_by(col(Ticket.id))
        ).all()
        batch = _read(context, tickets, created)
        for ticket in tickets:
            _one(batch, ticket)
        staff = batch.staff
        context.transaction.session.add_all(
            [staff.agents[name] for name in dict.fromkeys(staff.given)]
        )


def _read(context: Context, tickets: Sequence[Ticket], created: frozenset[int]) -> _Batch:
    transaction, routes = context.transaction, context.rules.routes
    numbers = [ticket.id for ticket in tickets if ticket.id is not None]
    facts: dict[int, TicketFacts] = {}
    last: dict[int, Mapping[str, Any]] = {}
    if routes.table.routes:
        found = load_facts(transaction.raw, numbers, texts=routes.table.needs_text)
        facts = {one.id: one for one in found}
        last = _last_routed(context, [number for number in numbers if number not in created])
    previous: dict[int, list[str]] = {}
    if any(g.prefer_previous or g.assign == "previous" for g in context.settings.groups):
        previous = load_previous(transaction, [t.customer_id for t in tickets], numbers)
    staff = load_staff(transaction, context.settings)
    groups = transaction.session.exec(select(Group)).all()
    return _Batch(context, created, facts, last, staff, groups, previous)


def _last_routed(context: Context, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """What the table last gave tickets that were here before."""
    if not numbers:
        return {}
    rows = context.transaction.session.exec(
        select(Event.ticket_id, Event.data)
        .where(col(Event.ticket_id).in_(numbers), col(Event.name) == ROUTED)
        .order_by(col(Event.id))
    )
    return {number: data for number, data in rows if number is not None and data["mode"] == "live"}


def _one(batch: _Batch, ticket: Ticket) -> None:
    if ticket.status not in UNRESOLVED or ticket.spam_at or ticket.merged_into is not None:
        return
    released = _release(batch, ticket)
    moved = False
    if batch.facts and (ticket.id in batch.created or _untouched(batch, ticket)):
        moved = _judge(batch, ticket)
    if released or moved or ticket.id in batch.created:
        _place(batch, ticket)


def _untouched(batch: _Batch, ticket: Ticket) -> bool:
    """Whether nobody has taken or answered a ticket yet."""
    facts = batch.facts[ticket.id or 0]
    return not (
        ticket.escalated_to is not None
        or Extra.REPLY in facts.extras
        or (ticket.assignee is not None and set_by_person(ticket, "assignee"))
    )


def _release(batch: _Batch, ticket: Ticket) -> bool:
    """Whose agent is away when the customer writes goes back to the group: somebody has to see it."""
    if ticket.id in batch.created or ticket.assignee is None:
        return False
    if not batch.staff.gone(ticket.assignee):
        return False
    name, agent = ticket.assignee, batch.staff.agents[ticket.assignee]
    until = f" until {rfc3339(agent.away_until)}" if agent.away_until else ""
    context = replace(batch.context, actor=ENGINE, cause=f"presence: {name} is away{until}")
    APPLY[Assign](context, Assign(ticket.id or 0, assignee=""))
    batch.staff.moved(name, None)
    return True


def _judge(batch: _Batch, ticket: Ticket) -> bool:
    """Ask the table, do what the row says; whether the ticket may have another group now."""
    number = ticket.id or 0
    last = batch.last.get(number)
    facts = as_before_routing(
        batch.facts[number], ticket.set_by, last, batch.context.rules.routes.table
    )
    verdict = batch.context.rules.routes.first(facts)
    if last is not None and last.get("rule") == _name(verdict.route):
        return False
    if verdict.shadow is not None:
        _tell(batch.context, number, verdict.shadow, {"mode": "shadow"})
    if verdict.route is None:
        data: dict[str, Any] = {
            "rule": None,
            "table": "routing.csv",
            "evidence": "no row matches",
            "result": {},
            "mode": "live",
        }
        batch.context.transaction.record(ROUTED, number, ENGINE, "routing.csv", data)
        return False
    _apply(batch, ticket, verdict)
    return True


def _name(route: Route | None) -> str | None:
    return route.name if route is not None else None


def _tell(context: Context, ticket: int, route: Route, more: dict[str, Any]) -> None:
    within = replace(context, actor=Actor("rule", route.name), cause=route.cause)
    within.record(
        ROUTED,
        ticket,
        {
            "rule": route.name,
            "table": route.cause,
            "evidence": route.evidence,
            "result": route.given.to_json(),
            **more,
        },
    )


def as_before_routing(
    facts: TicketFacts,
    set_by: Mapping[str, Any],
    last: Mapping[str, Any] | None,
    table: Table,
) -> TicketFacts:
    """The facts without what the table itself gave the ticket, so that asking twice says the same.

    ``last`` is the event of the last time; None where there was none.
    """
    if last is None or not last.get("rule"):
        return facts
    given: Mapping[str, Any] = last.get("result", {})
    rules = {f"rule:{name}" for name in (last["rule"], *(row.name for row in table.routes))}
    ours = {name for name, by in set_by.items() if by in rules}
    changes: dict[str, Any] = {}
    if "priority" in ours:
        changes["priority"] = int(Priority.MEDIUM)
    for name, column in (("group", "group_name"), ("level", "level"), ("assignee", "assignee")):
        if name in ours or (name == "assignee" and set_by.get(name) == ENGINE.wire):
            changes[column] = None
    return replace(facts, tags=facts.tags - frozenset(given.get("tags") or ()), **changes)


def _apply(batch: _Batch, ticket: Ticket, verdict: Verdict) -> None:
    route = verdict.route
    assert route is not None
    number, given = ticket.id or 0, route.given
    context = replace(batch.context, actor=Actor("rule", route.name), cause=route.cause)
    kept = [name for name in _wanted(given) if set_by_person(ticket, name)]
    more: dict[str, Any] = {"mode": "live"}
    if kept:
        more["kept"] = {name: setter_of(ticket, name) for name in kept}
    assignee = given.assignee if "assignee" not in kept else None
    if assignee is not None and batch.staff.gone(assignee):
        more["away"] = assignee
        assignee = None
    policy = None
    if given.policy is not None and "policy" not in kept:
        policy = context.rules.policies.named(given.policy)
        if policy is None:
            # sla.toml was written since: workflow check says so, and the mail is in all the same.
            more["unknown_policy"] = given.policy
    _tell(batch.context, number, route, more)
    if given.priority is not None and "priority" not in kept:
        APPLY[SetPriority](context, SetPriority(number, given.priority))
    move = Assign(
        number,
        assignee=assignee,
        group=given.group if "group" not in kept else None,
        level=given.level if "level" not in kept else None,
    )
    if move.group is not None and set_by_person(ticket, "level"):
        # A group brings its own level along, unless one is named.
        move = replace(move, level=ticket.level or "")
    if move != Assign(number):
        before = ticket.assignee
        if assignee is None and move.group not in (None, ticket.group_name) and before is not None:
            # Whom the other group's way of assigning had chosen is not of this one.
            move = replace(move, assignee="")
        APPLY[Assign](context, move)
        batch.staff.moved(before, ticket.assignee)
    named = ticket.policy if "policy" in ticket.set_by else None
    if policy is not None and named != policy.name:
        APPLY[SetField](context, SetField(number, "policy", policy.name))
    put_tags(context, number, [t for t in given.tags if t not in batch.facts[number].tags])
    if given.suggest is not None and ticket.suggested_macro != given.suggest:
        suggest_macro(context, ticket, given.suggest)


def _wanted(given: Given) -> Iterable[str]:
    fields = ("group", "level", "assignee", "priority", "policy")
    return (name for name in fields if getattr(given, name) is not None)


def _place(batch: _Batch, ticket: Ticket) -> None:
    """Give a ticket of a group to somebody of it."""
    group = batch.context.settings.group(ticket.group_name)
    if group is None or group.assign == "manual" or ticket.assignee is not None:
        return
    if set_by_person(ticket, "assignee"):
        return
    names = batch.previous.get(ticket.customer_id, ())
    found = batch.staff.pick(group, previous_of(batch.staff, group.name, names))
    if found.agent is not None:
        give(batch.context, ticket.id or 0, group, found)
        return
    cause = f"{group.assign} in {group.name}"
    data = {"group": group.name, "why": found.why}
    batch.context.transaction.record(UNPLACED, ticket.id, ENGINE, cause, data)
