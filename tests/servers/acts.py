"""What a test makes the SMTP server do, and what the server has taken: values without behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = ["ACCEPT", "TRANSACTION", "Act", "Received", "Stage", "drop", "refuse", "slow"]


class Stage(StrEnum):
    """The moment of an SMTP session (RFC 5321) at which an act happens."""

    CONNECT = "connect"  # before the banner
    AUTH = "auth"  # the password was sent
    MAIL = "mail"  # MAIL FROM was sent
    RCPT = "rcpt"  # RCPT TO was sent
    DATA = "data"  # DATA was sent, nothing of the text yet
    BODY = "body"  # a first piece of the text was read, the final dot was not
    DOT = "dot"  # the whole text and its final dot were read, the answer was not given
    QUIT = "quit"  # the mail was accepted and answered for, and the client says QUIT


TRANSACTION = tuple(stage for stage in Stage if stage not in (Stage.CONNECT, Stage.AUTH))


@dataclass(frozen=True, slots=True)
class Act:
    """What the server does in one connection (stages connect, auth) or one transaction (others).

    ``do``: accept; refuse with ``reply``; drop the connection without a word; wait ``seconds``,
    then go on. ``keep``: with a drop after the dot, whether the server has the mail all the same
    (the sender cannot know).
    """

    do: Literal["accept", "refuse", "drop", "slow"] = "accept"
    at: Stage = Stage.DOT
    reply: str = ""
    seconds: float = 0.0
    keep: bool = False

    def __str__(self) -> str:
        """The form that :meth:`parse` reads."""
        detail = {
            "refuse": self.reply,
            "slow": str(self.seconds),
            "drop": "keep" if self.keep else "",
        }.get(self.do, "")
        return " ".join(
            word for word in (self.do, "" if self.do == "accept" else self.at.value, detail) if word
        )

    @classmethod
    def parse(cls, text: str) -> Act:
        """An act from a command line.

        ``accept``, ``refuse STAGE CODE TEXT``, ``drop STAGE [keep]``, ``slow STAGE SECONDS``.
        Raises ValueError for anything else.
        """
        word, *rest = text.split(maxsplit=2)
        if word == "accept" and not rest:
            return ACCEPT
        stage, detail = Stage(rest[0]), rest[1] if len(rest) > 1 else ""
        if word == "refuse" and detail:
            return refuse(detail, stage)
        if word == "drop" and detail in ("", "keep"):
            return drop(stage, keep=detail == "keep")
        if word == "slow":
            return slow(float(detail), stage)
        raise ValueError(f"{text!r} is not an act")


ACCEPT = Act()


def refuse(reply: str, at: Stage | str = Stage.RCPT) -> Act:
    """Answer with this reply (``451 4.3.0 later``, ``550 5.1.1 nobody here``) at a stage.

    Not at body or quit.
    """
    stage = Stage(at)
    if stage in (Stage.BODY, Stage.QUIT):
        raise ValueError(f"SMTP has no reply at stage {stage}")
    return Act("refuse", stage, reply=reply)


def drop(at: Stage | str = Stage.DOT, *, keep: bool = False) -> Act:
    """Close the connection at a stage without an answer.

    With ``keep`` (at the dot) the mail is taken first: the sender cannot know.
    """
    return Act("drop", Stage(at), keep=keep)


def slow(seconds: float, at: Stage | str = Stage.DOT) -> Act:
    """Wait before going on at a stage, then accept.

    At the dot the mail is kept only after the wait.
    """
    return Act("slow", Stage(at), seconds=seconds)


@dataclass(frozen=True, slots=True)
class Received:
    """One mail that the server has taken. ``mail_from`` is empty for the null sender.

    ``content`` is as it came, CRLF lines.
    """

    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes
    user: str | None
    tls: bool
    options: tuple[str, ...]
