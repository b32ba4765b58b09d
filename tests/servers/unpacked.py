"""Servers that ``tools/unpack_servers`` has unpacked, run under a plain account with ports and files
of their own.

They are built to be started by root and to change to an account of theirs. Here they are told by
libnss-wrapper that this account is the one that runs them, so that any number of them run side by
side and no service or account of the system is touched.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

__all__ = ["UnpackedServer", "are_unpacked", "free_port"]

PLACE = Path(__file__).resolve().parents[2] / ".servers"
_START_LIMIT_S = 20.0
_LIBRARIES = ("usr/lib/postfix", "usr/lib/{machine}", "lib/{machine}")


def are_unpacked() -> bool:
    """Whether ``tools/unpack_servers`` has done its work here."""
    return (PLACE / "packages").is_file()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _root() -> Path:
    """Where the programs lie so that the account that runs them can read them."""
    if os.geteuid() != 0 or all(part.stat().st_mode & 0o001 for part in PLACE.parents):
        return PLACE
    copy = Path(tempfile.mkdtemp(prefix="servers-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    return Path(shutil.copytree(PLACE, copy / "root", symlinks=True))


class UnpackedServer:
    """One running server: its folder, its account and its process group.

    ``accounts`` are the names that the program looks up; all of them are the account that runs it.
    ``as_root``: the program insists on being started by root, so it is told (libuid-wrapper) that
    it was.
    """

    host = "127.0.0.1"
    name = "server"
    accounts: Sequence[str] = ()
    as_root = False

    def __init__(self) -> None:
        root = os.geteuid() == 0
        self.account = pwd.getpwnam("mail") if root else pwd.getpwuid(os.geteuid())
        # Sockets have paths of at most 108 bytes: never below a long directory of a test.
        self.work = Path(tempfile.mkdtemp(prefix=f"{self.name[:2]}-"))
        self.work.chmod(0o755)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    def program(self, path: str) -> Path:
        """Where one of its programs lies, by its path below the root of a system."""
        return _root() / path

    def command(self) -> list[str | Path]:
        """What is started; it stays in the foreground."""
        raise NotImplementedError

    def configure(self) -> None:
        """Write the files that :meth:`command` reads; the port is known."""
        raise NotImplementedError

    def resume(self) -> None:
        """Start (again), on the same port and with what is in its folder; raises RuntimeError with
        the server's own words if it does not come up.
        """
        if self._process is not None:
            return
        self.port = self.port or free_port()
        self.configure()
        self.own()
        with (self.work / "out").open("ab") as out:
            self._process = self.run(self.command(), out)
        end = time.monotonic() + _START_LIMIT_S
        while self._process.poll() is None and time.monotonic() < end:
            with (
                contextlib.suppress(OSError),
                socket.create_connection((self.host, self.port), 1) as probe,
            ):
                probe.settimeout(_START_LIMIT_S)
                if probe.recv(200):
                    return
            time.sleep(0.02)
        self.halt()
        raise RuntimeError(f"{self.name} did not start on port {self.port}:\n{self.log()}")

    def run(self, command: Sequence[str | Path], out: IO[bytes]) -> subprocess.Popen[bytes]:
        """A program of the server in a process group of its own, under its account."""
        root = os.geteuid() == 0
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env=self.environment(),
            user=self.account.pw_uid if root else None,
            group=self.account.pw_gid if root else None,
            extra_groups=[] if root else None,
        )

    def environment(self) -> Mapping[str, str]:
        """Where libraries lie, and who is who."""
        machine = next((_root() / "usr/lib").glob("*-linux-gnu*")).name
        folders = ":".join(str(_root() / path.format(machine=machine)) for path in _LIBRARIES)
        found = {"PATH": os.defpath, "LD_LIBRARY_PATH": folders, "TZ": "UTC"}
        if self.accounts:
            preload = "libnss_wrapper.so"
            if self.as_root:
                preload += " libuid_wrapper.so"
                found |= {"UID_WRAPPER": "1", "UID_WRAPPER_ROOT": "1"}
            found |= {
                "LD_PRELOAD": preload,
                "NSS_WRAPPER_PASSWD": str(self.work / "passwd"),
                "NSS_WRAPPER_GROUP": str(self.work / "group"),
            }
        return found

    def own(self) -> None:
        """Write who is who, and give everything in its folder to the account that runs it."""
        uid, gid = self.account.pw_uid, self.account.pw_gid
        people = ["root:x:0:0::/:/bin/sh", "nobody:x:65534:65534::/:/bin/false"]
        people += [f"{name}:x:{uid}:{gid}::/:/bin/false" for name in self.accounts]
        groups = ["root:x:0:", "nogroup:x:65534:", "postdrop:x:4243:"]
        groups += [f"{name}:x:{gid}:" for name in self.accounts]
        (self.work / "passwd").write_text("\n".join([*people, ""]))
        (self.work / "group").write_text("\n".join([*groups, ""]))
        if os.geteuid() == 0:
            for path in (self.work, *self.work.rglob("*")):
                os.chown(path, uid, gid, follow_symlinks=False)

    def halt(self) -> None:
        """Kill every process of it at once: what others see when it crashes. Its files stay."""
        process, self._process = self._process, None
        if process is None:
            return
        # Some of its processes have groups of their own; all carry its folder on their command line
        # or in their environment, and die with their parent's group or by name.
        for pid in [process.pid, *self._others()]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """``halt`` and ``resume``."""
        self.halt()
        self.resume()

    def stop(self) -> None:
        """Stop for good and remove its folder."""
        self.halt()
        shutil.rmtree(self.work, ignore_errors=True)
        atexit.unregister(self.stop)

    def log(self) -> str:
        """What it has written to its logs."""
        files = [self.work / "out", *sorted(self.work.glob("log*"))]
        return "".join(file.read_text(errors="replace") for file in files if file.is_file())

    def _others(self) -> list[int]:
        """Processes that were started with this server's folder on their command line or in their
        environment and have left its group.
        """
        mark = os.fsencode(str(self.work))
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in told and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found
