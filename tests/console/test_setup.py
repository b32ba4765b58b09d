"""Setting a desk up: as a person at a terminal, and as a script with flags."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend

from channels.contract import Check
from channels.email.discovery import Discovery, Found
from channels.email.providers import provider_of
from channels.oauth.flows import Login
from console.commands.arguments import read_arguments
from console.commands.setup import our_tools
from console.setup.asking import Asker
from console.setup.dialogue import NotSaved, Outcome, Setup, Tools, set_up
from tests.console.command_line import CommandLine
from tests.console.terminal import terminal
from workflow.clock import Clock, ManualClock
from workflow.errors import SettingsError
from workflow.settings import ChannelSettings, load_settings

FLAGS = "--agent-name ana --address support@example.com --password-env PW --yes"


class Person:
    """Answers from a list, in the order of the questions; ``!`` is ctrl+C."""

    interactive = True

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []

    def say(self, text: str = "") -> None:
        self.seen.append(text)

    def urgent(self, text: str) -> None:
        self.seen.append(text)

    def _next(self, question: str, default: str | None) -> str:
        self.seen.append(question)
        assert self.answers, f"nobody expected to be asked: {question}"
        answer = self.answers.pop(0)
        if answer == "!":
            raise KeyboardInterrupt
        return answer or default or ""

    def ask(
        self,
        question: str,
        flag: str,
        *,
        given: str | None = None,
        default: str | None = None,
        check: Callable[[str], str] = str,
    ) -> str:
        return check(given if given is not None else self._next(question, default))

    def choose(self, question: str, flag: str, options: object, default: str) -> str:
        return self._next(question, default)

    def agrees(self, question: str, *, default: bool) -> bool:
        return self._next(question, "yes" if default else "no") == "yes"

    def secret(self, question: str, flag: str) -> str:
        return self._next(question, None)

    @property
    def told(self) -> str:
        return "\n".join(self.seen)


class OutsideWorld:
    """Servers are where they are said to be; the password is ``right``."""

    def __init__(self, discovery: Discovery | None = None) -> None:
        self.found = discovery or Discovery(None, None, None)
        self.sent: list[str] = []
        self.logins: list[tuple[str, str, str, str]] = []
        self.tried: list[ChannelSettings] = []

    def tools(self) -> Tools:
        return Tools(lambda _address: self.found, self._check, self._send, self._log_in)

    def _check(self, channel: ChannelSettings) -> Iterable[Check]:
        self.tried.append(channel)
        secret = channel.token or (channel.imap and channel.imap.password)
        by_token = channel.imap is not None and channel.imap.oauth is not None and bool(self.logins)
        right = by_token or (secret is not None and secret.value in ("right", "PW"))
        yield Check("receiving", right, "it takes the login" if right else "it refuses the login")

    def _log_in(self, login: Login, way: str) -> None:
        self.logins.append((login.oauth.provider, login.oauth.client_id, login.user, way))

    def _send(self, channel: ChannelSettings, _clock: Clock) -> str:
        self.sent.append(channel.address)
        return "sent, and it arrived"


FOUND = Discovery(
    Found("imap.example.com", 993, "tls", "support@example.com", "autoconfig of example.com"),
    Found("smtp.example.com", 465, "tls", "support@example.com", "autoconfig of example.com"),
    None,
)


def options(*words: str) -> Namespace:
    return read_arguments(["setup", *words])


def run(home: Path, clock: Clock, asker: Asker, world: OutsideWorld, *words: str) -> list[Outcome]:
    return list(
        set_up(Setup(home, clock, options(*words), asker, world.tools(), load_settings(home)))
    )


class Safe(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username))


@pytest.fixture
def safe() -> Iterator[Safe]:
    import keyring

    before = keyring.get_keyring()
    backend = Safe()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_a_stranger_gets_through_with_the_enter_key(
    tmp_path: Path, clock: ManualClock, safe: Safe
) -> None:
    home = tmp_path / "desk"
    world = OutsideWorld(FOUND)
    person = Person(
        "ana", "ana@example.com", "email", "support@example.com", "yes", "", "Example", "", "right",
        "yes", "keyring", "no",
    )  # fmt: skip
    (outcome,) = run(home, clock, person, world)
    assert (outcome.agent, outcome.written, outcome.ok) == ("ana", True, True)
    assert world.sent == ["support@example.com"]
    assert (
        "imap.example.com:993 tls, user support@example.com  (from: autoconfig of example.com)"
        in person.told
    )
    assert "ok   receiving: it takes the login" in person.told
    settings = load_settings(home)
    (channel,) = settings.channels
    assert (channel.name, channel.display_name) == ("support", "Example")
    assert channel.since is not None
    assert channel.since.date() == clock.now().date()
    assert [(agent.name, agent.groups) for agent in settings.agents] == [("ana", ("support",))]
    assert not settings.warnings
    assert safe.kept == {("deskhand", "support"): "right"}
    assert "right" not in (home / "deskhand.toml").read_text()


def test_a_wrong_password_is_asked_for_again_and_a_stop_leaves_nothing(
    tmp_path: Path, clock: ManualClock, safe: Safe
) -> None:
    home = tmp_path / "desk"
    answers = ["ana", "-", "email", "support@example.com", "yes", "", "", "", "wrong"]
    with pytest.raises(KeyboardInterrupt):
        run(home, clock, Person(*answers, "secret", "right", "no", "!"), OutsideWorld(FOUND))
    assert not home.exists()
    assert not safe.kept
    with pytest.raises(NotSaved, match="it refuses the login; nothing was written"):
        run(home, clock, Person(*answers, "leave"), OutsideWorld(FOUND))
    assert not home.exists()
    (outcome,) = run(
        home, clock, Person(*answers, "keep", "env", "SUPPORT_PW", "no"), OutsideWorld(FOUND)
    )
    assert outcome.written
    assert not outcome.ok
    assert 'env = "SUPPORT_PW"' in (home / "deskhand.toml").read_text()


def test_a_file_that_cannot_be_written_takes_the_secret_back(
    tmp_path: Path, clock: ManualClock, safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object) -> None:
        raise SettingsError("no")

    monkeypatch.setattr("workflow.settings_edit.SettingsEdit.save", fail)
    answers = (
        "ana",
        "-",
        "email",
        "support@example.com",
        "yes",
        "",
        "",
        "",
        "right",
        "no",
        "keyring",
    )
    with pytest.raises(SettingsError):
        run(tmp_path / "desk", clock, Person(*answers), OutsideWorld(FOUND))
    assert not safe.kept
    safe.kept["deskhand", "support"] = "of before"
    with pytest.raises(SettingsError):
        run(tmp_path / "desk", clock, Person(*answers), OutsideWorld(FOUND))
    assert safe.kept == {("deskhand", "support"): "of before"}


def test_a_headless_machine_is_told_that_it_has_no_keyring(
    tmp_path: Path, clock: ManualClock
) -> None:
    answers = (
        "ana",
        "-",
        "email",
        "support@example.com",
        "yes",
        "",
        "",
        "",
        "right",
        "no",
        "env",
        "",
        "no",
    )
    person = Person(*answers)
    run(tmp_path / "desk", clock, person, OutsideWorld(FOUND))
    assert "keyring cannot keep the password of support: this system has none" in person.told
    assert "export SUPPORT_PASSWORD=" in person.told


def test_servers_of_nobody_knows_are_asked_for(tmp_path: Path, clock: ManualClock) -> None:
    person = Person(
        "ana", "-", "email", "support@example.com",
        "mail.example.com", "starttls", "", "support", "", "", "", "",
        "", "", "", "right", "no", "command", "pass show support", "no",
    )  # fmt: skip
    run(tmp_path / "desk", clock, person, OutsideWorld())
    (channel,) = load_settings(tmp_path / "desk").channels
    assert channel.imap is not None
    assert channel.smtp is not None
    assert (channel.imap.host, channel.imap.port, channel.imap.security) == (
        "mail.example.com",
        143,
        "starttls",
    )
    assert (channel.smtp.host, channel.smtp.port, channel.smtp.user) == (
        "mail.example.com",
        587,
        "support",
    )
    assert channel.imap.password == channel.smtp.password


def test_a_provider_that_wants_an_app_password_is_named_before_it_is_asked(
    tmp_path: Path, clock: ManualClock
) -> None:
    found = Found("imap.mail.me.com", 993, "tls", "ana@icloud.com", "what deskhand knows of iCloud")
    world = OutsideWorld(
        Discovery(found, replace(found, host="smtp.mail.me.com"), provider_of("icloud.com"))
    )
    person = Person("ana", "-", "email", "ana@icloud.com", "yes", "", "", "", "!")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, clock, person, world)
    assert "iCloud wants an app password" in person.told
    assert "https://account.apple.com" in person.told


def test_microsoft_is_logged_in_to_in_the_browser(
    tmp_path: Path, clock: ManualClock, safe: Safe
) -> None:
    imap = Found(
        "outlook.office365.com",
        993,
        "tls",
        "ana@example.com",
        "mail of example.com is run by Microsoft 365",
    )
    smtp = replace(imap, host="smtp.office365.com", port=587, security="starttls")
    world = OutsideWorld(Discovery(imap, smtp, provider_of("outlook.com")))
    person = Person(
        "ana",
        "-",
        "email",
        "ana@example.com",
        "yes",
        "",
        "",
        "",
        "oauth",
        "my-client",
        "device",
        "no",
        "no",
    )
    (outcome,) = run(tmp_path, clock, person, world)
    assert outcome.ok
    assert world.logins == [("microsoft", "my-client", "ana@example.com", "device")]
    assert "Microsoft 365 takes no passwords from most mailboxes" in person.told
    (channel,) = load_settings(tmp_path).channels
    assert channel.imap is not None
    assert channel.smtp is not None
    assert channel.imap.oauth == channel.smtp.oauth
    assert channel.imap.oauth is not None
    assert (channel.imap.oauth.client_id, channel.imap.oauth.keyring) == ("my-client", "ana-oauth")
    assert channel.imap.password is None


def test_a_second_account_and_a_bot_beside_the_first(
    tmp_path: Path, clock: ManualClock, safe: Safe
) -> None:
    world = OutsideWorld(FOUND)
    first = (
        "ana",
        "-",
        "email",
        "support@example.com",
        "yes",
        "",
        "",
        "",
        "right",
        "no",
        "keyring",
    )
    second = ("yes", "telegram", "", "", "wrong", "secret", "right", "keyring", "no")
    outcomes = run(tmp_path, clock, Person(*first, *second), world)
    assert [outcome.account["name"] for outcome in outcomes if outcome.account] == [
        "support",
        "bot",
    ]
    text = (tmp_path / "deskhand.toml").read_text()
    third = Person(
        "email",
        "support@example.com",
        "yes",
        "support",
        "no",
        "sales",
        "",
        "",
        "right",
        "no",
        "keyring",
        "no",
    )
    run(tmp_path, clock, third, world)
    assert "There is an account named support. Replace it?" in third.told
    assert (tmp_path / "deskhand.toml").read_text().startswith(text.rstrip("\n"))
    assert [channel.name for channel in load_settings(tmp_path).channels] == [
        "support",
        "bot",
        "sales",
    ]
    assert safe.kept["deskhand", "bot"] == "right"


# -- scripts


@pytest.fixture
def script(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """The command line whose setup knows the servers of example.com."""
    world = OutsideWorld(FOUND)
    monkeypatch.setattr("console.commands.setup.our_tools", world.tools)
    monkeypatch.setenv("PW", "right")
    return CommandLine(home, capsys, agent=None)


def test_flags_do_it_all_and_json_says_what(script: CommandLine, home: Path) -> None:
    document = script.json("setup", *FLAGS.split())
    assert (document["written"], document["agent"]) == (True, "ana")
    (account,) = document["accounts"]
    assert account["name"] == "support"
    assert account["imap"]["password"] == {"env": "PW"}
    assert account["found_by"] == "autoconfig of example.com"
    assert account["checks"] == [
        {"about": "receiving", "ok": True, "says": "it takes the login", "remedy": ""}
    ]
    assert account["since"] == "2026-11-23"
    assert load_settings(home).channels[0].smtp is not None


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        ("", "needs a terminal", 2),
        ("--yes", "there is nothing to do", 2),
        ("--address support@example.com --yes", "--password-env is missing", 2),
        ("--address support --password-env PW --yes", "--address: 'support' is no mail address", 2),
        ("--address support@example.com --password-env NOPE --yes", "environment variable NOPE", 1),
        ("--address support@example.com --password-env PW --password-command x --yes", "say two things", 2),
        (f"{FLAGS} --name a\u00a0b", "cannot be a name", 2),
        (f"{FLAGS} --since yesterday", "--since: 'yesterday' is no day", 2),
        (f"{FLAGS} --no-imap --no-smtp", "leave nothing to set up", 2),
        (f"{FLAGS} --imap-host mail.example.com --imap-security none", "would send the password readable", 1),
        (f"{FLAGS} --agent-email nonsense", "--agent-email", 2),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_one_sentence_and_writes_nothing(
    script: CommandLine, home: Path, words: str, said: str, status: int
) -> None:
    done = script("setup", *(words.split(" ") if words else []))
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()[-1]) > 20
    assert not (home / "deskhand.toml").exists()


def test_a_script_overwrites_nothing_unless_it_says_so(script: CommandLine, home: Path) -> None:
    assert script("setup", *FLAGS.split()).status == 0
    before = (home / "deskhand.toml").read_text()
    again = script("setup", *FLAGS.split(), "--name", "support")
    assert (again.status, (home / "deskhand.toml").read_text()) == (2, before)
    assert "--replace" in again.err
    done = script(
        "setup", *FLAGS.split(), "--name", "support", "--replace", "--display-name", "New"
    )
    assert done.status == 0, done.err
    (channel,) = load_settings(home).channels
    assert channel.display_name == "New"


def test_what_does_not_work_is_not_written(
    script: CommandLine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "wrong")
    words = ["--address", "support@example.com", "--password-env", "OTHER", "--yes"]
    done = script("setup", *words)
    assert done.status == 1
    assert "it refuses the login; nothing was written" in done.err
    assert not (home / "deskhand.toml").exists()
    assert script("setup", *words, "--no-check").status == 0


def test_a_server_of_another_domain_has_to_be_confirmed_by_name(
    script: CommandLine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FOUND.imap is not None
    unsure = OutsideWorld(
        replace(FOUND, imap=replace(FOUND.imap, host="imap.other.example", sure=False))
    )
    monkeypatch.setattr("console.commands.setup.our_tools", unsure.tools)
    done = script("setup", *FLAGS.split())
    assert done.status == 2
    assert "imap.other.example is of another domain: confirm it with --imap-host" in done.err
    assert script("setup", *FLAGS.split(), "--imap-host", "imap.other.example").status == 0


def test_secrets_can_move_into_the_keyring(script: CommandLine, home: Path, safe: Safe) -> None:
    assert script("setup", *FLAGS.split(), "--store-in-keyring").status == 0
    (channel,) = load_settings(home).channels
    assert channel.imap is not None
    assert channel.imap.password is not None
    assert channel.imap.password.kind == "keyring"
    assert safe.kept == {("deskhand", "support"): "right"}


def test_only_an_agent_may_be_written_down(script: CommandLine, home: Path) -> None:
    words = ("--agent-name", "ben", "--agent-email", "ben@example.com", "--agent-role", "lead")
    assert script.json("setup", *words)["agent"] == "ben"
    (agent,) = load_settings(home).agents
    assert (agent.name, agent.email, agent.role) == ("ben", "ben@example.com", "lead")


def test_the_real_tools_are_there() -> None:
    assert all(callable(tool) for tool in vars(our_tools()).values())


# -- a terminal


def test_ctrl_c_on_a_real_terminal_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    with terminal(["-m", "console", "--home", str(home), "setup"]) as shown:
        shown.until("your name, one word")
        shown.send("ana\r")
        shown.until("your own address")
        shown.send("\x03")
        shown.until("nothing was changed")
        assert shown.status() == 130
    assert not home.exists()


def test_a_first_start_says_how_to_begin(tmp_path: Path) -> None:
    with terminal(["-m", "console", "--home", str(tmp_path / "desk")]) as shown:
        shown.until("run: deskhand setup")
        shown.until("deskhand demo")
        shown.send("q")
        assert shown.status() == 0
