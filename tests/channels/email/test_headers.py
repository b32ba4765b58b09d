"""Header values: encoded words, parameters, ids, addresses, dates, charsets, encodings."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest

from channels.email.addresses import bare_addresses, parse_addresses
from channels.email.charsets import codec_for, decode
from channels.email.dates import parse_date, received_date
from channels.email.headers import decode_words, header_text, message_id, message_ids, parameters
from channels.email.transfer import decode_transfer
from workflow.inbound import Party


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?UTF-8?q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"),
        ("=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
        ("Re: =?utf-8?Q?a?= =?utf-8?Q?b?= c", "Re: ab c"),
        ("=?utf-8?Q?a?=  x =?utf-8?Q?b?=", "a  x b"),
        # Against the rules, and everywhere.
        ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe an alle?=", "Grüße an alle"),
        ("=?utf-8?Q?why?_really??=", "why? really?"),
        ("=?utf-8?B?w?= =?utf-8?B?7w=?=", decode_words("=?utf-8?B?w?= =?utf-8?B?7w=?=")),
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"),
        ("pre=?utf-8?Q?=C3=BC?=post", "preüpost"),
        ("=?utf-8?Q?cut_o", "cut o"),
        ("=?x-nobody?Q?a=C3=BC?=", "aü"),
        ("=? no word ?=", "=? no word ?="),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?windows-1252?Q?=93quoted=94?=", "“quoted”"),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    assert decode_words(raw) == text


def test_raw_header_bytes_are_utf8_then_the_bodys_charset_then_windows_1252() -> None:
    assert header_text("Grüße".encode()) == "Grüße"
    assert header_text("Привет".encode("koi8-r"), "koi8-r") == "Привет"
    assert header_text("Grüße – €".encode("cp1252")) == "Grüße – €"


def test_encoded_words_take_linear_time() -> None:
    begin = time.process_time()
    for hostile in (
        "=?a?q?x" * 20_000,
        "=?a?q?" * 20_000,
        "=?" * 60_000,
        "=?utf-8?B?" * 10_000 + "?=",
    ):
        header_text(hostile.encode())
    assert time.process_time() - begin < 3


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        ('text/plain; charset="utf-8"', "charset", "utf-8"),
        ("text/plain; charset=utf-8; format=flowed", "charset", "utf-8"),
        ("a/b; name=My File.pdf", "name", "My File.pdf"),
        ("a/b; name*=utf-8''%e2%82%ac%20rates.txt", "name", "€ rates.txt"),
        ("a/b; name*0*=utf-8''%e2%82; name*1*=%ac; name*2=.txt", "name", "€.txt"),
        ("a/b; name*0=long; name*1=er.txt", "name", "longer.txt"),
        ("a/b; name*1=er.txt; name*0=long", "name", "longer.txt"),
        ("a/b; name=plain.txt; name*=utf-8''f%C3%BCr.txt", "name", "für.txt"),
        ('a/b; name="=?utf-8?Q?f=C3=BCr.txt?="', "name", "für.txt"),
        (r'a/b; name="a \"b\".txt"', "name", 'a "b".txt'),
        (r'a/b; name="C:\tmp\x.txt"', "name", r"C:\tmp\x.txt"),
        ('a/b; name="open', "name", "open"),
        ("a/b;;; NAME = x ;", "name", "x"),
    ],
)
def test_parameters(raw: str, name: str, value: str) -> None:
    assert parameters(raw)[name] == value


def test_message_ids() -> None:
    assert message_ids(b"<a@x> <b@y>\t<a@x>") == ("<a@x>", "<b@y>")
    assert message_ids(b"Message of Monday <a@x> by me") == ("<a@x>",)
    assert message_ids(b"<abc\n def@x>") == ("<abcdef@x>",)
    assert message_ids(b"a@x, b@y") == ("<a@x>", "<b@y>")
    assert message_ids(b"nothing here") == ()
    many = message_ids(" ".join(f"<{n}@x>" for n in range(500)).encode())
    assert len(many) == 101
    assert many[0] == "<0@x>"
    assert many[-1] == "<499@x>"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b" <a@x> ", "<a@x>"),
        (b"a@x", "<a@x>"),
        (b"<[x@microsoft.com]>", "<[x@microsoft.com]>"),
        (b"", None),
        (b"<>", None),
        (b"two words", None),
        (b"<a\x1b@x>", "<a␛@x>"),
    ],
)
def test_message_id(raw: bytes, value: str | None) -> None:
    assert message_id(raw) == value


@pytest.mark.parametrize(
    ("raw", "parties"),
    [
        ("Ana <ana@Example.COM>", [("Ana", "ana@example.com")]),
        ('"Lead, Second" <l@x.org>, b@y.org', [("Lead, Second", "l@x.org"), ("", "b@y.org")]),
        ("b@y.org (Mail System)", [("Mail System", "b@y.org")]),
        ("=?utf-8?Q?J=C3=B6rg?= <j@x.org>", [("Jörg", "j@x.org")]),
        ('"=?utf-8?Q?J=C3=B6rg?=" <j@x.org>', [("Jörg", "j@x.org")]),
        ("=?utf-8?Q?Doe, Jane?= <j@x.org>", [("Doe, Jane", "j@x.org")]),
        ("=?utf-8?Q?Jane_=3Cj=40x.org=3E?=", [("Jane", "j@x.org")]),
        ("Doe, Jane <j@x.org>", [("Doe, Jane", "j@x.org")]),
        ("undisclosed-recipients:;", []),
        (
            "Team: a@x.org, B <b@x.org>; c@x.org",
            [("", "a@x.org"), ("B", "b@x.org"), ("", "c@x.org")],
        ),
        ("<@relay.org,@b:c@x.org>", [("", "c@x.org")]),
        ("<mailto:c@x.org>", [("", "c@x.org")]),
        ("a@x.org; b@x.org", [("", "a@x.org"), ("", "b@x.org")]),
        ("a@x.org b@x.org"[:7], [("", "a@x.org")]),
        ("John Doe", [("John Doe", "")]),
        ("<root>", [("", "root")]),
        ("'Jo' <j@x.org>", [("Jo", "j@x.org")]),
        ('"j@x.org" <j@x.org>', [("", "j@x.org")]),
        ('"open <j@x.org>, k@x.org', [("open", "j@x.org"), ("", "k@x.org")]),
        ("<a@b.\n example>", [("", "a@b.example")]),
        ("Eve\x1b[2J <e@x.org>", [("Eve␛[2J", "e@x.org")]),
        ("\u202eeve <e@x.org>", [("⟨U+202E⟩eve", "e@x.org")]),
        ('"a b"@x.org', [("", '"a b"@x.org')]),
        ("", []),
    ],
)
def test_addresses(raw: str, parties: list[tuple[str, str]]) -> None:
    assert parse_addresses(raw.encode()) == tuple(Party(*one) for one in parties)


def test_an_overlong_address_is_none_rather_than_somebody_elses() -> None:
    (party,) = parse_addresses(b"X <" + b"a" * 2_000 + b"@x.org>")
    assert party == Party("X", "")


def test_address_lists_take_linear_time() -> None:
    begin = time.process_time()
    for hostile in (
        "(" * 100_000,
        '"' * 100_001,
        '\\"' * 50_000,
        "<" * 100_000,
        "a," * 50_000,
        " " * 100_000,
    ):
        parse_addresses(hostile.encode())
    assert time.process_time() - begin < 5


def test_bare_addresses() -> None:
    assert bare_addresses(b"a@X.org,<b@y.org>") == ("a@x.org", "b@y.org")


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("Tue, 03 Jun 2025 09:05:00 +0200", datetime(2025, 6, 3, 7, 5, tzinfo=UTC)),
        ("3 Jun 2025 09:05:00 -0000", datetime(2025, 6, 3, 9, 5, tzinfo=UTC)),
        ("Tue, 3 Jun 2025 09:05 GMT (comment)", datetime(2025, 6, 3, 9, 5, tzinfo=UTC)),
        ("Tue, 3 Jun 25 09:05:00 EST", datetime(2025, 6, 3, 14, 5, tzinfo=UTC)),
        ("2025-06-03T09:05:00Z", datetime(2025, 6, 3, 9, 5, tzinfo=UTC)),
        ("Tue, 31 Dec 2024 23:59:60 +0000", datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Tue, 3 Jun 2025 09:05:00 +9900", datetime(2025, 6, 3, 9, 5, tzinfo=UTC)),
        ("Tue, 32 Foo 2024 25:61:00", None),
        ("yesterday", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("Thu, 01 Jan 9999 00:00:00 +0000", None),
        ("", None),
    ],
)
def test_dates(raw: str, moment: datetime | None) -> None:
    assert parse_date(raw.encode()) == moment


def test_received_date() -> None:
    value = (
        b" from a (b [192.0.2.1])\tby mx; with ESMTPS id 1; Tue, 03 Jun 2025 09:05:00 +0200 (CEST)"
    )
    assert received_date(value) == datetime(2025, 6, 3, 7, 5, tzinfo=UTC)
    assert received_date(b" from nowhere") is None


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("“10 €” …".encode("cp1252"), "iso-8859-1", "“10 €” …"),
        ("“10 €”".encode("cp1252"), "us-ascii", "“10 €”"),
        ("grün".encode(), "us-ascii", "grün"),
        ("grün".encode(), "x-unknown", "grün"),
        ("grün".encode(), None, "grün"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("日本語".encode("cp932"), "shift_jis", "日本語"),
        ("日本語".encode("iso2022_jp"), "ISO-2022-JP", "日本語"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("\ufeffhello".encode(), "utf-8", "hello"),
        ("hello".encode("utf-16"), None, "hello"),
        (
            "Grüße aus München, schöne Tage".encode("cp1252"),
            "utf-8",
            "Grüße aus München, schöne Tage",
        ),
    ],
)
def test_charsets(data: bytes, label: str | None, text: str) -> None:
    assert decode(data, label)[0] == text


def test_odd_charsets_are_named_and_dangerous_codecs_refused() -> None:
    assert decode(b"x", "x-unknown")[1] == "unknown charset x-unknown"
    assert decode("日本".encode()[:-1] + b"x" * 50, "utf-8")[1] == "charset utf-8 does not fit"
    for label in (
        "idna",
        "punycode",
        "unicode_escape",
        "zip",
        "rot13",
        "base64",
        "undefined",
        "../../x",
    ):
        assert codec_for(label) is None, label
    assert decode(bytes(range(256)), "iso-8859-1")[0].startswith("\x00")


@pytest.mark.parametrize(
    ("encoded", "encoding", "data"),
    [
        (base64.b64encode(b"hello world"), b"base64", b"hello world"),
        (b"aGVsbG8", b"base64", b"hello"),
        (b"aGVsbG8=\r\nd29ybGQ=\r\n", b"BASE64", b"helloworld"),
        (b"a=C3=BC=\r\nb", b"quoted-printable", b"a\xc3\xbcb"),
        (b"a= \nb", b"Quoted-Printable", b"ab"),
        (b"100%=", b"quoted-printable", b"100%"),
        (b"as it is", b"8bit", b"as it is"),
        (b"as it is", b"x-none-such", b"as it is"),
        (b"begin 644 x\n%:&5L;&\\\n`\nend\n", b"x-uuencode", b"hello"),
    ],
)
def test_transfer_encodings(encoded: bytes, encoding: bytes, data: bytes) -> None:
    assert decode_transfer(encoded, encoding)[0] == data


def test_text_that_only_claims_to_be_base64_is_kept() -> None:
    text = b"Hello, this is plain! It isn't encoded at all. Really? Yes: no.\n" * 3
    assert decode_transfer(text, b"base64", text=True)[0] == text


def test_a_footer_below_base64_is_kept_in_text_and_kept_out_of_files() -> None:
    body = base64.b64encode(b"hello world!!" * 40) + b"\n-- \nlist: go, read!\n"
    assert decode_transfer(body, b"base64", text=True)[0].endswith(b"!!\n-- \nlist: go, read!\n")
    assert decode_transfer(body, b"base64")[0] == b"hello world!!" * 40
