"""Large mails, read in a process of their own."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from channels.email import large
from channels.email.inbound import UNREADABLE, read_mail
from channels.email.large import read_any_mail
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.settings import Settings

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def mail(size: int, text: str = "See the file, Grüße.\n") -> bytes:
    made = EmailMessage()
    made["From"] = "Anna <anna@example.org>"
    made["Subject"] = "A large one"
    made["Message-ID"] = "<large@example.org>"
    made.set_content(text)
    made.add_attachment(os.urandom(size), "application", "zip", filename="Übersicht.zip")
    return made.as_bytes()


def read(raw: bytes, files: FileStore, **more: float) -> Inbound:
    return read_any_mail(
        raw,
        files=files,
        channel=None,
        settings=Settings(),
        source=Source("support", "INBOX", 7, 42),
        now=NOW,
        **more,
    )


@pytest.mark.slow
def test_a_mail_of_50_mb_is_what_it_would_be_if_it_were_small(tmp_path: Path) -> None:
    raw = mail(36_500_000)
    assert len(raw) > 49_000_000
    files = FileStore(tmp_path)
    item = read(raw, files)
    assert (item.held_cause, item.text, item.subject) == (
        None,
        "See the file, Grüße.",
        "A large one",
    )
    (file,) = item.attachments
    assert (file.name, file.size) == ("Übersicht.zip", 36_500_000)
    assert files.path(file.sha256).stat().st_size == 36_500_000
    here = read_mail(
        raw, files=files, channel=None, settings=Settings(), source=item.source, now=NOW
    )
    assert here == item


def test_one_that_ends_its_process_or_takes_too_long_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FileStore(tmp_path)
    raw = mail(large.LARGE)
    late = read(raw, files, limit_s=0.001)
    assert late.held_cause == UNREADABLE
    assert "took more than" in late.held_evidence
    assert files.read(late.raw_sha256) == raw

    monkeypatch.setattr(large.sys, "executable", "/bin/false")
    ended = read(raw, files)
    assert (ended.held_cause, ended.source.position) == (UNREADABLE, 42)
    assert "status 1" in ended.held_evidence
