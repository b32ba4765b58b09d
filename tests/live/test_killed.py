"""Killed at any moment and started again: nothing is lost, nothing is there or sent twice."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.desks import LiveDesk, Opened, Running, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink, slow
from workflow import actions as a
from workflow.model import Actor

ANA = Actor.agent("ana")
ROOT = Path(__file__).resolve().parents[2]
KILLS = 5
MAILS = 300
REPLIES = 20


@contextmanager
def engine_process(home: Path) -> Iterator[subprocess.Popen[str]]:
    """An engine in a process of its own, running when this begins and killed when it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.live.run_engine", str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def message_ids(mails: list[bytes]) -> Counter[str]:
    found = [re.search(rb"(?im)^message-id:\s*(<[^>]+>)", mail) for mail in mails]
    return Counter(match[1].decode() for match in found if match is not None)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_again_and_again_while_mail_comes_and_goes(
    dovecot: Dovecot, opened: Opened, smtp_sink: SmtpSink
) -> None:
    chance = random.Random(23)  # the moments still differ with the load of the machine
    live = opened(imap_port=dovecot.port, smtp_port=smtp_sink.port)
    dovecot.deliver_all([letter(n) for n in range(REPLIES)])
    assert live.engine().run_once().created == REPLIES
    smtp_sink.script(slow(0.05, "dot"), always=True)
    kills_done = threading.Event()
    numbers = itertools.count(REPLIES)

    def customers_and_agents() -> None:
        """Mail and answers, spread over the whole time of the kills."""
        agents = LiveDesk.open(live.home)
        for n in range(MAILS):
            dovecot.deliver(letter(next(numbers)))
            if n % (MAILS // REPLIES) == 0:
                ticket = n // (MAILS // REPLIES) + 1
                agents.desk.perform(a.Reply(ticket, f"Answer {ticket}"), ANA, "test")
            kills_done.wait(0.03)
        agents.close()

    busy = threading.Thread(target=customers_and_agents)
    busy.start()
    for _ in range(KILLS):
        with engine_process(live.home):
            threading.Event().wait(chance.uniform(0.02, 1.2))
    busy.join()
    kills_done.set()
    with engine_process(live.home) as last:
        wait_until(lambda: live.count("message", "direction = 'in'") == MAILS + REPLIES, 60)
        wait_until(lambda: live.count("outbox", "state NOT IN ('sent', 'failed')") == 0, 60)
        wait_until(lambda: live.count("outbox", "state = 'sent' AND copied_at IS NULL") == 0, 60)
        last.terminate()
        assert last.wait(10) == 0

    assert live.count("arrival", "folder = 'INBOX' AND outcome <> 'created'") == 0
    assert live.count("arrival", "folder = 'Sent' AND outcome <> 'duplicate'") == 0
    assert len(set(live.column("SELECT message_id FROM message WHERE direction = 'in'"))) == (
        MAILS + REPLIES
    )
    sent = set(live.column("SELECT message_id FROM outbox WHERE state = 'sent'"))
    failed = set(live.column("SELECT message_id FROM outbox WHERE state = 'failed'"))
    assert len(sent) + len(failed) == REPLIES
    # At most one is between the dot and the answer when a kill comes, and a person is told.
    assert len(failed) <= KILLS
    assert all(
        "may have been sent" in error
        for error in live.column("SELECT error FROM outbox WHERE state = 'failed'")
    )
    taken = message_ids([mail.content for mail in smtp_sink.messages])
    assert set(taken) - failed == sent
    assert set(taken.values()) == {1}
    copies = message_ids(dovecot.messages("Sent"))
    assert set(copies) == sent
    assert set(copies.values()) == {1}


def test_another_engine_takes_over_at_once_from_a_dead_one_and_waits_for_a_living(
    dovecot: Dovecot, opened: Opened
) -> None:
    live = opened(imap_port=dovecot.port)
    with engine_process(live.home):
        wait_until(lambda: live.count("lease") == 2)
        dovecot.deliver(letter(1))
        wait_until(lambda: live.count("message") == 1)
        (result,) = live.engine().run_once().accounts
        assert not result.ok
        assert "another deskhand" in (result.error or "")
    dovecot.deliver(letter(2))
    done = live.engine().run_once()
    assert (done.created, done.accounts[0].ok) == (1, True)
    assert live.count("lease") == 0


def test_two_engines_on_one_desk_do_nothing_twice(
    dovecot: Dovecot, opened: Opened, running: Running, smtp_sink: SmtpSink
) -> None:
    live = opened(imap_port=dovecot.port, smtp_port=smtp_sink.port)
    dovecot.deliver(letter(0))
    ours = running(live)
    with engine_process(live.home) as theirs:
        for n in range(1, 41):
            dovecot.deliver(letter(n))
        wait_until(lambda: live.count("message", "direction = 'in'") == 41)
        for n in range(1, 6):
            live.desk.perform(a.Reply(n, "Here."), ANA, "test")
        smtp_sink.wait_for(5)
        ours.stop()
        # The other one goes on from here.
        dovecot.deliver(letter(41))
        live.desk.perform(a.Reply(6, "Here."), ANA, "test")
        wait_until(lambda: live.count("message", "direction = 'in'") == 42)
        wait_until(lambda: live.count("outbox", "copied_at IS NOT NULL") == 6)
        theirs.terminate()
        assert theirs.wait(10) == 0
    assert live.count("arrival", "folder = 'INBOX' AND outcome <> 'created'") == 0
    assert live.count("arrival", "folder = 'Sent' AND outcome <> 'duplicate'") == 0
    assert set(message_ids([mail.content for mail in smtp_sink.messages]).values()) == {1}
    assert len(dovecot.messages("Sent")) == 6


def test_sigterm_ends_it_while_a_server_does_not_answer(
    dovecot: Dovecot, opened: Opened, smtp_sink: SmtpSink
) -> None:
    smtp_sink.script(slow(60, "connect"), always=True)
    live = opened(imap_port=dovecot.port, smtp_port=smtp_sink.port)
    dovecot.deliver(letter(1))
    live.engine().run_once()
    with engine_process(live.home) as process:
        wait_until(lambda: live.count("lease") == 2)
        live.desk.perform(a.Reply(1, "Here."), ANA, "test")
        wait_until(lambda: live.count("outbox", "state = 'sending'") == 1)
        process.terminate()
        assert process.wait(10) == 0
    assert live.count("outbox", "state = 'queued'") == 1
    assert live.count("lease") == 0
