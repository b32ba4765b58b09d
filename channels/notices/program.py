"""A program of the team's, run with JSON on its standard input and never through a shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from channels.notices.outcome import Untold
from workflow.plaintext import one_line

__all__ = ["run_program"]

_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: by it a program asks to be run again later."""
_KEPT = 2_000


def run_program(argv: Sequence[str], timeout_s: int, number: int, body: Mapping[str, Any]) -> str:
    """Run it; the beginning of what it wrote. Raises Untold.

    Nothing that a customer wrote is among its arguments. It is in a group of its own, which ends
    with it when its time is over.
    """
    raw = json.dumps({"notice": number, **body}, ensure_ascii=False).encode()
    try:
        running = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        words = getattr(fault, "strerror", None) or str(fault)
        raise Untold(f"{argv[0]} cannot be started ({words.lower()})", passes=True) from None
    try:
        said, _ = running.communicate(raw, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(running)
        raise Untold(f"{argv[0]} did not end within {timeout_s} s", passes=False) from None
    text = one_line(said[:_KEPT].decode("utf-8", "replace"), 300)
    if running.returncode:
        told = f": {text}" if text else ""
        raise Untold(
            f"{argv[0]} ended with status {running.returncode}{told}",
            passes=running.returncode == _TRY_AGAIN,
        )
    return text or "done"


def _end(running: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
    running.communicate()
