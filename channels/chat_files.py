"""Chat messages that lie in files as JSON: updates and messages of Telegram as its Bot API gives
them, and one small form for every chat (docs/json.md).

What is read here goes through the same intake as what a channel receives, under the same names: a
message that came over both ways is there once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from channels.contract import ChatNames
from channels.registry import channel_of, known_kinds
from workflow.errors import DeskError, UsageError
from workflow.files import FileStore
from workflow.inbound import Attachment, Inbound, Party, Source
from workflow.plaintext import one_line, printable
from workflow.settings import ChannelSettings, Settings

__all__ = ["ChatFault", "is_chat", "read_chats"]

_ENDINGS = (".json", ".jsonl", ".ndjson")
_TELEGRAM_AFAR = "it lies at Telegram, and a message from a file brings none along"
_FORMS = (
    "neither an update or message of Telegram (update_id; message_id and chat) nor one of deskhand's"
    " own form (channel, conversation, id, sender, text): see docs/json.md"
)
_FOLDER = "files"
_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class ChatFault:
    """Why a message cannot be taken in."""

    sentence: str


def is_chat(name: str, raw: bytes) -> bool:
    """Whether a file holds JSON rather than a mail, which never begins with a bracket (RFC 5322
    section 2.2).
    """
    if name.lower().endswith(_ENDINGS):
        return True
    text = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] not in (b"{", b"["):
        return False
    try:
        json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def read_chats(
    raw: bytes,
    *,
    settings: Settings,
    files: FileStore,
    now: datetime,
    account: str | None = None,
    folder: Path | None = None,
) -> Iterator[tuple[str, Inbound | ChatFault]]:
    """The messages of a file, each with its place in it (``line 3``; empty where there is but one):
    one JSON value, a list of them, one on each line, or the answer of getUpdates.

    ``account`` is the one that they came over, else the first of their channel. ``folder`` is where
    attachments may lie that are named as files. Raises StoreError.
    """
    reader = _Reader(settings, files, now, account, folder)
    for place, value in _values(raw):
        if isinstance(value, ChatFault):
            yield place, value
            continue
        try:
            yield place, reader.read(value)
        except (UsageError, ValueError) as fault:
            yield place, ChatFault(str(fault))


def _values(raw: bytes) -> Iterator[tuple[str, Any]]:
    """The JSON values of a file and their places; a fault for what is none."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        yield "", ChatFault(f"it is not UTF-8 (byte {fault.start}): save it as UTF-8")
        return
    try:
        yield from _spread("", json.loads(text))
        return
    except RecursionError:
        yield "", ChatFault("it is nested too deeply to be a message")
        return
    except json.JSONDecodeError as fault:
        whole = fault
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    found = [(n, _value(line)) for n, line in lines]
    if not any(isinstance(value, dict | list) for _n, value in found):
        said = f"it is not JSON (line {whole.lineno}: {whole.msg.lower()})"
        yield "", ChatFault(f"{said}: give one JSON value, or one on each line")
        return
    for number, value in found:
        if value is None:
            yield f"line {number}", ChatFault("the line is not JSON: each line is one message")
        else:
            yield from _spread(f"line {number}", value)


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _spread(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if (
        isinstance(value, dict)
        and value.get("ok") is True
        and isinstance(value.get("result"), list)
    ):
        value = value["result"]
    if not isinstance(value, list):
        yield place, value
        return
    for number, one in enumerate(value, 1):
        yield f"{place} message {number}".strip(), one


class _Reader:
    def __init__(
        self,
        settings: Settings,
        files: FileStore,
        now: datetime,
        account: str | None,
        folder: Path | None,
    ) -> None:
        self._settings = settings
        self._files = files
        self._now = now
        self._account = account
        self._folder = folder

    def read(self, value: Any) -> Inbound:
        """The item for a message; raises UsageError and ValueError with a sentence."""
        if isinstance(value, dict):
            if "update_id" in value:
                return self._telegram(value)
            if "message_id" in value and "chat" in value:
                edited = "edit_date" in value
                return self._telegram({"edited_message" if edited else "message": value})
            if "channel" in value:
                return self._own_form(value)
        raise UsageError(f"it is {_FORMS}")

    def _account_of(self, kind: str, named: str | None) -> ChannelSettings | None:
        """The account that a message came over; None for a desk that has none of its kind."""
        wanted = named or self._account
        there = [one for one in self._settings.channels if one.kind == kind]
        if wanted is None:
            return there[0] if there else None
        for one in there:
            if one.name == wanted:
                return one
        known = ", ".join(one.name for one in there) or "none"
        raise UsageError(
            f"there is no {kind} account {wanted!r} in deskhand.toml (there are: {known})"
        )

    def _telegram(self, update: Mapping[str, Any]) -> Inbound:
        from channels.telegram.convert import Entry, raw_bytes, to_inbound

        account = self._account_of("telegram", None)
        entry = Entry(({"update_id": 0, **update},))
        raw = raw_bytes(entry.updates)
        sha256 = self._files.put(raw)
        return to_inbound(
            entry,
            account=account.name if account else "",
            source=_source(account, sha256),
            raw=raw,
            sha256=sha256,
            now=self._now,
            since=account.since if account else None,
            fetch=lambda _file: _TELEGRAM_AFAR,
        )

    def _own_form(self, value: Mapping[str, Any]) -> Inbound:
        kind = str(value["channel"])
        if kind == "email":
            raise UsageError("mail is taken in as it came: give its .eml file")
        try:
            channel = channel_of(kind)
        except DeskError:
            chats = ", ".join(one for one in known_kinds() if one != "email")
            raise UsageError(
                f"it is a message of {kind[:60]!r}, a channel that this desk does not have: known are"
                f" {chats}"
            ) from None
        if channel.names is None:
            raise UsageError(f"{kind} is no chat: its messages cannot be given in this form")
        try:
            said = _Message.model_validate(value)
        except ValidationError as fault:
            raise UsageError(_sentence(fault)) from None
        account = self._account_of(kind, said.account)
        name = account.name if account else ""
        names = channel.names(name, said.conversation, said.id)
        answered = channel.names(name, said.conversation, said.reply_to) if said.reply_to else None
        return self._item(value, said, account, names, answered)

    def _item(
        self,
        value: Mapping[str, Any],
        said: _Message,
        account: ChannelSettings | None,
        names: ChatNames,
        answered: ChatNames | None,
    ) -> Inbound:
        attachments = tuple(self._attachment(file) for file in said.attachments)
        text = printable(said.text).strip("\n")
        if not text and not attachments:
            raise UsageError("text is missing, and nothing is attached: give one or the other")
        raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
        sha256 = self._files.put(raw)
        at = min(said.date or self._now, self._now)
        sender = Party(
            one_line(said.sender.name, 200), one_line(said.sender.id or names.address, 200)
        )
        elsewhere = names.address != sender.address
        return Inbound(
            channel=said.channel,
            source=_source(account, sha256),
            raw_sha256=sha256,
            raw_size=len(raw),
            reached_at=at,
            date=said.date,
            sender=sender,
            handle=one_line(said.sender.handle, 100),
            reply_to=(Party(sender.name, names.address),) if elsewhere else (),
            subject=one_line(text or attachments[0].name, _SUBJECT),
            message_id=names.message,
            in_reply_to=(answered.message,) if answered else (),
            text=text,
            full_text=text,
            attachments=attachments,
            automatic=said.automatic,
            edits=names.message if said.edited else None,
            dedupe_key=names.dedupe_key,
            conversation=names.conversation,
            before_cutoff=bool(account and account.since and at < account.since),
        )

    def _attachment(self, file: _File) -> Attachment:
        data = self._bytes(file)
        return Attachment(
            name=one_line(file.name, 200),
            content_type=one_line(file.type, 100),
            size=len(data),
            sha256=self._files.put(data),
        )

    def _bytes(self, file: _File) -> bytes:
        if (file.data is None) == (file.file is None):
            raise UsageError(
                f"{file.name[:80]!r} needs its bytes: give either data (base64) or file (a name beside"
                " the JSON)"
            )
        if file.data is not None:
            try:
                return base64.b64decode(file.data, validate=True)
            except ValueError:
                raise UsageError(f"data of {file.name[:80]!r} is not base64") from None
        assert file.file is not None
        if self._folder is None:
            raise UsageError("a message from standard input has no folder: give data, not file")
        # A message that a stranger wrote must not name what else lies on this computer.
        path = (self._folder / file.file).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise UsageError(f"{file.file[:80]!r} leads out of the folder of the JSON file")
        try:
            return path.read_bytes()
        except OSError as fault:
            raise UsageError(f"{file.file[:80]!r} cannot be read ({fault.strerror})") from None


def _source(account: ChannelSettings | None, sha256: str) -> Source:
    """Where a message was found: its bytes stand for its place, so that an edit that comes twice is
    known, also when others came in between.
    """
    return Source(account.name if account else None, _FOLDER, 0, int(sha256[:15], 16))


def _person(value: Any) -> Any:
    return {"id": value} if isinstance(value, str | int) and not isinstance(value, bool) else value


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, frozen=True)


class _Sender(_Form):
    id: str = ""
    name: str = ""
    handle: str = ""


class _File(_Form):
    name: Annotated[str, Field(min_length=1)]
    type: str = "application/octet-stream"
    data: str | None = None
    file: str | None = None


class _Message(_Form):
    channel: str
    account: str | None = None
    conversation: Annotated[str, Field(min_length=1, max_length=200)]
    id: Annotated[str, Field(min_length=1, max_length=200)]
    sender: Annotated[_Sender, BeforeValidator(_person)]
    text: str = ""
    date: AwareDatetime | None = None
    reply_to: str | None = None
    edited: bool = False
    automatic: bool = False
    attachments: tuple[_File, ...] = ()


def _sentence(fault: ValidationError) -> str:
    """The first thing that is wrong with a message."""
    first = fault.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    place = one_line(place, 80)
    match first["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place!r} is not a field of a message: see docs/json.md"
        case "timezone_aware":
            return f"{place} has no offset: write it like 2026-03-10T14:30:00Z"
        case kind if kind.startswith("datetime"):
            return f"{place} is no time: write it like 2026-03-10T14:30:00Z"
        case _:
            said = one_line(first["msg"], 120).removeprefix("Input should be ")
            return f"{place} is not as it should be: {said}"
