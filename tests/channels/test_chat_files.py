"""Chat messages from files: the shapes that are taken, the names they get, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.chat_files import ChatFault, is_chat, read_chats
from workflow.files import FileStore
from workflow.inbound import Inbound
from workflow.settings import ChannelSettings, Settings

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DESK = Settings(
    channels=(
        ChannelSettings(name="support", kind="email"),
        ChannelSettings(name="bot", kind="telegram", since=NOW - timedelta(days=30)),
        ChannelSettings(name="other", kind="telegram"),
    )
)
USER = {"id": 4711, "is_bot": False, "first_name": "Anna", "username": "anna"}
MESSAGE = {
    "message_id": 5,
    "from": USER,
    "chat": {"id": 4711, "type": "private", "first_name": "Anna"},
    "date": int(NOW.timestamp()) - 60,
    "text": "Where is it?",
}
OWN: dict[str, Any] = {
    "channel": "telegram",
    "conversation": "4711",
    "id": 5,
    "sender": {"id": 4711, "name": "Anna", "handle": "@anna"},
    "text": "Where is it?",
    "date": "2026-11-23T08:59:00Z",
}
Take = Callable[..., list[tuple[str, Inbound | ChatFault]]]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Reads a file's text, or the JSON of a value."""

    def read(content: Any, **more: Any) -> list[tuple[str, Inbound | ChatFault]]:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        files = FileStore(tmp_path / "files")
        return list(read_chats(raw, settings=DESK, files=files, now=NOW, **more))

    return read


def one(found: list[tuple[str, Inbound | ChatFault]]) -> Inbound:
    ((_place, item),) = found
    assert isinstance(item, Inbound), item
    return item


def said(found: list[tuple[str, Inbound | ChatFault]]) -> str:
    ((_place, fault),) = found
    assert isinstance(fault, ChatFault), fault
    return fault.sentence


def test_every_shape_of_a_message_is_the_same_message(take: Take) -> None:
    update = one(take({"update_id": 9, "message": MESSAGE}))
    bare, own = one(take(MESSAGE)), one(take(OWN))
    for item in (update, bare, own):
        assert item.message_id == "<tg.bot.4711.5>"
        assert item.dedupe_key == update.dedupe_key
        assert item.conversation == "telegram:bot:4711"
        assert (item.sender.name, item.sender.address, item.handle) == ("Anna", "4711", "@anna")
        assert (item.text, item.subject) == ("Where is it?", "Where is it?")
        assert item.reached_at == NOW - timedelta(minutes=1)
        assert not item.before_cutoff


def test_lists_lines_and_the_answer_of_get_updates(take: Take) -> None:
    updates = [{"update_id": n, "message": MESSAGE | {"message_id": n}} for n in (1, 2)]
    lines = b"\n".join(json.dumps(one).encode() for one in updates)
    for content in (updates, {"ok": True, "result": updates}, lines, b"\xef\xbb\xbf" + lines):
        found = take(content)
        assert [item.message_id for _place, item in found if isinstance(item, Inbound)] == [
            "<tg.bot.4711.1>",
            "<tg.bot.4711.2>",
        ]
    assert [place for place, _item in take(updates)] == ["message 1", "message 2"]
    assert [place for place, _item in take(lines)] == ["line 1", "line 2"]


def test_a_bad_line_stops_no_other(take: Take) -> None:
    found = take(json.dumps(OWN).encode() + b"\n\nnonsense\n" + json.dumps(MESSAGE).encode())
    assert [(place, isinstance(item, ChatFault)) for place, item in found] == [
        ("line 1", False),
        ("line 3", True),
        ("line 4", False),
    ]


def test_an_edit_an_answer_and_an_old_message(take: Take) -> None:
    edited = one(take(MESSAGE | {"edit_date": int(NOW.timestamp()), "text": "And now?"}))
    own = one(take(OWN | {"edited": True, "text": "And now?"}))
    assert edited.edits == own.edits == "<tg.bot.4711.5>"
    answer = one(take(OWN | {"id": "6", "reply_to": "5"}))
    assert answer.in_reply_to == ("<tg.bot.4711.5>",)
    assert one(take(OWN | {"date": "2026-01-01T00:00:00Z"})).before_cutoff
    assert one(take(OWN | {"date": "2031-01-01T00:00:00Z"})).reached_at == NOW
    assert one(take({k: v for k, v in OWN.items() if k != "date"})).reached_at == NOW


def test_a_place_that_is_not_the_sender_is_where_the_answer_goes(take: Take) -> None:
    group = one(take(OWN | {"conversation": "-100123/7"}))
    assert group.sender.address == "4711"
    assert [party.address for party in group.reply_to] == ["-100123/7"]
    assert group.conversation == "telegram:bot:-100123/7"
    assert one(take(OWN | {"sender": "4711"})).reply_to == ()


def test_files_come_as_base64_or_lie_beside_the_json(take: Take, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    data = base64.b64encode(b"pdf").decode()
    files = [{"name": "a.png", "type": "image/png", "file": "a.png"}, {"name": "b", "data": data}]
    item = one(take(OWN | {"text": "", "attachments": files}, folder=tmp_path))
    store = FileStore(tmp_path / "files")
    assert [(f.name, f.size, store.read(f.sha256)) for f in item.attachments] == [
        ("a.png", 3, b"png"),
        ("b", 3, b"pdf"),
    ]
    assert item.subject == "a.png"


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_file_outside_of_the_folder_is_refused(take: Take, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    found = take(OWN | {"attachments": [{"name": "x", "file": path}]}, folder=folder)
    assert "leads out of the folder" in said(found)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "neither an update or message of Telegram"),
        (7, "neither an update"),
        (b"\xff{}", "not UTF-8 (byte 0)"),
        (b'{\n"channel": }', "not JSON (line 2"),
        (b"[" * 100_000, "nested too deeply"),
        (OWN | {"channel": "email"}, "give its .eml file"),
        (OWN | {"channel": "fax"}, "'fax', a channel that this desk does not have"),
        (OWN | {"account": "nope"}, "no telegram account 'nope' in deskhand.toml"),
        (OWN | {"account": "support"}, "there are: bot, other"),
        (OWN | {"conversation": "anna"}, "no Telegram chat"),
        (OWN | {"id": "x"}, "its id is a number"),
        (OWN | {"text": " \n"[1:]}, "text is missing, and nothing is attached"),
        (OWN | {"attachment": []}, "'attachment' is not a field"),
        (OWN | {"date": "yesterday"}, "date is no time"),
        (OWN | {"date": "2026-11-23T08:59:00"}, "date has no offset"),
        (OWN | {"sender": {"names": "x"}}, "'sender.names' is not a field"),
        (OWN | {"text": ["a"]}, "text is not as it should be: a valid string"),
        (OWN | {"attachments": [{"name": "x"}]}, "either data (base64) or file"),
        (OWN | {"attachments": [{"name": "x", "data": "?"}]}, "is not base64"),
        (OWN | {"attachments": [{"name": "x", "file": "y"}]}, "has no folder"),
        ({k: v for k, v in OWN.items() if k != "sender"}, "sender is missing"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(take: Take, content: Any, words: str) -> None:
    sentence = said(take(content))
    assert words in sentence
    assert "\n" not in sentence
    assert len(sentence) < 260


def test_what_telegram_may_send_one_day_is_held_with_its_bytes(take: Take) -> None:
    item = one(take({"update_id": 3, "telepathy": {}}))
    assert item.held_cause == "an unknown kind of update"


def test_files_of_telegram_stay_there_and_the_message_says_so(take: Take) -> None:
    photo = {"file_id": "F", "file_unique_id": "u", "width": 9, "height": 9}
    item = one(take({k: v for k, v in MESSAGE.items() if k != "text"} | {"photo": [photo]}))
    assert item.attachments == ()
    assert "it lies at Telegram" in item.text


def test_another_account_is_named(take: Take) -> None:
    assert one(take(MESSAGE, account="other")).message_id == "<tg.other.4711.5>"


@pytest.mark.parametrize(
    ("name", "raw", "chat"),
    [
        ("a.json", b"nonsense", True),
        ("A.JSONL", b"", True),
        ("-", b' \n{"a": 1}\n{', True),
        ("a.eml", b"[1]", True),
        ("a.eml", b"{", False),
        ("a.eml", b"From: a@example.org\n\n{}", False),
        ("a.eml", b"[" * 100_000, False),
    ],
)
def test_what_is_json_and_what_is_mail(name: str, raw: bytes, chat: bool) -> None:
    assert is_chat(name, raw) is chat


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*OWN, "attachments", "reply_to", "edited", "update_id", "message"]), _JSON
    )
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_json_is_there_is_an_answer(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]
) -> None:
    files = FileStore(tmp_path_factory.getbasetemp() / "chat-files")
    raw = json.dumps(OWN | value).encode()
    for _place, item in read_chats(raw, settings=DESK, files=files, now=NOW):
        assert isinstance(item, Inbound | ChatFault)
