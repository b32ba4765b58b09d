"""intake: an outcome for every file, whatever is in it."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.console.command_line import INTAKE, CommandLine, check, eml


def test_created_appended_and_duplicate_with_the_message(deskhand: CommandLine) -> None:
    first = deskhand.mail("first")
    answer = deskhand.mail("second", in_reply_to="<first@customer.example>")
    done = deskhand("--json", "intake", str(first), str(answer), str(first))
    assert (done.status, done.err) == (0, "")
    created, appended, duplicate = done.documents
    for document in done.documents:
        check(document, INTAKE)
    assert [d["outcome"] for d in done.documents] == ["created", "appended", "duplicate"]
    assert [d["matched_by"] for d in done.documents] == ["new", "in-reply-to", None]
    assert {d["ticket"] for d in done.documents} == {created["ticket"]}
    assert duplicate["message"]["text"] == created["message"]["text"] != appended["message"]["text"]
    assert duplicate["message"]["id"] == created["message"]["id"]


def test_a_held_item_has_its_message_and_no_ticket(deskhand: CommandLine) -> None:
    settings = deskhand.home / "deskhand.toml"
    settings.write_text(settings.read_text() + 'max_size = "300"\n')
    path = str(deskhand.mail("big", body="x" * 2000))
    held, again = (deskhand.json("intake", path) for _ in range(2))
    for document in (held, again):
        check(document, INTAKE)
        assert document["ticket"] is None
        assert document["message"]["subject"] == "subject of big"
    assert (held["outcome"], again["outcome"]) == ("held", "duplicate")


def test_mail_from_standard_input(deskhand: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(eml("piped"))))
    assert deskhand.json("intake", "-")["message"]["subject"] == "subject of piped"


def test_one_file_that_cannot_be_taken_does_not_stop_the_others(
    deskhand: CommandLine, tmp_path: Path
) -> None:
    chat = tmp_path / "chat.json"
    chat.write_text('{"channel": "telegram", "text": "hi"}')
    good = deskhand.mail("good")
    done = deskhand("--json", "intake", "/no/such", str(chat), str(good))
    assert done.status == 1
    assert [document.get("outcome") for document in done.documents] == [None, None, "created"]
    assert "/no/such cannot be read" in done.err
    assert "a message of 'telegram', a channel that this desk does not have" in done.err


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\x00\xff" * 500,
        b"{",
        b"{" * 5000,
        b'{"channel"',
        b"From: \n\n",
        b"From a\nb",
        b"\r\n\r\nbody",
    ],
)
def test_whatever_the_bytes_are_there_is_an_outcome(
    deskhand: CommandLine, tmp_path: Path, raw: bytes
) -> None:
    path = tmp_path / "odd.eml"
    path.write_bytes(raw)
    check(deskhand.json("intake", str(path)), INTAKE)


@pytest.mark.slow
def test_all_the_sample_mail_has_an_outcome(deskhand: CommandLine, mail_samples: Path) -> None:
    paths = sorted(str(path) for path in mail_samples.rglob("*.eml"))[:1500]
    assert paths
    done = deskhand("--json", "intake", *paths)
    assert done.status == 0, done.err
    assert len(done.documents) == len(paths)
    for document in done.documents:
        check(document, INTAKE)
    again = deskhand("--json", "intake", *paths[:50])
    assert {document["outcome"] for document in again.documents} == {"duplicate"}
