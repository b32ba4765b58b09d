"""A mail as it came: header, parts, files by name; harmless whatever it holds."""

from __future__ import annotations

from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from channels.email.original import LONGEST, original_mail


def test_the_header_each_part_and_the_files_are_told() -> None:
    mail = EmailMessage()
    mail["From"] = "a@example.org"
    mail["Subject"] = "Grüße"
    mail.set_content("Plain ü\n")
    mail.add_alternative("<p>As <b>HTML</b></p>\n", subtype="html")
    mail.add_attachment(b"%PDF" * 500, "application", "pdf", filename="Übersicht.pdf")
    header, plain, html, file = original_mail(mail.as_bytes())
    assert header[0] == ""
    assert header[1].splitlines()[:2] == [
        "From: a@example.org",
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
    ]
    assert plain == ("Part 1 · text/plain · utf-8 · 8bit · 9 bytes", "Plain ü\n")
    assert html == ("Part 2 · text/html · utf-8 · 7bit · 22 bytes", "<p>As <b>HTML</b></p>\n")
    assert file == ("Part 3 · application/pdf · base64 · 2,000 bytes · Übersicht.pdf", "")


def test_a_long_part_is_cut_and_says_so() -> None:
    _header, (_facts, text) = original_mail(b"From: a@b.c\n\n" + b"x" * (LONGEST + 5))
    assert text.endswith("x\n… 5 more characters")


@given(st.binary(max_size=600))
def test_nothing_in_it_reaches_a_terminal(raw: bytes) -> None:
    for title, text in original_mail(b"\x1b]52;c;aGk=\x07: \x9b\n\n" + raw):
        assert not set(title + text) & set("\x1b\x07\x9b\u202e\r")
