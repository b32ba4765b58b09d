"""Events as phrases for the timeline of a ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from console.fmt import METRIC_WORDS
from workflow.model import Priority, Urgency
from workflow.store.rows import EventDetail
from workflow.triage.verdict import sentiment_word

__all__ = ["actor_words", "event_words"]


def actor_words(actor: str) -> str:
    """Who did it: an agent by name, a rule as such, else the desk itself."""
    kind, _, name = actor.partition(":")
    if kind == "agent":
        return name
    if kind == "engine":
        return "the desk"
    if kind == "customer":
        return "the customer"
    return f"{kind} {name}" if name else kind


def _priority(value: Any) -> str:
    try:
        return Priority(int(value)).word
    except (TypeError, ValueError):
        return str(value)


def _change(word: str, show: Callable[[Any], str] = str) -> Callable[[Mapping[str, Any]], str]:
    def words(data: Mapping[str, Any]) -> str:
        before, after = data.get("before"), data.get("after")
        if before in (None, "", {}):
            return f"{word} {show(after)}"
        return f"{word} {show(before)} → {show(after)}"

    return words


def _assigned(data: Mapping[str, Any]) -> str:
    after = data.get("after") or {}
    if not isinstance(after, Mapping):
        return f"assigned to {after}"
    who = [str(after[key]) for key in ("assignee", "group") if after.get(key)]
    return f"assigned to {' in '.join(who)}" if who else "assigned to nobody"


def _routed(data: Mapping[str, Any]) -> str:
    if data.get("rule") is None:
        return "no row of routing.csv matches"
    would = "would have routed it" if data.get("mode") == "shadow" else "routed it"
    return f"{would} by {data.get('evidence')}"


def _tags(data: Mapping[str, Any]) -> str:
    added = [f"+{tag}" for tag in data.get("added") or ()]
    return "tags " + " ".join([*added, *(f"-{tag}" for tag in data.get("removed") or ())])


def _metric(word: str) -> Callable[[Mapping[str, Any]], str]:
    def words(data: Mapping[str, Any]) -> str:
        metric = str(data.get("metric", ""))
        return f"{METRIC_WORDS.get(metric, metric)} {word}"

    return words


def _messages(data: Mapping[str, Any]) -> str:
    count = len(data.get("messages") or ())
    return "1 message" if count == 1 else f"{count} messages"


def _link_words(data: Mapping[str, Any]) -> str:
    other = data.get("ticket") or data.get("from")
    kind = str(data.get("kind"))
    if "ticket" in data:
        return {"continues": f"continues #{other}", "split": f"split from #{other}"}.get(
            kind, f"linked with #{other}"
        )
    return {"continues": f"goes on in #{other}", "split": f"split into #{other}"}.get(
        kind, f"linked with #{other}"
    )


def _fired(data: Mapping[str, Any]) -> str:
    """What a rule did, or would have done, and what it could not."""
    did = ", ".join(map(str, data.get("did") or ())) or "nothing"
    words = f"would do {did}" if data.get("mode") == "shadow" else f"did {did}"
    if data.get("failed"):
        words += f"; could not {'; '.join(map(str, data['failed']))}"
    return f"{words}, on {data.get('on')}"


def _triaged(data: Mapping[str, Any]) -> str:
    """What triage says of a message, without what is as usual."""
    if "failed" in data:
        return "could not judge the message"
    said = [str(data[name]) for name in ("topic", "language") if data.get(name)]
    if data.get("urgency") not in (None, "normal"):
        said.append(f"urgency {data['urgency']}")
    felt = sentiment_word(data.get("sentiment"))
    if felt not in ("none", "neutral"):
        said.append(felt)
    if data.get("wants_person"):
        said.append("asks for a person")
    if int(data.get("contacts") or 0) > 1:
        said.append(f"wrote {data['contacts']} times in 7 days")
    return ", ".join(said) or "nothing that stands out"


def _field(data: Mapping[str, Any]) -> str:
    field, after = str(data.get("field")), data.get("after")
    if field == "urgency" and after is not None:
        after = Urgency(int(after)).word
    if field == "wants_person":
        return "the customer wants a person" if after else "no person is wanted"
    same = after == data.get("before") and "undoes" not in data
    return f"{field} {after} is right" if same else f"{field} to {after or 'nothing'}"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "ticket.created": lambda _data: "opened the ticket",
    "ticket.status": _change("status"),
    "ticket.priority": _change("priority", _priority),
    "ticket.field": _field,
    "ticket.triaged": _triaged,
    "ticket.assigned": _assigned,
    "ticket.routed": _routed,
    "ticket.unplaced": lambda data: f"nobody of {data.get('group')} gets it: {data.get('why')}",
    "ticket.tags": _tags,
    "ticket.snoozed": lambda data: "snoozed it" if data.get("after") else "woke it up",
    "ticket.spam": lambda data: "marked it as spam" if data.get("after") else "not spam",
    "ticket.escalated": lambda data: f"escalated to {data.get('to')}: {data.get('reason')}",
    "ticket.de_escalated": lambda data: f"took the escalation to {data.get('to')} back",
    "ticket.accepted": lambda data: f"accepted the escalation to {data.get('level')}",
    "ticket.unaccepted": lambda data: f"no longer accepts the escalation to {data.get('level')}",
    "ticket.handed_back": lambda data: f"handed back to {data.get('to')}",
    "ticket.kept_up": lambda data: f"took the hand-back to {data.get('to')} back",
    "escalation.unacknowledged": lambda data: (
        f"nobody of {data.get('level')} accepted in time"
        + (f": {data.get('next')} is told" if data.get("next") else "")
    ),
    "ticket.customer": lambda data: (
        f"customer {data.get('before')} → {data.get('after')}: joined or taken apart"
    ),
    "ticket.merged": lambda data: (
        f"merged into #{data.get('after')}" if data.get("after") else "taken out of the merge"
    ),
    "ticket.joined": lambda data: f"#{data.get('ticket')} merged in",
    "ticket.parted": lambda data: f"#{data.get('ticket')} taken out again",
    "ticket.split": lambda data: f"split off #{data.get('from')}",
    "ticket.unsplit": lambda data: f"went back into #{data.get('from')}",
    "messages.left": lambda data: f"{_messages(data)} split off as #{data.get('to')}",
    "ticket.linked": lambda data: _link_words(data),
    "ticket.unlinked": lambda data: (
        f"link with #{data.get('ticket') or data.get('from')} taken away"
    ),
    "ticket.suggestion": lambda data: (
        f"looks like #{data.get('after')}"
        if data.get("after")
        else f"not about #{data.get('before')}"
    ),
    "rule.fired": lambda data: _fired(data),
    "rule.stopped": lambda data: f"did nothing: {data.get('why')}",
    "reply.suggested": lambda _data: "proposes a reply",
    "customer.event": lambda data: f"event {data.get('event')} of the customer",
    "notice.sent": lambda data: f"{data.get('kind')} told: {data.get('answer')}",
    "notice.failed": lambda data: f"{data.get('kind')} could not be told: {data.get('error')}",
    "sla.mark": lambda data: f"{data.get('rule')}: its time has come",
    "sla.at_risk": _metric("at risk"),
    "sla.breached": _metric("breached"),
    "message.sent": lambda data: (
        "sent, aside from the customer"
        if data.get("aside")
        else "reply sent"
        if data.get("human", True)
        else "sent to those who are told"
    ),
    "message.bounced": lambda data: (
        f"did not reach {data.get('recipient')}: {data.get('status')} {data.get('reason')}"
    ),
    "message.delayed": lambda data: f"still on its way to {data.get('recipient')}",
    "message.delivered": lambda data: f"delivered to {data.get('recipient')}",
    "message.complained": lambda data: f"{data.get('recipient')} called it spam",
    "identity.undeliverable": lambda data: (
        f"mail to {data.get('value')} comes back"
        if data.get("after")
        else f"{data.get('value')} can be reached again"
    ),
    "held.kept": lambda data: f"kept a mail out, held item {data.get('held')}: {data.get('cause')}",
    "held.released": lambda data: f"let held item {data.get('held')} in",
    "held.discarded": lambda data: f"discarded held item {data.get('held')}",
    "held.put_back": lambda data: f"held item {data.get('held')} waits again",
    "message.completed": lambda _data: "fetched the rest of a large mail",
    "message.not_completed": lambda data: f"could not fetch a large mail: {data.get('error')}",
    "message.edited": lambda data: (
        f"edited a message, which said: {data.get('before') or 'nothing'}"
    ),
    "message.extended": lambda _data: "added to an album",
    "message.deleted": lambda _data: "took a message back; its text is kept",
    "send.cancelled": lambda _data: "reply taken back before it left",
    "outbox.cancelled": lambda _data: "reply taken back",
    "outbox.failed": lambda data: f"sending failed: {data.get('error', '')}",
}
_SILENT = frozenset(
    {
        "message.received",
        "messages.came",
        "note.added",
        "message.queued",
        "reply.queued",
        "reply.composed",
    }
)
"""The message itself stands in the conversation."""


def event_words(event: EventDetail) -> str:
    """One phrase for an event; empty where the conversation shows it anyway."""
    if event.name in _SILENT or (event.name == "ticket.linked" and "part_of" in event.data):
        return ""
    if event.name == "ticket.field" and event.actor == "triage":
        # What triage found out stands in one line.
        return ""
    words = _WORDS.get(event.name)
    what = words(event.data) if words else event.name.replace(".", " ").replace("_", " ")
    cause = event.cause
    if (at := cause.find(" macro:")) >= 0:
        # A reply that a macro's text was put into: the key is no news.
        cause = cause[at + 1 :]
    through = f"  ({cause})" if cause.startswith(("rule:", "macro:", "timer", "trigger:")) else ""
    return f"{actor_words(event.actor)}: {what}{through}"
