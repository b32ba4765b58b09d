"""How an answer in a chat goes out: in how many messages, and where one ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

from channels.contract import Capabilities, Piece
from channels.registry import channel_of
from workflow.drafts import File
from workflow.errors import SettingsError
from workflow.outgoing import OutgoingFile
from workflow.plaintext import one_line
from workflow.settings import ChannelSettings

__all__ = ["carries", "parts_of", "parts_words", "too_large"]

_FIRST_WORDS = 24


def carries(account: ChannelSettings | None) -> Capabilities | None:
    """What an account's channel can carry; None for mail, and where the channel is not here."""
    if account is None or account.kind == "email":
        return None
    try:
        return channel_of(account.kind).capabilities
    except SettingsError:
        return None


def parts_of(account: ChannelSettings | None, text: str, files: Sequence[File]) -> list[Piece]:
    """The messages of an answer over a chat, in their order; none for mail, and for no text."""
    if account is None or carries(account) is None or not (text.strip() or files):
        return []
    return channel_of(account.kind).parts(text, [OutgoingFile(*file) for file in files])


def too_large(account: ChannelSettings | None, files: Sequence[File]) -> str | None:
    """Why a file cannot go over a channel, as a sentence; None where all can."""
    if account is None:
        return None
    try:
        longest = channel_of(account.kind).capabilities.longest_file
    except SettingsError:
        return None
    for name, _kind, _sha256, size in files:
        if longest is not None and size > longest:
            return (
                f"{one_line(name, 80)} has {size / 1e6:.0f} MB, and {account.kind} carries"
                f" {longest / 1e6:.0f} MB: send a link instead"
            )
    return None


def parts_words(pieces: Sequence[Piece]) -> str:
    """That a text goes in several messages, and how each but the first begins; empty for one."""
    texts = [piece for piece in pieces if piece.text]
    if len(texts) < 2:
        return ""
    others = [
        f"{number} begins “{_beginning(piece.text)}”" for number, piece in enumerate(texts[1:], 2)
    ]
    return " · ".join((f"goes as {len(pieces)} messages", *others))


def _beginning(text: str) -> str:
    line = one_line(text, _FIRST_WORDS + 1)
    if len(line) <= _FIRST_WORDS:
        return line
    return line[:_FIRST_WORDS].rsplit(" ", 1)[0] + "…"
