"""The sample of the documentation works, and the page names every placeholder and setting."""

from __future__ import annotations

import re
from pathlib import Path

from macros.library import Library
from macros.placeholders import CATALOGUE
from macros.running import Runner
from tests.workflow.bench import Bench

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "macros.md").read_text(encoding="utf-8")


def test_the_sample_runs(bench: Bench, team, library: Library, runner: Runner) -> None:
    samples = re.findall(r"```markdown macros/([\w-]+)\.md\n(.*?)```", PAGE, re.DOTALL)
    assert len(samples) == 1
    for name, whole in samples:
        team.saves(whole, name)
        assert library.check()[1] == []
        (ran,) = runner.run(library.get(name), [bench.opened()], {"day": "Friday"})
        assert ran.problem == ""
        assert ran.plan is not None
        assert "comes on Friday" in ran.plan.text


def test_every_placeholder_is_named(library: Library) -> None:
    assert [entry.name for entry in CATALOGUE if f"`{entry.name}`" not in PAGE] == []
    assert [name for name in library.files() if f"`{name}`" not in PAGE] == []
