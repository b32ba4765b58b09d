"""What is told outside the desk: put down in the transaction of the firing, told after it.

People of the team are told in the ways they chose, in the hours they chose unless it is urgent. A
notice is a row: it is taken by one process, tried again after a fault, and looked at by ``doctor``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from workflow.apply import Context
from workflow.calendars import CalendarError
from workflow.errors import NotFound
from workflow.macro_plans import filled
from workflow.model import Priority, rfc3339
from workflow.plaintext import one_line
from workflow.settings import AgentSettings, Secret
from workflow.store.statements import col, select
from workflow.store.tables import Notice, Ticket
from workflow.triggers.occasion import Occasion
from workflow.triggers.payload import payload

__all__ = [
    "APPRISE",
    "DESKTOP",
    "MAIL",
    "OUTSIDE",
    "PROGRAM",
    "WEBHOOK",
    "put_out",
    "tell",
    "tell_agents",
    "when_told",
]

MAIL, DESKTOP, APPRISE, WEBHOOK, PROGRAM = "mail", "desktop", "apprise", "webhook", "program"
OUTSIDE = (APPRISE, WEBHOOK, PROGRAM)
"""Kinds that an engine tells; mail goes through the outbox, a desktop notice through a console."""

_SUBJECT = 120


def tell(context: Context, occasion: Occasion) -> None:
    """Tell the people whom a rule names."""
    wanted = occasion.rule.do.notify
    assert wanted is not None
    ticket = context.transaction.ticket(occasion.ticket) if occasion.ticket else None
    text = wanted.text
    if occasion.ticket is not None:
        text = filled(context, occasion.ticket, text).text
    agents, addresses = _people(context, wanted.to, ticket)
    if not agents and not addresses:
        raise NotFound(f"nobody is there to tell: {', '.join(wanted.to)}")
    body = {"subject": _subject(occasion, ticket), "text": _text(context, occasion, ticket, text)}
    rule, urgent = occasion.rule.name, occasion.rule.urgent
    number = occasion.ticket or next(iter(occasion.tickets), None)
    tell_agents(context, agents, body, rule=rule, ticket=number, urgent=urgent)
    if addresses:
        _put(context, rule, number, MAIL, {"to": list(addresses)}, body, context.now)


def tell_agents(
    context: Context,
    agents: Iterable[AgentSettings],
    body: Mapping[str, Any],
    *,
    rule: str,
    ticket: int | None,
    urgent: bool,
    mail: bool = True,
) -> None:
    """Tell agents in the ways they chose; ``mail`` False leaves mail out, since they have it."""
    mails: dict[datetime, list[str]] = {}
    for agent in agents:
        due = context.now if urgent else when_told(context, agent)
        for index, way in enumerate(agent.ways):
            if way.kind == MAIL and mail and agent.email:
                mails.setdefault(due, []).append(agent.email)
            elif way.kind == DESKTOP:
                _put(context, rule, ticket, DESKTOP, {"agent": agent.name}, body, due)
            elif way.kind == APPRISE:
                target = {"agent": agent.name, "way": index}
                _put(context, rule, ticket, APPRISE, target, body, due)
    for due, to in mails.items():
        _put(context, rule, ticket, MAIL, {"to": to}, body, due)


def when_told(context: Context, agent: AgentSettings) -> datetime:
    """When an agent may be told of what is not urgent: now, or when their hours begin."""
    calendar = context.rules.calendars.get(agent.notify_hours)
    if calendar is None:
        return context.now
    try:
        return calendar.next_open(context.now)
    except CalendarError:
        return context.now


def put_out(context: Context, occasion: Occasion) -> None:
    """Put down the webhooks and the program of a rule."""
    rule, do = occasion.rule, occasion.rule.do
    body = payload(context, occasion)
    for hook in do.webhooks:
        target: dict[str, Any] = {"url": _reference(hook.url)}
        if hook.secret is not None:
            target["secret"] = _reference(hook.secret)
        _put(context, rule.name, occasion.ticket, WEBHOOK, target, body, context.now)
    if do.run is not None:
        target = {"argv": list(do.run.argv), "timeout_s": do.run.timeout_s}
        _put(context, rule.name, occasion.ticket, PROGRAM, target, body, context.now)


def _reference(secret: Secret) -> dict[str, str]:
    """Where a secret is, never what it is unless the file itself says it."""
    return {secret.kind: secret.value}


def _put(
    context: Context,
    rule: str,
    ticket: int | None,
    kind: str,
    target: Mapping[str, Any],
    body: Mapping[str, Any],
    due: datetime,
) -> None:
    context.transaction.session.add(
        Notice(
            rule=rule,
            ticket_id=ticket,
            kind=kind,
            target=dict(target),
            body=dict(body),
            due_at=due,
            state="queued",
            created_at=context.now,
        )
    )


def _people(
    context: Context, words: Iterable[str], ticket: Ticket | None
) -> tuple[list[AgentSettings], list[str]]:
    """The agents whom words name, each once, and mail addresses."""
    everybody = context.settings.agents
    found: dict[str, AgentSettings] = {}
    addresses: list[str] = []
    groups = {group.name for group in context.settings.groups}
    for word in words:
        if "@" in word:
            addresses.append(word)
            continue
        if word == "leads":
            named = [agent for agent in everybody if agent.role == "lead"]
        elif word == "assignee":
            named = [agent for agent in everybody if ticket and agent.name == ticket.assignee]
        elif word == "group" or word in groups:
            group = word if word in groups else ticket.group_name if ticket else None
            named = [agent for agent in everybody if group in agent.groups]
        else:
            named = [agent for agent in everybody if agent.name == word]
        found.update((agent.name, agent) for agent in named)
    return list(found.values()), addresses


def _subject(occasion: Occasion, ticket: Ticket | None) -> str:
    if ticket is None:
        many = len(occasion.tickets)
        about = f"{many} ticket{'s' if many != 1 else ''}" if many else occasion.on
        return f"{occasion.rule.name}: {about}"
    return f"#{ticket.id} {one_line(ticket.subject, _SUBJECT)} ({occasion.rule.name})"


def _text(context: Context, occasion: Occasion, ticket: Ticket | None, text: str) -> str:
    lines = [text] if text else []
    if ticket is not None:
        lines += ["", *_about(ticket)] if text else _about(ticket)
    elif occasion.tickets:
        rows = context.transaction.session.exec(
            select(Ticket).where(col(Ticket.id).in_(occasion.tickets))
        ).all()
        by_id = {row.id: row for row in rows}
        lines += [_line(by_id[number]) for number in occasion.tickets if number in by_id]
    lines += ["", f"Told by {occasion.rule.name} ({occasion.rule.cause}): {occasion.on}."]
    return "\n".join(lines).strip("\n")


def _about(ticket: Ticket) -> list[str]:
    owner = " ".join(filter(None, (ticket.group_name, ticket.assignee))) or "nobody"
    lines = [_line(ticket), f"With {owner}, {ticket.status}."]
    if ticket.next_due_at is not None:
        lines.append(f"Next promise due {rfc3339(ticket.next_due_at)}.")
    return lines


def _line(ticket: Ticket) -> str:
    word = Priority(ticket.priority).word
    return f"#{ticket.id} {word} {one_line(ticket.subject, _SUBJECT)}"
