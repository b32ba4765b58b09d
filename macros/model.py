"""A macro as the desk knows it: texts by language and channel, what it changes, whom it is for."""

from __future__ import annotations

from dataclasses import dataclass, field

from workflow.errors import DeskError

__all__ = [
    "CHANNELS",
    "Escalation",
    "Macro",
    "MacroProblem",
    "Place",
    "Question",
    "Steps",
    "Text",
    "Variant",
]

CHANNELS = ("email", "telegram", "webchat", "form", "phone", "whatsapp", "sms")
"""The kinds of channel that a variant may be for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file; lines and columns count characters from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class MacroProblem(DeskError):
    """A macro cannot be used as it is written.

    The text names file, line and column, what stands there and what fits.
    """

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = place
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Text:
    """A Liquid text and where its first character stands."""

    source: str
    start: Place

    def place(self, index: int) -> Place:
        """Where the character of an index stands in the file."""
        before = self.source[: max(0, min(index, len(self.source)))]
        lines = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1) + 1
        if lines == 0:
            column += self.start.column - 1
        return Place(self.start.file, self.start.line + lines, column)


@dataclass(frozen=True, slots=True)
class Variant:
    """The reply's text for a language, a channel, both, or (None, None) where no other fits."""

    language: str | None
    channel: str | None
    text: Text


@dataclass(frozen=True, slots=True)
class Question:
    """Something the agent is asked before the macro runs; the text names it ``answers.NAME``."""

    name: str
    question: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where a ticket is moved up to (None: the next level), and what its packet says."""

    reason: str
    to: str | None = None
    tried: str = ""
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """What a macro changes besides the reply. None and empty leave a field as it is."""

    status: str | None = None
    priority: int | None = None
    assign: str | None = None
    """``me``, the name of an agent, or empty for nobody."""
    group: str | None = None
    topic: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    snooze_s: int | None = None
    """Seconds to be out of sight; 0 is until the customer writes."""
    note: Text | None = None
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True)
class Macro:
    """A standard resolution path."""

    name: str
    file: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    language: str = "en"
    """The language of the text that stands before any variant."""
    variants: tuple[Variant, ...] = ()
    reply: bool = True
    """Whether a run sends the text as the reply; else it is only there to be copied or edited."""
    reply_all: bool = False
    only: str = ""
    """The query that a ticket must match; empty is every ticket."""
    questions: tuple[Question, ...] = ()
    key: str = ""
    """The key that runs it in the console, in Textual's words (``f5``, ``ctrl+g``); empty is none."""
    ships: bool = False
    """Came with the program; the team's file of the same name replaces it."""
    steps: Steps = field(default_factory=Steps)
    places: tuple[tuple[str, Place], ...] = ()
    """Where each field of the front matter stands."""

    def place(self, key: str) -> Place:
        """Where a field stands; the head of the file where it is not written."""
        return dict(self.places).get(key, Place(self.file))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it speaks, its own first; none where it has no text."""
        found = [v.language or self.language for v in self.variants]
        return tuple(dict.fromkeys(found))

    @property
    def texts(self) -> tuple[Text, ...]:
        """Every Liquid text of it."""
        note = (self.steps.note,) if self.steps.note else ()
        return (*(variant.text for variant in self.variants), *note)
