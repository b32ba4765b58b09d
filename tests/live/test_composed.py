"""What was composed, as a server gets it: envelope, headers, both forms, files, threads."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from tests.live.desks import ADDRESS, CUSTOMER, LiveDesk, Opened, letter
from tests.servers.smtp import SmtpSink
from workflow import actions as a
from workflow.clock import ManualClock
from workflow.inbound import Source
from workflow.model import Actor

ANA = Actor.agent("ana")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
MORE = (
    'aliases = ["help@example.com"]\n'
    'signature = """\n{{ agent }}, **Example** Support\n{{ address }}\n"""\n'
)
FORWARDED = "parts@supplier.example"


@pytest.fixture
def live(opened: Opened, smtp_sink: SmtpSink) -> LiveDesk:
    """A desk with an alias and a signature, and one ticket that came to the alias."""
    clock = ManualClock(MONDAY)
    found = opened(clock, smtp_port=smtp_sink.port, more=MORE)
    question = letter(1, clock=clock, Cc="Bob <bob@agency.example>, support@example.com")
    take_in(found, question.replace(f"To: {ADDRESS}".encode(), b"To: Help <HELP@example.com>"))
    return found


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


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def test_an_answer_with_everything(live: LiveDesk, smtp_sink: SmtpSink) -> None:
    names = ("Rechnung März №5.pdf", "請求書.txt")
    files = tuple((name, "application/pdf", live.files.put(name.encode()), 9) for name in names)
    live.desk.perform(
        a.Reply(
            1,
            "Grüße, **Joe**!\n\n- eins\n- zwei\n",
            reply_all=True,
            bcc=("Chief <chief@example.org>",),
            attachments=files,
        ),
        ANA,
        "test",
    )
    assert live.engine().run_once().sent == 1
    (got,) = smtp_sink.messages
    # From is the alias that was written to, and the blind copy is in the envelope only.
    assert got.mail_from == "help@example.com"
    assert got.rcpt_tos == (CUSTOMER, "bob@agency.example", "chief@example.org")
    assert b"chief" not in got.content
    mail = parsed(got.content)
    assert mail["From"].addresses[0].addr_spec == "help@example.com"
    assert mail["To"] == f"Customer <{CUSTOMER}>"
    assert mail["Cc"] == "Bob <bob@agency.example>"
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Re: Question 1", "<question-1@example.org>")
    assert mail["References"] == "<question-1@example.org>"
    assert mail.get_content_type() == "multipart/mixed"
    both, *attached = mail.iter_parts()
    assert both.get_content_type() == "multipart/alternative"
    plain, html = both.iter_parts()
    text = plain.get_content().replace("\r\n", "\n")
    assert text.startswith(
        "Grüße, **Joe**!\n\n- eins\n- zwei\n\n-- \nana, **Example** Support\nhelp@example.com\n\nOn 2026"
    )
    assert "<strong>Joe</strong>" in html.get_content()
    assert "<strong>Example</strong>" in html.get_content()
    assert "<blockquote" in html.get_content()
    assert [part.get_filename() for part in attached] == list(names)
    assert [part.get_content() for part in attached] == [name.encode() for name in names]
    assert b"filename*=utf-8''Rechnung%20M%C3%A4rz%20%E2%84%965.pdf" in got.content


def test_a_forward_and_what_comes_back(live: LiveDesk, smtp_sink: SmtpSink) -> None:
    live.desk.perform(a.Forward(1, (FORWARDED,), "Can you help?"), ANA, "test")
    assert live.engine().run_once().sent == 1
    (got,) = smtp_sink.messages
    assert (got.mail_from, got.rcpt_tos) == ("help@example.com", (FORWARDED,))
    mail = parsed(got.content)
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Fwd: Question 1", None)
    take_in(
        live,
        letter(2, sender=FORWARDED, clock=live.desk.clock, In_Reply_To=mail["Message-ID"]),
    )
    detail = live.reads.ticket(1)
    assert detail is not None
    assert [(m.direction, m.aside) for m in detail.messages] == [
        ("in", False),
        ("out", True),
        ("in", True),
    ]
    live.desk.perform(a.Reply(1, "It works like this."), ANA, "test")
    live.engine().run_once()
    answer = smtp_sink.messages[-1]
    assert answer.rcpt_tos == (CUSTOMER,)
    assert FORWARDED.encode() not in answer.content
    assert b"Can you help" not in answer.content


def test_send_later_leaves_unless_the_customer_writes(live: LiveDesk, smtp_sink: SmtpSink) -> None:
    clock = live.desk.clock
    assert isinstance(clock, ManualClock)
    at = clock.now() + timedelta(hours=1)
    for text in ("first", "second"):
        live.desk.perform(a.Reply(1, text, send_at=at, unless_reply=text == "second"), ANA, "test")
    assert live.engine().run_once().sent == 0
    take_in(live, letter(2, clock=clock, In_Reply_To="<question-1@example.org>"))
    clock.advance(3600)
    assert live.engine().run_once().sent == 1
    assert b"first" in smtp_sink.messages[0].content
