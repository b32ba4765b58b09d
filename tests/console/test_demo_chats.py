"""The demo's customers in Telegram: what they write is what the desk reads, and they answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from telegram import Update

from channels.telegram.convert import entries, raw_bytes, to_inbound, wanted_files
from console.demo.agenda import Agenda
from console.demo.bot_server import BotServer
from console.demo.chat_script import read_chat_script
from console.demo.chatters import Chatters
from console.demo.handing_up import PACKETS
from console.demo.media import photo, silence
from console.demo.script import read_script
from workflow.clock import ManualClock
from workflow.inbound import Attachment, Inbound, Source

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class Chatroom:
    """The cast with a server of its own, driven by hand; the desk is played by calls of the API."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.chatters = Chatters(self.clock)
        self.server = BotServer(clock=self.clock, on_sent=self.chatters.receive)
        self.chatters.join(self.server)

    def sends(self, chat: int, text: str) -> int:
        """The desk writes; the number of its message."""
        words = urlencode({"chat_id": chat, "text": text}).encode()
        address = f"{self.server.base_url}{self.server.token}/sendMessage"
        with urlopen(address, words, timeout=10) as answer:
            return int(json.load(answer)["result"]["message_id"])

    def items(self) -> list[Inbound]:
        """All that has come, as the desk takes it in."""
        return [
            to_inbound(
                entry,
                account="bot",
                source=Source("bot", "updates", 1, entry.position),
                raw=raw_bytes(entry.updates),
                sha256="0" * 64,
                now=self.clock.now(),
                fetch=lambda file: Attachment(file.name, file.content_type, 1, "1" * 64),
            )
            for entry in entries(self.server.pending)
        ]


@pytest.fixture
def room() -> Iterator[Chatroom]:
    found = Chatroom()
    yield found
    found.chatters.stop()
    found.server.stop()


def test_what_waits_is_of_every_kind_and_telegram_would_write_it_so(room: Chatroom) -> None:
    for update in room.server.pending:
        read = Update.de_json(update, None)
        assert read.update_id == update["update_id"]
    items = room.items()
    assert {item.held_cause for item in items} == {None, "not written by a person"}
    names = [file.name for item in items for file in item.attachments]
    assert {name.rpartition(".")[2] for name in names} == {"jpg", "log", "ogg"}
    assert max(len(item.attachments) for item in items) == 3, "an album is one item"
    assert any(item.edits for item in items)
    assert any("[Location: 53.4808, -2.2426" in item.text for item in items)
    assert any("[Came with: order-48213]" in item.text for item in items)
    times = [item.reached_at for item in items if item.text]
    assert times == sorted(times)
    assert NOW - timedelta(hours=4) < times[0] < times[-1] < NOW
    for entry in entries(room.server.pending):
        for file in wanted_files(entry):
            assert room.server.give_file(file.file_id.partition("-")[0])


def test_some_of_them_write_mail_too(room: Chatroom) -> None:
    by_mail = read_script().people
    both = [one for one in read_chat_script().people.values() if one.mail]
    assert len(both) >= 3
    assert all(one.mail in by_mail for one in both)


def test_what_was_moved_up_is_of_the_backlog() -> None:
    backlog = {(story.by, story.subject) for story in read_script().backlog}
    assert {(packet.by, packet.subject) for packet in PACKETS} <= backlog
    waiting = [packet for packet in PACKETS if not packet.accepted_by]
    assert len(waiting) == 2
    assert any(timedelta(minutes=18) < packet.ago < timedelta(minutes=20) for packet in waiting)


def test_an_answer_is_answered_once_and_what_is_wrong_with_it_is_pointed_at(
    room: Chatroom,
) -> None:
    def told() -> list[Inbound]:
        return [one for one in room.items() if one.conversation == "telegram:bot:50101"]

    before = len(told())
    first = room.sends(50101, "We look into it.")
    room.sends(50101, "And this is the second part.")
    while len(told()) == before:
        assert room.chatters.step()
    (item,) = told()[before:]
    assert item.text.endswith("I mean the mail about the double charge.")
    assert item.in_reply_to == (f"<tg.bot.50101.{first + 1}>",)
    room.sends(50101, "Yes, the refund is on its way.")
    while len(told()) == before + 1:
        assert room.chatters.step()
    assert told()[-1].text.startswith("Perfect, thank you!")
    assert told()[-1].in_reply_to == ()


def test_what_is_to_come_comes_with_edits_places_and_stickers(room: Chatroom) -> None:
    before = len(room.items())
    while room.chatters.step():
        room.clock.advance(5)
    items = room.items()[before:]
    assert sum(bool(item.edits) for item in items) == 1
    assert any("[Sticker 🌱" in item.text for item in items)
    assert len({item.conversation for item in items}) == len(read_chat_script().live)


def test_who_has_blocked_the_bot_cannot_be_written_to(room: Chatroom) -> None:
    chat = next(s for s in read_chat_script().backlog if s.blocks)
    number = read_chat_script().people[chat.by].chat
    answer = room.server.handle("sendMessage", {"chat_id": str(number), "text": "Sorry!"})
    assert answer is not None
    assert (answer[0], answer[1]["description"]) == (403, "Forbidden: bot was blocked by the user")


def test_the_agenda_does_what_is_planned_in_its_order_and_survives_faults() -> None:
    agenda, done, told = Agenda("test-agenda"), [], threading.Event()

    def fail() -> None:
        raise RuntimeError("nothing to say")

    agenda.plan(0.02, told.set)
    agenda.plan(0.01, lambda: done.append(2))
    agenda.plan(0.0, lambda: done.append(1))
    agenda.plan(0.005, fail)
    agenda.start()
    assert told.wait(10)
    assert done == [1, 2]
    agenda.plan(60, lambda: done.append(3))
    agenda.stop()
    assert "test-agenda" not in {thread.name for thread in threading.enumerate()}
    assert done == [1, 2]


def test_the_server_leaves_no_thread_and_no_port_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    server = BotServer()
    address = f"{server.base_url}{server.token}/getMe"
    with urlopen(address, timeout=10) as answer:
        assert json.load(answer)["result"]["is_bot"]
    server.stop()
    server.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(URLError):
        urlopen(address, timeout=2)


def test_files_are_what_they_say() -> None:
    picture, voice = photo("a"), silence(3)
    assert picture[:4] == b"\xff\xd8\xff\xe0"
    assert picture.endswith(b"\xff\xd9")
    assert photo("a") == picture != photo("b")
    assert voice.count(b"OggS") == 5
    assert b"OpusHead" in voice[:60]
