"""Where a password or a token is kept: in the keyring, in the environment, or with a command."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import dataclass

from channels.secrets import keyring_fault, read_secret
from console.setup.asking import Asker
from workflow.errors import UsageError
from workflow.settings import Secret

__all__ = ["Kept", "given_secret", "keep", "text_of"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret on its way: what deskhand.toml will say of it, and its text where it is still to be
    stored in the keyring.
    """

    entry: dict[str, str]
    text: str | None = None


def given_secret(options: Namespace, prefix: str) -> dict[str, str] | None:
    """What flags such as ``--password-env NAME`` say; raises UsageError where they say two things."""
    found = {
        kind: value
        for kind in ("env", "keyring", "command")
        if (value := getattr(options, f"{prefix}_{kind}")) is not None
    }
    if len(found) > 1:
        flags = " and ".join(f"--{prefix.replace('_', '-')}-{kind}" for kind in found)
        raise UsageError(f"{flags} say two things: give one of them")
    return found or None


def text_of(entry: dict[str, str], what: str) -> str:
    """The secret that an entry names; raises SettingsError."""
    ((kind, value),) = entry.items()
    return read_secret(Secret(kind, value), what)


def keep(asker: Asker, what: str, name: str, text: str) -> Kept:
    """Ask where a secret that was typed is to be kept. It is not stored yet."""
    fault = keyring_fault()
    options = [
        ("keyring", "the keyring of this system"),
        ("env", "an environment variable that you set before deskhand starts"),
        ("command", "a program that prints it, such as: pass show support"),
    ]
    if fault is not None:
        asker.say(f"This system's keyring cannot keep {what}: {fault}.")
        options = options[1:]
    kind = asker.choose(
        f"Where is {what} kept? It never stands in deskhand.toml.",
        "--password-env",
        options,
        options[0][0],
    )
    if kind == "keyring":
        return Kept({"keyring": name}, text)
    if kind == "env":
        usual = re.sub(r"\W", "_", name).upper() + "_PASSWORD"
        variable = asker.ask(
            "  the name of the variable", "--password-env", default=usual, check=_name
        )
        asker.say(f"  Set it before deskhand starts: export {variable}=...")
        return Kept({"env": variable})
    command = asker.ask("  the command", "--password-command")
    return Kept({"command": command})


def _name(answer: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", answer):
        raise ValueError(f"{answer!r} cannot name a variable: use letters, digits and underscores")
    return answer
