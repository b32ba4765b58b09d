"""The person behind a ticket, on the screen: who they are, what else they wrote, by which ways they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from channels.contract import Capabilities
from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.ways import limit_words, ways
from console.widgets.composer import Composer
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until
from workflow.actions import JoinCustomers
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.store.rows import CustomerDetail, IdentityDetail

BOT = """
[[channel]]
name = "bot"
kind = "telegram"
token = { env = "NONE" }
base_url = "http://127.0.0.1:1/bot"
"""
HOSTILE = "[/] [red]Eve[/red] \x1b[2J\u202e"


@pytest.fixture
def two_channels(sample: SampleDesk) -> Iterator[tuple[SampleDesk, Desktop, int]]:
    """The sample desk with a bot, to which somebody has written."""
    path = sample.home / "deskhand.toml"
    path.write_text(path.read_text(encoding="utf-8") + BOT, encoding="utf-8")
    desktop = Desktop(sample.home, sample.clock, "ben")
    found = desktop.desk.receive([chat(sample, "4711", "Maria K.", "@mk")])[0].ticket
    assert found is not None
    yield sample, desktop, found
    desktop.close()


def chat(sample: SampleDesk, account: str, name: str, handle: str) -> Inbound:
    return Inbound(
        channel="telegram",
        source=Source("bot"),
        raw_sha256="0" * 64,
        raw_size=1,
        reached_at=sample.clock.now(),
        sender=Party(name, account),
        handle=handle,
        subject="hello from a chat",
        message_id=f"<tg.bot.{account}.1>",
        text="hello from a chat",
        full_text="hello from a chat",
        conversation=f"telegram:bot:{account}",
        dedupe_key=f"tg:{account}",
    )


async def open_ticket(pilot: Pilot[int], number: int) -> None:
    desk = console_of(pilot).desk
    desk.open_ticket(number)
    await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == number)
    await pilot.pause()


async def test_join_is_one_story_on_the_screen_and_undo_parts_it(
    opened: Opened, two_channels: tuple[SampleDesk, Desktop, int]
) -> None:
    sample, desktop, number = two_channels
    mail = sample.tickets["refund"]
    detail = desktop.reads.ticket(mail)
    assert detail is not None
    async with opened(size=(140, 50)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, mail)
        await pilot.press("C")
        await until(pilot, lambda: desk.picker.open)
        await pilot.press(*"4711")
        await until(pilot, lambda: "Maria K." in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: f"#{number}" in screen_text(pilot))
        await until(pilot, lambda: "✈ @mk (4711)" in screen_text(pilot))
        assert "joined" in screen_text(pilot)
        assert "new, waits for us" in screen_text(pilot)
        moved = desktop.reads.ticket(number)
        assert moved is not None
        assert moved.customer.id == detail.customer.id
        await pilot.press("z")
        await until(pilot, lambda: "✈ @mk (4711)" not in screen_text(pilot))


async def test_an_answer_by_another_way_shows_its_limits_and_goes_there(
    opened: Opened, two_channels: tuple[SampleDesk, Desktop, int]
) -> None:
    sample, desktop, number = two_channels
    mail = sample.tickets["refund"]
    mailed, chatted = desktop.reads.ticket(mail), desktop.reads.ticket(number)
    assert mailed is not None
    assert chatted is not None
    join = JoinCustomers(mailed.customer.id, chatted.customer.id)
    desktop.desk.perform(join, Actor.agent("ben"), "test")
    async with opened(size=(140, 50)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, mail)
        await pilot.press("V")
        await until(pilot, lambda: desk.picker.open)
        assert "4096 characters" in screen_text(pilot)
        await pilot.press(*"telegram", "enter")
        await until(pilot, lambda: desk.writing.active)
        await until(pilot, lambda: "telegram · 4096 characters" in screen_text(pilot))
        pilot.app.query_one(Composer).put("long " * 1000)
        await until(pilot, lambda: "goes as 2 messages · 2 begins “long long" in screen_text(pilot))
        pilot.app.query_one(Composer).put("It is on its way.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not desk.writing.active)
        assert desktop.reads.outbox_of(mail)[-1].recipients == ("4711",)
        assert desktop.reads.outbox_of(mail)[-1].account == "bot"


async def test_hostile_names_are_drawn_as_text(
    opened: Opened, two_channels: tuple[SampleDesk, Desktop, int]
) -> None:
    sample, desktop, _number = two_channels
    item = chat(sample, "666", HOSTILE, HOSTILE)
    evil = desktop.desk.receive([replace(item, subject=HOSTILE)])[0].ticket
    assert evil is not None
    async with opened(size=(140, 50)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample.tickets["refund"])
        await pilot.press("C")
        await until(pilot, lambda: "[/] [red]Eve[/red]" in screen_text(pilot))
        await pilot.press("escape")
        await open_ticket(pilot, evil)
        await pilot.press("V")
        await until(pilot, lambda: desk.picker.open and "✈ [/]" in screen_text(pilot))
        assert not {"\x1b", "\u202e"} & set(screen_text(pilot))


def test_each_way_says_what_it_carries_and_why_it_cannot_be_taken() -> None:
    person = CustomerDetail(
        1,
        "Maria",
        "",
        "standard",
        (
            IdentityDetail("email", "maria@x.example", "Maria", "wrote from it", 1),
            IdentityDetail("telegram", "4711", "@m", "wrote from it", 2),
            IdentityDetail("telegram", "4712", "@n", "wrote from it", 3),
            IdentityDetail("phone", "+49 30 1", "", "given by agent:ana", 4),
        ),
    )
    accounts = (("old", "telegram"), ("support", "email"), ("bot", "telegram"))
    found = ways(person, accounts, {("telegram", "4711"): "bot"}, length=9000)
    assert [way.account for way in found[:2]] == ["support", "bot"]
    assert found[1].limits[0] == "4096 characters, will be split in 3"
    assert [way.refusal for way in found] == [
        None,
        None,
        "cannot be started by us: the customer must write first",
        "nothing can be written to over phone",
    ]
    assert ways(person, (), {})[0].refusal == "the desk has no account for email"
    assert limit_words(Capabilities(longest_text=10, attachments=False, formatting=True)) == (
        "10 characters",
        "no files",
    )
