"""The play: who writes to the demo's desk, and what. Read from the files in ``stories/``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from workflow.clock import parse_duration

__all__ = ["FollowUp", "Person", "Script", "Story", "read_script", "read_stories_file"]

CLIENTS = ("gmail", "outlook", "apple", "iphone", "thunderbird")
"""The mail programs whose way of replying the customers know."""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer.

    ``away`` is the automatic answer of somebody on leave; ``bounces`` is what their server says to
    all mail.
    """

    key: str
    name: str
    address: str
    client: str = "gmail"
    language: str = "en"
    zone: str = "Europe/London"
    sign: str = ""
    away: str = ""
    bounces: str = ""

    @property
    def domain(self) -> str:
        """The part of the address after the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A further mail about the same matter, ``ago_s`` seconds before the demo began."""

    ago_s: int
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """One matter.

    ``ago_s`` is None for what happens while one watches; ``by`` is empty for a walk-in. How a reply
    is taken is said by ``wants``, ``glad`` and ``sour`` (:class:`console.demo.opinions.Opinion`).
    ``nudge`` is what the person writes while nobody answers.
    """

    by: str
    topic: str
    subject: str
    text: str
    ago_s: int | None = None
    html: bool = False
    automatic: bool = False
    attach: str = ""
    quoting: str = ""
    assignee: str = ""
    wants: tuple[str, ...] = ()
    glad: str = ""
    sour: tuple[str, ...] = ()
    nudge: tuple[str, ...] = ()
    again: tuple[FollowUp, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """The cast, what waits when the demo opens, what comes, and the stuff of walk-ins."""

    people: dict[str, Person]
    backlog: tuple[Story, ...]
    live: tuple[Story, ...]
    walk_ins: tuple[Story, ...]
    names: tuple[str, ...]
    houses: tuple[str, ...]
    plants: tuple[str, ...]
    cities: tuple[str, ...]
    impatience: tuple[str, ...]


def read_stories_file(name: str) -> dict[str, Any]:
    """A file of ``stories/`` as TOML values."""
    text = files("console.demo").joinpath("stories", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def read_script() -> Script:
    """The whole play; raises ValueError for a fault in the files, which ship with the program."""
    people = {}
    for entry in read_stories_file("people.toml")["person"]:
        person = Person(**{key: _text(value) for key, value in entry.items()})
        if person.client not in CLIENTS:
            raise ValueError(f"people.toml: {person.key} writes with {person.client!r}")
        people[person.key] = person
    stories = [
        _story(entry, people)
        for name in ("billing.toml", "delivery.toml", "access.toml", "product.toml")
        for entry in read_stories_file(name)["story"]
    ]
    live = read_stories_file("live.toml")
    coming = [_story(entry, people) for entry in live["story"]]
    return Script(
        people=people,
        backlog=tuple(stories),
        live=tuple(story for story in coming if story.by),
        walk_ins=tuple(story for story in coming if not story.by),
        names=tuple(live["names"]),
        houses=tuple(live["houses"]),
        plants=tuple(live["plants"]),
        cities=tuple(live["cities"]),
        impatience=tuple(live["impatience"]),
    )


def _text(value: str) -> str:
    return value.strip("\n")


def _story(entry: dict[str, Any], people: dict[str, Person]) -> Story:
    """One ``[[story]]``; raises ValueError for a writer who is not in the cast."""
    by = entry.get("by", "")
    if by not in people and not entry.get("walk_in"):
        raise ValueError(f"story {entry['subject']!r}: nobody is called {by!r}")
    return Story(
        by=by,
        topic=entry["topic"],
        subject=entry["subject"],
        text=_text(entry["text"]),
        ago_s=parse_duration(entry["ago"]) if "ago" in entry else None,
        html=entry.get("html", False),
        automatic=entry.get("automatic", False),
        attach=entry.get("attach", ""),
        quoting=_text(entry.get("quoting", "")),
        assignee=entry.get("assignee", ""),
        wants=tuple(word.casefold() for word in entry.get("wants", ())),
        glad=_text(entry.get("glad", "")),
        sour=tuple(_text(text) for text in entry.get("sour", ())),
        nudge=tuple(_text(text) for text in entry.get("nudge", ())),
        again=tuple(
            FollowUp(parse_duration(more["ago"]), _text(more["text"]))
            for more in entry.get("again", ())
        ),
    )
