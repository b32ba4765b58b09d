"""The sample channel of the documentation is the one that passes the suite of all channels."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from channels.registry import GROUP
from workflow.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "write-a-channel.md").read_text(encoding="utf-8")


def sample(mark: str) -> str:
    found = re.search(rf"```{re.escape(mark)}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_sample_is_the_module_of_the_tests() -> None:
    module = (ROOT / "tests" / "channels" / "toy.py").read_text(encoding="utf-8")
    assert sample("python toy.py") == module


def test_the_entry_point_is_of_the_group_that_is_read() -> None:
    assert list(tomllib.loads(sample("toml pyproject.toml"))["project"]["entry-points"]) == [GROUP]


def test_its_account_loads(tmp_path: Path) -> None:
    (tmp_path / "deskhand.toml").write_text(sample("toml"), encoding="utf-8")
    (account,) = load_settings(tmp_path).channels
    assert (account.kind, account.options["folder"]) == ("toy", "/srv/toys")


def test_every_file_that_it_names_is_there() -> None:
    for name in re.findall(r"`((?:channels|tests)/[\w/]+\.py)`", PAGE):
        assert (ROOT / name).exists(), name
