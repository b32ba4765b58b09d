"""docs/calendars.md: its file loads and counts as the page says."""

from __future__ import annotations

import re
from pathlib import Path

from workflow.calendar_file import FILE, load_calendars
from workflow.clock import parse_moment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calendars.md"


def test_the_sample_counts_as_the_page_says(tmp_path: Path) -> None:
    (text,) = re.findall(
        r"```toml workflow/calendars\.toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    calendars = load_calendars(tmp_path)
    assert list(calendars) == ["always", "office", "on call"]
    office, on_call = calendars["office"], calendars["on call"]
    friday = parse_moment("2026-11-27T14:30+01:00")
    assert office.due(friday, 2 * 3600) == parse_moment("2026-11-30T10:30+01:00")
    assert not office.is_open(parse_moment("2026-11-30T12:00+01:00"))
    assert not office.is_open(parse_moment("2027-12-24T10:00+01:00"))
    assert not office.is_open(parse_moment("2027-03-08T10:00+01:00"))  # a holiday of Berlin
    assert office.is_open(parse_moment("2026-12-31T10:00+01:00"))
    assert on_call.is_open(parse_moment("2026-11-28T05:59-05:00"))
    assert not on_call.is_open(parse_moment("2026-11-28T06:00-05:00"))
