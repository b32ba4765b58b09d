"""Which rules listen to what: made once for the rules as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflow.model import Priority
from workflow.rulebook import Rules
from workflow.triggers.events import MARK, stored_names
from workflow.triggers.rule import Do, Once, Rule, Up

__all__ = ["Listening", "listen"]

ROUTED = "ticket.routed"


@dataclass(frozen=True, slots=True)
class Listening:
    """Rules by the words of the events that they fire on or are called off by, and by name."""

    by_word: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    off_by_word: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    by_name: Mapping[str, Rule] = field(default_factory=dict)
    marked: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    """By name, those that wait for a moment of a clock."""
    routes: Mapping[str, Rule] = field(default_factory=dict)
    """Rows of the routing table that run a macro, by their names."""
    scheduled: tuple[Rule, ...] = ()
    names: frozenset[str] = frozenset()
    """How the events are called where they are stored."""

    @property
    def idle(self) -> bool:
        """Whether no rule waits for anything."""
        return not self.names and not self.scheduled


def listen(rules: Rules) -> Listening:
    """Put the rules in order."""
    known = (*rules.rules, *_of_policies(rules))
    routes = {
        route.name: Rule(route.name, "routing.csv", route.line, Do(macro=route.given.macro))
        for route in rules.routes.table.routes
        if route.given.macro and route.live
    }
    by_word = _by_word((word, rule) for rule in known for word in rule.on)
    off = _by_word((word, rule) for rule in known for word in rule.unless)
    waits = [r for r in known if r.unanswered_s is not None or r.unresolved_s is not None]
    names = set(stored_names((*by_word, *off)))
    if waits:
        names.add(MARK)
    if routes:
        names.add(ROUTED)
    return Listening(
        by_word,
        off,
        {rule.name: rule for rule in known},
        _by_word((rule.name, rule) for rule in waits),
        routes,
        tuple(rule for rule in known if rule.every is not None),
        frozenset(names),
    )


def _of_policies(rules: Rules) -> Iterable[Rule]:
    """What the policies say of escalating, as rules."""
    for policy in rules.policies.in_order:
        if not policy.escalate:
            continue
        file, _, line = policy.cause.partition(":")
        yield Rule(
            f"policy:{policy.name}",
            file,
            int(line) if line.isdigit() else 1,
            Do(escalate=Up()),
            # Each priority has its own time, which the clocks know.
            unresolved_s=policy.escalate.get(Priority.MEDIUM, 0),
            once=Once("ticket"),
            policy=True,
        )


def _by_word(pairs: Iterable[tuple[str, Rule]]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for word, rule in pairs:
        found[word] = (*found.get(word, ()), rule)
    return found
