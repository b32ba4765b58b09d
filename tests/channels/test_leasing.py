"""Who works: one engine at a time for each account, and the next one when it has gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.leasing import TIMERS, Leases, account_lease
from workflow.leases import Holder
from workflow.store.store import Store

NAMES = (account_lease("support"), TIMERS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "deskhand.db")
    yield opened
    opened.close()


def test_what_one_has_the_other_waits_for(store: Store) -> None:
    taken: list[str] = []
    first = Leases(Holder(store), NAMES)
    second = Leases(Holder(store), NAMES, taken.append)
    first.take()
    second.take()
    assert [first.held(name) for name in NAMES] == [True, True]
    assert [second.held(name) for name in NAMES] == [False, False]
    assert taken == []

    first.release()
    second.take()
    assert not first.held(TIMERS)
    assert [second.held(name) for name in NAMES] == [True, True]
    assert taken == list(NAMES)
    second.take()
    assert taken == list(NAMES)


def test_one_on_another_machine_is_left_alone_and_a_dead_one_here_is_not(store: Store) -> None:
    Leases(Holder(store, host="elsewhere"), NAMES[:1]).take()
    Leases(Holder(store, pid=2**22 + 1), NAMES[1:]).take()
    ours = Leases(Holder(store), NAMES)
    ours.take()
    assert [ours.held(name) for name in NAMES] == [False, True]


def test_a_renewal_is_believed_for_less_than_the_lease_lasts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Leases(Holder(store), NAMES)
    ours.take()
    started = time.monotonic()
    slept = started + 1000
    monkeypatch.setattr("channels.leasing._seconds", lambda: slept)
    assert not ours.held(TIMERS)


def test_keeping_tells_when_something_becomes_ours(store: Store) -> None:
    other = Leases(Holder(store), NAMES)
    other.take()
    ours = Leases(Holder(store), NAMES)
    stopping, changed = threading.Event(), threading.Event()
    thread = threading.Thread(target=ours.keep, args=(stopping, changed.set))
    thread.start()
    other.release()
    assert changed.wait(5)
    stopping.set()
    thread.join(5)
    assert not thread.is_alive()
    assert any(ours.held(name) for name in NAMES)
