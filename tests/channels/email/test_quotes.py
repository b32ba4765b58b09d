"""Quoted history and signatures, folded and never lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from channels.email.quotes import cut, find_folds, folds

MAIL = Path(__file__).resolve().parents[4] / "shared" / "mail"

INTRODUCTIONS = [
    "On Mon, 3 Jun 2025 at 09:05, Anna Berg <anna@desk.example> wrote:",
    "Am Mo., 3. Juni 2025 um 09:05 Uhr schrieb Anna Berg <anna@desk.example>:",
    "Le lun. 3 juin 2025 à 09:05, Anna Berg <anna@desk.example> a écrit :",
    "El lun, 3 jun 2025 a las 9:05, Anna Berg (<anna@desk.example>) escribió:",
    "Em seg., 3 de jun. de 2025 às 09:05, Anna Berg <anna@desk.example> escreveu:",
    "Il giorno lun 3 giu 2025 alle ore 09:05 Anna Berg <anna@desk.example> ha scritto:",
    "Op ma 3 jun 2025 om 09:05 schreef Anna Berg <anna@desk.example>:",
    "pon., 3 cze 2025 o 09:05 Anna Berg <anna@desk.example> napisał(a):",
    "пн, 3 июн. 2025 г. в 09:05, Anna Berg <anna@desk.example>:",
    "3 июня 2025 г., в 09:05, Anna Berg <anna@desk.example> написал(а):",
    "Anna Berg <anna@desk.example> 于2025年6月3日周一 09:05写道：",
    "2025年6月3日(月) 9:05 Anna Berg <anna@desk.example>:",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_top_posted_reply_in_many_languages(introduction: str) -> None:
    text = f"Thank you, that works.\n\n{introduction}\n\n> Please restart it.\n>\n> Anna\n"
    assert cut(text) == "Thank you, that works."
    assert folds(text) == ((2, 7),)


def test_wrapped_introduction() -> None:
    text = "Yes.\n\nOn Mon, 3 Jun 2025 at 09:05, Anna Berg\n<a@desk.example> wrote:\n> Works?"
    assert cut(text) == "Yes."


def test_introduction_without_quote_marks() -> None:
    text = "Yes.\n\nOn Mon, 3 Jun 2025 at 09:05, Anna <a@desk.example> wrote:\n\nWorks?\nAnna"
    assert cut(text) == "Yes."


def test_bottom_posted_and_interleaved() -> None:
    text = "On 3 Jun 2025, Anna wrote:\n> Which system?\nLinux.\n> Which version?\n\nThe newest."
    assert cut(text) == "Linux.\n\nThe newest."
    assert [fold.kind for fold in find_folds(text)] == ["quote", "quote"]


@pytest.mark.parametrize(
    "block",
    [
        "From: Anna <a@x>\nSent: Monday\nTo: Me\nSubject: Re: it\n\nold text",
        "Von: Anna <a@x>\nGesendet: Montag\nAn: Ich\nBetreff: AW: es\n\nalter Text",
        "De : Anna <a@x>\nEnvoyé : lundi\nÀ : moi\nObjet : RE: ça\n\nvieux texte",
        "*From:* Anna <a@x>\n*Sent:* Monday\n*To:* Me\n\nold text",
        "发件人: Anna <a@x>\n发送时间: 2025\n收件人: me\n主题: Re\n\nold",
        "________________________________\nFrom: Anna <a@x>\nSent: Monday\nTo: Me\n\nold text",
        "-----Original Message-----\nFrom: Anna\n\nold text",
        "-----Ursprüngliche Nachricht-----\nalter Text",
        "----- Mensaje original -----\nviejo",
    ],
)
def test_header_blocks_and_separators(block: str) -> None:
    assert cut(f"My answer.\n\n{block}") == "My answer."


def test_a_forwarded_mail_keeps_what_it_forwards() -> None:
    text = "See.\n\n-----Original Message-----\nFrom: C\nSent: Monday\nTo: Me\n\nIt is broken!"
    assert cut(text, forwarded=True) == text
    gmail = "FYI\n\n---------- Forwarded message ---------\nFrom: C <c@x>\n\nIt is broken!"
    assert "It is broken!" in cut(gmail)


def test_nothing_is_folded_where_nothing_would_be_left() -> None:
    for text in (
        "> only a quote\n> of two lines",
        "On 3 Jun 2025 at 9:00, A <a@x> wrote:\n> a",
        "-- \nAnna",
    ):
        assert folds(text) == ()
        assert cut(text) == text


def test_signatures_fold_and_stay_in_the_text() -> None:
    text = "Hello.\n\n-- \nAnna\nTel. 1"
    assert [(fold.start, fold.end, fold.kind) for fold in find_folds(text)] == [(2, 5, "signature")]
    assert cut(text) == text
    phone = "Hello.\n\nSent from my iPhone\n\nOn 3 Jun 2025, at 09:05, A <a@x> wrote:\n\n> old"
    assert [fold.kind for fold in find_folds(phone)] == ["signature", "quote"]
    assert cut(phone) == "Hello.\n\nSent from my iPhone"


@pytest.mark.parametrize(
    "own",
    [
        "My order:\n- one\n- two\n\nRegards",
        "From: Berlin\nI want to travel to Rome.",
        "The manual says:\npress the button. It does not work at 10:30.",
        "My boss wrote:\nplease ask them.",
        "a -- b\n--- \nthird",
        ">From the start it was broken.\nReally.",
        "Sent from my desk, is much easier than my phone.",
    ],
)
def test_own_words_stay(own: str) -> None:
    assert cut(own) == own


def test_blank_lines_of_the_author_stay() -> None:
    text = "a\n\n\n\nb\n\n> old\n\nc"
    assert cut(text) == "a\n\n\n\nb\n\nc"


def test_it_is_linear_and_fast() -> None:
    plain = "This is a usual line of a mail that somebody wrote to the desk.\n" * 32
    begin = time.process_time()
    for _ in range(200):
        cut(plain)
    assert (time.process_time() - begin) / 200 < 0.0006  # ten times the goal: machines are shared
    for hostile in (
        "On 1 wrote:\n" * 20_000,
        "> a\nb:\n" * 20_000,
        "-- \n" * 50_000,
        "From: x\n" * 50_000,
        "-" * 300_000,
        " " * 300_000 + ":",
        "On " * 100_000 + ":\n> x",
        "Sent from my\n" * 20_000,
        "\n" * 300_000,
        "_" * 100_000 + "\n" + "-----Original " * 10_000,
    ):
        begin = time.process_time()
        cut(hostile)
        assert time.process_time() - begin < 3, hostile[:20]


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email_1_4.txt", "Awesome! I haven't had another problem with it."),
        ("email_2_1.txt", "Outlook with a reply"),
        ("email_2_2.txt", "Outlook with a reply directly above line"),
        ("email_gmail.txt", "This is a test for inbox replying to a github message."),
        ("email_headers_no_delimiter.txt", "And another reply!"),
    ],
)
def test_published_replies(name: str, text: str) -> None:
    source = (MAIL / "replies-b" / name).read_text("utf-8").strip("\n")
    assert cut(source) == text
