"""The command line as a program would use it: in this process, with what it wrote and how it ended;
and the shapes that docs/json.md promises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main

__all__ = ["CommandLine", "Done", "Shape", "check", "eml"]

NOW = "2026-11-23T09:00:00Z"
SETTINGS = """\
[[agent]]
name = "ana"
email = "ana@desk.example"
groups = ["support"]

[[agent]]
name = "ben"
groups = ["experts"]

[[group]]
name = "support"
level = "L1"

[[group]]
name = "experts"
level = "L2"

[[channel]]
name = "support"
kind = "email"
address = "support@desk.example"
aliases = ["help@desk.example"]
"""


@dataclass(frozen=True)
class Done:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """The JSON documents on standard output, where nothing else may stand."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        """The one document."""
        (found,) = self.documents
        return found


@dataclass
class CommandLine:
    """A home and the words before the verb."""

    home: Path
    capsys: pytest.CaptureFixture[str]
    agent: str | None = "ana"
    now: str = NOW

    def __call__(self, *words: str) -> Done:
        """Run a command as a person would, for people."""
        before = ["--home", str(self.home), "--now", self.now]
        if self.agent:
            before += ["--agent", self.agent]
        self.capsys.readouterr()
        status = main([*before, *words])
        written = self.capsys.readouterr()
        return Done(status, written.out, written.err)

    def json(self, *words: str) -> Any:
        """Run a command that must succeed; its document."""
        done = self("--json", *words)
        assert (done.status, done.err) == (0, ""), done
        return done.document

    def refused(self, status: int, *words: str) -> str:
        """Run a command that must not succeed; the one sentence it says."""
        done = self(*words)
        assert done.status == status, done
        assert done.out == ""
        assert done.err.startswith("deskhand: ")
        assert done.err.count("\n") == 1
        return done.err

    def mail(self, name: str, **headers: str) -> Path:
        """A mail in a file."""
        path = self.home.parent / f"{name}.eml"
        path.write_bytes(eml(name, **headers))
        return path

    def opened(self, name: str = "first", **headers: str) -> int:
        """A ticket that a mail has opened."""
        return int(self.json("intake", str(self.mail(name, **headers)))["ticket"])


def eml(name: str, **headers: str) -> bytes:
    """A mail; a keyword is a header (``in_reply_to``), ``body`` its text."""
    body = headers.pop("body", f"the body of {name}")
    lines = {
        "From": "Maria Lopez <maria@customer.example>",
        "To": "support@desk.example",
        "Subject": f"subject of {name}",
        "Message-ID": f"<{name}@customer.example>",
        "Date": "Mon, 23 Nov 2026 08:00:00 +0000",
        **{key.replace("_", "-").title(): value for key, value in headers.items()},
    }
    head = "\n".join(f"{key}: {value}" for key, value in lines.items())
    return f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n".encode()


Shape = object
"""A type, a tuple of shapes (one of them), a list of one shape, a dict of shapes, or a check."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class When:
    """A moment: RFC 3339 in UTC."""


class Word:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words


NONE = type(None)
MESSAGE: dict[str, Shape] = {
    "id": (int, NONE), "direction": Word("in", "out", "note"), "author": str, "at": When,
    "date": (When, NONE), "subject": str, "from": {"name": str, "address": str}, "text": str,
    "full_text": str, "automatic": bool,
    "attachments": [{"name": str, "type": str, "size": int, "sha256": str}],
    "message_id": (str, NONE), "delivery": (str, NONE), "to": [str], "cc": [str],
    "bounce": (NONE, {
        "status": (str, NONE), "smtp": (str, NONE), "kind": Word("hard", "soft"),
        "reason": str, "recipient": (str, NONE), "original_message_id": (str, NONE),
    }),
}  # fmt: skip
CLOCK: dict[str, Shape] = {
    "metric": Word("first_response", "next_response", "update", "resolution"), "policy": str,
    "calendar": str, "target_s": int, "started_at": When, "due_at": (When, NONE),
    "remaining_s": int,
    "state": Word("running", "paused", "met", "breached", "missed", "stopped"),
}  # fmt: skip
LISTED: dict[str, Shape] = {
    "id": int, "subject": str,
    "status": Word("new", "open", "pending", "on hold", "resolved", "closed"),
    "priority": Word("unset", "low", "medium", "high", "urgent"), "priority_by": str,
    "channel": str, "account": (str, NONE), "group": (str, NONE), "assignee": (str, NONE),
    "level": (str, NONE), "topic": (str, NONE), "language": (str, NONE),
    "sentiment": (float, NONE), "tags": [str], "snoozed_until": (When, NONE), "created_at": When,
    "updated_at": When, "waiting_since": (When, NONE), "merged_into": (int, NONE),
    "customer": {
        "id": int, "name": str, "tier": str, "identities": [{"kind": str, "value": str}],
    },
    "clocks": [CLOCK], "escalation": (NONE, dict), "next_clock": (CLOCK, NONE),
}  # fmt: skip
TICKET: dict[str, Shape] = {
    **{name: shape for name, shape in LISTED.items() if name != "next_clock"},
    "messages": [MESSAGE],
    "events": [{"at": When, "name": str, "actor": str, "cause": str, "data": dict}],
}
INTAKE: dict[str, Shape] = {
    "outcome": Word("created", "appended", "duplicate", "held"), "cause": (str, NONE),
    "ticket": (int, NONE), "message": MESSAGE, "matched_by": (str, NONE),
}  # fmt: skip
OUTBOX_ITEM: dict[str, Shape] = {
    "id": int, "ticket": int,
    "state": Word("held", "scheduled", "queued", "sending", "sent", "failed", "bounced", "cancelled"),
    "attempts": int, "next_attempt_at": (When, NONE), "error": (str, NONE), "message_id": str,
    "to": [str],
}  # fmt: skip
EXPLAINED: dict[str, Shape] = {
    "facts": [{"field": str, "value": (str, int, NONE), "cause": str, "evidence": str}],
    "clocks": [
        {
            "metric": str,
            "ledger": [
                {"from": When, "to": When, "counted_s": int, "why": Word("closed", "paused", "counted")}
            ],
        }
    ],
}  # fmt: skip
FOUND: dict[str, Shape] = {
    "hits": [{"ticket": int, "message": int, "snippet": str, "at": When}], "total": int,
    "seconds": float,
}  # fmt: skip


def check(found: object, shape: Shape, where: str = "$") -> None:
    """Hold a document against a shape; more fields than promised are free, fewer are not."""
    if isinstance(shape, tuple):
        faults = []
        for each in shape:
            try:
                check(found, each, where)
            except AssertionError as fault:
                faults.append(str(fault))
            else:
                return
        raise AssertionError("; ".join(faults))
    if isinstance(shape, Mapping):
        assert isinstance(found, dict), f"{where} is {found!r}"
        for name, inner in shape.items():
            assert name in found, f"{where} has no {name}"
            check(found[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(found, list), f"{where} is {found!r}"
        for number, each in enumerate(found):
            check(each, shape[0], f"{where}[{number}]")
    elif shape is When:
        assert isinstance(found, str), f"{where} is {found!r}"
        assert TIME.fullmatch(found), f"{where} is {found!r}"
    elif isinstance(shape, Word):
        assert found in shape.words, f"{where} is {found!r}"
    else:
        assert isinstance(shape, type)
        assert type(found) is shape, f"{where} is {found!r}, not {shape.__name__}"
