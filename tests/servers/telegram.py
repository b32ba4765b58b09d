"""The demo's Bot API server with what goes wrong with real ones, as a test scripts it::

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
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.demo.bot_http import Answer, refusal
from console.demo.bot_server import BotServer, Sent

__all__ = ["Sent", "TelegramServer", "cut", "late", "refuse"]

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


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
    return Act(answer=refusal(code, description, **parameters))


def late(seconds: float, *, handled: bool = True) -> Act:
    """Do it at once (or, if not ``handled``, never) and answer after a while."""
    return Act(pause_s=seconds, cut="" if handled else "before")


def cut(when: str) -> Act:
    """Cut the connection ``before`` the request is handled, or ``after`` without an answer."""
    return Act(cut=when)


@dataclass(slots=True)
class _Scripted:
    act: Act
    method: str
    chat_id: int | None
    left: float


class TelegramServer(BotServer):
    """The server. Any thread may use it."""

    def __init__(self, port: int = 0, folder: Path | None = None, token: str = TOKEN) -> None:
        self.calls: list[str] = []
        """Names of the methods that were called, in order."""
        self.downloads = 0
        self._script: list[_Scripted] = []
        self._revoked = False
        self._folder = folder
        super().__init__(port, token)
        if folder is not None:
            self._load(folder)

    @classmethod
    @contextlib.contextmanager
    def start(cls, **options: Any) -> Iterator[TelegramServer]:
        """A running server that stops at the end of the block."""
        with cls(**options) as server:
            yield server

    # -- what a test does --------------------------------------------------------------------------

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
            self.changed.notify_all()

    def renumber(self, first: int) -> None:
        """Go on with other update numbers, as Telegram does after a week without any."""
        with self.changed:
            self.next_update = first

    def wait_for(self, count: int, *, limit_s: float = 10.0) -> list[Sent]:
        """What the bot sent once there are ``count``; raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.messages) >= count, limit_s):
                raise TimeoutError(f"{len(self.messages)} sent after {limit_s} s, expected {count}")
            return list(self.messages)

    def wait_until_polled(self, *, limit_s: float = 10.0) -> None:
        """Wait until a poll waits and all updates are confirmed; raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(lambda: not self.updates, limit_s):
                raise TimeoutError(f"{len(self.updates)} updates wait after {limit_s} s")

    # -- what goes wrong ---------------------------------------------------------------------------

    def handle(self, method: str, form: dict[str, Any]) -> Answer | None:
        """The answer to a call, unless something else was scripted."""
        act = self._act(method, form)
        if act is None:
            return super().handle(method, form)
        if act.cut == "before":
            self._pause(act.pause_s)
            return None
        if act.answer is not None:
            self._pause(act.pause_s)
            return act.answer
        answer = super().handle(method, form)
        self._pause(act.pause_s)
        return None if act.cut else answer

    def give_file(self, number: str) -> bytes | Answer | None:
        """The bytes of a file, unless something else was scripted."""
        act = self._act("file", {})
        if act is not None:
            self._pause(act.pause_s)
            if act.cut or act.answer is not None:
                return None if act.cut else act.answer
        found = super().give_file(number)
        if isinstance(found, bytes):
            with self.changed:
                self.downloads += 1
        return found

    def knows(self, token: str) -> Answer | None:
        """The refusal for a token, None if it is ours and stands."""
        return refusal(401, "Unauthorized") if self._revoked else super().knows(token)

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
            self.changed.wait_for(lambda: self.stopped, seconds)

    # -- a process of its own ----------------------------------------------------------------------

    def elsewhere(self, path: list[str], form: dict[str, Any]) -> Answer:
        """``control/updates`` puts updates into the queue."""
        if path != ["control", "updates"]:
            return super().elsewhere(path, form)
        for update in json.loads(form["updates"]):
            self.add(update)
        return 200, {}

    def keep(self, what: str, value: Any) -> None:
        """Write it into the folder, if there is one."""
        if self._folder is None:
            return
        if what == "file":
            (self._folder / "files" / value).write_bytes(self.files[value])
            return
        if isinstance(value, Sent):
            value = {
                "chat_id": value.chat_id,
                "message_ids": value.message_ids,
                "text": value.text,
                "method": value.method,
            }
        with (self._folder / f"{what}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")

    def _load(self, folder: Path) -> None:
        (folder / "files").mkdir(parents=True, exist_ok=True)

        def lines(name: str) -> Iterator[Any]:
            path = folder / name
            if path.exists():
                yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())

        with self.changed:
            self.confirmed = max(lines("confirmed.jsonl"), default=0)
            for update in lines("updates.jsonl"):
                self.next_update = max(self.next_update, update["update_id"] + 1)
                message = update.get("message") or {}
                self.last_message = max(self.last_message, message.get("message_id", 0))
                if update["update_id"] > self.confirmed:
                    self.updates.append(update)
                if (chat := message.get("chat", {})).get("type") == "private":
                    self.customer(chat["id"], chat.get("first_name", ""))
            for file in (folder / "files").iterdir():
                self.files[file.name] = file.read_bytes()
            for sent in lines("sent.jsonl"):
                self.last_message = max(self.last_message, *sent["message_ids"])


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
