"""docs/workflow.md: what it quotes stands in the ready-made files, and what it shows is what is printed."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from console.__main__ import main
from workflow.settings import AgentSettings, GroupSettings, Settings, load_settings
from workflow.starter_set import PIECES, Place, install, text_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "workflow.md").read_text(encoding="utf-8")
TEAM = """\
[[agent]]
name = "ana"
email = "ana@desk.example"
groups = ["support"]

[[agent]]
name = "ben"
email = "ben@desk.example"
groups = ["senior"]

[[agent]]
name = "lea"
groups = ["leads"]
role = "lead"

[[group]]
name = "support"
level = "L1"

[[group]]
name = "senior"
level = "L2"

[[group]]
name = "leads"
level = "lead"

[[channel]]
name = "support"
kind = "email"
address = "support@desk.example"
"""
_QUOTED = re.findall(r"```\w+ from (workflow/\S+)\n(.*?)```", PAGE, re.DOTALL)
_MAILS = re.findall(r"```mail (\S+)\n(.*?)```", PAGE, re.DOTALL)
_FILES = re.findall(r"```\w+ (plan/\S+)\n(.*?)```", PAGE, re.DOTALL)
_SHOWN = re.findall(r"```transcript\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("file", "text"), _QUOTED, ids=[file for file, _ in _QUOTED])
def test_what_is_quoted_stands_in_the_ready_made_file(file: str, text: str) -> None:
    groups = (
        GroupSettings("support", "L1"),
        GroupSettings("senior", "L2"),
        GroupSettings("leads", "lead"),
    )
    settings = Settings(agents=(AgentSettings("ana", groups=("support",)),), groups=groups)
    (piece,) = [piece for piece in PIECES if piece.file == file]
    assert text in text_of(piece, settings, Place("Europe/Berlin"))


def test_the_page_quotes_every_kind_of_file() -> None:
    assert len({file for file, _ in _QUOTED}) >= 5
    assert _MAILS
    assert _SHOWN


def test_what_is_shown_is_what_is_printed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "deskhand.toml").write_text(TEAM, encoding="utf-8")
    install(home, load_settings(home), Place("Europe/Berlin", "DE", "BE"))
    monkeypatch.chdir(home.parent)
    monkeypatch.setenv("DESKHAND_AGENT", "ana")
    shutil.copytree(home / "workflow", "plan/workflow")
    for name, text in (*_MAILS, *_FILES):
        Path(name).write_text(text, encoding="utf-8")
    for shown in _SHOWN:
        for part in re.split(r"^\$ deskhand ", shown, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            capsys.readouterr()
            assert main(shlex.split(command)) == 0, command
            printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
            for line in filter(None, lines):
                # A line of dots stands for lines that are left out.
                assert line == "..." or line.rstrip() in printed, (command, line, printed)
