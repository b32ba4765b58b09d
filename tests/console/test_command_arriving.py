"""intake: an outcome for every file, whatever is in it."""

from __future__ import annotations

import io
import json
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
    chat.write_text('{"channel": "fax", "text": "hi"}')
    good = deskhand.mail("good")
    done = deskhand("--json", "intake", "/no/such", str(chat), str(good))
    assert done.status == 1
    assert [document.get("outcome") for document in done.documents] == [None, None, "created"]
    assert "/no/such cannot be read" in done.err
    assert "a message of 'fax', a channel that this desk does not have" in done.err


def test_chat_messages_from_a_file_become_a_ticket_once(
    deskhand: CommandLine, tmp_path: Path
) -> None:
    settings = deskhand.home / "deskhand.toml"
    bot = '\n[[channel]]\nname = "bot"\nkind = "telegram"\ntoken = { env = "NONE" }\n'
    settings.write_text(settings.read_text() + bot)
    message = {"message_id": 5, "chat": {"id": 47, "type": "private", "first_name": "Anna"}}
    message |= {"from": message["chat"], "date": 1795424340, "text": "Where is it?"}
    first = message | {"text": "Where is what I ordered?", "edit_date": 1795424345}
    edited = message | {"text": "Where is *my parcel*?", "edit_date": 1795424350}
    own = {"channel": "telegram", "conversation": 47, "id": 6, "sender": 47, "text": "Hello?"}
    lines = tmp_path / "chat.jsonl"
    updates = [message, first, {"update_id": 2, "edited_message": edited}, own, own]
    lines.write_text("\n".join(json.dumps(one) for one in updates) + "\nnonsense\n")
    done = deskhand("--json", "intake", str(lines))
    assert done.status == 1
    *answers, refused = done.documents
    for document in answers:
        check(document, INTAKE)
    assert [(d["outcome"], d["cause"]) for d in answers] == [
        ("created", None),
        ("appended", "edited"),
        ("appended", "edited"),
        ("appended", None),
        ("duplicate", "already here"),
    ]
    assert {d["ticket"] for d in answers} == {1}
    assert refused["error"].startswith(f"{lines}, line 6: the line is not JSON")
    ticket = deskhand.json("show", "1")
    assert (ticket["channel"], ticket["account"]) == ("telegram", "bot")
    assert [m["text"] for m in ticket["messages"]] == ["Where is *my parcel*?", "Hello?"]
    assert ticket["customer"]["identities"] == [{"kind": "telegram", "value": "47"}]
    again = deskhand("intake", str(lines))
    assert [line.partition(": ")[2] for line in again.out.splitlines()] == [
        "duplicate ticket #1 (already here)"
    ] * 5
    assert deskhand.json("show", "1")["events"] == ticket["events"]
    reply = deskhand.json("reply", "1", "--text", "It is here.")
    assert reply["message"]["to"] == ["47"]


def test_the_account_that_files_came_over_can_be_named(deskhand: CommandLine) -> None:
    path = str(deskhand.mail("one"))
    assert deskhand.json("intake", path, "--account", "support")["outcome"] == "created"
    done = deskhand("intake", path, "--account", "bot")
    assert done.status == 2
    assert "there is no email account 'bot' in deskhand.toml (there are: support)" in done.err


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
