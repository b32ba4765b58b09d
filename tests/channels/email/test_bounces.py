"""Delivery reports: the form of RFC 3464, prose of many mail systems, complaints, and what is none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from channels.email.bounce_reasons import judge, stage_of
from channels.email.parse import ParsedMail, parse_mail

MAIL = Path(__file__).resolve().parents[4] / "shared" / "mail"

REPORT = b"""Return-Path: <>
From: MAILER-DAEMON@desk.example (Mail Delivery System)
To: support@desk.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"

--b/1
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered.

--b/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.desk.example

Final-Recipient: rfc822; ok@example.org
Action: relayed
Status: 2.0.0

Final-Recipient: rfc822; gone@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <gone@example.org>:
 user unknown

--b/1
Content-Type: %s

From: support@desk.example
Message-ID: <original.1@desk.example>
Subject: Hello

body
--b/1--
"""
CONTRACT = ("status", "smtp", "kind", "reason", "recipient", "original_message_id")


@pytest.mark.parametrize("kind", [b"message/rfc822", b"text/rfc822-headers"])
def test_a_report_has_each_recipient_and_the_first_that_failed(kind: bytes) -> None:
    mail = parse_mail(REPORT % kind)
    assert mail.automatic.is_report
    assert mail.bounce is not None
    assert {name: mail.bounce[name] for name in CONTRACT} == {
        "status": "5.1.1",
        "smtp": "550",
        "kind": "hard",
        "reason": "userunknown",
        "recipient": "gone@example.org",
        "original_message_id": "<original.1@desk.example>",
    }
    assert mail.bounce["original_subject"] == "Hello"
    assert [(r["recipient"], r["action"], r["kind"]) for r in mail.bounce["recipients"]] == [
        ("ok@example.org", "relayed", None),
        ("gone@example.org", "failed", "hard"),
    ]
    assert mail.bounce["diagnostic"] == "550 5.1.1 <gone@example.org>: user unknown"
    assert mail.full_text == "Your message could not be delivered."
    assert [file.name for file in mail.attachments] == (
        ["Hello.eml"] if kind == b"message/rfc822" else []
    )


def test_delays_are_soft_and_successes_no_bounce() -> None:
    delayed = REPORT.replace(b"Action: failed\nStatus: 5.1.1", b"Action: delayed\nStatus: 4.4.1")
    delayed = delayed.replace(b"Action: relayed\nStatus: 2.0.0", b"Action: delayed\nStatus: 4.4.1")
    bounce = parse_mail(delayed % b"message/rfc822").bounce
    assert bounce is not None
    assert (bounce["kind"], bounce["action"]) == ("soft", "delayed")
    fine = REPORT.replace(b"Action: failed\nStatus: 5.1.1", b"Action: delivered\nStatus: 2.1.5")
    mail = parse_mail(fine % b"message/rfc822")
    assert mail.bounce is None
    assert mail.notice is not None
    assert mail.notice["kind"] == "delivered"
    assert mail.notice["original_message_id"] == "<original.1@desk.example>"
    assert {r["recipient"] for r in mail.notice["recipients"]} == {
        "ok@example.org",
        "gone@example.org",
    }


def prose(sender: str, subject: str, body: str, *headers: str) -> ParsedMail:
    head = "\n".join(
        (f"From: {sender}", "To: support@desk.example", f"Subject: {subject}", *headers)
    )
    return parse_mail(f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{body}".encode())


COPY = (
    "\nReceived: from x\nMessage-ID: <our.1@desk.example>\nSubject: 550 5.7.1 spam policy\n\ntext\n"
)
POSTFIX = """This is the mail system at host mx.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

                   The mail system

"""


@pytest.mark.parametrize(
    ("sender", "subject", "body", "expected"),
    [
        (  # qmail
            "MAILER-DAEMON@x.example",
            "failure notice",
            "Hi. This is the qmail-send program at x.example.\nI'm afraid I wasn't able to deliver your message"
            " to the following addresses.\n\n<bob@y.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            "--- Below this line is a copy of the message.\n",
            ("5.1.1", "", "hard", "userunknown", "bob@y.example"),
        ),
        (  # qmail, quoting another server
            "MAILER-DAEMON@x.example",
            "failure notice",
            "I wasn't able to deliver your message.\n\n<bob@y.example>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 550 no such user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy.\n",
            ("5.0.911", "550", "hard", "userunknown", "bob@y.example"),
        ),
        (  # Exim: the sender was refused, not the recipient
            "Mail Delivery System <Mailer-Daemon@x.example>",
            "Mail delivery failed: returning message to sender",
            "A message that you sent could not be delivered to one or more of its\nrecipients. This is a"
            " permanent error. The following address(es) failed:\n\n  bob@y.example\n    SMTP error from remote"
            " mail server after MAIL FROM:<support@desk.example>:\n    550 No such domain desk.example\n\n"
            "------ This is a copy of the message, including all the headers. ------\n",
            ("5.0.918", "550", "soft", "rejected", "bob@y.example"),
        ),
        (  # Postfix without a report part, refused after the content was seen
            "MAILER-DAEMON@x.example",
            "Undelivered Mail Returned to Sender",
            POSTFIX
            + "<bob@y.example>: host mx.y.example[192.0.2.1] said: 550 : User unknown (in reply to"
            " end of DATA command)\n\n",
            ("5.0.910", "550", "soft", "filtered", "bob@y.example"),
        ),
        (  # Gmail: the state of the conversation is a number
            "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
            "Delivery Status Notification (Failure)",
            "Delivery to the following recipient failed permanently:\n\n     bob@y.example\n\nTechnical details of"
            " permanent failure:\nGoogle tried to deliver your message, but it was rejected by the recipient"
            " domain. The error that the other server returned was: 550 no such user (state 14).\n\n"
            "----- Original message -----\n",
            ("5.0.911", "550", "hard", "userunknown", "bob@y.example"),
        ),
        (  # Exchange, with the header of the mail first
            "System Administrator <postmaster@x.example>",
            "Undeliverable: Hello",
            "Your message\n\n  To:      list@y.example\n  Subject: Hello\n  Sent:    Thu, 29 Apr 2010 00:00:00\n\n"
            "did not reach the following recipient(s):\n\nbob@y.example on Thu, 29 Apr 2010 00:00:00 -0000\n"
            "    The recipient name is not recognized\n    MSEXCH:IMS:X:Y:Z 0 (000C05A6) Unknown Recipient\n",
            ("5.0.911", "", "hard", "userunknown", "bob@y.example"),
        ),
        (  # Domino
            "Postmaster@x.example",
            "DELIVERY FAILURE: User bob (bob@y.example) not listed in Domino Directory",
            "Your message\n\n  Subject: Hello\n\nwas not delivered to:\n\n  bob@y.example\n\nbecause:\n\n"
            "  User bob (bob@y.example) not listed in Domino Directory\n",
            ("5.0.911", "", "hard", "userunknown", "bob@y.example"),
        ),
        (  # Notes: the reason stands above the address
            "Mail Router <mailer@x.example>",
            "Undeliverable message",
            "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nbob@y.example\n\n"
            "------- Returned Message --------\n\nHello\n",
            ("5.0.911", "", "hard", "userunknown", "bob@y.example"),
        ),
        (  # MailMarshal
            "postmaster@x.example",
            'Undeliverable Mail: "Hello"',
            "Your message:\n   From:    support@desk.example\n   Subject: Hello\n\nCould not be delivered because of"
            "\n\n552 5.2.2 Mailbox full\n\nThe following recipients were affected: \n    bob@y.example\n",
            ("5.2.2", "552", "soft", "mailboxfull", "bob@y.example"),
        ),
        (  # InterScan
            '"InterScan" <imss@x.example>',
            "Mail could not be delivered",
            "****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT TO:<bob@y.example>\n"
            "Received >>> 550 unknown user.\n\nUnable to deliver message to <bob@y.example>\n",
            ("5.0.911", "550", "hard", "userunknown", "bob@y.example"),
        ),
        (  # au: Japanese, in words only
            "Postmaster@ezweb.example",
            "Mail System Error - Returned Mail",
            "次のあて先へのメッセージはエラーのため送信できませんでした。\n\nThe user(s) account is disabled.\n\n"
            "<bob@y.example>\n",
            ("5.0.921", "", "soft", "suspend", "bob@y.example"),
        ),
        (  # a German provider that tries no more
            "Mail Delivery System <mailer-daemon@x.example>",
            "Mail delivery failed",
            "Die Nachricht konnte nicht zugestellt werden.\n\nbob@y.example:\n  retry timeout exceeded\n",
            ("4.0.947", "", "soft", "expired", "bob@y.example"),
        ),
        (  # a mailing list that takes no mail from us
            "list-admin@y.example",
            "You support@desk.example are not member (list ML)",
            "You are not a member of this mailing list <list@y.example>.\n",
            ("5.0.918", "", "soft", "rejected", "list@y.example"),
        ),
    ],
)
def test_prose_of_many_systems(
    sender: str, subject: str, body: str, expected: tuple[str, str, str, str, str]
) -> None:
    headers = ("X-MLServer: fml [fml 4.0.3]",) if sender.startswith("list") else ()
    mail = prose(sender, subject, body + COPY, *headers)
    assert mail.bounce is not None
    told = tuple(mail.bounce[name] for name in CONTRACT[:5])
    assert told == expected
    assert mail.bounce["original_message_id"] == "<our.1@desk.example>"
    assert mail.bounce["action"] == "failed"
    assert mail.automatic.automatic


def test_several_recipients_each_with_its_own_reason() -> None:
    body = (
        "Unable to deliver message to the following address(es).\n\n<a@y.example>:\n<b@y.example>:\n550 5.1.1 user"
        " unknown\n\n<c@y.example>:\nThis account has been disabled.\n\n--- Original message follows.\n"
    )
    bounce = prose("MAILER-DAEMON@y.example", "Delivery failure", body + COPY).bounce
    assert bounce is not None
    assert [(r["recipient"], r["reason"], r["kind"]) for r in bounce["recipients"]] == [
        ("a@y.example", "userunknown", "hard"),
        ("b@y.example", "userunknown", "hard"),
        ("c@y.example", "suspend", "soft"),
    ]


def test_a_warning_is_a_delay() -> None:
    bounce = prose(
        "Mail Delivery System <Mailer-Daemon@x.example>",
        "Warning: message 1x delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24"
        " hours on the queue.\n\n  bob@y.example\n    Delay reason: Connection timed out\n\nNo action is required on"
        " your part. Delivery attempts will continue for\nsome time.\n",
    ).bounce
    assert bounce is not None
    assert (bounce["action"], bounce["kind"], bounce["status"]) == ("delayed", "soft", "4.0.947")


NO_BOUNCES = {
    "a person who forwards a report": (
        "Ana <ana@example.org>",
        "Fwd: Returned mail: see transcript for details",
        "What is this?\n\n> From: Mail Delivery Subsystem <MAILER-DAEMON>\n> Final-Recipient: RFC822; bob@y.example\n"
        "> Action: failed\n> Status: 5.1.1\n",
        (),
    ),
    "a person who asks about a failure": (
        "Ana <ana@example.org>",
        "Undeliverable parcel",
        "My parcel could not be delivered, your courier says. What now?\n",
        (),
    ),
    "a customer whose orders fail": (
        "Ana <ana@example.org>",
        "Your mail server",
        "I get 550 5.1.1 user unknown from bob@desk.example when I write to you.\n",
        (),
    ),
    "somebody on leave": (
        "Ana <ana@example.org>",
        "Automatic reply: Hello",
        "I am away until Monday; your message will not be forwarded. In urgent cases write to"
        " bob@example.org.\n",
        ("Auto-Submitted: auto-replied", "Return-Path: <>"),
    ),
    "somebody who has left": (
        "Ana <ana@example.org>",
        "Out of office",
        "I no longer work here. My mailbox is not read.\n",
        ("Auto-Submitted: auto-replied", "Return-Path: <>"),
    ),
    "a newsletter of a postmaster": (
        "postmaster@example.org",
        "Maintenance on Sunday",
        "Dear customers, on Sunday the servers rest from 4 to 5.\n",
        (),
    ),
}


@pytest.mark.parametrize("case", NO_BOUNCES)
def test_what_is_no_bounce(case: str) -> None:
    sender, subject, body, headers = NO_BOUNCES[case]
    mail = prose(sender, subject, body, *headers)
    assert (mail.bounce, mail.notice) == (None, None)
    assert mail.automatic.automatic == (bool(headers) or sender.startswith("postmaster"))


COMPLAINT = b"""From: feedback@provider.example
To: abuse@desk.example
Subject: FW: Hello
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: %s
User-Agent: Provider/1.0
Version: 1
Original-Rcpt-To: <bob@provider.example>

--b
Content-Type: message/rfc822

From: support@desk.example
To: Bob <bob@provider.example>
Message-ID: <our.1@desk.example>
Subject: Hello

text
--b--
"""


@pytest.mark.parametrize("kind", ["abuse", "fraud", "not-spam", "opt-out", "auth-failure"])
def test_complaints_are_no_bounces(kind: str) -> None:
    mail = parse_mail(COMPLAINT % kind.encode())
    assert mail.bounce is None
    assert mail.automatic.automatic
    assert mail.notice == {
        "kind": "complaint",
        "type": kind,
        "recipient": "bob@provider.example",
        "original_message_id": "<our.1@desk.example>",
        "original_subject": "Hello",
        "reporter": "feedback@provider.example",
        "agent": "Provider/1.0",
    }


def test_microsofts_complaints_have_no_report_part() -> None:
    raw = (
        b"From: staff@hotmail.com\nSubject:  complaint about message from 192.0.2.2\nTo: abuse@desk.example\n"
        b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\n'
        b"X-HmXmrOriginalRecipient: bob@hotmail.example\nMessage-ID: <our.1@desk.example>\nSubject: Hello\n\nx\n--b--\n"
    )
    mail = parse_mail(raw)
    assert mail.bounce is None
    assert mail.automatic.automatic
    assert mail.notice is not None
    assert (mail.notice["type"], mail.notice["recipient"]) == ("abuse", "bob@hotmail.example")
    assert mail.notice["original_message_id"] == "<our.1@desk.example>"


@pytest.mark.parametrize(
    ("said", "field", "expected"),
    [
        ("554 4.4.7 Message expired.<421 4.4.2 Connection timed out>", "4.4.7", ("4.4.2", "421")),
        ("450 4.7.1 <c.example[192.0.2.5]>: Client host rejected", "4.4.7", ("4.7.1", "450")),
        ("550 5.5.0 Service refused, try later", "4.5.0", ("5.5.0", "550")),
        ("552 sorry, mailbox is over quota (#5.1.1)", "", ("5.1.1", "552")),
        ("571 No PTR Record found. Reverse DNS required: 203.0.113.22", "", ("5.0.973", "")),
        ("550-5.2.1 disabled. Learn more at 550 5.2.1 https://x/?p=1", "5.0.0", ("5.2.1", "550")),
    ],
)
def test_the_code_that_says_more_wins(said: str, field: str, expected: tuple[str, str]) -> None:
    verdict = judge(said, field=field)
    assert (verdict.status, verdict.smtp) == expected
    assert verdict.derived == (".0.9" in verdict.status)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("said: 550 no (in reply to RCPT TO command)", "RCPT"),
        ("said: 550 no (in reply to end of DATA command)", "DATA"),
        ("SMTP error from remote mail server after initial connection:\n550 no", "CONN"),
        (">>> RCPT To:<bob@y.example>\n<<< 550 no", "RCPT"),
        ("550 <bob@y.example>... User unknown", "RCPT"),
        ("192.0.2.1 does not like recipient.", "RCPT"),
        ("550 no", ""),
    ],
)
def test_the_stage_at_which_it_was_refused(text: str, stage: str) -> None:
    assert stage_of(text) == stage


def test_hostile_reports_take_no_long_time() -> None:
    lines = [
        "- " * 9_000,
        "-" * 20_000,
        "bad " * 6_000,
        "a." * 10_000 + " does not exist",
        "user " * 5_000,
        "<a@b.example>:\n" * 1_500,
        "x" * 60 + "@" + "y." * 8_000,
        "a smtp=" * 3_000,
        " to: x\n cc: y\n" * 1_500,
    ]
    begun = time.monotonic()
    for text in lines:
        prose("MAILER-DAEMON@x.example", "failure notice", "could not be delivered\n" + text)
    assert time.monotonic() - begun < 5


def test_a_report_of_rubbish_is_read_all_the_same() -> None:
    broken = REPORT.replace(
        b"Final-Recipient: rfc822; gone@example.org", b"Final-Recipient: \xff\xfe;;;"
    )
    broken = broken.replace(b"Status: 5.1.1", b"Status: 5..1 (\x1b[31m)")
    bounce = parse_mail(broken % b"message/rfc822").bounce
    assert bounce is not None
    assert bounce["status"] == "5.1.1"
    assert "\x1b" not in json.dumps(bounce, ensure_ascii=False)


def _agree(told: dict[str, Any], expected: dict[str, Any]) -> tuple[bool, bool]:
    statuses = {one["status"] for one in expected["reports"]}
    hard = {one["hard"] for one in expected["reports"] if one["status"] == told["status"]} or {
        one["hard"] for one in expected["reports"]
    }
    return told["status"] in statuses, (told["kind"] == "hard") in hard


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
def test_published_reports() -> None:
    """Every file of bounces.json but those named: a forward by a person is that person's mail; two
    have no code, and a derived one that does not follow from their reason.
    """
    truth = json.loads((MAIL / "bounces.json").read_text("utf-8"))
    recognised, statuses, kinds = [], [], []
    for name, expected in truth.items():
        mail = parse_mail((MAIL / "bounces" / name).read_bytes())
        if (mail.bounce is not None) != expected["is_bounce"]:
            recognised.append(name)
        elif mail.bounce is not None:
            status, kind = _agree(mail.bounce, expected)
            statuses += [] if status else [name]
            kinds += [] if kind else [name]
    assert recognised == ["lhost-sendmail-14.eml"]
    assert statuses == ["lhost-exim-41.eml", "lhost-exim-54.eml"]
    assert kinds == []


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
def test_published_mail_that_is_no_report() -> None:
    found = []
    for folder in ("assorted", "threads", "replies-a", "replies-b"):
        for path in sorted((MAIL / folder).rglob("*")):
            if path.is_file():
                mail = parse_mail(path.read_bytes())
                if mail.bounce is not None or mail.notice is not None:
                    found.append(path.name)
    assert found == [
        "mime_emails-raw_email_with_mimepart_without_content_type.eml",
        "multipart_report_emails-multi_address_bounce1.eml",
        "multipart_report_emails-multi_address_bounce2.eml",
        "multipart_report_emails-multipart_report_multiple_status.eml",
        "multipart_report_emails-report_422.eml",
        "multipart_report_emails-report_530.eml",
    ]
