"""A desk with rules for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.triggers.ruled import Ruled
from workflow.clock import ManualClock


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Ruled]:
    """A desk with a lead who is told by mail and on the desktop."""
    made = Ruled(tmp_path, clock)
    yield made
    made.close()
