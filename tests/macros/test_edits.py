"""A running desk takes an edit by itself; an edit with a fault takes nothing away."""

from __future__ import annotations

import pytest

from macros.library import Library
from macros.model import MacroProblem
from macros.running import Runner
from tests.workflow.bench import Bench


def text_of(library: Library, name: str = "own") -> str:
    return library.get(name).variants[0].text.source.strip()


def test_an_edit_counts_at_the_next_look(team, library: Library) -> None:
    team.writes("One")
    assert text_of(library) == "One"
    team.writes("Three")
    assert text_of(library) == "Three"
    (team.folder / "own.md").unlink()
    assert "own" not in [macro.name for macro in library.read()[0]]


@pytest.mark.parametrize(
    "fault", ["no front matter", "+++\ntitel = 1\n+++\nx", "+++\n+++\nDear {{ customer.nmae }}"]
)
def test_the_last_good_version_goes_on_and_the_fault_is_told(
    team, library: Library, bench: Bench, runner: Runner, fault: str
) -> None:
    team.writes("Good text")
    team.saves(fault)
    assert text_of(library) == "Good text"
    macros, problems = library.read()
    assert "own" in [macro.name for macro in macros]
    assert [problem.place.file for problem in problems] == [str(team.folder / "own.md")]
    assert runner.run(library.get("own"), [bench.opened()])[0].problem == ""
    _count, checked = library.check()
    assert [str(problem) for problem in checked] == [str(problems[0])]

    team.saves("+++\n+++\nMended and good")
    assert text_of(library) == "Mended and good"
    assert library.read()[1] == []


def test_a_file_that_was_never_good_is_told_by_name(team, library: Library) -> None:
    team.saves("no front matter")
    for _ in range(2):
        with pytest.raises(MacroProblem, match=r"own\.md:1:1: "):
            library.get("own")


def test_a_file_that_comes_back_has_no_version_before(team, library: Library) -> None:
    team.writes("Good text")
    (team.folder / "own.md").unlink()
    library.read()
    team.saves("no front matter")
    with pytest.raises(MacroProblem):
        library.get("own")
