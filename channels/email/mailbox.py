"""What a mail server gives: a folder, and a message of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Fetched", "Folder"]


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened folder: its name, UIDVALIDITY, and how many messages it holds."""

    name: str
    validity: int
    count: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message. ``whole`` is False where only the header was fetched; ``size`` is the server's.

    ``fault`` says why the server did not give it; None if it did.
    """

    uid: int
    raw: bytes
    received_at: datetime | None
    size: int
    whole: bool = True
    fault: str | None = None
