"""The ready-made workflow through ``deskhand setup`` and ``deskhand workflow install``."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.setup.ready_made import local_zone
from tests.console.command_line import CommandLine
from tests.console.terminal import terminal

FILES = [
    "workflow/calendars.toml",
    "workflow/sla.toml",
    "workflow/topics.toml",
    "workflow/companies.csv",
    "workflow/routing.csv",
    "workflow/escalation.toml",
    "workflow/triggers.toml",
]


def test_setup_installs_it_once(bare: CommandLine) -> None:
    bare.agent = None
    words = ("setup", "--agent-name", "ana", "--timezone", "Europe/Berlin", "--yes")
    document = bare.json(*words)
    assert document["workflow"]["written"] == FILES
    assert document["workflow"]["groups"] == ["senior", "leads"]
    office = bare.home / "workflow" / "calendars.toml"
    assert 'timezone = "Europe/Berlin"' in office.read_text(encoding="utf-8")
    office.unlink()
    again = bare.json("setup", "--agent-name", "ben", "--yes")
    assert again["workflow"] is None
    assert not office.exists()


def test_setup_leaves_it_out_where_it_is_told_to(bare: CommandLine) -> None:
    document = bare.json("setup", "--agent-name", "ana", "--no-workflow", "--yes")
    assert document["workflow"] is None
    assert not (bare.home / "workflow").exists()


def test_install_into_a_desk_that_is_there(deskhand: CommandLine) -> None:
    document = deskhand.json("workflow", "install", "--country", "DE", "--subdivision", "BE")
    assert document["written"] == FILES
    # The sample desk has a first and a second line.
    assert document["groups"] == ["leads"]
    assert document["empty_groups"] == ["leads"]
    office = (deskhand.home / "workflow" / "calendars.toml").read_text(encoding="utf-8")
    assert 'holidays = { country = "DE", subdivision = "BE" }' in office
    assert deskhand.json("doctor")["ok"]


def test_what_is_there_is_never_written_over(deskhand: CommandLine) -> None:
    own = deskhand.home / "workflow" / "sla.toml"
    own.parent.mkdir()
    own.write_text('[[policy]]\nname = "Ours"\nfirst_response = "1h"\n', encoding="utf-8")
    before = own.read_bytes()
    text = deskhand("workflow", "install").out
    assert f"there already, as it was: {own}" in text
    said = deskhand.refused(1, "workflow", "install", "policies")
    assert f"{own} is there already and stays as it is: give --beside" in said
    assert deskhand.json("workflow", "install", "sla", "--beside")["written"] == [
        "workflow/sla.ready-made.toml"
    ]
    assert own.read_bytes() == before


def test_list_and_print_write_nothing(deskhand: CommandLine) -> None:
    pieces = deskhand.json("workflow", "install", "--list")["pieces"]
    assert [piece["file"] for piece in pieces] == FILES
    assert not any(piece["there"] for piece in pieces)
    assert "critical incident,critical" in deskhand("workflow", "install", "routing", "--print").out
    assert list(deskhand.json("workflow", "install", "--print")["files"]) == FILES
    assert not (deskhand.home / "workflow").exists()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--timezone", "Berlin"), 2, "did you mean Europe/Berlin?"),
        (("--country", "XX"), 2, "there is no country 'XX'"),
        (("--country", "DE", "--subdivision", "BER"), 2, "did you mean BE?"),
        (("--subdivision", "BE"), 2, "give --country, too"),
        (("slas",), 1, "there is nothing ready-made named 'slas'"),
    ],
)
def test_what_does_not_fit_is_told(
    words: tuple[str, ...], status: int, says: str, deskhand: CommandLine
) -> None:
    assert says in deskhand.refused(status, "workflow", "install", *words)
    assert not (deskhand.home / "workflow").exists()


def test_the_zone_of_the_computer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zones = tmp_path / "share" / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    (zones / "Berlin").touch()
    link = tmp_path / "localtime"
    link.symlink_to(zones / "Berlin")
    monkeypatch.delenv("TZ")
    assert local_zone(link) == "Europe/Berlin"
    assert local_zone(tmp_path / "nothing") == "UTC"
    monkeypatch.setenv("TZ", ":America/New_York")
    assert local_zone(link) == "America/New_York"
    monkeypatch.setenv("TZ", "CET-1CEST")
    assert local_zone(link) == "Europe/Berlin"


def test_a_person_is_asked_for_zone_and_holidays(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    with terminal(["-m", "console", "--home", str(home), "setup"]) as shown:
        shown.until("your name, one word")
        shown.send("ana\r")
        shown.until("your own address")
        shown.send("\r")
        shown.until("What do customers write to?")
        shown.send("3\r")
        shown.until("Install it?")
        shown.send("\r")
        shown.until("Which time zone")
        shown.send("berlin\r")
        shown.until("did you mean Europe/Berlin?")
        shown.send("Europe/Berlin\r")
        shown.until("Which country's holidays")
        shown.send("DE-BER\r")
        shown.until("did you mean BE?")
        shown.send("DE-BE\r")
        shown.until("added to deskhand.toml: the groups senior, leads")
        assert shown.status() == 0
    office = (home / "workflow" / "calendars.toml").read_text(encoding="utf-8")
    assert 'timezone = "Europe/Berlin"' in office
    assert 'holidays = { country = "DE", subdivision = "BE" }' in office
