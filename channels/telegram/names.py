"""How chats and messages of Telegram are named on the desk."""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.contract import ChatNames

__all__ = ["Route", "album_id", "chat_names", "conversation", "message_id", "message_number"]

_ROUTE = re.compile(r"(-?\d{1,20})(?:/(\d{1,20}))?(?::([\w-]{1,128}))?")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes: a chat, a topic of it, and the business account that writes.

    Written ``4711``, ``-1001234/5`` and ``4711:connection``.
    """

    chat: int
    topic: int | None = None
    business: str | None = None

    def __str__(self) -> str:
        """The written form, the address of a chat on the desk."""
        topic = f"/{self.topic}" if self.topic is not None else ""
        return f"{self.chat}{topic}" + (f":{self.business}" if self.business else "")

    @classmethod
    def parse(cls, text: str) -> Route:
        """The route for its written form; raises ValueError."""
        match = _ROUTE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text[:60]!r} is no Telegram chat: it is a number like 4711")
        return cls(int(match[1]), int(match[2]) if match[2] else None, match[3])


def conversation(account: str, route: Route) -> str:
    """The key of what is said in one place, by which messages find their ticket."""
    return f"telegram:{account}:{route}"


def message_id(account: str, chat: int, number: object) -> str:
    """The name of a message: Telegram's numbers count for one chat of one bot."""
    return f"<tg.{account}.{chat}.{number}>"


def album_id(account: str, chat: int, group: object) -> str:
    """The name of all messages of an album together."""
    return f"<tg.{account}.{chat}.album-{group}>"


def message_number(name: str | None, account: str, chat: int) -> int | None:
    """Telegram's number of a message of a chat; None for one of another chat or of ours."""
    start = f"<tg.{account}.{chat}."
    if not name or not name.startswith(start):
        return None
    number = name[len(start) :].removesuffix(">")
    return int(number) if number.isascii() and number.isdigit() else None


def chat_names(account: str, chat: str, number: str) -> ChatNames:
    """The names of a message of a chat as a file gives them; raises ValueError with a sentence."""
    route = Route.parse(chat)
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f"{number[:60]!r} is no message of Telegram: its id is a number")
    name = message_id(account, route.chat, int(number))
    return ChatNames(name, f"telegram:{name}", conversation(account, route), str(route))
