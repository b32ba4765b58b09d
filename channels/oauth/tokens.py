"""Where the tokens of an account are kept between two runs, and how two programs share them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from channels.secrets import SERVICE, keyring_fault, restore_secret, store_secret
from workflow.errors import SettingsError
from workflow.settings import OAuthSettings

__all__ = ["TokenStore", "Tokens", "store_of"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets us in, and until when (seconds of the epoch, None if nobody knows)."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: float | None


class TokenStore(Protocol):
    """Keeps the tokens of one account."""

    def load(self) -> Tokens | None:
        """What is kept; None if nothing is. Raises SettingsError."""
        ...

    def save(self, tokens: Tokens) -> None:
        """Keep these in place of what was there; raises SettingsError."""
        ...

    def forget(self) -> None:
        """Keep nothing any more; raises nothing."""
        ...

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """While this is held, nobody else renews these tokens, in this program or another."""
        ...


def store_of(oauth: OAuthSettings) -> TokenStore:
    """The store that an account's settings name."""
    if oauth.file is not None:
        return _FileStore(oauth.file)
    return _KeyringStore(oauth.keyring)


_THREADS: dict[str, threading.Lock] = {}
_THREADS_LOCK = threading.Lock()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A lock for the threads of this program, and around it one for all programs of this user."""
    with _THREADS_LOCK:
        ours = _THREADS.setdefault(str(path), threading.Lock())
    with ours:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise SettingsError(
                f"{path} cannot be made ({fault.strerror}): tokens are not renewed without it"
            ) from fault
        try:
            # Given back by the system when this program dies.
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)


class _KeyringStore:
    """The keyring of the system, under our service."""

    def __init__(self, name: str) -> None:
        self._name = name

    def load(self) -> Tokens | None:
        """What the keyring has."""
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(SERVICE, self._name)
        except (KeyringError, RuntimeError) as fault:
            raise SettingsError(
                f"the tokens {self._name} cannot be read from the keyring ({fault}): unlock it"
            ) from fault
        return None if text is None else _read(text)

    def save(self, tokens: Tokens) -> None:
        """Into the keyring."""
        if (fault := keyring_fault()) is not None:
            raise SettingsError(
                f"the keyring cannot keep tokens ({fault}): write oauth = {{ ..., file = "
                f'"{self._name}.tokens" }} in place of keyring'
            )
        store_secret(self._name, json.dumps(asdict(tokens)))

    def forget(self) -> None:
        """Out of the keyring."""
        restore_secret(self._name, None)

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """By a file, since keyrings know no locks."""
        from platformdirs import user_state_path

        safe = re.sub(r"[^\w.-]", "_", self._name)
        return _locked(user_state_path("deskhand", appauthor=False) / f"oauth-{safe}.lock")


class _FileStore:
    """A file that only this user can read, for machines without a keyring."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Tokens | None:
        """What the file has; one that others can read is not taken."""
        try:
            mode = self._path.stat().st_mode
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as fault:
            raise SettingsError(f"the tokens in {self._path} cannot be read ({fault})") from fault
        if mode & 0o077:
            raise SettingsError(
                f"others can read the tokens in {self._path}: chmod 600 {self._path}, and log in again"
            )
        return _read(text)

    def save(self, tokens: Tokens) -> None:
        """The whole file at once."""
        try:
            number, draft = tempfile.mkstemp(prefix=".tokens-", dir=self._path.parent)
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    json.dump(asdict(tokens), file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, self._path)
            except BaseException:
                os.unlink(draft)
                raise
        except OSError as fault:
            raise SettingsError(
                f"the tokens cannot be kept in {self._path} ({fault.strerror})"
            ) from fault

    def forget(self) -> None:
        """The file goes."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """By a file beside it."""
        return _locked(self._path.with_name(self._path.name + ".lock"))


def _read(text: str) -> Tokens | None:
    """What was kept; what cannot be read is as good as nothing: a new login replaces it."""
    try:
        found = json.loads(text)
        expires = found["expires_at"]
        return Tokens(
            str(found["access_token"]),
            None if found["refresh_token"] is None else str(found["refresh_token"]),
            None if expires is None else float(expires),
        )
    except (ValueError, KeyError, TypeError):
        return None
