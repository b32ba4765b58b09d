"""Who is here, on the screen: going away and coming back by the palette, and how others see it."""

from __future__ import annotations

from console.sample import SampleDesk
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until


async def test_going_away_and_coming_back(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(140, 40)) as pilot:
        desk = console_of(pilot).desk
        desk.run_action_id("away")
        await until(pilot, lambda: desk.picker.open)
        await until(pilot, lambda: "until I am back" in screen_text(pilot))
        await pilot.press(*"2h")
        await until(pilot, lambda: "in 2 h" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Ana is away until" in screen_text(pilot))
        await until(pilot, lambda: "ana" in desk.bridge.away())
        desk.say_place()
        await until(pilot, lambda: "ana away" in screen_text(pilot))
        await pilot.press("a")
        await until(pilot, lambda: "you, away until" in screen_text(pilot))
        await pilot.press("escape")
        desk.run_action_id("here")
        await until(pilot, lambda: "Ana is here" in screen_text(pilot))
        await until(pilot, lambda: desk.bridge.away() == {})
    assert sample.home.exists()


async def test_a_time_that_is_none_is_told(opened: Opened) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        desk.run_action_id("away")
        await until(pilot, lambda: desk.picker.open)
        await pilot.press(*"whenever")
        await until(pilot, lambda: "is not a time" in screen_text(pilot))
