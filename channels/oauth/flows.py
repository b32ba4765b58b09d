"""A person lets us in: in the browser of this computer (RFC 8252), or with a code on any other device
(RFC 8628).
"""

from __future__ import annotations

import hmac
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from channels.faults import AccountRefused, ChannelFault
from channels.oauth.access import client_of, tokens_of
from channels.oauth.grants import (
    Grant,
    Refused,
    authorization_url,
    code_form,
    device_form,
    endpoints_of,
    poll_form,
    read_device_code,
    read_grant,
)
from channels.oauth.tokens import store_of
from channels.web import Web, WebFault
from workflow.errors import SettingsError
from workflow.plaintext import one_line
from workflow.settings import OAuthSettings

__all__ = ["Login", "ways_of"]

_LIMIT_S = 300.0
_SLOWER_S = 5
_SLOWEST_S = 60
_DONE = "deskhand may use the mailbox now. You can close this window."
_NOT_DONE = "That did not work. Go back to the terminal: it says why."


def ways_of(oauth: OAuthSettings) -> tuple[str, ...]:
    """The ways that a provider offers: ``browser``, ``device``."""
    endpoints = endpoints_of(oauth)
    ways = [("browser", endpoints.auth_url), ("device", endpoints.device_url)]
    return tuple(name for name, url in ways if url)


@dataclass(frozen=True)
class Login:
    """One login of a person. ``tell`` shows them what to do, ``open_browser`` is given a URL."""

    oauth: OAuthSettings
    account: str
    user: str
    tell: Callable[[str], None]
    open_browser: Callable[[str], object] = webbrowser.open
    web: Web | None = None
    sleep: Callable[[float], None] = time.sleep
    limit_s: float = _LIMIT_S

    def run(self, way: str) -> None:
        """Go through it and keep the tokens.

        Raises ChannelFault and SettingsError with a sentence; nothing is kept then.
        """
        if way not in ways_of(self.oauth):
            known = ", ".join(ways_of(self.oauth)) or "none"
            raise SettingsError(
                f"{self.account} cannot log in by {way}: its provider knows {known}"
            )
        try:
            grant = self._by_browser() if way == "browser" else self._by_device()
        except Refused as fault:
            name = endpoints_of(self.oauth).name
            hint = _HINTS.get(fault.code, "check client_id and client_secret in deskhand.toml")
            raise AccountRefused(
                f"{name} does not let {self.account} in ({fault}): {hint}"
            ) from fault
        if grant.refresh_token is None:
            raise AccountRefused(
                f"the provider of {self.account} gave a token that cannot be renewed: ask for offline"
                " access in the scope"
            )
        store = store_of(self.oauth)
        with store.alone():
            store.save(tokens_of(grant.access_token, grant.refresh_token, grant.lasts_s))

    def _ask(self, url: str, form: dict[str, str]) -> Grant:
        return read_grant((self.web or Web()).post(url, form))

    # -- in the browser

    def _by_browser(self) -> Grant:
        endpoints = endpoints_of(self.oauth)
        client = client_of(self.oauth, self.account)
        with _Redirect() as back:
            redirect = f"http://{endpoints.host}:{back.port}/"
            url, state, verifier = authorization_url(endpoints, self.oauth, redirect, self.user)
            back.expect(state)
            self.tell(
                f"Allow it in the browser. If none opens, open this on this computer:\n\n{url}\n"
            )
            threading.Thread(target=self._open, args=(url,), daemon=True).start()
            code = back.wait(self.limit_s)
        return self._ask(endpoints.token_url, code_form(client, code, redirect, verifier))

    def _open(self, url: str) -> None:
        try:
            self.open_browser(url)
        except (OSError, webbrowser.Error):
            return

    # -- on another device

    def _by_device(self) -> Grant:
        endpoints = endpoints_of(self.oauth)
        client = client_of(self.oauth, self.account)
        web = self.web or Web()
        code = read_device_code(
            web.post(endpoints.device_url, device_form(client, endpoints.scope))
        )
        self.tell(
            f"On any computer or phone open {code.url}\nand enter the code   {code.user_code}\n"
            f"This waits for it, at most {max(code.lasts_s // 60, 1)} min ..."
        )
        pause, waited = code.interval_s, 0
        while waited < code.lasts_s:
            self.sleep(pause)
            waited += pause
            try:
                return self._ask(endpoints.token_url, poll_form(client, code.device_code))
            except WebFault:
                # RFC 8628, section 3.5: ask more rarely while it cannot be reached.
                pause = min(pause * 2, _SLOWEST_S)
            except Refused as fault:
                if fault.code == "slow_down":
                    pause += _SLOWER_S
                elif fault.code != "authorization_pending" and not fault.passing:
                    raise
        raise Refused("expired_token", "the code was not entered in time", 400)


_HINTS = {
    "access_denied": "it was not allowed there; try again, or ask whoever runs the organisation",
    "expired_token": "try again",
    "invalid_scope": "the application at the provider must be allowed to use mail over IMAP and SMTP",
    "unauthorized_client": "allow this kind of login for the application at the provider",
    "redirect_uri_mismatch": "the application at the provider must be one for the desktop",
}


class _Redirect:
    """A web server on this computer that waits for the browser to bring the code."""

    def __enter__(self) -> _Redirect:
        redirect = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                redirect._came(self)

            def log_message(self, *_: object) -> None:
                """A log would hold the code."""

        self._state = ""
        self._code = ""
        self._fault: Refused | None = None
        self._done = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def expect(self, state: str) -> None:
        """Take only an answer to this very question."""
        self._state = state

    def wait(self, limit_s: float) -> str:
        """The code; raises Refused and ChannelFault."""
        if not self._done.wait(limit_s):
            raise ChannelFault(f"nobody allowed it within {limit_s / 60:.0f} min: try again")
        if self._fault is not None:
            raise self._fault
        return self._code

    def _came(self, request: BaseHTTPRequestHandler) -> None:
        said = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        ours = self._state and hmac.compare_digest(
            said.get("state", "").encode(), self._state.encode()
        )
        if urlsplit(request.path).path != "/" or not ours or self._done.is_set():
            # A favicon, or somebody else's page that tries its luck: the wait goes on.
            _answer(request, 404, "Nothing is here.")
        elif said.get("code"):
            self._code = said["code"]
            _answer(request, 200, _DONE)
            self._done.set()
        else:
            words = one_line(said.get("error_description", ""), 200)
            self._fault = Refused(one_line(said.get("error", "no code"), 60), words, 400)
            _answer(request, 200, _NOT_DONE)
            self._done.set()


class _Quiet(HTTPServer):
    def server_bind(self) -> None:
        """Without looking up a name, which HTTPServer does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away."""


def _answer(request: BaseHTTPRequestHandler, status: int, words: str) -> None:
    body = f"<!doctype html><meta charset=utf-8><title>deskhand</title><p>{words}</p>".encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(body)))
    request.send_header("Cache-Control", "no-store")
    request.send_header("Content-Security-Policy", "default-src 'none'")
    request.end_headers()
    request.wfile.write(body)
