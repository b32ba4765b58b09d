"""An access token that works: renewed before it ends, once for all who ask at the same time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

from channels.faults import AccountRefused, Unreachable
from channels.oauth.grants import Refused, endpoints_of, read_grant, refresh_form
from channels.oauth.tokens import Tokens, TokenStore, store_of
from channels.secrets import read_secret
from channels.web import Web
from workflow.clock import wall_time
from workflow.errors import SettingsError
from workflow.settings import OAuthSettings

__all__ = ["Access", "LoginNeeded", "client_of", "tokens_of"]

_AHEAD_S = 120.0
"""Seconds before its end at which a token is renewed, so that none ends on its way."""


class LoginNeeded(AccountRefused):
    """The provider wants a person to log in again."""


# Refresh tokens that were refused for good: asking again changes nothing, and providers count.
_dead: set[str] = set()
_dead_lock = threading.Lock()


def client_of(oauth: OAuthSettings, account: str) -> dict[str, str]:
    """Who we are to the provider; raises SettingsError."""
    secret = read_secret(oauth.client_secret, f"the client secret of {account}")
    return {"client_id": oauth.client_id} | ({"client_secret": secret} if secret else {})


@dataclass(frozen=True)
class Access:
    """The way of one account to its tokens. Blocks while the provider is asked."""

    oauth: OAuthSettings
    account: str
    web: Web | None = None

    @cached_property
    def store(self) -> TokenStore:
        """Where they are kept."""
        return store_of(self.oauth)

    def token(self, refused: str | None = None) -> str:
        """A token that is valid for now; ``refused`` is one that a server did not take.

        Raises LoginNeeded, AccountRefused, Unreachable and SettingsError.
        """
        tokens = self.store.load()
        if tokens is not None and _good(tokens, refused, _AHEAD_S):
            return tokens.access_token
        with self.store.alone():
            # Whoever was here before us may have renewed it, also in another program.
            tokens = self.store.load()
            if tokens is None:
                raise self._login("nobody has logged in yet")
            if _good(tokens, refused, _AHEAD_S):
                return tokens.access_token
            try:
                return self._renew(tokens).access_token
            except Unreachable:
                if _good(tokens, refused, 0.0):
                    return tokens.access_token
                raise

    def _renew(self, tokens: Tokens) -> Tokens:
        endpoints = endpoints_of(self.oauth)
        old = tokens.refresh_token
        with _dead_lock:
            gone = old is None or old in _dead
        if old is None or gone:
            raise self._login("its permission has ended")
        web = self.web or Web(limit_s=20.0)
        page = web.post(endpoints.token_url, refresh_form(client_of(self.oauth, self.account), old))
        try:
            grant = read_grant(page)
        except Refused as fault:
            if fault.passing:
                raise Unreachable(f"{endpoints.name} gives no token now ({fault})") from fault
            if fault.login:
                with _dead_lock:
                    _dead.add(old)
                raise self._login(str(fault)) from fault
            raise AccountRefused(
                f"{endpoints.name} refuses a token for {self.account} ({fault}): check client_id and"
                " client_secret in deskhand.toml"
            ) from fault
        fresh = tokens_of(grant.access_token, grant.refresh_token or old, grant.lasts_s)
        try:
            self.store.save(fresh)
        except SettingsError as fault:
            # The old refresh token may be spent, so this is the only copy of the new one.
            raise AccountRefused(
                f"the new token of {self.account} could not be kept: {fault}"
            ) from fault
        return fresh

    def _login(self, why: str) -> LoginNeeded:
        name = endpoints_of(self.oauth).name
        return LoginNeeded(
            f"{name} wants a new login for {self.account} ({why}): run deskhand setup --login {self.account}"
        )


def tokens_of(access: str, refresh: str | None, lasts_s: int | None) -> Tokens:
    """Tokens that were given at this moment."""
    expires = None if lasts_s is None else wall_time().timestamp() + lasts_s
    return Tokens(access, refresh, expires)


def _good(tokens: Tokens, refused: str | None, ahead_s: float) -> bool:
    if not tokens.access_token or tokens.access_token == refused:
        return False
    return tokens.expires_at is None or wall_time().timestamp() + ahead_s < tokens.expires_at
