"""deskhand.toml is written into, and what stands there stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workflow.errors import SettingsError, StoreError
from workflow.settings import load_settings
from workflow.settings_edit import SettingsEdit

OURS = """\
# Our desk.
database = "sqlite:///deskhand.db"   # do not move

[[agent]]
name = "ana"      # the boss

[[channel]]
name = "support"
kind = "email"
address = "support@example.com"  # old
[channel.imap]
host = "imap.example.com"
user = "support"
# the end"""
MAILBOX = {
    "name": "sales",
    "kind": "email",
    "address": "sales@example.com",
    "aliases": ["shop@example.com"],
    "imap": {"host": "imap.example.com", "port": 993, "password": {"env": "SALES"}},
}


def test_a_new_file_is_private_and_reads_back(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    edit = SettingsEdit(home)
    edit.add("group", {"name": "support", "level": "L1"})
    edit.add("agent", {"name": "ana", "email": "ana@example.com", "groups": ["support"]})
    edit.add("channel", MAILBOX)
    assert not home.exists(), "nothing is written before it is saved"
    edit.save()
    settings = load_settings(home)
    assert [agent.groups for agent in settings.agents] == [("support",)]
    (channel,) = settings.channels
    assert channel.aliases == ("shop@example.com",)
    assert channel.imap is not None
    assert channel.imap.password is not None
    assert (channel.imap.host, channel.imap.password.kind) == ("imap.example.com", "env")
    if os.name != "nt":
        assert (home / "deskhand.toml").stat().st_mode & 0o077 == 0
        assert home.stat().st_mode & 0o077 == 0
    assert "\n\n\n" not in (home / "deskhand.toml").read_text()


def test_what_stands_there_stays_with_its_comments_and_its_order(tmp_path: Path) -> None:
    path = tmp_path / "deskhand.toml"
    path.write_text(OURS)
    path.chmod(0o640)
    edit = SettingsEdit(tmp_path)
    edit.add("channel", MAILBOX)
    edit.add("agent", {"name": "ben"})
    edit.save()
    text = path.read_text()
    kept = [line for line in OURS.splitlines() if line and line[0] != "[" and "kind" not in line]
    assert [line for line in text.splitlines() if line in kept] == kept
    assert path.stat().st_mode & 0o777 == 0o640
    settings = load_settings(tmp_path)
    assert [agent.name for agent in settings.agents] == ["ana", "ben"]
    assert [channel.name for channel in settings.channels] == ["support", "sales"]


def test_an_account_is_replaced_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "deskhand.toml").write_text(OURS)
    edit = SettingsEdit(tmp_path)
    edit.replace(
        "channel", "support", {"address": "help@example.com", "imap": {"host": "new.example.com"}}
    )
    edit.save()
    (channel,) = load_settings(tmp_path).channels
    assert channel.address == "help@example.com"
    assert channel.imap is not None
    assert channel.imap.host == "new.example.com"
    assert "# the boss" in (tmp_path / "deskhand.toml").read_text()


def test_what_would_not_be_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "deskhand.toml"
    path.write_text(OURS)
    edit = SettingsEdit(tmp_path)
    edit.add("channel", MAILBOX | {"imap": {"host": "mail.example.com", "security": "none"}})
    with pytest.raises(SettingsError, match="would send the password readable"):
        edit.save()
    assert path.read_text() == OURS
    path.write_text("[[agent\n")
    with pytest.raises(SettingsError, match=r"deskhand\.toml:1"):
        SettingsEdit(tmp_path)


def test_a_disk_that_takes_nothing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deskhand.toml"
    path.write_text(OURS)
    edit = SettingsEdit(tmp_path)
    edit.add("agent", {"name": "ben"})

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="nothing was changed"):
        edit.save()
    assert path.read_text() == OURS
    assert [entry.name for entry in tmp_path.iterdir()] == ["deskhand.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "settings.toml").write_text(OURS)
    (tmp_path / "deskhand.toml").symlink_to(tmp_path / "kept" / "settings.toml")
    edit = SettingsEdit(tmp_path)
    edit.add("agent", {"name": "ben"})
    edit.save()
    assert (tmp_path / "deskhand.toml").is_symlink()
    assert "ben" in (tmp_path / "kept" / "settings.toml").read_text()
