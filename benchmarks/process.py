"""Run a command to its end and say what it cost: time, processor time, and the memory of it and all
its children.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ran", "cpu_seconds", "resident_mib", "run", "tree"]

_SAMPLE_S = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command cost. ``peak_mib`` is the largest of its processes, ``tree_peak_mib`` the
    largest sum over all that lived at one moment (sampled, shared pages counted for each).
    """

    status: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    tree_peak_mib: float
    output: str


def run(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    errors: Path | None = None,
) -> Ran:
    """Run a command. ``env`` is added to this process's; what it says on standard error goes to the
    file ``errors``, or nowhere.
    """
    err = open(errors, "wb") if errors else subprocess.DEVNULL  # noqa: SIM115
    try:
        started = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
        )
        watcher = _Watcher(child.pid)
        watcher.start()
        assert child.stdout is not None
        output = child.stdout.read()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        watcher.stop()
    finally:
        if errors:
            err.close()  # type: ignore[union-attr]
    peak = usage.ru_maxrss / 1024
    return Ran(
        child.returncode,
        wall,
        usage.ru_utime + usage.ru_stime,
        peak,
        max(watcher.peak, peak),
        output.decode("utf-8", "replace"),
    )


class _Watcher(threading.Thread):
    """Samples the memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._pid = pid
        self._end = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._end.is_set():
            self.peak = max(self.peak, resident_mib(self._pid))
            self._end.wait(_SAMPLE_S)

    def stop(self) -> None:
        """End the sampling."""
        self._end.set()
        self.join()


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        try:
            for thread in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{thread}/children") as file:
                    waiting.extend(int(child) for child in file.read().split())
        except OSError:
            continue
    return found


def resident_mib(pid: int) -> float:
    """The resident memory of a process and its descendants, in MiB."""
    pages = 0
    for each in tree(pid):
        try:
            with open(f"/proc/{each}/statm") as file:
                pages += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
    return pages * _PAGE / 2**20


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its living descendants."""
    spent = 0
    for each in tree(pid):
        try:
            for thread in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{thread}/schedstat") as file:
                    spent += int(file.read().split()[0])
        except (OSError, IndexError):
            continue
    return spent / 1e9
