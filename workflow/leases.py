"""Who does a piece of background work, so that two processes on one desk never do the same thing
twice.

A lease is a row with a holder and an expiry that the holder keeps moving. A holder on this host
whose process is gone is replaced at once; any other after its lease has run out. Leases are judged
by real time, whatever ``--now`` says.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from workflow.clock import wall_time
from workflow.store.store import Store
from workflow.store.tables import Lease

__all__ = ["LEASE_S", "Holder"]

LEASE_S = 30
"""Seconds after which a holder that has not been heard of loses its lease."""


def _process_started(pid: int) -> str | None:
    """When a process began, as the kernel counts.

    None where it is gone, empty where the system does not say.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        after_name = stat.rpartition(")")[2].split()
        # A process that has ended and whose parent has not looked yet does no work any more.
        return None if after_name[0] in "ZX" else after_name[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""


@dataclass(slots=True)
class Holder:
    """One process (or one engine in it) as a holder of leases."""

    store: Store
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def take(self, lease: str) -> bool:
        """Take or keep a lease; False if another living holder has it."""
        now = wall_time()
        with self.store.write(now) as transaction:
            row = transaction.session.get(Lease, lease)
            if row is not None and row.holder != self.name and self._lives(row):
                return False
            if row is None:
                row = Lease(
                    name=lease, holder=self.name, host=self.host, pid=self.pid, expires_at=now
                )
            row.holder, row.host, row.pid = self.name, self.host, self.pid
            row.process_started = _process_started(self.pid) or ""
            row.expires_at = now + timedelta(seconds=LEASE_S)
            transaction.session.add(row)
            return True

    def release(self, lease: str) -> None:
        """Give a lease up, if it is ours."""
        with self.store.write(wall_time()) as transaction:
            row = transaction.session.get(Lease, lease)
            if row is not None and row.holder == self.name:
                transaction.session.delete(row)

    def _lives(self, row: Lease) -> bool:
        """Whether a holder still has its lease: not run out, and its process not known to be gone.

        A holder that crashed inside this very process is told from a living one by the expiry
        alone.
        """
        if row.expires_at <= wall_time():
            return False
        if row.host != self.host or row.pid == self.pid:
            return True
        return _process_started(row.pid) == row.process_started
