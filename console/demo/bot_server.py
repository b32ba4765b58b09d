"""A Bot API server on 127.0.0.1 over real HTTP, with the shapes and limits of Telegram's.

Updates wait until an offset confirms them, a poll holds its answer back until there is something,
and a second poll ends the first with 409. The people who write to its bot are
:class:`console.demo.bot_people.Customer`. What else may go wrong with a server is for tests, which
add it to this one (tests/servers/telegram.py).
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from console.demo.bot_http import Answer, BotHttp, refusal
from console.demo.bot_people import Customer
from workflow.clock import Clock, SystemClock

__all__ = ["BotServer", "Refused", "Sent"]

_QUEUE_JUMP = 10
"""An offset so far past the last update is taken for a mistake, and the oldest ones are given."""

_UTF16_LIMIT, _CAPTION_LIMIT, _UPLOAD_LIMIT, _DOWNLOAD_LIMIT = 4096, 1024, 50_000_000, 20_000_000
_NOT_ASKED = ("chat_member", "message_reaction", "message_reaction_count")
_MEDIA = {"sendPhoto": "photo", "sendDocument": "document", "sendVoice": "voice"}
_END_S = 2.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the bot sent."""

    method: str
    chat_id: int
    message_ids: tuple[int, ...]
    text: str
    files: tuple[tuple[str, bytes], ...] = ()
    reply_to: int | None = None
    more: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An error of the API: its code and description."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.answer: Answer = refusal(code, description)


class BotServer:
    """The server. Any thread may use it; ``on_sent`` is called in one of its own for each message
    that the bot sends.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        port: int = 0,
        token: str | None = None,
        clock: Clock | None = None,
        on_sent: Callable[[Sent], None] = lambda _sent: None,
    ) -> None:
        self.token = token or f"110201543:{secrets.token_hex(18)[:35]}"
        self.messages: list[Sent] = []
        self.actions: list[tuple[int, str]] = []
        """Chat actions as (chat, action)."""
        self.confirmed = 0
        """The highest update that a poll has confirmed."""
        self.changed = threading.Condition()
        self.customers: dict[int, Customer] = {}
        self.files: dict[str, bytes] = {}
        self.allowed: list[str] | None = None
        self.webhook = ""
        self.stopped = False
        self.connections: dict[socket.socket, threading.Thread] = {}
        """The open ones, with the threads that serve them."""
        self._clock = clock or SystemClock()
        self._on_sent = on_sent
        self.updates: list[dict[str, Any]] = []
        self._poll = 0
        self.next_update, self.last_message = 100_001, 1
        self._listen(port)

    def __enter__(self) -> Self:
        """The running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def base_url(self) -> str:
        """What an account's ``base_url`` must be."""
        return f"http://{self.host}:{self.port}/bot"

    @property
    def me(self) -> dict[str, Any]:
        """The bot itself."""
        return {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Desk",
            "username": "desk_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Updates that no poll has confirmed."""
        with self.changed:
            return list(self.updates)

    def customer(self, chat_id: int, name: str = "Anna", username: str = "") -> Customer:
        """Somebody who writes to the bot from a private chat."""
        with self.changed:
            if chat_id not in self.customers:
                self.customers[chat_id] = Customer(self, chat_id, name, username)
            return self.customers[chat_id]

    def add(self, update: dict[str, Any], update_id: int | None = None) -> dict[str, Any]:
        """Put an update into the queue; it gets the next number unless one is given."""
        with self.changed:
            number = self.next_update if update_id is None else update_id
            self.next_update = max(self.next_update, number + 1)
            update = {"update_id": number, **update}
            kind = next((key for key in update if key != "update_id"), "")
            allowed = self.allowed
            if kind in allowed if allowed else kind not in _NOT_ASKED:
                self.updates.append(update)
                self.updates.sort(key=lambda one: int(one["update_id"]))
                self.keep("updates", update)
            self.changed.notify_all()
            return update

    def next_message_id(self) -> int:
        """A number for a message."""
        with self.changed:
            self.last_message += 1
            return self.last_message

    def store_file(self, data: bytes, name: str) -> dict[str, Any]:
        """Keep a file; what a message says of it."""
        with self.changed:
            number = f"F{len(self.files) + 1}"
            self.files[number] = data
            self.keep("file", number)
            return {
                "file_id": f"{number}-{name}"[:60],
                "file_unique_id": f"u{number}",
                "file_size": len(data),
            }

    def seconds(self) -> int:
        """The time as messages carry it."""
        return int(self._clock.now().timestamp())

    def keep(self, what: str, value: Any) -> None:
        """Called, with the lock held, for what a server must not forget: what came in (``updates``),
        the name of a ``file``, the number ``confirmed``, what was ``sent``. This one keeps all in memory.
        """

    # -- running -----------------------------------------------------------------------------------

    def _listen(self, port: int) -> None:
        self.stopped = False
        self._server = BotHttp((self.host, port), self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="bot server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End every connection and listen no more; harmless when stopped."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self.changed:
            connections = dict(self.connections)
        for sock in connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join(_END_S)

    def resume(self) -> None:
        """Listen again on the same port after :meth:`stop`."""
        self._listen(self.port)

    # -- the API -----------------------------------------------------------------------------------

    def handle(self, method: str, form: dict[str, Any]) -> Answer | None:
        """The answer to a call; None for a connection that breaks without one."""
        try:
            call: Callable[[dict[str, Any]], Any] | None = getattr(self, f"_do_{method}", None)
            if call is None and method in _MEDIA:
                result = self._send_file(method, form)
            elif call is None:
                raise Refused(404, "Not Found")
            else:
                result = call(form)
        except Refused as fault:
            return fault.answer
        return 200, {"ok": True, "result": result}

    def give_file(self, number: str) -> bytes | Answer | None:
        """The bytes of a file, or what is answered instead; None as for :meth:`handle`."""
        with self.changed:
            found = self.files.get(number)
        return refusal(404, "Not Found") if found is None else found

    def elsewhere(self, _path: list[str], _form: dict[str, Any]) -> Answer:
        """The answer to what is no call of the API."""
        return refusal(404, "Not Found")

    def knows(self, token: str) -> Answer | None:
        """The refusal for a token, None if it is ours."""
        if ":" not in token:
            return refusal(404, "Not Found")
        return None if token == self.token else refusal(401, "Unauthorized")

    def _do_getMe(self, _form: dict[str, Any]) -> Any:
        return self.me

    def _do_getWebhookInfo(self, _form: dict[str, Any]) -> Any:
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates),
        }

    def _do_deleteWebhook(self, _form: dict[str, Any]) -> Any:
        self.webhook = ""
        return True

    def _do_getUpdates(self, form: dict[str, Any]) -> Any:
        offset, limit = int(form.get("offset") or 0), int(form.get("limit") or 100)
        timeout = min(float(form.get("timeout") or 0), 50.0)
        if self.webhook:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
                " to delete the webhook first",
            )
        with self.changed:
            self._poll += 1
            poll = self._poll
            self.changed.notify_all()
            if form.get("allowed_updates"):
                self.allowed = json.loads(form["allowed_updates"])
            if offset > self.next_update - 1 + _QUEUE_JUMP:
                offset = 0
            if offset > 0 and offset - 1 != self.confirmed:
                self.confirmed = offset - 1
                self.keep("confirmed", self.confirmed)
            self.updates = [one for one in self.updates if one["update_id"] >= offset]
            self.changed.notify_all()
            self.changed.wait_for(
                lambda: (
                    self.updates
                    or self._poll != poll
                    or self.stopped
                    or self.knows(self.token) is not None
                ),
                timeout,
            )
            if self._poll != poll and timeout:
                raise Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot"
                    " instance is running",
                )
            return self.updates[: max(1, min(limit, 100))]

    def _do_getFile(self, form: dict[str, Any]) -> Any:
        number = str(form.get("file_id", "")).partition("-")[0]
        data = self.files.get(number)
        if data is None:
            raise Refused(400, "Bad Request: invalid file_id")
        if len(data) > _DOWNLOAD_LIMIT:
            raise Refused(400, "Bad Request: file is too big")
        return {
            "file_id": form["file_id"],
            "file_unique_id": f"u{number}",
            "file_size": len(data),
            "file_path": f"documents/{number}",
        }

    def _do_sendChatAction(self, form: dict[str, Any]) -> Any:
        chat = self._chat(form)
        with self.changed:
            self.actions.append((chat, str(form.get("action"))))
            self.changed.notify_all()
        return True

    def _do_sendMessage(self, form: dict[str, Any]) -> Any:
        chat, text = self._chat(form), str(form.get("text", ""))
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > _UTF16_LIMIT:
            raise Refused(400, "Bad Request: message is too long")
        return self._sent("sendMessage", chat, form, text)[0]

    def _send_file(self, method: str, form: dict[str, Any]) -> Any:
        chat, caption = self._chat(form), str(form.get("caption", ""))
        found = form.get(_MEDIA[method])
        if not isinstance(found, tuple):
            raise Refused(400, f"Bad Request: there is no {_MEDIA[method]} in the request")
        self._check_upload(caption, [found])
        return self._sent(method, chat, form, caption, [found])[0]

    def _do_sendMediaGroup(self, form: dict[str, Any]) -> Any:
        chat, media = self._chat(form), json.loads(form.get("media", "[]"))
        if not 2 <= len(media) <= 10:
            raise Refused(400, "Bad Request: wrong number of media in the album")
        files = [form[str(one["media"]).removeprefix("attach://")] for one in media]
        caption = " ".join(filter(None, (one.get("caption") for one in media)))
        self._check_upload(caption, files)
        return self._sent("sendMediaGroup", chat, form, caption, files)

    @staticmethod
    def _check_upload(caption: str, files: list[tuple[str, bytes]]) -> None:
        if len(caption.encode("utf-16-le")) // 2 > _CAPTION_LIMIT:
            raise Refused(400, "Bad Request: message caption is too long")
        for _name, data in files:
            if not data:
                raise Refused(400, "Bad Request: file must be non-empty")
            if len(data) > _UPLOAD_LIMIT:
                raise Refused(413, "Request Entity Too Large")

    def _chat(self, form: dict[str, Any]) -> int:
        try:
            chat = int(form.get("chat_id", ""))
        except ValueError:
            raise Refused(400, "Bad Request: chat_id is empty") from None
        with self.changed:
            customer = self.customers.get(chat)
        if customer is None:
            raise Refused(400, "Bad Request: chat not found")
        if customer.has_blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if customer.is_gone:
            raise Refused(403, "Forbidden: user is deactivated")
        return chat

    def _sent(
        self,
        method: str,
        chat: int,
        form: dict[str, Any],
        text: str,
        files: list[tuple[str, bytes]] | None = None,
    ) -> list[dict[str, Any]]:
        reply = json.loads(form["reply_parameters"]) if form.get("reply_parameters") else {}
        customer = self.customers[chat]
        answered = reply.get("message_id")
        if answered is not None and answered not in customer.known:
            if not reply.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            answered = None
        carried: list[tuple[str, bytes] | None] = [*files] if files else [None]
        made = [self._message(customer, method, text, file) for file in carried]
        for message in made:
            customer.known[message["message_id"]] = message
        more = {
            name: value
            for name, value in form.items()
            if name in ("message_thread_id", "business_connection_id", "parse_mode")
        }
        sent = Sent(
            method,
            chat,
            tuple(message["message_id"] for message in made),
            text,
            tuple(files or ()),
            answered,
            more,
        )
        with self.changed:
            self.messages.append(sent)
            self.keep("sent", sent)
            self.changed.notify_all()
        self._on_sent(sent)
        return made

    def _message(
        self, customer: Customer, method: str, text: str, file: tuple[str, bytes] | None
    ) -> dict[str, Any]:
        message: dict[str, Any] = {
            "message_id": self.next_message_id(),
            "from": self.me,
            "chat": customer.chat,
            "date": customer.now(),
        }
        if file is None:
            return message | {"text": text}
        about = self.store_file(file[1], file[0]) | {"file_name": file[0]}
        if text:
            message["caption"] = text
        if method == "sendPhoto":
            return message | {"photo": [about | {"width": 90, "height": 90}]}
        if method == "sendVoice":
            return message | {"voice": about | {"duration": 1}}
        return message | {"document": about}
