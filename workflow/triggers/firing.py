"""One firing of a rule: whether it may, doing it as a change of its own, and the event that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workflow.apply import Context
from workflow.store.tables import Ticket
from workflow.triggers.asked import Asked
from workflow.triggers.doing import Done, carry_out
from workflow.triggers.guards import judge, remember, told_lately
from workflow.triggers.occasion import Occasion

__all__ = ["DEEPEST", "FIRED", "fire"]

FIRED = "rule.fired"
DEEPEST = 5
"""So many rules may fire one after the other by what the one before did."""


def fire(context: Context, occasion: Occasion, asked: Asked) -> bool:
    """Let a rule act, if its query fits and its guards allow it. Raises StoreError alone."""
    rule, transaction = occasion.rule, context.transaction
    number = occasion.ticket
    if number is not None:
        # The query first: it knows the ticket already.
        if not asked.fits(rule, number):
            return False
        ticket = transaction.session.get(Ticket, number)
        if ticket is None or ticket.merged_into is not None or ticket.spam_at is not None:
            return False
        occasion = replace(occasion, customer=ticket.customer_id)
    elif not rule.when.empty and not occasion.tickets:
        # A query is about a ticket, and there is none.
        return False
    acting = replace(context, actor=rule.actor, cause=rule.cause)
    if rule.name in occasion.chain:
        # What it did itself is no reason to do it again.
        return False
    if len(occasion.chain) >= DEEPEST:
        _tell(acting, occasion, "rule.stopped", _too_deep(occasion))
        return False
    if (guard := judge(transaction, occasion)) is not None:
        if guard.cap is not None and not told_lately(transaction, occasion, guard.cap):
            _tell(acting, occasion, "rule.stopped", guard.why)
        return False
    remember(transaction, occasion)
    before = transaction.change
    change = transaction.begin_change(rule.actor, rule.cause)
    done = carry_out(acting, occasion)
    change.summary = f"{rule.name}: {'; '.join(done.did) or 'nothing'}"[:500]
    transaction.session.add(change)
    acting.record(FIRED, occasion.ticket, _said(occasion, done))
    transaction.session.flush()
    transaction.change = before
    if not rule.shadow:
        # A macro may change the customer, and so every ticket of theirs.
        asked.forget(None if rule.do.macro else number)
    return True


def _too_deep(occasion: Occasion) -> str:
    way = " -> ".join((*occasion.chain, occasion.rule.name))
    return f"{DEEPEST} rules have fired one after the other ({way}): the last one does nothing"


def _tell(context: Context, occasion: Occasion, name: str, why: str) -> None:
    data = {"rule": occasion.rule.name, "on": occasion.on, "why": why}
    context.record(name, occasion.ticket, data)


def _said(occasion: Occasion, done: Done) -> dict[str, Any]:
    rule = occasion.rule
    data: dict[str, Any] = {
        "rule": rule.name,
        "file": rule.cause,
        "mode": rule.mode,
        "on": occasion.on,
        "did": done.did,
        "evidence": " ".join(filter(None, (rule.cause, rule.when.text))),
    }
    for name, value in (
        ("failed", done.failed),
        ("kept", done.kept),
        ("event", occasion.event),
        ("tickets", list(occasion.tickets)),
        ("chain", [*occasion.chain, rule.name]),
    ):
        if value:
            data[name] = value
    return data
