"""People who write to the bot of a local Bot API server: updates in the shapes of the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.demo.bot_server import BotServer, Sent

__all__ = ["Customer", "Message", "entity"]

Message = dict[str, Any]


def entity(kind: str, text: str, part: str, **more: Any) -> dict[str, Any]:
    """The formatting of the first ``part`` of a text; places count UTF-16 code units."""
    start = text.index(part)
    return {
        "type": kind,
        "offset": len(text[:start].encode("utf-16-le")) // 2,
        "length": len(part.encode("utf-16-le")) // 2,
        **more,
    }


class Customer:
    """Somebody in a private chat with the bot."""

    def __init__(self, server: BotServer, chat_id: int, name: str, username: str = "") -> None:
        self.server = server
        self.chat_id = chat_id
        first, _, last = name.partition(" ")
        names = {"first_name": first}
        names |= {"last_name": last} if last else {}
        names |= {"username": username} if username else {}
        self.user = {"id": chat_id, "is_bot": False, "language_code": "en", **names}
        self.chat = {"id": chat_id, "type": "private", **names}
        self.known: dict[int, Message] = {}
        """Every message of the chat by its number."""
        self.has_blocked = False
        self.is_gone = False
        self.at: int | None = None
        """The time to give to messages, in seconds; that of the server if nothing is set."""

    @property
    def received(self) -> list[Sent]:
        """What the bot has sent to this person."""
        with self.server.changed:
            return [sent for sent in self.server.messages if sent.chat_id == self.chat_id]

    def now(self) -> int:
        """The time of a message, in seconds as Telegram counts them."""
        return self.server.seconds() if self.at is None else self.at

    def message(self, **content: Any) -> Message:
        """A message of this person, not sent."""
        made = {
            "message_id": self.server.next_message_id(),
            "from": self.user,
            "chat": self.chat,
            "date": self.now(),
            **{name: value for name, value in content.items() if value not in (None, "", [])},
        }
        self.known[made["message_id"]] = made
        return made

    def sends(self, **content: Any) -> Message:
        """Send a message of any kind; returns it as the bot gets it."""
        message = self.message(**content)
        self.server.add({"message": message})
        return message

    def says(
        self,
        text: str,
        entities: Sequence[dict[str, Any]] = (),
        reply_to: Message | None = None,
        **more: Any,
    ) -> Message:
        """Send a text."""
        return self.sends(
            text=text, entities=list(entities), reply_to_message=_without_reply(reply_to), **more
        )

    def starts(self, payload: str = "") -> Message:
        """Press Start, by a link with a payload or without one."""
        text = f"/start {payload}".strip()
        return self.says(text, [{"type": "bot_command", "offset": 0, "length": 6}])

    def sends_photo(self, data: bytes, caption: str = "", **more: Any) -> Message:
        """Send a photo; Telegram tells of it in several sizes."""
        return self.sends(**self.photo(data), caption=caption, **more)

    def photo(self, data: bytes) -> Message:
        """The part of a message that is a photo."""
        small = self.server.store_file(data[:10], "thumb") | {"width": 90, "height": 60}
        large = self.server.store_file(data, "photo") | {"width": 1280, "height": 853}
        return {"photo": [small, large]}

    def sends_document(
        self, data: bytes, name: str = "file.pdf", kind: str = "application/pdf", caption: str = ""
    ) -> Message:
        """Send a file."""
        about = self.server.store_file(data, "document") | {"file_name": name, "mime_type": kind}
        return self.sends(document=about, caption=caption)

    def sends_place(self, latitude: float, longitude: float) -> Message:
        """Send where one is."""
        return self.sends(location={"latitude": latitude, "longitude": longitude})

    def sends_sticker(self, emoji: str, name: str = "") -> Message:
        """Send a sticker."""
        about = self.server.store_file(b"", "sticker")
        return self.sends(sticker=about | {"emoji": emoji, "set_name": name})

    def sends_voice(self, data: bytes, seconds: int = 7) -> Message:
        """Send a voice message."""
        about = self.server.store_file(data, "voice")
        return self.sends(voice=about | {"duration": seconds, "mime_type": "audio/ogg"})

    def album(self, photos: Sequence[bytes], caption: str = "") -> list[Message]:
        """The messages of an album, not sent: one each, held together by a number."""
        group = f"1300{self.server.next_message_id()}"
        return [
            self.message(**self.photo(data), media_group_id=group, caption="" if index else caption)
            for index, data in enumerate(photos)
        ]

    def sends_album(self, photos: Sequence[bytes], caption: str = "") -> list[Message]:
        """Send several photos at once."""
        made = self.album(photos, caption)
        for message in made:
            self.server.add({"message": message})
        return made

    def edits(self, message: Message, text: str) -> Message:
        """Change the text (or the caption) of a message."""
        name = "text" if "text" in message else "caption"
        # Of the same place in the chat, with the date of the change.
        edited = {**message, name: text, "edit_date": self.now()}
        edited.pop("entities", None)
        self.known[message["message_id"]] = edited
        self.server.add({"edited_message": edited})
        return edited

    def blocks(self) -> None:
        """Block the bot, of which it is told."""
        self.has_blocked = True
        self._membership("member", "kicked")

    def unblocks(self) -> None:
        """Let the bot write again."""
        self.has_blocked = False
        self._membership("kicked", "member")

    def _membership(self, before: str, after: str) -> None:
        def member(status: str) -> Message:
            more = {"until_date": 0} if status == "kicked" else {}
            return {"user": self.server.me, "status": status, **more}

        self.server.add(
            {
                "my_chat_member": {
                    "chat": self.chat,
                    "from": self.user,
                    "date": self.now(),
                    "old_chat_member": member(before),
                    "new_chat_member": member(after),
                }
            }
        )


def _without_reply(message: Message | None) -> Message | None:
    """A message as it stands in the answer to it: without what it answers itself."""
    if message is None:
        return None
    return {name: value for name, value in message.items() if name != "reply_to_message"}
