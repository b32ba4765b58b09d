"""What is said to an authorization server and what its answers mean (RFC 6749, RFC 7636, RFC 8628):
texts only, nothing is sent here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from channels.web import Page
from workflow.plaintext import one_line
from workflow.settings import OAuthSettings

__all__ = [
    "DeviceCode",
    "Endpoints",
    "Grant",
    "Refused",
    "authorization_url",
    "code_form",
    "device_form",
    "endpoints_of",
    "poll_form",
    "read_device_code",
    "read_grant",
    "refresh_form",
]

_LONGEST_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked, and for what. ``host`` is what it takes as the name of this very
    computer; ``extra`` is said beside when a person is sent there.
    """

    name: str
    auth_url: str
    token_url: str
    device_url: str
    scope: str
    host: str = "127.0.0.1"
    extra: Mapping[str, str] | None = None


def endpoints_of(oauth: OAuthSettings) -> Endpoints:
    """The endpoints of an account's provider."""
    if oauth.provider == "google":
        # Its device flow gives no token for mail, so it has none here.
        return Endpoints(
            "Google",
            oauth.auth_url or "https://accounts.google.com/o/oauth2/v2/auth",
            oauth.token_url or "https://oauth2.googleapis.com/token",
            oauth.device_url,
            oauth.scope or "https://mail.google.com/",
            # Else a second consent gives no refresh token.
            extra={"access_type": "offline", "prompt": "consent"},
        )
    if oauth.provider == "microsoft":
        base = f"https://login.microsoftonline.com/{oauth.tenant}/oauth2/v2.0"
        return Endpoints(
            "Microsoft",
            oauth.auth_url or f"{base}/authorize",
            oauth.token_url or f"{base}/token",
            oauth.device_url or f"{base}/devicecode",
            oauth.scope
            or "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send"
            " offline_access",
            host="localhost",
        )
    return Endpoints("the provider", oauth.auth_url, oauth.token_url, oauth.device_url, oauth.scope)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a server gave: ``lasts_s`` is for how many seconds, None if it does not say. Without a
    ``refresh_token`` the old one stays.
    """

    access_token: str
    refresh_token: str | None
    lasts_s: int | None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A code that a person enters on a page, and how to ask what became of it."""

    device_code: str
    user_code: str
    url: str
    lasts_s: int
    interval_s: int


class Refused(Exception):
    """The server's answer is a refusal: ``code`` in its words, ``passing`` if another try may go
    better, ``login`` if only a new login of a person helps.
    """

    def __init__(self, code: str, words: str, status: int) -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code
        self.passing = status >= 500 or status == 429 or code in _PASSING
        self.login = code in _LOGIN


_PASSING = ("temporarily_unavailable", "server_error", "rate_limit_exceeded")
_LOGIN = ("invalid_grant", "interaction_required", "login_required", "consent_required")


def authorization_url(
    endpoints: Endpoints, oauth: OAuthSettings, redirect: str, user: str
) -> tuple[str, str, str]:
    """Where a person allows it, with the state that must come back and the verifier that proves that
    it was us who asked (PKCE, S256).
    """
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(64)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": oauth.client_id,
        "redirect_uri": redirect,
        "scope": endpoints.scope,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "login_hint": user,
        **(endpoints.extra or {}),
    }
    sign = "&" if "?" in endpoints.auth_url else "?"
    return f"{endpoints.auth_url}{sign}{urlencode(asked)}", state, verifier


def code_form(client: Mapping[str, str], code: str, redirect: str, verifier: str) -> dict[str, str]:
    """Changing a code into tokens; ``client`` is who we are (client_id, client_secret)."""
    return {
        **client,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
    }


def refresh_form(client: Mapping[str, str], refresh_token: str) -> dict[str, str]:
    """Asking for a new access token."""
    return {**client, "grant_type": "refresh_token", "refresh_token": refresh_token}


def device_form(client: Mapping[str, str], scope: str) -> dict[str, str]:
    """Asking for a code that a person enters on another device."""
    return {"client_id": client["client_id"], "scope": scope}


def poll_form(client: Mapping[str, str], device_code: str) -> dict[str, str]:
    """Asking whether the person has entered it."""
    return {
        **client,
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device_code,
    }


def read_grant(page: Page) -> Grant:
    """The tokens of an answer; raises Refused."""
    said = _document(page)
    access = said.get("access_token")
    if not isinstance(access, str) or not _is_token(access):
        raise Refused("no token", "the answer has no access_token", page.status)
    refresh = said.get("refresh_token")
    return Grant(
        access,
        refresh if isinstance(refresh, str) and _is_token(refresh) else None,
        _seconds(said.get("expires_in")),
    )


def read_device_code(page: Page) -> DeviceCode:
    """The codes of an answer; raises Refused."""
    said = _document(page)
    # Google said verification_url before there was a standard.
    url = said.get("verification_uri") or said.get("verification_url")
    device, user = said.get("device_code"), said.get("user_code")
    if not (isinstance(device, str) and isinstance(user, str) and isinstance(url, str)):
        raise Refused("no code", "the answer has no code to enter", page.status)
    return DeviceCode(
        device,
        one_line(user, 40),
        one_line(url, 200),
        _seconds(said.get("expires_in")) or 900,
        max(_seconds(said.get("interval")) or 5, 1),
    )


def _document(page: Page) -> dict[str, Any]:
    try:
        said = json.loads(page.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused(f"status {page.status}", "the answer is no JSON", page.status)
    error = said.get("error")
    if error is not None or page.status != 200:
        words = said.get("error_description", "")
        # Microsoft adds trace numbers on lines of their own.
        first = str(words).split("\r\n")[0]
        raise Refused(
            one_line(str(error or f"status {page.status}"), 60), one_line(first, 200), page.status
        )
    return said


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable()


def _seconds(found: object) -> int | None:
    """Some servers write numbers as texts."""
    try:
        number = int(found)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 10**9 else None
