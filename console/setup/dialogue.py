"""The dialogue of ``deskhand setup``: who you are, what customers write to, whether it works, and only
then what is written.

Everything is asked and tried before anything is stored. Whoever stops on the way leaves the home as it
was.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from channels.contract import Check
from channels.oauth.flows import Login
from channels.secrets import restore_secret, store_secret
from console.setup.asking import Asker
from console.setup.secrets import Kept
from workflow.clock import Clock
from workflow.errors import DeskError, UsageError
from workflow.settings import ChannelSettings, Settings
from workflow.settings_edit import SettingsEdit

__all__ = [
    "NotSaved",
    "Outcome",
    "Setup",
    "Tools",
    "add_agent",
    "failed_checks",
    "is_address",
    "is_name",
    "set_up",
]

_NAME = re.compile(r"[\w.@-]+")


@dataclass(frozen=True)
class Tools:
    """What setup does to the world outside; a test gives its own.

    ``discover`` finds the servers of an address, ``check`` tries an account, ``send_test`` sends a
    mail from an account to itself and says what came of it (raises DeskError). ``log_in`` carries out
    a login with OAuth by a way (raises DeskError).
    """

    discover: Callable[[str], Any]
    check: Callable[[ChannelSettings], Iterable[Check]]
    send_test: Callable[[ChannelSettings, Clock], str]
    log_in: Callable[[Login, str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of setting up one account (or the agent alone)."""

    agent: str | None = None
    account: dict[str, Any] | None = None
    found_by: str = ""
    checks: tuple[Check, ...] = ()
    written: bool = False
    next_steps: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all that was tried works."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True)
class Setup:
    """What every part of the dialogue needs."""

    home: Path
    clock: Clock
    options: Namespace
    asker: Asker
    tools: Tools
    settings: Settings = field(default_factory=Settings)

    def trial(self, entry: dict[str, Any]) -> ChannelSettings:
        """The account as the reader of deskhand.toml sees it, with secrets that stand in it; raises
        SettingsError.
        """
        edit = SettingsEdit(self.home)
        self.put(edit, entry)
        found = edit.check().channel(entry["name"])
        assert found is not None
        return found

    def put(self, edit: SettingsEdit, entry: dict[str, Any]) -> None:
        """Add the account, or give the one of its name these values."""
        if self.settings.channel(entry["name"]) is None:
            edit.add("channel", entry)
        else:
            edit.replace("channel", entry["name"], entry)

    def account_name(self, usual: str) -> str:
        """A name that is free, or whose account may be replaced."""
        given = self.options.name
        while True:
            name = self.asker.ask(
                "A short name for this account, as it stands on the screen",
                "--name",
                given=given,
                default=usual,
                check=is_name,
            )
            if self.settings.channel(name) is None or self.options.replace:
                return name
            if not self.asker.interactive:
                raise UsageError(
                    f"there is an account named {name} in {self.home / 'deskhand.toml'}: give another --name,"
                    " or --replace"
                )
            if self.asker.agrees(f"  There is an account named {name}. Replace it?", default=False):
                return name
            given = None

    def since(self) -> str:
        """From which day on mail counts as new."""
        return self.asker.ask(
            "From which day on are messages new? Older ones start no clocks",
            "--since",
            given=self.options.since,
            default=f"{self.clock.now():%Y-%m-%d}",
            check=_is_day,
        )

    def tried(self, channel: ChannelSettings) -> tuple[Check, ...]:
        """Try the account, telling each result as it comes."""
        checks = []
        for check in self.tools.check(channel):
            checks.append(check)
            # The file is not written yet.
            says = check.says.replace(" in deskhand.toml", "")
            self.asker.say(f"  {'ok  ' if check.ok else 'FAIL'} {check.about}: {says}")
            if check.remedy:
                self.asker.say(f"       {check.remedy}")
        return tuple(checks)

    def write(
        self, entry: dict[str, Any], secrets: Iterable[Kept], agent: dict[str, Any] | None
    ) -> None:
        """Store secrets and settings, all or none. Raises DeskError."""
        fresh = {kept.entry["keyring"]: kept.text for kept in secrets if kept.text is not None}
        before: dict[str, str | None] = {}
        try:
            for name, text in fresh.items():
                before[name] = store_secret(name, text)
            edit = SettingsEdit(self.home)
            if agent is not None:
                add_agent(edit, self.settings, agent)
            if entry:
                self.put(edit, entry)
            edit.save()
        except BaseException:
            for name, old in before.items():
                restore_secret(name, old)
            raise


def set_up(setup: Setup) -> Iterable[Outcome]:
    """Go through it; an outcome for each account. Raises DeskError, and KeyboardInterrupt when a
    person stops.
    """
    from console.setup.bot import set_up_bot
    from console.setup.mailbox import set_up_mailbox

    asker, options = setup.asker, setup.options
    if asker.interactive:
        asker.say(
            f"This sets up the desk in {setup.home}. Enter takes what stands in [brackets];"
            " ctrl+c leaves everything as it was.\n"
        )
    agent = _agent(setup)
    while True:
        kind = options.kind or _implied_kind(options)
        if kind is None:
            kind = asker.choose(
                "\nWhat do customers write to?",
                "--address",
                [
                    ("email", "a mailbox"),
                    ("telegram", "a Telegram bot"),
                    ("none", "nothing yet: only write down who you are"),
                ],
                "email" if asker.interactive else "none",
            )
        if kind == "none":
            if agent is None:
                raise UsageError(
                    "there is nothing to do: give --agent-name, --address or --telegram-token-env"
                )
            setup.write({}, (), agent)
            yield Outcome(agent=agent["name"], written=True)
            return
        work = set_up_mailbox if kind == "email" else set_up_bot
        outcome = work(setup, agent)
        yield replace(outcome, agent=agent["name"] if agent else None)
        if not outcome.written or not asker.interactive:
            return
        agent = None
        if not asker.agrees("\nAnother account?", default=False):
            return
        setup = replace(setup, settings=_again(setup.home), options=_emptied(options))
        options = setup.options


def add_agent(edit: SettingsEdit, settings: Settings, agent: dict[str, Any]) -> None:
    """Write down an agent; the first one of a desk also gets a group."""
    if not settings.groups and agent.get("groups"):
        edit.add("group", {"name": agent["groups"][0], "level": "L1"})
    edit.add("agent", agent)


def is_name(answer: str) -> str:
    """A name as deskhand.toml takes it; raises ValueError."""
    if not _NAME.fullmatch(answer):
        raise ValueError(
            f"{answer!r} cannot be a name: use letters, digits, dots and hyphens, no blanks"
        )
    return answer


def is_address(answer: str) -> str:
    """A mail address; raises ValueError."""
    from channels.email.discovery import domain_of

    address = answer.strip()
    local, _, domain = address.rpartition("@")
    if (
        not local
        or any(c.isspace() or c in '<>,;"' for c in address)
        or "." not in domain.strip(".")
    ):
        raise ValueError(f"{answer!r} is no mail address: write it like support@example.com")
    domain_of(address)
    return address


def _is_day(answer: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(answer).isoformat()
    except ValueError:
        raise ValueError(f"{answer!r} is no day: write it like 2026-01-31") from None


def _agent(setup: Setup) -> dict[str, Any] | None:
    """Who answers, if nobody is written down yet or flags name somebody."""
    asker, options, settings = setup.asker, setup.options, setup.settings
    known = [agent.name for agent in settings.agents]
    if options.agent_name is None and (known or not asker.interactive):
        return None
    if options.agent_name in known:
        asker.say(f"{options.agent_name} is in deskhand.toml already and stays as they are.")
        return None
    if asker.interactive:
        asker.say("Who answers here?")
    name = asker.ask(
        "  your name, one word",
        "--agent-name",
        given=options.agent_name,
        default=_login(),
        check=is_name,
    )

    def address_or_none(answer: str) -> str:
        return is_address(answer) if answer not in ("", "-") else ""

    email = asker.ask(
        "  your own address, by which your answers from other programs are known (- for none)",
        "--agent-email",
        given=options.agent_email,
        default="-" if asker.interactive else "",
        check=address_or_none,
    )
    entry: dict[str, Any] = {"name": name}
    if email:
        entry["email"] = email
    groups = options.agent_group or [group.name for group in settings.groups[:1]] or ["support"]
    entry["groups"] = groups
    if options.agent_role != "agent":
        entry["role"] = options.agent_role
    missing = [group for group in groups if group not in {one.name for one in settings.groups}]
    if missing and (settings.groups or len(groups) > 1):
        raise UsageError(
            f"there is no [[group]] named {missing[0]} in deskhand.toml: add it there first"
        )
    return entry


def _login() -> str | None:
    import getpass

    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None
    return name if _NAME.fullmatch(name) and name != "root" else None


def _implied_kind(options: Namespace) -> str | None:
    if options.address or options.imap_host or options.smtp_host:
        return "email"
    if any(getattr(options, f"telegram_token_{kind}") for kind in ("env", "keyring", "command")):
        return "telegram"
    return None


def _again(home: Path) -> Settings:
    from workflow.settings import load_settings

    return load_settings(home)


def _emptied(options: Namespace) -> Namespace:
    """The options for a second account: what was said of the first is not said of it."""
    kept = {"home", "now", "json", "yes", "replace", "no_check", "test_mail", "agent_role"}
    values = {name: value if name in kept else type(value)() if isinstance(value, bool | list) else None
              for name, value in vars(options).items()}  # fmt: skip
    return Namespace(**values)


def failed_checks(checks: Iterable[Check]) -> str:
    """One sentence for what did not work."""
    return "; ".join(f"{check.about}: {check.says}" for check in checks if not check.ok)


class NotSaved(DeskError):
    """What was tried does not work, and nobody said to keep it all the same."""
