"""Which policy a ticket has: the first that matches, unless a person or a rule named one.

It is chosen again whenever the ticket changes, in the same transaction; a ticket that is done keeps
the one it had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.model import ENGINE, UNRESOLVED, Priority
from workflow.policy import Mark, Policies
from workflow.query.predicate import TicketFacts
from workflow.store.facts import load_facts, promise_rows
from workflow.store.store import Transaction

__all__ = ["Promised", "choose_policies", "facts_for"]


@dataclass(frozen=True, slots=True)
class Promised:
    """What choosing has come to for a ticket."""

    ticket: int
    priority: int
    policy: str | None
    running: bool
    """Neither done, nor spam, nor merged: its clocks may run."""


def facts_for(
    transaction: Transaction, tickets: Sequence[int], policies: Policies, marks: Sequence[Mark]
) -> Mapping[int, TicketFacts]:
    """What policies and marks need to know of tickets, by number; empty where they ask nothing."""
    fields = policies.fields.union(*(mark.fields for mark in marks))
    if not fields:
        return {}
    found = load_facts(transaction.raw, tickets, texts="text" in fields)
    return {facts.id: facts for facts in found}


def choose_policies(
    transaction: Transaction,
    tickets: Iterable[int],
    policies: Policies,
    facts: Mapping[int, TicketFacts],
) -> list[Promised]:
    """The policy of each ticket from now on, with an event where it is another one."""
    chosen: list[Promised] = []
    for number, priority, status, before, set_by, out in promise_rows(transaction.raw, tickets):
        alive = status in UNRESOLVED and not out
        after = before
        named = "policy" in set_by and policies.named(before) is not None
        if not named and (alive or before is None):
            picked = policies.choose(facts.get(number, _NOTHING_KNOWN))
            after = picked.name if picked is not None else None
        if after != before and not (before is None and after == policies.default):
            _tell(transaction, number, policies, before, after)
        chosen.append(Promised(number, Priority(priority), after, alive))
    return chosen


_NOTHING_KNOWN = TicketFacts()


def _tell(
    transaction: Transaction, ticket: int, policies: Policies, before: str | None, after: str | None
) -> None:
    policy = policies.named(after)
    data: dict[str, Any] = {"before": before, "after": after}
    if policy is not None:
        data["match"] = policy.match
    cause = policy.cause if policy is not None else "no policy matches"
    transaction.record("ticket.policy", ticket, ENGINE, cause, data)
