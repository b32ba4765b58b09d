"""``deskhand demo``: the servers, the customers and the console put together."""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.clock import Clock, ManualClock
from workflow.errors import UsageError
from workflow.inbound import Inbound, Party, Source
from workflow.model import ENGINE, Actor, Direction, from_millis

if TYPE_CHECKING:
    from console.demo.history import PastMessage, PastTicket
    from workflow.desk import Desk

__all__ = ["play"]

_VIPS = {"verdantis.example": ("Verdantis", "vip")}
"""Companies of the cast whose tickets matter more, by the domain of their addresses."""


def play(clock: Clock, seed: int) -> int:
    """Run the demo until the person leaves; the exit status.

    Raises UsageError without a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the demo needs a terminal: run deskhand demo in one")
    from console.demo.desk import run_demo

    return run_demo(_open, clock=clock, seed=seed, prepare=prepare)


def _open(home: Path, agent: str, clock: Clock) -> int:
    from console.app import run_console
    from console.bootstrap import Desktop

    return run_console(Desktop(home, clock, agent), tour=True)


def prepare(home: Path, clock: Clock) -> None:
    """Write the past into the desk, take in the mail that waits, and hand out what somebody has
    already taken.
    """
    from console.bootstrap import Desktop
    from console.demo.handing_up import hand_up
    from console.demo.history import assignments, history_actions
    from workflow import actions as a

    now = clock.now()
    past = ManualClock(now)
    history = Desktop(home, past)
    for ticket in history_actions():
        _settle(history.desk, past, now, ticket)
    history.close()
    desktop = Desktop(home, clock)
    desktop.engine().run_once()
    taken = {(entry.customer, entry.subject): entry.assignee for entry in assignments()}
    rows = desktop.reads.fetch(
        "SELECT ticket.id, identity.value, ticket.subject FROM ticket"
        " JOIN identity ON identity.customer_id = ticket.customer_id WHERE ticket.status <> 'resolved'"
    )
    changes: list[a.Action] = []
    for number, address, subject in rows:
        assignee = taken.get((address, subject))
        if assignee:
            changes.append(a.Assign(number, assignee=assignee))
        company = _VIPS.get(address.rpartition("@")[2])
        if company:
            changes += [
                a.SetField(number, "company", company[0]),
                a.SetField(number, "tier", company[1]),
            ]
            changes.append(a.SetPriority(number, 4))
    desktop.desk.perform_all(changes, ENGINE, "demo")
    desktop.close()
    _work_through(home, clock)
    hand_up(home, clock)


_ANSWER = (
    "Hello {name},\n\nthank you for writing. We are looking into it and come back to you with an answer,"
    " not with another question.\n\n{agent}\nMoss & Meter"
)
_STALE = timedelta(hours=5)
_LEFT_OPEN = 4
"""Of the tickets older than ``_STALE`` every fourth has been left lying, as it is on a Monday."""


def _work_through(home: Path, clock: Clock) -> None:
    """What the team has done with the older mail before the visitor sits down: answered, snoozed."""
    from console.bootstrap import Desktop
    from workflow import actions as a

    now, past = clock.now(), ManualClock(clock.now())
    desktop = Desktop(home, past)
    desk = desktop.desk
    rows = desktop.reads.fetch(
        "SELECT ticket.id, ticket.created_at, ticket.assignee, ticket.subject, customer.name, message.from_address,"
        " message.message_id FROM ticket JOIN customer ON customer.id = ticket.customer_id"
        " JOIN message ON message.ticket_id = ticket.id"
        " WHERE ticket.status = 'new' AND ticket.priority < 4"
        " AND ticket.channel = 'email' GROUP BY ticket.id ORDER BY ticket.created_at"
    )
    stale = [row for row in rows if from_millis(row[1]) < now - _STALE]
    for index, (number, created, assignee, subject, name, address, message_id) in enumerate(stale):
        turn = index % _LEFT_OPEN
        if turn == 0:
            continue
        agent = assignee or ("ana", "ben", "chloe")[turn - 1]
        past.set(min(from_millis(created) + timedelta(hours=2, minutes=7 * index), now))
        sender = next(p.email for p in desk.settings.agents if p.name == agent)
        text = _ANSWER.format(name=name.split(" ")[0], agent=agent.capitalize())
        desk.receive(
            [_answer(desk, past.now(), sender, Party(name, address), subject, text, message_id)]
        )
        status = ("pending", "on hold", "open")[turn - 1]
        who = Actor.agent(agent)
        desk.perform_all(
            [a.Assign(number, assignee=agent), a.SetStatus(number, status)], who, "demo"
        )
    past.set(now)
    lead = Actor.agent("chloe")
    for row in stale[1:3]:
        desk.perform(a.Snooze(row[0], now + timedelta(hours=20)), lead, "demo")
    desktop.close()


def _answer(
    desk: Desk,
    at: datetime,
    sender: str,
    customer: Party,
    subject: str,
    text: str,
    answers: str | None,
) -> Inbound:
    """An answer that somebody of the team wrote in another mail program."""
    account = desk.settings.channels[0]
    key = f"demo.answer.{customer.address}.{subject}"
    chain = (answers,) if answers else ()
    return Inbound(
        channel="email",
        source=Source(account.name),
        raw_sha256=desk.files.put(text.encode()),
        raw_size=len(text),
        reached_at=at,
        sender=Party("", sender),
        to=(customer,),
        subject=f"Re: {subject}",
        date=at,
        message_id=f"<{hashlib.sha256(key.encode()).hexdigest()[:24]}@demo.example>",
        in_reply_to=chain,
        references=chain,
        text=text,
        full_text=text,
        own=True,
        dedupe_key=key,
    )


def _settle(desk: Desk, past: ManualClock, now: datetime, ticket: PastTicket) -> None:
    """One ticket of the past: its messages at their times, then its outcome."""
    from workflow import actions as a

    number: int | None = None
    chain: tuple[str, ...] = ()
    for index, message in enumerate(ticket.messages):
        past.set(now - message.ago)
        item = _message(desk, past.now(), ticket, message, index, chain)
        received = desk.receive([item])[0]
        number = received.ticket
        assert item.message_id is not None
        chain = (*chain, item.message_id)
    assert number is not None
    past.set(now - ticket.resolved_ago)
    who = Actor.agent(ticket.assignee)
    desk.perform_all(
        [
            a.Assign(number, assignee=ticket.assignee),
            a.SetField(number, "topic", ticket.topic),
            a.Note(number, ticket.outcome),
            a.SetStatus(number, ticket.status.value),
        ],
        who,
        "demo",
    )


def _message(
    desk: Desk,
    at: datetime,
    ticket: PastTicket,
    message: PastMessage,
    index: int,
    chain: tuple[str, ...],
) -> Inbound:
    ours = message.direction is Direction.OUT
    address = next(
        (p.email for p in desk.settings.agents if p.name == message.author), message.author
    )
    account = desk.settings.channels[0]
    customer = Party(ticket.customer_name, ticket.customer)
    team = Party("", account.address)
    key = f"demo.{ticket.customer}.{ticket.subject}.{index}"
    return Inbound(
        channel="email",
        source=Source(account.name),
        raw_sha256=desk.files.put(message.text.encode()),
        raw_size=len(message.text),
        reached_at=at - timedelta(seconds=1),
        sender=Party("", address) if ours else customer,
        to=(customer,) if ours else (team,),
        subject=f"Re: {ticket.subject}" if index else ticket.subject,
        date=at,
        message_id=f"<{hashlib.sha256(key.encode()).hexdigest()[:24]}@demo.example>",
        in_reply_to=chain[-1:],
        references=chain,
        text=message.text,
        full_text=message.text,
        own=ours,
        dedupe_key=key,
    )
