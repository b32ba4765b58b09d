"""The facts of a ticket when messages come to it from other tickets, and leave it again.

Every ticket's clocks stay a function of its own events alone. So the event of a move carries what
had been told of the messages that moved, and a fact about a message counts where the message is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflow.model import Metric, Priority, from_millis, to_millis
from workflow.sla import Fact

__all__ = ["MovedFacts", "facts_about", "pack", "unpack", "with_priority"]

_OF_A_MESSAGE = ("received", "sent", "queued", "cancelled")


class MovedFacts:
    """What is known of a ticket so far, event by event."""

    def __init__(self) -> None:
        self._events = 0
        # Each with the number of its event: those of one moment keep the order of writing.
        self._loose: list[tuple[int, Fact]] = []
        self._joined: dict[int, tuple[int, Fact]] = {}
        self._away: set[int] = set()

    def add(self, fact: Fact) -> None:
        """A fact of the ticket's own."""
        self._events += 1
        self._loose.append((self._events, fact))

    def take(self, at: datetime, name: str, data: Mapping[str, Any]) -> bool:
        """Follow an event by which messages come or leave; False if it is another one."""
        if name == "ticket.joined":
            self._come(data["messages"])
            number = int(data["ticket"])
            fact = Fact(at, "joined", str(number), course=unpack(data["facts"]))
            self._events += 1
            self._joined[number] = (self._events, fact)
        elif name == "ticket.parted":
            self._away.update(data["messages"])
            self._part(frozenset(data["tickets"]), frozenset(data["messages"]))
        elif name == "messages.left":
            self._away.update(data["messages"])
        elif name == "messages.came":
            self._come(data["messages"])
            for fact in unpack(data["facts"]):
                self.add(fact)
        elif name == "ticket.merged" and data.get("facts"):
            # What came while it was merged; the fact that it is back is told all the same.
            known = {fact for _number, fact in self._loose}
            for fact in unpack(data["facts"]):
                if fact not in known:
                    self.add(fact)
            return False
        else:
            return False
        return True

    def here(self) -> list[Fact]:
        """The facts that count, in the order of their times."""
        everything = sorted(
            (*self._loose, *self._joined.values()), key=lambda entry: (entry[1].at, entry[0])
        )
        return list(_visible((fact for _number, fact in everything), self._away))

    def _come(self, messages: Iterable[int]) -> None:
        """Messages are here: what was known of them is told anew by what brings them."""
        known = frozenset(messages)
        self._away -= known
        self._loose = [entry for entry in self._loose if not _is_about(entry[1], known)]
        self._joined = {n: (at, _without(fact, known)) for n, (at, fact) in self._joined.items()}

    def _part(self, tickets: Collection[int], messages: Collection[int]) -> None:
        """Take out what tickets had brought, but for the messages that stay."""
        kept: list[Fact] = []
        self._joined = {
            number: (at, _parted(fact, tickets, messages, kept))
            for number, (at, fact) in self._joined.items()
            if not _is_gone(fact, tickets, messages, kept)
        }
        for fact in kept:
            self.add(fact)


def _is_about(fact: Fact, messages: Collection[int]) -> bool:
    return fact.message in messages and fact.kind in _OF_A_MESSAGE


def _without(fact: Fact, messages: Collection[int]) -> Fact:
    if fact.kind != "joined":
        return fact
    course = (_without(one, messages) for one in fact.course if not _is_about(one, messages))
    return replace(fact, course=tuple(course))


def _is_gone(
    fact: Fact, tickets: Collection[int], messages: Collection[int], kept: list[Fact]
) -> bool:
    if fact.kind != "joined" or int(fact.value) not in tickets:
        return False
    kept += [one for one in _flat(fact.course) if _stays(one, messages)]
    return True


def _stays(fact: Fact, gone: Collection[int]) -> bool:
    return fact.kind in _OF_A_MESSAGE and fact.message is not None and fact.message not in gone


def _parted(
    fact: Fact, tickets: Collection[int], messages: Collection[int], kept: list[Fact]
) -> Fact:
    course = tuple(
        _parted(one, tickets, messages, kept) if one.kind == "joined" else one
        for one in fact.course
        if not _is_gone(one, tickets, messages, kept)
    )
    return replace(fact, course=course)


def _flat(facts: Iterable[Fact]) -> Iterator[Fact]:
    for fact in facts:
        yield fact
        yield from _flat(fact.course)


def _visible(facts: Iterable[Fact], away: Collection[int]) -> Iterator[Fact]:
    for fact in facts:
        if fact.kind == "joined":
            yield replace(fact, course=tuple(_visible(fact.course, away)))
        elif fact.message is None or fact.message not in away:
            yield fact


def facts_about(facts: Iterable[Fact], messages: Collection[int], but: int = 0) -> list[Fact]:
    """What is told of messages, by their times; ``but`` leaves out what a ticket brought along."""
    found: list[Fact] = []
    for fact in facts:
        if fact.kind == "joined" and int(fact.value) != but:
            found += facts_about(fact.course, messages, but)
        elif _is_about(fact, messages):
            found.append(fact)
    return sorted(found, key=lambda fact: fact.at)


def with_priority(facts: Sequence[Fact], priority: Priority, at: datetime) -> list[Fact]:
    """The facts with the priority that their ticket was born with before them."""
    return [Fact(at, "priority", str(int(priority))), *facts]


def pack(facts: Iterable[Fact]) -> list[list[Any]]:
    """Facts as an event keeps them."""
    return [
        [
            to_millis(fact.at),
            fact.kind,
            fact.value,
            fact.metric.value if fact.metric else None,
            fact.counts,
            fact.message,
            pack(fact.course),
        ]
        for fact in facts
    ]


def unpack(rows: Iterable[Sequence[Any]]) -> tuple[Fact, ...]:
    """The facts that an event keeps."""
    return tuple(
        Fact(
            from_millis(at),
            kind,
            value,
            Metric(metric) if metric else None,
            counts,
            message,
            unpack(course),
        )
        for at, kind, value, metric, counts, message, course in rows
    )
