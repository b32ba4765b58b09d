"""A Bot API server on 127.0.0.1 over real HTTP, with the shapes, limits and errors of Telegram's.

Updates wait until an offset confirms them, a poll holds its answer back until there is something,
a second poll ends the first with 409, and whatever a test wants to go wrong can be scripted::

    with TelegramServer.start() as server:
        anna = server.customer(4711, "Anna")
        anna.says("Hello")
        server.script(refuse(429, "Too Many Requests: retry after 2", retry_after=2))

``python -m tests.servers.telegram --dir DIR`` runs it as a process of its own that keeps updates,
files and what the bot sent in DIR.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.servers.telegram_customers import Customer
from tests.servers.telegram_forms import read_form

__all__ = ["Sent", "TelegramServer", "cut", "late", "refuse"]

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
_QUEUE_JUMP = 10
"""An offset so far past the last update is taken for a mistake, and the oldest ones are given."""

_UTF16_LIMIT, _CAPTION_LIMIT, _UPLOAD_LIMIT, _DOWNLOAD_LIMIT = 4096, 1024, 50_000_000, 20_000_000
_NOT_ASKED = ("chat_member", "message_reaction", "message_reaction_count")
_MEDIA = {"sendPhoto": "photo", "sendDocument": "document", "sendVoice": "voice"}

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Act:
    """What goes wrong with one request: an answer given instead, a pause, a connection cut before
    or after the request was handled.
    """

    answer: Answer | None = None
    pause_s: float = 0.0
    cut: str = ""


def refuse(code: int, description: str, **parameters: Any) -> Act:
    """Answer with an error instead of doing it; ``retry_after`` and the like are its parameters."""
    body = {"ok": False, "error_code": code, "description": description}
    return Act(answer=(code, body | ({"parameters": parameters} if parameters else {})))


def late(seconds: float, *, handled: bool = True) -> Act:
    """Do it at once (or, if not ``handled``, never) and answer after a while."""
    return Act(pause_s=seconds, cut="" if handled else "before")


def cut(when: str) -> Act:
    """Cut the connection ``before`` the request is handled, or ``after`` without an answer."""
    return Act(cut=when)


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


@dataclass(slots=True)
class _Scripted:
    act: Act
    method: str
    chat_id: int | None
    left: float


class _Refused(Exception):
    """An error of the API: its code and description."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.answer: Answer = (
            code,
            {"ok": False, "error_code": code, "description": description},
        )


class TelegramServer:
    """The server. Any thread may use it."""

    host = "127.0.0.1"

    def __init__(self, port: int = 0, folder: Path | None = None, token: str = TOKEN) -> None:
        self.token = token
        self.messages: list[Sent] = []
        self.calls: list[str] = []
        """Names of the methods that were called, in order."""
        self.actions: list[tuple[int, str]] = []
        """Chat actions as (chat, action)."""
        self.confirmed = 0
        """The highest update that a poll has confirmed."""
        self.downloads = 0
        self.changed = threading.Condition()
        self.customers: dict[int, Customer] = {}
        self.files: dict[str, bytes] = {}
        self.allowed: list[str] | None = None
        self.webhook = ""
        self._updates: list[dict[str, Any]] = []
        self._script: list[_Scripted] = []
        self._poll = 0
        self._next_update, self._next_message = 100_001, 1
        self._revoked = self._stopped = False
        self._folder = folder
        self._sockets: set[socket.socket] = set()
        if folder is not None:
            self._load(folder)
        self._serve(port)

    @classmethod
    @contextlib.contextmanager
    def start(cls, **options: Any) -> Iterator[TelegramServer]:
        """A running server that stops at the end of the block."""
        server = cls(**options)
        try:
            yield server
        finally:
            server.stop()

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
            return list(self._updates)

    # -- what a test does --------------------------------------------------------------------------

    def customer(self, chat_id: int, name: str = "Anna", username: str = "") -> Customer:
        """Somebody who writes to the bot from a private chat."""
        with self.changed:
            if chat_id not in self.customers:
                self.customers[chat_id] = Customer(self, chat_id, name, username)
            return self.customers[chat_id]

    def script(
        self,
        *acts: Act,
        method: str = "sendMessage",
        chat_id: int | None = None,
        always: bool = False,
    ) -> None:
        """Let the next calls of a method (to a chat) go so, one act each, or all for ever.

        The method ``file`` is the download of a file.
        """
        with self.changed:
            left = float("inf") if always else 1
            self._script += [_Scripted(act, method, chat_id, left) for act in acts]

    def calm(self) -> None:
        """Forget what was scripted."""
        with self.changed:
            self._script.clear()

    def revoke(self, *, revoked: bool = True) -> None:
        """Let the token be no longer known, as after /revoke at BotFather."""
        with self.changed:
            self._revoked = revoked

    def add(self, update: dict[str, Any], update_id: int | None = None) -> dict[str, Any]:
        """Put an update into the queue; it gets the next number unless one is given."""
        with self.changed:
            number = self._next_update if update_id is None else update_id
            self._next_update = max(self._next_update, number + 1)
            update = {"update_id": number, **update}
            kind = next((key for key in update if key != "update_id"), "")
            allowed = self.allowed
            if kind in allowed if allowed else kind not in _NOT_ASKED:
                self._updates.append(update)
                self._updates.sort(key=lambda one: int(one["update_id"]))
                self._keep("updates.jsonl", update)
            self.changed.notify_all()
            return update

    def renumber(self, first: int) -> None:
        """Go on with other update numbers, as Telegram does after a week without any."""
        with self.changed:
            self._next_update = first

    def next_message_id(self) -> int:
        """A number for a message."""
        with self.changed:
            self._next_message += 1
            return self._next_message

    def store_file(self, data: bytes, name: str) -> dict[str, Any]:
        """Keep a file; what a message says of it."""
        with self.changed:
            number = f"F{len(self.files) + 1}"
            self.files[number] = data
            if self._folder is not None:
                (self._folder / "files" / number).write_bytes(data)
            return {
                "file_id": f"{number}-{name}"[:60],
                "file_unique_id": f"u{number}",
                "file_size": len(data),
            }

    def wait_for(self, count: int, *, limit_s: float = 10.0) -> list[Sent]:
        """What the bot sent once there are ``count``; raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.messages) >= count, limit_s):
                raise TimeoutError(f"{len(self.messages)} sent after {limit_s} s, expected {count}")
            return list(self.messages)

    def wait_until_polled(self, *, limit_s: float = 10.0) -> None:
        """Wait until a poll waits and all updates are confirmed; raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(lambda: not self._updates, limit_s):
                raise TimeoutError(f"{len(self._updates)} updates wait after {limit_s} s")

    # -- running -----------------------------------------------------------------------------------

    def _serve(self, port: int) -> None:
        self._stopped = False
        self._server = _Http((self.host, port), self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="telegram server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End every connection and listen no more."""
        with self.changed:
            self._stopped = True
            self.changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self.changed:
            sockets = list(self._sockets)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def resume(self) -> None:
        """Listen again on the same port after :meth:`stop`."""
        self._serve(self.port)

    def _keep(self, name: str, entry: Any) -> None:
        if self._folder is not None:
            with (self._folder / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _load(self, folder: Path) -> None:
        (folder / "files").mkdir(parents=True, exist_ok=True)

        def lines(name: str) -> Iterator[Any]:
            path = folder / name
            if path.exists():
                yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())

        self.confirmed = max(lines("confirmed.jsonl"), default=0)
        for update in lines("updates.jsonl"):
            self._next_update = max(self._next_update, update["update_id"] + 1)
            message = update.get("message") or {}
            self._next_message = max(self._next_message, message.get("message_id", 0))
            if update["update_id"] > self.confirmed:
                self._updates.append(update)
            if (chat := message.get("chat", {})).get("type") == "private":
                self.customer(chat["id"], chat.get("first_name", ""))
        for file in (folder / "files").iterdir():
            self.files[file.name] = file.read_bytes()
        for sent in lines("sent.jsonl"):
            self._next_message = max(self._next_message, *sent["message_ids"])

    # -- the API -----------------------------------------------------------------------------------

    def handle(self, method: str, form: dict[str, Any]) -> tuple[Answer | None, Act | None]:
        """The answer to a call and how it is to go wrong; None for a cut connection."""
        act = self._act(method, form)
        if act is not None and act.cut == "before":
            self._pause(act.pause_s)
            return None, act
        if act is not None and act.answer is not None:
            self._pause(act.pause_s)
            return act.answer, act
        try:
            call: Callable[[dict[str, Any]], Any] | None = getattr(self, f"_do_{method}", None)
            if call is None and method in _MEDIA:
                result = self._send_file(method, form)
            elif call is None:
                raise _Refused(404, "Not Found")
            else:
                result = call(form)
            answer: Answer = (200, {"ok": True, "result": result})
        except _Refused as fault:
            answer = fault.answer
        if act is not None:
            self._pause(act.pause_s)
            if act.cut:
                return None, act
        return answer, act

    def _act(self, method: str, form: dict[str, Any]) -> Act | None:
        with self.changed:
            self.calls.append(method)
            chat = str(form.get("chat_id", ""))
            for scripted in self._script:
                fits = scripted.chat_id is None or str(scripted.chat_id) == chat
                if scripted.method == method and fits and scripted.left > 0:
                    scripted.left -= 1
                    return scripted.act
        return None

    def _pause(self, seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self._stopped, seconds)

    def knows(self, token: str) -> Answer | None:
        """The refusal for a token, None if it is ours."""
        if ":" not in token:
            return 404, {"ok": False, "error_code": 404, "description": "Not Found"}
        if token != self.token or self._revoked:
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        return None

    def _do_getMe(self, _form: dict[str, Any]) -> Any:
        return self.me

    def _do_getWebhookInfo(self, _form: dict[str, Any]) -> Any:
        return {
            "url": self.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }

    def _do_deleteWebhook(self, _form: dict[str, Any]) -> Any:
        self.webhook = ""
        return True

    def _do_getUpdates(self, form: dict[str, Any]) -> Any:
        offset, limit = int(form.get("offset") or 0), int(form.get("limit") or 100)
        timeout = min(float(form.get("timeout") or 0), 50.0)
        if self.webhook:
            raise _Refused(
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
            if offset > self._next_update - 1 + _QUEUE_JUMP:
                offset = 0
            if offset > 0 and offset - 1 != self.confirmed:
                self.confirmed = offset - 1
                self._keep("confirmed.jsonl", self.confirmed)
            self._updates = [one for one in self._updates if one["update_id"] >= offset]
            self.changed.notify_all()
            self.changed.wait_for(
                lambda: self._updates or self._poll != poll or self._stopped or self._revoked,
                timeout,
            )
            if self._poll != poll and timeout:
                raise _Refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot"
                    " instance is running",
                )
            return self._updates[: max(1, min(limit, 100))]

    def _do_getFile(self, form: dict[str, Any]) -> Any:
        number = str(form.get("file_id", "")).partition("-")[0]
        data = self.files.get(number)
        if data is None:
            raise _Refused(400, "Bad Request: invalid file_id")
        if len(data) > _DOWNLOAD_LIMIT:
            raise _Refused(400, "Bad Request: file is too big")
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
            raise _Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > _UTF16_LIMIT:
            raise _Refused(400, "Bad Request: message is too long")
        return self._sent("sendMessage", chat, form, text)[0]

    def _send_file(self, method: str, form: dict[str, Any]) -> Any:
        chat, caption = self._chat(form), str(form.get("caption", ""))
        found = form.get(_MEDIA[method])
        if not isinstance(found, tuple):
            raise _Refused(400, f"Bad Request: there is no {_MEDIA[method]} in the request")
        self._check_upload(caption, [found])
        return self._sent(method, chat, form, caption, [found])[0]

    def _do_sendMediaGroup(self, form: dict[str, Any]) -> Any:
        chat, media = self._chat(form), json.loads(form.get("media", "[]"))
        if not 2 <= len(media) <= 10:
            raise _Refused(400, "Bad Request: wrong number of media in the album")
        files = [form[str(one["media"]).removeprefix("attach://")] for one in media]
        caption = " ".join(filter(None, (one.get("caption") for one in media)))
        self._check_upload(caption, files)
        return self._sent("sendMediaGroup", chat, form, caption, files)

    @staticmethod
    def _check_upload(caption: str, files: list[tuple[str, bytes]]) -> None:
        if len(caption.encode("utf-16-le")) // 2 > _CAPTION_LIMIT:
            raise _Refused(400, "Bad Request: message caption is too long")
        for _name, data in files:
            if not data:
                raise _Refused(400, "Bad Request: file must be non-empty")
            if len(data) > _UPLOAD_LIMIT:
                raise _Refused(413, "Request Entity Too Large")

    def _chat(self, form: dict[str, Any]) -> int:
        try:
            chat = int(form.get("chat_id", ""))
        except ValueError:
            raise _Refused(400, "Bad Request: chat_id is empty") from None
        with self.changed:
            customer = self.customers.get(chat)
        if customer is None:
            raise _Refused(400, "Bad Request: chat not found")
        if customer.has_blocked:
            raise _Refused(403, "Forbidden: bot was blocked by the user")
        if customer.is_gone:
            raise _Refused(403, "Forbidden: user is deactivated")
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
                raise _Refused(400, "Bad Request: message to be replied not found")
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
            self._keep(
                "sent.jsonl",
                {"chat_id": chat, "message_ids": sent.message_ids, "text": text, "method": method},
            )
            self.changed.notify_all()
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


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], api: TelegramServer) -> None:
        self.api = api
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of the server."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.api._sockets.add(self.connection)

    def finish(self) -> None:
        self.server.api._sockets.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(read_form(self.headers.get("Content-Type") or "", body))

    def _answer(self, form: dict[str, Any]) -> None:
        api = self.server.api
        path, _, query = self.path.partition("?")
        form = read_form("application/x-www-form-urlencoded", query.encode()) | form
        parts = unquote(path).strip("/").split("/")
        if parts[0] == "file" and len(parts) > 2:
            self._file(parts)
            return
        if parts == ["control", "updates"]:
            for update in json.loads(form["updates"]):
                api.add(update)
            self._reply(200, b"{}")
            return
        if len(parts) != 2 or not parts[0].startswith("bot"):
            self._json((404, {"ok": False, "error_code": 404, "description": "Not Found"}))
            return
        refusal = api.knows(parts[0].removeprefix("bot"))
        if refusal is not None:
            self._json(refusal)
            return
        answer, _act = api.handle(parts[1], form)
        if answer is None:
            self._drop()
        else:
            self._json(answer)

    def _file(self, parts: list[str]) -> None:
        api = self.server.api
        act = api._act("file", {})
        data = api.files.get(parts[-1])
        if act is not None:
            api._pause(act.pause_s)
            if act.cut:
                self._drop()
                return
            if act.answer is not None:
                self._json(act.answer)
                return
        if api.knows(parts[1].removeprefix("bot")) is not None or data is None:
            self._json((404, {"ok": False, "error_code": 404, "description": "Not Found"}))
            return
        with api.changed:
            api.downloads += 1
        self._reply(200, data, "application/octet-stream")

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, answer: Answer) -> None:
        self._reply(answer[0], json.dumps(answer[1]).encode())

    def _reply(self, code: int, body: bytes, kind: str = "application/json") -> None:
        try:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    server = TelegramServer(options.port, options.dir)
    sys.stdout.write(json.dumps({"port": server.port, "token": server.token}) + "\n")
    sys.stdout.flush()
    # Ends with whoever started it.
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    _main()
