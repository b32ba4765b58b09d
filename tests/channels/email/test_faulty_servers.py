"""Servers that throttle, lie, lose and announce nonsense: nothing is lost, nothing comes twice, the
state is said in words.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from channels.email.faults import Busy, FolderMissing
from channels.tally import Tally
from tests.channels.email.lying_imap import LyingImap
from tests.channels.email.test_account import Receiver, mails
from tests.live.desks import wait_until
from workflow.clock import ManualClock


@contextmanager
def receiving(
    home: Path, clock: ManualClock, server: LyingImap, poll_s: int = 1
) -> Iterator[Receiver]:
    desk = Receiver(home, clock, server.port, poll_s)
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def running(desk: Receiver) -> Iterator[None]:
    thread = threading.Thread(target=desk.account.run)
    thread.start()
    try:
        yield
    finally:
        desk.account.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("UID FETCH", "NO [THROTTLED] slow down"),
        ("UID FETCH", "NO [LIMIT] FETCH Rate limit hit"),
        ("UID SEARCH", "NO [UNAVAILABLE] backend is away"),
        ("EXAMINE", "BAD User is authenticated but not connected."),
        ("EXAMINE", "* BYE Session invalidated - AccessTokenExpired"),
        ("UID FETCH", "* BYE Too many simultaneous connections"),
        ("LOGIN", "NO [ALERT] Too many simultaneous connections. (Failure)"),
    ],
)
def test_a_server_that_is_busy_is_left_alone_and_no_mail_pays_for_it(
    tmp_path: Path, clock: ManualClock, word: str, answer: str
) -> None:
    with (
        LyingImap(mails(5), says={word: answer}) as server,
        receiving(tmp_path, clock, server) as desk,
    ):
        for _ in range(6):
            with pytest.raises(Busy, match=r"127\.0\.0\.1"):
                desk.receive()
        assert not desk.reads.held()
        server.says.clear()
        assert desk.receive() == Tally(created=5)


def test_a_greeting_that_sends_us_away(tmp_path: Path, clock: ManualClock) -> None:
    with LyingImap(mails(1)) as server, receiving(tmp_path, clock, server) as desk:
        server.greeting = "BYE [UNAVAILABLE] try again in 5 minutes"
        with pytest.raises(Busy, match="takes no connection now") as caught:
            desk.receive()
        assert caught.value.wait_s == 300
        server.greeting = "OK ready"
        assert desk.receive() == Tally(created=1)


def test_the_words_of_a_throttled_account_say_when_it_tries_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    throttled = "BAD Request is throttled. Suggested Backoff Time: 47305 milliseconds"
    with (
        LyingImap(mails(1), says={"EXAMINE": throttled}) as server,
        receiving(tmp_path, clock, server) as desk,
        running(desk),
    ):
        wait_until(lambda: not desk.health.states()[0].ok)
        (state,) = desk.health.states()
        assert state.brief == "is asked to wait"
        assert "next try in 47 s" in state.words
        assert state.since == clock.now()
        assert state.next_try is not None
        assert (state.next_try - clock.now()).total_seconds() == pytest.approx(47.305, abs=0.01)
        server.says.clear()
        clock.advance(30)
        desk.account.hurry()
        wait_until(lambda: desk.health.states()[0].ok)
        assert desk.health.states()[0].since == clock.now()
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [1])


def test_who_tries_again_is_not_well_yet(tmp_path: Path, clock: ManualClock) -> None:
    with (
        LyingImap({}, login_answer="NO [AUTHENTICATIONFAILED] wrong") as server,
        receiving(tmp_path, clock, server) as desk,
    ):
        desk.health.say("support", "cannot log in: wrong", ok=False)
        before = desk.health.states()[0].since
        clock.advance(60)
        desk.health.say("support", "connecting", ok=None)
        (state,) = desk.health.states()
        assert (state.ok, state.words, state.since) == (False, "connecting", before)


def test_capabilities_that_are_claimed_and_missing_are_not_missed(
    tmp_path: Path, clock: ManualClock
) -> None:
    says = dict.fromkeys(
        ("IDLE", "ID ", "MOVE", "UID MOVE", "ENABLE", "UID EXPUNGE"), "BAD unknown command"
    )
    claims = "IMAP4rev1 IDLE UIDPLUS MOVE CONDSTORE QRESYNC ENABLE ID ESEARCH SPECIAL-USE NAMESPACE"
    with (
        LyingImap(mails(3), says=says, capabilities=claims) as server,
        receiving(tmp_path, clock, server) as desk,
        running(desk),
    ):
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [3])
        server.mails.update(mails(4))
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [4])
        assert desk.health.states()[0].ok


def test_idle_that_tells_nothing_is_looked_behind(tmp_path: Path, clock: ManualClock) -> None:
    with (
        LyingImap(mails(1), idle="silent") as server,
        receiving(tmp_path, clock, server) as desk,
        running(desk),
    ):
        wait_until(lambda: "IDLE" in server.commands)
        server.mails.update(mails(2))
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [2])


def test_what_is_expunged_between_search_and_fetch_is_no_fault(
    tmp_path: Path, clock: ManualClock
) -> None:
    with LyingImap(mails(9), vanishes={2, 9}) as server, receiving(tmp_path, clock, server) as desk:
        assert desk.receive() == Tally(created=7)
        assert desk.values("SELECT position FROM cursor") == [9]
        assert desk.receive() == Tally()


def test_answers_in_any_order_with_news_between_them(tmp_path: Path, clock: ManualClock) -> None:
    with LyingImap(mails(30), shuffles=True) as server, receiving(tmp_path, clock, server) as desk:
        assert desk.receive() == Tally(created=30)
        assert desk.values("SELECT subject FROM message ORDER BY id") == [
            f"Mail {uid}" for uid in range(1, 31)
        ]
        server.mails.update(mails(31))
        assert desk.receive() == Tally(created=1)


def test_a_literal_that_nobody_can_keep_is_not_taken(tmp_path: Path, clock: ManualClock) -> None:
    with LyingImap(mails(4), huge={3}) as server, receiving(tmp_path, clock, server) as desk:
        said = desk.receive_until_done(6)
        assert all("announces 99999999999 bytes" in sentence for sentence in said), said
        assert desk.values("SELECT count(*) FROM message") == [3]
        (held,) = desk.reads.held()
        assert "message 3 of INBOX was asked for 3 times" in held.evidence


def test_another_uidvalidity_in_the_same_session_brings_nothing_twice(
    tmp_path: Path, clock: ManualClock
) -> None:
    with LyingImap(mails(3)) as server, receiving(tmp_path, clock, server) as desk, running(desk):
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [3])
        server.mails = {uid + 40: raw for uid, raw in mails(4).items()}
        server.validity = 10
        wait_until(lambda: desk.values("SELECT count(*) FROM message") == [4])
        assert desk.values("SELECT validity || ':' || position FROM cursor") == ["10:44"]
        assert len(server.commands) > 0


def test_a_folder_that_is_gone_keeps_no_other_from_being_read(
    tmp_path: Path, clock: ManualClock
) -> None:
    with (
        LyingImap(mails(2), sent={}, missing={"Sent Items"}) as server,
        receiving(tmp_path, clock, server) as desk,
    ):
        with pytest.raises(FolderMissing, match="the folder Sent Items cannot be opened"):
            desk.receive()
        assert desk.values("SELECT count(*) FROM message") == [2]
        with running(desk):
            wait_until(lambda: desk.health.states()[0].brief == "a folder is missing")
            server.missing.clear()
            wait_until(lambda: desk.health.states()[0].ok)


def test_a_login_that_was_refused_is_fine_again_when_somebody_says_so(
    tmp_path: Path, clock: ManualClock
) -> None:
    with (
        LyingImap(mails(1), login_answer="NO [AUTHENTICATIONFAILED] wrong") as server,
        receiving(tmp_path, clock, server) as desk,
        running(desk),
    ):
        wait_until(lambda: desk.health.states()[0].brief == "cannot log in")
        assert "check user and password" in desk.health.states()[0].words
        server.login_answer = "OK logged in"
        desk.account.hurry()
        wait_until(lambda: desk.health.states()[0].words == "waiting for mail")
