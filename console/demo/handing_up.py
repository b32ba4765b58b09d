"""What the team did just before the visitor sits down: tickets moved up, a person known twice joined,
a first answer in a chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.demo.chat_script import read_chat_script
from console.demo.script import read_script
from workflow.clock import Clock, ManualClock
from workflow.model import Actor

if TYPE_CHECKING:
    from console.bootstrap import Desktop

__all__ = ["PACKETS", "hand_up"]


@dataclass(frozen=True, slots=True)
class Packet:
    """An escalation: of which story, by whom, how long ago, and what it says."""

    by: str
    subject: str
    agent: str
    ago: timedelta
    level: str
    reason: str
    tried: str
    needed: str
    promised: str = ""
    accepted_by: str = ""


PACKETS: tuple[Packet, ...] = (
    # The whole of the twenty minutes that L2 has is used up while one watches.
    Packet(
        "ruth",
        "Annual plan renewed without notice",
        "ben",
        timedelta(minutes=18, seconds=30),
        "L2",
        "legal",
        "Sent her the terms of 2024; she quotes section 9(c) against them.",
        "Somebody who may say that we take the renewal back.",
        "an answer today",
    ),
    Packet(
        "gordon",
        "REFUND. THIRD REQUEST.",
        "ben",
        timedelta(minutes=6),
        "L2",
        "refund over limit",
        "Found the parcel in the ledger of the 14th, nobody has booked it.",
        "The refund of 118 GBP, which is over my limit.",
        "the money by Friday",
    ),
    Packet(
        "hanna",
        "Sensor arrived broken",
        "ana",
        timedelta(minutes=52),
        "lead",
        "complaint",
        "Offered a new one; it is the second that arrives broken.",
        "Somebody who talks to the parcel service.",
        accepted_by="chloe",
    ),
)
"""What the team has moved up of the backlog."""

_JOINED = "priya"
_ANSWERED = "ilse"
_ANSWER = "Good morning Ilse,\n\nwhat a beautiful fig in the background! Which of the three drinks most?\n\nAna"


def hand_up(home: Path, clock: Clock) -> None:
    """Do it, each at its time."""
    from console.bootstrap import Desktop

    past = ManualClock(clock.now())
    desktop = Desktop(home, past)
    try:
        _move_up(desktop, past, clock)
        past.set(clock.now())
        _join(desktop)
        _answer(desktop)
    finally:
        desktop.close()


def _move_up(desktop: Desktop, past: ManualClock, clock: Clock) -> None:
    from workflow import actions as a

    people = read_script().people
    now = clock.now()
    for packet in sorted(PACKETS, key=lambda one: one.ago, reverse=True):
        ticket = _ticket(desktop, "email", people[packet.by].address, packet.subject)
        if ticket is None:
            continue
        past.set(now - packet.ago)
        escalate = a.Escalate(
            ticket,
            packet.reason,
            packet.level,
            packet.tried,
            packet.needed,
            promised=packet.promised,
        )
        desktop.desk.perform(escalate, Actor.agent(packet.agent), "demo")
        if packet.accepted_by:
            past.advance(240)
            desktop.desk.perform(a.Accept(ticket), Actor.agent(packet.accepted_by), "demo")


def _join(desktop: Desktop) -> None:
    """One person of the cast is known over both channels; the others are left to the visitor."""
    from workflow import actions as a

    found = [
        desktop.reads.fetch(
            "SELECT customer_id FROM identity WHERE kind = ? AND value = ?", (kind, value)
        )
        for kind, value in (
            ("email", read_script().people[_JOINED].address),
            ("telegram", str(read_chat_script().people[_JOINED].chat)),
        )
    ]
    if all(found):
        keep, other = (rows[0][0] for rows in found)
        desktop.desk.perform(a.JoinCustomers(keep, other), Actor.agent("chloe"), "demo")


def _answer(desktop: Desktop) -> None:
    from workflow import actions as a

    ticket = _ticket(desktop, "telegram", str(read_chat_script().people[_ANSWERED].chat))
    if ticket is not None:
        actions = [
            a.Assign(ticket, assignee="ana"),
            a.Reply(ticket, _ANSWER, to_status="pending", undo_window_s=0),
        ]
        desktop.desk.perform_all(actions, Actor.agent("ana"), "demo")


def _ticket(desktop: Desktop, kind: str, value: str, subject: str = "") -> int | None:
    rows = desktop.reads.fetch(
        "SELECT ticket.id FROM ticket JOIN identity ON identity.customer_id = ticket.customer_id"
        " WHERE identity.kind = ? AND identity.value = ? AND ticket.channel = ?"
        " AND ticket.status <> 'resolved' AND (? = '' OR ticket.subject = ?) ORDER BY ticket.id DESC",
        (kind, value, kind, subject, subject),
    )
    return int(rows[0][0]) if rows else None
