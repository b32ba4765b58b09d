"""Who works: a living holder keeps its lease, a dead one on this computer loses it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.workflow.bench import Bench
from workflow import leases
from workflow.clock import ManualClock
from workflow.leases import LEASE_S, Holder
from workflow.store.store import Store


@pytest.fixture
def wall(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """Real time in the hands of the test."""
    monkeypatch.setattr(leases, "wall_time", clock.now)
    return clock


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A living process."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait(10)


def test_a_lease_is_kept_and_refused_to_others_until_it_is_released(
    bench: Bench, wall: ManualClock
) -> None:
    one, two = Holder(bench.store), Holder(bench.store)
    assert one.take("timers")
    assert one.take("timers")
    assert not two.take("timers")
    assert two.take("mail:support")
    two.release("timers")
    assert not two.take("timers"), "nobody gives up what is not theirs"
    one.release("timers")
    assert two.take("timers")


def test_a_heartbeat_keeps_it_and_silence_loses_it(bench: Bench, wall: ManualClock) -> None:
    one, two = Holder(bench.store), Holder(bench.store)
    assert one.take("timers")
    for _ in range(5):
        wall.advance(LEASE_S - 1)
        assert one.take("timers")
        assert not two.take("timers")
    wall.advance(LEASE_S)
    assert two.take("timers")
    assert not one.take("timers")


def test_a_dead_holder_on_this_host_is_replaced_at_once(
    bench: Bench, wall: ManualClock, sleeper: subprocess.Popen[bytes]
) -> None:
    dead = Holder(bench.store, pid=sleeper.pid)
    assert dead.take("timers")
    other = Holder(bench.store)
    assert not other.take("timers")
    # Not waited for: a process that its parent has not buried yet is dead all the same.
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert other.take("timers")


def test_a_process_number_that_is_used_again_is_not_the_holder(
    bench: Bench, wall: ManualClock, sleeper: subprocess.Popen[bytes]
) -> None:
    assert Holder(bench.store, pid=sleeper.pid).take("timers")
    with bench.store.write(wall.now()) as transaction:
        transaction.connection.exec_driver_sql("UPDATE lease SET process_started = '1'")
    assert Holder(bench.store).take("timers")


def test_a_living_holder_on_this_host_that_is_silent_for_too_long_loses_it(
    bench: Bench, wall: ManualClock, sleeper: subprocess.Popen[bytes]
) -> None:
    assert Holder(bench.store, pid=sleeper.pid).take("timers")
    wall.advance(LEASE_S - 1)
    assert not Holder(bench.store).take("timers")
    wall.advance(1)
    assert Holder(bench.store).take("timers")


def test_a_holder_on_another_host_is_waited_for(bench: Bench, wall: ManualClock) -> None:
    assert Holder(bench.store, host="elsewhere", pid=1).take("timers")
    here = Holder(bench.store)
    assert not here.take("timers")
    wall.advance(LEASE_S - 1)
    assert not here.take("timers")
    wall.advance(1)
    assert here.take("timers")


def test_two_stores_agree_who_has_it(bench: Bench, wall: ManualClock) -> None:
    other = Store.open(bench.store.path)
    assert Holder(bench.store).take("timers")
    assert not Holder(other).take("timers")
    other.close()
