"""A desk on a home of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.bench import Bench
from workflow.clock import ManualClock


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Bench]:
    """A desk with two agents, two groups and a mail account."""
    made = Bench(tmp_path, clock)
    yield made
    made.close()
