"""The JSON documents of docs/json.md: the one place that knows their shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from workflow.calendars import Calendar
from workflow.inbound import Inbound, Party
from workflow.model import Priority, Urgency, from_millis, rfc3339
from workflow.receive import Received
from workflow.release import HeldWhole
from workflow.standing import nearest, standing
from workflow.store.rows import (
    ClockDetail,
    CustomerDetail,
    CustomerRow,
    EscalationDetail,
    EventDetail,
    HeldRow,
    IdentityDetail,
    MessageDetail,
    OutboxRow,
    SearchHit,
    SenderRuleRow,
    SuggestionDetail,
    TicketDetail,
)

__all__ = [
    "Document",
    "customer",
    "customer_row",
    "customer_ticket",
    "held_item",
    "held_whole",
    "hit",
    "intake",
    "listed",
    "message",
    "outbox_item",
    "sender_rule",
    "ticket",
]

Document = dict[str, Any]
Calendars = Mapping[str, Calendar]


def ticket(detail: TicketDetail, now: datetime, calendars: Calendars) -> Document:
    """One ticket, whole."""
    found = _head(detail, now, calendars)
    found["suggested_replies"] = [
        {"rule": one.rule, "text": one.text, "at": rfc3339(one.at)} for one in detail.proposed
    ]
    found["messages"] = [message(entry) for entry in detail.messages]
    found["escalation"] = _escalation(detail.escalation, now)
    found["events"] = [_event(entry) for entry in detail.events]
    return found


def listed(detail: TicketDetail, now: datetime, calendars: Calendars) -> Document:
    """A ticket of a list: without messages and events, with the clock that is due first."""
    found = _head(detail, now, calendars)
    found["escalation"] = _escalation(detail.escalation, now)
    soonest = nearest(detail.clocks)
    found["next_clock"] = _clock(soonest, now, calendars) if soonest else None
    return found


def _head(detail: TicketDetail, now: datetime, calendars: Calendars) -> Document:
    return {
        "id": detail.id,
        "subject": detail.subject,
        "status": detail.status,
        "priority": Priority(detail.priority).word,
        "priority_by": detail.priority_by,
        "channel": detail.channel,
        "account": detail.account,
        "group": detail.group_name,
        "assignee": detail.assignee,
        "level": detail.level,
        "topic": detail.topic,
        "language": detail.language,
        "sentiment": detail.sentiment,
        "urgency": None if detail.urgency is None else Urgency(detail.urgency).word,
        "wants_person": detail.wants_person,
        "contacts": detail.contacts,
        "policy": detail.policy,
        "suggested_macro": detail.suggested_macro,
        "tags": list(detail.tags),
        "snoozed_until": rfc3339(detail.snoozed_until),
        "snoozed_until_reply": detail.snoozed_until_reply,
        "spam": detail.spam,
        "created_at": rfc3339(detail.created_at),
        "updated_at": rfc3339(detail.updated_at),
        "waiting_since": rfc3339(detail.waiting_since),
        "merged_into": detail.merged_into,
        "merged": [link.ticket for link in detail.links if link.kind == "merged"],
        "links": [
            {
                "ticket": link.ticket,
                "kind": link.kind,
                "subject": link.subject,
                "status": link.status,
            }
            for link in detail.links
            if link.kind != "merged"
        ],
        "suggestion": _suggestion(detail.suggestion),
        "customer": {
            "id": detail.customer.id,
            "name": detail.customer.name,
            "company": detail.customer.company,
            "tier": detail.customer.tier,
            "identities": [
                {
                    "kind": one.kind,
                    "value": one.value,
                    **{k: v for k, v in _reach(one).items() if v},
                }
                for one in detail.customer.identities
            ],
        },
        "clocks": [_clock(clock, now, calendars) for clock in detail.clocks],
    }


def _suggestion(detail: SuggestionDetail | None) -> Document | None:
    if detail is None:
        return None
    return {
        "ticket": detail.ticket,
        "subject": detail.subject,
        "status": detail.status,
        "at": rfc3339(detail.at),
        "why": "same customer and subject",
    }


def _clock(clock: ClockDetail, now: datetime, calendars: Calendars) -> Document:
    judged = standing(clock, now, calendars)
    return {
        "metric": clock.metric,
        "policy": clock.policy,
        "calendar": clock.calendar,
        "target_s": clock.target_s,
        "started_at": rfc3339(clock.started_at),
        "due_at": rfc3339(clock.due_at),
        "remaining_s": judged.remaining_s,
        "state": judged.state.value,
        "ended_at": rfc3339(clock.ended_at),
    }


def _escalation(detail: EscalationDetail | None, now: datetime) -> Document | None:
    """The open escalation. ``remaining_s`` is what is left to accept it in, negative past due; null
    once somebody did, and where nothing is promised.
    """
    if detail is None:
        return None
    owed = detail.ack_due_at if detail.accepted_at is None else None
    return {
        "id": detail.id,
        "at": rfc3339(detail.at),
        "by": detail.by,
        "from": detail.from_level,
        "to": detail.to_level,
        "reason": detail.reason,
        "tried": detail.tried,
        "needed": detail.needed,
        "wanted_by": rfc3339(detail.wanted_by),
        "promised": detail.promised,
        "ack_due_at": rfc3339(detail.ack_due_at),
        "accepted_at": rfc3339(detail.accepted_at),
        "accepted_by": detail.accepted_by,
        "remaining_s": int((owed - now).total_seconds() // 1) if owed else None,
        "climbed_from": detail.climbed_from,
    }


def _event(event: EventDetail) -> Document:
    return {
        "at": rfc3339(event.at),
        "name": event.name,
        "actor": event.actor,
        "cause": event.cause,
        # What only the clocks read of a move would be longer than the rest of the document.
        "data": {name: value for name, value in event.data.items() if name != "facts"},
    }


def message(detail: MessageDetail) -> Document:
    """One stored message."""
    return {
        "id": detail.id,
        "direction": detail.direction,
        "author": detail.author,
        "at": rfc3339(detail.at),
        "date": rfc3339(detail.date),
        "subject": detail.subject,
        "from": {"name": detail.from_name, "address": detail.from_address},
        "to": [address for _name, address in detail.to],
        "cc": [address for _name, address in detail.cc],
        "bcc": [address for _name, address in detail.bcc],
        "text": detail.text,
        "full_text": detail.full_text,
        "automatic": detail.automatic,
        "authentication": detail.authentication,
        "bounce": detail.bounce,
        "invitation": detail.invitation,
        "attachments": [
            {"name": file.name, "type": file.content_type, "size": file.size, "sha256": file.sha256}
            for file in detail.attachments
        ],
        "message_id": detail.message_id,
        "delivery": detail.delivery,
        "deliveries": [{**one, "at": rfc3339(from_millis(one["at"]))} for one in detail.deliveries],
        "matched_by": detail.matched_by or None,
        "aside": detail.aside,
        "forwards": list(detail.forwards),
        "stranger": detail.stranger,
        "from_ticket": detail.home,
    }


def intake(item: Inbound, received: Received, *, stranger: bool = False) -> Document:
    """What became of one item, with the message as it was read; ``stranger`` says that its sender
    took no part in the ticket that it joined.
    """
    return {
        "outcome": received.outcome.value,
        "cause": received.cause,
        "ticket": received.ticket,
        "held": received.held,
        "matched_by": received.matched_by or None,
        "message": {
            "id": received.message,
            "direction": "out" if item.own else "in",
            "author": item.sender.name or item.sender.address,
            "at": rfc3339(item.reached_at),
            "date": rfc3339(item.date),
            "subject": item.subject,
            "from": {"name": item.sender.name, "address": item.sender.address},
            "to": _addresses(item.to),
            "cc": _addresses(item.cc),
            "text": item.text,
            "full_text": item.full_text,
            "automatic": item.automatic,
            "authentication": item.authentication,
            "bounce": item.bounce,
            "invitation": item.invitation,
            "attachments": [
                {
                    "name": file.name,
                    "type": file.content_type,
                    "size": file.size,
                    "sha256": file.sha256,
                }
                for file in item.attachments
            ],
            "message_id": item.message_id,
            "delivery": None,
            "matched_by": received.matched_by or None,
            "stranger": stranger,
            "defects": list(item.defects),
        },
    }


def _addresses(parties: Iterable[Party]) -> list[str]:
    return [party.address for party in parties]


def customer(detail: CustomerDetail, tickets: list[Document]) -> Document:
    """One person, with every ticket over all channels."""
    return {
        "id": detail.id,
        "name": detail.name,
        "company": detail.company,
        "tier": detail.tier,
        "identities": _identities(detail.identities),
        "merged_into": detail.merged_into,
        "tickets": tickets,
    }


def _identities(found: Iterable[IdentityDetail]) -> list[Document]:
    return [
        {
            "kind": one.kind,
            "value": one.value,
            "display": one.display,
            "evidence": one.evidence,
            **_reach(one),
        }
        for one in found
    ]


def _reach(one: IdentityDetail) -> Document:
    """Whether mail to an address comes back, and whether its owner complained."""
    gone = one.undeliverable_at
    return {
        "undeliverable": None
        if gone is None
        else {
            "at": rfc3339(from_millis(gone)),
            "code": one.undeliverable_code,
            "reason": one.undeliverable_reason,
        },
        "complained_at": None
        if one.complained_at is None
        else rfc3339(from_millis(one.complained_at)),
    }


def customer_ticket(
    detail: TicketDetail, outcome: str, now: datetime, calendars: Calendars
) -> Document:
    """A ticket of a person: as in a list, without clocks, with what came of it in a phrase."""
    found = listed(detail, now, calendars)
    for name in ("clocks", "next_clock", "customer"):
        del found[name]
    found["outcome"] = outcome
    return found


def customer_row(row: CustomerRow) -> Document:
    """A person in a list: how many tickets there are, and how many of them are not done."""
    return {
        "id": row.id,
        "name": row.name,
        "company": row.company,
        "tier": row.tier,
        "identities": _identities(row.identities),
        "tickets": row.tickets,
        "unresolved": row.unresolved,
    }


def hit(found: SearchHit) -> Document:
    """One hit of a search."""
    return {
        "ticket": found.ticket,
        "message": found.message,
        "snippet": found.snippet,
        "at": rfc3339(found.at),
        "subject": found.subject,
        "author": found.author,
    }


def outbox_item(row: OutboxRow) -> Document:
    """One message on its way out."""
    waits = row.state in ("held", "scheduled", "queued")
    return {
        "id": row.id,
        "ticket": row.ticket,
        "state": row.state,
        "attempts": row.attempts,
        "next_attempt_at": rfc3339(row.due_at) if waits else None,
        "unless_reply": row.unless_reply,
        "error": row.error,
        "message_id": row.message_id,
        "to": list(row.recipients),
        "subject": row.subject,
        "account": row.account,
        "sent_at": rfc3339(row.sent_at),
    }


def held_item(row: HeldRow) -> Document:
    """One item that was kept out."""
    return {
        "id": row.id,
        "at": rfc3339(row.at),
        "account": row.account,
        "cause": row.cause,
        "evidence": row.evidence,
        "from": row.sender,
        "subject": row.subject,
        "size": row.raw_size,
        "state": row.state,
        "reached_at": rfc3339(row.reached_at),
        "ticket": row.ticket,
        "automatic": row.automatic,
    }


def held_whole(whole: HeldWhole) -> Document:
    """A held item with what is in it."""
    return {
        **held_item(whole.row),
        "head": whole.head,
        "text": whole.text,
        "attachments": [
            {"name": name, "type": kind, "size": size} for name, kind, size in whole.files
        ],
        "whole": whole.whole,
        "fault": whole.fault or None,
    }


def sender_rule(row: SenderRuleRow) -> Document:
    """A rule about a sender."""
    return {
        "pattern": row.pattern,
        "rule": "allow" if row.allow else "block",
        "at": rfc3339(row.at),
        "by": row.by,
    }
