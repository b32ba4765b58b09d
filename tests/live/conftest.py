"""Desks and engines for the tests on real servers; all are closed at the end of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.engine import Engine
from tests.live.desks import LiveDesk, Opened, Running, write_settings
from tests.servers.telegram import TelegramServer
from workflow.clock import Clock


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Writes deskhand.toml and opens the desk."""
    desks: list[LiveDesk] = []

    def open_desk(clock: Clock | None = None, **options: object) -> LiveDesk:
        write_settings(tmp_path / "desk", **options)  # type: ignore[arg-type]
        desks.append(LiveDesk.open(tmp_path / "desk", clock))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.close()


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """A Bot API server."""
    with TelegramServer.start() as server:
        yield server


@pytest.fixture
def running() -> Iterator[Running]:
    """Starts an engine on a desk."""
    engines: list[Engine] = []

    def start(live: LiveDesk) -> Engine:
        engines.append(live.engine())
        engines[-1].start()
        return engines[-1]

    yield start
    for engine in engines:
        engine.stop()
