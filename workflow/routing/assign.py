"""Who of a group gets a ticket: by turns, who has least to do, or who knows the customer; only
agents who are here, and none over the group's cap.

Reading is two statements however many tickets there are; whom to choose is decided in memory, and
what was decided counts for the next ticket of the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflow.actions import Assign
from workflow.apply import APPLY, Context, set_by_person
from workflow.model import ENGINE, from_millis
from workflow.settings import GroupSettings, Settings
from workflow.store.statements import col, select
from workflow.store.store import Transaction
from workflow.store.tables import Agent, Ticket
from workflow.store.team import loads, owners, waiting_in

__all__ = [
    "Choice",
    "Member",
    "Staff",
    "choose",
    "hand_out",
    "is_away",
    "load_previous",
    "load_staff",
]

SOON = timedelta(hours=1)
"""Who is back within this keeps the tickets whose customers write in the meantime."""

_BATCH = 200
_LONG_AGO = from_millis(0)


@dataclass(frozen=True, slots=True)
class Member:
    """An agent of a group as assignment sees them; ``load`` are the open tickets they have."""

    name: str
    here: bool = True
    load: int = 0
    last_assigned_at: datetime | None = None

    @property
    def turn(self) -> tuple[datetime, str]:
        """Sorts who has waited longest first."""
        return self.last_assigned_at or _LONG_AGO, self.name


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets the ticket, None where it stays with the group; ``why`` is a phrase for a person."""

    agent: str | None
    why: str


def choose(group: GroupSettings, members: Iterable[Member], previous: str | None = None) -> Choice:
    """Who of the members gets a ticket of the group. ``previous`` had the customer's last one."""
    if group.assign == "manual":
        return Choice(None, f"whoever of {group.name} takes it")
    everybody = list(members)
    here = [member for member in everybody if member.here]
    free = [member for member in here if group.cap is None or member.load < group.cap]
    if not free:
        return Choice(None, _nobody(group, everybody, here))
    if group.assign == "previous" or group.prefer_previous:
        known = next((member for member in free if member.name == previous), None)
        if known is not None:
            return Choice(known.name, f"{known.name} had the customer's last ticket")
        if group.assign == "previous":
            return Choice(None, _not_known(group, previous, everybody, here))
    if group.assign == "least-loaded":
        found = min(free, key=lambda member: (member.load, member.turn))
        return Choice(
            found.name, f"{found.name} has least to do in {group.name} ({found.load} open)"
        )
    found = min(free, key=lambda member: member.turn)
    return Choice(found.name, f"it is the turn of {found.name} in {group.name}")


def _nobody(group: GroupSettings, everybody: list[Member], here: list[Member]) -> str:
    if not everybody:
        return f"nobody is in {group.name}"
    if not here:
        return f"nobody of {group.name} is here"
    return f"everybody of {group.name} who is here has {group.cap} open tickets or more"


def _not_known(
    group: GroupSettings, previous: str | None, everybody: list[Member], here: list[Member]
) -> str:
    if previous is None or previous not in [member.name for member in everybody]:
        return f"nobody of {group.name} has had this customer"
    if previous not in [member.name for member in here]:
        return f"{previous}, who had the customer's last ticket, is away"
    return f"{previous}, who had the customer's last ticket, has {group.cap} open tickets or more"


def is_away(agent: Agent, now: datetime) -> bool:
    """Whether an agent has said that they are away and is not back yet."""
    return agent.away_since is not None and (agent.away_until is None or agent.away_until > now)


@dataclass(slots=True)
class Staff:
    """The agents of a desk while tickets are handed out."""

    agents: Mapping[str, Agent]
    loads: dict[str, int]
    now: datetime
    given: list[str] = field(default_factory=list)

    def members(self, group: str) -> list[Member]:
        """The agents of a group."""
        return [
            Member(
                name,
                not is_away(agent, self.now),
                self.loads.get(name, 0),
                agent.last_assigned_at,
            )
            for name, agent in self.agents.items()
            if group in agent.groups
        ]

    def pick(self, group: GroupSettings, previous: str | None) -> Choice:
        """Choose somebody for a ticket of the group; it counts at once."""
        found = choose(group, self.members(group.name), previous)
        if found.agent is not None:
            self.loads[found.agent] = self.loads.get(found.agent, 0) + 1
            # One after the other, so that the turn is clear within one batch too.
            moment = self.now + timedelta(milliseconds=len(self.given))
            self.agents[found.agent].last_assigned_at = moment
            self.given.append(found.agent)
        return found

    def gone(self, name: str) -> bool:
        """Whether an agent is away for longer than a break."""
        agent = self.agents.get(name)
        if agent is None or not is_away(agent, self.now):
            return False
        return agent.away_until is None or agent.away_until - self.now > SOON

    def moved(self, before: str | None, after: str | None) -> None:
        """Count a ticket that changed hands otherwise."""
        for name, one in ((before, -1), (after, 1)):
            if name is not None:
                self.loads[name] = self.loads.get(name, 0) + one


def load_staff(transaction: Transaction, settings: Settings) -> Staff:
    """The agents, and where a group asks for it what each has to do, in two statements."""
    session = transaction.session
    session.flush()
    agents = {a.name: a for a in session.exec(select(Agent).where(col(Agent.active)))}
    if not any(group.cap or group.assign == "least-loaded" for group in settings.groups):
        return Staff(agents, {}, transaction.now)
    return Staff(agents, loads(transaction.raw), transaction.now)


def load_previous(
    transaction: Transaction, customers: Iterable[int], without: Iterable[int]
) -> dict[int, list[str]]:
    """For each customer who had their tickets, the last one first; ``without`` are tickets that do
    not count. One statement.
    """
    found: dict[int, list[str]] = {}
    skipped = set(without)
    for customer, assignee, number in owners(transaction.raw, sorted(set(customers))):
        if number not in skipped:
            found.setdefault(customer, []).append(assignee)
    return found


def previous_of(staff: Staff, group: str, names: Iterable[str]) -> str | None:
    """The first of the names who is in a group."""
    return next(
        (name for name in names if name in staff.agents and group in staff.agents[name].groups),
        None,
    )


def hand_out(context: Context, groups: Iterable[str] | None = None, most: int = _BATCH) -> int:
    """Give tickets that wait in a group to agents who are here by now and below the cap; how many
    were given. What a person has taken from an agent, and what waits for somebody to accept it,
    stays as it is.
    """
    asked = set(groups) if groups is not None else None
    handing = {
        group.name: group
        for group in context.settings.groups
        if group.assign != "manual" and (asked is None or group.name in asked)
    }
    if not handing:
        return 0
    transaction = context.transaction
    numbers = waiting_in(transaction.raw, sorted(handing), most)
    if not numbers:
        return 0
    waiting = transaction.session.exec(select(Ticket).where(col(Ticket.id).in_(numbers))).all()
    in_order = sorted(waiting, key=lambda ticket: numbers.index(ticket.id or 0))
    tickets = [ticket for ticket in in_order if not set_by_person(ticket, "assignee")]
    if not tickets:
        return 0
    staff = load_staff(transaction, context.settings)
    previous = _previous_for(context, handing.values(), tickets)
    given = 0
    for ticket in tickets:
        assert ticket.group_name is not None
        assert ticket.id is not None
        group = handing[ticket.group_name]
        names = previous.get(ticket.customer_id, ())
        found = staff.pick(group, previous_of(staff, group.name, names))
        if found.agent is not None:
            give(context, ticket.id, group, found)
            given += 1
    transaction.session.add_all([staff.agents[name] for name in dict.fromkeys(staff.given)])
    return given


def _previous_for(
    context: Context, groups: Iterable[GroupSettings], tickets: list[Ticket]
) -> dict[int, list[str]]:
    if not any(group.prefer_previous or group.assign == "previous" for group in groups):
        return {}
    customers = [ticket.customer_id for ticket in tickets]
    without = [ticket.id for ticket in tickets if ticket.id is not None]
    return load_previous(context.transaction, customers, without)


def give(context: Context, ticket: int, group: GroupSettings, choice: Choice) -> None:
    """Assign a ticket to whom was chosen, in the engine's name."""
    cause = f"{group.assign} in {group.name}: {choice.why}"
    APPLY[Assign](replace(context, actor=ENGINE, cause=cause), Assign(ticket, choice.agent))
