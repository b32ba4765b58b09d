"""Replays: with the same files nothing differs, whatever has happened; with others what it should."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import (
    AddTags,
    Assign,
    Escalate,
    SetField,
    SetPresence,
    SetPriority,
    SetStatus,
)
from workflow.clock import ManualClock, parse_moment
from workflow.errors import DeskError
from workflow.model import Priority
from workflow.routing.comparing import compare
from workflow.routing.matching import Matcher
from workflow.routing.replay import happened, would
from workflow.rulebook import RuleBook, Rules
from workflow.settings import AgentSettings, ChannelSettings, GroupSettings, Settings
from workflow.timers import fire_due

SETTINGS = Settings(
    agents=(
        AgentSettings("ana", "ana@desk.example", ("support", "experts")),
        AgentSettings("ben", "ben@desk.example", ("experts",)),
    ),
    groups=(
        GroupSettings("support", "L1", "round-robin"),
        GroupSettings("experts", "L2", "least-loaded", 2, prefer_previous=True),
    ),
    channels=(ChannelSettings("support", "email", "support@desk.example"),),
)
TABLE = """\
rule,topic,text,when,->,group,priority,policy,tags,mode
pilot,,bulk,,,support,low,,,shadow
refunds,,refund,,,experts,high,,money,
hot,,,priority>=high,,experts,,Promised,,
billing,billing,,,,experts,,,,
known,,,tag:vip,,support,urgent,,,
rest,,hello,,,support,,,,
"""
POLICIES = """\
[[policy]]
name = "Promised"
match = "tag:never"
first_response = "20m"
[[policy]]
name = "Experts"
match = "group:experts -priority:low"
first_response = { urgent = "10m", high = "30m", medium = "2h", low = "4h" }
resolution = "5h"
[[policy]]
name = "Rest"
match = "group:support OR topic:billing"
next_response = "1h"
first_response = "3h"
"""
START = parse_moment("2026-11-23T09:00:00Z")


@contextmanager
def desk(table: str = TABLE) -> Iterator[Bench]:
    """A desk with rules on a home of its own."""
    folder = Path(tempfile.mkdtemp(prefix="replay-"))
    for name, text in (("routing.csv", table), ("sla.toml", POLICIES)):
        path = folder / "workflow" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    bench = Bench(folder, ManualClock(START), SETTINGS)
    bench.desk.rule_book = RuleBook(folder, SETTINGS)
    try:
        yield bench
    finally:
        bench.close()
        shutil.rmtree(folder)


def rules(bench: Bench) -> Rules:
    return bench.desk.rule_book.current


TEXTS = st.sampled_from(["hello", "a refund", "bulk order", "nothing", "hello refund"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("opens"), TEXTS),
        st.tuples(st.just("writes"), TEXTS),
        st.tuples(st.just("passes"), st.sampled_from([1, 600, 7200])),
        st.tuples(st.just("answers"), st.sampled_from(["sent", "waits"])),
        st.tuples(st.just("priority"), st.sampled_from([int(priority) for priority in Priority])),
        st.tuples(st.just("topic"), st.sampled_from(["billing", "sales", None])),
        st.tuples(st.just("tag"), st.just("vip")),
        st.tuples(st.just("status"), st.sampled_from(["open", "pending", "resolved", "closed"])),
        st.tuples(st.just("assign"), st.sampled_from(["ana", "ben", ""])),
        st.tuples(st.just("group"), st.sampled_from(["support", "experts", ""])),
        st.tuples(st.just("away"), st.sampled_from(["ana", "ben"])),
        st.tuples(st.just("here"), st.sampled_from(["ana", "ben"])),
        st.tuples(st.just("escalates"), st.just("technical")),
        st.tuples(st.just("engine"), st.just("")),
        st.tuples(st.just("undo"), st.just("")),
    ),
    min_size=1,
    max_size=14,
)


def live(bench: Bench, steps: list[tuple[str, object]]) -> int:
    """Do what the steps say; the last ticket there is."""
    number = bench.opened(text="hello", sender="first@x.example")
    for what, value in steps:
        try:
            _step(bench, number, what, value)
        except DeskError:
            continue
        if what == "opens":
            number += 1
    return number


def _step(bench: Bench, number: int, what: str, value: object) -> None:
    word = "" if value is None else str(value)
    if what == "opens":
        bench.opened(text=word, sender=f"{word[:3]}@x.example")
    elif what == "writes":
        bench.follow_up(number, text=word)
    elif what == "passes":
        bench.clock.advance(int(word))
    elif what == "answers":
        bench.reply(number)
        if word == "sent":
            bench.send()
    elif what == "priority":
        bench.do(SetPriority(number, int(word)))
    elif what == "topic":
        bench.do(SetField(number, "topic", word or None))
    elif what == "tag":
        bench.do(AddTags(number, (word,)))
    elif what == "status":
        bench.do(SetStatus(number, word))
    elif what == "assign":
        bench.do(Assign(number, assignee=word))
    elif what == "group":
        bench.do(Assign(number, group=word))
    elif what in ("away", "here"):
        bench.do(SetPresence(word, what == "here"), actor=ANA if word == "ana" else BEN)
    elif what == "escalates":
        bench.do(Escalate(number, word))
    elif what == "engine":
        fire_due(bench.desk)
    else:
        bench.desk.undo(ANA)


@given(STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_rules_decide_the_same(steps: list[tuple[str, object]]) -> None:
    with desk() as bench:
        last = live(bench, steps)
        bench.clock.advance(3600)
        now, by = bench.clock.now(), rules(bench)
        for number in range(1, last + 1):
            ticket = bench.ticket(number)
            was = happened(ticket, now, by.calendars)
            then = would(ticket, by.routes, by.policies, SETTINGS, now)
            assert compare(was, then) == {}, [(e.name, e.actor, e.data) for e in ticket.events]
            stored = {c.metric for c in ticket.clocks if c.metric in then.breaches}
            assert then.breaches <= {*was.breaches, *stored}


def test_an_answer_stops_the_clock_under_other_promises_too() -> None:
    with desk() as bench:
        number = bench.opened(text="hello")
        bench.clock.advance(25 * 60)
        bench.reply(number)
        bench.send()
        bench.clock.advance(24 * 3600)
        ticket, now, by = bench.ticket(number), bench.clock.now(), rules(bench)
        assert happened(ticket, now).breaches == frozenset()
        path = bench.home / "workflow" / "sla.toml"
        path.write_text('[[policy]]\nname = "Quick"\nfirst_response = "20m"\nresolution = "2d"\n')
        quick = RuleBook(bench.home, SETTINGS).current.policies
        found = would(ticket, by.routes, quick, SETTINGS, now)
        assert (found.policy, found.breaches) == ("Quick", frozenset({"first_response"}))


def test_another_topic_leads_to_another_row() -> None:
    with desk() as bench:
        number = bench.opened(text="nothing")
        ticket, now, by = bench.ticket(number), bench.clock.now(), rules(bench)
        assert would(ticket, by.routes, by.policies, SETTINGS, now).route is None
        with bench.store.write(now) as transaction:
            message = ticket.messages[0].id
            data = {"message": message, "topic": "other", "language": "en", "contacts": 1}
            transaction.record("ticket.triaged", number, ANA.__class__("triage"), "triage", data)
        found = would(
            bench.ticket(number),
            by.routes,
            by.policies,
            SETTINGS,
            now,
            lambda _message, _language, _data: "billing",
        )
        assert (found.topic, found.route, found.group) == ("billing", "billing", "experts")
        assert found.policy == "Experts"


def test_rows_in_shadow_count_only_where_they_are_to_go_live() -> None:
    with desk() as bench:
        number = bench.opened(text="hello bulk")
        ticket, now, by = bench.ticket(number), bench.clock.now(), rules(bench)
        assert would(ticket, by.routes, by.policies, SETTINGS, now).route == "rest"
        pilot: Matcher = by.routes.all_live()
        assert would(ticket, pilot, by.policies, SETTINGS, now).route == "pilot"
