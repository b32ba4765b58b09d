"""Mail out, against a server that misbehaves at every stage: once, or a person is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.live.desks import ADDRESS, CUSTOMER, LiveDesk, Opened, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Act, SmtpSink, drop, refuse, slow
from workflow import actions as a
from workflow.clock import ManualClock
from workflow.errors import Refusal
from workflow.inbound import Source
from workflow.model import Actor
from workflow.store.rows import OutboxRow

ANA = Actor.agent("ana")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALL = ["held", "scheduled", "queued", "sending", "sent", "failed", "bounced", "cancelled"]


def take_in(live: LiveDesk, raw: bytes) -> None:
    """A customer's mail, without a mail server."""
    from channels.email.inbound import read_mail

    item = read_mail(
        raw,
        files=live.files,
        channel=live.settings.channels[0],
        settings=live.settings,
        source=Source("support"),
        now=live.desk.clock.now(),
    )
    live.desk.receive([item])


@pytest.fixture
def desk(opened: Opened, smtp_sink: SmtpSink) -> Callable[[], LiveDesk]:
    """A desk with one ticket, an SMTP server and a clock that stands still."""

    def make() -> LiveDesk:
        clock = ManualClock(MONDAY)
        live = opened(clock, smtp_port=smtp_sink.port)
        take_in(live, letter(1, clock=clock))
        return live

    return make


def reply(live: LiveDesk, text: str = "Here you are.", **more: object) -> int:
    outcome = live.desk.perform(a.Reply(1, text, **more), ANA, "test")  # type: ignore[arg-type]
    assert outcome.outbox_id is not None
    return outcome.outbox_id


def item(live: LiveDesk, number: int) -> OutboxRow:
    return next(row for row in live.reads.outbox(ALL) if row.id == number)


def later(live: LiveDesk, seconds: float) -> None:
    assert isinstance(live.desk.clock, ManualClock)
    live.desk.clock.advance(seconds)


def test_a_pass_sends_what_is_due_at_its_time_and_stops_the_clock(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live, undo_window_s=60)
    assert live.engine().run_once().sent == 0
    later(live, 60)
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (1, 0)
    assert live.engine().run_once().sent == 0

    (got,) = smtp_sink.messages
    assert (got.mail_from, got.rcpt_tos) == (ADDRESS, (CUSTOMER,))
    assert item(live, number).state == "sent"
    detail = live.reads.ticket(1)
    assert detail is not None
    assert detail.messages[1].delivery == "sent"
    assert {clock.metric: clock.state for clock in detail.clocks}["first_response"] == "met"
    assert got.content.rstrip() == live.files.read(detail.messages[1].raw_sha256 or "").rstrip()


def test_lines_that_begin_with_a_dot_arrive_as_they_were(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    reply(live, ".\n..\n.hidden\nend")
    live.engine().run_once()
    body = smtp_sink.messages[0].content.partition(b"\r\n\r\n")[2]
    assert body.startswith(b".\r\n..\r\n.hidden\r\nend\r\n")


@pytest.mark.parametrize(
    "act",
    [
        refuse("450 4.2.0 greylisted", "mail"),
        refuse("451 4.3.0 later", "rcpt"),
        refuse("452 4.3.1 no room", "data"),
        refuse("451 4.3.0 busy", "dot"),
        refuse("421 4.3.2 closing", "mail"),
        drop("mail"),
        drop("rcpt"),
        drop("data"),
        drop("connect"),
    ],
    ids=str,
)
def test_a_fault_that_passes_is_tried_again_and_sends_once(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink, act: Act
) -> None:
    live = desk()
    number = reply(live)
    smtp_sink.script(act)

    done = live.engine().run_once()

    assert (done.sent, done.failed) == (0, 0)
    row = item(live, number)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.error
    assert smtp_sink.messages == []
    assert live.engine().run_once().sent == 0
    later(live, 31)
    assert live.engine().run_once().sent == 1
    assert len(smtp_sink.messages) == 1
    assert (item(live, number).state, item(live, number).error) == ("sent", None)


def test_a_connection_cut_in_the_middle_of_the_text_never_sends_twice(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live, "A line of text.\n" * 200_000)
    smtp_sink.script(drop("body"))
    live.engine().run_once()
    # It is more than fits on the way, so the cut is known before the dot.
    assert item(live, number).state == "queued"
    later(live, 31)
    assert live.engine().run_once().sent == 1
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_fault_that_stays_fails_with_the_words_of_the_server(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink, stage: str
) -> None:
    live = desk()
    number = reply(live)
    smtp_sink.script(refuse("550 5.7.1 we do not like you", stage))

    done = live.engine().run_once()

    assert (done.sent, done.failed) == (0, 1)
    row = item(live, number)
    assert row.state == "failed"
    assert "550 5.7.1 we do not like you" in (row.error or "")
    later(live, 86_400)
    assert live.engine().run_once().sent == 0
    live.desk.perform(a.RetrySend(number), ANA, "test")
    assert live.engine().run_once().sent == 1


@pytest.mark.parametrize("keep", [True, False])
def test_a_connection_cut_after_the_dot_is_left_to_a_person(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink, keep: bool
) -> None:
    live = desk()
    number = reply(live)
    smtp_sink.script(drop("dot", keep=keep))

    done = live.engine().run_once()

    assert (done.sent, done.failed) == (0, 1)
    row = item(live, number)
    assert row.state == "failed"
    assert "may have been sent" in (row.error or "")
    later(live, 86_400)
    live.engine().run_once()
    assert len(smtp_sink.messages) == int(keep)


def test_a_connection_cut_at_the_end_changes_nothing(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live)
    smtp_sink.script(drop("quit"))
    assert live.engine().run_once().sent == 1
    assert item(live, number).state == "sent"


def test_the_others_get_it_when_one_recipient_is_refused(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live, cc=("gone@example.org",), bcc=("boss@example.com",))
    smtp_sink.script(refuse("550 5.1.1 nobody", "rcpt"), recipient="gone@example.org", always=True)

    assert live.engine().run_once().sent == 1

    assert smtp_sink.messages[0].rcpt_tos == (CUSTOMER, "boss@example.com")
    assert b"boss@" not in smtp_sink.messages[0].content
    row = item(live, number)
    assert row.state == "sent"
    assert "refused gone@example.org (550 5.1.1 nobody)" in (row.error or "")


def test_a_recipient_refused_for_now_holds_the_mail_back_for_a_while(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live, cc=("slow@example.org",))
    smtp_sink.script(refuse("450 4.2.0 later", "rcpt"), recipient="slow@example.org", always=True)
    for _ in range(5):
        assert live.engine().run_once().sent == 0
        later(live, 3600)
    assert live.engine().run_once().sent == 1
    assert "slow@example.org" in (item(live, number).error or "")
    assert len(smtp_sink.messages) == 1


def test_a_server_that_is_down_names_the_account_and_the_mail_waits(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    number = reply(live)
    smtp_sink.stop()
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (0, 0)
    assert not done.accounts[0].ok
    assert "refuses connections" in (done.accounts[0].error or "")
    assert item(live, number).state == "queued"
    smtp_sink.resume()
    later(live, 31)
    done = live.engine().run_once()
    assert (done.sent, done.accounts[0].ok) == (1, True)


def test_many_answers_go_over_one_connection(
    desk: Callable[[], LiveDesk], smtp_sink: SmtpSink
) -> None:
    live = desk()
    for n in range(12):
        reply(live, f"Answer {n}")
    smtp_sink.script(refuse("550 5.1.1 not this one", "rcpt"))
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (11, 1)
    assert smtp_sink.connections == 1
    assert len({got.content for got in smtp_sink.messages}) == 11


def test_what_is_on_its_way_cannot_be_taken_back_and_stopping_settles_it(
    opened: Opened, smtp_sink: SmtpSink, running: Running
) -> None:
    live = opened(smtp_port=smtp_sink.port)
    take_in(live, letter(1))
    smtp_sink.script(slow(60, "dot"))
    engine = running(live)
    number = reply(live)
    reply(live, "And this.")
    wait_until(lambda: live.count("outbox", "past_the_dot") == 1)
    with pytest.raises(Refusal, match="sending"):
        live.desk.perform(a.CancelSend(number), ANA, "test")

    engine.stop(timeout=2)

    assert item(live, number).state == "failed"
    assert "may have been sent" in (item(live, number).error or "")
    assert [row.state for row in live.reads.outbox(ALL)] == ["failed", "queued"]
    assert live.count("lease") == 0


def test_a_reply_leaves_within_a_second_whoever_queued_it(
    dovecot: Dovecot, opened: Opened, smtp_sink: SmtpSink, running: Running
) -> None:
    live = opened(imap_port=dovecot.port, smtp_port=smtp_sink.port)
    take_in(live, letter(1))
    running(live)
    wait_until(lambda: live.count("lease") == 2)
    reply(live)
    smtp_sink.wait_for(1, limit_s=3)
    # As another process does it: through a store of its own.
    other = LiveDesk.open(live.home)
    reply(other, "From elsewhere")
    other.close()
    smtp_sink.wait_for(2, limit_s=3)
    wait_until(lambda: live.count("outbox", "copied_at IS NOT NULL") == 2)
    assert len(dovecot.messages("Sent")) == 2
