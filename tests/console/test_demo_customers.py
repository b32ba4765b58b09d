"""The demo's customers: what they write is good mail, and they answer what they are sent."""

from __future__ import annotations

import email
import email.policy
import smtplib
import threading
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from imapclient import IMAPClient

from console.demo.customers import DESK_ADDRESS, Arrival, Customers, Pace
from console.demo.letters import Letter, compose
from console.demo.quoting import Quoted, answer_subject
from console.demo.script import CLIENTS, Person, read_script
from console.demo.servers import HOST, LoopbackMail
from workflow.clock import ManualClock

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class Mailroom:
    """Customers with what they posted, driven by hand."""

    def __init__(self, seed: int = 7) -> None:
        self.clock = ManualClock(NOW)
        self.posted: list[Arrival] = []
        self.customers = Customers(self.clock, self.posted.append, seed=seed)
        self.backlog = self.customers.backlog()

    def mail_about(self, words: str) -> Arrival:
        return next(arrival for arrival in self.backlog if words in arrival.subject)

    def reply(self, to: Arrival, text: str, **headers: str) -> EmailMessage:
        """Answer as the desk would, and hand it to the customers."""
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"] = f"Ana at Moss & Meter <{DESK_ADDRESS}>"
        mail["To"] = to.author
        mail["Subject"] = f"Re: {to.subject}" if to.subject.isprintable() else "Re: your mail"
        mail["Message-ID"] = f"<reply-{len(self.posted)}@mossandmeter.example>"
        mail["In-Reply-To"] = mail["References"] = to.message_id
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.customers.receive(DESK_ADDRESS, (to.author,), mail.as_bytes())
        return mail


@pytest.fixture
def room() -> Mailroom:
    return Mailroom()


def parsed(arrival: Arrival) -> EmailMessage:
    return email.message_from_bytes(arrival.raw, policy=email.policy.default)


def plain(arrival: Arrival) -> str:
    body = parsed(arrival).get_body(preferencelist=("plain",))
    assert body is not None
    return str(body.get_content())


def assert_sound(arrival: Arrival) -> None:
    mail = parsed(arrival)
    assert [part.defects for part in mail.walk() if part.defects] == []
    assert [name for name, value in mail.items() if getattr(value, "defects", None)] == []
    assert mail["Message-ID"] == arrival.message_id
    assert mail["Subject"] == arrival.subject
    sent = parsedate_to_datetime(mail["Date"])
    received = parsedate_to_datetime(mail["Received"].rpartition(";")[2].strip())
    assert sent <= received <= arrival.arrived
    assert arrival.raw.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(len(line) for line in arrival.raw.split(b"\r\n")) <= 998


def test_the_morning_is_full_varied_and_sound(room: Mailroom) -> None:
    assert 38 <= len(room.backlog) <= 48
    for arrival in room.backlog:
        assert_sound(arrival)
        assert arrival.arrived < NOW
    assert len({arrival.message_id for arrival in room.backlog}) == len(room.backlog)
    assert [a.arrived for a in room.backlog] == sorted(a.arrived for a in room.backlog)
    mails = [parsed(arrival) for arrival in room.backlog]
    kinds = {part.get_content_type() for mail in mails for part in mail.walk()}
    assert {"text/html", "image/png", "application/pdf"} <= kinds
    languages = {str(mail["Content-Language"]) for mail in mails if mail["Content-Language"]}
    assert languages == {"de", "fr", "es", "ja"}
    assert [mail["Auto-Submitted"] for mail in mails if mail["Auto-Submitted"]] == ["auto-replied"]
    assert min(NOW - arrival.arrived for arrival in room.backlog) < timedelta(hours=1)
    assert max(NOW - arrival.arrived for arrival in room.backlog) > timedelta(days=3)


def test_no_brace_of_a_story_is_left_open(room: Mailroom) -> None:
    for _ in range(80):
        room.clock.advance(30)
        room.customers.step()
    for arrival in (*room.backlog, *room.posted):
        text = f"{arrival.subject} {plain(arrival)}"
        assert "{" not in text.replace("{{ drop }}", "")
        assert_sound(arrival)


def test_the_hostile_name_is_hostile_and_still_a_valid_header(room: Mailroom) -> None:
    hostile = room.mail_about("refuses my son's name")
    assert "\x1b]0;Robert\x07" in parsed(hostile)["Subject"]
    head = hostile.raw.partition(b"\r\n\r\n")[0]
    assert b"\x1b" not in head
    assert max(len(line) for line in head.split(b"\r\n")) <= 200
    assert "\x1b[31m" in plain(hostile)
    assert "\u202e" in plain(hostile)


def test_the_same_seed_gives_the_same_mails() -> None:
    one, two, other = Mailroom(), Mailroom(), Mailroom(seed=8)
    for room in (one, two, other):
        for _ in range(25):
            room.customers.step()
    assert [a.raw for a in one.backlog] == [a.raw for a in two.backlog]
    assert [a.subject for a in one.posted] == [a.subject for a in two.posted]
    assert [a.subject for a in one.posted] != [a.subject for a in other.posted]


def test_live_mail_is_new_matters_and_lost_patience(room: Mailroom) -> None:
    for _ in range(40):
        room.clock.advance(10)
        room.customers.step()
    kinds = [arrival.kind for arrival in room.posted]
    assert kinds[0] == "new"
    assert kinds.count("new") >= 15
    assert kinds.count("follow-up") >= 8
    loud = [a for a in room.posted if a.kind == "follow-up" and plain(a)[:20].isupper()]
    assert loud
    known = {arrival.message_id for arrival in room.backlog}
    for arrival in room.posted:
        if arrival.kind == "follow-up":
            assert parsed(arrival)["In-Reply-To"] in known
        known.add(arrival.message_id)


def test_a_good_answer_is_thanked_for_in_the_thread(room: Mailroom) -> None:
    first = room.mail_about("Charged twice")
    sent = room.reply(first, "Hello Marta,\n\nthe refund is on its way.\n\nAna")
    answer = room.customers.step()
    mail = parsed(answer)
    assert mail["In-Reply-To"] == sent["Message-ID"]
    assert mail["References"].split() == [first.message_id, sent["Message-ID"]]
    assert mail["From"].addresses[0].addr_spec == first.author
    assert mail["To"] == f"Ana at Moss & Meter <{DESK_ADDRESS}>" or DESK_ADDRESS in mail["To"]
    assert plain(answer).startswith("Perfect, thank you!")
    assert "> the refund is on its way." in plain(answer)
    assert "gmail_quote" in answer.raw.decode()
    assert_sound(answer)
    room.reply(answer, "You are welcome.")
    assert room.customers.writing == 0


def test_an_evasive_answer_is_asked_about_until_it_helps(room: Mailroom) -> None:
    loud = room.mail_about("REFUND. THIRD REQUEST.")
    room.reply(loud, "Dear Mr Pym, we value your patience.")
    answer = room.customers.step()
    assert "HUNDRED AND EIGHTEEN POUNDS" in plain(answer)
    assert parsed(answer)["Subject"] == "RE: REFUND. THIRD REQUEST."
    room.reply(answer, "Dear Mr Pym, 118 pounds left for your bank today.")
    assert plain(room.customers.step()).startswith("Right.")


def test_the_quoted_history_does_not_please_anybody(room: Mailroom) -> None:
    loud = room.mail_about("REFUND. THIRD REQUEST.")
    room.reply(loud, "We will see.\n\nOn Mon, Mar 2, 2026 Gordon wrote:\n> 118 refund bank sorry\n")
    assert "HUNDRED AND EIGHTEEN" in plain(room.customers.step())


def test_the_answer_goes_to_reply_to(room: Mailroom) -> None:
    first = room.mail_about("Charged twice")
    room.reply(first, "refunded", Reply_To="support+t42@mossandmeter.example")
    assert parsed(room.customers.step())["To"] == "support+t42@mossandmeter.example"


def test_robots_are_not_answered(room: Mailroom) -> None:
    first = room.mail_about("Charged twice")
    room.reply(first, "We have received your mail.", Auto_Submitted="auto-replied")
    assert room.customers.writing == 0


def test_who_is_away_says_so_once(room: Mailroom) -> None:
    first = room.mail_about("PO number missing")
    sent = room.reply(first, "Which number?")
    away = room.customers.step()
    assert away.kind == "automatic"
    assert parsed(away)["Auto-Submitted"] == "auto-replied"
    assert parsed(away)["In-Reply-To"] == sent["Message-ID"]
    assert parsed(away)["Return-Path"] == "<>"
    room.reply(first, "The invoice is attached.")
    assert room.customers.step().kind == "answer"


@pytest.mark.parametrize(
    ("to", "status"),
    [("otto.reiss@volles-postfach.example", "5.2.2"), ("nobody@nowhere.example", "5.1.1")],
)
def test_what_cannot_be_delivered_comes_back(room: Mailroom, to: str, status: str) -> None:
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = DESK_ADDRESS, to, "Your parcel"
    mail["Message-ID"] = "<lost@mossandmeter.example>"
    mail.set_content("Hello")
    room.customers.receive(DESK_ADDRESS, (to,), mail.as_bytes())
    back = room.customers.step()
    assert back.kind == "bounce"
    report = email.message_from_bytes(back.raw, policy=email.policy.default)
    assert [part.defects for part in report.walk() if part.defects] == []
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    status_part = next(
        p for p in report.walk() if p.get_content_type() == "message/delivery-status"
    )
    fields = {name: value for block in status_part.iter_parts() for name, value in block.items()}
    assert fields["Status"] == status
    assert fields["Action"] == "failed"
    assert fields["Final-Recipient"] == f"rfc822; {to}"
    assert b"Message-ID: <lost@mossandmeter.example>" in back.raw
    # A notification about a notification would never end.
    room.customers.receive("", (to,), back.raw)
    assert room.customers.writing == 0


def test_mail_to_a_colleague_does_not_come_back(room: Mailroom) -> None:
    room.customers.receive(
        DESK_ADDRESS, ("chloe@mossandmeter.example",), b"Subject: x\r\n\r\nx\r\n"
    )
    assert room.customers.writing == 0


def test_a_mail_without_sense_is_swallowed(room: Mailroom) -> None:
    room.customers.receive(DESK_ADDRESS, ("tom@okafor.example",), b"\xff\x00\r\n: :\r\n\r\n\xfe")
    assert room.customers.step().author == "tom@okafor.example"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja"])
def test_every_program_quotes_in_every_language(client: str, language: str) -> None:
    person = Person("k", "Kim", "kim@c.example", client=client, language=language)
    quoted = Quoted(
        "Ana", DESK_ADDRESS, NOW, "First line\n\n<b>second</b>", "Matter", "kim@c.example"
    )
    letter = Letter("Re: Matter", "My answer", NOW, "<1@c.example>", ("<0@d.example>",), quoted)
    arrival = Arrival(
        compose(person, DESK_ADDRESS, letter),
        NOW + timedelta(3),
        "answer",
        "",
        "Re: Matter",
        "<1@c.example>",
    )
    assert_sound(arrival)
    text = plain(arrival)
    assert "My answer" in text
    assert "First line" in text
    if client == "thunderbird":
        assert text.index("> First line") < text.index("My answer")
    else:
        assert text.index("My answer") < text.index("First line")
    html = parsed(arrival).get_body(preferencelist=("html",))
    if html is not None:
        assert "<b>second</b>" not in html.get_content()


def test_subjects_gather_no_prefixes() -> None:
    person = Person("k", "Kim", "kim@c.example", client="outlook", language="de")
    assert answer_subject(person, "Re: AW: RE: Matter") == "AW: Matter"


def test_every_story_can_end() -> None:
    script = read_script()
    for story in (*script.backlog, *script.live, *script.walk_ins):
        assert story.glad or story.automatic, story.subject
        assert story.sour or not story.wants or story.automatic, story.subject
    assert len(script.people) >= 14


def test_alone_they_write_and_stop_at_once() -> None:
    before = set(threading.enumerate())
    came = threading.Semaphore(0)
    customers = Customers(
        ManualClock(NOW),
        lambda _: came.release(),
        pace=Pace(first_s=0.01, quickest_s=0.01, slowest_s=0.02, answer_s=(0.01, 0.02)),
    )
    customers.backlog()
    customers.start()
    for _ in range(5):
        assert came.acquire(timeout=5)
    began = time.monotonic()
    customers.stop()
    assert time.monotonic() - began < 1
    assert set(threading.enumerate()) == before


def test_over_real_servers_an_answer_comes_back_in_the_thread() -> None:
    clock = ManualClock(NOW)
    cast: list[Customers] = []
    servers = LoopbackMail(
        clock, {"support": [DESK_ADDRESS]}, on_mail=lambda *given: cast[0].receive(*given)
    )
    with servers:
        customers = Customers(
            clock,
            lambda a: servers.deliver("support", a.raw, a.arrived),
            pace=Pace(first_s=600, answer_s=(0.05, 0.1)),
        )
        cast.append(customers)
        backlog = customers.backlog()
        began = time.monotonic()
        for arrival in backlog:
            servers.deliver("support", arrival.raw, arrival.arrived)
        assert time.monotonic() - began < 1
        customers.start()
        try:
            with IMAPClient(HOST, port=servers.imap_port, ssl=False, timeout=10) as client:
                client.login("support", servers.password)
                client.select_folder("INBOX")
                stored = client.fetch(client.search(), ["BODY.PEEK[]"]).values()
                assert sorted(s[b"BODY[]"] for s in stored) == sorted(a.raw for a in backlog)
                client.idle()
                first = next(a for a in backlog if "Charged twice" in a.subject)
                mail = EmailMessage(policy=email.policy.SMTP)
                mail["From"], mail["To"] = DESK_ADDRESS, first.author
                mail["Subject"], mail["Message-ID"] = "Re: it", "<out-1@mossandmeter.example>"
                mail["In-Reply-To"] = first.message_id
                mail.set_content("We have sent you a refund.")
                with smtplib.SMTP(HOST, servers.smtp_port, timeout=10) as smtp:
                    smtp.login("support", servers.password)
                    smtp.send_message(mail)
                told = client.idle_check(timeout=10)
                assert (len(backlog) + 1, b"EXISTS") in told
                client.idle_done()
                uid = max(client.search())
                raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
                answer = email.message_from_bytes(raw, policy=email.policy.default)
                assert answer["In-Reply-To"] == "<out-1@mossandmeter.example>"
        finally:
            customers.stop()
