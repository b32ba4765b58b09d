"""A sample desk for each test, made once and copied; an application on it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.sample import SampleDesk, make_sample
from tests.console.command_line import SETTINGS, CommandLine
from tests.console.waiting import until

Opened = Callable[..., AbstractAsyncContextManager[Pilot[int]]]


@pytest.fixture(scope="session")
def made_sample(tmp_path_factory: pytest.TempPathFactory) -> SampleDesk:
    """The sample desk, made once."""
    return make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def sample(made_sample: SampleDesk, tmp_path: Path) -> SampleDesk:
    """A copy of the sample that the test may change."""
    home = tmp_path / "desk"
    shutil.copytree(made_sample.home, home)
    clock = type(made_sample.clock)(made_sample.clock.now())
    return replace(made_sample, home=home, clock=clock)


@pytest.fixture
def opened(sample: SampleDesk) -> Opened:
    """Opens the console on the sample, furnished and with its queue read."""

    @asynccontextmanager
    async def run(
        size: tuple[int, int] = (120, 36), theme: str = "dark", agent: str | None = "ana"
    ) -> AsyncIterator[Pilot[int]]:
        app = sample.app(theme, agent)
        async with app.run_test(size=size) as pilot:
            await until(
                pilot, lambda: app.desk.pane is not None and bool(app.desk.queue_pane.tabs.counts)
            )
            await until(pilot, lambda: bool(app.bridge.team.agents))
            yield pilot
        app.bridge.close()

    return run


def console_of(pilot: Pilot[int]) -> ConsoleApp:
    """The application under a pilot."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    return app


@pytest.fixture
def deskhand(home: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a home with two agents, two groups and a mail account."""
    (home / "deskhand.toml").write_text(SETTINGS, encoding="utf-8")
    return CommandLine(home, capsys)


@pytest.fixture
def bare(home: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on an empty home."""
    return CommandLine(home, capsys, agent=None)
