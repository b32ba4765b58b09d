"""Rules that events fire: whatever was written since the last look is taken in order, once.

How far it was looked is a row that moves in the transaction of what fires, so that of any number of
processes exactly one fires each rule on each event. Nothing is written while nothing fires.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflow.apply import Context
from workflow.caps import span_words
from workflow.rulebook import Rules
from workflow.store.statements import col, func, select
from workflow.store.store import Transaction
from workflow.store.tables import Event, Meta, Ticket
from workflow.triggers.asked import Asked
from workflow.triggers.events import MARK, Happening, concerns, words_of
from workflow.triggers.firing import FIRED, fire
from workflow.triggers.listening import ROUTED, Listening, listen
from workflow.triggers.occasion import Occasion
from workflow.triggers.rule import Rule
from workflow.triggers.timed import call_off, keep_schedules, start_timer

if TYPE_CHECKING:
    from workflow.desk import Desk

__all__ = ["Reactions", "chain_of", "react"]

CURSOR = "rules_looked_at"
"""The newest event that rules have been asked about."""

_BATCH = 100
_FAR = 1_000
"""So many events on, the row moves though nothing fired, for the look to stay short."""
_MOST_BATCHES = 1_000


@dataclass(slots=True)
class Reactions:
    """What one process remembers of the rules, so that a desk without any pays nothing."""

    listening: Listening = field(default_factory=Listening)
    began: bool = False
    """Whether the row is known to be there."""
    _rules: Rules | None = None
    scheduled: bool = False
    """Whether the times of these rules are in the database."""

    def of(self, rules: Rules) -> Listening:
        """The rules by what they listen to."""
        seen = self._rules
        if seen is None or (seen.rules, seen.policies, seen.routes) != (
            rules.rules,
            rules.policies,
            rules.routes,
        ):
            self._rules, self.listening, self.scheduled = rules, listen(rules), False
        return self.listening

    def waits_for(self, names: Set[str]) -> bool:
        """Whether a rule listens to one of these events, or the rules are others than before."""
        known = self.listening
        if known.idle:
            return self.began
        unkept = bool(known.scheduled) and not self.scheduled
        return unkept or not known.names.isdisjoint(names)

    def begin(self, context: Context) -> None:
        """Before anything is written: a desk that has got its first rule starts here, not with what
        happened before.
        """
        if self.of(context.rules).idle or self.began:
            return
        transaction = context.transaction
        if transaction.session.get(Meta, CURSOR) is None:
            transaction.session.add(Meta(name=CURSOR, value=str(_newest(transaction))))
            transaction.session.flush()
        self.began = True


def react(desk: Desk) -> int:
    """Fire what the events ask for that nobody has looked at yet; the number of firings.

    Raises StoreError.
    """
    reactions, fired = desk.reactions, 0
    if reactions.of(desk.rule_book.current).idle and not reactions.began:
        return 0
    for _ in range(_MOST_BATCHES):
        with desk.engine_change("rules") as context:
            more, count = _batch(context, reactions)
        fired += count
        if not more:
            break
    return fired


def _batch(context: Context, reactions: Reactions) -> tuple[bool, int]:
    """Take some events; whether there may be more, and how many rules have fired."""
    transaction, listening = context.transaction, reactions.of(context.rules)
    row = transaction.session.get(Meta, CURSOR)
    if listening.idle:
        # Rules that come back later must not fire on what happened without them.
        if row is not None:
            transaction.session.delete(row)
        reactions.began = False
        keep_schedules(context, ())
        return False, 0
    if not reactions.scheduled:
        keep_schedules(context, listening.scheduled)
        reactions.scheduled = True
    newest = _newest(transaction)
    if row is None:
        transaction.session.add(Meta(name=CURSOR, value=str(newest)))
        reactions.began = True
        return False, 0
    looked = int(row.value)
    found = transaction.session.exec(
        select(Event)
        .where(col(Event.id) > looked, col(Event.name).in_(listening.names))
        .order_by(col(Event.id))
        .limit(_BATCH)
    ).all()
    more = len(found) == _BATCH
    if found or newest - looked > _FAR:
        row.value = str(found[-1].id if more else newest)
        transaction.session.add(row)
        transaction.session.flush()
    happenings = [
        Happening(event.id or 0, event.at, event.name, event.ticket_id, event.actor, event.data,
                  event.change_id)
        for event in found
    ]  # fmt: skip
    asked = Asked(transaction, listening.by_name.values())
    asked.expect(happening.ticket for happening in happenings)
    fired = sum(_take(context, listening, happening, asked) for happening in happenings)
    # What a firing wrote may fire others.
    return more or fired > 0, fired


def _newest(transaction: Transaction) -> int:
    return transaction.session.scalar(select(func.max(Event.id))) or 0


def _take(context: Context, listening: Listening, happening: Happening, asked: Asked) -> int:
    """Ask the rules about one event; how many have fired."""
    if happening.name == "ticket.created" and _imported(context, happening):
        return 0
    count = sum(fire(context, occasion, asked) for occasion in _special(listening, happening))
    for word in words_of(happening):
        for rule in listening.off_by_word.get(word, ()):
            call_off(context, rule, happening)
        for rule in listening.by_word.get(word, ()):
            if not concerns(rule, word, happening):
                continue
            if rule.delay_s is not None:
                start_timer(context, rule, happening)
                continue
            count += fire(context, _occasion(context, rule, word, happening), asked)
    return count


def _occasion(context: Context, rule: Rule, word: str, happening: Happening) -> Occasion:
    on = word
    if word == "customer event":
        on = f"customer event {happening.data.get('event')}"
    return Occasion(
        rule,
        on,
        ticket=happening.ticket,
        customer=happening.data.get("customer"),
        event=happening.id,
        chain=chain_of(context, happening),
        data=happening.data,
    )


def _special(listening: Listening, happening: Happening) -> Iterator[Occasion]:
    """Moments of clocks, and rows of the routing table that run a macro."""
    data, event = happening.data, happening.id
    if happening.name == MARK:
        for rule in listening.marked.get(str(data.get("rule")), ()):
            what = "unresolved" if data.get("metric") == "resolution" else "unanswered"
            for_how_long = span_words(int(data.get("after_s") or 0))
            on = f"{what} for {for_how_long}"
            yield Occasion(rule, on, ticket=happening.ticket, event=event, data=data)
    elif happening.name == ROUTED and data.get("mode", "live") == "live":
        routed = listening.routes.get(str(data.get("rule")))
        if routed is not None:
            yield Occasion(routed, "routed", ticket=happening.ticket, event=event, data=data)


def _imported(context: Context, happening: Happening) -> bool:
    """Whether a ticket is history: taken in by import, or older than its account's cut-off date."""
    ticket = context.transaction.session.get(Ticket, happening.ticket)
    return ticket is not None and ticket.no_clocks


def chain_of(context: Context, happening: Happening) -> tuple[str, ...]:
    """The rules whose firings led to an event, the first one first."""
    if happening.change is None or not happening.actor.startswith(("rule:", "policy:")):
        return ()
    rows = context.transaction.session.exec(
        select(Event.data).where(col(Event.change_id) == happening.change, col(Event.name) == FIRED)
    )
    return next((tuple(data.get("chain", ())) for data in rows), ())
