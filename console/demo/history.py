"""What was settled before the demo opens: plain data, for whoever writes it into the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from console.demo.script import read_script, read_stories_file
from workflow.model import Direction, Status

__all__ = ["Assignment", "PastMessage", "PastTicket", "assignments", "history_actions"]


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message ``ago`` before now; ``author`` is an agent's name or the customer's address."""

    direction: Direction
    author: str
    ago: timedelta
    text: str


@dataclass(frozen=True, slots=True)
class PastTicket:
    """A ticket that was resolved; ``outcome`` is one sentence, ``messages`` are oldest first."""

    customer: str
    customer_name: str
    subject: str
    topic: str
    assignee: str
    status: Status
    outcome: str
    resolved_ago: timedelta
    messages: tuple[PastMessage, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A matter of the backlog that somebody of the team has already taken."""

    customer: str
    subject: str
    assignee: str


def history_actions() -> tuple[PastTicket, ...]:
    """The resolved tickets of the cast, oldest first."""
    people = read_script().people
    tickets = []
    for entry in read_stories_file("history.toml")["ticket"]:
        person = people[entry["customer"]]
        messages = tuple(
            PastMessage(
                direction=Direction.IN if said["from"] == "customer" else Direction.OUT,
                author=person.address if said["from"] == "customer" else said["from"],
                ago=timedelta(hours=said["hours"]),
                text=said["text"],
            )
            for said in entry["messages"]
        )
        tickets.append(
            PastTicket(
                customer=person.address,
                customer_name=person.name,
                subject=entry["subject"],
                topic=entry["topic"],
                assignee=entry["assignee"],
                status=Status.RESOLVED,
                outcome=entry["outcome"],
                resolved_ago=messages[-1].ago - timedelta(minutes=20),
                messages=messages,
            )
        )
    return tuple(sorted(tickets, key=lambda ticket: ticket.messages[0].ago, reverse=True))


def assignments() -> tuple[Assignment, ...]:
    """Who of the team already works on what of the backlog."""
    script = read_script()
    return tuple(
        Assignment(script.people[story.by].address, story.subject, story.assignee)
        for story in script.backlog
        if story.assignee
    )
