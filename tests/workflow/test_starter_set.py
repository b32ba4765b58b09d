"""The ready-made files: they fit any team, and what is there stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import NotFound, Refusal
from workflow.rulebook import RuleBook
from workflow.settings import Settings, load_settings
from workflow.starter_set import PIECES, Place, install, is_fresh

TEAM = """\
[[agent]]
name = "ana"
groups = ["first"]

[[agent]]
name = "lea"
groups = ["first"]
role = "lead"

[[group]]
name = "first"
level = "L1"
"""


def home_of(tmp_path: Path, text: str) -> tuple[Path, Settings]:
    if text:
        (tmp_path / "deskhand.toml").write_text(text, encoding="utf-8")
    return tmp_path, load_settings(tmp_path)


TEAMS = {
    "nobody yet": "",
    "one person": '[[agent]]\nname = "ana"\ngroups = ["support"]\n\n[[group]]\nname = "support"\n',
    "no groups": '[[agent]]\nname = "ana"\n\n[[agent]]\nname = "ben"\n',
    "a first line and a lead": TEAM,
    "other names": "".join(
        f'[[group]]\nname = "{name}"\nlevel = "{level}"\n\n'
        for name, level in (("desk", "L1"), ("finance", "L2"), ("experts", "L3"))
    ),
    "a lead in the middle": "".join(
        f'[[group]]\nname = "{name}"\nlevel = "{level}"\n\n'
        for name, level in (("bosses", "lead"), ("desk", "tier 1"), ("experts", "tier 2"))
    ),
    "names that are taken": '[[group]]\nname = "senior"\nlevel = "L1"\n',
}


@pytest.mark.parametrize("text", TEAMS.values(), ids=TEAMS)
def test_it_fits_a_team_and_is_read_without_a_complaint(text: str, tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, text)
    assert is_fresh(home)
    done = install(home, settings, Place("Europe/Berlin", "DE", "BE"))
    assert done.written == tuple(piece.file for piece in PIECES)
    assert done.kept == ()
    assert not is_fresh(home)
    grown = load_settings(home)
    assert RuleBook(home, grown).problems == []
    assert len(grown.groups) >= 3
    for piece in PIECES:
        assert "$" not in (home / piece.file).read_text(encoding="utf-8")


def test_groups_of_the_team_are_taken_before_new_ones(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAMS["other names"])
    assert install(home, settings, Place()).groups == ()
    routing = (home / "workflow" / "routing.csv").read_text(encoding="utf-8")
    assert "finance,L2,high" in routing
    assert "desk,L1,low" in routing
    levels = RuleBook(home, settings).current.escalation.levels
    assert [(level.name, level.group) for level in levels] == [("L2", "finance"), ("L3", "experts")]


def test_new_groups_get_the_people_who_are_clearly_theirs(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    done = install(home, settings, Place())
    assert done.groups == ("senior", "leads")
    assert done.empty_groups == ("senior",)
    groups = {agent.name: agent.groups for agent in load_settings(home).agents}
    assert groups == {"ana": ("first",), "lea": ("first", "leads")}


def test_who_works_alone_is_in_every_group(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAMS["one person"])
    assert install(home, settings, Place()).empty_groups == ()
    assert load_settings(home).agents[0].groups == ("support", "senior", "leads")


def test_what_is_there_stays(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    own = home / "workflow" / "topics.toml"
    own.parent.mkdir()
    own.write_text('[[topic]]\nname = "parcels"\nwords = ["parcel"]\n', encoding="utf-8")
    before = own.read_bytes()
    done = install(home, settings, Place())
    assert done.kept == ("workflow/topics.toml",)
    assert own.read_bytes() == before
    again = install(home, load_settings(home), Place())
    assert again.written == ()
    assert len(again.kept) == len(PIECES)
    beside = install(home, load_settings(home), Place(), ["topics"], beside=True)
    assert beside.written == ("workflow/topics.ready-made.toml",)
    assert own.read_bytes() == before
    with pytest.raises(Refusal, match=r"topics\.ready-made\.toml is there already"):
        install(home, load_settings(home), Place(), ["topics"], beside=True)


def test_one_piece_alone_adds_no_groups_that_it_does_not_name(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    before = (home / "deskhand.toml").read_bytes()
    done = install(home, settings, Place(), ["calendars.toml"])
    assert (done.written, done.groups) == (("workflow/calendars.toml",), ())
    assert (home / "deskhand.toml").read_bytes() == before


def test_nothing_is_written_where_a_fault_would_come_of_it(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    own = home / "workflow" / "calendars.toml"
    own.parent.mkdir()
    own.write_text(
        '[[calendar]]\nname = "desk"\ntimezone = "UTC"\nmonday = ["09:00-17:00"]\n',
        encoding="utf-8",
    )
    before = (home / "deskhand.toml").read_bytes()
    with pytest.raises(Refusal) as refused:
        install(home, settings, Place())
    said = str(refused.value)
    assert "do not fit those that are there, nothing was written" in said
    assert f"{home / 'workflow' / 'sla.toml'}:" in said
    assert "there is no calendar 'office'" in said
    assert sorted(path.name for path in own.parent.iterdir()) == ["calendars.toml"]
    assert (home / "deskhand.toml").read_bytes() == before


def test_a_fault_that_was_there_before_is_no_reason(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    own = home / "workflow" / "companies.csv"
    own.parent.mkdir()
    own.write_text("domain,tear\n", encoding="utf-8")
    assert "workflow/sla.toml" in install(home, settings, Place()).written


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    home, settings = home_of(tmp_path, TEAM)
    with pytest.raises(NotFound, match="there is nothing ready-made named 'macros': there are cal"):
        install(home, settings, Place(), ["macros"])
