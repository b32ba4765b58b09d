"""Setup against real servers: what it writes is what the engine then works with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.command_line import CommandLine
from tests.live.desks import ADDRESS, LiveDesk, letter
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay
from tests.servers.smtp import SmtpSink
from tests.servers.telegram import TelegramServer
from tests.servers.tls import Certificate


@pytest.fixture
def deskhand(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    monkeypatch.setenv("PW", "pw")
    return CommandLine(home, capsys, agent=None)


def flags(imap_port: int, smtp_port: int, security: str = "none") -> list[str]:
    return [
        *[
            "--agent-name",
            "ana",
            "--password-env",
            "PW",
            "--imap-user",
            "support",
            "--smtp-user",
            "ana",
            "--yes",
        ],
        *f"--address {ADDRESS} --imap-host 127.0.0.1 --smtp-host 127.0.0.1".split(),
        *f"--imap-port {imap_port} --imap-security {security}".split(),
        *f"--smtp-port {smtp_port} --smtp-security none".split(),
    ]


def test_what_setup_writes_works_at_once(
    deskhand: CommandLine, home: Path, dovecot: Dovecot
) -> None:
    with Relay(dovecot, {ADDRESS: "support"}, users={"ana": "pw"}) as relay:
        document = deskhand.json("setup", *flags(dovecot.port, relay.port), "--test-mail")
        (account,) = document["accounts"]
        assert account["ok"]
        assert [check["about"] for check in account["checks"]] == [
            "receiving", "folder INBOX", "sent mail", "new mail", "sending",
        ]  # fmt: skip
        assert account["checks"][2]["says"] == "Sent: 0 messages"
        (test,) = relay.messages
        assert b"A test by deskhand" in test.content
        dovecot.empty()
        dovecot.deliver(letter(1))
        live = LiveDesk.open(home)
        try:
            assert live.engine().run_once().created == 1
        finally:
            live.close()


def test_what_fails_is_said_in_plain_words(
    deskhand: CommandLine, home: Path, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpSink.start(users={"ana": "pw"}) as sink:
        monkeypatch.setenv("PW", "wrong")
        said = deskhand("setup", *flags(dovecot.port, sink.port))
        assert said.status == 1
        assert "refuses the login of support" in said.err
        assert "app password" in said.err
        assert "refuses the login of ana" in said.err
        monkeypatch.setenv("PW", "pw")
        swapped = deskhand("setup", *flags(sink.port, dovecot.port))
        assert swapped.status == 1
        assert "nothing was written" in swapped.err
        wrong = deskhand("setup", *flags(dovecot.port, sink.port, "tls"))
        assert "does not speak TLS as expected" in wrong.err
        assert "check port and security" in wrong.err
        untrusted = deskhand("setup", *flags(dovecot.tls_port, sink.port, "tls"))
        assert "the certificate of 127.0.0.1" in untrusted.err
    closed = deskhand("setup", *flags(1, sink.port))
    assert "refuses connections" in closed.err
    assert not (home / "deskhand.toml").exists()


def test_security_is_tried_as_it_is_said(
    deskhand: CommandLine,
    dovecot: Dovecot,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))
    for name, port, security in (("a", dovecot.tls_port, "tls"), ("b", dovecot.port, "starttls")):
        done = deskhand("setup", *flags(port, 1, security), "--no-smtp", "--name", name)
        assert done.status == 0, done.err


def test_a_bot_is_tried_with_get_me(
    deskhand: CommandLine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TelegramServer.start() as server:
        monkeypatch.setenv("TOKEN", server.token)
        words = ["--telegram-token-env", "TOKEN", "--base-url", server.base_url, "--yes"]
        (account,) = deskhand.json("setup", *words)["accounts"]
        assert account["token"] == {"env": "TOKEN"}
        assert "Telegram knows the bot as @" in account["checks"][0]["says"]
        monkeypatch.setenv("TOKEN", "1:wrong")
        refused = deskhand("setup", *words, "--name", "other")
        assert refused.status == 1
        assert "nothing was written" in refused.err
