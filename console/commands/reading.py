"""Verbs that look and change nothing: list, show, search, explain."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, table
from console.countdown import Countdown, Left
from console.fmt import METRIC_WORDS, age, clock_words, priority_mark, span_words
from workflow.errors import NotFound, UsageError
from workflow.model import Priority, Urgency, rfc3339, to_millis
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.standing import standing
from workflow.store.reads import SORTS
from workflow.store.rows import MessageDetail, QueueRow, TicketDetail
from workflow.views import view

if TYPE_CHECKING:
    from workflow.ledger import Counted

__all__ = ["explain", "list_tickets", "needed", "search", "show"]

_SHOWN = 100
_FOUND = 50


def list_tickets(desktop: Desktop, args: Namespace) -> Answer:
    """The tickets of a query, of a view, or of both."""
    text, sort = " ".join(args.query), args.sort
    if args.view:
        chosen = view(args.view)
        # Two queries side by side mean both; the parentheses keep an OR of one to itself.
        text = " ".join(f"({part})" for part in (chosen.query, text) if part.strip())
        sort = sort or chosen.sort
    sort = sort or "due"
    if sort not in SORTS:
        raise UsageError(f"there is no order {sort!r}: take one of {', '.join(SORTS)}")
    compiled = compile_sql(parse(text), desktop.context)
    desktop.catch_up()
    reads = desktop.reads
    total = reads.count(compiled)
    limit = args.limit if args.limit is not None or args.json else _SHOWN
    ids = reads.ids(compiled, sort, limit)
    now = desktop.clock.now()
    if args.json:
        found = [documents.listed(detail, now, desktop.calendars) for detail in reads.tickets(ids)]
        return Answer({"tickets": found, "total": total})
    countdown = Countdown()
    countdown.calendars = desktop.calendars
    rows = [_row(row, to_millis(now), countdown.left) for row in reads.rows(ids)]
    if not rows:
        return Answer(text="no ticket matches" if text else "no tickets: the desk is empty")
    head = ("id", "status", "pri", "customer", "subject", "assignee", "waits", "promise")
    lines = table(rows, head, (0, 0, 3, 20, 46, 10, 5, 0))
    more = (
        f"\n{total - len(rows)} more: narrow the query or give --limit" if total > len(rows) else ""
    )
    return Answer(text=lines + more)


def _row(row: QueueRow, now_ms: int, left_by: Left) -> tuple[str, ...]:
    promise, _ink = clock_words(
        now_ms, row.next_metric, row.next_due_ms, row.next_warn_ms, bool(row.paused), wide=True,
        calendar=row.next_calendar, left_by=left_by,
    )  # fmt: skip
    return (
        f"#{row.id}",
        row.status,
        priority_mark(row.priority),
        row.customer,
        row.subject or "(no subject)",
        row.assignee or "-",
        age(now_ms, row.waiting_since_ms),
        promise,
    )


def needed(desktop: Desktop, number: int) -> TicketDetail:
    """A ticket that must be there; raises NotFound."""
    desktop.catch_up()
    detail = desktop.reads.ticket(number)
    if detail is None:
        raise NotFound(f"there is no ticket #{number}: deskhand list shows those there are")
    return detail


def show(desktop: Desktop, args: Namespace) -> Answer:
    """One ticket, whole."""
    detail = needed(desktop, args.id)
    now = desktop.clock.now()
    document = documents.ticket(detail, now, desktop.calendars)
    document["reference"] = desktop.reads.reference(detail.id)
    return Answer(document, _ticket_text(detail, desktop) if not args.json else "")


def _ticket_text(detail: TicketDetail, desktop: Desktop) -> str:
    now = desktop.clock.now()
    customer = detail.customer
    addresses = ", ".join(identity.value for identity in customer.identities)
    lines = [
        f"#{detail.id}  {detail.subject or '(no subject)'}",
        f"{detail.status} · {Priority(detail.priority).word} (by {detail.priority_by})"
        f" · {detail.channel}{' ' + detail.account if detail.account else ''}"
        f" · {detail.assignee or 'unassigned'}{' in ' + detail.group_name if detail.group_name else ''}",
        f"{customer.name or addresses} <{addresses}> · {customer.tier}",
    ]
    if told := _told(detail):
        lines.append(told)
    if detail.tags:
        lines.append("tags: " + " ".join(detail.tags))
    if detail.merged_into is not None:
        lines.append(
            f"merged into #{detail.merged_into}: deskhand show {detail.merged_into} has its messages"
        )
    lines += [
        f"{link.words} #{link.ticket}: {link.subject or '(no subject)'} ({link.status})"
        for link in detail.links
    ]
    if (guess := detail.suggestion) is not None:
        lines.append(
            f"looks like #{guess.ticket}: {guess.subject} ({guess.status}):"
            f" deskhand merge {detail.id} {guess.ticket}, or deskhand dismiss {detail.id}"
        )
    if detail.escalation:
        packet = detail.escalation
        lines.append(f"escalated to {packet.to_level} by {packet.by}: {packet.reason}")
        if packet.accepted_by is not None:
            lines.append(f"accepted by {packet.accepted_by}")
        elif packet.ack_due_at is not None:
            seconds = int((packet.ack_due_at - now).total_seconds() // 1)
            late = "left" if seconds >= 0 else "past due"
            lines.append(f"accepted by nobody yet: {span_words(seconds)} {late}")
    for clock in detail.clocks:
        judged = standing(clock, now, desktop.calendars)
        left = (
            f"{span_words(judged.remaining_s)} {'left' if judged.remaining_s >= 0 else 'past due'}"
        )
        lines.append(f"{METRIC_WORDS[clock.metric]}: {judged.state.value}, {left} ({clock.policy})")
    for message in detail.messages:
        lines += ["", _message_head(message), message.text or "(no text)"]
        lines += [
            f"  attachment: {f.name} ({f.content_type}, {f.size} bytes)"
            for f in message.attachments
        ]
    return "\n".join(lines)


def _told(detail: TicketDetail) -> str:
    """What triage has found out, in a line."""
    from workflow.triage.verdict import sentiment_word

    felt = sentiment_word(detail.sentiment)
    said = (
        f"topic {detail.topic}" if detail.topic else "",
        f"language {detail.language}" if detail.language else "",
        f"urgency {Urgency(detail.urgency).word}" if detail.urgency is not None else "",
        felt if felt not in ("none", "neutral") else "",
        "asks for a person" if detail.wants_person else "",
        f"wrote {detail.contacts} times in 7 days" if detail.contacts > 1 else "",
    )
    return " · ".join(filter(None, said))


def _message_head(message: MessageDetail) -> str:
    kind = {"in": "from", "out": "to", "note": "note by"}[message.direction]
    who = message.author
    if message.direction == "out":
        who = ", ".join(address for _name, address in message.to) or "nobody"
    state = f" · {message.delivery}" if message.delivery else ""
    auto = " · automatic" if message.automatic else ""
    auto += " · aside, not the customer" if message.aside else ""
    outside = " · not a participant until now" if message.stranger else ""
    home = f" · from #{message.home}" if message.home is not None else ""
    return f"--- {message.id}: {rfc3339(message.at)} {kind} {who}{state}{auto}{outside}{home} ---"


def search(desktop: Desktop, args: Namespace) -> Answer:
    """Full text over all messages."""
    from workflow.store.search import search as look

    started = time.perf_counter()
    limit = _FOUND if args.limit is None else args.limit
    found = look(desktop.reads, " ".join(args.query), desktop.context, limit, args.order)
    seconds = round(time.perf_counter() - started, 4)
    document = {
        "hits": [documents.hit(h) for h in found.hits],
        "total": found.total,
        "seconds": seconds,
    }
    lines = [f"#{h.ticket}  {h.author}: {h.subject}\n      {h.snippet}" for h in found.hits]
    lines.append(
        f"{found.total} messages in {seconds:.3f} s" if found.total else "no message matches"
    )
    return Answer(document, "\n".join(lines))


def explain(desktop: Desktop, args: Namespace) -> Answer:
    """Why a ticket is where it is: what set each fact, and the intervals that each clock has
    counted.
    """
    from workflow.ledger import ledger

    detail = needed(desktop, args.id)
    now = desktop.clock.now()
    rows = [(event.at, event.name, event.data) for event in detail.events]
    ledgers = ledger(rows, desktop.rule_book.current.policies, now)
    clocks = [
        {"metric": metric.value, "ledger": [_interval(entry) for entry in entries]}
        for metric, entries in ledgers.items()
    ]
    facts = list(_facts(detail))
    text = [
        f"{fact['field']}: {fact['value'] or 'none'} because {fact['cause']}"
        + (f" ({fact['evidence']})" if fact["evidence"] else "")
        for fact in facts
    ]
    for metric, entries in ledgers.items():
        text.append(METRIC_WORDS[metric.value])
        text += [
            f"  {rfc3339(entry.start)} to {rfc3339(entry.end)}  {entry.why:8} {entry.counted_s} s"
            for entry in entries
        ]
    return Answer({"facts": facts, "clocks": clocks}, "\n".join(text))


def _interval(entry: Counted) -> dict[str, object]:
    return {
        "from": rfc3339(entry.start),
        "to": rfc3339(entry.end),
        "counted_s": entry.counted_s,
        "why": entry.why,
    }


def _facts(detail: TicketDetail) -> Iterator[dict[str, object]]:
    """Each fact with what set it."""
    from workflow.routing.reasons import reasons
    from workflow.triage.reasons import told_reasons

    latest = next((e for e in reversed(detail.events) if e.name == "ticket.status"), None)
    yield {
        "field": "status",
        "value": detail.status,
        "cause": f"{latest.actor} through {latest.cause}" if latest else "default",
        "evidence": f"{latest.name} at {rfc3339(latest.at)}" if latest else "as it came in",
    }
    for reason in (*reasons(detail), *told_reasons(detail)):
        yield asdict(reason)
    yield _policy(detail)
    yield from _belonging(detail)
    first = next((m for m in detail.messages if m.direction == "in"), None)
    if first is not None:
        yield {
            "field": "ticket",
            "value": detail.id,
            "cause": first.matched_by,
            "evidence": first.message_id or "",
        }


def _policy(detail: TicketDetail) -> dict[str, object]:
    """Which promise holds, where it is written, and what it comes to for this ticket."""
    chosen = next((e for e in reversed(detail.events) if e.name == "ticket.policy"), None)
    if detail.policy is None:
        cause, evidence = "no policy matches", "workflow/sla.toml promises nothing for it"
    elif chosen is None:
        cause, evidence = "default", "the built-in policy"
    elif chosen.data.get("set_after"):
        cause, evidence = chosen.actor, f"named by {chosen.cause} at {rfc3339(chosen.at)}"
    else:
        cause = chosen.cause
        evidence = f"the first that matches: {chosen.data.get('match') or 'every ticket'}"
    targets = ", ".join(f"{c.metric} {span_words(c.target_s)}" for c in detail.clocks)
    return {
        "field": "policy",
        "value": detail.policy,
        "cause": cause,
        "evidence": f"{evidence}; {targets}" if targets else evidence,
    }


def _belonging(detail: TicketDetail) -> Iterator[dict[str, object]]:
    """What a ticket has to do with others, and why it is thought so."""
    if (guess := detail.suggestion) is not None:
        event = next(e for e in reversed(detail.events) if e.name == "ticket.suggestion")
        yield {
            "field": "suggestion",
            "value": guess.ticket,
            "cause": event.cause,
            "evidence": f"{event.name} at {rfc3339(event.at)}",
        }
    for event in detail.events:
        if event.name not in ("ticket.linked", "ticket.merged", "ticket.joined"):
            continue
        other = event.data.get("ticket") or event.data.get("from") or event.data.get("after")
        current = {link.ticket: link.kind for link in detail.links}
        kind = "merged into" if other == detail.merged_into else current.get(other or 0)
        if kind is not None:
            yield {
                "field": "link",
                "value": other,
                "cause": f"{kind}: {event.actor} through {event.cause}",
                "evidence": f"{event.name} at {rfc3339(event.at)}",
            }
    for message in detail.messages:
        if message.direction == "in" and message.matched_by not in ("", "new"):
            yield {
                "field": "message",
                "value": message.id,
                "cause": message.matched_by,
                "evidence": message.in_reply_to or message.message_id or "",
            }
