"""Logging in with OAuth in setup: which application asks, where tokens are kept, and the login itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from channels.email.providers import Provider
from channels.oauth.flows import Login, ways_of
from channels.oauth.tokens import store_of
from channels.secrets import keyring_fault
from console.setup.dialogue import Outcome, Setup, failed_checks
from console.setup.secrets import Kept, given_secret, keep, text_of
from workflow.errors import DeskError, NotFound, SettingsError
from workflow.settings import ChannelSettings, OAuthSettings

__all__ = ["Permission", "ask_permission", "log_in", "log_in_again", "take_back"]

_WAYS = {
    "browser": "in the browser of this computer",
    "device": "with a code on any other computer or phone",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """What deskhand.toml will say as ``oauth``, and the application's secret, if it has one: as flags
    name it, or as it was typed.
    """

    entry: dict[str, Any]
    secret: dict[str, str] | str | None = None

    def toml(self, kept: Kept | None = None) -> dict[str, Any]:
        """The table; a secret that was typed stands in it only for the trial."""
        secret = kept.entry if kept is not None else self.secret
        return self.entry | ({"client_secret": secret} if secret else {})

    def kept(self, setup: Setup, name: str) -> Kept | None:
        """Where the secret will be."""
        if self.secret is None:
            return None
        place = f"{name}-client"
        if isinstance(self.secret, str):
            return keep(setup.asker, f"the client secret of {name}", place, self.secret)
        if setup.options.store_in_keyring:
            return Kept({"keyring": place}, text_of(self.secret, "the client secret"))
        return Kept(self.secret)


def ask_permission(setup: Setup, name: str, provider: Provider | None) -> Permission | None:
    """Whether and how this mailbox logs in with OAuth; None: with a password."""
    asker, options = setup.asker, setup.options
    kind = options.oauth
    if kind is None:
        flags = given_secret(options, "password") or options.no_check
        if provider is None or not provider.oauth or flags or not asker.interactive:
            return None
        ways = [
            ("password", "with an app password" if provider.app_password else "with a password"),
            (
                "oauth",
                "with OAuth, which needs an application of yours at the provider (docs/oauth.md)",
            ),
        ]
        usual = "oauth" if provider.only_oauth else "password"
        asker.say(
            f"{provider.name} takes no passwords from most mailboxes."
            if provider.only_oauth
            else ""
        )
        if (
            asker.choose(f"How do you log in to {provider.name}?", "--oauth", ways, usual)
            == "password"
        ):
            return None
        kind = provider.oauth
    entry: dict[str, Any] = {
        "provider": kind,
        "client_id": asker.ask(
            "The client id of your application", "--client-id", given=options.client_id
        ),
    }
    for field in ("tenant", "auth_url", "token_url", "device_url", "scope"):
        if (value := getattr(options, f"oauth_{field}")) is not None:
            entry[field] = value
    if kind == "custom" and "token_url" not in entry:
        entry["token_url"] = asker.ask("Its address for tokens", "--oauth-token-url")
    secret: dict[str, str] | str | None = given_secret(options, "client_secret")
    if secret is None and asker.interactive and kind != "microsoft":
        typed = asker.secret("Its client secret (- for none)", "--client-secret-env")
        secret = None if typed == "-" else typed
    if keyring_fault() is None:
        entry["keyring"] = f"{name}-oauth"
    else:
        asker.say("This system has no keyring: tokens go into a file that only this user can read.")
        entry["file"] = f"{name}.tokens"
    return Permission(entry, secret)


def log_in(setup: Setup, channel: ChannelSettings) -> None:
    """Let a person log in, and keep the tokens; raises DeskError."""
    oauth, user = _oauth_of(channel)
    ways = ways_of(oauth)
    way = setup.options.way
    if way is None:
        # A script has no browser, but its reader may have a phone.
        usual = ways[0] if setup.asker.interactive or len(ways) == 1 else "device"
        way = usual if len(ways) < 2 else setup.asker.choose(
            "Where do you log in?", "--way", [(one, _WAYS[one]) for one in ways], usual
        )  # fmt: skip
    setup.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    setup.tools.log_in(Login(oauth, channel.name, user, setup.asker.urgent), way)


def take_back(channel: ChannelSettings) -> None:
    """Forget the tokens of a login that came to nothing."""
    oauth, _ = _oauth_of(channel)
    store_of(oauth).forget()


def log_in_again(setup: Setup, name: str) -> Outcome:
    """``setup --login``: a new login for an account that has OAuth. Raises DeskError."""
    channel = setup.settings.channel(name)
    if channel is None:
        there = ", ".join(one.name for one in setup.settings.channels) or "none"
        raise NotFound(
            f"there is no account {name} in {setup.home / 'deskhand.toml'}: there are {there}"
        )
    log_in(setup, channel)
    checks = () if setup.options.no_check else setup.tried(channel)
    failed = [check for check in checks if not check.ok]
    if failed:
        raise DeskError(f"the login is kept, but: {failed_checks(failed)}")
    setup.asker.say(f"{name} is logged in.")
    return Outcome(account={"name": name}, checks=checks, written=True)


def _oauth_of(channel: ChannelSettings) -> tuple[OAuthSettings, str]:
    for server in (channel.imap, channel.smtp):
        if server is not None and server.oauth is not None:
            return server.oauth, server.user
    raise SettingsError(
        f"{channel.name} logs in with a password: run deskhand setup --name {channel.name} --replace to change it"
    )
