"""From updates of the Bot API to what the desk takes in. Nothing here asks the network.

An update is read as the JSON that it is: one that is not as expected is held by itself, where a
library that reads whole lists would refuse all that came with it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from channels.telegram.contents import Message, RemoteFile, files_of, is_service, words_of
from channels.telegram.formatting import readable
from channels.telegram.names import Route, album_id, conversation, message_id
from workflow.files import FileStore
from workflow.inbound import Attachment, Inbound, Party, Reader, Source
from workflow.plaintext import one_line, printable
from workflow.settings import Settings

__all__ = [
    "ASKED_FOR",
    "FOLDER",
    "Entry",
    "Fetch",
    "TelegramReader",
    "entries",
    "open_albums",
    "raw_bytes",
    "to_inbound",
    "wanted_files",
]

FOLDER = "updates"
"""The name under which an account's cursor stands."""

ASKED_FOR = (
    "message",
    "edited_message",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "my_chat_member",
)
"""The kinds of updates that are wanted (Bot API, getUpdates, allowed_updates)."""

UNREADABLE = "could not be read"
UNKNOWN = "an unknown kind of update"
SERVICE = "not written by a person"

_MESSAGES = ("message", "edited_message", "business_message", "edited_business_message")
_SUBJECT = 80
_QUOTED_LINES, _QUOTED_CHARACTERS = 3, 240

Fetch = Callable[[RemoteFile], Attachment | str]
"""Gives a file of a message, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Updates that are one item together: one, or those of an album."""

    updates: tuple[Mapping[str, Any], ...]

    @property
    def position(self) -> int:
        """The number of the last one."""
        return int(self.updates[-1]["update_id"])


def _album(update: Mapping[str, Any]) -> tuple[object, object] | None:
    """What the parts of an album have in common; None for what is in none."""
    for kind in ("message", "business_message"):
        message = update.get(kind)
        if isinstance(message, dict) and message.get("media_group_id"):
            chat = message.get("chat")
            return chat.get("id") if isinstance(chat, dict) else None, message["media_group_id"]
    return None


def entries(updates: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Updates as items, in the order of their first parts; albums are put together."""
    found: dict[object, list[Mapping[str, Any]]] = {}
    for update in updates:
        key = _album(update) or ("one", update["update_id"])
        found.setdefault(key, []).append(update)
    return [Entry(tuple(parts)) for parts in found.values()]


def open_albums(updates: Sequence[Mapping[str, Any]]) -> int | None:
    """The place of the first part of an album that more may belong to; None if there is none.

    Telegram sends the parts one right after the other: what is followed by something else of the
    same chat is whole.
    """
    last: dict[object, tuple[object, int]] = {}
    for index, update in enumerate(updates):
        album = _album(update)
        chat = album[0] if album else _chat_of(update)
        if album and last.get(chat, (None, 0))[0] == album[1]:
            continue
        last[chat] = (album[1] if album else None, index)
    return min((index for group, index in last.values() if group is not None), default=None)


def _chat_of(update: Mapping[str, Any]) -> object:
    for kind in _MESSAGES:
        if isinstance(message := update.get(kind), dict):
            chat = message.get("chat")
            return chat.get("id") if isinstance(chat, dict) else None
    return None


def raw_bytes(updates: Sequence[Mapping[str, Any]]) -> bytes:
    """Updates as the bytes that are kept of them."""
    return json.dumps({"updates": list(updates)}, separators=(",", ":")).encode("ascii")


class TelegramReader(Reader):
    """Reads an item again from its bytes (:class:`workflow.inbound.Reader`).

    Its files are not fetched again: they lie at Telegram, and this asks nobody.
    """

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._settings = settings
        self._files = files

    def read(self, raw: bytes, account: str | None, at: datetime) -> Inbound:
        """The item as it would come in; raises StoreError only.

        ``raw`` may also be a single update, as another program keeps it.
        """
        sha256 = self._files.put(raw)
        source = Source(account, FOLDER)
        try:
            found = json.loads(raw)
            updates = found.get("updates", [found])
            (entry,) = entries({"update_id": 0, **update} for update in updates)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            return _unreadable(source, sha256, len(raw), at, fault)
        return to_inbound(
            entry, account=account or "", source=source, raw=raw, sha256=sha256, now=at
        )


def wanted_files(entry: Entry) -> list[RemoteFile]:
    """The files of an entry that have to be fetched before it is read."""
    found: list[RemoteFile] = []
    for update in entry.updates:
        for kind in _MESSAGES:
            message = update.get(kind)
            if isinstance(message, dict) and is_service(message) is None:
                # What cannot be read is held whole, without its files.
                with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                    found += files_of(message)
    return found


def to_inbound(
    entry: Entry,
    *,
    account: str,
    source: Source,
    raw: bytes,
    sha256: str,
    now: datetime,
    since: datetime | None = None,
    fetch: Fetch = lambda _file: "not fetched",
) -> Inbound:
    """The item for an entry whose bytes are stored under ``sha256``.

    Whatever the updates are, it answers; raises what ``fetch`` raises.
    """
    base = Inbound(
        channel="telegram",
        source=source,
        raw_sha256=sha256,
        raw_size=len(raw),
        reached_at=now,
        sender=Party("nobody", ""),
    )
    files: list[RemoteFile] = []
    try:
        item = _read(entry, account, base, now, since, files)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as fault:
        return _unreadable(source, sha256, len(raw), now, fault)
    return _with_files(item, files, fetch) if item.held_cause is None else item


def _unreadable(
    source: Source, sha256: str, size: int, at: datetime, fault: BaseException
) -> Inbound:
    said = printable(f"{type(fault).__name__}: {fault}")[:200]
    return Inbound(
        channel="telegram",
        source=source,
        raw_sha256=sha256,
        raw_size=size,
        reached_at=at,
        sender=Party("nobody", ""),
        dedupe_key=f"raw:{sha256}",
        held_cause=UNREADABLE,
        held_evidence=f"the update is not as Telegram describes it ({said}): its bytes are kept",
    )


def _read(
    entry: Entry,
    account: str,
    base: Inbound,
    now: datetime,
    since: datetime | None,
    files: list[RemoteFile],
) -> Inbound:
    update = entry.updates[0]
    kind = next((key for key in update if key != "update_id"), "nothing")
    body = update.get(kind)
    if kind in _MESSAGES:
        messages = [one[kind] for one in entry.updates]
        item = _message(messages, kind.startswith("edited"), account, base, now, files)
        early = since is not None and item.reached_at < since
        return replace(item, before_cutoff=early)
    if kind == "deleted_business_messages" and isinstance(body, dict):
        return _deleted(body, account, base)
    if kind == "my_chat_member" and isinstance(body, dict):
        return _membership(body, base)
    if kind == "business_connection" and isinstance(body, dict):
        return _aside(base, SERVICE, "a business account was connected or disconnected")
    evidence = f"{one_line(kind, 60)}: this version does not know it; its bytes are kept"
    return replace(base, held_cause=UNKNOWN, held_evidence=evidence, dedupe_key=_raw_key(base))


def _raw_key(base: Inbound) -> str:
    return f"raw:{base.raw_sha256}"


def _aside(base: Inbound, cause: str, evidence: str) -> Inbound:
    return replace(base, held_cause=cause, held_evidence=evidence, set_aside=True)


def _message(
    messages: Sequence[Message],
    edited: bool,
    account: str,
    base: Inbound,
    now: datetime,
    files: list[RemoteFile],
) -> Inbound:
    """The item for a message, or for the messages of an album."""
    first = messages[0]
    chat = first["chat"]
    route = _route(first)
    at = min(_moment(first.get("edit_date") if edited else first["date"]) or now, now)
    sender, own = _sender(first)
    base = replace(
        base,
        reached_at=at,
        date=_moment(first["date"]),
        sender=sender,
        own=own,
        handle=_handle(chat if own else first.get("from") or chat),
        conversation=conversation(account, route),
        subject=one_line(_name(chat), _SUBJECT),
        to=(Party(_name(chat), str(route.chat)),) if own else (),
        reply_to=() if str(route) == sender.address else (Party(_name(chat), str(route)),),
    )
    service = is_service(first)
    if service is not None:
        return _aside(base, SERVICE, f"a notice of Telegram: {service.replace('_', ' ')}")
    start = _start(first)
    if start == "":
        return _aside(base, SERVICE, "/start: the chat was opened, nothing was written yet")
    parts = [f"[Came with: {start}]"] if start else []
    for message in messages:
        said = _said(message)
        found = files_of(message)
        if said is None and not found:
            evidence = f"a message with {one_line(', '.join(sorted(message)), 200)}"
            return replace(
                base,
                held_cause="an unknown kind of message",
                held_evidence=f"{evidence}: this version does not know it; its bytes are kept",
                dedupe_key=_raw_key(base),
            )
        files += found
        if said and not start:
            parts.append(said)
    text = printable("\n".join(parts)).strip("\n")
    quote, quoted = _quote(first, account, route.chat)
    forwarded = _forwarded(first)
    content = f"{forwarded}\n{text}".strip() if forwarded else text
    number = first["message_id"]
    name = message_id(account, route.chat, number)
    album = first.get("media_group_id")
    names = [message_id(account, route.chat, message["message_id"]) for message in messages[1:]]
    if album:
        names.append(album_id(account, route.chat, album))
    return replace(
        base,
        subject=one_line(text or (files[0].what if files else ""), _SUBJECT),
        message_id=name,
        aliases=tuple(names),
        in_reply_to=quoted,
        text=f"{_shortened(quote)}\n\n{content}".strip() if quote else content,
        full_text=f"{quote}\n\n{content}".strip() if quote else content,
        edits=name if edited else None,
        adds_to=album_id(account, route.chat, album) if album and not edited else None,
        automatic=bool((first.get("from") or {}).get("is_bot")) or bool(start),
        dedupe_key=f"telegram:{name}",
    )


def _route(message: Message) -> Route:
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    business = message.get("business_connection_id")
    return Route(int(message["chat"]["id"]), topic, str(business) if business else None)


def _sender(message: Message) -> tuple[Party, bool]:
    """Who wrote, and whether it was somebody of ours (the owner of a business account)."""
    chat, user = message["chat"], message.get("from")
    # Anonymous administrators and channels write as a chat.
    who = message.get("sender_chat") or user or chat
    own = (
        bool(message.get("business_connection_id"))
        and chat.get("type") == "private"
        and who.get("id") != chat["id"]
    )
    return Party(_name(who), str(int(who["id"]))), own


def _name(who: Message) -> str:
    names = " ".join(str(who.get(key) or "") for key in ("first_name", "last_name"))
    return one_line(names.strip() or str(who.get("title") or who.get("username") or ""), 200)


def _handle(who: Message) -> str:
    username = who.get("username")
    return one_line(f"@{username}", 100) if username else ""


def _start(message: Message) -> str | None:
    """The payload of /start (empty without one); None for any other message."""
    text = message.get("text")
    if not isinstance(text, str):
        return None
    command, _, payload = text.partition(" ")
    return payload.strip() if command.partition("@")[0] == "/start" else None


def _said(message: Message) -> str | None:
    """The text of a message, its caption, or words for what it is; None if it has none."""
    for words, marks in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(words)
        if isinstance(text, str):
            entities = message.get(marks) or ()
            return readable(text, [entity for entity in entities if isinstance(entity, dict)])
    return words_of(message)


def _quote(message: Message, account: str, chat: int) -> tuple[str, tuple[str, ...]]:
    """What a message answers, behind ``>``, and its name."""
    answered = message.get("reply_to_message")
    names: tuple[str, ...] = ()
    said: str | None = None
    if isinstance(answered, dict):
        if message.get("is_topic_message") and "forum_topic_created" in answered:
            return "", ()  # Telegram lets every message of a topic answer the topic's beginning.
        names = (message_id(account, chat, answered.get("message_id")),)
        said = _said(answered)
        if said is None:
            said = "".join(f"[{file.what}: {file.name}]" for file in files_of(answered))
    elif isinstance(message.get("external_reply"), dict):
        said = "[a message of another chat]"
    part = message.get("quote")
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        said = part["text"]
    if not said:
        return "", names
    lines = printable(said).strip("\n").split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines), names


def _shortened(quote: str) -> str:
    lines = quote.split("\n")
    kept = "\n".join(lines[:_QUOTED_LINES])
    if len(kept) > _QUOTED_CHARACTERS:
        return kept[: _QUOTED_CHARACTERS - 1].rstrip() + "…"
    return kept + (" …" if len(lines) > _QUOTED_LINES else "")


def _forwarded(message: Message) -> str:
    origin = message.get("forward_origin")
    if not isinstance(origin, dict):
        return ""
    who = origin.get("sender_user") or origin.get("sender_chat") or origin.get("chat") or {}
    name = _name(who) or one_line(str(origin.get("sender_user_name") or ""), 200)
    return f"[Forwarded from {name}]" if name else "[Forwarded]"


def _moment(seconds: object) -> datetime | None:
    """A time as Telegram gives it; None for what is none."""
    if not isinstance(seconds, int) or not 0 < seconds < 32_000_000_000:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _deleted(body: Message, account: str, base: Inbound) -> Inbound:
    chat = body["chat"]
    names = tuple(message_id(account, int(chat["id"]), n) for n in body["message_ids"])
    return replace(
        base,
        sender=Party(_name(chat), str(int(chat["id"]))),
        held_cause="deleted messages",
        held_evidence="the messages that were deleted never came to this desk",
        set_aside=True,
        deletes=names,
    )


def _membership(body: Message, base: Inbound) -> Inbound:
    chat = body["chat"]
    status = body["new_chat_member"]["status"]
    left = status in ("kicked", "left")
    name = _name(chat) or str(chat["id"])
    if chat.get("type") == "private":
        said = f"{name} has blocked the bot" if left else f"{name} lets the bot write again"
    else:
        said = f"the bot was {'removed from' if left else 'added to'} {name}"
    base = replace(base, sender=Party(_name(chat), str(int(chat["id"]))), subject=said)
    return _aside(base, SERVICE, said)


def _with_files(item: Inbound, files: Sequence[RemoteFile], fetch: Fetch) -> Inbound:
    """The item with its files, or with words that say why one is missing."""
    attachments: list[Attachment] = []
    missing: list[str] = []
    for file in files:
        got = fetch(file)
        if isinstance(got, Attachment):
            attachments.append(got)
        else:
            missing.append(f"[{file.what.capitalize()} {one_line(file.name, 120)}: {got}]")
    if not missing:
        return replace(item, attachments=tuple(attachments))
    words = "\n".join(printable(line) for line in missing)
    return replace(
        item,
        attachments=tuple(attachments),
        text=f"{item.text}\n{words}".strip(),
        full_text=f"{item.full_text}\n{words}".strip(),
    )
