"""Answers cut into messages that Telegram takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.split import LIMIT, length, split

ANY = st.text(
    st.one_of(
        st.sampled_from("ab .!?\n😀👩\u200d🏽\u0301é。"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=300,
)


def test_a_short_text_is_one_message() -> None:
    assert split("Hello\n\nAnna") == ["Hello\n\nAnna"]
    assert split("  \n ") == []
    assert len(split("a" * LIMIT)) == 1
    assert [len(part) for part in split("a" * (LIMIT + 1))] == [LIMIT, 1]


def test_emoji_count_two() -> None:
    assert length("a😀") == 3
    assert [length(part) for part in split("😀" * 3000)] == [LIMIT, 6000 - LIMIT]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("One two three.\n\nFour five.", 20, ["One two three.", "Four five."]),
        ("One two three.\nFour five.", 20, ["One two three.", "Four five."]),
        ("One two. Three four. Five.", 22, ["One two. Three four.", "Five."]),
        ('He said "Yes." She left at once.', 20, ['He said "Yes."', "She left at once."]),
        ("one two three four", 10, ["one two", "three four"]),
        ("这是第一句。这是第二句。这是第三句。", 13, ["这是第一句。这是第二句。", "这是第三句。"]),
        ("aaaa bbbb", 4, ["aaaa", "bbbb"]),
        ("cafe\u0301cafe\u0301", 5, ["cafe\u0301", "cafe\u0301"]),
        ("👩\u200d👩\u200d👧👩\u200d👩\u200d👧", 9, ["👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"]),
    ],
)
def test_where_it_is_cut(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


@given(ANY, st.integers(2, 40))
def test_nothing_but_blanks_is_lost_and_nothing_is_too_long(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(part.strip() and length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
