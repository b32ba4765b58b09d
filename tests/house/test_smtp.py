"""The SMTP servers that tests use take mail and misbehave as they are told."""

from __future__ import annotations

import smtplib
import time
from pathlib import Path

import pytest

from tests.servers.acts import ACCEPT, Act, Stage, drop, refuse, slow
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay
from tests.servers.smtp import SmtpSink
from tests.servers.smtp_process import SmtpProcess
from tests.servers.tls import Certificate
from workflow.clock import ManualClock

RAW = b"From: support@desk.test\r\nSubject: hello\r\n\r\n.a line with a dot\r\n\xc3\xa9\r\n"


def send(
    server: SmtpSink | SmtpProcess, *recipients: str, sender: str = "support@desk.test"
) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=10) as client:
        client.sendmail(sender, recipients or ("eve@customer.test",), RAW)


def test_it_keeps_what_it_is_given(smtp_sink: SmtpSink) -> None:
    send(smtp_sink, "eve@customer.test", "adam@customer.test")
    send(smtp_sink, sender="")
    first, bounce = smtp_sink.wait_for(2)
    assert first.mail_from == "support@desk.test"
    assert first.rcpt_tos == ("eve@customer.test", "adam@customer.test")
    assert first.content == RAW
    assert (first.user, first.tls, bounce.mail_from) == (None, False, "")
    assert (smtp_sink.connections, smtp_sink.transactions) == (2, 2)


def test_acts_are_used_up_in_order(smtp_sink: SmtpSink) -> None:
    smtp_sink.script(refuse("451 4.3.0 later", at="mail"), ACCEPT, refuse("550 5.7.1 no", at="dot"))
    with pytest.raises(smtplib.SMTPSenderRefused) as temporary:
        send(smtp_sink)
    send(smtp_sink)
    with pytest.raises(smtplib.SMTPDataError) as permanent:
        send(smtp_sink)
    send(smtp_sink)
    assert (temporary.value.smtp_code, permanent.value.smtp_code) == (451, 550)
    assert len(smtp_sink.messages) == 2


def test_one_recipient_is_refused_and_the_others_are_not(smtp_sink: SmtpSink) -> None:
    smtp_sink.script(refuse("550 5.1.1 nobody here"), recipient="Gone@customer.test")
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10) as client:
        refused = client.sendmail("s@desk.test", ["gone@customer.test", "eve@customer.test"], RAW)
    assert refused == {"gone@customer.test": (550, b"5.1.1 nobody here")}
    assert smtp_sink.messages[0].rcpt_tos == ("eve@customer.test",)


def test_an_act_can_last(smtp_sink: SmtpSink) -> None:
    smtp_sink.script(refuse("421 4.3.2 closing", at="connect"), always=True)
    for _ in range(3):
        with pytest.raises(smtplib.SMTPConnectError):
            send(smtp_sink)
    smtp_sink.accept_all()
    send(smtp_sink)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY])
def test_a_drop_before_the_final_dot_keeps_nothing(smtp_sink: SmtpSink, stage: Stage) -> None:
    smtp_sink.script(drop(stage))
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        send(smtp_sink)
    assert smtp_sink.messages == []
    send(smtp_sink)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("keep", [False, True])
def test_after_the_final_dot_the_sender_cannot_know(smtp_sink: SmtpSink, keep: bool) -> None:
    smtp_sink.script(drop("dot", keep=keep))
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        send(smtp_sink)
    assert len(smtp_sink.messages) == int(keep)


def test_a_drop_at_quit_comes_after_the_answer(smtp_sink: SmtpSink) -> None:
    smtp_sink.script(drop("quit"))
    client = smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10)
    assert client.sendmail("s@desk.test", "eve@customer.test", RAW) == {}
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        client.quit()
    client.close()
    assert len(smtp_sink.messages) == 1


def test_slow_is_slow(smtp_sink: SmtpSink) -> None:
    smtp_sink.script(slow(0.3))
    begun = time.monotonic()
    send(smtp_sink)
    assert time.monotonic() - begun >= 0.3
    assert len(smtp_sink.messages) == 1


def test_starttls_is_required_before_anything_else(certificate: Certificate) -> None:
    with (
        SmtpSink.start(tls="starttls", certificate=certificate) as sink,
        smtplib.SMTP(sink.host, sink.port, timeout=10) as client,
    ):
        with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
            client.sendmail("s@desk.test", "eve@customer.test", RAW)
        client.starttls(context=certificate.client_context())
        client.sendmail("s@desk.test", "eve@customer.test", RAW)
        assert sink.messages[0].tls


def test_tls_and_passwords(certificate: Certificate) -> None:
    context = certificate.client_context()
    with SmtpSink.start(tls="tls", certificate=certificate, users={"support": "pw"}) as sink:
        sink.script(refuse("454 4.7.0 try later", at="auth"))
        with smtplib.SMTP_SSL(sink.host, sink.port, timeout=10, context=context) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError, match="try later"):
                client.login("support", "pw")
            with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
                client.sendmail("s@desk.test", "eve@customer.test", RAW)
        with smtplib.SMTP_SSL(sink.host, sink.port, timeout=10, context=context) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError, match="invalid"):
                client.login("support", "wrong")
            client.login("support", "pw")
            client.sendmail("s@desk.test", "eve@customer.test", RAW)
        (taken,) = sink.messages
        assert (taken.user, taken.tls) == ("support", True)


def test_it_stops_and_comes_back_on_its_port(smtp_sink: SmtpSink) -> None:
    send(smtp_sink)
    port = smtp_sink.port
    open_one = smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=10)
    smtp_sink.stop()
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        open_one.docmd("NOOP")
    open_one.close()
    with pytest.raises(OSError, match="refused"):
        send(smtp_sink)
    smtp_sink.resume()
    send(smtp_sink)
    assert (smtp_sink.port, len(smtp_sink.messages)) == (port, 2)


@pytest.mark.parametrize(
    "act",
    [
        ACCEPT,
        refuse("451 4.3.0 come back later", at="dot"),
        drop("dot", keep=True),
        drop("body"),
        slow(0.5),
    ],
)
def test_an_act_survives_the_command_line(act: Act) -> None:
    assert Act.parse(str(act)) == act


def test_what_is_no_act_is_said() -> None:
    with pytest.raises(ValueError, match="not an act"):
        Act.parse("drop dot perhaps")
    with pytest.raises(ValueError, match="no reply"):
        refuse("451 later", at="body")


def test_as_a_process_of_its_own(tmp_path: Path) -> None:
    with SmtpProcess(tmp_path / "taken", drop("dot", keep=True)) as server:
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            send(server)
        send(server, "eve@customer.test", "adam@customer.test")
        first, second = server.wait_for(2)
    assert first.content == second.content == RAW
    assert second.rcpt_tos == ("eve@customer.test", "adam@customer.test")
    assert len(list((tmp_path / "taken").glob("*.eml"))) == 2


def test_a_relayed_mail_arrives_in_the_mailbox(dovecot: Dovecot, clock: ManualClock) -> None:
    boxes = {"eve@customer.test": "eve", "support@desk.test": "support"}
    with Relay.start(dovecot=dovecot, mailboxes=boxes, clock=clock) as relay:
        send(relay, "Eve@Customer.test")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(relay, "nobody@customer.test")
        relay.script(drop("dot", keep=True))
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            send(relay, "eve@customer.test")
    assert refused.value.recipients["nobody@customer.test"][0] == 550
    first, _ = dovecot.messages(user="eve")
    assert first.endswith(RAW)
    assert first.startswith(b"Return-Path: <support@desk.test>\r\nReceived: ")
    with dovecot.session("eve", "INBOX") as session:
        assert b"23-Nov-2026 09:00:00" in session.fetch("1", "(INTERNALDATE)")[1][0]
