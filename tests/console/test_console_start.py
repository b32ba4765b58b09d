"""What the first screen costs, and what a terminal gets to see: in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.sample import SampleDesk
from tests.console.terminal import terminal

ROOT = Path(__file__).resolve().parents[2]
START = """\
import sys
from pathlib import Path
from console.sample import NOW, SampleDesk
from workflow.clock import ManualClock
app = SampleDesk(Path(sys.argv[1]), ManualClock(NOW), {}).app("")
status = app.run()
app.bridge.close()
sys.exit(status or app.return_code or 0)
"""
LATE = (
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "imapclient",
    "pydantic",
    "markdown_it",
    "workflow.desk",
    "workflow.rulebook",
    "holidays",
    "icalendar",
    "textual.widgets._text_area",
    "textual.widgets._markdown",
    "textual.widgets._data_table",
    "channels",
)


def test_the_first_screen_loads_nothing_heavy(sample: SampleDesk) -> None:
    code = f"""\
import json, sys
from pathlib import Path
from textual.app import App
import console.app
from console.screens.desk import DeskScreen
seen = []
def told(self):
    seen.extend(sorted(sys.modules))
    self.app.exit(0)
DeskScreen._after_first_paint = told
console.app.ConsoleApp._after_first_paint = lambda self: None
from console.bootstrap import Desktop
from workflow.store.reads import Reads
from workflow.clock import SystemClock
from console.bridge import Bridge
import asyncio
home = Path({str(sample.home)!r})
desktop = Desktop(home, SystemClock(), "ana")
app = console.app.ConsoleApp(Bridge(Reads(desktop.database), SystemClock(), "ana"), home=home)
async def main():
    async with app.run_test(size=(120, 36)) as pilot:
        rows = len(app.desk.queue.ids)
        await pilot.pause()
        print(json.dumps([rows, seen]))
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    rows, modules = json.loads(done.stdout)
    assert rows > 0, "rows are there when the screen is mounted"
    assert modules
    assert [name for name in LATE if name in modules] == []


@pytest.mark.parametrize("keys", ["q", "\x11"])
def test_it_leaves_with_status_0(sample: SampleDesk, keys: str) -> None:
    with terminal(["-c", START, str(sample.home)]) as console:
        console.until("Charged twice")
        console.send(keys)
        assert console.status() == 0
        assert b"\x1b[?1049l" in console.raw, "the terminal is given back"


def test_no_byte_of_a_stranger_reaches_the_terminal(sample: SampleDesk) -> None:
    """The store holds what intake could have let through; every place that draws it is visited."""
    hostile = "\x1b]52;c;aGVsbG8=\x07\x1b]0;owned\x07\x1b[2J\x9b31m\x00\x7f\u202e\u2066[/][@click=app.quit]x[/]"
    ticket = sample.tickets["refund"]
    with sqlite3.connect(sample.home / "deskhand.db") as database:
        for table, columns in {
            "ticket": "subject topic language last_line level",
            "message": "subject author from_name from_address text full_text",
            "customer": "name company",
            "identity": "value display",
            "attachment": "name content_type",
            "ticket_tag": "tag",
            "draft": "text",
        }.items():
            for column in columns.split():
                key = "rowid" if column in ("value", "tag") else "''"
                database.execute(f"UPDATE {table} SET {column} = ? || {key}", (hostile,))
        database.execute(
            "INSERT INTO held (at, channel, cause, evidence, sender, subject, raw_sha256, raw_size, state) "
            "VALUES (1773153000000, 'email', ?, ?, ?, ?, 'x', 1, 'held')",
            (hostile,) * 4,
        )
    with terminal(["-c", START, str(sample.home)], size=(140, 40)) as console:
        console.until("app.quit")
        for keys, words in (
            ("7", "1/12"),
            ("\r", "Promises"),
            ("v", "are shown"),
            ("f", "app.quit"),
            ("o", "Save which"),
            ("\r", "folder"),
            ("\x1b", "Promises"),
            ("r", "ctrl-s"),
            ("\x1b", "v events"),
            ("#", "Tags of"),
            ("\x1b", "v events"),
            ("t", "Status of"),
            ("\x1b", "v events"),
            ("q", "1/12"),
            ("H", "Held items  1"),
            ("q", "1/12"),
            ("x", "1 marked"),
            ("e", "esolved"),
            ("\\", "search every"),
        ):
            console.send(keys)
            if keys == "\x1b":
                console.settle()
            console.until(words)
        console.send("\x11")
        assert console.status() == 0
        raw = console.raw
    assert b"\x1b]52" not in raw
    assert b"owned\x07" not in raw
    assert b"\x1b]0;" not in raw
    assert b"\x9b31m" not in raw
    assert "\x9b".encode() not in raw
    assert "\u202e".encode() not in raw
    assert "\u2066".encode() not in raw
    assert b"\x00" not in raw
    assert b"\x7f" not in raw
    assert ticket


def test_a_draft_survives_the_death_of_the_process(sample: SampleDesk) -> None:
    def kept() -> list[str]:
        with sqlite3.connect(sample.home / "deskhand.db") as database:
            return [
                text for (text,) in database.execute("SELECT text FROM draft WHERE kind = 'note'")
            ]

    with terminal(["-c", START, str(sample.home)]) as console:
        console.until("Charged twice")
        console.send("\r")
        console.until("v events") if console.size[0] >= 120 else console.until("esc back")
        console.send("n")
        console.until("only the team sees this")
        console.until("ctrl-s")
        console.send("do not lose this")
        end = time.monotonic() + 10
        while kept() != ["do not lose this"]:
            assert time.monotonic() < end
            console.read(0.05)
        os.kill(console.pid, signal.SIGKILL)
    with terminal(["-c", START, str(sample.home)]) as console:
        console.until("Charged twice")
        console.send("\r")
        console.until("esc back")
        console.send("n")
        console.until("do not lose this")


def test_leaving_at_once_keeps_what_was_just_typed(sample: SampleDesk) -> None:
    with terminal(["-c", START, str(sample.home)]) as console:
        console.until("Charged twice")
        console.send("\r")
        console.until("esc back")
        console.send("n")
        console.until("ctrl-s")
        console.send("just typed")
        console.until("just typed")
        console.send("\x11")
        assert console.status() == 0
    with sqlite3.connect(sample.home / "deskhand.db") as database:
        assert database.execute("SELECT text FROM draft WHERE kind = 'note'").fetchall() == [
            ("just typed",)
        ]


def test_without_colour_no_colour_is_sent(sample: SampleDesk) -> None:
    with terminal(["-c", START, str(sample.home)], variables={"NO_COLOR": "1"}) as console:
        console.until("Charged twice")
        console.until("4 Escalated 1")
        console.send("q")
        assert console.status() == 0
        raw = console.raw
    for sequence in re.findall(rb"\x1b\[([0-9;]*)m", raw):
        numbers = [int(n) for n in sequence.split(b";") if n]
        assert not any(30 <= n <= 38 or 40 <= n <= 48 or 90 <= n <= 107 for n in numbers), sequence


def test_a_console_whose_terminal_is_gone_ends(tmp_path: Path) -> None:
    # A terminal that dies without a hang-up signal: nobody would ever see this console again.
    code = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from console.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    with terminal(["-c", code, "--home", str(tmp_path), "--agent", "ana"]) as console:
        console.until("ana")
        os.close(console.fd)
        console.fd = os.open(os.devnull, os.O_RDONLY)
        end = time.monotonic() + 20
        while (done := os.waitpid(console.pid, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < end, "it goes on without a terminal"
            time.sleep(0.05)
        assert os.waitstatus_to_exitcode(done[1]) == 129
