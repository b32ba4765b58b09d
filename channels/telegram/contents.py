"""What is in a message besides text: files to fetch, and words for what is no file."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DOWNLOAD_LIMIT", "Message", "RemoteFile", "files_of", "is_service", "words_of"]

Message = Mapping[str, Any]
"""A message as the Bot API writes it."""

DOWNLOAD_LIMIT = 20_000_000
"""Bytes of a file that a bot can fetch (Bot API, getFile)."""

_SERVICE = (
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "chat_owner_changed",
    "chat_owner_left",
    "chat_shared",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "connected_website",
    "delete_chat_photo",
    "direct_message_price_changed",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "gift",
    "gift_upgrade_sent",
    "giveaway_completed",
    "giveaway_created",
    "group_chat_created",
    "left_chat_member",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "paid_message_price_changed",
    "passport_data",
    "pinned_message",
    "proximity_alert_triggered",
    "refunded_payment",
    "successful_payment",
    "supergroup_chat_created",
    "unique_gift",
    "users_shared",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "web_app_data",
    "write_access_allowed",
)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that lies at Telegram. ``what`` is the word for it: photo, voice message."""

    file_id: str
    unique_id: str
    name: str
    content_type: str
    size: int | None
    what: str


def is_service(message: Message) -> str | None:
    """What a message says that no person wrote (``new_chat_members``); None for a person's."""
    return next((key for key in _SERVICE if key in message), None)


_FILES = (
    # Key, word, type and ending where the message gives none.
    ("animation", "animation", "video/mp4", ".mp4"),
    ("audio", "audio file", "audio/mpeg", ".mp3"),
    ("video", "video", "video/mp4", ".mp4"),
    ("video_note", "video message", "video/mp4", ".mp4"),
    ("voice", "voice message", "audio/ogg", ".ogg"),
    ("document", "file", "application/octet-stream", ""),
)


def files_of(message: Message) -> list[RemoteFile]:
    """The files of one message, in the best quality there is."""
    found: list[RemoteFile] = []
    number = message.get("message_id", "")
    sizes = message.get("photo")
    if isinstance(sizes, list) and sizes:
        # Telegram lists the sizes from small to large, which is not promised anywhere.
        best = max(sizes, key=lambda size: (size.get("width") or 0) * (size.get("height") or 0))
        found.append(_file(best, f"photo-{number}.jpg", "image/jpeg", "photo"))
    for key, what, content_type, ending in _FILES:
        about = message.get(key)
        # An animation comes as a document too, for programs that know none.
        if not isinstance(about, dict) or (key == "document" and "animation" in message):
            continue
        content_type = str(about.get("mime_type") or content_type)
        ending = ending or mimetypes.guess_extension(content_type) or ""
        name = str(about.get("file_name") or "") or f"{what.replace(' ', '-')}-{number}{ending}"
        found.append(_file(about, name, content_type, what))
    return found


def _file(about: Message, name: str, content_type: str, what: str) -> RemoteFile:
    size = about.get("file_size")
    return RemoteFile(
        file_id=str(about["file_id"]),
        unique_id=str(about.get("file_unique_id") or about["file_id"]),
        name=name,
        content_type=content_type,
        size=size if isinstance(size, int) else None,
        what=what,
    )


def words_of(message: Message) -> str | None:
    """Words for what is neither text nor a file: ``[Sticker 👍]``; None where there is no such."""
    for key, say in _WORDS.items():
        about = message.get(key)
        # A venue carries its place a second time.
        if about is not None and not (key == "location" and "venue" in message):
            said = say(about) if isinstance(about, dict) else ""
            return f"[{said.strip() or key}]"
    return None


def _sticker(about: Message) -> str:
    return f"Sticker {about.get('emoji') or ''} {about.get('set_name') or ''}"


def _place(about: Message) -> str:
    latitude, longitude = about.get("latitude"), about.get("longitude")
    link = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"
    return f"{latitude}, {longitude} {link}"


def _location(about: Message) -> str:
    live = "Live location" if about.get("live_period") else "Location"
    return f"{live}: {_place(about)}"


def _venue(about: Message) -> str:
    names = ", ".join(str(about.get(key) or "") for key in ("title", "address"))
    return f"Place: {names}, {_place(about.get('location') or {})}"


def _contact(about: Message) -> str:
    name = " ".join(str(about.get(key) or "") for key in ("first_name", "last_name")).strip()
    return f"Contact: {name}, {about.get('phone_number') or 'no number'}"


def _poll(about: Message) -> str:
    options = " / ".join(str(option.get("text")) for option in about.get("options") or ())
    return f"Poll: {about.get('question')} {options}"


def _dice(about: Message) -> str:
    return f"{about.get('emoji') or 'Dice'} {about.get('value')}"


def _checklist(about: Message) -> str:
    tasks = " / ".join(str(task.get("text")) for task in about.get("tasks") or ())
    return f"List: {about.get('title')}: {tasks}"


_WORDS: dict[str, Callable[[Message], str]] = {
    "sticker": _sticker,
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
    "checklist": _checklist,
    "game": lambda about: f"Game: {about.get('title')}",
    "story": lambda _about: "A story, which bots cannot see",
    "paid_media": lambda _about: "Paid media, which bots cannot see",
    "invoice": lambda about: f"Invoice: {about.get('title')}",
    "giveaway": lambda _about: "A giveaway",
    "giveaway_winners": lambda _about: "The winners of a giveaway",
}
