"""How numbers, times and strangers' texts read on the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from console import fmt, safe
from console.attachments import safe_file_name
from console.when_words import parse_when
from console.widgets.transcript_lines import wrap
from workflow.errors import UsageError

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)  # a Tuesday
HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31m\x9b2J\x00\x7f\u202egnp\u2066\u200fx\ud800\ufeff\U000e0041[/][@click=app.quit]q[/]"


def is_harmless(text: str) -> bool:
    return all(c.isprintable() or c in "\n\u200b\u200c\u200d\ufe0e\ufe0f" for c in text)


@given(st.text())
def test_the_gate_lets_no_control_or_direction_through(text: str) -> None:
    for line in safe.printable(text).split("\n"):
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in line)
        assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in line)
        line.encode()


@given(st.text(), st.integers(0, 40))
def test_a_fitted_text_has_exactly_its_cells(text: str, width: int) -> None:
    assert safe.cells(safe.fit(safe.one_line(text), width)) == width


def test_hostile_text_is_shown_not_obeyed() -> None:
    shown = safe.one_line(HOSTILE)
    assert "\u241b" in shown  # ESC is seen
    assert "[/][@click=app.quit]q[/]" in shown
    assert is_harmless(shown)
    assert safe.content(HOSTILE + "\n[b]x[/b]").plain.endswith("\n[b]x[/b]")
    assert isinstance(safe.content("[/"), Content)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.integers(8, 60))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(safe.cells(line) <= width for line in lines)
    kept = "".join("".join(lines).split())
    assert kept == "".join(
        "".join(safe.printable(raw.expandtabs(8)) for raw in text.split("\n")).split()
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0:00"),
        (59, "0:00"),
        (42 * 60, "0:42"),
        (-300, "0:05"),
        (3 * 3600 + 720, "3h12"),
        (80 * 3600, "3d8h"),
        (31 * 86400, "31d"),
    ],
)
def test_spans_are_short(seconds: int, words: str) -> None:
    assert fmt.short_span(seconds) == words


def test_the_nearest_promise_reads_without_colour() -> None:
    now, minute = 1_000_000_000_000, 60_000
    say = fmt.clock_words
    assert say(now, "first_response", now + 42 * minute, None, False) == ("F 0:42", "text")
    assert say(now, "next_response", now + 5 * minute, now - 1, False) == ("N 0:05 !", "risk")
    assert say(now, "resolution", now - 5 * minute, None, False) == ("R -0:05", "late")
    assert say(now, "resolution", now - 5 * minute, None, False, wide=True) == (
        "R late 0:05",
        "late",
    )
    assert say(now, None, None, None, True) == ("‖ paused", "dim")
    assert say(now, None, None, None, False, wide=True) == ("no promise", "faint")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2h", NOW + timedelta(hours=2)),
        ("in 30 m", NOW + timedelta(minutes=30)),
        ("tomorrow", datetime(2026, 3, 11, 9, tzinfo=UTC)),
        ("tomorrow 14:15", datetime(2026, 3, 11, 14, 15, tzinfo=UTC)),
        ("mon", datetime(2026, 3, 16, 9, tzinfo=UTC)),
        ("tuesday at 8:00", datetime(2026, 3, 17, 8, tzinfo=UTC)),
        ("fri 2pm", datetime(2026, 3, 13, 14, tzinfo=UTC)),
        ("18:00", datetime(2026, 3, 10, 18, tzinfo=UTC)),
        ("9:00", datetime(2026, 3, 11, 9, tzinfo=UTC)),
        ("next week", datetime(2026, 3, 16, 9, tzinfo=UTC)),
        ("2026-04-01", datetime(2026, 4, 1, 9, tzinfo=UTC)),
        ("2026-04-01 10:30", datetime(2026, 4, 1, 10, 30, tzinfo=UTC)),
        ("2026-04-01T10:30:00Z", datetime(2026, 4, 1, 10, 30, tzinfo=UTC)),
    ],
)
def test_times_as_people_type_them(typed: str, expected: datetime) -> None:
    assert parse_when(typed, NOW, UTC) == expected


@pytest.mark.parametrize(
    "typed", ["", "soon", "2026-03-01", "25:00", "-2h", "mon tue", "tomorrow x"]
)
def test_other_words_are_refused_with_the_forms_that_fit(typed: str) -> None:
    with pytest.raises(UsageError, match=r"is not a time|in the past"):
        parse_when(typed, NOW, UTC)


@pytest.mark.parametrize(
    ("given_name", "saved"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.exe", "x.exe"),
        ("\x1b[31m.png", "31m.png"),
        ("", "attachment"),
        ("..", "attachment"),
        ("-rf", "rf"),
        ("con.txt", "_con.txt"),
        ("請求書.pdf", "請求書.pdf"),
    ],
)
def test_file_names_of_strangers_are_made_harmless(given_name: str, saved: str) -> None:
    assert safe_file_name(given_name) == saved


@given(st.text(max_size=400))
def test_any_file_name_is_one_short_part(name: str) -> None:
    saved = safe_file_name(name)
    assert saved
    assert "/" not in saved
    assert not saved.startswith((".", "-"))
    assert len(saved.encode()) <= 121
    assert saved.isprintable()


@pytest.mark.parametrize(
    ("left_s", "accepted_by", "words"),
    [
        (1200, None, "esc L2 ack? 0:20"),
        (1199, None, "esc L2 ack? 0:20"),
        (1, None, "esc L2 ack? 0:01"),
        (0, None, "esc L2 ack? 0:00"),
        (-300, None, "esc L2 ack? -0:05"),
        (7260, None, "esc L2 ack? 2h01"),
        (None, None, "esc L2"),
        (1200, "ben", "esc L2 ben"),
        (None, "ben", "esc L2 ben"),
    ],
)
def test_an_escalation_says_what_is_left_to_accept_it_in(
    left_s: int | None, accepted_by: str | None, words: str
) -> None:
    due = None if left_s is None else 1_000_000 + left_s * 1000
    assert fmt.escalation_words("L2", 1_000_000, due, accepted_by) == words
