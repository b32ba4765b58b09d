"""The rules that hold for the whole repository."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import pwd
import re
import socket
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import keyring
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workflow.clock import ManualClock

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("console", "channels", "workflow", "macros")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def modules() -> list[str]:
    """Every module of the four packages, but those that run when imported."""
    found = list(PACKAGES)
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            # Alembic runs its files itself, with its own context around them.
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                found.append(module.name)
    return found


def tracked_files() -> list[Path]:
    """Every file of the repository that is text, or would be with the next commit."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.split(
            b"\0"
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    paths = [ROOT / os.fsdecode(name) for name in names if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


@pytest.mark.parametrize("name", modules())
def test_every_module_imports(name: str) -> None:
    assert importlib.import_module(name).__doc__, f"{name} does not say what it is for"


@pytest.mark.parametrize("package", ["workflow", "channels", "macros"])
def test_only_the_console_needs_textual(package: str) -> None:
    names = [name for name in modules() if name.split(".")[0] == package]
    code = (
        "import importlib, sys\n"
        "sys.modules['textual'] = sys.modules['rich'] = None\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'console'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_importing_the_values_costs_no_library() -> None:
    code = (
        "import sys, workflow.model, workflow.clock, workflow.errors\n"
        "heavy = {'sqlmodel', 'sqlalchemy', 'alembic', 'pydantic', 'imapclient', 'textual'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_constraints_are_exact_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names))
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9A-Za-z.!+]*", line), line


def test_every_dependency_has_its_version_in_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    versions = dict(line.split("==") for line in lines)
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for wanted in (Requirement(line) for group in groups for line in group):
        version = versions.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted.name}: run make constraints"
        assert wanted.specifier.contains(version), f"{wanted} and {version}: run make constraints"


def test_no_file_names_a_place_on_one_machine() -> None:
    places = {str(ROOT), pwd.getpwuid(os.getuid()).pw_dir}
    # A short folder such as / or /tmp is everybody's.
    named = "|".join(re.escape(place) for place in places if place not in ("/", "/tmp", "/home"))
    pattern = re.compile(
        rf"(?<![\w./-])(?:{named})/"
        r"|https?://\S+\.(?:whl|tar\.gz|tgz|deb)\b|index-url".replace("index-url", "index" + "-url")
    )
    for path in tracked_files():
        hit = pattern.search(path.read_text(errors="replace"))
        if path != Path(__file__).resolve():
            assert hit is None, f"{path.relative_to(ROOT)} holds {hit and hit[0]!r}"


def test_what_make_and_ci_run_is_executable() -> None:
    for name in (".ci/run", "tools/find_python", "tools/make_environment", "tools/system_packages"):
        assert os.access(ROOT / name, os.X_OK), name


def test_find_python_names_one_that_is_new_enough() -> None:
    done = subprocess.run([ROOT / "tools/find_python"], capture_output=True, text=True, check=True)
    code = "import sys; print(sys.version_info >= (3, 11))"
    tried = subprocess.run([done.stdout.strip(), "-c", code], capture_output=True, text=True)
    assert tried.stdout.strip() == "True"


def test_find_python_says_what_to_install(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3.9 False\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "tools/find_python"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "python3=3.9" in done.stderr


def test_system_packages_are_asked_for_where_they_cannot_be_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/bash", ROOT / "tools/system_packages", "no-such-package-here"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "missing: no-such-package-here" in done.stderr
    assert "apt-get install --no-install-recommends no-such-package-here" in done.stderr


def test_a_test_cannot_leave_this_machine() -> None:
    with (
        socket.socket() as way_out,
        pytest.raises(RuntimeError, match=r"may not reach 192\.0\.2\.1"),
    ):
        way_out.connect(("192.0.2.1", 25))
    with pytest.raises(RuntimeError, match=r"may not look up example\.com"):
        urllib.request.urlopen("http://example.com/", timeout=1)


def test_a_test_has_an_environment_of_its_own(home: Path, clock: ManualClock) -> None:
    real = pwd.getpwuid(os.getuid()).pw_dir
    assert Path.home() != Path(real)
    assert os.environ["DESKHAND_HOME"] == str(home)
    assert keyring.get_password("deskhand", "anything") is None
    assert clock.now().isoformat() == "2026-11-23T09:00:00+00:00"
