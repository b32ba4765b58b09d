"""What rules have asked about tickets in one transaction: facts are read once for many tickets and
rules, and queries are made ready once.
"""

from __future__ import annotations

from collections.abc import Iterable

from workflow.query.context import Context
from workflow.query.predicate import Predicate, TicketFacts, compile_predicate
from workflow.store.facts import load_facts
from workflow.store.store import Transaction
from workflow.triggers.rule import Rule

__all__ = ["Asked"]


class Asked:
    """Answers whether tickets match the queries of rules, by what the transaction has made of them."""

    def __init__(self, transaction: Transaction, rules: Iterable[Rule]) -> None:
        self._transaction = transaction
        self._texts = any("text" in rule.when.fields for rule in rules)
        self._facts: dict[int, TicketFacts] = {}
        self._predicates: dict[str, Predicate] = {}

    def expect(self, tickets: Iterable[int | None]) -> None:
        """Read the facts of tickets that will be asked about, all at once."""
        missing = {number for number in tickets if number is not None} - self._facts.keys()
        if missing:
            raw = self._transaction.raw
            for facts in load_facts(raw, sorted(missing), texts=self._texts):
                self._facts[facts.id] = facts

    def forget(self, ticket: int | None) -> None:
        """A ticket was changed (None: perhaps others too): what is known of it is old."""
        if ticket is None:
            self._facts.clear()
        else:
            self._facts.pop(ticket, None)

    def fits(self, rule: Rule, ticket: int) -> bool:
        """Whether a ticket matches a rule's query; one that is not there does not."""
        if rule.when.empty:
            return True
        self.expect([ticket])
        facts = self._facts.get(ticket)
        if facts is None:
            return False
        text = rule.when.text
        found = self._predicates.get(text)
        if found is None:
            asking = Context(None, self._transaction.now)
            found = self._predicates[text] = compile_predicate(rule.when, asking, scoped=False)
        return found(facts)
