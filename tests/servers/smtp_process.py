"""The SMTP server as a process of its own, which goes on when the sender is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.servers.acts import Act, Received

__all__ = ["SmtpProcess"]


class SmtpProcess:
    """The same server as a process of its own.

    It goes on when the process that sends mail is killed.

    ``host``, ``port``, ``messages`` (read from its files). Acts are given at the start.
    """

    host = "127.0.0.1"

    def __init__(self, directory: Path, *acts: Act, port: int = 0, always: bool = False) -> None:
        """Start and wait until it listens; raises RuntimeError if it does not."""
        command = [
            sys.executable,
            "-m",
            "tests.servers.smtp",
            "--dir",
            str(directory),
            "--port",
            str(port),
        ]
        command += [f"--act={act}" for act in acts] + (["--always"] if always else [])
        root = Path(__file__).resolve().parents[2]
        self._directory = directory
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the SMTP process ended before it listened")
        self.port = int(json.loads(line)["port"])

    @property
    def messages(self) -> list[Received]:
        """What it has taken until now, oldest first."""
        found = []
        for file in sorted(self._directory.glob("*.eml")):
            envelope = json.loads(file.with_suffix(".json").read_text())
            for name in ("rcpt_tos", "options"):
                envelope[name] = tuple(envelope[name])
            found.append(Received(content=file.read_bytes(), **envelope))
        return found

    def wait_for(self, count: int, *, limit_s: float = 10.0) -> list[Received]:
        """The mails once there are at least ``count``.

        Raises TimeoutError after ``limit_s`` seconds.
        """
        end = time.monotonic() + limit_s
        while len(found := self.messages) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(found)} mails after {limit_s} s, expected {count}")
            time.sleep(0.02)
        return found

    def stop(self) -> None:
        """End the process; its files stay."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        """The running process."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
