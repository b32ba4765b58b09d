"""``--update-screens`` writes the pictures of the screens anew instead of comparing with them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from console.sample import SampleDesk, make_sample


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line."""
    parser.addoption("--update-screens", action="store_true", help="write the golden screens anew")


@pytest.fixture(scope="session")
def made_sample(tmp_path_factory: pytest.TempPathFactory) -> SampleDesk:
    """The sample desk, made once."""
    return make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def sample(made_sample: SampleDesk, tmp_path: Path) -> SampleDesk:
    """A copy of the sample that the test may change."""
    shutil.copytree(made_sample.home, tmp_path / "desk")
    return replace(
        made_sample, home=tmp_path / "desk", clock=type(made_sample.clock)(made_sample.clock.now())
    )
