"""What a report about a sent mail does: told on the mail, on its ticket, and at the address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from channels.email.inbound import read_mail
from tests.live.desks import ADDRESS, CUSTOMER, LiveDesk, Opened, letter
from tests.servers.smtp import SmtpSink
from workflow import actions as a
from workflow.clock import ManualClock
from workflow.drafts import DraftOptions
from workflow.inbound import Source
from workflow.model import Actor
from workflow.outbox import claim, mark_sent
from workflow.proposal import propose
from workflow.receive import Received
from workflow.store.rows import IdentityDetail, MessageDetail, TicketDetail

ANA = Actor.agent("ana")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
REPORT = """From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: {desk}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <report-{n}@mx.example.org>
Date: Mon, 23 Nov 2026 09:00:{n:02} +0000
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: text/rfc822-headers

Message-ID: {original}
Subject: Re: Question 1

--b--
"""
COMPLAINT = """From: feedback@provider.example
To: {desk}
Subject: FW: Re: Question 1
Message-ID: <complaint@provider.example>
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b

This is a complaint.

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1
User-Agent: Provider/1.0
Original-Rcpt-To: {recipient}

--b
Content-Type: message/rfc822

Message-ID: {original}
Subject: Re: Question 1

x
--b--
"""


class Story:
    """A desk on which one question was answered."""

    def __init__(
        self, live: LiveDesk, *, to: tuple[str, ...] | None = None, send: bool = True
    ) -> None:
        self.live = live
        self.take(letter(1, clock=live.desk.clock))
        answer = a.Reply(1, "Here you are.", to=to, cc=("boss@example.org",))
        live.desk.perform(answer, ANA, "test")
        if send:
            assert live.engine().run_once().sent == 1
        self.numbers = iter(range(1, 60))

    def take(self, raw: bytes) -> Received:
        live = self.live
        item = read_mail(
            raw,
            files=live.files,
            channel=live.settings.channels[0],
            settings=live.settings,
            source=Source("support"),
            now=live.desk.clock.now(),
        )
        return live.desk.receive([item])[0]

    def report(
        self,
        action: str = "failed",
        status: str = "5.1.1",
        said: str = "550 5.1.1 no such user",
        recipient: str = CUSTOMER,
        original: str | None = None,
    ) -> Received:
        text = REPORT.format(
            n=next(self.numbers),
            desk=ADDRESS,
            action=action,
            status=status,
            said=said,
            recipient=recipient,
            original=original or self.sent.message_id,
        )
        return self.take(text.encode())

    @property
    def ticket(self) -> TicketDetail:
        found = self.live.reads.ticket(1)
        assert found is not None
        return found

    @property
    def sent(self) -> MessageDetail:
        return next(m for m in self.ticket.messages if m.direction == "out")

    @property
    def address(self) -> IdentityDetail:
        return self.ticket.customer.identities[0]

    def outcomes(self) -> list[tuple[str, str]]:
        return [(one["recipient"], one["state"]) for one in self.sent.deliveries]

    def doubts(self) -> list[str]:
        ticket, settings = self.ticket, self.live.settings
        found = propose(ticket, settings, "ana", "reply", DraftOptions())
        return [one.sentence for one in found.doubts("Hello", 0, ticket, settings)]


@pytest.fixture
def story(opened: Opened, smtp_sink: SmtpSink) -> Callable[[], Story]:
    """Makes one, with an SMTP server and a clock that stands still."""
    return lambda: Story(opened(ManualClock(MONDAY), smtp_port=smtp_sink.port))


def test_a_bounce_is_told_on_the_mail_the_ticket_and_the_address(
    story: Callable[[], Story],
) -> None:
    told = story()
    clocks = told.ticket.clocks
    received = told.report()
    assert (received.outcome.value, received.ticket, received.matched_by) == (
        "appended",
        1,
        "reply-token",
    )
    assert told.sent.delivery == "bounced"
    assert told.outcomes() == [(CUSTOMER, "bounced")]
    assert told.ticket.tags == ("undelivered",)
    assert told.ticket.clocks == clocks
    assert told.address.undeliverable_code == "5.1.1"
    (item,) = told.live.reads.outbox(["bounced"])
    assert item.error == f"{CUSTOMER}: 5.1.1 userunknown"
    assert told.doubts() == [f"mail to {CUSTOMER} came back on 2026-11-23 (5.1.1 userunknown)"]
    names = [event.name for event in told.ticket.events]
    assert names.count("message.bounced") == names.count("identity.undeliverable") == 1

    # The same said again by another server is no news.
    told.report()
    assert [event.name for event in told.ticket.events].count("message.bounced") == 1


def test_who_writes_can_be_reached_again(story: Callable[[], Story]) -> None:
    told = story()
    told.report()
    told.take(letter(2, clock=told.live.desk.clock, In_Reply_To=told.sent.message_id or ""))
    assert told.address.undeliverable_at is None
    assert told.ticket.tags == ()
    assert told.doubts() == []
    assert told.outcomes() == [(CUSTOMER, "bounced")]


def test_a_copy_that_bounced_leaves_the_answer_sent(story: Callable[[], Story]) -> None:
    told = story()
    told.report(recipient="boss@example.org")
    assert told.sent.delivery == "sent"
    assert told.outcomes() == [("boss@example.org", "bounced")]
    assert told.address.undeliverable_at is None


def test_a_full_mailbox_marks_no_address_and_a_delay_is_no_bounce(
    story: Callable[[], Story],
) -> None:
    told = story()
    told.report("delayed", "4.4.1", "451 4.4.1 no answer yet")
    assert (told.sent.delivery, told.outcomes()) == ("sent", [(CUSTOMER, "delayed")])
    told.report("failed", "5.2.2", "552 5.2.2 mailbox full")
    assert (told.sent.delivery, told.outcomes()) == ("bounced", [(CUSTOMER, "bounced")])
    assert told.address.undeliverable_at is None
    told.report("delayed", "4.4.1", "451 4.4.1 no answer yet")
    assert told.outcomes() == [(CUSTOMER, "bounced")]


def test_a_delivery_is_told_and_takes_the_mark_off(story: Callable[[], Story]) -> None:
    told = story()
    told.report()
    told.report("delivered", "2.0.0", "250 ok")
    assert told.outcomes() == [(CUSTOMER, "delivered")]
    assert told.address.undeliverable_at is None


@pytest.mark.parametrize(
    "what",
    [{"original": "<nothing-of-ours@example.org>"}, {"recipient": "somebody@else.example"}],
)
def test_a_report_that_a_stranger_made_up_marks_nothing(
    story: Callable[[], Story], what: dict[str, str]
) -> None:
    told = story()
    told.report(**what)
    assert (told.sent.delivery, told.outcomes(), told.ticket.tags) == ("sent", [], ())
    assert told.address.undeliverable_at is None


def complaint(told: Story, kind: str) -> Received:
    text = COMPLAINT.format(
        desk=ADDRESS, recipient=CUSTOMER, original=told.sent.message_id, kind=kind
    )
    return told.take(text.encode())


def test_a_complaint_marks_the_address_and_warns(story: Callable[[], Story]) -> None:
    told = story()
    received = complaint(told, "abuse")
    assert (received.ticket, received.outcome.value) == (1, "appended")
    assert told.outcomes() == [(CUSTOMER, "complained")]
    assert told.sent.delivery == "sent"
    assert told.address.undeliverable_at is None
    assert told.doubts() == [f"{CUSTOMER} called a mail of ours spam on 2026-11-23"]

    told.report()
    assert told.outcomes() == [(CUSTOMER, "complained"), (CUSTOMER, "bounced")]


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_feedback_that_is_no_complaint_marks_nothing(story: Callable[[], Story], kind: str) -> None:
    told = story()
    assert complaint(told, kind).ticket == 1
    assert told.outcomes() == []
    assert told.address.complained_at is None


def test_a_mail_to_several_has_bounced_when_it_reached_none_of_them(
    opened: Opened, smtp_sink: SmtpSink
) -> None:
    told = Story(
        opened(ManualClock(MONDAY), smtp_port=smtp_sink.port), to=(CUSTOMER, "b@example.org")
    )
    told.report(recipient="b@example.org")
    assert (told.sent.delivery, told.ticket.tags) == ("sent", ("undelivered",))
    told.report()
    assert told.sent.delivery == "bounced"
    (item,) = told.live.reads.outbox(["bounced"])
    assert item.error == f"b@example.org: 5.1.1 userunknown; {CUSTOMER}: 5.1.1 userunknown"


def test_a_report_that_is_quicker_than_the_server_counts(
    opened: Opened, smtp_sink: SmtpSink
) -> None:
    live = opened(ManualClock(MONDAY), smtp_port=smtp_sink.port)
    told = Story(live, send=False)
    (item,) = claim(live.desk, "test", ["support"])
    told.report()
    assert told.sent.delivery == "sending"
    mark_sent(live.desk, item.id, "250 taken")
    assert told.sent.delivery == "bounced"
    assert [row.state for row in live.reads.outbox(["bounced", "sent"])] == ["bounced"]
