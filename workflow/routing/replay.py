"""What would have become of a ticket under other rules: its history gone through again from the day
it came in, with another table, other policies and other topics.

A pure function of the ticket as it is stored and of the rules. What people did, what triggers did
and what the customer wrote stays as it was; what the table, the policies and the topics decided is
decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from workflow import history, sla
from workflow.calendars import Calendar
from workflow.model import ClockState, Priority, Status, Urgency, to_millis
from workflow.policy import Policies
from workflow.query.conditions import Extra
from workflow.query.predicate import TicketFacts
from workflow.query.terms import people_text, word_line
from workflow.routing.apply import ROUTED, UNPLACED
from workflow.routing.matching import Matcher
from workflow.routing.table import FILE, Route
from workflow.settings import Settings
from workflow.standing import standing
from workflow.store.rows import EventDetail, MessageDetail, TicketDetail
from workflow.triage.judge import topic_by_words
from workflow.triage.topics import NAME as TOPICS
from workflow.triage.topics import Topics
from workflow.triage.verdict import OTHER

__all__ = ["FIRED", "Decided", "TopicOf", "happened", "topics_again", "would"]

TopicOf = Callable[[MessageDetail, str | None, Mapping[str, Any]], str | None]
"""The topic of a message by other topics: given the message, its language and what triage told then."""

_TABLE = FILE.rpartition("/")[2]
FIRED = "rule.fired"
_LATE = (ClockState.BREACHED, ClockState.MISSED)


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of a ticket when it came in, and which of its promises were broken."""

    topic: str | None = None
    route: str | None = None
    group: str | None = None
    level: str | None = None
    assignee: str | None = None
    priority: str = Priority.MEDIUM.word
    policy: str | None = None
    breaches: frozenset[str] = frozenset()
    evidence: str = ""
    """The row with its conditions."""


def happened(
    ticket: TicketDetail, now: datetime, calendars: Mapping[str, Calendar] | None = None
) -> Decided:
    """What was decided in fact. A promise counts as broken where that was told, or is so by now."""
    walk = _Walk(ticket)
    changes = [event.data for event in ticket.events if event.name == "ticket.policy"]
    # The policy of a desk that has written none is told by no event.
    stored = ticket.policy or next((clock.policy for clock in ticket.clocks), None)
    walk.change(policy=changes[0]["before"] if changes else stored)
    for event in ticket.events:
        walk.take(event)
        if event.name == ROUTED and event.data.get("mode") == "live":
            walk.route = event.data.get("rule")
            walk.evidence = str(event.data.get("evidence", ""))
    walk.settle()
    told = {e.data["metric"] for e in ticket.events if e.name == "sla.breached"}
    late = {
        one.metric for one in ticket.clocks if standing(one, now, calendars or {}).state in _LATE
    }
    return replace(walk.decided, breaches=frozenset(told | late))


def would(
    ticket: TicketDetail,
    routes: Matcher,
    policies: Policies,
    settings: Settings,
    now: datetime,
    topic_of: TopicOf | None = None,
) -> Decided:
    """What other rules would have decided. Turns within a group are not gone through again: they
    depend on what everybody else had to do.
    """
    walk = _Retold(ticket, routes=routes, policies=policies, settings=settings, topic_of=topic_of)
    for event in ticket.events:
        walk.take(event)
    walk.settle()
    clocks = history.project(walk.rows, policies).clocks.values()
    late = frozenset(c.metric.value for c in clocks if sla.judge(c, now).state in _LATE)
    return replace(walk.decided, breaches=late)


def topics_again(ticket: TicketDetail, topics: Topics) -> TopicOf:
    """Tells the topics of a ticket's messages by the words of another ``topics.toml``. What the desk
    had learned is taken as it was then, and words that tell a topic come before it, as in triage.
    """
    first = next((message.id for message in ticket.messages if message.direction == "in"), None)

    def topic_of(
        message: MessageDetail, language: str | None, told: Mapping[str, Any]
    ) -> str | None:
        whole = message.full_text if message.id == first else None
        found = topic_by_words(topics, message.subject, message.text, language, whole)
        if found.value is not None:
            return found.value
        before: str | None = told.get("topic")
        why = str((told.get("evidence") or {}).get("topic", ""))
        if before is None or why.startswith(TOPICS):
            return OTHER if topics.own and topics.names else None
        return before

    return topic_of


@dataclass(slots=True)
class _Walk:
    """A ticket on its way through its events."""

    ticket: TicketDetail
    facts: TicketFacts = field(init=False)
    set_by: dict[str, str] = field(default_factory=dict)
    route: str | None = None
    evidence: str = ""
    decided: Decided = field(default_factory=Decided)
    arriving: datetime | None = None
    """The moment of the transaction that brought the message of which the events are."""
    taken: bool = False
    messages: Mapping[int, MessageDetail] = field(init=False)
    firings: frozenset[int] = frozenset()
    """The changes that rules have made, triggers and macros of rows."""

    def __post_init__(self) -> None:
        ticket = self.ticket
        self.messages = {message.id: message for message in ticket.messages}
        fired = (event.change_id for event in ticket.events if event.name == FIRED)
        self.firings = frozenset(change for change in fired if change is not None)
        customer = ticket.customer
        self.facts = TicketFacts(
            id=ticket.id,
            subject=_first(ticket.events, "subject", ticket.subject) or "",
            channel=ticket.channel,
            account=ticket.account,
            created_at=to_millis(ticket.created_at),
            customer_name=customer.name,
            company=_first(ticket.events, "company", customer.company) or "",
            tier=_first(ticket.events, "tier", customer.tier) or "standard",
            identities=tuple(identity.value for identity in customer.identities),
        )

    def take(self, event: EventDetail) -> None:
        """Go on by one event."""
        if self.arriving is not None and not self._of_arrival(event):
            self.settle()
        self._apply(event)
        if event.name == "message.received" and _counts(event.data):
            self._hear(event)
        elif event.name in ("message.received", "message.sent", "note.added"):
            self._read(event.data.get("message"))
        if event.name in ("message.queued", "message.sent") and event.data.get("human", True):
            self._extra(Extra.REPLY)
            self.taken = True

    def _of_arrival(self, event: EventDetail) -> bool:
        """Whether an event is of the transaction that brought a message."""
        if event.change_id in self.firings:
            # It followed in a transaction of its own, which may bear the same time.
            return False
        return event.at == self.arriving and not event.actor.startswith(("agent:", "customer"))

    def _hear(self, event: EventDetail) -> None:
        self._read(event.data.get("message"))
        if not self.taken:
            self.arriving = self._moment(event)

    def _moment(self, event: EventDetail) -> datetime:
        """When the transaction was that took a message in (its own event says when it reached us)."""
        events = self.ticket.events
        place = next(i for i, other in enumerate(events) if other.id == event.id)
        following = next(
            (e for e in events[place + 1 :] if e.actor.startswith(("triage", "rule:", "engine"))),
            event,
        )
        return following.at if following.at >= event.at else event.at

    def settle(self) -> None:
        """The transaction of an arrival is over: that is what was decided."""
        self.arriving = None
        if self.taken:
            return
        facts = self.facts
        self.decided = Decided(
            topic=facts.topic,
            route=self.route,
            group=facts.group_name,
            level=facts.level,
            assignee=facts.assignee,
            priority=Priority(facts.priority).word,
            policy=facts.policy,
            evidence=self.evidence,
        )

    def change(self, **changes: Any) -> None:
        """Other facts."""
        self.facts = replace(self.facts, **changes)

    def _extra(self, extra: Extra) -> None:
        self.change(extras=self.facts.extras | {extra})

    def _read(self, number: int | None) -> None:
        message = self.messages.get(number or 0)
        if message is None:
            return
        people = people_text(
            message.author, message.from_name, message.from_address, [*message.to, *message.cc]
        )
        body = message.full_text or message.text
        lines = tuple(word_line(part) for part in (message.subject, people, body))
        self.change(texts=(*self.facts.texts, *lines))
        if message.direction == "in" and message.from_address not in self.facts.senders:
            self.change(senders=(*self.facts.senders, message.from_address))
        if message.attachments:
            self._extra(Extra.ATTACHMENT)

    def _apply(self, event: EventDetail) -> None:
        data, name = event.data, event.name
        if name == "ticket.triaged":
            self._triaged(data)
        elif name == "ticket.created":
            self.change(priority=int(data.get("priority", Priority.MEDIUM)))
        elif name == "ticket.priority":
            self.change(priority=int(data["after"]))
            self.set_by["priority"] = event.actor
        elif name == "ticket.status":
            self.change(status=str(data["after"]))
        elif name == "ticket.policy":
            self.change(policy=data["after"])
            if data.get("set_after"):
                self.set_by["policy"] = event.actor
        elif name == "ticket.field":
            self._field(event)
        elif name == "ticket.tags":
            kept = self.facts.tags - frozenset(data.get("removed") or ())
            self.change(tags=kept | frozenset(data.get("added") or ()))
        elif isinstance(data.get("after"), Mapping) and name != "ticket.snoozed":
            self._moved(event, data["after"])

    def _field(self, event: EventDetail) -> None:
        column, after = str(event.data.get("field")), event.data.get("after")
        if column in ("topic", "language", "level", "sentiment", "urgency", "wants_person"):
            self.change(**{column: after})
        elif column in ("subject", "company", "tier"):
            self.change(**{column: after or ("standard" if column == "tier" else "")})
        self.set_by[column] = event.actor

    def _moved(self, event: EventDetail, after: Mapping[str, Any]) -> None:
        names = {"assignee": "assignee", "group": "group_name", "level": "level"}
        changes = {column: after[name] for name, column in names.items() if name in after}
        if "escalated_to" in after:
            changes["escalated_to"] = after["escalated_to"]
        if event.name == "ticket.escalated":
            changes["escalated_to"] = event.data.get("to")
        for name, column in names.items():
            if name in after and after[name] != getattr(self.facts, column):
                self.set_by[name] = event.actor
        if event.data.get("set_after", {}).get("assignee"):
            # Somebody took what they had been given.
            self.set_by["assignee"] = event.actor
        self.change(**changes)
        by_person = self.set_by.get("assignee", "").startswith("agent:")
        self.taken |= self.facts.escalated_to is not None
        self.taken |= self.facts.assignee is not None and by_person

    def _triaged(self, data: Mapping[str, Any]) -> None:
        """What triage said of a message, as it goes onto the ticket."""
        if data.get("failed"):
            return
        facts, why = self.facts, data.get("evidence") or {}
        changes: dict[str, Any] = {"contacts": int(data.get("contacts") or 0)}
        if facts.language is None and not self.chosen("language"):
            changes["language"] = data.get("language")
        if facts.topic in (None, OTHER) and not self.chosen("topic"):
            topic = self._topic(data)
            if topic is not None and (facts.topic is None or topic != OTHER):
                changes["topic"] = topic
        if not self.chosen("sentiment") and (facts.sentiment is None or "sentiment" in why):
            changes["sentiment"] = data.get("sentiment")
        if not self.chosen("urgency") and (said := data.get("urgency")) is not None:
            changes["urgency"] = max(int(Urgency[str(said).upper()]), facts.urgency or 0)
        if data.get("wants_person"):
            changes["wants_person"] = True
        self.change(**changes)

    def _topic(self, data: Mapping[str, Any]) -> str | None:
        topic: str | None = data.get("topic")
        return topic

    def chosen(self, name: str) -> bool:
        """Whether a person has chosen the value of a field."""
        return self.set_by.get(name, "").startswith("agent:")


@dataclass(slots=True)
class _Retold(_Walk):
    """The same way, with other rules."""

    routes: Matcher = field(default_factory=Matcher)
    policies: Policies = field(default_factory=lambda: Policies(()))
    settings: Settings = field(default_factory=Settings)
    topic_of: TopicOf | None = None
    rows: list[history.Row] = field(default_factory=list)
    """The events that clocks are made of, as they would be."""
    triaged: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    named: bool = False
    """Whether the policy is one that a person or a row has named."""

    def __post_init__(self) -> None:
        # Named: a dataclass with slots is made twice, and super() would mean the first.
        _Walk.__post_init__(self)
        told = (e.data for e in self.ticket.events if e.name == "ticket.triaged")
        self.triaged = {data.get("message", 0): data for data in told}

    def take(self, event: EventDetail) -> None:
        if self.arriving is not None and not self._of_arrival(event):
            self.settle()
        if event.name == "ticket.triaged" or self._decided_then(event):
            return
        if event.name in history.CLOCK_EVENTS and not event.name.startswith("sla."):
            self.rows.append((event.at, event.name, event.data))
        _Walk.take(self, event)
        if event.name == "message.received" and _counts(event.data):
            self._arrived(event)
        elif self.arriving is None and event.name != "ticket.created":
            # Before its first message nothing is promised of a ticket.
            self._promise(event.at)

    def settle(self) -> None:
        if self.arriving is not None:
            self._promise(self.arriving)
        _Walk.settle(self)

    def _decided_then(self, event: EventDetail) -> bool:
        """Whether an event is of what is decided anew."""
        of_table = event.cause.startswith(f"{_TABLE}:")
        if event.change_id in self.firings:
            # What a trigger did stays, and what the macro of a row did if it is the row.
            return of_table and event.actor != f"rule:{self.route}"
        if event.name in (ROUTED, UNPLACED) or of_table:
            return True
        if event.name == "ticket.policy":
            return not event.actor.startswith("agent:")
        if event.name == "ticket.field" and event.actor == "triage":
            return True
        if event.name != "ticket.assigned" or event.actor != "engine":
            return False
        # A turn within a group that the ticket would not have come to.
        return bool(event.data["after"].get("group") != self.facts.group_name)

    def _arrived(self, event: EventDetail) -> None:
        """Triage and the table, at the moment at which they were asked then."""
        if (data := self.triaged.get(event.data.get("message", 0))) is not None:
            self._triaged(data)
        if self.taken:
            return
        at = self.arriving or event.at
        route = self.routes.first(self._unrouted()).route
        if route is not None and route.name == self.route:
            return
        self.route = route.name if route is not None else None
        self.evidence = route.evidence if route is not None else "no row matches"
        if route is not None:
            self._give(route, at)

    def _unrouted(self) -> TicketFacts:
        """The facts without what the table has given."""
        ours = {name for name, by in self.set_by.items() if by == "rule"}
        columns = {"group": "group_name", "level": "level", "assignee": "assignee"}
        changes: dict[str, Any] = {columns[name]: None for name in ours if name in columns}
        if "priority" in ours:
            changes["priority"] = int(Priority.MEDIUM)
        last = self.routes.table.named(self.route or "")
        given = frozenset(last.given.tags if last is not None else ())
        return replace(self.facts, tags=self.facts.tags - given, **changes)

    def _give(self, route: Route, at: datetime) -> None:
        given = route.given
        group = self.settings.group(given.group)
        level = given.level
        if level is None and group is not None and not self.chosen("group"):
            level = group.level
        wanted = {
            "group": ("group_name", given.group),
            "level": ("level", level),
            "assignee": ("assignee", given.assignee),
            "priority": ("priority", given.priority),
        }
        for name, (column, value) in wanted.items():
            if value is None or self.chosen(name):
                continue
            if name == "priority" and value != self.facts.priority:
                self.rows.append((at, "ticket.priority", {"after": value}))
            self.change(**{column: value})
            self.set_by[name] = "rule"
        self.change(tags=self.facts.tags | frozenset(given.tags))
        if given.policy is not None and not self.chosen("policy"):
            self._name(given.policy, at)

    def _name(self, policy: str, at: datetime) -> None:
        known = (p.name for p in self.policies.in_order)
        found = next((name for name in known if name.lower() == policy.lower()), None)
        if found is not None:
            self._put(found, at)
            self.named = True

    def _promise(self, at: datetime) -> None:
        """Choose the policy, as after every change of the ticket."""
        if self.named or self.chosen("policy"):
            return
        done = self.facts.status in (Status.RESOLVED, Status.CLOSED)
        if done and self.facts.policy is not None:
            return
        chosen = self.policies.choose(self.facts)
        self._put(chosen.name if chosen is not None else None, at)

    def _put(self, policy: str | None, at: datetime) -> None:
        before = self.facts.policy
        if policy != before:
            self.rows.append((at, "ticket.policy", {"before": before, "after": policy}))
            self.change(policy=policy)

    def _topic(self, data: Mapping[str, Any]) -> str | None:
        message = self.messages.get(data.get("message", 0))
        if self.topic_of is None or message is None:
            return _Walk._topic(self, data)
        return self.topic_of(message, data.get("language"), data)


def _counts(data: Mapping[str, Any]) -> bool:
    """Whether a message is a customer's own, of the desk's time."""
    if data.get("automatic") or data.get("aside") or data.get("claims_us"):
        return False
    return bool(data.get("counts", True))


def _first(events: Sequence[EventDetail], name: str, by_now: str | None) -> str | None:
    """What a field was when the ticket came in: before its first change."""
    changes: Iterator[EventDetail] = (
        event for event in events if event.name == "ticket.field" and event.data["field"] == name
    )
    found = next(changes, None)
    return found.data["before"] if found is not None else by_now
