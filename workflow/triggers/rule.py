"""A rule as the desk knows it: when it fires, for which tickets, how often, and what it does then.

Triggers (``workflow/triggers.toml``), the rules of ``workflow/escalation.toml`` and what a policy
says of escalating are all of this form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workflow.model import Actor
from workflow.query.grammar import parse
from workflow.query.tree import Query
from workflow.settings import Secret
from workflow.triggers.schedule import Schedule

__all__ = [
    "AROUND_THE_CLOCK",
    "OF_POLICY",
    "Answer",
    "Cap",
    "Do",
    "Once",
    "Program",
    "Rule",
    "Tell",
    "Up",
    "Webhook",
]

AROUND_THE_CLOCK = "always"
"""The calendar of a rule that names none."""

OF_POLICY = "policy"
"""Stands for the calendar of the policy that the ticket has."""


@dataclass(frozen=True, slots=True)
class Up:
    """An escalation; ``to`` None is the next level, ``reason`` empty is what made the rule fire."""

    to: str | None = None
    reason: str = ""
    tried: str = ""
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A text for the customer: written here (Liquid), or that of a macro."""

    text: str = ""
    macro: str = ""


@dataclass(frozen=True, slots=True)
class Tell:
    """Who of the team is told. ``to`` are names of agents and groups, mail addresses, ``leads``,
    ``assignee`` and ``group``; ``text`` is Liquid, empty takes what happened.
    """

    to: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that gets JSON; with a ``secret`` it can see that it is from us."""

    url: Secret
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A program that gets JSON on its standard input; never through a shell."""

    argv: tuple[str, ...]
    timeout_s: int = 30


@dataclass(frozen=True, slots=True)
class Do:
    """What a rule does. None and empty leave things as they are."""

    status: str | None = None
    priority: int | None = None
    topic: str | None = None
    assign: str | None = None
    """The name of an agent, or empty for nobody."""
    group: str | None = None
    policy: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    snooze_s: int | None = None
    """Seconds to be out of sight; 0 is until the customer writes."""
    note: str = ""
    escalate: Up | None = None
    suggest: str = ""
    """The macro that is proposed to the agent."""
    macro: str = ""
    """The macro that is run: what it changes happens, its text becomes a suggested reply."""
    draft: Answer | None = None
    send: Answer | None = None
    """The only thing that reaches the customer unseen: the file says ``send = "auto"``."""
    notify: Tell | None = None
    webhooks: tuple[Webhook, ...] = ()
    run: Program | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """A rule fires once for each ``ticket`` or ``customer``: ever, or within some seconds."""

    per: Literal["ticket", "customer"]
    within_s: int | None = None

    def __str__(self) -> str:
        return f"once a {self.per}"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` firings within ``within_s`` seconds; more are told of and left undone."""

    count: int
    within_s: int


TICKET_CAP = Cap(20, 3_600)
"""What no rule exceeds on one ticket: more is a loop."""

RULE_CAP = Cap(1_000, 3_600)
"""What a rule may do in all, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``file`` and ``line`` say where it stands: ``triggers.toml`` and 12.

    ``on`` are words of :mod:`workflow.triggers.events`; ``before`` and ``after`` what a changed field
    must have been and must be; ``metrics`` the clocks that count for ``at risk`` and ``breached``;
    ``signals`` the names of customer events. ``delay_s`` waits after the event, in working time of
    ``calendar``; an event of ``unless`` meanwhile calls it off. ``every`` fires at times instead.
    ``unanswered_s`` and ``unresolved_s`` fire when so much of a ticket's own response or resolution
    clock is used up.
    """

    name: str
    file: str
    line: int
    do: Do
    on: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    delay_s: int | None = None
    every: Schedule | None = None
    unanswered_s: int | None = None
    unresolved_s: int | None = None
    calendar: str = AROUND_THE_CLOCK
    unless: tuple[str, ...] = ()
    when: Query = field(default_factory=lambda: parse(""))
    once: Once | None = None
    cap: Cap = RULE_CAP
    shadow: bool = False
    urgent: bool = False
    digest: bool = False
    """Of what is due at a time: one notice about all tickets in place of a firing for each."""
    policy: bool = False
    """What a policy says itself, not a rule of its own."""

    @property
    def actor(self) -> Actor:
        """Who changes things when it fires: ``rule:NAME``, or the policy."""
        kind, _, name = self.name.partition(":")
        return Actor(kind, name) if self.policy else Actor("rule", self.name)

    @property
    def cause(self) -> str:
        """Where it stands, as events name it: ``triggers.toml:12``."""
        return f"{self.file}:{self.line}"

    @property
    def mode(self) -> str:
        """``live`` or ``shadow``."""
        return "shadow" if self.shadow else "live"
