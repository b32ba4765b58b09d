"""The room of held mail as a person uses it: why, a safe look, several at once, rules with undo."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from channels.email.inbound import read_mail
from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.screens.held_item import HeldItem
from console.screens.held_room import HeldRoom, RulesRoom
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until
from workflow.inbound import Source

SPAM = (
    b"From: Eve <eve%d@shop.example>\nTo: support@northwind.example\nSubject: [bold]Win %d[/] \x1b[31m\n"
    b"Message-ID: <s%d@x>\nX-Spam-Flag: YES\nContent-Type: multipart/mixed; boundary=b\n\n"
    b'--b\n\nClick \x1b]0;own\x07 here\n--b\nContent-Disposition: attachment; filename="a\x1b[2J.exe"\n\nMZ\n--b--\n'
)


@pytest.fixture
def held(sample: SampleDesk) -> Iterator[Desktop]:
    """The sample with three spam mails among the held."""
    desktop = Desktop(sample.home, sample.clock, "ben")
    desktop.prepare()
    for number in (1, 2, 3):
        take(desktop, SPAM % (number, number, number))
    yield desktop
    desktop.close()


def take(desktop: Desktop, raw: bytes) -> Any:
    channel = desktop.settings.channel("support")
    item = read_mail(
        raw,
        files=desktop.files,
        channel=channel,
        settings=desktop.settings,
        source=Source("support"),
        now=desktop.clock.now(),
    )
    return desktop.desk.receive([item])[0]


def states(sample: SampleDesk) -> list[str]:
    with sqlite3.connect(sample.home / "deskhand.db") as connection:
        return [state for (state,) in connection.execute("SELECT state FROM held ORDER BY id")]


async def enter(pilot: Pilot[int]) -> HeldRoom:
    await pilot.press("H")
    await until(pilot, lambda: isinstance(pilot.app.screen, HeldRoom))
    room = pilot.app.screen
    assert isinstance(room, HeldRoom)
    await until(pilot, lambda: bool(room.items))
    return room


async def test_the_status_line_and_the_list_say_what_waits(opened: Opened, held: Desktop) -> None:
    for size in ((80, 24), (120, 36)):
        async with opened(size=size) as pilot:
            desk = console_of(pilot).desk
            await until(pilot, lambda desk=desk: desk.foot.held == 3)
            assert "3 held · H" in screen_text(pilot)
            take(held, SPAM % (9, 9, size[0]))
            await until(pilot, lambda desk=desk: desk.foot.held == 4)
            await enter(pilot)
            shown = screen_text(pilot)
            for words in ("Held items  4", "spam", "eve1@shop.example", "[bold]Win 1[/]"):
                assert words in shown, words
            assert "Spam: the mail server calls it spam (X-Spam-Flag: YES)" in shown
            assert "\x1b" not in shown
            (number,) = [row.id for row in held.reads.held() if row.sender == "eve9@shop.example"]
        with sqlite3.connect(held.home / "deskhand.db") as connection:
            connection.execute("DELETE FROM held WHERE id = ?", (number,))


async def test_one_is_shown_whole_and_nothing_of_it_is_run(opened: Opened, held: Desktop) -> None:
    async with opened() as pilot:
        room = await enter(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "The whole header" in screen_text(pilot))
        shown = screen_text(pilot)
        for words in ("Held item 3", "Click ␛]0;own␇ here", "⊞ a", ".exe", "X-Spam-Flag: YES"):
            assert words in shown, words
        assert not any((ord(c) < 32 and c != "\n") or c == "\x9b" for c in shown)
        await pilot.press("G", "g", "pagedown", "j", "k", "escape")
        await until(pilot, lambda: pilot.app.screen is room)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HeldItem))
        await pilot.press("r")
        await until(pilot, lambda: len(room.items) == 2)


async def test_several_are_marked_and_decided_as_one(
    opened: Opened, held: Desktop, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        room = await enter(pilot)
        await pilot.press("x", "x")
        await until(pilot, lambda: "2 marked" in screen_text(pilot))
        await pilot.press("d")
        await until(pilot, lambda: states(sample) == ["held", "discarded", "discarded"])
        await until(pilot, lambda: len(room.items) == 1)
        await pilot.press("z")
        await until(pilot, lambda: states(sample) == ["held"] * 3)
        await pilot.press("ctrl+a", "r")
        await until(pilot, lambda: states(sample) == ["released"] * 3)
        await until(pilot, lambda: "Nothing is held" in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "Nothing has come from a blocked sender" in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "Held and decided  3" in screen_text(pilot))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: pilot.app.screen is console_of(pilot).desk)


async def test_a_sender_is_allowed_blocked_and_the_rule_taken_away(
    opened: Opened, held: Desktop, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        room = await enter(pilot)
        await pilot.press("a")
        await until(pilot, lambda: "everybody at shop.example" in screen_text(pilot))
        assert "eve3@shop.example" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: states(sample) == ["held", "held", "released"])
        await until(pilot, lambda: len(held.reads.sender_rules()) == 1)
        await until(pilot, lambda: len(room.items) == 2)
        await pilot.press("b", "down", "enter")
        await until(pilot, lambda: states(sample) == ["held", "discarded", "released"])
        assert {(r.pattern, r.allow) for r in held.reads.sender_rules()} == {
            ("eve3@shop.example", True),
            ("@shop.example", False),
        }
        assert take(held, SPAM % (4, 4, 4)).cause == "blocked sender"
        await pilot.press("tab")
        await until(pilot, lambda: "Set aside, of blocked senders  1" in screen_text(pilot))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(pilot.app.screen, RulesRoom))
        await until(pilot, lambda: "always block" in screen_text(pilot))
        assert "everybody at shop.example" in screen_text(pilot)
        await pilot.press("d")
        await until(pilot, lambda: len(held.reads.sender_rules()) == 1)
        await pilot.press("z")
        await until(pilot, lambda: len(held.reads.sender_rules()) == 2)
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is room)


async def test_automatic_messages_are_folded_and_senders_judged(
    opened: Opened, sample: SampleDesk
) -> None:
    desktop = Desktop(sample.home, sample.clock, "ben")
    desktop.prepare()
    head = b"From: Joe <joe@shop.example>\nTo: support@northwind.example\nSubject: Lamp\n"
    said = b"Authentication-Results: mx.northwind.example; "
    ticket = take(
        desktop, said + b"dmarc=pass\n" + head + b"Message-ID: <l1@x>\n\nMy lamp is broken.\n"
    ).ticket
    answer = b"In-Reply-To: <l1@x>\n"
    take(
        desktop,
        head
        + answer
        + b"Message-ID: <l2@x>\nAuto-Submitted: auto-replied\n\nI am away.\nUntil May.\n",
    )
    take(
        desktop, said + b"dmarc=fail\n" + head + answer + b"Message-ID: <l3@x>\n\nSend me money.\n"
    )
    forged = (
        head.replace(b"joe@shop", b"ana@northwind")
        + b"Received: from pc (pc [192.0.2.1]) by mx; x\n"
    )
    take(desktop, forged + answer + b"Message-ID: <l4@x>\n\nWe pay you back.\n")
    desktop.close()
    async with opened() as pilot:
        desk = console_of(pilot).desk
        desk.open_ticket(ticket)
        await until(pilot, lambda: "We pay you back" in screen_text(pilot))
        shown = screen_text(pilot)
        for words in (
            "joe@shop.example  verified",
            "▸ I am away.  enter shows it",
            "joe@shop.example  DMARC failed",
            "ana@northwind.example  says it is from us: not confirmed",
        ):
            assert words in shown, words
        assert "Until May" not in shown
        await pilot.press("ctrl+p", "ctrl+p", "enter")
        await until(pilot, lambda: "Until May" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Until May" not in screen_text(pilot))
