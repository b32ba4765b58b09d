"""workflow/escalation.toml: what it may say, and what is said of what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workflow.bench import SETTINGS
from workflow.errors import SettingsError
from workflow.escalation_rules import FILE, EscalationFile, Level, load_escalation
from workflow.settings import Settings


def write(home: Path, text: str) -> None:
    path = home / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    # Two edits within one tick of the file system's clock.
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + len(text)))


def test_a_whole_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        'reasons = ["technical"]\n[[level]]\nname = "L2"\naccept_within = "1h"\n'
        '[[level]]\nname = "floor"\ngroup = "support"\naccept_within = "never"\n'
        'notify = ["x@y.example"]\n',
    )
    rules = load_escalation(tmp_path, SETTINGS)
    assert rules.levels == (
        Level("L2", "experts", 3600, "floor"),
        Level("floor", "support", None, None, ("x@y.example",)),
    )
    assert rules.reason("TECHNICAL") == "technical"
    assert rules.reason("other") is None
    assert rules.after(None) == rules.levels[0]
    assert rules.after("L2") == rules.levels[1]
    assert rules.after("floor") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[level]\n", "escalation.toml:1:8: "),
        ('[[level]]\nname = "L2"\n  acept_within = "1h"\n', ":3:3: .*did you mean accept_within"),
        ('[[level]]\nname = "L2"\nreasons = []\n', ":3:1: .*above the first"),
        ("[[level]]\nname = 2\n", ":2:1: name must be a text"),
        ('[[level]]\nname = ""\n', ":2:1: .*cannot name the level"),
        ('[[level]]\ngroup = "support"\n', ":1:1: .*cannot name the level"),
        ('[[level]]\nname = "L2"\n[[level]]\nname = "l2"\n', ":4:1: .*twice"),
        ('[[level]]\nname = "L2"\ngroup = "sales"\n', ":3:1: .*there are support, experts"),
        ('[[level]]\nname = "L2"\naccept_within = "soon"\n', ":3:1: .*not a duration"),
        ('[[level]]\nname = "L2"\naccept_within = "0s"\n', ":3:1: .*between 1s and a year"),
        ('[[level]]\nname = "L2"\nthen = "L9"\n', ":3:1: .*no level 'L9'"),
        ('[[level]]\nname = "L2"\nnotify = ["ben"]\n', ":3:1: .*no mail address"),
        ('[[level]]\nname = "L2"\nnotify = "b@c.example"\n', ":3:1: .*list of texts"),
        ('[[level]]\nname = "a"\n[[level]]\nname = "b"\nthen = "a"\n', "in a circle"),
        ("level = 3\n", r":1:1: write each as \[\[level\]\]"),
        ('reasons = [""]\n', ":1:1: a reason is one line"),
    ],
)
def test_a_fault_names_file_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, text)
    with pytest.raises(
        SettingsError, match=f"escalation.toml.*{words.removeprefix('escalation.toml')}"
    ):
        load_escalation(tmp_path, SETTINGS)


def test_the_top_may_stand_anywhere(tmp_path: Path) -> None:
    write(tmp_path, '[[level]]\nname = "a"\nthen = "nobody"\n[[level]]\nname = "b"\nthen = "a"\n')
    rules = load_escalation(tmp_path, SETTINGS)
    assert [level.then for level in rules.levels] == [None, "a"]


def test_an_edit_is_picked_up_and_a_bad_one_is_told_while_the_last_good_one_goes_on(
    tmp_path: Path,
) -> None:
    file = EscalationFile(tmp_path, SETTINGS)
    assert [level.name for level in file.value.levels] == ["L1", "L2"]
    write(tmp_path, '[[level]]\nname = "L7"\n')
    assert [level.name for level in file.value.levels] == ["L7"]
    assert file.problem is None
    write(tmp_path, "[[level]]\nname = 7\n")
    assert [level.name for level in file.value.levels] == ["L7"]
    assert "escalation.toml:2:1: name must be a text" in (file.problem or "")
    (tmp_path / FILE).unlink()
    assert [level.name for level in file.value.levels] == ["L1", "L2"]
    assert file.problem is None


def test_a_file_of_reasons_alone_keeps_the_levels_of_the_groups(tmp_path: Path) -> None:
    write(tmp_path, 'reasons = ["x"]\n')
    rules = load_escalation(tmp_path, SETTINGS)
    assert (len(rules.levels), rules.reasons) == (2, ("x",))
    assert load_escalation(tmp_path, Settings()).levels == ()
