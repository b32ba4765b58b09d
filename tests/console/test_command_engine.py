"""``engine --once``: a pass is a pass, also where an account cannot be reached."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.__main__ import main

SETTINGS = """\
[[agent]]
name = "ana"

[[channel]]
name = "support"
kind = "email"
address = "support@desk.example"
imap = { host = "127.0.0.1", port = 1, security = "none", user = "u", password = { env = "DESK_TEST_PASSWORD" } }
"""


def test_an_account_that_cannot_be_reached_is_told_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_TEST_PASSWORD", "pw")
    (tmp_path / "deskhand.toml").write_text(SETTINGS, encoding="utf-8")
    home = ["--home", str(tmp_path)]
    assert main([*home, "new", "--from", "joe@example.org", "--subject", "Lamp"]) == 0
    capsys.readouterr()
    later = ["--now", "2100-01-01T00:00:00Z"]

    assert main([*home, *later, "--json", "engine", "--once"]) == 0

    said = capsys.readouterr()
    done = json.loads(said.out)
    assert done["timers"] > 0
    (account,) = done["accounts"]
    assert account["name"] == "support"
    assert account["ok"] is False
    assert "127.0.0.1" in account["error"]
    assert account["error"] in said.err
