"""deskhand.toml: what it gives, and the line of whatever is wrong with it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.settings import Secret, Settings, load_settings

GOOD = """\
database = "sqlite:///deskhand.db"

[[agent]]
name = "ana"
email = "Ana@Example.com"
groups = ["support"]
role = "lead"

[[group]]
name = "experts"
level = "L2"

[[group]]
name = "support"
level = "L1"

[[channel]]
name = "support"
kind = "email"
address = "Support@example.com"
aliases = ["help@example.com"]
since = "2026-01-01"
undo_send = "1m"
max_size = "2 MB"
imap = { host = "imap.example.com", user = "support", password = { env = "SUPPORT_PASSWORD" } }
smtp = { host = "127.0.0.1", port = 2525, security = "none" }

[[channel]]
name = "bot"
kind = "telegram"
token = { command = "pass show telegram" }
"""


def load(folder: Path, text: str) -> Settings:
    (folder / "deskhand.toml").write_text(text, encoding="utf-8")
    return load_settings(folder)


def test_what_the_file_says(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert (found.agents[0].name, found.agents[0].role) == ("ana", "lead")
    assert found.levels == ("L1", "L2")
    support = found.channel("support")
    assert support is not None
    assert support.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert (support.undo_send_s, support.max_bytes) == (60, 2_000_000)
    assert support.imap is not None
    assert (support.imap.port, support.imap.security) == (993, "tls")
    assert support.imap.password == Secret("env", "SUPPORT_PASSWORD")
    assert support.smtp is not None
    assert support.smtp.password is None
    assert found.own_addresses == {"ana@example.com", "support@example.com", "help@example.com"}
    assert found.agent_by_email("ANA@example.com") == "ana"
    assert found.warnings == ()


def test_no_file_is_an_empty_desk(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


def test_a_bare_password_is_taken_with_a_warning_that_names_the_safer_ways(tmp_path: Path) -> None:
    text = GOOD.replace('{ env = "SUPPORT_PASSWORD" }', '"hunter2"')
    found = load(tmp_path, text)
    assert found.channels[0].imap is not None
    assert found.channels[0].imap.password == Secret("bare", "hunter2")
    line = text.splitlines().index(next(li for li in text.splitlines() if "hunter2" in li)) + 1
    (warning,) = found.warnings
    assert warning.startswith(f"{tmp_path / 'deskhand.toml'}:{line}: a password stands in the file")
    assert "keyring" in warning
    assert "hunter2" not in warning + repr(found)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('role = "lead"', 'role = "boss"', 7, "'boss' is not one of agent, lead"),
        ('groups = ["support"]', 'groups = ["sales"]', 6, "no [[group]] named 'sales'"),
        ('groups = ["support"]', "groups = 3", 6, "groups must be a list of texts"),
        ('name = "ana"', 'name = "an a"', 4, "cannot name the agent"),
        ('name = "ana"', "", 3, "cannot name the agent"),
        ('email = "Ana', 'emial = "Ana', 5, "did you mean email?"),
        ('[[group]]\nname = "experts"', '[[grup]]\nname = "experts"', 9, "did you mean group?"),
        ('name = "experts"', 'name = "support"', 14, "'support' stands there twice"),
        (
            'name = "experts"',
            'name = "x"\nassign = "least-laoded"',
            11,
            "did you mean least-loaded?",
        ),
        ('name = "experts"', 'name = "x"\nassign = "previous"\ncap = 0', 12, "from 1 to 1000"),
        ('name = "experts"', 'name = "x"\ncap = 3', 11, "nobody hands out those of this group"),
        ('kind = "email"', "", 17, 'write kind = "email"'),
        ('address = "Support@', 'address = "Support.', 20, "the account needs its address"),
        ('since = "2026-01-01"', 'since = "yesterday"', 22, "is not a date"),
        ('undo_send = "1m"', 'undo_send = "soon"', 23, "is not a duration"),
        ('undo_send = "1m"', 'undo_send = "-1m"', 23, "not between 0s and a year"),
        ('undo_send = "1m"', 'undo_send = "9999w"', 23, "not between 0s and a year"),
        ('max_size = "2 MB"', 'max_size = "big"', 24, "is not a size"),
        ('host = "imap.example.com", ', "", 25, "the server has no host"),
        ('user = "support", ', "user = 3, ", 25, "user must be a text"),
        ('{ env = "SUPPORT_PASSWORD" }', '{ pass = "x" }', 25, "the password must be"),
        ('{ env = "SUPPORT_PASSWORD" }', "7", 25, "the password must be"),
        ("port = 2525", "port = 70000", 26, "not a number from 1 to 65535"),
        ("port = 2525", "port = true", 26, "not a number from 1 to 65535"),
        ("port = 2525", "prot = 2525", 26, "did you mean port?"),
        ('security = "none"', 'security = "ssl"', 26, "not one of tls, starttls, none"),
        ('"sqlite:///deskhand.db"', '"deskhand.db"', 1, "is no database address"),
        ('role = "lead"', "role = lead", 7, "column 8"),
        ('role = "lead"', 'role = "lead', 7, "mend that line"),
    ],
)
def test_every_error_names_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in GOOD
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'deskhand.toml'}:{line}:"), said
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"])
def test_without_encryption_to_this_computer_only(tmp_path: Path, host: str) -> None:
    found = load(tmp_path, GOOD.replace('host = "127.0.0.1"', f'host = "{host}"'))
    assert found.channels[0].smtp is not None
    assert found.channels[0].smtp.security == "none"


@pytest.mark.parametrize(
    "host",
    ["mail.example.com", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"],
)
def test_without_encryption_to_no_other(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="would send the password readable to"):
        load(tmp_path, GOOD.replace('host = "127.0.0.1"', f'host = "{host}"'))


def test_a_server_in_a_table_of_its_own_is_found_too(tmp_path: Path) -> None:
    text = (
        '[[channel]]\nname = "a"\nkind = "email"\naddress = "a@x.example"\n\n'
        '[channel.imap]\nhost = "imap.x.example"\n\n[channel.smtp]\nhost = "s"\nsecurity = "no"\n'
    )
    with pytest.raises(SettingsError, match=r"deskhand.toml:9: security 'no'"):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "deskhand.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(SettingsError, match="byte 8 is not UTF-8: save the file as UTF-8"):
        load_settings(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)
    os.rmdir(path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "deskhand.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_settings(tmp_path).agents[0].name == "ana"


def test_a_value_instead_of_a_table_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"deskhand.toml:2: write each as \[\[agent\]\]"):
        load(tmp_path, "\nagent = 3\n")
