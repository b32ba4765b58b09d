"""Pictures of the console for the documentation: ``python -m console.screenshot DIR``.

Drives the real application over the sample desk, exports SVG, and converts to PNG where ``rsvg-convert`` or Chromium is
there. The data is fixed and its clock stands still, so a picture changes only when the console does.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.sample import SampleDesk, make_sample

__all__ = ["PICTURES", "main", "take"]

PATIENCE = 400


class Picture(NamedTuple):
    """One picture: what is pressed before it is taken, at which size, in which theme."""

    name: str
    keys: tuple[str, ...]
    size: tuple[int, int] = (120, 36)
    theme: str = "dark"
    opens: str = ""
    """The ticket of the sample that is opened first."""


PICTURES = (
    Picture("queue", ("7", "j")),
    Picture("queue-light", ("7", "j"), theme="light"),
    Picture("queue-small", ("7", "j"), (80, 24)),
    Picture("queue-large", ("7", "j"), (200, 50)),
    Picture("queue-mono", ("7", "j"), theme="mono"),
    Picture("marks", ("7", "j", "x", "x", "x")),
    Picture("filter", ("7", "slash", *"priority>=high status:new")),
    Picture("ticket", (), opens="refund"),
    Picture("ticket-light", (), theme="light", opens="refund"),
    Picture("ticket-small", (), (80, 24), opens="refund"),
    Picture("ticket-large", ("v",), (200, 50), opens="export"),
    Picture(
        "composer", ("r", *"the second payment is on its way back to you today."), opens="refund"
    ),
    Picture("note", ("n", *"Refund re_9K2 is booked, she was told."), opens="refund"),
    Picture("palette", ("ctrl+k",), opens="refund"),
    Picture("help", ("question_mark",)),
    Picture("snooze", ("7", "j", "s")),
    Picture("macro", ("m", *"refund"), opens="refund"),
    Picture("escalate", ("E", *"bug"), opens="down"),
    Picture("search", ("backslash", *"order")),
    Picture("empty", ("4", "slash", *"vip", "enter")),
)


async def settle(pilot: Pilot[int], app: ConsoleApp) -> None:
    """Wait until threads have brought what the screen shows."""
    for _ in range(PATIENCE):
        await pilot.pause()
        await asyncio.sleep(0.005)
        if app.desk.pane is not None and app.desk.queue_pane.tabs.counts and app.bridge.idle:
            await pilot.pause()
            return
    raise TimeoutError("the screen did not settle")


async def prepare(pilot: Pilot[int], app: ConsoleApp, sample: SampleDesk, picture: Picture) -> None:
    """Bring the application to what a picture shows."""
    await settle(pilot, app)
    if picture.opens:
        app.desk.show_view(6)
        await settle(pilot, app)
        app.desk.queue.move_to(app.desk.queue.ids.index(sample.tickets[picture.opens]))
        await pilot.press("enter")
        await settle(pilot, app)
    for key in picture.keys:
        await pilot.press(_NAMES.get(key, key))
        if len(key) > 1 or key in "rnsmE47":
            await settle(pilot, app)
    await asyncio.sleep(0.4)
    await settle(pilot, app)


_NAMES = {
    " ": "space",
    ".": "full_stop",
    ",": "comma",
    ">": "greater_than_sign",
    "=": "equals_sign",
    ":": "colon",
    "_": "underscore",
    "-": "minus",
}


async def take(folder: Path, sample: SampleDesk, picture: Picture) -> Path:
    """Take one picture; returns the SVG."""
    app = sample.app(picture.theme)
    async with app.run_test(size=picture.size) as pilot:
        await prepare(pilot, app, sample, picture)
        svg = _true_widths(app.export_screenshot(title="deskhand"))
    app.bridge.close()
    path = folder / f"{picture.name}.svg"
    await asyncio.to_thread(path.write_text, svg, encoding="utf-8")
    return path


_TEXT = re.compile(r'(<text [^>]*textLength=")([0-9.]+)("[^>]*>)([^<]*)(</text>)')
_CELL = 12.2


def _true_widths(svg: str) -> str:
    """The export counts characters where it should count cells: wide ones get the room they need."""

    def widen(match: re.Match[str]) -> str:
        text = unescape(match[4])
        if text.isascii() or cell_len(text) == len(text):
            return match[0]
        return f"{match[1]}{_CELL * cell_len(text):g}{match[3]}{match[4]}{match[5]}"

    return _TEXT.sub(widen, svg)


def convert(svg: Path) -> Path | None:
    """The PNG of an SVG, or None where no program can make it. A browser keeps the columns; others may not."""
    png = svg.with_suffix(".png")
    if program := shutil.which("chromium") or shutil.which("chromium-browser"):
        box = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg.read_text(encoding="utf-8"))
        width, height = (round(float(side)) for side in box.groups()) if box else (1482, 930)
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--window-size={width},{height}",
        ]
        command += [
            "--default-background-color=00000000",
            f"--screenshot={png}",
            svg.absolute().as_uri(),
        ]
    elif program := shutil.which("rsvg-convert"):
        command = [program, "-o", str(png), str(svg)]
    else:
        return None
    subprocess.run(command, check=True, capture_output=True)
    return png


async def take_all(folder: Path, names: set[str]) -> list[Path]:
    """Take the pictures with these names (none: all), each on a fresh sample."""
    taken = []
    with tempfile.TemporaryDirectory() as scratch:
        made = make_sample(Path(scratch) / "made")
        for picture in PICTURES:
            if names and picture.name not in names:
                continue
            home = Path(scratch) / picture.name
            shutil.copytree(made.home, home)
            sample = SampleDesk(home, type(made.clock)(made.clock.now()), made.tickets)
            taken.append(await take(folder, sample, picture))
    return taken


def main(arguments: list[str]) -> int:
    """``DIR [NAME]...``: all pictures, or those named; ``--png`` converts them."""
    words = [word for word in arguments if not word.startswith("--")]
    if not words:
        sys.stderr.write("python -m console.screenshot DIR [NAME]... [--png]\n")
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    for path in asyncio.run(take_all(folder, set(words[1:]))):
        shown = (convert(path) if "--png" in arguments else None) or path
        sys.stdout.write(f"{shown}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
