"""``deskhand calendar`` from outside: other projects' cases of working time, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.console.command_line import CommandLine

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "working_time_cases.json").read_text("utf-8")
)["cases"]
_DAYS = {
    day[:3]: day
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
}
OFFICE = """\
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]
tuesday = ["09:00-12:00", "13:00-17:00"]
wednesday = ["09:00-12:00", "13:00-17:00"]
thursday = ["09:00-12:00", "13:00-17:00"]
friday = ["09:00-12:00", "13:00-15:00"]
closed = ["2026-12-24", "*-01-01"]
special = { "2026-12-31" = ["09:00-12:00"] }
"""


def write(desk: CommandLine, text: str) -> Path:
    path = desk.home / "workflow" / "calendars.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def as_calendar(name: str, case: dict[str, Any]) -> str:
    """The schedule of a case as a team would write it."""
    lines = ["[[calendar]]", f'name = "{name}"', f'timezone = "{case["timezone"]}"']
    for day, intervals in case["schedule"].items():
        lines.append(f"{_DAYS[day]} = {json.dumps(['-'.join(one) for one in intervals])}")
    lines.append(f"closed = {json.dumps(case['holidays'])}")
    return "\n".join(lines) + "\n"


def as_line(name: str, case: dict[str, Any]) -> str:
    if case["op"] == "add":
        assert case["offset"]["unit"] == "seconds"
        return f"calendar due {name} {case['start']} {case['offset']['n']}s"
    if case["op"] == "between":
        return f"calendar between {name} {case['start']} {case['end']}"
    assert case["op"] == "is_open"
    return f"calendar open {name} {case['start']}"


def test_every_case_of_other_projects_is_right(bare: CommandLine) -> None:
    assert len(CASES) == 88
    write(bare, "".join(as_calendar(f"case {n}", case) for n, case in enumerate(CASES)))
    batch = bare.home.parent / "cases"
    lines = [as_line(f'"case {n}"', case) for n, case in enumerate(CASES)]
    batch.write_text("\n".join(lines), encoding="utf-8")
    done = bare("batch", str(batch))
    assert done.status == 0
    wrong = []
    for case, document in zip(CASES, done.documents, strict=True):
        found = document.get("result", document)
        if case["op"] == "add":
            ok = datetime.fromisoformat(found["due_at"]) == datetime.fromisoformat(case["expected"])
        elif case["op"] == "between":
            ok = found == {"working_s": case["expected"]}
        else:
            ok = found["open"] is case["expected"]
        if not ok:
            wrong.append((case["source"], case["expected"], found))
    assert wrong == []


def test_due_and_between_in_a_batch_line_with_a_negative_amount(bare: CommandLine) -> None:
    write(bare, OFFICE)
    due = bare.json("calendar", "due", "office", "2026-11-23T11:00:00+01:00", "4h")
    assert due == {"due_at": "2026-11-23T15:00:00Z"}
    back = bare.json("calendar", "due", "office", "2026-11-23T15:00:00Z", "--", "-4h")
    assert back == {"due_at": "2026-11-23T10:00:00Z"}
    batch = bare.home.parent / "lines"
    batch.write_text("calendar due office 2026-11-23T15:00:00Z -- -4h\n", encoding="utf-8")
    assert bare("batch", str(batch)).document == {"ok": True, "result": back}
    span = bare.json("calendar", "between", "office", "2026-11-23T15:00:00Z", "2026-11-23T10:00Z")
    assert span == {"working_s": -4 * 3600}


def test_a_fraction_of_a_second_is_kept(bare: CommandLine) -> None:
    write(bare, OFFICE)
    due = bare.json("calendar", "due", "office", "2026-11-23T08:00:00.250Z", "1s")
    assert due == {"due_at": "2026-11-23T08:00:01.25Z"}


def test_always_is_there_without_a_file(bare: CommandLine) -> None:
    assert bare.json("calendar", "list") == {"calendars": [{"name": "always", "timezone": "UTC"}]}
    due = bare.json("calendar", "due", "always", "2026-03-28T12:00:00Z", "1d")
    assert due == {"due_at": "2026-03-29T12:00:00Z"}


def test_open_says_when_it_opens(bare: CommandLine) -> None:
    write(bare, OFFICE)
    lunch = bare.json("calendar", "open", "office", "2026-11-23T12:00:00+01:00")
    assert lunch == {"open": False, "next_open": "2026-11-23T12:00:00Z"}
    # The desk's now is Monday, 09:00 UTC.
    assert bare.json("calendar", "open", "office")["open"] is True
    assert (
        "closed; opens Mon 2026-11-23 13:00:00 CET"
        in bare("calendar", "open", "office", "2026-11-23T12:00:00+01:00").out
    )


def test_show_lists_the_days_to_come(bare: CommandLine) -> None:
    write(bare, OFFICE)
    bare.now = "2026-12-23T12:00:00Z"
    text = bare("calendar", "show", "office", "--days", "10").out
    assert "Wed 2026-12-23  09:00-12:00, 13:00-17:00" in text
    assert "Thu 2026-12-24  closed" in text
    assert "Thu 2026-12-31  09:00-12:00" in text
    assert "Fri 2027-01-01  closed" in text
    days = bare.json("calendar", "show", "office", "--days", "2")["days"]
    assert days[0] == {
        "date": "2026-12-23",
        "open": [
            ["2026-12-23T08:00:00Z", "2026-12-23T11:00:00Z"],
            ["2026-12-23T12:00:00Z", "2026-12-23T16:00:00Z"],
        ],
        "open_s": 7 * 3600,
    }


def test_list_shows_zone_and_hours_of_a_week(bare: CommandLine) -> None:
    write(bare, OFFICE)
    text = bare("calendar", "list").out
    assert "Europe/Berlin" in text
    assert "33 h" in text


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("due", "office", "2026-11-23T09:00:00", "4h"), 2, "has no time zone"),
        (("between", "office", "2026-11-23T09:00:00Z", "tomorrow"), 2, "is not a time"),
        (("due", "office", "2026-11-23T09:00:00Z", "soon"), 2, "is not a duration"),
        (("due", "ofice", "2026-11-23T09:00:00Z", "4h"), 1, "did you mean 'office'?"),
        (("due", "office", "2026-11-23T09:00:00Z", "9999999d"), 1, "lead out of the years"),
        (("due", "always", "2026-11-23T09:00:00Z", "99999999d"), 1, "lead out of the years"),
        (("due", "office", "1850-11-23T09:00:00Z", "4h"), 1, "outside the years"),
        (("show", "office", "--days", "9999"), 2, "out of range"),
    ],
)
def test_what_does_not_fit_is_told(
    words: tuple[str, ...], status: int, says: str, bare: CommandLine
) -> None:
    write(bare, OFFICE)
    assert says in bare.refused(status, "calendar", *words)


def test_a_fault_in_the_file_is_told_with_its_place(bare: CommandLine) -> None:
    path = write(bare, OFFICE.replace("Berlin", "Berlim"))
    said = bare.refused(1, "calendar", "due", "office", "2026-11-23T09:00:00Z", "4h")
    assert f"{path}:3:1: there is no time zone 'Europe/Berlim': did you mean Europe/Berlin?" in said
