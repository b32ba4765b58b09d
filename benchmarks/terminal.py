"""A program in a terminal of its own, as a person at the keyboard meets it.

A thread only reads the terminal and stamps each chunk; the emulator is fed afterwards, so what it
costs is in no figure. A key is sent when the screen has been quiet for a while; its latency is that
of the last chunk that changed a cell in the burst that follows it. What comes after a pause is
another paint, such as the tick of a clock.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import pyte

from benchmarks.process import resident_mib

__all__ = ["COLUMNS", "ROWS", "Terminal"]

COLUMNS, ROWS = 120, 40
_QUIET_S = 0.06
_KEY_LIMIT_S = 2.0
_PAUSE_S = 0.02

# What pyte 0.8 misreads: kitty's keyboard, xterm's modifyOtherKeys, strings of DCS, APC and PM.
_MISREAD = re.compile(
    rb"\x1b\[[<>=][0-9;:]*[@-~]|\x1b\[\?[0-9;]*\$[a-z]|\x1b\[\?u|\x1b[P_^X].*?\x1b\\"
    rb"|\x1b\[[0-9;]*[ !\"'$][@-~]",
    re.DOTALL,
)
_UNFINISHED = re.compile(rb"\x1b(?:[P_^X\]][^\x07\x1b]*\x1b?|\[[0-9;:<>=?!$ ]*)?\Z")
_MODE_ASKED = re.compile(rb"\x1b\[\?(\d+)\$p")


class Terminal:
    """A running program; :meth:`close` ends it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._chunks: list[tuple[float, bytes]] = []
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._rest = b""
        self._seen: dict[int, tuple[object, ...]] = {}
        self._last = 0.0
        self._ended = False
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "COLUMNS": str(COLUMNS),
            "LINES": str(ROWS),
            **(env or {}),
        }
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.started = time.perf_counter()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
                for handle in (0, 1, 2):
                    os.dup2(theirs, handle)
                os.closerange(3, 64)
                os.execvpe(command[0], list(command), environment)
            finally:
                os._exit(127)
        os.close(theirs)
        self._handle = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self._screen.display)

    @property
    def memory_mib(self) -> float:
        """The resident memory of the program and its children."""
        return resident_mib(self.pid)

    def wait_for(self, pattern: re.Pattern[str], limit_s: float) -> float | None:
        """Seconds from the start of the program to the chunk that completed a match on the screen."""
        end = time.perf_counter() + limit_s
        while time.perf_counter() < end:
            self._arrived.wait(0.02)
            self._arrived.clear()
            for stamp, changed in self._feed():
                if changed and pattern.search(self.text):
                    for _ in self._feed():
                        pass
                    return stamp - self.started
            if self._ended and not self._chunks:
                return None
        return None

    def settle(self, quiet_s: float = _QUIET_S, limit_s: float = _KEY_LIMIT_S) -> list[float]:
        """Wait until nothing has come for a while; the stamps of the chunks that changed a cell."""
        begin = time.perf_counter()
        while not self._ended:
            now = time.perf_counter()
            if now - max(self._last, begin) >= quiet_s or now - begin > limit_s:
                break
            time.sleep(0.001)
        return [stamp for stamp, changed in self._feed() if changed]

    def key(self, key: str) -> float | None:
        """Milliseconds from a key to the last cell that it changed; None where it changed none."""
        for _ in self._feed():
            pass
        sent = time.perf_counter()
        os.write(self._handle, key.encode())
        while not self._chunks and not self._ended and time.perf_counter() - sent < _KEY_LIMIT_S:
            self._arrived.wait(0.002)
            self._arrived.clear()
        last: float | None = None
        for stamp in self.settle():
            if stamp >= sent and (last is None or stamp - last <= _PAUSE_S):
                last = stamp
        return (last - sent) * 1e3 if last is not None else None

    def close(self, keys: str = "") -> None:
        """Leave by keys, or else by signals."""
        try:
            for key in keys:
                os.write(self._handle, key.encode())
                time.sleep(0.05)
        except OSError:
            pass
        if not (keys and self._gone(3.0)):
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(self.pid, number)
                except OSError:
                    break
                if self._gone(1.0):
                    break
        os.close(self._handle)

    def _gone(self, limit_s: float) -> bool:
        end = time.perf_counter() + limit_s
        while time.perf_counter() < end:
            try:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    return True
            except ChildProcessError:
                return True
            time.sleep(0.02)
        return False

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._handle, 1 << 16)
            except OSError:
                data = b""
            now = time.perf_counter()
            if not data:
                self._ended = True
                self._arrived.set()
                return
            if b"\x1b" in data:
                self._answer(data)
            with self._lock:
                self._chunks.append((now, data))
                self._last = now
            self._arrived.set()

    def _answer(self, data: bytes) -> None:
        """Answer what programs ask a terminal: what it is, where the cursor stands, its modes."""
        answers = []
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            answers.append("\x1b[?62;22c")
        if b"\x1b[6n" in data:
            answers.append("\x1b[1;1R")
        for mode in _MODE_ASKED.findall(data):
            answers.append(f"\x1b[?{mode.decode()};{2 if mode == b'2026' else 0}$y")
        for answer in answers:
            os.write(self._handle, answer.encode())

    def _feed(self) -> Iterator[tuple[float, bool]]:
        """Give what has come to the emulator; each chunk's stamp, and whether it changed a cell."""
        with self._lock:
            chunks, self._chunks = self._chunks, []
        for stamp, chunk in chunks:
            data = self._rest + chunk
            cut = _UNFINISHED.search(data, max(0, len(data) - 400))
            end = cut.start() if cut and cut[0] else len(data)
            self._rest = data[end:]
            try:
                self._stream.feed(_MISREAD.sub(b"", data[:end]))
            except TypeError:
                # The emulator knows no second parameter of some sequences; it goes on with the next chunk.
                self._stream = pyte.ByteStream(self._screen)
            yield stamp, self._changed()

    def _changed(self) -> bool:
        changed = False
        for line in sorted(self._screen.dirty):
            if line < ROWS:
                row = self._screen.buffer[line]
                cells = tuple(row[column] for column in range(COLUMNS))
                if self._seen.get(line) != cells:
                    self._seen[line] = cells
                    changed = True
        self._screen.dirty.clear()
        return changed
