"""An engine as a process of its own, to be killed: ``python -m tests.live.run_engine HOME``."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from tests.live.desks import LiveDesk


def main() -> None:
    """Run until SIGTERM; the line ``ready`` says that the threads have begun."""
    live = LiveDesk.open(Path(sys.argv[1]))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    engine = live.engine()
    engine.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    ended.wait()
    engine.stop()
    live.close()


if __name__ == "__main__":
    main()
