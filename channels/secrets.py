"""Passwords and tokens, from where deskhand.toml says they are. None is ever part of a message or a
log.
"""

from __future__ import annotations

import os
import shlex
import subprocess

from workflow.errors import SettingsError
from workflow.settings import Secret

__all__ = ["SERVICE", "read_secret"]

SERVICE = "deskhand"
"""The service name under which the system's keyring keeps our secrets."""

_COMMAND_LIMIT_S = 30


def read_secret(secret: Secret | None, what: str) -> str:
    """The text of a secret; without one the empty text.

    ``what`` names it in a sentence: ``the imap password of support``. A command runs without a
    shell and gives its first line. Raises SettingsError that says where it was looked for.
    """
    if secret is None:
        return ""
    if secret.kind == "env":
        found = os.environ.get(secret.value)
        if found is None:
            raise SettingsError(
                f"{what} is not there: set the environment variable {secret.value} and start again"
            )
        return found
    if secret.kind == "keyring":
        return _from_keyring(secret.value, what)
    if secret.kind == "command":
        return _from_command(secret.value, what)
    return secret.value


def _from_keyring(name: str, what: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        found = keyring.get_password(SERVICE, name)
    except KeyringError as fault:
        raise SettingsError(
            f"{what} cannot be read from the keyring ({fault}): unlock it,"
            ' or give { env = "NAME" } instead'
        ) from fault
    if found is None:
        raise SettingsError(
            f"{what} is not in the keyring: store it with `keyring set {SERVICE} {name}`"
        )
    return found


def _from_command(command: str, what: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMMAND_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(
            f"{what}: the command did not end within {_COMMAND_LIMIT_S} s: try it by hand"
        ) from None
    except (OSError, ValueError) as fault:
        raise SettingsError(f"{what}: the command cannot run ({fault}): try it by hand") from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode or not lines or not lines[0]:
        raise SettingsError(
            f"{what}: the command gave nothing (exit status {done.returncode}): try it by hand"
        )
    return lines[0]
