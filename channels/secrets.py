"""Passwords and tokens, from where deskhand.toml says they are. None is ever part of a message or a
log.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess

from workflow.errors import SettingsError
from workflow.settings import Secret

__all__ = ["SERVICE", "keyring_fault", "read_secret", "restore_secret", "store_secret"]

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


def keyring_fault() -> str | None:
    """Why this system's keyring cannot keep a secret, as a phrase; None if it can."""
    import keyring
    from keyring.backends import fail, null

    try:
        backend = keyring.get_keyring()
    except Exception as fault:  # noqa: BLE001  a backend may raise what it likes
        return f"it cannot be opened ({type(fault).__name__})"
    if isinstance(backend, fail.Keyring | null.Keyring):
        return "this system has none, as servers and machines without a desktop mostly have not"
    if backend.__class__.__module__.startswith("keyrings.alt"):
        return "what is installed keeps secrets as readable text"
    return None


def store_secret(name: str, text: str) -> str | None:
    """Keep a secret in the system's keyring; gives what was there before under that name. Raises
    SettingsError.
    """
    import keyring
    from keyring.errors import KeyringError

    try:
        before = keyring.get_password(SERVICE, name)
        keyring.set_password(SERVICE, name, text)
        kept = keyring.get_password(SERVICE, name)
    except (KeyringError, RuntimeError) as fault:
        raise SettingsError(
            f"the keyring does not keep {name} ({fault}): unlock it, or give"
            ' { env = "NAME" } instead'
        ) from fault
    if kept != text:
        raise SettingsError(
            f'the keyring did not keep {name}: give {{ env = "NAME" }} or {{ command = "..." }} instead'
        )
    return before


def restore_secret(name: str, before: str | None) -> None:
    """Take back :func:`store_secret`; raises nothing."""
    import keyring
    from keyring.errors import KeyringError

    with contextlib.suppress(KeyringError, RuntimeError):
        if before is None:
            keyring.delete_password(SERVICE, name)
        else:
            keyring.set_password(SERVICE, name, before)


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
