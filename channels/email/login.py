"""What an account shows a mail server: a password, or a token that is renewed by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from channels.email.faults import LoginRefused
from channels.secrets import read_secret
from workflow.settings import OAuthSettings, ServerSettings

__all__ = ["Login", "bearer_text", "logged_in", "read_login", "renew_login", "xoauth2_text"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """A password, or an access token; the other is empty."""

    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def read_login(server: ServerSettings, account: str, protocol: str) -> Login:
    """The login of an account's server (``imap`` or ``smtp``). May ask the provider of tokens.

    Raises SettingsError and ChannelFault.
    """
    if server.oauth is not None:
        return Login(token=_token(server.oauth, account))
    return Login(read_secret(server.password, f"the {protocol} password of {account}"))


def renew_login(server: ServerSettings, account: str, refused: Login) -> Login | None:
    """Another login after one that was refused; None where there is none. Raises as read_login."""
    if server.oauth is None:
        return None
    return Login(token=_token(server.oauth, account, refused.token))


def logged_in(
    server: ServerSettings, account: str, protocol: str, connect: Callable[[Login], T]
) -> T:
    """Connect with a login; where a token is refused, once more with a new one."""
    login = read_login(server, account, protocol)
    try:
        return connect(login)
    except LoginRefused:
        again = renew_login(server, account, login)
        if again is None:
            raise
        return connect(again)


def _token(oauth: OAuthSettings, account: str, refused: str | None = None) -> str:
    # Loaded by those accounts only that log in so.
    from channels.oauth.access import Access

    return Access(oauth, account).token(refused)


def xoauth2_text(user: str, token: str) -> str:
    """What Google and Microsoft want to hear (SASL XOAUTH2)."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def bearer_text(user: str, token: str) -> str:
    """What the standard says (OAUTHBEARER, RFC 7628, section 3.1)."""
    name = user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\x01auth=Bearer {token}\x01\x01"
