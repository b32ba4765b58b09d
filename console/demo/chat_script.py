"""The part of the play that is told in Telegram, read from ``stories/chats.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from console.demo.script import read_stories_file
from workflow.clock import parse_duration

__all__ = ["ChatScript", "ChatStory", "Chatter", "Saying", "read_chat_script"]

_KINDS = ("text", "photo", "album", "voice", "file", "place", "sticker", "start", "edit")


@dataclass(frozen=True, slots=True)
class Chatter:
    """Somebody with a Telegram account; ``mail`` is their key in people.toml if they write mail, too."""

    key: str
    chat: int
    name: str
    username: str = ""
    mail: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """One message, ``after_s`` seconds after the one before.

    ``value`` is the text for ``text``, ``edit`` (which changes the text before it) and ``start``
    (its payload), the names of files for ``photo``, ``album`` and ``file``, seconds for ``voice``,
    latitude and longitude for ``place``, and an emoji for ``sticker``.
    """

    kind: str
    value: Any
    after_s: int = 0
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ChatStory:
    """One matter, as :class:`console.demo.script.Story`; ``blocks``: at the end of it they have had
    enough and block the bot.
    """

    by: str
    sayings: tuple[Saying, ...]
    ago_s: int | None = None
    wants: tuple[str, ...] = ()
    glad: str = ""
    sour: tuple[str, ...] = ()
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class ChatScript:
    """Who writes in Telegram, what waits when the demo opens, and what comes."""

    people: dict[str, Chatter]
    backlog: tuple[ChatStory, ...]
    live: tuple[ChatStory, ...]


@cache
def read_chat_script() -> ChatScript:
    """The whole part; raises ValueError for a fault in the file, which ships with the program."""
    found = read_stories_file("chats.toml")
    people = {entry["key"]: Chatter(**entry) for entry in found["person"]}
    stories = [_story(entry, people) for entry in found["story"]]
    return ChatScript(
        people=people,
        backlog=tuple(story for story in stories if story.ago_s is not None),
        live=tuple(story for story in stories if story.ago_s is None),
    )


def _story(entry: dict[str, Any], people: dict[str, Chatter]) -> ChatStory:
    if entry["by"] not in people:
        raise ValueError(f"chats.toml: nobody is called {entry['by']!r}")
    return ChatStory(
        by=entry["by"],
        sayings=tuple(_saying(one) for one in entry["says"]),
        ago_s=parse_duration(entry["ago"]) if "ago" in entry else None,
        wants=tuple(word.casefold() for word in entry.get("wants", ())),
        glad=entry.get("glad", ""),
        sour=tuple(entry.get("sour", ())),
        blocks=entry.get("blocks", False),
    )


def _saying(entry: dict[str, Any]) -> Saying:
    (kind,) = (kind for kind in _KINDS if kind in entry)
    return Saying(
        kind, entry[kind], parse_duration(entry.get("after", "0s")), entry.get("caption", "")
    )
