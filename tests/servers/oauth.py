"""An authorization server on 127.0.0.1 that does what those of Google and Microsoft do, faults included:
codes with PKCE, device codes, refresh tokens that change with each use, tokens that end.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from tests.servers.web import Answer, Asked, WebServer

__all__ = ["TokenServer"]


@dataclass
class _Device:
    user_code: str
    answers: list[str]


@dataclass
class TokenServer:
    """``user``: who allows it. ``lasts_s``: how long an access token is good. ``rotates``: each refresh
    gives a new refresh token and ends the old one (Microsoft), else it stays (Google).

    ``device_answers``: what is answered before the code counts as entered (``authorization_pending``,
    ``slow_down``, ``expired_token``, ``access_denied``). ``denies``: the error with which the browser
    comes back. ``faults``: (status, error, words) for the next questions for tokens.
    """

    user: str = "support"
    client_id: str = "desk"
    client_secret: str = ""
    lasts_s: int = 3600
    rotates: bool = True
    device_answers: list[str] = field(default_factory=list)
    denies: str = ""
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    refreshes: int = 0
    slow: threading.Event | None = None

    def __enter__(self) -> Self:
        """Serve."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._codes: dict[str, tuple[str, str]] = {}
        self._devices: dict[str, _Device] = {}
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._web = WebServer(self._page)
        self._web.__enter__()
        self.url = f"http://127.0.0.1:{self._web.port}"
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._web.__exit__()

    @property
    def asked(self) -> list[Asked]:
        """All requests."""
        return self._web.asked

    def settings(self, **more: str) -> dict[str, str]:
        """The ``oauth`` of an account that logs in here."""
        return {
            "provider": "custom",
            "client_id": self.client_id,
            "auth_url": f"{self.url}/auth",
            "token_url": f"{self.url}/token",
            "device_url": f"{self.url}/device",
            "scope": "mail offline",
            **more,
        }

    def user_of(self, token: str) -> str | None:
        """The user of a token that is good now."""
        with self._lock:
            return self.user if self._access.get(token, 0.0) > time.monotonic() else None

    def give(self) -> dict[str, Any]:
        """Tokens as if somebody had logged in."""
        with self._lock:
            return self._tokens()

    def end_access(self) -> None:
        """No access token is good any more, whatever was said of its end."""
        with self._lock:
            self._access.clear()

    def revoke(self) -> None:
        """The user takes the permission back."""
        with self._lock:
            self._access.clear()
            self._refresh.clear()

    def _page(self, asked: Asked) -> Answer:
        if asked.path == "/token" and self.slow is not None:
            self.slow.wait(5)
        with self._lock:
            if asked.path == "/auth":
                return self._authorize(asked.query)
            if asked.path == "/device":
                return self._device(asked.form)
            if asked.path == "/token":
                return self._token(asked.form)
            if asked.path == "/introspect":
                good = self._access.get(asked.form.get("token", ""), 0.0) > time.monotonic()
                return _json({"active": good, "username": self.user} if good else {"active": False})
        return Answer(b"", 404)

    def _authorize(self, query: dict[str, str]) -> Answer:
        back = {"state": query["state"]}
        if self.denies:
            back |= {"error": self.denies, "error_description": "The user said no"}
        else:
            assert query["code_challenge_method"] == "S256"
            code = f"code-{next(self._numbers)}"
            self._codes[code] = (query["code_challenge"], query["redirect_uri"])
            back["code"] = code
        return Answer(b"", 302, {"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def _device(self, form: dict[str, str]) -> Answer:
        if form.get("client_id") != self.client_id:
            return _refuse(400, "invalid_client", "no such application")
        number = next(self._numbers)
        self._devices[f"device-{number}"] = _Device(f"ABCD-{number}", list(self.device_answers))
        return _json(
            {
                "device_code": f"device-{number}",
                "user_code": f"ABCD-{number}",
                "verification_uri": f"{self.url}/enter",
                "expires_in": 900,
                "interval": 5,
            }
        )

    def _token(self, form: dict[str, str]) -> Answer:
        kind = form.get("grant_type", "")
        if kind == "refresh_token":
            self.refreshes += 1
        if self.faults:
            return _refuse(*self.faults.pop(0))
        if (
            form.get("client_id") != self.client_id
            or form.get("client_secret", "") != self.client_secret
        ):
            return _refuse(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if kind == "authorization_code":
            challenge, redirect = self._codes.pop(form.get("code", ""), ("", ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if not challenge or proof != challenge or redirect != form.get("redirect_uri"):
                return _refuse(400, "invalid_grant", "Bad Request")
        elif kind == "refresh_token":
            if form.get("refresh_token") not in self._refresh:
                return _refuse(400, "invalid_grant", "Token has been expired or revoked.")
            if self.rotates:
                self._refresh.discard(form["refresh_token"])
            else:
                return _json(self._tokens(refresh=False))
        elif kind.endswith(":device_code"):
            device = self._devices.get(form.get("device_code", ""))
            if device is None:
                return _refuse(400, "invalid_grant", "no such code")
            if device.answers:
                return _refuse(400, device.answers.pop(0), "")
        else:
            return _refuse(400, "unsupported_grant_type", kind)
        return _json(self._tokens())

    def _tokens(self, *, refresh: bool = True) -> dict[str, Any]:
        number = next(self._numbers)
        self._access[f"access-{number}"] = time.monotonic() + self.lasts_s
        given: dict[str, Any] = {
            "access_token": f"access-{number}",
            "expires_in": self.lasts_s,
            "token_type": "Bearer",
            # In another order than they were asked for, as Microsoft does.
            "scope": "offline mail",
        }
        if refresh:
            self._refresh.add(f"refresh-{number}")
            given["refresh_token"] = f"refresh-{number}"
        return given


def _json(said: dict[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(said).encode(), status, {"Content-Type": "application/json"})


def _refuse(status: int, error: str, words: str) -> Answer:
    return _json({"error": error, "error_description": f"{words}\r\nTrace ID: 1234"}, status)
