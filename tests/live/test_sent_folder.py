"""Answers that were written in another mail program: read from the folder of sent mail, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from tests.live.desks import ADDRESS, CUSTOMER, Opened, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink
from workflow import actions as a
from workflow.clock import ManualClock
from workflow.model import Actor

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANA = Actor.agent("ana")


def answer(
    at: datetime, to_number: int | None = 1, sender: str = ADDRESS, number: int = 1
) -> bytes:
    """What a mail program files in the folder of sent mail."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = CUSTOMER
    mail["Subject"] = f"Re: Question {to_number}"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<phone-{number}@example.com>"
    if to_number is not None:
        mail["In-Reply-To"] = f"<question-{to_number}@example.org>"
    mail.set_content("Like this.\n")
    return mail.as_bytes()


def test_an_answer_from_another_program_stops_the_clock_and_comes_once(
    dovecot: Dovecot, opened: Opened
) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port)
    dovecot.deliver(letter(1, clock=clock), received=NOW)
    assert live.engine().run_once().created == 1
    at = NOW + timedelta(minutes=20)
    clock.advance(3600)
    # The phone filed it later than it sent it.
    dovecot.deliver(
        answer(at, sender="Ana <ana@example.com>"),
        "Sent",
        received=at + timedelta(minutes=9),
        flags="S",
    )
    done = live.engine().run_once()
    assert (done.received, done.appended) == (1, 1)
    assert live.engine().run_once().received == 0

    ticket = live.reads.ticket(1)
    assert ticket is not None
    question, reply = ticket.messages
    assert (question.direction, reply.direction) == ("in", "out")
    assert (reply.author, reply.at, reply.delivery, reply.matched_by) == (
        "ana",
        at,
        "sent",
        "in-reply-to",
    )
    assert ticket.status == "open"
    assert ticket.waiting_since is None
    states = {clock.metric: (clock.state, clock.ended_at) for clock in ticket.clocks}
    assert states["first_response"] == ("met", at)
    assert states["resolution"][0] == "running"

    dovecot.reset_uidvalidity("Sent")
    assert live.engine().run_once().received == 0
    assert live.count("arrival", "folder = 'Sent' AND outcome = 'duplicate'") == 1
    assert live.count("message") == 2


def test_our_own_copies_and_those_of_the_server_make_no_second_message(
    dovecot: Dovecot, smtp_sink: SmtpSink, opened: Opened
) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port, smtp_port=smtp_sink.port)
    dovecot.deliver(letter(1, clock=clock), received=NOW)
    live.engine().run_once()
    for text in ("One way.", "Another way."):
        live.desk.perform(a.Reply(1, text), ANA, "test")
    assert live.engine().run_once().sent == 2
    copies = dovecot.messages("Sent")
    assert len(copies) == 2
    # A server that files a copy of its own of what passes it.
    dovecot.deliver(smtp_sink.messages[0].content, "Sent")
    assert live.engine().run_once().received == 0
    assert live.count("arrival", "folder = 'Sent' AND outcome = 'duplicate'") == 3
    assert live.count("message") == 3


def test_questions_come_before_the_answers_that_wait_beside_them(
    dovecot: Dovecot, opened: Opened
) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port)
    for number in (1, 2, 3):
        dovecot.deliver(letter(number, clock=clock), received=NOW - timedelta(hours=number))
        dovecot.deliver(answer(NOW, number, number=number), "Sent", received=NOW)
    done = live.engine().run_once()
    assert (done.created, done.appended) == (3, 3)
    assert live.column("SELECT DISTINCT message_count FROM ticket") == [2]


def test_the_first_reading_of_an_old_mailbox_leaves_old_answers_where_they_are(
    dovecot: Dovecot, opened: Opened
) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port, more="since = 2026-11-20\n")
    for days in range(30, 40):
        at = NOW - timedelta(days=days)
        dovecot.deliver(answer(at, 700 + days, number=days), "Sent", received=at)
    dovecot.deliver(letter(1, clock=clock), received=NOW - timedelta(days=60))
    dovecot.deliver(answer(NOW - timedelta(hours=1), None, number=1), "Sent", received=NOW)
    done = live.engine().run_once()
    assert (done.received, done.created) == (2, 2)
    old, started = live.reads.tickets([1, 2])
    assert (old.subject, old.clocks) == ("Question 1", ())
    assert (started.status, started.customer.identities[0].value) == ("pending", CUSTOMER)
    assert live.engine().run_once().received == 0


def test_what_the_team_writes_to_itself_makes_no_ticket(dovecot: Dovecot, opened: Opened) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port)
    dovecot.deliver(letter(1, clock=clock), received=NOW)
    for number, to_number in ((1, None), (2, 1)):
        mail = answer(NOW, to_number, number=number).replace(CUSTOMER.encode(), b"Ana@example.com")
        dovecot.deliver(mail, "Sent", received=NOW)
    done = live.engine().run_once()
    assert (done.created, done.appended, done.held) == (1, 1, 0)
    assert live.column("SELECT cause || ': ' || state FROM held") == ["among ourselves: discarded"]
    assert live.count("arrival") == 3


def test_reading_answers_can_be_switched_off(dovecot: Dovecot, opened: Opened) -> None:
    clock = ManualClock(NOW)
    live = opened(clock, imap_port=dovecot.port, more="read_sent = false\n")
    dovecot.deliver(answer(NOW), "Sent", received=NOW)
    assert live.engine().run_once().received == 0


def test_a_running_engine_sees_the_answer(dovecot: Dovecot, opened: Opened) -> None:
    live = opened(imap_port=dovecot.port)
    dovecot.deliver(letter(1))
    engine = live.engine()
    engine.start()
    try:
        wait_until(lambda: live.count("message") == 1)
        dovecot.deliver(answer(live.desk.clock.now()), "Sent", flags="S")
        wait_until(lambda: live.count("message", "direction = 'out'") == 1)
        wait_until(lambda: engine.states()[0].words == "waiting for mail")
    finally:
        engine.stop()
