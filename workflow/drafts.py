"""What is kept of a message that is being written beside its text: to whom, with what, when.

A draft belongs to one agent. Nothing of how it is signed is in it: whoever sends signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflow.clock import parse_moment
from workflow.model import rfc3339

__all__ = ["NOTHING_CHOSEN", "SUGGESTED", "DraftOptions", "File"]

File = tuple[str, str, str, int]
"""Name, content type, SHA-256 and size of a file that lies in the file store."""


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """What a person chose for a message; None is what the desk proposes."""

    reply_all: bool = False
    to: tuple[str, ...] | None = None
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] = ()
    subject: str | None = None
    sender: str | None = None
    """The address of ours that it comes from."""
    files: tuple[File, ...] = ()
    send_at: datetime | None = None
    unless_reply: bool = False
    signature: bool = True
    via: int | None = None
    account: str | None = None
    chosen: bool = False
    """The message that is answered was chosen by hand: a newer one does not take its place."""

    def to_json(self) -> dict[str, Any]:
        """What differs from nothing chosen, as it is stored."""
        found: dict[str, Any] = {}
        for name in ("reply_all", "unless_reply", "chosen", "subject", "sender", "via", "account"):
            if (value := getattr(self, name)) not in (None, False):
                found[name] = value
        for name in ("to", "cc"):
            if (people := getattr(self, name)) is not None:
                found[name] = list(people)
        if self.bcc:
            found["bcc"] = list(self.bcc)
        if self.files:
            found["files"] = [list(file) for file in self.files]
        if self.send_at is not None:
            found["send_at"] = rfc3339(self.send_at)
        if not self.signature:
            found["signature"] = False
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> DraftOptions:
        """The options of a stored draft."""

        def people(name: str) -> tuple[str, ...] | None:
            return tuple(map(str, found[name])) if name in found else None

        return cls(
            reply_all=bool(found.get("reply_all", False)),
            to=people("to"),
            cc=people("cc"),
            bcc=people("bcc") or (),
            subject=found.get("subject"),
            sender=found.get("sender"),
            files=tuple(
                (str(name), str(kind), str(sha256), int(size))
                for name, kind, sha256, size in found.get("files", ())
            ),
            send_at=parse_moment(found["send_at"]) if found.get("send_at") else None,
            unless_reply=bool(found.get("unless_reply", False)),
            signature=bool(found.get("signature", True)),
            via=found.get("via"),
            account=found.get("account"),
            chosen=bool(found.get("chosen", False)),
        )


NOTHING_CHOSEN = DraftOptions()

SUGGESTED = "suggested"
"""The kind of draft that a rule has written: its agent is then the rule, as ``rule:NAME``."""
