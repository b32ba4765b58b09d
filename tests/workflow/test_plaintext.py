"""The gate for text that a stranger wrote."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.plaintext import one_line, printable

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_clean_text_is_the_same_object() -> None:
    for text in ("plain text\nsecond line", "größer 日本語 Привет 👍", ""):
        assert printable(text) is text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[31mred", "a␛[31mred"),
        ("a\x00b", "a␀b"),
        ("a\x7fb", "a␡b"),
        ("a\x9b31m", "a⟨U+009B⟩31m"),
        ("a\x07\x08b", "a␇␈b"),
        ("abc\u202egnp.exe", "abc⟨U+202E⟩gnp.exe"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("pay\u200bpal", "pay⟨U+200B⟩pal"),
        ("x" + "\u200b" * 5_000, "x⟨U+200B ×5000⟩"),
        ("\ud800", "\ufffd"),
        ("a\U000e0041b", "a⟨U+E0041⟩b"),
        ("a\ufeffb", "a⟨U+FEFF⟩b"),
        ("a\u3164b", "a⟨U+3164⟩b"),
        ("pay\u200dpal", "pay⟨U+200D⟩pal"),
        ("a\ufe0fb", "a⟨U+FE0F⟩b"),
    ],
)
def test_hostile_characters_leave_a_visible_sign(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_line_ends_become_line_feeds() -> None:
    assert printable("a\r\nb\rc\u2028d\u2029e\x85f") == "a\nb\nc\nd\ne\nf"
    assert printable("a\nb\r\nc", multiline=False) == "a b c"
    assert printable("größer\nals", multiline=False) == "größer als"


def test_tabs_keep_columns() -> None:
    assert printable("a\tb") == "a       b"


@pytest.mark.parametrize(
    "legitimate",
    [
        "می\u200cخواهم",  # Persian
        "क्\u200dष",  # Devanagari
        "\U0001f469\u200d\U0001f4bb",  # woman technologist
        "\u2764\ufe0f",  # red heart
        "1\ufe0f\u20e3",  # keycap
        "\U0001f3f3\ufe0f\u200d\U0001f308",  # rainbow flag
        "葛\U000e0100",  # ideographic variation
    ],
)
def test_joiners_and_selectors_stay_where_scripts_need_them(legitimate: str) -> None:
    assert printable(legitimate) == legitimate


def test_one_line_collapses_and_limits() -> None:
    assert one_line("  a\r\n  b\t c ") == "a b c"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"
    assert one_line("a\u202eb\x1b") == "a⟨U+202E⟩b␛"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters()))
def test_nothing_hostile_comes_through_and_it_is_stable(text: str) -> None:
    out = printable(text)
    for character in out:
        category = unicodedata.category(character)
        assert character == "\n" or category not in ("Cc", "Cs", "Zl", "Zp")
        assert character not in BIDI
    assert printable(out) == out
    line = one_line(text, 50)
    assert "\n" not in line
    assert len(line) <= 50
