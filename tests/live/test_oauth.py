"""Logging in by token at a real Dovecot and an SMTP server, with an authorization server beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from channels.email.checks import check_account
from channels.oauth.access import tokens_of
from channels.oauth.tokens import Tokens, store_of
from tests.console.command_line import CommandLine
from tests.live.desks import ADDRESS, LiveDesk, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.oauth import TokenServer
from tests.servers.smtp import SmtpSink
from workflow import actions as a
from workflow.model import Actor
from workflow.settings import OAuthSettings, load_settings

ANA = Actor.agent("ana")


@dataclass
class World:
    """The servers, and the home of a desk that uses them."""

    tokens: TokenServer
    mail: Dovecot
    smtp: SmtpSink
    home: Path

    def write(self, mechanism: str = "", oauth: str | None = None) -> OAuthSettings:
        """The deskhand.toml of an account that logs in by token."""
        fields = self.tokens.settings(
            file="support.tokens", **({"mechanism": mechanism} if mechanism else {})
        )
        table = oauth or ", ".join(f'{name} = "{value}"' for name, value in fields.items())
        self.home.mkdir(exist_ok=True)
        servers = "".join(
            f'{kind} = {{ host = "127.0.0.1", port = {port}, security = "none", user = "support",'
            f" oauth = {{ {table} }} }}\n"
            for kind, port in (("imap", self.mail.port), ("smtp", self.smtp.port))
        )
        (self.home / "deskhand.toml").write_text(
            '[[agent]]\nname = "ana"\n[[channel]]\nname = "support"\nkind = "email"\n'
            f'address = "{ADDRESS}"\nundo_send = "0s"\npoll = "1s"\n{servers}'
        )
        (channel,) = load_settings(self.home).channels
        assert channel.imap is not None
        assert channel.imap.oauth is not None
        return channel.imap.oauth

    def log_in(self, oauth: OAuthSettings, lasts_s: int = 3600) -> None:
        """As if a person had."""
        given = self.tokens.give()
        store_of(oauth).save(tokens_of(given["access_token"], given["refresh_token"], lasts_s))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with (
        TokenServer() as tokens,
        Dovecot.start(introspection=f"{tokens.url}/introspect") as mail,
        SmtpSink.start(token_user=tokens.user_of) as smtp,
    ):
        yield World(tokens, mail, smtp, tmp_path / "desk")


@pytest.fixture
def live(world: World) -> Iterator[LiveDesk]:
    world.log_in(world.write())
    desk = LiveDesk.open(world.home)
    yield desk
    desk.close()


@pytest.mark.live
@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_receiving_and_sending_by_token(world: World, mechanism: str) -> None:
    world.log_in(world.write(mechanism))
    (channel,) = load_settings(world.home).channels
    assert [(check.about, check.says) for check in check_account(channel) if not check.ok] == []
    world.smtp.mechanisms = (mechanism.upper(),)
    desk = LiveDesk.open(world.home)
    try:
        world.mail.deliver(letter(1))
        assert desk.engine().run_once().created == 1
        desk.desk.perform(a.Reply(1, "By token."), ANA, "test")
        assert desk.engine().run_once().sent == 1
        (mail,) = world.smtp.messages
        assert b"By token." in mail.content
        assert world.tokens.refreshes == 0
    finally:
        desk.close()


@pytest.mark.live
def test_a_token_that_the_server_refuses_is_renewed_once_and_work_goes_on(
    world: World, live: LiveDesk
) -> None:
    world.tokens.end_access()
    world.mail.deliver(letter(1))
    done = live.engine().run_once()
    assert done.created == 1, done.accounts
    assert world.tokens.refreshes == 1
    world.tokens.end_access()
    live.desk.perform(a.Reply(1, "Still here."), ANA, "test")
    done = live.engine().run_once()
    assert (done.sent, done.accounts[0].ok) == (1, True)
    assert world.tokens.refreshes == 2


@pytest.mark.live
def test_a_permission_that_was_taken_back_stops_nothing_else_and_a_new_login_mends_it(
    world: World, live: LiveDesk, running: Running
) -> None:
    engine = running(live)
    wait_until(lambda: engine.states()[0].words == "waiting for mail")
    oauth = live.settings.channels[0].imap
    assert oauth is not None
    assert oauth.oauth is not None
    store_of(oauth.oauth).save(Tokens("ended", "refresh-taken-back", 1.0))
    world.tokens.revoke()
    world.mail.restart()
    engine.hurry("support")
    wait_until(lambda: "run deskhand setup --login support" in engine.states()[0].words)
    (state,) = engine.states()
    assert (state.ok, state.brief) == (False, "cannot log in")
    live.desk.perform(
        a.NewTicket("customer@example.org", "Customer", "By phone", "Hello"), ANA, "test"
    )
    assert live.count("ticket") == 1
    asked = world.tokens.refreshes
    engine.hurry("support")
    wait_until(lambda: engine.states()[0].brief == "cannot log in")
    assert world.tokens.refreshes == asked, "what was refused for good is not asked again"
    world.log_in(oauth.oauth)
    world.mail.deliver(letter(1))
    engine.hurry("support")
    wait_until(lambda: live.count("ticket") == 2)
    wait_until(lambda: engine.states()[0].ok)


@pytest.mark.live
def test_setup_logs_in_with_a_code_and_writes_an_account_that_works(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    world.tokens.client_secret = "hush"
    monkeypatch.setenv("CLIENT", "hush")
    deskhand = CommandLine(world.home, capsys, agent=None)
    server = world.tokens.settings()
    words = [
        "setup", "--yes", "--agent-name", "ana", "--address", ADDRESS, "--oauth", "custom", "--client-id", "desk",
        "--client-secret-env", "CLIENT", "--oauth-auth-url", server["auth_url"], "--way", "device",
        "--oauth-token-url", server["token_url"], "--oauth-device-url", server["device_url"],
        "--oauth-scope", "mail", "--imap-user", "support", "--smtp-user", "support",
        *(f"--{kind}-{what}={value}" for kind, port in (("imap", world.mail.port), ("smtp", world.smtp.port))
          for what, value in (("host", "127.0.0.1"), ("port", port), ("security", "none"))),
    ]  # fmt: skip
    world.tokens.device_answers = ["access_denied"]
    refused = deskhand(*words)
    assert refused.status == 1
    assert "it was not allowed there" in refused.err
    assert not (world.home / "deskhand.toml").exists()
    assert not (world.home / "support.tokens").exists()

    world.tokens.device_answers = ["authorization_pending"]
    done = deskhand(*words)
    assert done.status == 0, done.err
    assert "enter the code" in done.err
    text = (world.home / "deskhand.toml").read_text()
    assert "hush" not in text
    assert 'client_secret = {env = "CLIENT"}' in text
    world.mail.deliver(letter(1))
    desk = LiveDesk.open(world.home)
    assert desk.engine().run_once().created == 1
    desk.close()

    world.tokens.revoke()
    again = deskhand("setup", "--login", "support", "--way", "device")
    assert again.status == 0, again.err
    assert "support is logged in" in again.err
    missing = deskhand("setup", "--login", "nobody")
    assert missing.status == 1
    assert "there is no account nobody" in missing.err
