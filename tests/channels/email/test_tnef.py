"""winmail.dat: files and texts inside it, and what happens to a broken one."""

from __future__ import annotations

import struct
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from channels.email.parse import parse_mail
from channels.email.tnef import TnefFile, unpack

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)
LONG_NAME, DATA, MIME = 0x3707, 0x3701, 0x370E


def attribute(level: int, number: int, value: bytes) -> bytes:
    return (
        struct.pack("<BHHI", level, number, 6, len(value))
        + value
        + struct.pack("<H", sum(value) & 0xFFFF)
    )


def padded(value: bytes) -> bytes:
    return value + b"\0" * (-len(value) % 4)


def properties(*entries: tuple[int, int, bytes]) -> bytes:
    """Property values with a named one before them, as Outlook writes them."""
    named = struct.pack("<HH16sII", 0x3, 0x8005, b"g" * 16, 0, 77) + struct.pack("<I", 5)
    made = [named]
    for number, kind, value in entries:
        made.append(struct.pack("<HHII", kind, number, 1, len(value)) + padded(value))
    return struct.pack("<I", len(made)) + b"".join(made)


def stream(*attributes: bytes) -> bytes:
    return SIGNATURE + b"".join(attributes)


SMALL = stream(
    attribute(1, 0x9007, struct.pack("<I", 1252)),
    attribute(1, 0x800C, "Grüße\r\nfrom Outlook\0".encode("cp1252")),
    attribute(2, 0x9002, b"\0" * 14),
    attribute(2, 0x8010, b"SHORT~1.PDF\0"),
    attribute(2, 0x800F, b"%PDF-data"),
    attribute(
        2,
        0x9005,
        properties(
            (LONG_NAME, 0x1F, "Übersicht 見積.pdf\0".encode("utf-16-le")),
            (MIME, 0x1E, b"application/pdf\0"),
        ),
    ),
)


def mail(winmail: bytes, text: str = "") -> bytes:
    made = EmailMessage()
    made["From"] = "a@example.org"
    made.set_content(text)
    made.add_attachment(winmail, "application", "ms-tnef", filename="winmail.dat")
    return made.as_bytes()


def test_the_files_inside_take_the_place_of_the_file_and_its_text_that_of_none() -> None:
    read = parse_mail(mail(SMALL))
    assert read.full_text == "Grüße\nfrom Outlook"
    assert [(f.name, f.content_type, f.data) for f in read.attachments] == [
        ("Übersicht 見積.pdf", "application/pdf", b"%PDF-data")
    ]
    assert parse_mail(mail(SMALL, "What I wrote\n")).full_text == "What I wrote"


def test_one_that_breaks_off_gives_what_it_has_and_stays_as_a_file() -> None:
    read = parse_mail(mail(SMALL + b"\1\2\3"))
    assert [f.name for f in read.attachments] == ["Übersicht 見積.pdf", "winmail.dat"]
    empty = parse_mail(mail(SIGNATURE))
    assert [(f.name, f.data) for f in empty.attachments] == [("winmail.dat", SIGNATURE)]


def test_a_message_inside_gives_its_text_and_its_files() -> None:
    iid = bytes.fromhex("0703020000000000c000000000000046")
    outer = stream(
        attribute(2, 0x9002, b"\0" * 14),
        attribute(2, 0x9005, properties((DATA, 0xD, iid + SMALL), (0x3001, 0x1E, b"A reply\0"))),
    )
    found = unpack(outer)
    assert [(f.name, f.data) for f in found.files] == [
        ("A reply.txt", "Grüße\r\nfrom Outlook".encode()),
        ("Übersicht 見積.pdf", b"%PDF-data"),
    ]


def test_lengths_and_counts_that_lie_end_the_reading_at_once() -> None:
    lie = attribute(2, 0x9002, b"") + attribute(
        2, 0x9005, struct.pack("<I", 0xFFFFFFFF) + b"\0" * 64
    )
    found = unpack(SIGNATURE + lie)
    assert (found.whole, found.files) == (False, [TnefFile()])
    many = SIGNATURE + attribute(1, 0x8004, b"") * 30_000
    assert unpack(many).whole is False


@given(st.integers(0, len(SMALL) - 1), st.binary(max_size=8), st.integers(0, 40))
def test_any_damage_is_survived(at: int, instead: bytes, cut: int) -> None:
    damaged = SMALL[:at] + instead + SMALL[at + cut :]
    read = parse_mail(mail(damaged))
    # Nothing is dropped: either something inside was found, or the file is there itself.
    assert read.attachments or read.full_text
