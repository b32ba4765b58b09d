"""Waiting on a condition, with a limit, for what threads bring to the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot

__all__ = ["screen_text", "until"]

LIMIT_S = 10.0


async def until(pilot: Pilot[int], condition: Callable[[], bool], limit: float = LIMIT_S) -> None:
    """Let the application work until the condition holds; fails after ``limit`` seconds."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(
                "the screen did not come to what was expected:\n" + screen_text(pilot)
            )
        await asyncio.sleep(0.01)
        await pilot.pause()


def screen_text(pilot: Pilot[int]) -> str:
    """What is on the screen, as lines of text."""
    strips = pilot.app.screen._compositor.render_strips()  # the one private call; kept here
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
