"""A thousand mails, published ones and made ones, into the command itself, which is killed five times on the way."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from channels.email.parse import parse_mail
from tests.live.desks import Opened, wait_until
from tests.servers.dovecot import Dovecot

ROOT = Path(__file__).resolve().parents[2]
CORPUS_MAKER = ROOT.parent / "shared" / "bench" / "make_corpus.py"
MAILS = 1000
KILLS = 5


@contextmanager
def engine(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``deskhand engine`` as a person starts it; killed where it is when this ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "--home", str(home), "engine"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        # Remarks on the settings come first.
        assert any(b"the engine of" in line for line in process.stderr)
        yield process
    finally:
        process.kill()
        process.communicate()


def thousand(samples: Path, scratch: Path) -> list[bytes]:
    published = [path.read_bytes() for path in sorted(samples.rglob("*.eml"))]
    made = scratch / "corpus"
    subprocess.run(
        [sys.executable, str(CORPUS_MAKER), "--messages", str(MAILS), "--out", str(made)],
        check=True,
        capture_output=True,
    )
    generated = [path.read_bytes() for path in sorted((made / "maildir" / "cur").iterdir())]
    mails = (published + generated)[:MAILS]
    random.Random(5).shuffle(mails)
    return mails


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not CORPUS_MAKER.exists(), reason="the corpus maker is not beside this checkout"
)
def test_a_thousand_mails_and_five_kills(
    dovecot: Dovecot, opened: Opened, mail_samples: Path, tmp_path: Path
) -> None:
    mails = thousand(mail_samples, tmp_path)
    assert len(mails) == MAILS
    live = opened(imap_port=dovecot.port)
    chance = random.Random(11)

    def deliver() -> None:
        for start in range(0, MAILS, 20):
            dovecot.deliver_all(mails[start : start + 20])
            threading.Event().wait(0.1)

    busy = threading.Thread(target=deliver)
    busy.start()
    for _ in range(KILLS):
        with engine(live.home):
            threading.Event().wait(chance.uniform(0.8, 2.5))
    busy.join()
    with engine(live.home) as last:
        wait_until(lambda: live.count("arrival") == MAILS, 90, "an outcome for every mail")
        last.send_signal(signal.SIGTERM)
        assert last.wait(10) == 0

    outcomes = Counter(live.column("SELECT outcome FROM arrival"))
    assert set(outcomes) <= {"created", "appended", "duplicate"}, outcomes
    assert live.count("message") == outcomes["created"] + outcomes["appended"]
    assert live.count("ticket") == outcomes["created"]
    # Each Message-ID that was delivered is on a ticket.
    delivered = {found for mail in mails if (found := parse_mail(mail).message_id)}
    assert delivered - set(live.column("SELECT message_id FROM message")) == set()
    # None twice: what counts as the same mail is there once, and so are its words.
    keys = Counter(live.column("SELECT dedupe_key FROM message"))
    assert max(keys.values()) == 1
    assert live.count("message_fts_docsize") == live.count("message")
    assert live.count("message JOIN ticket ON ticket.id = message.ticket_id") == live.count(
        "message"
    )
