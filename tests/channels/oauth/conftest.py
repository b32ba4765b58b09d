"""A keyring in memory, in place of that of the system."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend


class _Memory(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture
def memory_keyring() -> Iterator[Callable[[], dict[tuple[str, str], str]]]:
    """What is kept in it."""
    before = keyring.get_keyring()
    backend = _Memory()
    keyring.set_keyring(backend)
    yield lambda: backend.kept
    keyring.set_keyring(before)
