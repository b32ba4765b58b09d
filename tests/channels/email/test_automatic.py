"""Automatic mail and delivery reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from channels.email.automatic import judge_automatic
from channels.email.parse import parse_mail

MAIL = Path(__file__).resolve().parents[4] / "shared" / "mail"


@pytest.mark.parametrize(
    ("header", "automatic", "reason"),
    [
        (
            b"Auto-Submitted: auto-replied (vacation)",
            True,
            "Auto-Submitted: auto-replied (vacation)",
        ),
        (b"Auto-Submitted: no", False, ""),
        (b"X-Auto-Response-Suppress: All", True, "X-Auto-Response-Suppress: All"),
        (b"X-Auto-Response-Suppress: None", False, ""),
        (b"X-Autoreply: yes", True, "X-Autoreply: yes"),
        (b"X-Autorespond: Away", True, "X-Autorespond: Away"),
        (b"Precedence: auto_reply", True, "Precedence: auto_reply"),
        (b"Precedence: BULK", True, "Precedence: bulk"),
        (b"Precedence: first-class", False, ""),
        (b"List-Id: <l.example.org>\nPrecedence: list", False, ""),
        (b"Return-Path: <>", True, "Return-Path: <>"),
        (b"Return-Path: <a@example.org>", False, ""),
        (b"X-Mailer: anything", False, ""),
        (b"Auto-Submitted: No (a person)", False, ""),
        (
            b"Auto-Submitted: auto-generated; owner-email=a@b",
            True,
            "Auto-Submitted: auto-generated",
        ),
        (b"X-Auto-Response-Suppress: DR, OOF", True, "X-Auto-Response-Suppress: DR, OOF"),
        (b"X-Auto-Response-Suppress: DR, RN, NRN", False, ""),
        (b"Delivered-To: Autoresponder", True, "Delivered-To: Autoresponder"),
        (b"X-Precedence: junk", True, "X-Precedence: junk"),
        # Lists to which people write, and rules and services that pass people's mail on.
        (b"Precedence: bulk\nList-Post: <mailto:l@example.org>", False, ""),
        (b"Precedence: bulk\nList-Post: NO", True, "Precedence: bulk"),
        (b"Precedence: auto_reply\nList-Post: <mailto:l@x>", True, "Precedence: auto_reply"),
        (b"List-Unsubscribe: <mailto:u@x>\nList-Post: <mailto:l@x>\nFeedback-ID: 1", False, ""),
        (b"X-MS-Exchange-Inbox-Rules-Loop: a@x\nX-Loop: a@x", False, ""),
        (b"Feedback-ID: 1:ses", False, ""),
        (
            b"Feedback-ID: 1\nList-Unsubscribe: <x>",
            True,
            "Feedback-Id: 1 and List-Unsubscribe: <x>",
        ),
    ],
)
def test_signs(header: bytes, automatic: bool, reason: str) -> None:
    mail = parse_mail(header + b"\nFrom: a@example.org\nSubject: x\n\ntext\n")
    assert (mail.automatic.automatic, mail.automatic.reason) == (automatic, reason)
    assert not mail.automatic.is_report
    assert mail.bounce is None


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Re: Invoice",
        "Auto-Reply: x",
        "Out of Office: Re: x",
        "[EXT] Out of the office Re: x",
        "Abwesenheitsnotiz: AW: Rechnung",
        "Automatische Antwort: x",
        "Réponse automatique : x",
        "Respuesta automática: x",
        "Risposta automatica: x",
        "Automatisch antwoord: x",
        "Autosvar: x",
        "Odpowiedź automatyczna: x",
        "Автоматический ответ: x",
        "自動応答: x",
        "自动回复: x",
    ],
)
def test_words_of_absent_people_count_with_another_sign_only(subject: str) -> None:
    def automatic(head: str) -> bool:
        raw = f"From: a@x.example\nSubject: {subject}\n{head}\n\nI am away.\n".encode()
        return parse_mail(raw).automatic.automatic

    assert not automatic("")
    assert automatic("In-Reply-To: <a@x>")
    assert automatic("X-Loop: a@x.example")
    answer = f"From: a@x.example\nSubject: Re: {subject}\nIn-Reply-To: <a@x>\n\nHi\n".encode()
    assert not parse_mail(answer).automatic.automatic


@pytest.mark.parametrize(
    "sender", ["no-reply", "noreply", "shop-noreply", "donotreply", "no_reply"]
)
def test_an_address_that_takes_no_answers_counts_with_another_sign_only(sender: str) -> None:
    def automatic(head: str) -> bool:
        return parse_mail(f"From: {sender}@x.example\n{head}\n\nHi\n".encode()).automatic.automatic

    assert not automatic("Subject: Your message to us")
    assert not automatic("Feedback-ID: 1\nReply-To: maria@customer.example")
    assert automatic("Feedback-ID: 1")
    assert not judge_automatic({b"feedback-id": b"1"}, "text/plain", "norman@x.example").automatic


def test_senders_that_are_servers() -> None:
    for sender in ("MAILER-DAEMON@x.example", "postmaster@x.example", "MAILER-DAEMON"):
        assert judge_automatic({}, "text/plain", sender).automatic
    assert not judge_automatic({}, "text/plain", "post@x.example").automatic


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


@pytest.mark.parametrize("kind", [b"message/rfc822", b"text/rfc822-headers"])
def test_delivery_report(kind: bytes) -> None:
    mail = parse_mail(REPORT % kind)
    assert mail.automatic.is_report
    assert mail.bounce == {
        "status": "5.1.1",
        "smtp": "550",
        "kind": "hard",
        "reason": "userunknown",
        "recipient": "gone@example.org",
        "original_message_id": "<original.1@desk.example>",
    }
    assert mail.full_text == "Your message could not be delivered."
    assert [file.name for file in mail.attachments] == (
        ["Hello.eml"] if kind == b"message/rfc822" else []
    )


def test_delays_are_soft_and_successes_no_bounce() -> None:
    delayed = REPORT.replace(b"Action: failed\nStatus: 5.1.1", b"Action: delayed\nStatus: 4.4.1")
    delayed = delayed.replace(b"Action: relayed\nStatus: 2.0.0", b"Action: delayed\nStatus: 4.4.1")
    bounce = parse_mail(delayed % b"message/rfc822").bounce
    assert bounce is not None
    assert bounce["kind"] == "soft"
    fine = REPORT.replace(b"Action: failed\nStatus: 5.1.1", b"Action: delivered\nStatus: 2.1.5")
    assert parse_mail(fine % b"message/rfc822").bounce is None


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
def test_published_reports() -> None:
    truth = json.loads((MAIL / "bounces.json").read_text("utf-8"))
    told = kinds = 0
    for name, expected in truth.items():
        mail = parse_mail((MAIL / "bounces" / name).read_bytes())
        told += (mail.bounce is not None) == expected["is_bounce"]
        if mail.bounce is not None:
            kinds += any(
                (mail.bounce["kind"] == "hard") == one["hard"] for one in expected["reports"]
            )
    assert told >= 94
    assert kinds >= 76
