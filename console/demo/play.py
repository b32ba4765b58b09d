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
from workflow.model import ENGINE, Actor, Direction

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

    return run_console(Desktop(home, clock, agent))


def prepare(home: Path, clock: Clock) -> None:
    """Write the past into the desk, take in the mail that waits, and hand out what somebody has
    already taken.
    """
    from console.bootstrap import Desktop
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
