"""Large mails are read in a process of their own, so that neither the screen nor another account waits
for one, and a mail that nobody can read takes nothing with it but that process.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from channels.email.inbound import read_mail, unreadable
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.settings import ChannelSettings, Settings

__all__ = ["LARGE", "read_any_mail"]

LARGE = 2_000_000
"""Bytes from which on a mail is read in a process of its own: reading fewer takes a few hundredths of
a second, less than starting one.
"""

_LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class _Job:
    sha256: str
    files_root: Path
    channel: ChannelSettings | None
    settings: Settings
    source: Source
    now: datetime
    received_at: datetime | None
    sent: bool


def read_any_mail(
    raw: bytes,
    *,
    files: FileStore,
    channel: ChannelSettings | None,
    settings: Settings,
    source: Source,
    now: datetime,
    received_at: datetime | None = None,
    sent: bool = False,
    limit_s: float = _LIMIT_S,
) -> Inbound:
    """As :func:`channels.email.inbound.read_mail`, for a process that has more to do than this mail.

    One that takes longer than ``limit_s`` seconds, or ends its process, is held. Raises StoreError
    when the bytes cannot be stored.
    """
    if len(raw) < LARGE:
        return read_mail(
            raw,
            files=files,
            channel=channel,
            settings=settings,
            source=source,
            now=now,
            received_at=received_at,
            sent=sent,
        )
    job = _Job(files.put(raw), files.root, channel, settings, source, now, received_at, sent)
    # -P: not from the folder that somebody happens to work in.
    command = [sys.executable, "-P", "-m", "channels.email.large"]
    try:
        done = subprocess.run(
            command,
            input=pickle.dumps(job),
            capture_output=True,
            timeout=limit_s,
            check=True,
        )
        item = pickle.loads(done.stdout)
    except subprocess.TimeoutExpired:
        why = f"reading it took more than {limit_s:.0f} s"
    except subprocess.CalledProcessError as fault:
        why = f"the process that read it ended with status {fault.returncode}"
    except (OSError, pickle.UnpicklingError, EOFError) as fault:
        why = f"it could not be read in a process of its own: {fault}"
    else:
        assert isinstance(item, Inbound)
        return item
    return unreadable(raw, job.sha256, source, min(received_at or now, now), why)


def main() -> None:
    """Read the mail of a job from standard input and write what it is to standard output."""
    job: _Job = pickle.load(sys.stdin.buffer)
    files = FileStore(job.files_root)
    item = read_mail(
        files.read(job.sha256),
        files=files,
        channel=job.channel,
        settings=job.settings,
        source=job.source,
        now=job.now,
        received_at=job.received_at,
        sent=job.sent,
    )
    sys.stdout.buffer.write(pickle.dumps(item))


if __name__ == "__main__":
    # By its own name: a job is pickled as one of channels.email.large, not of __main__.
    from channels.email import large

    large.main()
