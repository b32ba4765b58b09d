"""The same stories on two IMAP servers and through two SMTP servers that other people wrote.

A customer's mail goes through Exim or Postfix into Dovecot or Cyrus, the desk reads it there,
answers through the same mail server, and reads what comes back.
"""

from __future__ import annotations

import email
import email.policy
import os
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from tests.live.desks import ADDRESS, CUSTOMER, LiveDesk, Opened, Running, letter, wait_until
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.line import Line
from tests.servers.tls import Certificate
from tests.servers.transfer_agents import Exim, Lmtp, Maildirs, Postfix, TransferAgent
from tests.servers.unpacked import are_unpacked
from workflow import actions as a
from workflow.model import Actor

ANA = Actor.agent("ana")
SUBJECT = "Größe der Lieferung 見積 – «вопрос» 😀"
NAME = "Übersicht – 見積り (наш заказ).pdf"
WORDS = "Schöne Grüße!\n日本語の本文です。\nСпасибо, до свидания 😀\n"
FILE = bytes(range(256)) * 40

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not are_unpacked() and not os.environ.get("CI"),
        reason="Cyrus, Exim and Postfix are not here: tools/unpack_servers says why",
    ),
]


@dataclass
class Town:
    """A mail store and the mail server that delivers into it."""

    store: Dovecot | Cyrus
    agent: TransferAgent

    def post(self, raw: bytes, sender: str = CUSTOMER, recipient: str = ADDRESS) -> None:
        """Hand a mail to the mail server, as a customer's program does."""
        with smtplib.SMTP(self.agent.host, self.agent.port, timeout=20) as session:
            session.sendmail(sender, [recipient], raw, ["BODY=8BITMIME"])

    def mails(self, user: str, count: int = 1, folder: str = "INBOX") -> list[EmailMessage]:
        """What somebody has in a folder once it is there."""
        raws = self.store.wait_for(count, folder, user)
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in raws]  # type: ignore[misc]


@pytest.fixture(params=["dovecot-exim", "dovecot-postfix", "cyrus-exim", "cyrus-postfix"])
def town(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[Town]:
    """Every pair of a mail store and a mail server."""
    kind, agent = request.param.split("-")
    store = Dovecot.start() if kind == "dovecot" else Cyrus.start()
    try:
        if isinstance(store, Dovecot):
            route: Maildirs | Lmtp = Maildirs(store.work_dir / "mail")
            store.folder_path("INBOX", "customer")
        else:
            route = Lmtp(store.lmtp_port)
            for user in ("support", "customer"):
                with store.session(user):
                    pass  # The first login makes the mailbox.
        server = (Exim if agent == "exim" else Postfix).start(route, certificate)
        try:
            yield Town(store, server)
        finally:
            server.stop()
    finally:
        store.stop()


@pytest.fixture
def trust(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the test servers, as a system trusts public ones."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))


def desk_in(town: Town, opened: Opened, **options: object) -> LiveDesk:
    """A desk with its account in the town; a poll would come long after the test."""
    settings = {
        "imap_port": town.store.port,
        "smtp_port": town.agent.port,
        "smtp_login": isinstance(town.agent, Exim),
        "poll": "600s",
    }
    return opened(**{**settings, **options})


def question(**headers: str) -> bytes:
    """A mail with nothing in ASCII that need not be."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = f"Jürgen Müller-日本 <{CUSTOMER}>"
    mail["To"] = f"Unterstützung <{ADDRESS}>"
    mail["Subject"] = SUBJECT
    mail["Message-ID"] = "<frage-1@example.org>"
    mail.set_content(WORDS)
    mail.add_attachment(FILE, "application", "pdf", filename=NAME)
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    return mail.as_bytes()


def files_of(mail: EmailMessage) -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]


@pytest.mark.usefixtures("trust")
def test_a_question_its_answer_and_the_answer_to_that(
    town: Town, opened: Opened, running: Running
) -> None:
    live = desk_in(town, opened)
    engine = running(live)
    wait_until(lambda: engine.states()[0].words == "waiting for mail")

    # Delivery and IDLE: nobody asks within this test.
    town.post(question())
    wait_until(lambda: live.count("ticket") == 1)
    detail = live.reads.ticket(1)
    assert detail is not None
    (asked,) = detail.messages
    assert (detail.subject, asked.text.strip()) == (SUBJECT, WORDS.strip())
    assert asked.from_name == "Jürgen Müller-日本"
    (file,) = asked.attachments
    assert (file.name, file.size) == (NAME, len(FILE))
    assert live.files.read(file.sha256) == FILE

    # The answer, with a file the other way.
    sha256 = live.files.put(FILE[::-1])
    attached = (("Rückläufer – 返品.bin", "application/octet-stream", sha256, len(FILE)),)
    live.desk.perform(a.Reply(1, WORDS, attachments=attached), ANA, "test")
    (got,) = town.mails("customer")
    assert got["Subject"] == f"Re: {SUBJECT}"
    assert got["In-Reply-To"] == "<frage-1@example.org>"
    body = got.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").startswith(WORDS.strip())
    assert files_of(got) == [("Rückläufer – 返品.bin", FILE[::-1])]

    # The copy, once, byte for byte what was sent.
    wait_until(lambda: live.count("outbox", "copied_at IS NOT NULL") == 1)
    sent = live.reads.ticket(1).messages[1]  # type: ignore[union-attr]
    (copy,) = town.store.wait_for(1, "Sent", "support")
    assert copy == live.files.read(sent.raw_sha256 or "")

    # The answer to that comes to the same ticket; the server of the customer threads all of it.
    town.post(letter(2, text="Merci bien !\n", In_Reply_To=got["Message-ID"]))
    wait_until(lambda: live.count("message") == 3)
    last = max(live.reads.ticket(1).messages, key=lambda m: m.id)  # type: ignore[union-attr]
    assert (last.matched_by, last.text.strip()) == ("reply-token", "Merci bien !")
    town.post(question(), recipient=CUSTOMER)
    town.mails("customer", 2)
    with town.store.session("customer", "INBOX") as session:
        _status, threads = session.thread("REFERENCES", "UTF-8", "ALL")
    assert threads[0] in (b"(1 2)", b"(2 1)")
    assert live.count("ticket") == 1
    assert live.column(
        "SELECT DISTINCT outcome FROM arrival WHERE folder = 'INBOX' ORDER BY 1"
    ) == [
        "appended",
        "created",
    ]
    assert engine.states()[0].ok


@pytest.mark.usefixtures("trust")
def test_a_recipient_who_is_refused_keeps_the_mail_from_nobody_else(
    town: Town, opened: Opened
) -> None:
    live = desk_in(town, opened)
    town.post(letter(1))
    town.store.wait_for(1, "INBOX", "support")
    assert live.engine().run_once().created == 1

    both = a.Reply(1, "To both of you.", cc=("nobody@example.org",))
    live.desk.perform(both, ANA, "test")
    nobody = a.Reply(1, "To nobody.", to=("nobody@example.org",), cc=())
    live.desk.perform(nobody, ANA, "test")
    done = live.engine().run_once()

    assert (done.sent, done.failed) == (1, 1)
    (got,) = town.mails("customer")
    assert got["Cc"] == "nobody@example.org"
    sent, failed = live.reads.outbox(["sent", "failed"])
    assert "nobody@example.org" in (sent.error or "")
    assert "550 5.1.1" in (sent.error or "")
    assert "550 5.1.1" in (failed.error or "")


@pytest.mark.usefixtures("trust")
def test_an_smtp_server_that_dies_in_the_middle_gets_the_mail_once(
    town: Town, opened: Opened, running: Running
) -> None:
    with Line(town.agent.port) as line:
        live = desk_in(town, opened, smtp_port=line.port)
        town.post(letter(1))
        town.store.wait_for(1, "INBOX", "support")
        assert live.engine().run_once().created == 1
        # More than fits into the buffers on the way: the cut is known before the final dot.
        sha256 = live.files.put(os.urandom(12_000_000))
        attached = (("large.bin", "application/octet-stream", sha256, 12_000_000),)

        line.cut_after(1_500_000, up=True, then=town.agent.halt)
        live.desk.perform(a.Reply(1, "A large file.", attachments=attached), ANA, "test")
        assert live.engine().run_once().sent == 0
        (waiting,) = live.reads.outbox(["queued"])
        assert (line.cuts, waiting.attempts) == (1, 1)

        town.agent.resume()
        # Not to wait for the next attempt.
        live.desk.perform(a.RetrySend(waiting.id), ANA, "test")
        running(live)
        wait_until(lambda: live.count("outbox", "state = 'sent'") == 1)
        (got,) = town.mails("customer")
        assert files_of(got) == [("large.bin", live.files.read(sha256))]
        wait_until(lambda: live.count("outbox", "copied_at IS NOT NULL") == 1)
        assert len(town.store.messages("INBOX", "customer")) == 1
        assert len(town.store.messages("Sent", "support")) == 1


def test_an_imap_server_that_dies_in_the_middle_loses_and_doubles_nothing(
    town: Town, opened: Opened, running: Running
) -> None:
    for n in range(30):
        town.post(letter(n, text=f"Line of number {n}.\n" * 2_000))
    town.store.wait_for(30, "INBOX", "support")
    with Line(town.store.port) as line:
        live = desk_in(town, opened, imap_port=line.port)
        line.cut_after(500_000, then=town.store.halt)
        engine = running(live)
        wait_until(lambda: line.cuts == 1)
        wait_until(lambda: not engine.states()[0].ok)
        town.store.resume()

        wait_until(lambda: live.count("message") == 30, 40)
        wait_until(lambda: engine.states()[0].ok, 40)
        town.post(letter(30))
        wait_until(lambda: live.count("message") == 31)
    assert live.column("SELECT DISTINCT outcome FROM arrival") == ["created"]
    assert len(set(live.column("SELECT message_id FROM message"))) == 31
