"""Updates as the desk takes them in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from channels.telegram.convert import (
    TelegramReader,
    entries,
    open_albums,
    raw_bytes,
    to_inbound,
    wanted_files,
)
from channels.telegram.formatting import readable
from channels.telegram.names import Route, message_number
from console.demo.bot_people import Customer, entity
from tests.servers.telegram import TelegramServer
from workflow.files import FileStore
from workflow.inbound import Attachment, Inbound, Source
from workflow.settings import Settings

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOSTILE = "\x1b]0;x\x07\x9b31m\u202e[b]{{x}}[/b]\x00 \ud800 <i>"


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer.start() as running:
        yield running


@pytest.fixture
def anna(server: TelegramServer) -> Customer:
    customer = server.customer(4711, "Anna Berg", "anna")
    customer.at = int(NOW.timestamp()) - 60
    return customer


def read(update: dict[str, Any]) -> Inbound:
    (entry,) = entries([update])
    return to_inbound(
        entry,
        account="bot",
        source=Source("bot", "updates", 1, entry.position),
        raw=raw_bytes(entry.updates),
        sha256="0" * 64,
        now=NOW,
        fetch=lambda file: Attachment(file.name, file.content_type, 1, "1" * 64),
    )


def last(server: TelegramServer) -> Inbound:
    update = server.pending[-1]
    # What this server gives, the library that speaks to the real one understands.
    assert Update.de_json(update, None).update_id == update["update_id"]
    return read(update)


def test_a_text_and_who_wrote_it(server: TelegramServer, anna: Customer) -> None:
    anna.says("Where is it?\nI wait.")
    item = last(server)
    assert (item.sender.name, item.sender.address, item.handle) == ("Anna Berg", "4711", "@anna")
    assert (item.text, item.subject) == ("Where is it?\nI wait.", "Where is it? I wait.")
    assert item.message_id == "<tg.bot.4711.2>"
    assert item.conversation == "telegram:bot:4711"
    assert item.reached_at == datetime(2026, 11, 23, 8, 59, tzinfo=UTC)
    assert message_number(item.message_id, "bot", 4711) == 2
    assert message_number(item.message_id, "bot", 47) is None


@pytest.mark.parametrize(
    ("text", "marks", "shown"),
    [
        ("a bold word", [("bold", "bold", {})], "a *bold* word"),
        ("😀 bold 😀", [("bold", "bold", {})], "😀 *bold* 😀"),
        ("both", [("bold", "both", {}), ("italic", "both", {})], "*_both_*"),
        ("see here", [("text_link", "here", {"url": "https://x.example/a"})],
         "see here (https://x.example/a)"),
        ("https://x.example", [("text_link", "https://x.example", {"url": "https://x.example/"})],
         "https://x.example"),
        ("run x=1", [("code", "x=1", {})], "run `x=1`"),
        ("x = 1", [("pre", "x = 1", {"language": "python"})], "```python\nx = 1\n```"),
        ("one\ntwo\nmine", [("blockquote", "one\ntwo", {})], "> one\n> two\nmine"),
        ("mine one", [("blockquote", "one", {})], "mine \n> one"),
        ("gone hidden", [("strikethrough", "gone", {}), ("spoiler", "hidden", {})],
         "~gone~ ||hidden||"),
    ],
)  # fmt: skip
def test_formatting_reads_well(text: str, marks: list[Any], shown: str) -> None:
    found = [entity(kind, text, part, **more) for kind, part, more in marks]
    assert readable(text, found) == shown


@given(
    st.text(max_size=40),
    st.lists(
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["bold", "pre", "blockquote", "text_link", "other", None]),
                "offset": st.one_of(st.integers(-5, 60), st.none()),
                "length": st.integers(-5, 60),
                "url": st.text(max_size=5),
            }
        ),
        max_size=6,
    ),
)
def test_no_formatting_loses_a_letter(text: str, marks: list[dict[str, Any]]) -> None:
    shown = readable(text, marks)
    rest = iter(shown)
    assert all(letter in rest for letter in text)


def test_what_is_no_text_comes_as_words(server: TelegramServer, anna: Customer) -> None:
    place = {"latitude": 52.5, "longitude": 13.4}
    sticker = {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1,
               "is_animated": False, "is_video": False, "emoji": "👍"}  # fmt: skip
    for content, words in (
        ({"sticker": sticker}, "[Sticker 👍]"),
        ({"location": place}, "[Location: 52.5, 13.4 https://www.openstreetmap.org/"),
        ({"venue": {"location": place, "title": "Shop", "address": "Main St"}, "location": place},
         "[Place: Shop, Main St, 52.5"),
        ({"contact": {"phone_number": "+49 30", "first_name": "Ben"}}, "[Contact: Ben, +49 30]"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "[🎲 4]"),
    ):  # fmt: skip
        anna.sends(**content)
        item = last(server)
        assert item.held_cause is None
        assert item.text.startswith(words)


def test_files_come_with_names_and_types(server: TelegramServer, anna: Customer) -> None:
    anna.sends_photo(b"photo", "a caption")
    item = last(server)
    assert (item.text, [f.name for f in item.attachments]) == ("a caption", ["photo-2.jpg"])
    wanted = wanted_files(entries([server.pending[-1]])[0])
    assert [file.size for file in wanted] == [5]
    anna.sends_document(b"%PDF", "../../etc/passwd", "application/pdf")
    assert last(server).attachments[0].name == "../../etc/passwd"


def test_a_reply_quotes_what_it_answers(server: TelegramServer, anna: Customer) -> None:
    first = anna.says("line 1\nline 2\nline 3\nline 4")
    anna.says("yes", reply_to=first)
    item = last(server)
    assert item.in_reply_to == ("<tg.bot.4711.2>",)
    assert item.text == "> line 1\n> line 2\n> line 3 …\n\nyes"
    assert item.full_text == "> line 1\n> line 2\n> line 3\n> line 4\n\nyes"
    anna.says("this", reply_to=first, quote={"text": "line 2", "position": 7})
    assert last(server).text == "> line 2\n\nthis"


def test_albums_are_one_entry_and_are_known_to_be_open(
    server: TelegramServer, anna: Customer
) -> None:
    anna.sends_album([b"1", b"2"], "both")
    assert open_albums(server.pending) == 0
    anna.says("next")
    assert open_albums(server.pending) is None
    album, text = entries(server.pending)
    assert (len(album.updates), len(text.updates)) == (2, 1)
    item = read_entry(server.pending[:2])
    assert (item.text, len(item.attachments)) == ("both", 2)
    assert "<tg.bot.4711.3>" in item.aliases or "<tg.bot.4711.4>" in item.aliases


def read_entry(updates: list[dict[str, Any]]) -> Inbound:
    (entry,) = entries(updates)
    return to_inbound(
        entry, account="bot", source=Source("bot"), raw=raw_bytes(updates), sha256="0" * 64,
        now=NOW, fetch=lambda file: Attachment(file.name, "image/jpeg", 1, file.unique_id),
    )  # fmt: skip


def test_groups_are_answered_where_they_were_written(
    server: TelegramServer, anna: Customer
) -> None:
    group = {"id": -1001234, "type": "supergroup", "title": "Team <b>", "is_forum": True}
    anna.sends(text="hi", chat=group, message_thread_id=5, is_topic_message=True)
    item = last(server)
    assert item.sender.address == "4711"
    assert item.reply_to[0].address == "-1001234/5"
    assert item.conversation == "telegram:bot:-1001234/5"
    assert Route.parse("-1001234/5:con-1") == Route(-1001234, 5, "con-1")


def test_hostile_text_in_every_field_comes_out_as_text(
    server: TelegramServer, anna: Customer
) -> None:
    evil = {"id": 9, "is_bot": False, "first_name": HOSTILE, "last_name": HOSTILE,
            "username": HOSTILE}  # fmt: skip
    chat = {"id": 9, "type": "private", "first_name": HOSTILE, "title": HOSTILE}
    place = {"latitude": HOSTILE, "longitude": HOSTILE}
    about = {"file_id": HOSTILE, "file_unique_id": HOSTILE, "file_name": HOSTILE,
             "mime_type": HOSTILE, "file_size": 99_000_000}  # fmt: skip
    base = {"message_id": 5, "date": 1_700_000_000, "from": evil, "chat": chat,
            "forward_origin": {"type": "hidden_user", "sender_user_name": HOSTILE, "date": 1},
            "quote": {"text": HOSTILE}, "reply_to_message": {"message_id": 4, "text": HOSTILE},
            "media_group_id": HOSTILE, "business_connection_id": "x"}  # fmt: skip
    contents: list[dict[str, Any]] = [
        {
            "text": HOSTILE,
            "entities": [{"type": "text_link", "offset": 0, "length": 3, "url": HOSTILE}],
        },
        {"text": f"/start {HOSTILE}"},
        {"document": about, "caption": HOSTILE},
        {"sticker": {"emoji": HOSTILE, "set_name": HOSTILE}},
        {"location": place},
        {"venue": {"title": HOSTILE, "address": HOSTILE, "location": place}},
        {"contact": {"first_name": HOSTILE, "phone_number": HOSTILE}},
        {"poll": {"question": HOSTILE, "options": [{"text": HOSTILE}]}},
        {"dice": {"emoji": HOSTILE, "value": HOSTILE}},
        {"game": {"title": HOSTILE}},
        {HOSTILE: HOSTILE},
        {"pinned_message": HOSTILE},
    ]
    updates: list[dict[str, Any]] = [{"message": base | content} for content in contents]
    updates += [{HOSTILE: 1}, {"message": HOSTILE}, {"edited_message": base | {"chat": HOSTILE}}]
    for number, update in enumerate(updates):
        (entry,) = entries([{"update_id": number, **update}])
        item = to_inbound(
            entry, account="bot", source=Source("bot"), raw=b"", sha256="0" * 64, now=NOW,
            fetch=lambda file: "99 MB, too large",
        )  # fmt: skip
        shown = [item.text, item.full_text, item.subject, item.sender.name, item.sender.address,
                 item.handle, item.held_cause or "", item.held_evidence,
                 *(party.name for party in (*item.to, *item.reply_to))]  # fmt: skip
        for text in shown:
            assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e", "\x00", "\ud800"}, update
            text.encode("utf-8")


def test_a_stored_item_is_read_again(
    server: TelegramServer, anna: Customer, tmp_path: Path
) -> None:
    anna.says("Hello")
    reader = TelegramReader(Settings(), FileStore(tmp_path))
    update = server.pending[-1]
    for raw in (raw_bytes([update]), json.dumps(update).encode()):
        item = reader.read(raw, "bot", NOW)
        assert (item.text, item.dedupe_key) == ("Hello", "telegram:<tg.bot.4711.2>")
    for raw in (b"", b"[]", b"nonsense", b'{"updates": 5}', b'{"update_id": []}', b"\xff\xfe"):
        assert reader.read(raw, "bot", NOW).held_cause
