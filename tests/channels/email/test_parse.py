"""Whole mails: sound, odd, hostile."""

from __future__ import annotations

import base64
import random
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.mime import split_compat32, split_lean
from channels.email.parse import ParsedMail, parse_mail, read_tree
from workflow.inbound import Party

MAIL = Path(__file__).resolve().parents[4] / "shared" / "mail"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def strings_of(mail: ParsedMail) -> Iterator[str]:
    """Every string that a person could see."""
    parties = [mail.sender, *mail.reply_to, *mail.to, *mail.cc]
    if mail.sender_header is not None:
        parties.append(mail.sender_header)
    for party in parties:
        yield party.name
        yield party.address
    yield from (mail.subject, mail.automatic.reason, *mail.delivered_to, *mail.defects)
    yield from (*mail.in_reply_to, *mail.references, mail.message_id or "")
    for file in mail.attachments:
        yield from (file.name, file.content_type, file.content_id or "")
    yield from _strings_in(mail.bounce)
    yield from _strings_in(mail.notice)


def _strings_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings_in(one)
    elif isinstance(value, str):
        yield value


def assert_harmless(mail: ParsedMail) -> None:
    """No control character, no turn of direction, no half of a pair; one line where one is due."""
    for text in (mail.text, mail.full_text):
        assert isinstance(text, str)
        if not text.replace("\n", "").isprintable():
            for character in set(text) - {"\n"}:
                assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
                assert character not in BIDI
    for text in strings_of(mail):
        assert isinstance(text, str)
        for character in text:
            assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"), ascii(text)
            assert character not in BIDI
    for file in mail.attachments:
        assert file.name
        assert "/" not in file.name
        assert "\\" not in file.name
        assert file.name.strip(". ") != ""
    for moment in (mail.date, mail.received_at):
        assert moment is None or moment.tzinfo is UTC


PLAIN = b"""Return-Path: <ana@example.com>
Delivered-To: support@desk.example
X-Original-To: help@desk.example
Received: from mx.example.com (mx [192.0.2.1])
\tby mx1.desk.example with ESMTPS id 1
\tfor <support@desk.example>; Tue, 03 Jun 2025 07:05:09 +0000
From: =?utf-8?Q?Ana_G=C3=B3mez?= <ana@Example.COM>
Sender: assistant@example.com
Reply-To: ana.private@example.org
To: Desk <support@desk.example>
Cc: "Lead, Second" <lead@desk.example>,
\tbilling@desk.example
Subject: =?utf-8?B?UsO8Y2tnYWJl?= of
 order 12
Date: Tue, 03 Jun 2025 09:05:00 +0200
Message-ID: <1@example.com>
In-Reply-To: <0@desk.example>
References: <root@desk.example>
 <0@desk.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

It is bl=C3=BCe.

On Mon, 2 Jun 2025 at 10:00, Desk <support@desk.example> wrote:
> Which colour?
"""


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_plain_mail(newline: bytes) -> None:
    mail = parse_mail(PLAIN.replace(b"\n", newline))
    assert mail.subject == "Rückgabe of order 12"
    assert mail.sender == Party("Ana Gómez", "ana@example.com")
    assert mail.sender_header == Party("", "assistant@example.com")
    assert mail.reply_to == (Party("", "ana.private@example.org"),)
    assert mail.to == (Party("Desk", "support@desk.example"),)
    assert mail.cc == (
        Party("Lead, Second", "lead@desk.example"),
        Party("", "billing@desk.example"),
    )
    assert mail.delivered_to == ("support@desk.example", "help@desk.example")
    assert mail.message_id == "<1@example.com>"
    assert mail.in_reply_to == ("<0@desk.example>",)
    assert mail.references == ("<root@desk.example>", "<0@desk.example>")
    assert mail.date == datetime(2025, 6, 3, 7, 5, tzinfo=UTC)
    assert mail.received_at == datetime(2025, 6, 3, 7, 5, 9, tzinfo=UTC)
    assert mail.text == "It is blüe."
    assert mail.full_text.endswith("> Which colour?")
    assert mail.attachments == ()
    assert not mail.automatic.automatic
    assert mail.bounce is None
    assert mail.defects == ()


def build(rng: random.Random) -> bytes:
    """A sound mail as a mail program makes it."""
    message = EmailMessage()
    names = ["Ana Gómez", "Jörg Weiß", "Smith, John", "山田 太郎", "O'Brien", "Иван Петров"]
    message["From"] = f'"{rng.choice(names)}" <c{rng.randrange(99)}@example.com>'
    message["To"] = "Desk <support@desk.example>, other@desk.example"
    message["Subject"] = rng.choice(
        ["Order 12", "Größe falsch – bitte prüfen", "注文の返金について" * 5, "x" * 200]
    )
    message["Date"] = "Tue, 03 Jun 2025 09:05:00 +0200"
    message["Message-ID"] = f"<{rng.randrange(10**9)}@example.com>"
    body = rng.choice(
        [
            "Hello,\n\nplain words.\n",
            "Größe: 42 €\n\n> zitiert\n",
            "日本語の本文\n" * 3,
            "x" * 2_000 + "\n",
        ]
    )
    message.set_content(
        body,
        cte=rng.choice(["base64", "quoted-printable", "8bit"]) if len(body) < 998 else "base64",
    )
    if rng.random() < 0.6:
        message.add_alternative(f"<p>{body}</p><img src='cid:logo@x'>", subtype="html")
        if rng.random() < 0.5:
            part = message.get_payload()[1]  # type: ignore[index]
            part.add_related(
                rng.randbytes(400), "image", "png", cid="<logo@x>", filename="logo.png"
            )  # type: ignore[union-attr]
    for _ in range(rng.choice([0, 0, 1, 3])):
        name = rng.choice(
            ["a.pdf", "Rechnung März.pdf", "請求書.pdf", "long" * 30 + ".bin", 'quo"te.txt']
        )
        message.add_attachment(
            rng.randbytes(rng.randrange(1, 3_000)), "application", "octet-stream", filename=name
        )
    if rng.random() < 0.2:
        inner = EmailMessage()
        inner["Subject"] = "Inner matter"
        inner.set_content("inside\n")
        message.add_attachment(inner)
    return message.as_bytes(policy=message.policy.clone(linesep=rng.choice(["\n", "\r\n"])))


def essence(mail: ParsedMail) -> tuple[object, ...]:
    """What the two ways must agree on."""
    files = [(file.name, file.content_type, file.data, file.inline) for file in mail.attachments]
    return (
        mail.subject,
        mail.sender,
        mail.to,
        mail.cc,
        mail.message_id,
        mail.references,
        mail.date,
        mail.full_text,
        files,
    )


def test_the_lean_way_agrees_with_the_standard_library_on_generated_mail() -> None:
    rng = random.Random(11)
    for _ in range(150):
        raw = build(rng)
        part, defects, doubtful = split_lean(raw)
        assert not doubtful
        assert defects == []
        lean = read_tree(part, [])
        assert essence(lean) == essence(read_tree(split_compat32(raw), []))
        known = message_from_bytes(raw, policy=SMTP)
        assert lean.subject == " ".join(str(known["subject"]).split())
        body = known.get_body(("plain",))  # type: ignore[attr-defined]
        assert lean.full_text.split() == body.get_content().split()


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
def test_the_lean_way_agrees_with_the_standard_library_on_published_mail() -> None:
    compared = 0
    for path in sorted(MAIL.rglob("*.eml")):
        raw = path.read_bytes()
        part, defects, doubtful = split_lean(raw)
        if doubtful or defects or raw.count(b"\r") != raw.count(b"\r\n"):
            continue
        compared += 1
        assert essence(read_tree(part, [])) == essence(read_tree(split_compat32(raw), [])), (
            path.name
        )
    assert compared > 180


@pytest.mark.skipif(not MAIL.is_dir(), reason="the published mail is not here")
def test_published_mail_is_read_without_a_fault() -> None:
    for path in sorted(MAIL.rglob("*")):
        if path.is_file():
            mail = parse_mail(path.read_bytes())
            assert_harmless(mail)
            assert not any(defect.startswith("could not") for defect in mail.defects), path.name
            if path.parent.name == "threads":
                assert mail.full_text, path.name
                assert mail.sender.address, path.name


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert_harmless(parse_mail(raw))


SEEDS = [PLAIN, *(build(random.Random(seed)) for seed in range(6))]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_damaged_mail_is_read(raw: bytes, rng: random.Random) -> None:
    data = bytearray(raw)
    pieces = [
        b"\0",
        b"\r",
        b"\n",
        b"\n\n",
        b"--",
        b"=?",
        b"?=",
        b'"',
        b"<",
        b";",
        b"\xff",
        b"\xe2\x80\xae",
        b":",
        b" ",
    ]
    for _ in range(rng.randrange(1, 12)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at] = rng.choice(pieces)
        elif kind == 1:
            del data[at : at + rng.randrange(40)]
        elif kind == 2:
            data[at:at] = data[rng.randrange(len(data) + 1) :][: rng.randrange(200)]
        else:
            del data[max(at, 20) :]
    mail = parse_mail(bytes(data))
    assert_harmless(mail)
    assert not any(defect.startswith("could not be read") for defect in mail.defects)


def test_faults_are_named() -> None:
    assert {"no From", "no Date", "no Message-ID"} <= set(parse_mail(b"Subject: x\n\ny").defects)
    assert "unreadable date" in parse_mail(b"Date: yesterday\n\nx").defects
    assert (
        "unknown charset x-unknown"
        in parse_mail(b"Content-Type: text/plain; charset=x-unknown\n\nx").defects
    )
    assert "no boundary" in parse_mail(b"Content-Type: multipart/mixed\n\nx").defects
    cut_off = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n"
    assert "no closing boundary" in parse_mail(cut_off).defects
    assert parse_mail(cut_off).full_text == "hello"


def test_empty_and_headless() -> None:
    assert parse_mail(b"").full_text == ""
    assert parse_mail(b"\n").sender == Party("", "")
    assert "just words" in parse_mail(b"just words\nand more\n").full_text
    assert parse_mail(b"\n\nSubject: late\nFrom: a@x.org\n\nbody").subject == "late"
    assert parse_mail(b"From a@x Mon Jun  2 10:00:00 2025\nSubject: box\n\nbody").subject == "box"


def test_a_stray_line_in_the_header_does_not_end_it() -> None:
    mail = parse_mail(b"Subject: x\ngarbage line\nFrom: a@x.org\n\nbody")
    assert mail.sender.address == "a@x.org"
    assert mail.full_text == "body"
    assert "line without a field name" in mail.defects
    merged = parse_mail(b"From: a@x.org\nSubject: x\nThis is the body already.\nIt goes on.\n")
    assert merged.full_text.startswith("This is the body already.")


def parts(*bodies: bytes, kind: bytes = b"mixed") -> bytes:
    """A multipart of parts given with their headers."""
    head = (
        b"From: a@x.org\nMIME-Version: 1.0\nContent-Type: multipart/" + kind + b'; boundary="b"\n\n'
    )
    return head + b"".join(b"--b\n" + body + b"\n" for body in bodies) + b"--b--\n"


def test_plain_first_then_footer_and_files() -> None:
    mail = parse_mail(
        parts(
            b"Content-Type: text/plain\n\nhello",
            b"Content-Type: text/plain\n\n-- \nlist footer",
            b'Content-Type: text/plain; name="notes.txt"\n\nnotes',
            b"Content-Type: text/plain\nContent-Disposition: attachment; filename=log.txt\n\nlog",
            b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR",
            b"Content-Type: message/rfc822\n\nSubject: About =?utf-8?Q?f=C3=BCr/you?=\n\ninner",
            b"Content-Type: image/png; name=..\\..\\evil.png\nContent-Transfer-Encoding: base64\n\n"
            + base64.b64encode(b"PNG"),
        )
    )
    assert mail.full_text == "hello\n\n-- \nlist footer"
    assert [(file.name, file.content_type) for file in mail.attachments] == [
        ("notes.txt", "text/plain"),
        ("log.txt", "text/plain"),
        ("attachment-3.ics", "text/calendar"),
        ("About für-you.eml", "message/rfc822"),
        ("evil.png", "image/png"),
    ]
    assert mail.attachments[4].data == b"PNG"
    assert mail.attachments[3].data.endswith(b"inner")


def test_a_forward_keeps_what_it_forwards() -> None:
    block = b"FYI\n\n-----Original Message-----\nFrom: C\nSent: Monday\nTo: Me\n\nIt is broken!"
    kept = parse_mail(b"From: a@x.org\nSubject: [list] Fwd: help\n\n" + block)
    assert kept.text == kept.full_text
    assert parse_mail(b"From: a@x.org\nSubject: Re: help\n\n" + block).text == "FYI"


def test_a_second_from_is_told_and_an_mbox_line_made_a_header_is_not_the_sender() -> None:
    two = parse_mail(b"From: a@x.org\nFrom: b@y.org\n\nx")
    assert two.sender.address == "a@x.org"
    assert "several From" in two.defects
    box = parse_mail(b"From: list@z.org  Thu Aug 22 12:46:39 2002\nFrom: B <b@y.org>\n\nx")
    assert box.sender == Party("B", "b@y.org")
    assert "several From" not in box.defects


def test_alternative_prefers_plain_and_html_is_no_file() -> None:
    both = [b"Content-Type: text/plain\n\nplain", b"Content-Type: text/html\n\n<p>html</p>"]
    mail = parse_mail(parts(*both, kind=b"alternative"))
    assert (mail.full_text, mail.attachments) == ("plain", ())
    mail = parse_mail(parts(both[1], kind=b"alternative"))
    assert (mail.full_text, mail.attachments) == ("html", ())
    empty = parse_mail(parts(b"Content-Type: text/plain\n\n \n", both[1], kind=b"alternative"))
    assert empty.full_text == "html"


def test_inline_pictures() -> None:
    mail = parse_mail(
        parts(
            b"Content-Type: text/html\n\n<p>see <img src='cid:one@x'></p>",
            b"Content-Type: image/png; name=one.png\nContent-ID: <one@x>\n"
            b"Content-Disposition: attachment\n\nPNG",
            b"Content-Type: image/png; name=two.png\nContent-Disposition: attachment\n\nPNG",
            kind=b"related",
        )
    )
    assert [(file.name, file.inline, file.content_id) for file in mail.attachments] == [
        ("one.png", True, "one@x"),
        ("two.png", False, None),
    ]


def test_hostile_content_is_shown() -> None:
    mail = parse_mail(
        "From: \x1b]0;owned\x07 <a@x.org>\nSubject: pay\u202elive\x1b[2J\n"
        "Content-Type: text/plain; charset=utf-8\n\n"
        "\x1b[31mred\x00\u2066\u202e".encode()
    )
    assert mail.subject == "pay⟨U+202E⟩live␛[2J"
    assert mail.full_text == "␛[31mred␀⟨U+2066⟩⟨U+202E⟩"
    assert mail.sender.name == "␛]0; owned␇"
    name = (
        parse_mail(parts(b'Content-Type: a/b; name="invoice\xe2\x80\xaefdp.exe"\n\nx'))
        .attachments[0]
        .name
    )
    assert name == "invoice⟨U+202E⟩fdp.exe"


def nested(levels: int) -> bytes:
    """Multiparts in multiparts."""
    out = b"From: a@x.org\n"
    for level in range(levels):
        out += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    return out + b"Content-Type: text/plain\n\ndeep\n"


@pytest.mark.parametrize(
    "raw",
    [
        nested(1_000),
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bx\n" * 200_000,
        b"A:\n" * 200_000,
        b"garbage\n" * 200_000,
        b"Subject: " + b"=?utf-8?Q?x?= " * 50_000 + b"\n\nx",
        b"To: " + b"a@x.org, " * 100_000 + b"\n\nx",
        b"References: " + b"<a@x> " * 100_000 + b"\n\nx",
        b"Content-Type: text/plain;" + b" a=b;" * 100_000 + b"\n\nx",
        b"Content-Type: text/plain; name*1" + b"*" * 100_000 + b"\n\nx",
        bytes(range(256)) * 20_000,
        b"\n" * 1_000_000,
        b"\r" * 1_000_000,
    ],
    ids=range(13),
)
def test_hostile_structure_is_cheap(raw: bytes) -> None:
    begin = time.process_time()
    mail = parse_mail(raw)
    assert time.process_time() - begin < 6
    assert not any(defect.startswith("could not be read") for defect in mail.defects)
    for text in strings_of(mail):
        assert text.isprintable()


def test_nothing_of_a_deep_mail_is_dropped() -> None:
    mail = parse_mail(nested(1_000))
    assert "nested too deep" in mail.defects
    assert any(b"deep" in file.data for file in mail.attachments)


def test_sixty_megabytes() -> None:
    raw = parts(
        b"Content-Type: text/plain\n\nhello",
        b"Content-Type: application/zip; name=big.zip\nContent-Transfer-Encoding: base64\n\n"
        + b"QUJD" * 15_000_000,
    )
    begin = time.process_time()
    mail = parse_mail(raw)
    assert time.process_time() - begin < 10
    assert len(mail.attachments[0].data) == 45_000_000
    assert mail.full_text == "hello"
