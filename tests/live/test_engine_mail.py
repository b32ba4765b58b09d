"""Mail in and mail out, by the engine against Dovecot and a real SMTP server."""

from __future__ import annotations

import email
import email.policy

from tests.live.desks import ADDRESS, CUSTOMER, Opened, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay
from workflow import actions as a
from workflow.model import Actor

ANA = Actor.agent("ana")


def unseen(dovecot: Dovecot, folder: str = "INBOX") -> int:
    with dovecot.session(folder=folder) as session:
        return len(session.search(None, "UNSEEN")[1][0].split())


def test_one_pass_takes_all_in_and_a_second_nothing(dovecot: Dovecot, opened: Opened) -> None:
    live = opened(imap_port=dovecot.port)
    mails = [letter(n) for n in range(30)]
    dovecot.deliver_all([*mails, mails[7]])

    done = live.engine().run_once()

    assert (done.received, done.created, done.duplicate, done.held) == (31, 30, 1, 0)
    assert [(one.name, one.ok, one.error) for one in done.accounts] == [("support", True, None)]
    assert live.count("arrival") == 31
    assert live.engine().run_once().received == 0
    assert unseen(dovecot) == 31


def test_mail_that_comes_while_the_engine_runs_is_there_once(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    live = opened(imap_port=dovecot.port)
    engine = running(live)
    wait_until(lambda: engine.states()[0].words == "waiting for mail")
    for n in range(200):
        dovecot.deliver(letter(n))
    wait_until(lambda: live.count("ticket") >= 200)

    assert live.count("message") == 200
    assert len(set(live.column("SELECT message_id FROM message"))) == 200
    assert live.column("SELECT DISTINCT outcome FROM arrival") == ["created"]
    assert unseen(dovecot) == 200


def test_an_answer_goes_out_once_is_copied_once_and_its_answer_comes_back(
    dovecot: Dovecot, opened: Opened, running: Running
) -> None:
    boxes = {ADDRESS: "support", CUSTOMER: "customer"}
    with Relay(dovecot, boxes) as relay:
        live = opened(imap_port=dovecot.port, smtp_port=relay.port)
        dovecot.deliver(letter(1, text="Where is it?\n"))
        engine = running(live)
        wait_until(lambda: live.count("ticket") == 1)

        live.desk.perform(a.Reply(1, "It is on its way."), ANA, "test")
        (got,) = dovecot.wait_for(1, user="customer")
        wait_until(lambda: live.count("outbox", "copied_at IS NOT NULL") == 1)

        mail = email.message_from_bytes(got, policy=email.policy.default)
        assert mail["In-Reply-To"] == "<question-1@example.org>"
        assert mail["From"] == f"Support <{ADDRESS}>"
        assert "> Where is it?" in mail.get_content()
        answer = letter(2, In_Reply_To=mail["Message-ID"])
        dovecot.deliver(answer)
        wait_until(lambda: live.count("message") == 3)

    detail = live.reads.ticket(1)
    assert detail is not None
    # By number: INTERNALDATE knows whole seconds only, so an answer at once seems to come before.
    messages = sorted(detail.messages, key=lambda message: message.id)
    assert [(m.direction, m.matched_by, m.delivery) for m in messages] == [
        ("in", "new", None),
        ("out", "", "sent"),
        ("in", "reply-token", None),
    ]
    assert len(relay.messages) == 1
    assert len(dovecot.messages("Sent")) == 1
    assert dovecot.messages("Sent")[0] == live.files.read(messages[1].raw_sha256 or "")
    assert engine.states()[0].ok
