"""An answer as what Telegram is to be asked for: which messages, in which order, to which chat."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from channels.contract import Piece
from channels.telegram.names import Route, conversation, message_number
from channels.telegram.split import CAPTION_LIMIT, length, split
from workflow.errors import Refusal
from workflow.files import FileStore
from workflow.outgoing import Composed, OutgoingFile, OutgoingMessage
from workflow.plaintext import one_line, printable
from workflow.settings import Settings

__all__ = ["UPLOAD_LIMIT", "FilePart", "Order", "Part", "TelegramComposer", "pieces"]

UPLOAD_LIMIT = 50_000_000
"""Bytes of a file that a bot can send (Bot API, sendDocument)."""

_PHOTO_LIMIT = 10_000_000
_ALBUM = 10
_PHOTOS = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a message, in the file store."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """One call of the API: a text, or files of a kind (photo, voice, document) with a caption."""

    kind: str
    text: str = ""
    files: tuple[FilePart, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """All that is sent for one answer."""

    route: str
    reply_to: int | None
    parts: tuple[Part, ...]

    def to_bytes(self) -> bytes:
        """The form in which it lies in the file store."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode("utf-8")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Order:
        """The order for its stored form; raises ValueError, KeyError or TypeError for others."""
        found = json.loads(raw)
        parts = tuple(
            Part(
                part["kind"],
                part["text"],
                tuple(FilePart(file["name"], file["sha256"]) for file in part["files"]),
            )
            for part in found["parts"]
        )
        return cls(found["route"], found["reply_to"], parts)


class TelegramComposer:
    """Makes orders of answers (:class:`workflow.outgoing.Composer`)."""

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._settings = settings
        self._files = files

    def compose(self, message: OutgoingMessage) -> Composed:
        """The finished order; its bytes are on disk when this returns.

        Raises Refusal where there is not one chat to send to or Telegram cannot carry a file, and
        StoreError when the bytes cannot be stored.
        """
        if len(message.to) != 1 or message.cc or message.bcc:
            raise Refusal("an answer over Telegram goes to one chat: leave Cc and Bcc empty")
        try:
            route = Route.parse(message.to[0].address)
        except ValueError as fault:
            raise Refusal(f"{fault}; answer a message of the customer") from None
        for file in message.files:
            _check(file)
        answered = message.answered.message_id if message.answered is not None else None
        order = Order(
            route=str(route),
            reply_to=message_number(answered, message.account, route.chat),
            parts=tuple(_parts(printable(message.text), message.files)),
        )
        raw = order.to_bytes()
        channel = self._settings.channel(message.account)
        return Composed(
            message_id=f"<tg.{message.account}.{route.chat}.{secrets.token_hex(16)}>",
            raw_sha256=self._files.put(raw),
            raw_size=len(raw),
            from_name=one_line(channel.display_name, 200) if channel else "",
            from_address=message.account,
            recipients=(str(route),),
            conversation=conversation(message.account, route),
        )


def pieces(text: str, files: Sequence[OutgoingFile]) -> list[Piece]:
    """The messages that an answer will be sent as."""
    return [
        Piece(part.text, tuple(file.name for file in part.files))
        for part in _parts(printable(text), files)
    ]


def _check(file: OutgoingFile) -> None:
    if file.size > UPLOAD_LIMIT:
        raise Refusal(
            f"{one_line(file.name, 80)} has {file.size / 1e6:.0f} MB, and a bot can send"
            f" {UPLOAD_LIMIT / 1e6:.0f} MB: send a link instead"
        )
    if file.size == 0:
        raise Refusal(f"{one_line(file.name, 80)} is empty, which Telegram refuses: leave it out")


def _parts(text: str, files: Sequence[OutgoingFile]) -> list[Part]:
    """The calls: the text in messages, then the files, photos and others in albums of their own."""
    parts = [Part("text", piece) for piece in split(text)]
    calls: list[Part] = []
    for file in files:
        kind, entry = _kind(file), FilePart(_name(file.name), file.sha256)
        last = calls[-1] if calls else None
        if last is not None and last.kind == kind and kind != "voice" and len(last.files) < _ALBUM:
            calls[-1] = Part(kind, "", (*last.files, entry))
        else:
            calls.append(Part(kind, "", (entry,)))
    # A short text and its one photo or album are one thing to the customer.
    if len(calls) == 1 and len(parts) == 1 and length(parts[0].text) <= CAPTION_LIMIT:
        return [Part(calls[0].kind, parts[0].text, calls[0].files)]
    return [*parts, *calls]


def _kind(file: OutgoingFile) -> str:
    content_type = file.content_type.lower()
    if content_type in _PHOTOS and file.size <= _PHOTO_LIMIT:
        return "photo"
    if content_type == "audio/ogg":
        return "voice"
    return "document"


def _name(name: str) -> str:
    """A file name without folders; quotes would end the header that carries it."""
    bare = PurePosixPath(name.replace("\\", "/")).name
    return one_line(bare.replace('"', "'"), 120) or "file"
