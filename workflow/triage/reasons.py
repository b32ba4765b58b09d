"""Why triage facts of a ticket are what they are, from its events: who set each, and the words that
it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workflow.model import Urgency, rfc3339
from workflow.routing.reasons import Reason
from workflow.store.rows import EventDetail, TicketDetail
from workflow.triage.verdict import sentiment_word

__all__ = ["TRIAGED", "told_reasons"]

TRIAGED = "ticket.triaged"


def told_reasons(ticket: TicketDetail) -> Iterator[Reason]:
    """Topic, language, urgency, sentiment, wants_person and contacts with their causes."""
    urgency = Urgency(ticket.urgency).word if ticket.urgency is not None else None
    felt = ticket.sentiment
    values = {
        "topic": ticket.topic,
        "language": ticket.language,
        "urgency": urgency,
        "sentiment": None if felt is None else f"{felt:+.2f} ({sentiment_word(felt)})",
        "wants_person": "yes" if ticket.wants_person else "no",
    }
    told = {"urgency": urgency, "sentiment": felt, "wants_person": ticket.wants_person}
    for field, value in values.items():
        cause = ticket.set_by.get(field, "default")
        evidence = _evidence(ticket.events, field, told.get(field, value), cause)
        yield Reason(field, value, cause, evidence)
    newest = next((e for e in reversed(ticket.events) if e.name == TRIAGED), None)
    yield Reason(
        "contacts",
        str(ticket.contacts),
        "triage" if newest is not None else "default",
        "how often this customer had written within 7 days when they last wrote",
    )


def _evidence(events: Sequence[EventDetail], field: str, value: object, cause: str) -> str:
    by_triage = cause in ("triage", "default")
    for event in reversed(events):
        if event.name == "ticket.field" and event.data.get("field") == field and not by_triage:
            return f"{event.cause}; {event.name} at {rfc3339(event.at)}"
        if event.name == TRIAGED and by_triage:
            said = (event.data.get("evidence") or {}).get(field)
            if said and event.data.get(field) == value:
                return f"{said} (message {event.data.get('message')})"
            if "failed" in event.data:
                return f"the message could not be judged: {event.data['failed']}"
    return "nothing that the customer wrote says so" if events else "as it came in"
