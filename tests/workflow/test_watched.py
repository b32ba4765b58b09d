"""A file that is edited while the desk runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.watched import LAST_GOOD, WatchedFile

NAME = "workflow/number.txt"


def load(home: Path) -> int:
    try:
        text = (home / NAME).read_text()
    except FileNotFoundError:
        return 0
    if not text.strip().isdigit():
        raise SettingsError(f"{home / NAME}:1: {text!r} is no number")
    beside = home / "workflow" / "more.txt"
    return int(text) + (int(beside.read_text()) if beside.exists() else 0)


def watched(home: Path | None) -> WatchedFile[int]:
    return WatchedFile(home, NAME, load, 0, lambda _value: ("workflow/more.txt",))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "workflow").mkdir()
    return tmp_path


def test_an_edit_is_taken_and_a_bad_one_is_told(home: Path) -> None:
    file = watched(home)
    assert (file.value, file.problem, file.digest) == (0, None, "")
    (home / NAME).write_text("7")
    first = file.digest
    assert (file.value, bool(first)) == (7, True)
    (home / NAME).write_text("seven")
    assert file.value == 7
    assert file.problem is not None
    assert "'seven' is no number" in file.problem
    assert file.digest == first
    (home / NAME).write_text("12")
    assert (file.value, file.problem) == (12, None)
    assert file.digest not in ("", first)


def test_what_it_reads_beside_counts_too(home: Path) -> None:
    (home / NAME).write_text("7")
    file = watched(home)
    assert file.value == 7
    before = file.digest
    (home / "workflow" / "more.txt").write_text("3")
    assert file.value == 10
    assert file.digest != before


def test_a_desk_that_starts_with_a_bad_file_goes_on_with_the_last_good_one(home: Path) -> None:
    (home / NAME).write_text("7")
    before = watched(home)
    assert before.value == 7
    (home / NAME).write_text("seven")
    after = watched(home)
    assert after.value == 7
    assert after.problem is not None
    assert str(home / NAME) in after.problem
    assert after.digest == before.digest


def test_a_file_that_is_taken_away_is_gone(home: Path) -> None:
    (home / NAME).write_text("7")
    file = watched(home)
    assert file.value == 7
    (home / NAME).unlink()
    assert (file.value, file.problem) == (0, None)
    assert not (home / LAST_GOOD / NAME).exists()
    assert watched(home).value == 0


def test_a_bad_file_that_was_never_good_leaves_what_a_desk_without_one_has(home: Path) -> None:
    (home / NAME).write_text("seven")
    file = watched(home)
    assert file.value == 0
    assert file.problem is not None


def test_a_desk_without_a_home_has_no_file() -> None:
    assert watched(None).value == 0
