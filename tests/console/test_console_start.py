"""What the first screen costs, and what a terminal gets to see: in processes of their own."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pyte
import pytest

from console.sample import SampleDesk

ROOT = Path(__file__).resolve().parents[2]
START = """\
import sys
from datetime import timedelta
from pathlib import Path
from console.app import run_console
from console.bootstrap import Desktop
from console.sample import NOW
from workflow.clock import ManualClock
sys.exit(run_console(Desktop(Path(sys.argv[1]), ManualClock(NOW), "ana")))
"""
LATE = ("sqlmodel", "sqlalchemy", "alembic", "imapclient", "pydantic", "markdown_it", "workflow.desk", "textual.widgets._text_area",
        "textual.widgets._markdown", "textual.widgets._data_table", "channels")  # fmt: skip


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
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    rows, modules = json.loads(done.stdout)
    assert rows > 0, "rows are there when the screen is mounted"
    assert modules
    assert [name for name in LATE if name in modules] == []


class Terminal:
    """A process on a pseudo terminal: its bytes as they came, its screen as a person sees it."""

    def __init__(self, home: Path, size: tuple[int, int] = (100, 30), variables: dict[str, str] | None = None) -> None:
        self.size = size
        self.raw = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(variables or {})}
        environment |= {"COLUMNS": str(size[0]), "LINES": str(size[1])}  # else those of whoever runs the tests
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-c", START, str(home)], environment)

    def read(self, seconds: float = 0.1) -> bool:
        """Take what has come; tells whether the process is still there."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError as fault:
            if fault.errno == errno.EIO:
                return False
            raise
        self.raw += data
        # The emulator misreads the questions that Textual asks a terminal.
        self._stream.feed(re.sub(rb"\x1b\[[<>=?][0-9;:]*(?:\$p|[uq])|\x1bP.*?\x1b\\", b"", data))
        return bool(data)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode())

    def settle(self, quiet: float = 0.3) -> None:
        """Read until nothing comes: a terminal tells escape from a longer key by the pause after it."""
        before = -1
        while len(self.raw) != before:
            before = len(self.raw)
            self.read(quiet)

    def until(self, words: str, limit: float = 20) -> str:
        """Wait for words on the screen."""
        end = time.monotonic() + limit
        while words not in "\n".join(self.screen.display):
            assert time.monotonic() < end, f"{words!r} did not come:\n" + "\n".join(self.screen.display)
            assert self.read(), "the console has ended:\n" + "\n".join(self.screen.display)
        return "\n".join(self.screen.display)

    def status(self, limit: float = 15) -> int:
        """Wait for the end; the exit status."""
        end = time.monotonic() + limit
        while self.read():
            assert time.monotonic() < end, "the console did not end"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def terminal(home: Path, **options: object) -> Iterator[Terminal]:
    """A console on a terminal; killed in the end if it is still there."""
    running = Terminal(home, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        try:
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(running.fd)


@pytest.mark.parametrize("keys", ["q", "\x11"])
def test_it_leaves_with_status_0(sample: SampleDesk, keys: str) -> None:
    with terminal(sample.home) as console:
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
                database.execute(f"UPDATE {table} SET {column} = ? || {key}", (hostile,))  # noqa: S608
        database.execute(
            "INSERT INTO held (at, channel, cause, evidence, sender, subject, raw_sha256, raw_size, state) "
            "VALUES (1773153000000, 'email', ?, ?, ?, ?, 'x', 1, 'held')",
            (hostile,) * 4,
        )
    with terminal(sample.home, size=(140, 40)) as console:
        console.until("app.quit")
        for keys, words in (
            ("7", "1/12"), ("\r", "Promises"), ("v", "are shown"), ("f", "app.quit"), ("o", "Save which"), ("\r", "folder"), ("\x1b", "Promises"),
            ("r", "ctrl-s"), ("\x1b", "v events"), ("#", "Tags of"), ("\x1b", "v events"), ("t", "Status of"), ("\x1b", "v events"),
            ("q", "1/12"), ("H", "Held items  1"), ("q", "1/12"), ("x", "1 marked"), ("e", "esolved"), ("\\", "search every"),
        ):  # fmt: skip
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
            return [text for (text,) in database.execute("SELECT text FROM draft WHERE kind = 'note'")]

    with terminal(sample.home) as console:
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
    with terminal(sample.home) as console:
        console.until("Charged twice")
        console.send("\r")
        console.until("esc back")
        console.send("n")
        console.until("do not lose this")


def test_without_colour_no_colour_is_sent(sample: SampleDesk) -> None:
    with terminal(sample.home, variables={"NO_COLOR": "1"}) as console:
        console.until("Charged twice")
        console.until("4 Escalated 1")
        console.send("q")
        assert console.status() == 0
        raw = console.raw
    for sequence in re.findall(rb"\x1b\[([0-9;]*)m", raw):
        numbers = [int(n) for n in sequence.split(b";") if n]
        assert not any(30 <= n <= 38 or 40 <= n <= 48 or 90 <= n <= 107 for n in numbers), sequence
