"""Two processes that react at once fire each rule once on each event."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflow.bench import ANA
from tests.workflow.triggers.ruled import Ruled, trigger
from workflow.actions import Action, AddTags, Note, SetStatus
from workflow.clock import ManualClock, parse_moment
from workflow.store.store import Store
from workflow.timers import fire_due
from workflow.triggers.react import react

NOW = parse_moment("2026-11-23T09:00:00Z")
RULES = trigger("a", "note", 'add_tags = "a"') + trigger("b", "tagged", 'note = "b"', 'to = "a"')


def _react(home: str, ready: object, rounds: int) -> None:
    desk = Ruled(Path(home), ManualClock(NOW))
    ready.wait()  # type: ignore[attr-defined]
    for _ in range(rounds):
        react(desk.desk)
        fire_due(desk.desk)
    desk.close()


def test_two_processes_and_one_that_writes(tmp_path: Path) -> None:
    desk = Ruled(tmp_path, ManualClock(NOW))
    desk.write(RULES)
    tickets = [desk.opened() for _ in range(12)]
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    others = [context.Process(target=_react, args=(str(tmp_path), ready, 40)) for _ in range(2)]
    for other in others:
        other.start()
    ready.set()
    for ticket in tickets:
        desk.do(Note(ticket, "hm"))
    for other in others:
        other.join()
        assert other.exitcode == 0
    fire_due(desk.desk)
    for ticket in tickets:
        assert [said["rule"] for said in desk.fired(ticket)] == ["a", "b"]
    desk.close()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["note", "status", "tag"])), max_size=12)
)
def test_whoever_looks_and_whenever_each_event_fires_once(
    tmp_path_factory: object, deeds: list[tuple[int, str]]
) -> None:
    home = tmp_path_factory.mktemp("desk")  # type: ignore[attr-defined]
    desk = Ruled(home, ManualClock(NOW))
    desk.write(
        trigger("n", "note", 'snooze = "1d"') + trigger("s", "status", 'note = "x"')
        + trigger("t", "tagged", 'topic = "x"')
    )  # fmt: skip
    others = [desk.another_desk(Store.open(home / "deskhand.db")) for _ in range(2)]
    desks = [desk.desk, *others]
    ticket = desk.opened()
    wanted = {"n": 0, "s": 0, "t": 0}
    statuses = iter(["open", "pending"] * 10)
    threads = []
    for number, deed in deeds:
        if deed == "note":
            action: Action = Note(ticket, "hm")
        elif deed == "status":
            action = SetStatus(ticket, next(statuses))
        else:
            action = AddTags(ticket, (f"t{len(threads)}",))
        wanted[deed[0]] += 1
        # The note of a rule is a note as well.
        wanted["n"] += deed == "status"
        desks[number].perform(action, ANA, "key:x")
        threads.append(threading.Thread(target=react, args=(desks[(number + 1) % 3],)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for one in desks:
        fire_due(one)
    found = {"n": 0, "s": 0, "t": 0}
    for said in desk.fired(ticket):
        found[said["rule"]] += 1
    assert found == wanted
    for other in others:
        other.store.close()
    desk.close()
