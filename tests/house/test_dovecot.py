"""The Dovecot that tests use does what tests rely on."""

from __future__ import annotations

import imaplib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.tls import Certificate, make_certificate


def mail(number: int) -> bytes:
    return b"From: eve@customer.test\r\nSubject: number %d\r\n\r\nhello\r\n" % number


def uidvalidity(session: imaplib.IMAP4) -> int:
    return int(session.response("UIDVALIDITY")[1][0] or 0)


def test_what_is_delivered_is_fetched_unchanged(dovecot: Dovecot) -> None:
    raw = b"Subject: bytes \xff\xfe\r\n\r\nnaked\nline feeds and \x80\r\n"
    dovecot.deliver(raw, received=datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    with dovecot.session(folder="INBOX") as session:
        (_, body), *_ = session.fetch("1", "(BODY.PEEK[])")[1]
        assert body.replace(b"\r\n", b"\n") == raw.replace(b"\r\n", b"\n")
        assert b"20-Nov-2026 08:30:00 +0000" in session.fetch("1", "(INTERNALDATE)")[1][0]


def test_a_thousand_messages_keep_their_order(dovecot: Dovecot) -> None:
    dovecot.deliver_all([mail(number) for number in range(1000)])
    with dovecot.session(folder="INBOX") as session:
        (_, first), *_ = session.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        (_, last), *_ = session.fetch("1000", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    assert b"number 0\r\n" in first
    assert b"number 999\r\n" in last
    assert dovecot.messages()[999] == mail(999)


def test_folders_users_and_flags_are_apart(dovecot: Dovecot) -> None:
    dovecot.deliver(mail(1), "Archive/2026", flags="S")
    dovecot.deliver(mail(2), user="billing")
    with dovecot.session(folder="Archive/2026") as session:
        assert b"\\Seen" in session.fetch("1", "(FLAGS)")[1][0]
        session.append("Sent", "", "", mail(3))
    assert dovecot.messages() == []
    assert dovecot.messages("Sent") == [mail(3)]
    assert dovecot.messages(user="billing") == [mail(2)]
    dovecot.empty(user="billing")
    assert dovecot.messages(user="billing") == []


def test_idle_hears_of_a_delivery(dovecot: Dovecot) -> None:
    with dovecot.session(folder="INBOX") as session:
        session.send(b"t1 IDLE\r\n")
        assert session.readline().startswith(b"+")
        dovecot.deliver(mail(1))
        assert session.readline().strip() == b"* 1 EXISTS"
        session.send(b"DONE\r\n")
        while not session.readline().startswith(b"t1 OK"):
            pass


def test_a_reset_gives_other_uids(dovecot: Dovecot) -> None:
    dovecot.deliver_all([mail(1), mail(2), mail(3)])
    with dovecot.session(folder="INBOX") as session:
        before = uidvalidity(session)
        session.store("1", "+FLAGS", "\\Deleted")
        session.expunge()
        assert session.fetch("1", "(UID)")[1] == [b"1 (UID 2)"]
    dovecot.reset_uidvalidity()
    with dovecot.session(folder="INBOX") as session:
        assert uidvalidity(session) > before
        assert session.fetch("1", "(UID)")[1] == [b"1 (UID 1)"]
        assert session.fetch("2", "(BODY.PEEK[])")[1][0][1] == mail(3)


@pytest.mark.parametrize("say_bye", [False, True])
def test_halting_cuts_sessions_and_keeps_mail_and_port(dovecot: Dovecot, say_bye: bool) -> None:
    dovecot.deliver(mail(1))
    session = imaplib.IMAP4(dovecot.host, dovecot.port, timeout=10)
    session.login(dovecot.user, dovecot.password)
    dovecot.halt(say_bye=say_bye)
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        session.noop()
    session.shutdown()
    with pytest.raises(OSError, match="refused"):
        imaplib.IMAP4(dovecot.host, dovecot.port, timeout=10)
    dovecot.resume()
    with dovecot.session() as again:
        assert again.select()[1] == [b"1"]


def test_tls_is_checked_both_ways_of_starting_it(
    dovecot: Dovecot, certificate: Certificate
) -> None:
    trusting = certificate.client_context()
    with imaplib.IMAP4_SSL(dovecot.host, dovecot.tls_port, ssl_context=trusting) as session:
        assert session.login("support", "pw")[0] == "OK"
    with imaplib.IMAP4(dovecot.host, dovecot.port) as session:
        session.starttls(trusting)
        assert session.login("support", "pw")[0] == "OK"
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(dovecot.host, dovecot.tls_port, ssl_context=ssl.create_default_context())


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "mail.example.com")
    with Dovecot.start(certificate=other) as server, pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=other.client_context())


def test_a_wrong_password_is_refused(dovecot: Dovecot) -> None:
    session = imaplib.IMAP4(dovecot.host, dovecot.port, timeout=10)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        session.login("support", "wrong")
    session.logout()


def test_stopping_leaves_nothing(certificate: Certificate) -> None:
    server = Dovecot.start(certificate=certificate)
    places = [server.work_dir, server._run_dir]
    assert all(place.is_dir() for place in places)
    server.stop()
    assert not any(place.exists() for place in places)
