"""Networks and servers that break under a running engine: it comes back by itself, nothing is lost,
nothing comes twice, and meanwhile it says what is wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.live.desks import LiveDesk, Opened, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.line import Line
from tests.servers.tls import Certificate


def test_a_line_that_breaks_in_the_middle_of_a_mail(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    with Line(dovecot.port) as line:
        live = opened(imap_port=line.port)
        dovecot.deliver_all([letter(n, text="x" * 60 + "\n" + "words\n" * 3000) for n in range(20)])
        line.cut_after(200_000)
        running(live)
        wait_until(lambda: live.count("message") == 20)
        for number in range(20, 26):
            line.cut()
            dovecot.deliver(letter(number))
            wait_until(lambda: live.count("message") == number + 1)  # noqa: B023
    assert line.connections > 3
    assert live.column("SELECT DISTINCT outcome FROM arrival") == ["created"]


def test_a_connection_that_a_router_forgot_is_found_out(
    dovecot: Dovecot, opened: Opened, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where it waits depends on the moment: for the answer to a command, or to the end of IDLE.
    monkeypatch.setattr("channels.email.imap._READ_LIMIT_S", 2)
    monkeypatch.setattr("channels.email.imap._DONE_LIMIT_S", 0.5)
    with Line(dovecot.port) as line:
        live = opened(imap_port=line.port)
        engine = running(live)
        wait_until(lambda: engine.states()[0].words == "waiting for mail")
        line.forget()
        dovecot.deliver(letter(1))
        wait_until(lambda: live.count("message") == 1)
        assert line.connections >= 2


def test_a_server_that_is_away_is_said_to_be_and_is_back_by_itself(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    engine = running(live)
    wait_until(lambda: engine.states()[0].ok and engine.states()[0].words == "waiting for mail")
    dovecot.halt()
    wait_until(lambda: not engine.states()[0].ok)
    (state,) = engine.states()
    assert state.brief == "cannot connect"
    assert "127.0.0.1" in state.words
    assert "next try in" in state.words
    assert state.next_try is not None
    dovecot.resume()
    dovecot.deliver(letter(1))
    engine.hurry("support")
    wait_until(lambda: live.count("message") == 1)
    wait_until(lambda: engine.states()[0].ok)


def test_a_line_that_ends_every_connection_is_not_run_against(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    with Line(dovecot.port) as line:
        line.refuse()
        live = opened(imap_port=line.port)
        engine = running(live)
        wait_until(lambda: not engine.states()[0].ok)
        wait_until(lambda: line.connections == 2)
        first = line.connections
        assert engine.states()[0].brief == "cannot connect"
        line.refuse(on=False)
        engine.hurry("support")
        wait_until(lambda: engine.states()[0].ok)
        assert first == 2


def test_a_certificate_that_has_expired_or_is_for_another_name(
    dovecot: Dovecot,
    opened: Opened,
    certificate: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for issued, words in (
        (authority.issue_cert("127.0.0.1", not_after=yesterday), "has expired"),
        (authority.issue_cert("mail.example.net"), "is for another name than 127.0.0.1"),
    ):
        shown = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")
        shown.cert_file.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        shown.key_file.write_bytes(issued.private_key_pem.bytes())
        with Dovecot.start(certificate=shown) as server:
            live = opened(imap_port=server.tls_port)
            path = live.home / "deskhand.toml"
            path.write_text(path.read_text().replace('security = "none"', 'security = "tls"'))
            secured = LiveDesk.open(live.home)
            (result,) = secured.engine().run_once().accounts
            secured.close()
        assert result.error is not None
        assert words in result.error
