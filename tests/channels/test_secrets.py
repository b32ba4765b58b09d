"""Secrets come from where the settings say, and never stand in a sentence."""

from __future__ import annotations

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend

from channels.secrets import SERVICE, read_secret
from workflow.errors import SettingsError
from workflow.settings import Secret

WHAT = "the imap password of support"


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return {(SERVICE, "support"): "from the ring"}.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_PW", "s3cret")
    assert read_secret(Secret("env", "DESK_PW"), WHAT) == "s3cret"
    monkeypatch.delenv("DESK_PW")
    with pytest.raises(SettingsError, match="set the environment variable DESK_PW"):
        read_secret(Secret("env", "DESK_PW"), WHAT)


def test_from_the_keyring() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        assert read_secret(Secret("keyring", "support"), WHAT) == "from the ring"
        with pytest.raises(SettingsError, match=f"keyring set {SERVICE} sales"):
            read_secret(Secret("keyring", "sales"), WHAT)
    finally:
        keyring.set_keyring(before)


def test_from_a_command_without_a_shell() -> None:
    program = f"{sys.executable} -c \"import sys; print('$HOME;'); print('second line')\""
    assert read_secret(Secret("command", program), WHAT) == "$HOME;"


@pytest.mark.parametrize(
    "command",
    [
        f'{sys.executable} -c "print(1); raise SystemExit(3)"',
        f'{sys.executable} -c ""',
        "/no/such/program",
        'an "open quote',
    ],
)
def test_a_command_that_gives_nothing_is_named_without_its_words(command: str) -> None:
    with pytest.raises(SettingsError, match="try it by hand") as fault:
        read_secret(Secret("command", command), WHAT)
    assert str(fault.value).startswith(WHAT)


def test_bare_or_none() -> None:
    assert read_secret(Secret("bare", "pw"), WHAT) == "pw"
    assert read_secret(None, WHAT) == ""
