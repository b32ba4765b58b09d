"""A program of ours on a pseudo terminal: keys go in, bytes and a screen come out."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pyte

__all__ = ["Terminal", "terminal"]

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A process on a pseudo terminal: its bytes as they came, its screen as a person sees it."""

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int] = (100, 30),
        variables: dict[str, str] | None = None,
    ) -> None:
        self.size = size
        self.raw = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            **(variables or {}),
        }
        environment |= {
            "COLUMNS": str(size[0]),
            "LINES": str(size[1]),
        }  # else those of whoever runs the tests
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *command], environment)

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
            assert time.monotonic() < end, f"{words!r} did not come:\n" + "\n".join(
                self.screen.display
            )
            assert self.read(), "the console has ended:\n" + "\n".join(self.screen.display)
        return "\n".join(self.screen.display)

    def status(self, limit: float = 15) -> int:
        """Wait for the end; the exit status."""
        end = time.monotonic() + limit
        while self.read():
            assert time.monotonic() < end, "the console did not end"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def terminal(command: Sequence[str], **options: object) -> Iterator[Terminal]:
    """A console on a terminal; killed in the end if it is still there."""
    running = Terminal(command, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        try:
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(running.fd)
