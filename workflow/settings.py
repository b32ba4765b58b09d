"""What deskhand.toml says: who works here, how customers reach us. How it is read and checked is
:mod:`workflow.settings_file`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from workflow.cap_settings import Caps
from workflow.errors import SettingsError

__all__ = [
    "DATABASE",
    "AgentSettings",
    "ChannelSettings",
    "GroupSettings",
    "OAuthSettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "Way",
    "load_settings",
]

FILE = "deskhand.toml"
DATABASE = "sqlite:///deskhand.db"
"""Relative to the home."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a password is: ``env``, ``keyring`` or ``command`` with its name, or ``bare`` with the
    text itself.
    """

    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """How an account logs in with a token (OAuth 2) in place of a password.

    ``provider`` is google, microsoft or custom; the addresses are those of a custom one. Tokens are
    kept in the keyring under ``keyring``, or in ``file``, which only this user can read.
    ``mechanism`` is xoauth2 or oauthbearer; empty takes what the server offers.
    """

    provider: str
    client_id: str
    client_secret: Secret | None = None
    keyring: str = ""
    file: Path | None = None
    tenant: str = "common"
    auth_url: str = ""
    token_url: str = ""
    device_url: str = ""
    scope: str = ""
    mechanism: str = ""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How to reach a server. ``security`` is tls, starttls or none (loopback only)."""

    host: str
    port: int
    security: str
    user: str
    password: Secret | None
    oauth: OAuthSettings | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How a person of the team wants to be told: ``mail``, ``desktop``, or ``apprise`` with the URL
    of a service.
    """

    kind: str
    url: Secret | None = None


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """A person of the team."""

    name: str
    email: str = ""
    groups: tuple[str, ...] = ()
    role: str = "agent"
    display_name: str = ""
    """How customers know this person."""
    signature: str = ""
    ways: tuple[Way, ...] = (Way("mail"),)
    """How this person is told of what rules and escalations say."""
    notify_hours: str = "always"
    """The calendar in whose hours, unless it is urgent."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """A set of agents with a level.

    ``assign`` says who of them gets a ticket of the group: ``manual`` (whoever takes it),
    ``round-robin``, ``least-loaded`` or ``previous`` (who had the customer's last ticket). ``cap``
    is how many open tickets one of them may be given. With ``prefer_previous`` the agent who had
    the customer's last ticket comes first. :mod:`workflow.routing.assign` decides.
    """

    name: str
    level: str = "L1"
    assign: str = "manual"
    cap: int | None = None
    prefer_previous: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One configured account of a channel."""

    name: str
    kind: str
    address: str = ""
    display_name: str = ""
    aliases: tuple[str, ...] = ()
    folders: tuple[str, ...] = ("INBOX",)
    sent_folder: str | None = None
    read_sent: bool = True
    """Whether answers that were written in another program are read from the folder of sent mail."""
    since: datetime | None = None
    undo_send_s: int = 15
    poll_s: int = 60
    max_bytes: int = 50_000_000
    auth_servers: tuple[str, ...] = ()
    """The servers whose Authentication-Results count; none: those that its addresses suggest."""
    hold_dmarc: bool = False
    hold_spam: bool = True
    hold_unknown: bool = False
    """Whether mail is held that failed DMARC, that our server calls spam, that is for no address of ours."""
    imap: ServerSettings | None = None
    smtp: ServerSettings | None = None
    token: Secret | None = None
    base_url: str = ""
    signature: str = ""
    """What stands below every answer (:mod:`workflow.signatures`)."""
    format: str = "markdown"
    """``markdown``: an answer that has marks goes out as HTML too; ``plain``: as it was typed."""
    reopen_days: int | None = None
    """As of the desk, for this account; None takes the desk's."""
    subject_reference: bool = False
    """Whether answers carry the ticket's reference in their subject."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)
    """What the file says for a kind that is not built in; the channel itself checks it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the team has written about its desk.

    ``warnings`` are sentences about what should be better.
    """

    database: str = DATABASE
    agents: tuple[AgentSettings, ...] = ()
    groups: tuple[GroupSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    caps: Caps = field(default_factory=Caps)
    warnings: tuple[str, ...] = ()
    reopen_days: int = 30
    """So many days after it was closed a ticket opens again when its customer answers; later the
    answer begins a new one that is linked to it."""
    suggest_days: int = 7
    """So many days back a new ticket is compared with others of its customer; 0 never."""

    def reopen_days_of(self, account: str | None) -> int:
        """The days for mail of an account."""
        channel = self.channel(account) if account else None
        if channel is not None and channel.reopen_days is not None:
            return channel.reopen_days
        return self.reopen_days

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that is ours, in lower case: accounts, aliases and agents."""
        found = {agent.email.lower() for agent in self.agents if agent.email}
        for channel in self.channels:
            found.update(a.lower() for a in (channel.address, *channel.aliases) if a)
        return frozenset(found)

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the groups, lowest first.

        L1, L2, ..., then named ones in the order of the file.
        """
        names = list(dict.fromkeys(group.level for group in self.groups))
        numbered = sorted(n for n in names if re.fullmatch(r"L\d+", n))
        return (*numbered, *(n for n in names if n not in numbered))

    def group(self, name: str | None) -> GroupSettings | None:
        """The group of a name."""
        return next((group for group in self.groups if group.name == name), None)

    def account_of_address(self, address: str) -> ChannelSettings | None:
        """The mail account that an address or alias belongs to."""
        wanted = address.strip().lower()
        for channel in self.channels:
            if wanted and wanted in (a.lower() for a in (channel.address, *channel.aliases)):
                return channel
        return None

    def channel(self, name: str) -> ChannelSettings | None:
        """The account of a name."""
        return next((channel for channel in self.channels if channel.name == name), None)

    def agent_by_email(self, address: str) -> str | None:
        """The agent whose address it is."""
        wanted = address.lower()
        return next((a.name for a in self.agents if a.email and a.email.lower() == wanted), None)


def load_settings(home: Path) -> Settings:
    """Read deskhand.toml of a home; a home without one has empty settings.

    Raises SettingsError that names the file, the line, what was found and what fits.
    """
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError as fault:
        raise SettingsError(
            f"{path}: byte {fault.start} is not UTF-8: save the file as UTF-8"
        ) from None
    except OSError as fault:
        raise SettingsError(
            f"{path} cannot be read ({fault.strerror}): give this user the right to read it"
        ) from None
    from workflow.settings_file import read_settings

    return read_settings(path, text)
