"""Receiving from servers that lie, refuse and break: what can be had is had, the rest is held."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.email.account import EmailAccount, Tally
from channels.email.faults import LoginRefused, MailFault, Unreachable
from channels.health import Health
from tests.channels.email.lying_imap import LyingImap
from workflow.clock import ManualClock
from workflow.desk import Desk
from workflow.errors import DeskError
from workflow.files import FileStore
from workflow.settings import ChannelSettings, Secret, ServerSettings, Settings
from workflow.store.reads import Reads
from workflow.store.store import Store


def mails(count: int) -> dict[int, bytes]:
    return {
        uid: b"From: joe@example.org\r\nMessage-ID: <%d@x>\r\nSubject: Mail %d\r\n\r\nHi\r\n"
        % (uid, uid)
        for uid in range(1, count + 1)
    }


Make = Callable[..., "Receiver"]


class Receiver:
    """An account on a server, and what its desk knows."""

    def __init__(self, home: Path, clock: ManualClock, port: int, poll_s: int) -> None:
        server = ServerSettings("127.0.0.1", port, "none", "support", Secret("bare", "pw"))
        channel = ChannelSettings(
            "support", "email", "support@example.com", poll_s=poll_s, imap=server
        )
        self.settings = Settings(channels=(channel,))
        self.store = Store.open(home / "deskhand.db")
        self.files = FileStore(home / "files")
        self.desk = Desk(self.store, clock, self.settings, self.files)
        self.health = Health(["support"], clock)
        self.account = EmailAccount(self.desk, channel, self.settings, self.files, self.health)
        self.reads = Reads(home / "deskhand.db")

    def receive(self) -> Tally:
        tally = Tally()
        self.account.receive_once(tally)
        return tally

    def receive_until_done(self, tries: int) -> list[str]:
        """Try as the engine does; the sentences of the faults on the way."""
        said: list[str] = []
        for _ in range(tries):
            try:
                self.receive()
            except DeskError as fault:
                said.append(str(fault))
            else:
                return said
        raise AssertionError(f"not done after {tries} tries: {said}")

    def values(self, sql: str) -> list[Any]:
        return [row[0] for row in self.reads.fetch(sql)]

    def close(self) -> None:
        self.account.close()
        self.reads.close()
        self.store.close()


@pytest.fixture
def receiver(tmp_path: Path, clock: ManualClock) -> Iterator[Make]:
    made: list[Receiver] = []

    def make(server: LyingImap, poll_s: int = 1) -> Receiver:
        made.append(Receiver(tmp_path, clock, server.port, poll_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_message_that_breaks_the_connection_stands_in_nobodys_way(
    receiver: Make,
) -> None:
    with LyingImap(mails(40), cuts={17}) as server:
        desk = receiver(server)
        said = desk.receive_until_done(6)
    assert all("connection" in sentence for sentence in said)
    assert len(desk.values("SELECT id FROM message")) == 39
    (held,) = desk.reads.held()
    assert held.cause == "could not be read"
    assert "message 17 of INBOX was asked for 3 times" in held.evidence
    assert desk.values("SELECT position FROM arrival WHERE outcome = 'held'") == [17]
    assert desk.values("SELECT position FROM cursor") == [40]


@pytest.mark.parametrize("fault", ["refuses", "empty"])
def test_a_message_that_is_not_given_is_held_and_named(receiver: Make, fault: str) -> None:
    with LyingImap(mails(9), **{fault: {4}}) as server:  # type: ignore[arg-type]
        desk = receiver(server)
        said = desk.receive_until_done(4)
    assert len(said) == 2
    assert len(desk.values("SELECT id FROM message")) == 8
    assert len(desk.reads.held()) == 1
    assert desk.values("SELECT position FROM cursor") == [9]


def test_a_date_that_is_none_costs_no_message(receiver: Make) -> None:
    with LyingImap(mails(5), bad_dates={2}) as server:
        assert receiver(server).receive() == Tally(created=5)


def test_idle_that_is_offered_and_refused_becomes_polling(
    receiver: Make,
) -> None:
    with LyingImap(mails(1)) as server:
        desk = receiver(server)
        thread = threading.Thread(target=desk.account.run)
        thread.start()
        try:
            _wait(lambda: len(desk.values("SELECT id FROM message")) == 1)
            server.mails.update(mails(3))
            _wait(lambda: len(desk.values("SELECT id FROM message")) == 3)
            _wait(lambda: "NOOP" in server.commands)
            assert desk.health.states()[0].ok
        finally:
            desk.account.stop()
            thread.join(10)
    assert not thread.is_alive()
    assert server.commands.count("IDLE") == 1


def test_news_in_one_packet_with_the_answer_to_idle_are_seen(
    receiver: Make,
) -> None:
    with LyingImap(mails(1), idle="in one packet", coming=mails(2)) as server:
        desk = receiver(server, poll_s=500)
        thread = threading.Thread(target=desk.account.run)
        thread.start()
        try:
            _wait(lambda: len(desk.values("SELECT id FROM message")) == 2)
        finally:
            desk.account.stop()
            thread.join(10)
    assert not thread.is_alive()


def test_stopping_takes_no_time_while_it_waits(receiver: Make) -> None:
    with LyingImap(mails(1), idle="silent") as server:
        desk = receiver(server)
        thread = threading.Thread(target=desk.account.run)
        thread.start()
        _wait(lambda: "IDLE" in server.commands)
        desk.account.stop()
        thread.join(5)
        assert not thread.is_alive()


def test_logins_are_refused_for_good_or_for_now(
    receiver: Make,
) -> None:
    with LyingImap({}, login_answer="NO [AUTHENTICATIONFAILED] wrong") as server:
        desk = receiver(server)
        with pytest.raises(LoginRefused, match="check user and password"):
            desk.receive()
        server.login_answer = "NO [UNAVAILABLE] Too many simultaneous connections"
        with pytest.raises(Unreachable, match="takes no login of support now"):
            desk.receive()
        server.login_answer = "OK logged in"
        assert desk.receive() == Tally()


def test_what_is_no_imap_is_said_to_be_none(
    receiver: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LyingImap(mails(1)) as server:
        desk = receiver(server)
        monkeypatch.setattr(LyingImap, "_answer", lambda *_: b"HTTP/1.1 400 Bad Request\r\n")
        with pytest.raises(MailFault):
            desk.receive()
    assert "127.0.0.1" in desk.health.states()[0].words


def _wait(holds: Callable[[], object], limit_s: float = 10.0) -> None:
    import time

    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
