"""An HTTP server on 127.0.0.1 whose pages a test writes; with a certificate it speaks TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "Asked", "WebServer"]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What is given back."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class WebServer:
    """Calls ``page`` for each request. ``asked`` has them all.

    ``port``; ``dial`` connects to it whatever host was asked for, for :class:`channels.web.Web`.
    """

    def __init__(
        self, page: Callable[[Asked], Answer], context: ssl.SSLContext | None = None
    ) -> None:
        self.asked: list[Asked] = []
        self._page = page
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._serve(self)

            def do_POST(self) -> None:
                server._serve(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._http = _Http(("127.0.0.1", 0), Handler)
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def dial(self, _host: str, _port: int, limit_s: float) -> socket.socket:
        """A connection to this server."""
        return socket.create_connection(("127.0.0.1", self.port), limit_s)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        size = int(handler.headers.get("Content-Length") or 0)
        asked = Asked(
            handler.command,
            handler.headers.get("Host", "").partition(":")[0],
            parts.path,
            dict(parse_qsl(parts.query)),
            dict(parse_qsl(handler.rfile.read(size).decode())) if size else {},
            dict(handler.headers),
        )
        self.asked.append(asked)
        answer = self._page(asked)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of a test's concern."""
