"""One ticket or some, whole: their rows put together with a fixed number of statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workflow.drafts import SUGGESTED
from workflow.model import from_millis, moment
from workflow.participants import strangers
from workflow.store.links import links, suggestions
from workflow.store.queue_rows import FROM
from workflow.store.rows import (
    AttachmentDetail,
    ClockDetail,
    CustomerDetail,
    EscalationDetail,
    EventDetail,
    IdentityDetail,
    MessageDetail,
    ProposedReply,
    TicketDetail,
)

__all__ = ["Fetch", "message_details", "ticket_details"]

Fetch = Callable[[str, Sequence[object]], list[Any]]
"""How a statement's rows are read: :meth:`workflow.store.reads.Reads.fetch`."""


_TICKET_FIELDS = (
    "id", "subject", "status", "priority", "priority_by", "channel", "account", "group_name",
    "assignee", "level", "topic", "language", "sentiment", "urgency",
    "contacts", "policy", "suggested_macro",
)  # fmt: skip
"""What a ticket's row has in the order of the statement, as far as it needs no conversion."""

_CUSTOMER = len(_TICKET_FIELDS) + 10
"""Where the customer's columns begin."""


def ticket_details(fetch: Fetch, numbers: list[int], *, whole: bool) -> dict[int, TicketDetail]:
    """Tickets by number with customers, tags, clocks and escalations, and (``whole``) messages
    and events.
    """
    marks = ",".join("?" * len(numbers))
    rows = fetch(
        f"""SELECT ticket.id, subject, status, priority, priority_by, channel, account, group_name,
        assignee, level, topic, language, sentiment, urgency, contacts, policy, suggested_macro,
        snoozed_until, snoozed_until_reply, spam_at, ticket.merged_into, ticket.created_at,
        updated_at, waiting_since, version, wants_person, set_by,
        customer.id, customer.name, customer.company, customer.tier
        {FROM} WHERE ticket.id IN ({marks})""",
        numbers,
    )
    tags = _grouped(
        fetch,
        f"SELECT ticket_id, tag FROM ticket_tag WHERE ticket_id IN ({marks}) ORDER BY tag",
        numbers,
    )
    clocks = _grouped(
        fetch,
        f"""SELECT ticket_id, metric, policy, calendar, target_s, started_at, due_at, warn_at, state,
        remaining_s, ended_at FROM clock WHERE ticket_id IN ({marks}) ORDER BY started_at, metric""",
        numbers,
    )
    escalations = _grouped(
        fetch,
        f"""SELECT ticket_id, id, at, by, from_level, to_level, reason, tried, needed, wanted_by, promised,
        ack_due_at, accepted_at, accepted_by, climbed_from
        FROM escalation WHERE ticket_id IN ({marks}) AND ended_at IS NULL ORDER BY id""",
        numbers,
    )
    customers = sorted({row[_CUSTOMER] for row in rows})
    identities = _grouped(
        fetch,
        f"""SELECT customer_id, kind, value, display, evidence, id, undeliverable_at, undeliverable_code,
        undeliverable_reason, complained_at FROM identity
        WHERE customer_id IN ({",".join("?" * len(customers))}) ORDER BY id""",
        customers,
    )
    messages = message_details(fetch, f"ticket_id IN ({marks})", numbers) if whole else {}
    related = links(fetch, numbers)
    guesses = suggestions(fetch, numbers)
    events = _events(fetch, numbers, marks) if whole else {}
    proposed = _grouped(
        fetch,
        f"""SELECT ticket_id, agent, text, updated_at FROM draft
        WHERE ticket_id IN ({marks}) AND kind = '{SUGGESTED}' ORDER BY updated_at DESC, agent""",
        numbers,
    )
    found: dict[int, TicketDetail] = {}
    for row in rows:
        number = row[0]
        values = dict(zip(_TICKET_FIELDS, row, strict=False))
        (
            until, until_reply, spam_at, merged_into, created_at, updated_at, waiting, version, wants,
            set_by, *customer,
        ) = row[len(_TICKET_FIELDS) :]  # fmt: skip
        theirs = identities.get(customer[0], [])
        found[number] = TicketDetail(
            **values,
            tags=tuple(tag for (tag,) in tags.get(number, ())),
            snoozed_until=moment(until),
            snoozed_until_reply=bool(until_reply),
            spam=spam_at is not None,
            merged_into=merged_into,
            created_at=from_millis(created_at),
            updated_at=from_millis(updated_at),
            waiting_since=moment(waiting),
            version=version,
            wants_person=bool(wants),
            customer=CustomerDetail(*[*customer, tuple(IdentityDetail(*e) for e in theirs)]),
            clocks=tuple(_clock(entry) for entry in clocks.get(number, ())),
            messages=_with_strangers(messages.get(number, []), theirs),
            events=tuple(events.get(number, ())),
            escalation=_escalation(escalations.get(number)),
            links=tuple(related.get(number, ())),
            suggestion=guesses.get(number),
            proposed=tuple(
                ProposedReply(rule, text, from_millis(at))
                for rule, text, at in proposed.get(number, ())
            ),
            set_by=json.loads(set_by or "{}"),
        )
    return found


def _grouped(fetch: Fetch, sql: str, parameters: Sequence[object]) -> dict[int, list[Any]]:
    """The rows of a statement by their first column, which is left out."""
    found: dict[int, list[Any]] = {}
    for row in fetch(sql, parameters):
        found.setdefault(row[0], []).append(row[1:])
    return found


def message_details(
    fetch: Fetch, where: str, parameters: Sequence[object]
) -> dict[int, list[MessageDetail]]:
    """The messages that fit a condition on ``message``, by ticket, in the order of their times."""
    files = _grouped(
        fetch,
        f"""SELECT attachment.message_id, attachment.id, name, content_type, size, sha256, inline
        FROM attachment JOIN message ON message.id = attachment.message_id
        WHERE {where} ORDER BY attachment.id""",
        parameters,
    )
    rows = fetch(
        f"""SELECT ticket_id, id, direction, author, agent, at, date, subject, from_name, from_address,
        to_list, cc_list, bcc_list, reply_to, message_id, text, full_text, automatic, bounce, matched_by,
        delivery, raw_sha256, reference_ids, in_reply_to, account, channel, authentication,
        invitation, aside, forwards, home_id, deliveries
        FROM message WHERE {where} ORDER BY at, id""",
        parameters,
    )
    found: dict[int, list[MessageDetail]] = {}
    for row in rows:
        attachments = tuple(
            AttachmentDetail(*[*entry[:5], bool(entry[5])]) for entry in files.get(row[1], ())
        )
        found.setdefault(row[0], []).append(_message(row[1:], attachments))
    return found


def _with_strangers(
    messages: list[MessageDetail], identities: Sequence[Sequence[Any]]
) -> tuple[MessageDetail, ...]:
    """The messages, marked where their sender took no part until then."""
    found = strangers(messages, [identity[1] for identity in identities])
    if not found:
        return tuple(messages)
    return tuple(replace(m, stranger=True) if m.id in found else m for m in messages)


def _events(fetch: Fetch, numbers: list[int], marks: str) -> dict[int, list[EventDetail]]:
    rows = fetch(
        f"""SELECT ticket_id, id, at, name, actor, cause, data, change_id FROM event
        WHERE ticket_id IN ({marks}) ORDER BY id""",
        numbers,
    )
    found: dict[int, list[EventDetail]] = {}
    for row in rows:
        detail = EventDetail(
            row[1], from_millis(row[2]), row[3], row[4], row[5], json.loads(row[6]), row[7]
        )
        found.setdefault(row[0], []).append(detail)
    return found


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, address) for name, address in json.loads(text))


def _clock(row: tuple[Any, ...]) -> ClockDetail:
    return ClockDetail(
        metric=row[0],
        policy=row[1],
        calendar=row[2],
        target_s=row[3],
        started_at=from_millis(row[4]),
        due_at=moment(row[5]),
        warn_at=moment(row[6]),
        state=row[7],
        remaining_s=row[8],
        ended_at=moment(row[9]),
    )


def _escalation(rows: list[tuple[Any, ...]] | None) -> EscalationDetail | None:
    if not rows:
        return None
    row = rows[-1]
    return EscalationDetail(
        id=row[0],
        at=from_millis(row[1]),
        by=row[2],
        from_level=row[3],
        to_level=row[4],
        reason=row[5],
        tried=row[6],
        needed=row[7],
        wanted_by=moment(row[8]),
        promised=row[9],
        ack_due_at=moment(row[10]),
        accepted_at=moment(row[11]),
        accepted_by=row[12],
        climbed_from=row[13],
    )


def _message(row: tuple[Any, ...], attachments: tuple[AttachmentDetail, ...]) -> MessageDetail:
    return MessageDetail(
        id=row[0],
        direction=row[1],
        author=row[2],
        agent=row[3],
        at=from_millis(row[4]),
        date=moment(row[5]),
        subject=row[6],
        from_name=row[7],
        from_address=row[8],
        to=_pairs(row[9]),
        cc=_pairs(row[10]),
        bcc=_pairs(row[11]),
        reply_to=_pairs(row[12]),
        message_id=row[13],
        text=row[14],
        full_text=row[15] if row[15] is not None else row[14],
        automatic=bool(row[16]),
        bounce=json.loads(row[17]) if row[17] else None,
        matched_by=row[18],
        delivery=row[19],
        raw_sha256=row[20],
        reference_ids=tuple(row[21].split()),
        in_reply_to=row[22],
        account=row[23],
        channel=row[24],
        authentication=json.loads(row[25]) if row[25] else None,
        invitation=json.loads(row[26]) if row[26] else None,
        home=row[29],
        attachments=attachments,
        aside=bool(row[27]),
        forwards=tuple(json.loads(row[28])) if row[28] else (),
        deliveries=tuple(json.loads(row[30])),
    )
