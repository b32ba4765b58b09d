"""Automatic mail."""

from __future__ import annotations

import pytest

from channels.email.automatic import judge_automatic
from channels.email.parse import parse_mail


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
