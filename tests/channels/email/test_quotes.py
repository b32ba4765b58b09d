"""Quoted history and signatures, folded and never lost."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.html_text import read_html
from channels.email.parse import parse_mail
from channels.email.quotes import Fold, cut, find_folds, folds, refold, without
from tests.channels.email.html_quote_cases import PAGES
from tests.channels.email.quote_cases import ANSWERS, BARE, BLOCKS, INTRODUCTIONS, NOTES

MAIL = Path(__file__).resolve().parents[4] / "shared" / "mail"
OLD = "Hello Anna,\n\nplease restart it and tell us.\n\nDesk\n"
QUOTED = "\n".join(("> " + line).rstrip() for line in OLD.split("\n"))


@pytest.mark.parametrize(("program", "language", "introduction"), INTRODUCTIONS)
def test_answers_above_and_below_a_quote(program: str, language: str, introduction: str) -> None:
    own = ANSWERS[language]
    above = f"{own}\n\n{introduction}\n\n{QUOTED}"
    assert cut(above) == own
    assert folds(above) == ((own.count("\n") + 2, above.count("\n") + 1),)
    assert cut(f"{own}\n{introduction}\n{QUOTED}") == own
    assert cut(f"{introduction}\n{QUOTED}\n\n{own}") == own
    if program in BARE:
        assert cut(f"{own}\n\n{introduction}\n\n{OLD}") == own


@pytest.mark.parametrize(("program", "language", "block"), BLOCKS)
def test_answers_above_headers_and_separators(program: str, language: str, block: str) -> None:
    own = ANSWERS[language]
    assert cut(f"{own}\n\n{block}\n\n{OLD}") == own, program
    assert cut(f"{own}\n{block}\n{OLD}") == own, program
    # As some programs make it of paragraphs in HTML.
    assert cut(f"{own}\n\n" + block.replace("\n", "\n\n") + f"\n\n{OLD}") == own, program


@pytest.mark.parametrize(("language", "note"), NOTES)
def test_notes_of_phones_and_services(language: str, note: str) -> None:
    own = ANSWERS[language]
    introduction = next(line for _, spoken, line in INTRODUCTIONS if spoken == language)
    assert cut(f"{own}\n\n{note}") == own
    full = f"{own}\n\n{note}\n\n{introduction}\n\n{QUOTED}"
    assert cut(full) == own
    assert [fold.kind for fold in find_folds(full)] == ["signature", "quote"]


@pytest.mark.parametrize(("program", "page", "text"), PAGES, ids=[page[0] for page in PAGES])
def test_what_html_names_as_quoted(program: str, page: str, text: str) -> None:
    raw = (
        f"From: A <a@b.example>\nSubject: Re: it\nContent-Type: text/html; charset=utf-8\n\n{page}"
    )
    mail = parse_mail(raw.encode())
    assert mail.text == text, program
    assert "Hello Anna" in mail.full_text or "Carl" in page or "Hello" not in page


def test_html_helps_to_find_the_quote_in_the_plain_text() -> None:
    line = "Vào Th 3, 3 thg 6, 2025 lúc 09:05 Desk đã viết"
    html = f'<div>Works.<br>Anna</div><div class="yahoo_quoted"><div>{line}</div>Hello, restart it.</div>'
    plain = f"Works.\nAnna\n\n{line}\n\nHello, restart it."
    raw = (
        "From: A <a@b.example>\nSubject: Re: it\nContent-Type: multipart/alternative; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--b\n"
        f"Content-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
    )
    mail = parse_mail(raw.encode())
    assert (mail.text, mail.full_text) == ("Works.\nAnna", plain)


def test_answers_between_quotes() -> None:
    text = "On 3 Jun 2025, Anna wrote:\n> Which system?\nLinux.\n> Which version?\n\nThe newest."
    assert cut(text) == "Linux.\n\nThe newest."
    assert [fold.kind for fold in find_folds(text)] == ["quote", "quote"]


def test_the_end_of_a_broken_quoted_line_is_no_answer() -> None:
    long = "> a line that somebody's program wrote and another one broke into two parts at a"
    assert cut(f"Yes.\n\nOn 3 Jun 2025, A wrote:\n{long}\nblank\n> next line") == "Yes."


def test_lines_above_a_quote_in_full_and_in_part() -> None:
    for history in (
        "On Tue, Jun 3, 2025 at 9:05, Desk <help@desk.io> wrote:\n\nold",
        "Am 03.06.2025 um 09:05 schrieb Desk <help@desk.eu>:\n\nalt",
        "  On Tue, Jun 3, 2025 at 9:05, Desk<help@desk.example> wrote:   Hello Anna,\n\nold",
        "On Tuesday, June 3, 2025 at 9:05:00 AM, Desk<help@desk.example> wrote: Hello Anna,\n\nold",
        "Le mar. 3 juin 2025 à 09:05, Desk <help@desk.example> a\xa0écrit\xa0:\n\nvieux",
    ):
        assert cut(f"Yes.\n\n{history}") == "Yes.", history


def test_a_name_between_quotes_stays() -> None:
    text = "> one\n> two\n\nYes, two.\n\n-Dave\n\n> three\n\nNo, not that."
    assert cut(text) == "Yes, two.\n\n-Dave\n\nNo, not that."


def test_a_forwarded_mail_keeps_what_it_forwards() -> None:
    text = "See.\n\n-----Original Message-----\nFrom: C\nSent: Monday\nTo: Me\n\nIt is broken!"
    assert cut(text, forwarded=True) == text
    quoted = "See.\n\n-- \nAnna\n\nBegin forwarded message:\n\n> From: C <c@x>\n> It is broken!"
    assert cut(quoted) == "See.\n\nBegin forwarded message:\n\n> From: C <c@x>\n> It is broken!"


@pytest.mark.parametrize(
    "line",
    [
        "---------- Forwarded message ---------",
        "-------- Weitergeleitete Nachricht --------",
        "Anfang der weitergeleiteten Nachricht:",
        "Début du message transféré :",
        "-------- Message transféré --------",
        "---------- Mensaje reenviado ---------",
        "Inicio del mensaje reenviado:",
        "---------- Mensagem encaminhada ---------",
        "Inizio messaggio inoltrato:",
        "---------- Doorgestuurd bericht ---------",
        "Begin doorgestuurd bericht:",
        "---------- Przekazana wiadomość ---------",
        "-------- Пересылаемое сообщение --------",
        "---------- 转发的邮件 ---------",
        "開始轉寄郵件：",
        "---------- 転送メッセージ ---------",
    ],
)
def test_lines_above_what_is_passed_on(line: str) -> None:
    text = f"Please help.\n\n{line}\nFrom: C <c@x>\nDate: 3 Jun 2025 09:05\nTo: Me\n\nIt is broken!"
    assert cut(text) == text


def test_nothing_is_folded_where_nothing_would_be_left() -> None:
    for text in (
        "> only a quote\n> of two lines",
        "On 3 Jun 2025 at 9:00, A <a@x> wrote:\n> a",
        "-- \nAnna",
        "Sent from my iPhone",
        "Sent from my iPhone\n\nOn 3 Jun 2025, at 09:05, A <a@x> wrote:\n\n> old",
        "From: C <c@x>\nSent: Monday\nTo: Me\n\nIt is broken!",
    ):
        assert folds(text) == ()
        assert cut(text) == text


@pytest.mark.parametrize(
    ("below", "kept"),
    [
        ("-- \nAnna\nTel. 1", ""),
        ("--\nAnna\nTel. 1", ""),
        ("-- \nAnna\n\nSent from my iPhone", ""),
        ("Anna\n\nVon meinem iPhone gesendet", "Anna"),
        ("-Abhishek Kona", ""),
        ("Anna\n\n—————\nAnna Berg\nProduct Manager\nanna@berg.example", "Anna"),
        ("Anna\n\nSent from my cell, please excuse any typos.", "Anna"),
        ("Anna\n\nGet Outlook for iOS\n<https://aka.ms/o0ukef>", "Anna"),
        ("https://lists.example/mailman/listinfo/users", ""),
        ("Kind regards\nAnna Berg\nBerg GmbH", "Kind regards\nAnna Berg\nBerg GmbH"),
        (
            "Anna\n\nThis e-mail and any attachments are confidential and intended solely for the\n"
            "addressee. If you are not the addressee, delete it.",
            "Anna",
        ),
        (
            "Anna\n\nCONFIDENTIALITY NOTICE: The contents of this message are privileged.\n\nBerg plc",
            "Anna",
        ),
        ("Diese E-Mail enthält vertrauliche Informationen.\nBitte löschen Sie sie.", ""),
        ("Ce message et ses pièces jointes sont confidentiels.", ""),
        ("Este mensaje puede contener información confidencial.", ""),
        ("Questo messaggio contiene informazioni riservate.", ""),
        (
            "_______________________________________________\nusers mailing list\nusers@lists.example\n"
            "https://lists.example/mailman/listinfo/users",
            "",
        ),
    ],
)
def test_signatures_notices_and_footers(below: str, kept: str) -> None:
    for history in ("", f"\n\nOn 3 Jun 2025, at 09:05, A <a@x> wrote:\n\n{QUOTED}"):
        assert cut(f"It works.\n\n{below}{history}") == f"It works.\n\n{kept}".strip()


def test_pgp_leaves_the_words() -> None:
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt works.\n\nOn 3 Jun 2025, A wrote:\n"
        "> Does it?\n\n- -- \nAnna\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n=x\n-----END PGP SIGNATURE-----"
    )
    assert cut(text) == "It works."


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
        "I sent from my iPhone app three reports but none arrived.",
        "Trip\nFrom: Berlin\nTo: Rome\nDate: 5 May\n\nI want to book that.",
        "On 3 June 2025 at 10:30 I wrote:\nplease send it. Nobody did.",
        "On Monday we talked about it.\n\nOn Tuesday nothing happened:\nit is still broken.",
        "Order 12\n- a hat\n- Two shoes",
        "Visit us now\n>>> https://shop.example <<<\nand buy.",
        "Viele Grüße\nAnna",
        "It is on its way.\n\nSent by mail yesterday",
        "It is on its way.\n\nSent by DHL today.",
        "Es ist unterwegs.\n\nGesendet mit DHL am Montag",
        "reply\n\nbla-bla - bla--- On Wed, Apr 4, 2012 at 3:59 PM, me@domain.example wrote:",
        "First part.\n\n" + "_" * 60 + "\n\nThis is the second part.\n\nRegards\nAnna",
        "a\n\n--\n\n" + "b\n" * 20,
        "Questions:\n\nDate:\nwhen is it?\nTo:\nwhom?",
    ],
)
def test_own_words_stay(own: str) -> None:
    assert cut(own) == own


def test_blank_lines_of_the_author_stay() -> None:
    text = "a\n\n\n\nb\n\n> old\n\nc"
    assert cut(text) == "a\n\n\n\nb\n\nc"


LINES = st.sampled_from(
    [
        "", " ", "Yes.", "No, not yet", "> old", ">> older", ">", "-- ", "--", "_" * 32, "-Anna Berg",
        "On Tue, Jun 3, 2025 at 9:05 AM A <a@x.example> wrote:", "On Tue, Jun 3, 2025", "wrote:", ">From x",
        "From: A <a@x.example>", "Sent: 3 Jun 2025 09:05", "To: B", "Subject: Re: x", "Date: 2025-06-03",
        "-----Original Message-----", "---------- Forwarded message ---------", "Sent from my iPhone",
        "This e-mail is confidential and intended for you", "users mailing list", "  > a", "x:", "：",
        "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----", "> " + "y" * 80, "tail",
    ]
)  # fmt: skip
MARKS = st.lists(
    st.builds(
        Fold, st.integers(0, 12), st.integers(0, 14), st.sampled_from(["quote", "signature"])
    ),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(LINES | st.text("ab>:-@ \u3000\xa0", max_size=12), max_size=24), st.booleans(), MARKS
)
def test_nothing_is_invented_and_nothing_is_lost(
    lines: list[str], forwarded: bool, marks: list[Fold]
) -> None:
    full = "\n".join(lines)
    found = find_folds(full, forwarded=forwarded, marks=marks)
    assert all(0 <= fold.start < fold.end <= len(lines) for fold in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    text = cut(full, forwarded=forwarded, marks=marks)
    assert bool(text.strip()) == bool(full.strip())
    left = iter(line.rstrip() for line in lines)
    assert all(line.rstrip() in left for line in text.split("\n") if line.strip())
    kept = [line.rstrip() for line in text.split("\n") if line.strip()]
    folded = sum(bool(line.strip()) for fold in found for line in lines[fold.start : fold.end])
    assert len(kept) + folded == sum(bool(line.strip()) for line in lines)
    # What was folded can be told from the two texts alone.
    again = without(full, refold(full, text))
    assert [line.rstrip() for line in again.split("\n") if line.strip()] == kept


@pytest.mark.parametrize(("program", "language", "introduction"), INTRODUCTIONS[::7])
def test_a_text_that_was_cut_is_not_cut_again(
    program: str, language: str, introduction: str
) -> None:
    once = cut(f"{ANSWERS[language]}\n\n{introduction}\n\n{QUOTED}\n\n-- \nAnna")
    assert cut(once) == once, program


def test_folds_keep_their_kind() -> None:
    full = "Yes.\n\n-- \nAnna\n\nOn 3 Jun 2025, A wrote:\n> Does it work?\n"
    assert refold(full, cut(full)) == (Fold(2, 4, "signature"), Fold(5, 7, "quote"))
    assert refold(full, full) == ()
    assert refold(full, "Something else") == ()


def test_marks_of_html_are_lines_of_its_text() -> None:
    page = read_html('<br><br>a<p>b</p><div class="gmail_signature"><p>c</p></div><br>')
    assert page.text.split("\n")[page.marks[0].start : page.marks[0].end][-1] == "c"
    assert cut(page.text, marks=page.marks) == "a\n\nb"


HOSTILE = [
    "This is a usual line of a mail that somebody wrote to the desk.\n",
    "On 1 wrote:\n",
    "On Mon, 3 Jun 2025 at 09:05 A <a@x> wrote\n",
    "> a\nb:\n",
    "> " + "y" * 80 + "\nabc\n",
    "-- \n",
    "-- \n> x\n",
    "From: x\n",
    "From: a@b\nDate: x\n\n",
    "Date: 2020-01-01 10:00\n",
    "-",
    " ",
    ":",
    "On ",
    "Am schrieb ",
    "Sent from my\n",
    "This e-mail is confidential\n\n",
    "\n",
    "_",
    "-----Original ",
    "     >",
    "1.1.2020 ",
    "> \n\n",
    "From: a@b To: ",
    "写道",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_length_only(piece: str) -> None:
    def steps(size: int) -> float:
        text = piece * (size // len(piece)) + ":\n> x\n"
        best = 10.0
        for _ in range(3):
            begin = time.process_time()
            cut("own\n" + text)
            best = min(best, time.process_time() - begin)
        return best

    small, large = steps(15_000), steps(120_000)
    # Eight times as much takes eight times as long; square growth would be sixty-four times.
    assert large < 24 * small + 0.02, (small, large)


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
