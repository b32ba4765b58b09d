"""A chat on the screen: how an answer goes out, that somebody writes, what was edited, why something was not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from channels.telegram.split import split
from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.widgets.composer import Composer
from tests.console.command_line import CommandLine
from tests.console.conftest import Opened, console_of
from tests.console.test_people_screen import BOT, chat, open_ticket
from tests.console.waiting import screen_text, until
from workflow.actions import Reply
from workflow.model import Actor
from workflow.outbox import claim, mark_failed, mark_retry

LONG = " ".join(f"Sentence number {n} of an answer that is long." for n in range(200))


@dataclass
class Chatting:
    """The sample desk with a bot, and a ticket of a chat."""

    sample: SampleDesk
    desktop: Desktop
    ticket: int
    shown: list[tuple[str, str]] = field(default_factory=list)
    """What was shown to customers: that somebody writes."""


@pytest.fixture
def chatting(sample: SampleDesk) -> Iterator[Chatting]:
    path = sample.home / "deskhand.toml"
    path.write_text(path.read_text(encoding="utf-8") + BOT, encoding="utf-8")
    desktop = Desktop(sample.home, sample.clock, "ben")
    found = desktop.desk.receive([chat(sample, "4711", "Maria K.", "@mk")])[0].ticket
    assert found is not None
    yield Chatting(sample, desktop, found)
    desktop.close()


async def begin(pilot: Pilot[int], found: Chatting, ticket: int, *keys: str) -> None:
    """Open a ticket and begin to write."""
    app = console_of(pilot)
    app.bridge.typing = lambda account, address: found.shown.append((account, address))
    await open_ticket(pilot, ticket)
    await pilot.press(*(keys or ("r",)))
    await until(pilot, lambda: app.desk.writing.active)
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_long_answer_says_before_sending_how_it_goes(
    opened: Opened, chatting: Chatting, size: tuple[int, int]
) -> None:
    async with opened(size=size) as pilot:
        await begin(pilot, chatting, chatting.ticket)
        assert "plain text" in screen_text(pilot)
        composer = pilot.app.query_one(Composer)
        composer.put(LONG[:4096])
        await until(pilot, lambda: "draft kept" in screen_text(pilot))
        assert "goes as" not in screen_text(pilot)
        composer.put("🌱" * 2048)  # two units each: it is just full
        await pilot.pause(0.15)
        assert "goes as" not in screen_text(pilot)
        composer.put("🌱" * 2049)
        await until(pilot, lambda: "goes as 2 messages" in screen_text(pilot))
        composer.put(LONG)
        parts = split(LONG)
        await until(
            pilot, lambda: f"goes as {len(parts)} messages · 2 begins “" in screen_text(pilot)
        )
        assert f"2 begins “{parts[1][:15]}" in screen_text(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: f"── message 1 of {len(parts)} ──" in screen_text(pilot))
        await pilot.press("G")
        await until(
            pilot,
            lambda: (
                f"── message {len(parts)} of {len(parts)} ──" in screen_text(pilot) or size[1] == 24
            ),
        )
        await pilot.press("escape")
        composer.put("Short.")
        await until(pilot, lambda: "goes as" not in screen_text(pilot))


async def test_a_mail_of_any_length_is_one(opened: Opened, chatting: Chatting) -> None:
    async with opened() as pilot:
        await begin(pilot, chatting, chatting.sample.tickets["refund"])
        pilot.app.query_one(Composer).put(LONG)
        await until(pilot, lambda: "draft kept" in screen_text(pilot))
        assert "goes as" not in screen_text(pilot)
        assert "plain text" not in screen_text(pilot)


async def test_a_customer_of_a_chat_is_shown_that_somebody_writes(
    opened: Opened, chatting: Chatting
) -> None:
    async with opened() as pilot:
        await begin(pilot, chatting, chatting.ticket)
        assert chatting.shown == [], "opening it is not writing"
        composer = pilot.app.query_one(Composer)
        composer.put("Put in by a program.")
        await pilot.press("left", "right", "up")
        assert chatting.shown == []
        await pilot.press(*"Hello")
        assert chatting.shown == [("bot", "4711")], "once for several keys"
        await pilot.press("escape")
        # Another letter is shown anew; a note never, and no mail.
        await begin(pilot, chatting, chatting.ticket)
        await pilot.press("x")
        assert chatting.shown == [("bot", "4711")] * 2
        await pilot.press("escape")
        await begin(pilot, chatting, chatting.ticket, "n")
        await pilot.press(*"secret")
        await pilot.press("escape")
        await begin(pilot, chatting, chatting.sample.tickets["refund"])
        await pilot.press(*"mail")
        assert chatting.shown == [("bot", "4711")] * 2


async def test_an_edit_is_marked_and_the_text_before_is_one_key_away(
    opened: Opened, chatting: Chatting
) -> None:
    item = chat(chatting.sample, "4711", "Maria K.", "@mk")
    edited = replace(item, text="hello again", full_text="hello again", edits=item.message_id)
    assert item.message_id is not None
    taken = replace(item, deletes=(item.message_id,), dedupe_key="")
    chatting.desktop.desk.receive([edited])
    async with opened() as pilot:
        await open_ticket(pilot, chatting.ticket)
        await until(pilot, lambda: "4711  edited" in screen_text(pilot))
        assert "hello again" in screen_text(pilot)
        assert "▸ the text before  enter shows it" in screen_text(pilot)
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (
                "before today 14:30:" in screen_text(pilot) or "before 14:30:" in screen_text(pilot)
            ),
        )
        assert "    hello from a chat" in screen_text(pilot)
        await pilot.press("enter")
        chatting.desktop.desk.receive([taken])
        await until(pilot, lambda: "taken back by the customer" in screen_text(pilot))
        assert "hello again" in screen_text(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "edited a message, which said: hello from" in screen_text(pilot))


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (
            True,
            "Not sent: the customer has blocked the bot: reach them another way. The outbox (O)",
        ),
        (False, "Not sent yet: Telegram asks to wait 30 s. It is tried again by itself"),
    ],
)
async def test_why_an_answer_has_not_left_stands_at_the_answer(
    opened: Opened, chatting: Chatting, failed: bool, words: str
) -> None:
    desk = chatting.desktop.desk
    done = desk.perform(Reply(chatting.ticket, "Hi", undo_window_s=0), Actor.agent("ana"), "test")
    (item,) = claim(desk, "tests", ["bot"], 5)
    assert item.id == done.outbox_id
    if failed:
        mark_failed(desk, item.id, "the customer has blocked the bot: reach them another way")
    else:
        mark_retry(desk, item.id, "Telegram asks to wait 30 s", wait_s=30.0)
    async with opened(size=(140, 36)) as pilot:
        await open_ticket(pilot, chatting.ticket)
        await until(pilot, lambda: words in screen_text(pilot))


def test_a_dry_run_says_in_which_messages_and_queues_nothing(
    deskhand: CommandLine, tmp_path: Path
) -> None:
    settings = deskhand.home / "deskhand.toml"
    settings.write_text(settings.read_text() + BOT)
    message = {"channel": "telegram", "conversation": 47, "id": 6, "sender": 47, "text": "Hello?"}
    given = tmp_path / "chat.json"
    given.write_text(json.dumps(message))
    assert deskhand.json("intake", str(given))["outcome"] == "created"
    text, picture, huge = tmp_path / "answer.txt", tmp_path / "a.png", tmp_path / "huge.bin"
    text.write_text(LONG)
    picture.write_bytes(b"png")
    with huge.open("wb") as file:
        file.truncate(51_000_000)
    words = ("reply", "1", "--file", str(text), "--attach", str(picture), "--dry-run")
    found = deskhand.json(*words)
    assert (found["account"], found["to"]) == ("bot", ["47"])
    assert [part["text"] for part in found["parts"]] == [*split(LONG), ""]
    assert found["parts"][-1]["files"] == ["a.png"]
    said = deskhand(*words)
    assert "over bot to 47, nothing was queued" in said.out
    assert f"-- message 1 of {len(found['parts'])}" in said.out
    refused = deskhand("reply", "1", "--text", "Hi", "--attach", str(huge), "--dry-run")
    assert refused.status == 1
    assert "huge.bin has 51 MB, and telegram carries 50 MB: send a link instead" in refused.err
    assert deskhand.json("outbox")["items"] == []
    assert deskhand.json("show", "1")["status"] == "new"
