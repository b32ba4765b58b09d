"""A desk on a home of its own, and macros of its team."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from macros.library import FOLDER, Library
from macros.model import Macro
from macros.running import Runner
from tests.workflow.bench import Bench
from workflow.clock import ManualClock


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Bench]:
    """A desk with two agents, two groups and a mail account."""
    made = Bench(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def library(bench: Bench) -> Library:
    """The macros of its home."""
    return Library(bench.home, bench.settings)


@pytest.fixture
def runner(bench: Bench) -> Runner:
    """Runs macros as ana."""
    return Runner(bench.reads, bench.settings, bench.clock, "ana", bench.desk)


class Team:
    """Writes files as the team would."""

    def __init__(self, library: Library, home: Path) -> None:
        self.library = library
        self.folder = home / FOLDER

    def writes(self, text: str, front: str = "", name: str = "own") -> Macro:
        """Save a macro and read it."""
        self.saves(f"+++\n{front}\n+++\n{text}", name)
        return self.library.get(name)

    def saves(self, whole: str, name: str = "own") -> None:
        """Save a file as it stands."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{name}.md").write_text(whole, encoding="utf-8")


@pytest.fixture
def team(library: Library, bench: Bench) -> Team:
    """Whoever writes the macros of the home."""
    return Team(library, bench.home)
