"""The original of a message, one key away."""

from __future__ import annotations

import pytest

from channels.email.inbound import read_mail
from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.screens.original import Original
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until
from workflow.inbound import Source

HTML = (
    b"From: Eve <eve@shop.example>\nTo: support@northwind.example\nSubject: Original me\n"
    b"Message-ID: <original@x>\nX-Odd: \x1b]52;c;aGk=\x07[bold]\nContent-Type: text/html\n\n"
    b"<p onclick='x'>Where is <b>it</b>?</p>\n"
)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_original_shows_header_and_source_and_goes_away_again(
    sample: SampleDesk, opened: Opened, size: tuple[int, int]
) -> None:
    desktop = Desktop(sample.home, sample.clock, "ana")
    desktop.prepare()
    item = read_mail(
        HTML,
        files=desktop.files,
        channel=desktop.settings.channel("support"),
        settings=desktop.settings,
        source=Source("support"),
        now=desktop.clock.now(),
    )
    (received,) = desktop.desk.receive([item])
    desktop.close()
    async with opened(size) as pilot:
        desk = console_of(pilot).desk
        assert received.ticket is not None
        desk.open_ticket(received.ticket)
        await until(pilot, lambda: "Where is it?" in screen_text(pilot.app))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(pilot.app.screen, Original))
        await until(pilot, lambda: "<p onclick='x'>" in screen_text(pilot.app))
        shown = screen_text(pilot.app)
        assert "X-Odd: ␛]52;c;aGk=␇[bold]" in shown
        assert "── Part 1 · text/html" in shown
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is desk)
