"""Triage of what has arrived, in the transaction that took it in: what is found out goes onto the
tickets, with an event that says why.

What a person set stays. It never raises because of what a message says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.apply import Context
from workflow.model import Actor, Urgency, from_millis
from workflow.store.store import Arrived
from workflow.store.tables import Event
from workflow.store.triage_rows import ArrivedRow, arrived_rows, contact_rows, write_triaged
from workflow.triage.contacts import WITHIN, contacts_at, count_until
from workflow.triage.judge import judge
from workflow.triage.language import second_opinion
from workflow.triage.learned import model_of
from workflow.triage.verdict import OTHER, Verdict

__all__ = ["TRIAGE", "triage"]

TRIAGE = Actor("triage")
"""Who set what triage has set."""


@dataclass(slots=True)
class _State:
    """A ticket on its way through the batch."""

    ticket: int
    topic: str | None
    language: str | None
    sentiment: float | None
    urgency: int | None
    wants_person: bool
    set_by: dict[str, str]
    contacts: int = 0
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def chosen(self, name: str) -> bool:
        """Whether a person has chosen the value."""
        return self.set_by.get(name, "").startswith("agent:")

    def put(self, name: str, value: Any) -> dict[str, Any] | None:
        """Set a field as triage; what an event says of it, None where nothing changed."""
        before = getattr(self, name)
        if before == value:
            return None
        set_before = {name: self.set_by[name]} if name in self.set_by else {}
        setattr(self, name, value)
        self.set_by[name] = TRIAGE.wire
        return {
            "field": name,
            "before": before,
            "after": value,
            "set_before": set_before,
            "set_after": {name: TRIAGE.wire},
        }


def triage(context: Context, arrived: Sequence[Arrived]) -> None:
    """Find out language, topic, urgency, sentiment, wants-person and contacts of what has arrived,
    and write them with their evidence. The number of statements does not grow with the batch.
    """
    connection = context.transaction.raw
    created = {each.message for each in arrived if each.created}
    rows = arrived_rows(connection, [each.message for each in arrived])
    if not rows:
        return
    since = min(row.at_ms for row in rows) - int(WITHIN.total_seconds() * 1000)
    moments = contacts_at(contact_rows(connection, (row.customer for row in rows), since))
    model = model_of(connection)
    states: dict[int, _State] = {}
    for row in rows:
        state = states.get(row.ticket) or states.setdefault(row.ticket, _state(row))
        state.contacts = count_until(moments.get(row.customer, ()), row.at_ms, row.message)
        try:
            verdict = judge(
                row.subject,
                row.text,
                from_millis(row.at_ms),
                topics=context.rules.topics,
                model=model,
                contacts=state.contacts,
                guess=second_opinion,
                whole=row.full_text if row.message in created else None,
            )
        except Exception as fault:  # noqa: BLE001  no text may keep a mail out of the queue
            data = {"message": row.message, "failed": f"{type(fault).__name__}: {fault}"[:200]}
            state.events.append(("ticket.triaged", data))
            continue
        _take(state, row, verdict)
    write_triaged(connection, [_written(state) for state in states.values()])
    _record(context, states.values())
    # The session has seen these tickets as they were.
    context.transaction.session.expire_all()


def _state(row: ArrivedRow) -> _State:
    return _State(
        row.ticket,
        row.topic,
        row.language,
        row.sentiment,
        row.urgency,
        bool(row.wants_person),
        json.loads(row.set_by),
    )


def _take(state: _State, row: ArrivedRow, verdict: Verdict) -> None:
    """What a message changes on its ticket."""
    data = {"message": row.message, **verdict.to_json(), "contacts": state.contacts}
    state.events.append(("ticket.triaged", data))
    if state.language is None and not state.chosen("language"):
        _tell(state, "language", verdict.language.value)
    topic = verdict.topic.value
    open_question = state.topic in (None, OTHER) and not state.chosen("topic")
    if open_question and topic is not None and (state.topic is None or topic != OTHER):
        _tell(state, "topic", topic)
    if not state.chosen("sentiment") and (verdict.sentiment.evidence or state.sentiment is None):
        state.put("sentiment", verdict.sentiment.value)
    if not state.chosen("urgency"):
        state.put("urgency", _urgency(state, verdict))
    if verdict.wants_person.value:
        # Also where an agent has taken it back: they ask again.
        state.put("wants_person", True)


def _urgency(state: _State, verdict: Verdict) -> int:
    """It goes up by itself, and down only where the customer says that there is no hurry."""
    said = verdict.urgency.value
    if state.urgency is None or verdict.calms:
        return int(said)
    return int(max(Urgency(state.urgency), said))


def _tell(state: _State, name: str, value: str | None) -> None:
    if value is not None and (data := state.put(name, value)) is not None:
        state.events.append(("ticket.field", data))


def _written(state: _State) -> tuple[Any, ...]:
    return (
        state.topic,
        state.language,
        state.sentiment,
        state.urgency,
        state.wants_person,
        state.contacts,
        json.dumps(state.set_by),
        state.ticket,
    )


def _record(context: Context, states: Iterable[_State]) -> None:
    transaction = context.transaction
    rows: list[Mapping[str, Any]] = [
        {
            "at": context.now,
            "name": name,
            "ticket_id": state.ticket,
            "actor": TRIAGE.wire,
            "cause": "triage",
            "data": data,
            # Nobody's doing: an undo of what the agent did leaves it alone.
            "change_id": None,
        }
        for state in states
        for name, data in state.events
    ]
    transaction.insert_many(Event, [dict(row) for row in rows])
    transaction.touched.update(state.ticket for state in states)
