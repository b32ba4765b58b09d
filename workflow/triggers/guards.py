"""What keeps a rule from firing too often. What it has done is counted in the database, so that it
holds over processes and restarts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workflow.caps import span_words
from workflow.store.statements import ColumnElement, col, func, select
from workflow.store.store import Transaction
from workflow.store.tables import Firing
from workflow.triggers.occasion import Occasion
from workflow.triggers.rule import TICKET_CAP, Cap

__all__ = ["CAPPED", "Guarded", "judge", "remember", "told_lately"]

CAPPED = "capped:"
"""Before the name of a rule: it was told that its cap was reached."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """Why a rule does not fire, in a sentence; ``cap`` is the one that was reached, if it was one."""

    why: str
    cap: Cap | None = None


def judge(transaction: Transaction, occasion: Occasion) -> Guarded | None:
    """Why the rule must not fire now; None if it may. Shadow firings are counted by themselves."""
    rule = occasion.rule
    if rule.once is not None:
        subject = occasion.ticket if rule.once.per == "ticket" else occasion.customer
        within = rule.once.within_s
        if subject is not None and _times(transaction, occasion, rule.once.per, within):
            return Guarded(f"it has fired already: {rule.once}")
    if occasion.ticket is not None:
        count = _times(transaction, occasion, "ticket", TICKET_CAP.within_s)
        if count >= TICKET_CAP.count:
            return _capped(rule.name, f"on #{occasion.ticket}", count, TICKET_CAP)
    count = _times(transaction, occasion, "all", rule.cap.within_s)
    if count >= rule.cap.count:
        return _capped(rule.name, "in all", count, rule.cap)
    return None


def _capped(name: str, where: str, count: int, cap: Cap) -> Guarded:
    return Guarded(
        f"{name} has fired {count} times {where} within {span_words(cap.within_s)}, the cap is"
        f" {cap.count}: it does nothing until then",
        cap,
    )


def _times(transaction: Transaction, occasion: Occasion, per: str, within_s: int | None) -> int:
    conditions: list[ColumnElement[bool]] = [
        col(Firing.rule) == occasion.rule.name,
        col(Firing.shadow).is_(occasion.rule.shadow),
    ]
    if within_s is not None:
        conditions.append(col(Firing.at) > transaction.now - timedelta(seconds=within_s))
    if per == "ticket":
        conditions.append(col(Firing.ticket_id) == occasion.ticket)
    elif per == "customer":
        conditions.append(col(Firing.customer_id) == occasion.customer)
    transaction.session.flush()
    return transaction.session.scalar(select(func.count()).where(*conditions)) or 0


def remember(transaction: Transaction, occasion: Occasion) -> None:
    """Count a firing."""
    transaction.session.add(
        Firing(
            rule=occasion.rule.name,
            ticket_id=occasion.ticket,
            customer_id=occasion.customer,
            at=transaction.now,
            shadow=occasion.rule.shadow,
        )
    )


def told_lately(transaction: Transaction, occasion: Occasion, cap: Cap) -> bool:
    """Whether it was told within this time that the cap was reached; else it counts as told now."""
    name = f"{CAPPED}{occasion.rule.name}"
    since = transaction.now - timedelta(seconds=cap.within_s)
    transaction.session.flush()
    if transaction.session.exec(
        select(Firing.id).where(col(Firing.rule) == name, col(Firing.at) > since).limit(1)
    ).first():
        return True
    transaction.session.add(Firing(rule=name, ticket_id=occasion.ticket, at=transaction.now))
    return False
