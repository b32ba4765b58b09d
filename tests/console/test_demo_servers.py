"""The demo's mail servers, used by real clients over real sockets."""

from __future__ import annotations

import gc
import queue
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import aiosmtplib
import pytest
from imapclient import IMAPClient

from console.demo.servers import HOST, LoopbackMail
from workflow.clock import ManualClock
from workflow.errors import DeskError

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
ADDRESS = "support@desk.example"
RAW = (
    b"From: m@c.example\r\nTo: support@desk.example\r\nSubject: one\r\n"
    b"Message-ID: <1@c.example>\r\n\r\nHello\r\n.dot\r\n"
)


@pytest.fixture
def taken() -> queue.Queue[tuple[str, tuple[str, ...], bytes]]:
    return queue.Queue()


@pytest.fixture
def mail(taken: queue.Queue[tuple[str, tuple[str, ...], bytes]]) -> Iterator[LoopbackMail]:
    servers = LoopbackMail(
        ManualClock(NOW), {"support": [ADDRESS]}, on_mail=lambda *given: taken.put(given)
    )
    with servers:
        yield servers


def login(mail: LoopbackMail) -> IMAPClient:
    client = IMAPClient(HOST, port=mail.imap_port, ssl=False, timeout=10)
    client.login("support", mail.password)
    return client


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, to, "Re: one"
    message["Message-ID"] = "<out@desk.example>"
    message.set_content("We are on it.\n")
    return message


def test_folders_exist_and_idle_is_offered(mail: LoopbackMail) -> None:
    with login(mail) as client:
        assert {name for _, _, name in client.list_folders()} == {"INBOX", "Sent"}
        assert client.has_capability("IDLE")


def test_wrong_password_is_refused_by_both(mail: LoopbackMail) -> None:
    with (
        IMAPClient(HOST, port=mail.imap_port, ssl=False, timeout=10) as client,
        pytest.raises(client.Error),
    ):
        client.login("support", "guess")
    with smtplib.SMTP(HOST, mail.smtp_port, timeout=10) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("support", "guess")
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.send_message(letter("m@c.example"))


def test_idle_sees_a_delivered_mail_and_its_bytes_come_back_unchanged(mail: LoopbackMail) -> None:
    arrived = NOW - timedelta(hours=3)
    with login(mail) as client:
        client.select_folder("INBOX")
        client.idle()
        uid = mail.deliver("support", RAW, arrived)
        assert (1, b"EXISTS") in client.idle_check(timeout=5)
        client.idle_done()
        found = client.fetch([uid], ["BODY.PEEK[]", "INTERNALDATE", "FLAGS"])[uid]
        assert found[b"BODY[]"] == RAW
        assert found[b"FLAGS"] == ()
        there = client.fetch([uid], ["INTERNALDATE"])[uid][b"INTERNALDATE"]
        assert there.astimezone(UTC) == arrived


def test_idle_is_told_of_every_mail_of_a_burst(mail: LoopbackMail) -> None:
    with login(mail) as client:
        client.select_folder("INBOX")
        client.idle()
        for _ in range(40):
            mail.deliver("support", RAW)
        highest, give_up = 0, time.monotonic() + 10
        while highest < 40 and time.monotonic() < give_up:
            told = client.idle_check(timeout=1)
            highest = max([highest, *(line[0] for line in told if line[1] == b"EXISTS")])
        client.idle_done()
        assert highest == 40


def test_mail_that_came_between_select_and_idle_is_told(mail: LoopbackMail) -> None:
    with login(mail) as client:
        client.select_folder("INBOX")
        mail.deliver("support", RAW)
        client.idle()
        assert (1, b"EXISTS") in client.idle_check(timeout=5)
        client.idle_done()


def test_forty_mails_are_delivered_within_a_second(mail: LoopbackMail) -> None:
    began = time.monotonic()
    for _ in range(40):
        mail.deliver("support", RAW)
    assert time.monotonic() - began < 1
    assert mail.count("support") == 40


def test_append_to_sent_works_with_and_without_a_date(mail: LoopbackMail) -> None:
    with login(mail) as client:
        client.append("Sent", RAW, flags=[rb"\Seen"])
        client.append("Sent", RAW, flags=[rb"\Seen"], msg_time=NOW - timedelta(days=1))
        client.select_folder("Sent", readonly=True)
        found = client.fetch(client.search(), ["INTERNALDATE"])
        moments = sorted(item[b"INTERNALDATE"].astimezone(UTC) for item in found.values())
        assert moments == [NOW - timedelta(days=1), NOW]


def test_mail_to_the_outside_reaches_the_callback(
    mail: LoopbackMail, taken: queue.Queue[tuple[str, tuple[str, ...], bytes]]
) -> None:
    with smtplib.SMTP(HOST, mail.smtp_port, timeout=10) as smtp:
        smtp.login("support", mail.password)
        smtp.send_message(letter("m@c.example"))
    sender, recipients, raw = taken.get(timeout=5)
    assert (sender, recipients) == (ADDRESS, ("m@c.example",))
    assert b"Message-ID: <out@desk.example>" in raw
    assert b"We are on it.\r\n" in raw


async def test_aiosmtplib_sends_too(
    mail: LoopbackMail, taken: queue.Queue[tuple[str, tuple[str, ...], bytes]]
) -> None:
    await aiosmtplib.send(
        letter("m@c.example"),
        hostname=HOST,
        port=mail.smtp_port,
        username="support",
        password=mail.password,
        start_tls=False,
    )
    assert taken.get(timeout=5)[1] == ("m@c.example",)


def test_mail_to_ourselves_lands_in_the_mailbox(
    mail: LoopbackMail, taken: queue.Queue[tuple[str, tuple[str, ...], bytes]]
) -> None:
    with smtplib.SMTP(HOST, mail.smtp_port, timeout=10) as smtp:
        smtp.login("support", mail.password)
        smtp.send_message(letter("Support@Desk.example"))
    assert mail.count("support") == 1
    assert taken.empty()


def test_stop_is_prompt_with_clients_connected_and_leaves_nothing() -> None:
    before = set(threading.enumerate())
    servers = LoopbackMail(ManualClock(NOW), {"support": [ADDRESS]})
    servers.start()
    ports = (servers.imap_port, servers.smtp_port)
    client = login(servers)
    client.select_folder("INBOX")
    client.idle()
    smtp = smtplib.SMTP(HOST, servers.smtp_port, timeout=10)
    began = time.monotonic()
    servers.stop()
    assert time.monotonic() - began < 2
    assert set(threading.enumerate()) == before
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), timeout=2)
    smtp.close()
    client.shutdown()
    servers.stop()
    gc.collect()


def test_deliver_says_what_is_wrong(mail: LoopbackMail) -> None:
    with pytest.raises(DeskError, match="no mailbox 'nobody'"):
        mail.deliver("nobody", RAW)
    stopped = LoopbackMail(ManualClock(NOW), {"support": [ADDRESS]})
    with pytest.raises(DeskError, match="not running"):
        stopped.deliver("support", RAW)


def test_importing_the_demo_is_cheap() -> None:
    code = (
        "import sys, console.demo.customers, console.demo.desk, console.demo.history;"
        "print([m for m in ('pymap', 'aiosmtpd', 'textual', 'sqlmodel') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
