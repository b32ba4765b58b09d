"""The screens as they are meant to look: three sizes, three themes, compared with files that a review can read."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from console.sample import SampleDesk
from console.screenshot import Picture, prepare, settle
from console.themes import THEMES
from tests.screens.strips import lines_of, styles_of

GOLDEN = Path(__file__).parent / "golden"
SIZES = ((80, 24), (120, 36), (200, 50))
SCREENS = (
    Picture("queue", ("7", "j")),
    Picture("ticket", (), opens="refund"),
    Picture("composer", ("r",), opens="refund"),
    Picture("palette", ("ctrl+k",), opens="refund"),
    Picture("help", ("question_mark",)),
    Picture("empty", ("7", "slash", *"nothingfits", "enter")),
    Picture("error", ("7", "slash", *"due<x")),
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_the_screen_looks_as_it_was_agreed(
    screen: Picture, size: tuple[int, int], sample: SampleDesk, request: pytest.FixtureRequest
) -> None:
    app = sample.app("dark")
    parts = []
    async with app.run_test(size=size) as pilot:
        await prepare(pilot, app, sample, screen)
        lines = lines_of(app)
        parts += ["\n".join(lines)]
        assert not any(str(sample.home)[:8] in line for line in lines), "a fault is on the screen"
        for theme in THEMES:
            app.theme = theme.name
            await settle(pilot, app)
            parts.append(f"[{theme.name}]\n" + "\n".join(styles_of(app)))
            assert lines_of(app) == lines, f"{theme.name} shows other words"
    app.bridge.close()
    shown = "\n\n".join(parts) + "\n"
    golden = GOLDEN / f"{screen.name}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--update-screens", False):
        if sys.version_info < (3, 11) or version("textual") != "8.2.8":
            pytest.fail("golden screens are made with the Textual that is pinned")
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
        return
    assert golden.exists(), "make it with: pytest tests/screens --update-screens"
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_state_reads_without_colour(size: tuple[int, int], sample: SampleDesk) -> None:
    app = sample.app("mono")
    async with app.run_test(size=size) as pilot:
        await prepare(pilot, app, sample, Picture("queue", ("7",)))
        shown = "\n".join(lines_of(app))
        for sign in (
            "●",
            "◐",
            "□",
            "☾",
            "✓",
            "!!!",
            "esc L2 ack? -5h30",
            "✎",
            "F late" if size[0] >= 100 else "F -",
        ):
            assert sign in shown
        assert all("#" not in line.split(" = ")[-1] for line in styles_of(app) if " = " in line), (
            "no colour but the terminal's own"
        )
    app.bridge.close()
