"""HTTP as the Bot API speaks it: calls in three forms, JSON answers, files."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from console.demo.bot_forms import read_form

if TYPE_CHECKING:
    from console.demo.bot_server import BotServer

__all__ = ["Answer", "BotHttp", "refusal"]

Answer = tuple[int, dict[str, Any]]
"""A status and the JSON of an answer."""


def refusal(code: int, description: str, **parameters: Any) -> Answer:
    """An error as the API answers it; ``retry_after`` and the like are its parameters."""
    body = {"ok": False, "error_code": code, "description": description}
    return code, body | ({"parameters": parameters} if parameters else {})


class BotHttp(ThreadingHTTPServer):
    """The listener; :class:`console.demo.bot_server.BotServer` is what it asks."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], api: BotServer) -> None:
        self.api = api
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of the server."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BotHttp

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.server.api.changed:
            self.server.api.connections[self.connection] = threading.current_thread()

    def finish(self) -> None:
        with self.server.api.changed:
            self.server.api.connections.pop(self.connection, None)
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
        if len(parts) != 2 or not parts[0].startswith("bot"):
            self._json(api.elsewhere(parts, form))
            return
        stranger = api.knows(parts[0].removeprefix("bot"))
        self._json(stranger if stranger is not None else api.handle(parts[1], form))

    def _file(self, parts: list[str]) -> None:
        api = self.server.api
        stranger = api.knows(parts[1].removeprefix("bot"))
        found = stranger if stranger is not None else api.give_file(parts[-1])
        if isinstance(found, bytes):
            self._reply(200, found, "application/octet-stream")
        else:
            self._json(found)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _json(self, answer: Answer | None) -> None:
        if answer is None:
            self._drop()
        else:
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
