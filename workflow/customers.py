"""One person behind several addresses and accounts: joining two customers, and taking them apart.

The same address or chat account needs no joining: intake finds its customer by it. What an agent
joins is a tree of decisions (``Customer.merged_into``): identities and tickets stand with the root,
messages stay on their tickets. Where each stood before anybody joined anything is told by the
events, so that taking apart gives back exactly what came, in whatever order people were joined:

- an identity goes back to the customer whom it made;
- a ticket goes back with the identity that its first message came by, also one that was opened
  after the two were joined; one that no identity explains goes back if it was moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, Refusal
from workflow.store.statements import col, func, select, update
from workflow.store.tables import Customer, Event, Identity, Message, Ticket

__all__ = ["JOINED", "MOVED", "SPLIT", "link", "root_of", "unlink"]

JOINED = "customer.joined"
"""The event of joining: ``keep``, ``other``, the ``identities`` and ``tickets`` that moved."""
SPLIT = "customer.split"
"""The event of taking apart, with the same data."""
MOVED = "ticket.customer"
"""On each ticket that went with it."""

_FILLED = {"name": "", "company": "", "tier": "standard"}
"""What the one who is kept takes over from the other where it says nothing itself."""

_CHUNK = 800


@applies(a.JoinCustomers)
def join_customers(context: Context, action: a.JoinCustomers) -> Result:
    """Make two customers one person. Raises NotFound, and Refusal where they are one already."""
    keep = root_of(context, _customer(context, action.keep))
    other = root_of(context, _customer(context, action.other))
    if keep.id == other.id:
        raise Refusal(f"{_words(keep)} cannot be joined: the two are the same person already")
    link(context, other, keep)
    return Result(f"joined {_words(other)} with {_words(keep)}")


@applies(a.SplitCustomer)
def split_customer(context: Context, action: a.SplitCustomer) -> Result:
    """Take a customer who was joined with another out again, or the only one who was joined with
    this one.

    Raises NotFound, and Refusal where nobody was joined or several were.
    """
    customer = _customer(context, action.customer)
    if customer.merged_into is None:
        joined = _children(context, [customer.id or 0])
        if not joined:
            raise Refusal(
                f"{_words(customer)} was not joined with anybody: deskhand customer list shows who is there"
            )
        if len(joined) > 1:
            named = ", ".join(_words(each) for each in joined)
            raise Refusal(
                f"several were joined with {_words(customer)}: say which one to take out: {named}"
            )
        customer = joined[0]
    keep = _customer(context, customer.merged_into or 0)
    unlink(context, customer)
    return Result(f"took {_words(customer)} apart from {_words(keep)}")


def _customer(context: Context, number: int) -> Customer:
    found = context.transaction.session.get(Customer, number)
    if found is None:
        raise NotFound(
            f"there is no customer {number}: deskhand customer list shows those there are"
        )
    return found


def _words(customer: Customer) -> str:
    return f"{customer.name} ({customer.id})" if customer.name else f"customer {customer.id}"


def root_of(context: Context, customer: Customer) -> Customer:
    """The person whom a customer is part of: the end of the chain of those it was joined with."""
    seen = {customer.id}
    while customer.merged_into is not None:
        customer = _customer(context, customer.merged_into)
        if customer.id in seen:
            raise Refusal(f"{_words(customer)} is joined in a circle: run deskhand doctor")
        seen.add(customer.id)
    return customer


def link(
    context: Context,
    other: Customer,
    keep: Customer,
    *,
    fields: Sequence[str] = tuple(_FILLED),
    undoes: int | None = None,
) -> None:
    """Put a customer, with all who were joined with them, under another; ``fields`` are those that
    the other may take over.
    """
    session = context.transaction.session
    assert keep.id is not None
    assert other.id is not None
    root = root_of(context, keep)
    assert root.id is not None
    homes = _homes(context)
    identities = session.exec(
        select(Identity).where(col(Identity.customer_id) == other.id).order_by(col(Identity.id))
    ).all()
    evidence = f"joined by {context.actor.wire}"
    before: dict[str, str] = {}
    for identity in identities:
        identity.customer_id = root.id
        # What belonged to somebody who was joined earlier keeps the evidence of that decision.
        if homes.identities.get(identity.id or 0, other.id) == other.id:
            before[str(identity.id)], identity.evidence = identity.evidence, evidence
        session.add(identity)
    tickets = [
        number
        for number in session.exec(
            select(Ticket.id).where(col(Ticket.customer_id) == other.id).order_by(col(Ticket.id))
        )
        if number is not None
    ]
    filled: dict[str, list[str]] = {}
    for name in fields:
        mine, theirs = getattr(keep, name), getattr(other, name)
        if mine == _FILLED[name] and theirs != mine:
            filled[name] = [mine, theirs]
            setattr(keep, name, theirs)
    other.merged_into = keep.id
    session.add_all([keep, other])
    data: dict[str, Any] = {
        "keep": keep.id,
        "other": other.id,
        "identities": [identity.id for identity in identities],
        "tickets": tickets,
        "evidence": evidence,
        "evidence_before": before,
        "filled": filled,
    }
    _move(context, JOINED, tickets, other.id, root.id, data, undoes)


def unlink(context: Context, other: Customer, *, undoes: int | None = None) -> None:
    """Give a customer, with all who had been joined with them, everything back that is theirs."""
    session = context.transaction.session
    assert other.id is not None
    keep, root = _customer(context, other.merged_into or 0), root_of(context, other)
    assert root.id is not None
    homes = _homes(context)
    theirs = set(_branch(context, other.id))
    back: list[Identity] = []
    values: dict[str, list[tuple[str, int]]] = {}
    for identity in session.exec(select(Identity).where(col(Identity.customer_id) == root.id)):
        home = homes.identities.get(identity.id or 0, root.id)
        values.setdefault(identity.value, []).append((identity.kind, home))
        if home in theirs:
            back.append(identity)
    decision = homes.decisions.get(other.id, {})
    said = decision.get("evidence_before", {})
    for identity in back:
        identity.customer_id = other.id
        identity.evidence = said.get(str(identity.id), identity.evidence)
        session.add(identity)
    tickets = [
        number for number, home in _ticket_homes(context, root.id, homes, values) if home in theirs
    ]
    restored: dict[str, list[str]] = {}
    for name, (before, after) in decision.get("filled", {}).items():
        if getattr(keep, name) == after:
            setattr(keep, name, before)
            restored[name] = [before, after]
    other.merged_into = None
    session.add_all([keep, other])
    data: dict[str, Any] = {
        "keep": keep.id,
        "other": other.id,
        "identities": [identity.id for identity in back],
        "tickets": tickets,
        "filled": restored,
    }
    _move(context, SPLIT, tickets, root.id, other.id, data, undoes)


def _move(
    context: Context,
    name: str,
    tickets: Sequence[int],
    source: int,
    target: int,
    data: dict[str, Any],
    undoes: int | None,
) -> None:
    """Move tickets, with the event of the decision and one on each ticket."""
    session = context.transaction.session
    session.flush()
    for start in range(0, len(tickets), _CHUNK):
        chunk = tickets[start : start + _CHUNK]
        session.exec(update(Ticket).where(col(Ticket.id).in_(chunk)).values(customer_id=target))
    if undoes is not None:
        data["undoes"] = undoes
    context.record(name, None, data)
    for number in tickets:
        context.record(MOVED, number, {"before": source, "after": target})


@dataclass(slots=True)
class _Homes:
    """Where identities and tickets stood before they were first moved, and the newest decision
    about each customer.
    """

    identities: dict[int, int] = field(default_factory=dict)
    tickets: dict[int, int] = field(default_factory=dict)
    decisions: dict[int, dict[str, Any]] = field(default_factory=dict)


def _homes(context: Context) -> _Homes:
    found = _Homes()
    rows = context.transaction.session.exec(
        # Of no ticket: so the index on tickets serves, and few rows are looked at.
        select(Event.data)
        .where(col(Event.ticket_id).is_(None), col(Event.name) == JOINED)
        .order_by(col(Event.id))
    )
    for data in rows:
        for number in data["identities"]:
            found.identities.setdefault(number, data["other"])
        for number in data["tickets"]:
            found.tickets.setdefault(number, data["other"])
        found.decisions[data["other"]] = dict(data)
    return found


def _children(context: Context, numbers: Sequence[int]) -> list[Customer]:
    query = (
        select(Customer).where(col(Customer.merged_into).in_(numbers)).order_by(col(Customer.id))
    )
    return list(context.transaction.session.exec(query))


def _branch(context: Context, number: int) -> Iterator[int]:
    """A customer and everybody who was joined with them, at whatever remove."""
    wanted = [number]
    while wanted:
        yield from wanted
        wanted = [child.id for child in _children(context, wanted) if child.id is not None]


def _ticket_homes(
    context: Context, root: int, homes: _Homes, values: dict[str, list[tuple[str, int]]]
) -> Iterator[tuple[int, int]]:
    """The tickets of a person, each with the customer to whom it belongs."""
    session = context.transaction.session
    first = (
        select(func.min(Message.id))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(col(Ticket.customer_id) == root)
        .group_by(col(Message.ticket_id))
    )
    opened = session.exec(
        select(Message.ticket_id, Message.channel, Message.from_address, Message.to_list).where(
            col(Message.id).in_(first)
        )
    )
    by_identity: dict[int, int] = {}
    for number, channel, sender, to in opened:
        # Mail that we wrote first belongs to whom it was written to.
        parties = [sender, *(address for _name, address in to)]
        for party in parties:
            home = _home_of(values.get(party.lower(), []), channel, party)
            if home is not None:
                by_identity[number] = home
                break
    ids = select(Ticket.id).where(col(Ticket.customer_id) == root).order_by(col(Ticket.id))
    for ticket in session.exec(ids):
        assert ticket is not None
        yield ticket, by_identity.get(ticket, homes.tickets.get(ticket, root))


def _home_of(found: Sequence[tuple[str, int]], channel: str, party: str) -> int | None:
    """Whose an address is; a ticket by hand is of no channel that has identities."""
    by_hand = "email" if "@" in party else "phone"
    for kind in (channel, by_hand):
        for known, home in found:
            if known == kind:
                return home
    return None
