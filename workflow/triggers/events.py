"""The events of the desk in the words in which rules speak of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow.model import Priority
from workflow.triggers.rule import Rule

__all__ = ["MARK", "WORDS", "Happening", "concerns", "stored_names", "words_of"]

MARK = "sla.mark"
"""A ticket has been unanswered or unresolved for as long as a rule says."""

Data = Mapping[str, Any]
_Values = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that rules may fire on, as it is stored."""

    id: int
    at: datetime
    name: str
    ticket: int | None
    actor: str
    data: Data
    change: int | None = None


@dataclass(frozen=True, slots=True)
class _Word:
    """A word for events: those it means, which of them count, and what changed in them."""

    stored: str
    meaning: str
    counts: Callable[[Data], bool] = lambda _data: True
    changed: Callable[[Data], _Values] | None = None


def _fields(*names: str) -> Callable[[Data], _Values]:
    """The values of fields that differ between ``before`` and ``after``."""

    def changed(data: Data) -> _Values:
        old, new = data.get("before") or {}, data.get("after") or {}
        moved = [name for name in names if old.get(name) != new.get(name)]
        return (
            tuple(str(old.get(name) or "none") for name in moved),
            tuple(str(new.get(name) or "none") for name in moved),
        )

    return changed


def _plain(data: Data) -> _Values:
    return (str(data.get("before") or "none"),), (str(data.get("after") or "none"),)


def _priority(data: Data) -> _Values:
    return (Priority(data["before"]).word,), (Priority(data["after"]).word,)


def _own_words(data: Data) -> bool:
    """What a customer wrote themselves, now: no machine's answer, nothing imported."""
    silent = data.get("automatic") or data.get("claims_us") or data.get("aside")
    return not silent and bool(data.get("counts", True))


def _tags(data: Data) -> _Values:
    return tuple(data.get("removed", ())), tuple(data.get("added", ()))


WORDS: Mapping[str, _Word] = {
    "created": _Word("ticket.created", "a ticket was opened"),
    "message in": _Word("message.received", "the customer wrote", _own_words),
    "message sent": _Word(
        "message.sent",
        "a reply of a person really left",
        lambda data: bool(data.get("human", True) and data.get("counts", True)),
    ),
    "note": _Word("note.added", "somebody of the team wrote a note"),
    "status": _Word("ticket.status", "the status changed", changed=_plain),
    "assigned": _Word(
        "ticket.assigned",
        "another agent or group has it",
        changed=_fields("assignee", "group"),
    ),
    "priority": _Word(
        "ticket.priority",
        "the priority changed",
        lambda data: data.get("before") != data.get("after"),
        _priority,
    ),
    "topic": _Word(
        "ticket.field",
        "the topic changed",
        lambda data: data.get("field") == "topic",
        _plain,
    ),
    "tagged": _Word("ticket.tags", "tags were put on", lambda data: bool(data.get("added")), _tags),
    "at risk": _Word("sla.at_risk", "a promise is at risk"),
    "breached": _Word("sla.breached", "a promise is broken"),
    "escalated": _Word(
        "ticket.escalated",
        "it was moved up",
        changed=lambda data: (
            (str((data.get("before") or {}).get("level") or "none"),),
            (str(data.get("to") or "none"),),
        ),
    ),
    "accepted": _Word("ticket.accepted", "somebody accepted the escalation"),
    "not accepted": _Word("escalation.unacknowledged", "nobody accepted the escalation in time"),
    "handed back": _Word("ticket.handed_back", "it came back from the level it was moved to"),
    "triaged": _Word("ticket.triaged", "triage has looked at a message"),
    "routed": _Word("ticket.routed", "a routing table has decided"),
    "customer asks": _Word(
        "ticket.triaged",
        "the customer asks for a person",
        lambda data: bool(data.get("wants_person")),
    ),
    "customer event": _Word("customer.event", "another system told something of the customer"),
    "survey answered": _Word("survey.answered", "the customer answered a survey"),
    "snooze ended": _Word("ticket.woken", "a snoozed ticket came back"),
}
"""Every word that ``on`` and ``unless`` take."""

_CLOCKS = ("at risk", "breached")


def words_of(happening: Happening) -> Iterator[str]:
    """The words that an event is, those that do not count left out."""
    for word, known in WORDS.items():
        if known.stored == happening.name and known.counts(happening.data):
            yield word


def stored_names(words: Iterator[str] | tuple[str, ...]) -> frozenset[str]:
    """How the events of words are called where they are stored."""
    return frozenset(WORDS[word].stored for word in words)


def concerns(rule: Rule, word: str, happening: Happening) -> bool:
    """Whether an event, of which the rule names the word, is of the kind that it means."""
    data = happening.data
    signal = str(data.get("event", "")).lower()
    if word == "customer event" and rule.signals and signal not in rule.signals:
        return False
    if word in _CLOCKS and rule.metrics and data.get("metric") not in rule.metrics:
        return False
    changed = WORDS[word].changed
    if changed is None or not (rule.before or rule.after):
        return True
    old, new = changed(data)
    return _among(old, rule.before) and _among(new, rule.after)


def _among(values: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return not wanted or any(value.lower() in wanted for value in values)
