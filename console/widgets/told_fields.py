"""What triage has found out about a ticket, in words for the pane beside the conversation."""

from __future__ import annotations

from workflow.model import Urgency
from workflow.store.rows import TicketDetail
from workflow.triage.verdict import LANGUAGE_NAMES, OTHER, sentiment_word

__all__ = ["WANTS_PERSON", "told_fields"]

Spans = tuple[tuple[str, str], ...]

WANTS_PERSON = "asks for a person"
_OFTEN = 2


def told_fields(ticket: TicketDetail) -> list[tuple[str, Spans]]:
    """Topic, language, urgency, feeling and how often they wrote; what is as usual is left out.

    Behind what a person has chosen stands their name.
    """
    fields: list[tuple[str, Spans]] = []
    if ticket.topic:
        ink = "faint" if ticket.topic == OTHER else "text"
        fields.append(("topic", ((ticket.topic, ink), *_by(ticket, "topic"))))
    if ticket.language:
        name = LANGUAGE_NAMES.get(ticket.language, ticket.language)
        fields.append(("language", ((name, "text"), *_by(ticket, "language"))))
    if ticket.urgency is not None:
        urgency = Urgency(ticket.urgency)
        ink = {Urgency.CRITICAL: "late", Urgency.HIGH: "risk"}.get(urgency, "text")
        mark = {Urgency.CRITICAL: " !!", Urgency.HIGH: " !"}.get(urgency, "")
        fields.append(("urgency", ((urgency.word + mark, ink), *_by(ticket, "urgency"))))
    if ticket.sentiment is not None and (felt := sentiment_word(ticket.sentiment)) != "neutral":
        ink = "late" if felt == "angry" else "risk" if felt == "unhappy" else "good"
        words: Spans = ((felt, ink), (f"  {ticket.sentiment:+.2f}", "faint"))
        fields.append(("feels", (*words, *_by(ticket, "sentiment"))))
    if ticket.contacts >= _OFTEN:
        fields.append(("wrote", ((f"{ticket.contacts} times in 7 days", "text"),)))
    return fields


def _by(ticket: TicketDetail, field: str) -> Spans:
    kind, _, name = ticket.set_by.get(field, "").partition(":")
    return ((f"  by {name}", "faint"),) if kind == "agent" else ()
