"""What a macro's text may name: the catalogue from which the values, the checks, the completion and
the documentation are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflow.model import Priority
from workflow.plaintext import one_line, printable
from workflow.settings import Settings
from workflow.store.rows import TicketDetail

__all__ = [
    "ANSWERS",
    "CATALOGUE",
    "Placeholder",
    "Scene",
    "first_name",
    "mark",
    "unfilled_in",
    "values",
]

ANSWERS = "answers"
"""``answers.NAME`` is what the agent said to a question of the macro."""

_LONGEST = 200

Value = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the values are taken from: the ticket, who writes, the desk, the moment."""

    ticket: TicketDetail
    agent: str
    settings: Settings
    now: datetime
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name that texts may use. ``example`` is what it could come out as."""

    name: str
    sentence: str
    example: str
    read: Callable[[Scene], str | None]
    many: bool = False
    """A list of words: ``{{ ticket.tags | join: ", " }}``."""


_TITLES = {
    "dr",
    "prof",
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "herr",
    "frau",
    "sir",
    "m",
    "mme",
    "sr",
    "sra",
}
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def first_name(name: str) -> str:
    """The part of a name to greet with: ``Gonzalez, Maria`` and ``Dr. Maria Gonzalez`` give Maria.

    Where the family name comes first (Chinese, Japanese, Korean script) it is the whole name; an
    address is no name.
    """
    plain = one_line(name)
    if "@" in plain or _CJK.search(plain):
        return "" if "@" in plain else plain
    family, comma, given = plain.partition(",")
    words = (given if comma and given.strip() else family).split()
    while len(words) > 1 and words[0].rstrip(".").lower() in _TITLES:
        words = words[1:]
    return words[0].strip("\"'") if words else ""


def _email(scene: Scene) -> str:
    found = (i.value for i in scene.ticket.customer.identities if i.kind == "email")
    return next(found, "")


def _agent_email(scene: Scene) -> str:
    return next((a.email for a in scene.settings.agents if a.name == scene.agent), "")


def _desk_name(scene: Scene) -> str:
    """What the account calls itself: its display name, else its address, else its own name."""
    account = scene.settings.channel(scene.ticket.account or "")
    accounts = [account] if account else list(scene.settings.channels)
    return next((a.display_name or a.address or a.name for a in accounts), "")


def _day(moment: datetime) -> str:
    """The day where the desk's computer stands, as 2026-03-01."""
    return moment.astimezone().date().isoformat()


CATALOGUE: tuple[Placeholder, ...] = (
    Placeholder("customer.name", "The customer's name.", "Maria Gonzalez",
                lambda s: s.ticket.customer.name),
    Placeholder("customer.first_name", "The customer's first name, to greet with.", "Maria",
                lambda s: first_name(s.ticket.customer.name)),
    Placeholder("customer.email", "The customer's first email address.", "maria@mail.example", _email),
    Placeholder("customer.company", "The customer's company.", "Globex",
                lambda s: s.ticket.customer.company),
    Placeholder("customer.tier", "The customer's tier.", "vip", lambda s: s.ticket.customer.tier),
    Placeholder("ticket.id", "The ticket's number.", "42", lambda s: str(s.ticket.id)),
    Placeholder("ticket.subject", "The ticket's subject.", "Charged twice",
                lambda s: s.ticket.subject),
    Placeholder("ticket.status", "Whose turn it is, before the macro runs.", "open",
                lambda s: s.ticket.status),
    Placeholder("ticket.priority", "How urgent it is, before the macro runs.", "high",
                lambda s: Priority(s.ticket.priority).word),
    Placeholder("ticket.topic", "What it is about.", "billing", lambda s: s.ticket.topic),
    Placeholder("ticket.channel", "The kind of channel it came by.", "email",
                lambda s: s.ticket.channel),
    Placeholder("ticket.language", "The customer's language, as a code.", "de",
                lambda s: s.ticket.language),
    Placeholder("ticket.group", "The group that has it.", "support", lambda s: s.ticket.group_name),
    Placeholder("ticket.assignee", "The agent who has it.", "ana", lambda s: s.ticket.assignee),
    Placeholder("ticket.created", "The day it was opened, for the date filter.", "2026-03-01",
                lambda s: _day(s.ticket.created_at)),
    Placeholder("ticket.tags", "Its tags, as a list for join and for.", "refund",
                lambda s: "\n".join(s.ticket.tags), many=True),
    Placeholder("agent.name", "The name of the agent who runs the macro.", "ana", lambda s: s.agent),
    Placeholder("agent.email", "That agent's address.", "ana@example.com", _agent_email),
    Placeholder("desk.name", "What the account calls itself: its display name, else its address.",
                "Example Support", _desk_name),
    Placeholder("today", "The day of today, for the date filter.", "2026-03-10",
                lambda s: _day(s.now)),
)  # fmt: skip
"""Every name but ``answers.NAME``, in the order of the documentation."""

_NAMES = frozenset(entry.name for entry in CATALOGUE)
_MARK = re.compile(r"⟦\s*([a-z_]+(?:\.[a-z0-9_-]+)?)\s*⟧", re.IGNORECASE)


def mark(name: str) -> str:
    """What stands in a text for a placeholder that is empty for this ticket."""
    return f"⟦{name}⟧"


def unfilled_in(text: str) -> tuple[str, ...]:
    """The marks of empty placeholders that still stand in a text; such a text must not be sent."""
    names = (name.lower() for name in _MARK.findall(text))
    found = (name for name in names if name in _NAMES or _is_answer(name))
    return tuple(dict.fromkeys(found))


def _is_answer(name: str) -> bool:
    return name.partition(".")[0] == ANSWERS and "." in name


def _literal(text: str) -> str:
    """A stranger's text as a value: one printable line that cannot pass for one of our marks."""
    return _MARK.sub(r"[\1]", one_line(text, _LONGEST))


def values(scene: Scene) -> dict[str, Value]:
    """The value of every placeholder for a ticket; empty where the ticket has none."""
    found: dict[str, Value] = {}
    for entry in CATALOGUE:
        text = entry.read(scene) or ""
        if entry.many:
            found[entry.name] = tuple(_literal(word) for word in text.split("\n") if word)
        else:
            found[entry.name] = _literal(text)
    for name, answer in scene.answers.items():
        # An agent's own words may have several lines.
        found[f"{ANSWERS}.{name}"] = _MARK.sub(r"[\1]", printable(answer).strip())
    return found
