"""The tour: each step is recognised by what the desk shows, no key is taken away, and it can be left and refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.actions import entry, key_words
from console.app import ConsoleApp
from console.sample import SampleDesk
from console.tour import STEPS
from console.widgets.picker import Picker
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the refusal is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "deskhand" / "no-tour"


@asynccontextmanager
async def demo(sample: SampleDesk, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
    """The console of a demo, with its queue read."""
    app = sample.app()
    app.offers_tour = True
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: bool(app.desk.queue_pane.tabs.counts))
        await until(pilot, lambda: bool(app.bridge.team.agents))
        yield pilot
    app.bridge.close()


def refused(state: Path) -> bool:
    return state.exists()


def step_on_screen(pilot: Pilot[int], number: int) -> bool:
    return f"Tour {number}/{len(STEPS)}" in screen_text(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_whole_tour_by_its_own_words(sample: SampleDesk, size: tuple[int, int]) -> None:
    async with demo(sample, size) as pilot:
        app = console_of(pilot)
        desk = app.desk
        await until(
            pilot, lambda: "takes you round this desk in three minutes" in screen_text(pilot)
        )
        await pilot.press("f2")
        await until(pilot, lambda: step_on_screen(pilot, 1))
        assert "j goes down the list" in screen_text(pilot)
        await pilot.press("j")
        await until(pilot, lambda: step_on_screen(pilot, 2))
        await pilot.press("enter")
        await until(pilot, lambda: step_on_screen(pilot, 3))
        await pilot.press("r")
        await until(pilot, lambda: step_on_screen(pilot, 4))
        await until(pilot, lambda: desk.writing.composer is not None)
        assert desk.writing.composer is not None
        text = desk.writing.composer
        tour = pilot.app.query_one("#tour")
        assert text.region.bottom <= tour.region.y, "it covers nothing"
        await pilot.press(*"We look into it.")
        await pilot.press("ctrl+s", "ctrl+s")
        await until(pilot, lambda: step_on_screen(pilot, 5))
        await pilot.press("m")
        await until(pilot, lambda: app.screen is not desk)
        await until(pilot, lambda: "acknowledge" in screen_text(pilot).lower())
        await pilot.press("enter")
        await until(pilot, lambda: "esc puts the text aside first." in screen_text(pilot))
        assert step_on_screen(pilot, 6)
        await pilot.press("escape")
        await until(pilot, lambda: "E moves it up" in screen_text(pilot))
        await pilot.press("E")
        await until(pilot, lambda: app.screen is not desk)
        await pilot.press(*"complaint", "ctrl+s")
        await until(pilot, lambda: step_on_screen(pilot, 7))
        await pilot.press("z")
        await until(pilot, lambda: step_on_screen(pilot, 8))
        await pilot.press("escape")
        await until(pilot, lambda: step_on_screen(pilot, 9))
        await pilot.press("slash", *"channel:telegram", "enter")
        await until(pilot, lambda: step_on_screen(pilot, 10))
        await pilot.press("escape", "tab")
        await until(pilot, lambda: step_on_screen(pilot, 11))
        await pilot.press("question_mark")
        await until(pilot, lambda: pilot.app.query_one(Picker).open)
        await pilot.press("escape")
        await until(pilot, lambda: "That was it." in screen_text(pilot))
        await pilot.press("f2")
        await until(pilot, lambda: "Tour" not in screen_text(pilot))


async def test_out_of_order_it_says_the_way_and_takes_no_key(sample: SampleDesk) -> None:
    async with demo(sample) as pilot:
        desk = console_of(pilot).desk
        await pilot.press("f2", "j", "enter")
        await until(pilot, lambda: step_on_screen(pilot, 3))
        await pilot.press("q")
        await until(pilot, lambda: "enter opens a ticket first." in screen_text(pilot))
        await pilot.press("r")
        await until(pilot, lambda: step_on_screen(pilot, 4))
        await until(pilot, lambda: desk.writing.composer is not None)
        await pilot.press("escape")
        await until(pilot, lambda: "r opens the answer again." in screen_text(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "Type an answer; ctrl-s sends it." in screen_text(pilot))
        # Left in the middle of writing; what is typed stays.
        await until(pilot, lambda: desk.writing.composer is not None)
        await pilot.press(*"abc", "f2")
        await until(pilot, lambda: "Tour" not in screen_text(pilot))
        assert desk.writing.composer is not None
        assert desk.writing.composer.text.endswith("abc")
        assert "f2 starts it again" in screen_text(pilot)


async def test_the_offer_goes_by_itself_and_can_be_refused_for_good(
    sample: SampleDesk, state: Path
) -> None:
    async with demo(sample) as pilot:
        await until(pilot, lambda: "three minutes" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: console_of(pilot).desk.in_ticket)
        await until(pilot, lambda: "three minutes" not in screen_text(pilot))
        assert not refused(state), "not now is not never"
        await pilot.press("q", "N")
        await until(pilot, lambda: refused(state))
    async with demo(sample) as pilot:
        await pilot.pause(0.3)
        assert "three minutes" not in screen_text(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: step_on_screen(pilot, 1))
        await pilot.press("f2")


async def test_a_real_desk_has_no_tour(opened: Opened) -> None:
    async with opened() as pilot:
        app: ConsoleApp = console_of(pilot)
        assert "three minutes" not in screen_text(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "take it in deskhand demo" in screen_text(pilot))
        assert app.desk.tour is None


def test_every_text_fits_a_small_screen() -> None:
    for step in STEPS:
        say, why = (_with_keys(text) for text in (step.say, step.why))
        assert len(f" Tour {len(STEPS)}/{len(STEPS)}  {say}  f2 leaves ") <= 80, say
        assert len(why) < 79, why


def _with_keys(text: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: key_words(entry(found[1]).keys[0]), text)
