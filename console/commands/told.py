"""The triage verb: what triage says of a text or of a ticket, and what it has learned."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.commands.reading import needed
from workflow.errors import UsageError
from workflow.model import from_millis, rfc3339, to_millis
from workflow.store.rows import TicketDetail
from workflow.store.triage_rows import contact_rows, learned_facts
from workflow.triage.contacts import WITHIN, contacts_at, count_until
from workflow.triage.judge import judge
from workflow.triage.language import second_opinion
from workflow.triage.learned import model_of
from workflow.triage.verdict import sentiment_word

__all__ = ["triage"]


def triage(desktop: Desktop, args: Namespace) -> Answer:
    """``triage TEXT``, ``triage -`` (standard input), ``triage ID`` (what the customer last wrote),
    ``triage --learned``.
    """
    if args.learned:
        return _learned(desktop)
    words = " ".join(args.words)
    if not words:
        raise UsageError(
            "say what to look at: deskhand triage 42, deskhand triage - < mail.txt, or a text"
        )
    number = words.lstrip("#")
    if number.isdigit() and args.subject is None:
        return _of_ticket(desktop, needed(desktop, int(number)))
    text = sys.stdin.read() if words == "-" else words
    return _judged(desktop, {}, args.subject or "", text, None, 1)


def _of_ticket(desktop: Desktop, detail: TicketDetail) -> Answer:
    """By the files and the model as they are now; nothing is changed."""
    spoken = [m for m in detail.messages if m.direction == "in" and not m.automatic]
    if not spoken:
        raise UsageError(f"no customer has written on #{detail.id}: there is nothing to triage")
    newest = max(spoken, key=lambda message: (message.at, message.id))
    at_ms = to_millis(newest.at)
    rows = contact_rows(
        desktop.reads.connection,
        [detail.customer.id],
        at_ms - int(WITHIN.total_seconds() * 1000),
    )
    contacts = count_until(contacts_at(rows).get(detail.customer.id, ()), at_ms, newest.id)
    head = {"ticket": detail.id, "message": newest.id}
    whole = newest.full_text if newest is spoken[0] else None
    return _judged(desktop, head, newest.subject, newest.text, whole, contacts)


def _judged(
    desktop: Desktop,
    head: dict[str, Any],
    subject: str,
    text: str,
    whole: str | None,
    contacts: int,
) -> Answer:
    verdict = judge(
        subject,
        text,
        desktop.clock.now(),
        topics=desktop.rule_book.current.topics,
        model=model_of(desktop.reads.connection),
        contacts=contacts,
        guess=second_opinion,
        whole=whole,
    )
    said = {**head, **verdict.to_json(), "contacts": contacts}
    felt = f"{verdict.sentiment.value:+.2f}, {sentiment_word(verdict.sentiment.value)}"
    rows = [
        ("language", verdict.language.value or "not sure", verdict.language.why),
        ("topic", verdict.topic.value or "none", verdict.topic.why),
        ("urgency", verdict.urgency.value.word, verdict.urgency.why),
        ("sentiment", felt, verdict.sentiment.why),
        (
            "wants a person",
            "yes" if verdict.wants_person.value else "no",
            verdict.wants_person.why,
        ),
        ("contacts", str(contacts), "within 7 days, this one included"),
    ]
    return Answer(said, table(rows, ("", "says", "because"), (0, 0, 0)))


def _learned(desktop: Desktop) -> Answer:
    """What the model was made from, how often it was right, and what it takes for what."""
    kept = learned_facts(desktop.reads.connection)
    if kept is None:
        return Answer(
            {"learned": None},
            "nothing is learned yet: it takes 40 resolved tickets with a topic, 10 of each topic",
        )
    made_at, examples, facts = kept
    document = {
        "learned": {
            "made_at": rfc3339(from_millis(made_at)),
            "examples": examples,
            **{k: v for k, v in facts.items() if k not in ("made_at", "basis", "digest")},
        }
    }
    topics = facts["topics"]
    confusion = facts["confusion"]
    rows = [
        (topic, *(str(confusion.get(topic, {}).get(said, 0)) for said in topics))
        for topic in topics
    ]
    lines = [
        f"learned from {examples} resolved tickets at {rfc3339(from_millis(made_at))}",
        f"right on {facts['accuracy']:.0%} of tickets that it had not seen; sure about"
        f" {facts['sure_share']:.0%} of them, and right on {facts['sure_accuracy']:.0%} of these",
        "",
        table(rows, ("was \\ said", *topics), (0,) * (len(topics) + 1)),
    ]
    return Answer(document, "\n".join(lines))
