"""Who of a group gets a ticket, and what happens when agents go and come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import Assign, SetPresence, SetStatus
from workflow.clock import ManualClock
from workflow.errors import NotFound, UsageError
from workflow.model import Actor
from workflow.routing.assign import Choice, Member, choose
from workflow.rulebook import RuleBook
from workflow.settings import AgentSettings, GroupSettings, Settings
from workflow.store.team import agents
from workflow.timers import fire_due

NOON = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


def before(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


A, B, C = Member("a", load=3), Member("b", load=1), Member("c", load=1)


@pytest.mark.parametrize(
    ("group", "members", "previous", "expected"),
    [
        (GroupSettings("g"), [A, B], None, None),
        (GroupSettings("g", assign="least-loaded"), [A, B, C], None, "b"),
        (GroupSettings("g", assign="least-loaded"),
         [A, replace(B, last_assigned_at=before(1)), replace(C, last_assigned_at=before(2))],
         None, "c"),
        (GroupSettings("g", assign="least-loaded"), [A, replace(B, here=False)], None, "a"),
        (GroupSettings("g", assign="least-loaded", cap=3), [A, B], None, "b"),
        (GroupSettings("g", assign="least-loaded", cap=1), [A, B], None, None),
        (GroupSettings("g", assign="round-robin"), [A, B, C], None, "a"),
        (GroupSettings("g", assign="round-robin"),
         [replace(A, last_assigned_at=before(5)), replace(B, last_assigned_at=before(9)),
          replace(C, last_assigned_at=before(1))],
         None, "b"),
        (GroupSettings("g", assign="round-robin", prefer_previous=True), [A, B], "b", "b"),
        (GroupSettings("g", assign="round-robin", prefer_previous=True),
         [A, replace(B, here=False)], "b", "a"),
        (GroupSettings("g", assign="previous"), [A, B], "b", "b"),
        (GroupSettings("g", assign="previous"), [A, B], None, None),
        (GroupSettings("g", assign="previous"), [A, replace(B, here=False)], "b", None),
        (GroupSettings("g", assign="previous", cap=3), [B, replace(A, here=True)], "a", None),
        (GroupSettings("g", assign="round-robin"), [], None, None),
    ],
)  # fmt: skip
def test_whom_a_group_chooses(
    group: GroupSettings, members: list[Member], previous: str | None, expected: str | None
) -> None:
    found = choose(group, members, previous)
    assert found.agent == expected
    assert found.why


def test_why_nobody_is_chosen_is_said() -> None:
    robin = GroupSettings("g", assign="round-robin", cap=2)
    assert choose(robin, []) == Choice(None, "nobody is in g")
    assert choose(robin, [replace(A, here=False)]) == Choice(None, "nobody of g is here")
    assert choose(robin, [A]) == Choice(
        None, "everybody of g who is here has 2 open tickets or more"
    )
    previous = GroupSettings("g", assign="previous")
    assert choose(previous, [A], "z").why == "nobody of g has had this customer"
    gone = [A, replace(B, here=False)]
    assert choose(previous, gone, "b").why == "b, who had the customer's last ticket, is away"


AGENTS = tuple(
    AgentSettings(name, f"{name}@desk.example", ("support",)) for name in ("ana", "ben", "cem")
)
CEM = Actor.agent("cem")


class Routed(Bench):
    """A bench whose desk has a table: everything goes to support."""

    TABLE = "rule,topic,->,group\nall,,,support\n"

    def another_desk(self, store):  # type: ignore[no-untyped-def]
        """With the table of the home."""
        path = self.home / "workflow" / "routing.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.TABLE)
        made = super().another_desk(store)
        made.rule_book = RuleBook(self.home, self.settings)
        return made


def desk(home: Path, clock: ManualClock, **changes: object) -> Routed:
    group = GroupSettings("support", **{"assign": "round-robin", **changes})  # type: ignore[arg-type]
    return Routed(home, clock, Settings(agents=AGENTS, groups=(group,)))


@pytest.fixture
def robin(tmp_path: Path, clock: ManualClock) -> Iterator[Routed]:
    made = desk(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def capped(tmp_path: Path, clock: ManualClock) -> Iterator[Routed]:
    made = desk(tmp_path, clock, assign="least-loaded", cap=1, prefer_previous=True)
    yield made
    made.close()


def owners(bench: Bench, *tickets: int) -> list[str | None]:
    return [bench.ticket(number).assignee for number in tickets]


def away(bench: Bench, actor: Actor, until: timedelta | None = None) -> None:
    moment = bench.clock.now() + until if until else None
    bench.do(SetPresence(actor.name, here=False, until=moment), actor=actor)


def test_turns_go_round_within_a_batch_and_after_it(robin: Routed) -> None:
    robin.desk.receive([robin.mail(f"m{n}", sender=f"{n}@x.example") for n in range(4)])
    assert owners(robin, 1, 2, 3, 4) == ["ana", "ben", "cem", "ana"]
    robin.clock.advance(60)
    assert owners(robin, robin.opened(), robin.opened()) == ["ben", "cem"]
    (event,) = [
        e for e in robin.ticket(2).events if e.name == "ticket.assigned" and e.actor == "engine"
    ]
    assert event.cause == "round-robin in support: it is the turn of ben in support"


def test_only_who_is_here_gets_tickets(robin: Routed) -> None:
    away(robin, ANA)
    away(robin, BEN, timedelta(minutes=30))
    assert owners(robin, robin.opened(), robin.opened()) == ["cem", "cem"]
    robin.clock.advance(1800)
    assert owners(robin, robin.opened()) == ["ben"]


def test_nobody_here_is_told_and_whoever_comes_back_is_given_what_waits(robin: Routed) -> None:
    for actor in (ANA, BEN, CEM):
        away(robin, actor)
    number = robin.opened()
    assert owners(robin, number) == [None]
    event = robin.ticket(number).events[-1]
    assert (event.name, event.cause) == ("ticket.unplaced", "round-robin in support")
    assert event.data["why"] == "nobody of support is here"
    (outcome,) = robin.do(SetPresence("cem", here=True), actor=CEM)
    assert outcome.summary == "cem is here, and was given 1 waiting"
    assert owners(robin, number) == ["cem"]
    robin.desk.undo(CEM)
    assert owners(robin, number) == [None]
    assert all(row.away(robin.clock.now()) for row in agents(robin.reads.fetch))


def test_over_the_cap_a_ticket_waits_until_somebody_is_free(capped: Routed) -> None:
    numbers = [capped.opened(sender=f"{n}@x.example") for n in range(4)]
    assert owners(capped, *numbers) == ["ana", "ben", "cem", None]
    assert (
        capped.ticket(4).events[-1].data["why"].startswith("everybody of support who is here has 1")
    )
    assert fire_due(capped.desk) == 0
    capped.do(SetStatus(2, "pending"), actor=BEN)
    assert fire_due(capped.desk) == 1
    assert owners(capped, 4) == ["ben"]
    assert fire_due(capped.desk) == 0


def test_the_customer_s_last_agent_comes_first(capped: Routed) -> None:
    first = capped.opened(sender="x@x.example")
    assert owners(capped, first) == ["ana"]
    capped.do(SetStatus(first, "resolved"))
    assert owners(capped, capped.opened(sender="x@x.example")) == ["ana"]
    # ana has one, which is the cap: the next of her customer goes to somebody else.
    assert owners(capped, capped.opened(sender="x@x.example")) == ["ben"]


def test_what_a_person_has_put_back_is_handed_to_nobody(robin: Routed) -> None:
    number = robin.opened()
    robin.do(Assign(number, assignee=""))
    assert fire_due(robin.desk) == 0
    robin.follow_up(number)
    assert owners(robin, number) == [None]


def test_a_ticket_of_an_agent_who_is_away_goes_back_when_the_customer_writes(robin: Routed) -> None:
    number = robin.opened()
    robin.do(Assign(number, assignee="ana"))
    away(robin, ANA)
    assert owners(robin, number) == ["ana"]
    robin.follow_up(number)
    assert owners(robin, number) == ["ben"]
    back, given = [e for e in robin.ticket(number).events if e.name == "ticket.assigned"][-2:]
    assert (back.actor, back.cause) == ("engine", "presence: ana is away")
    assert given.data["after"]["assignee"] == "ben"


def test_a_short_break_takes_no_tickets_away(robin: Routed) -> None:
    number = robin.opened()
    robin.do(Assign(number, assignee="ana"))
    away(robin, ANA, timedelta(minutes=45))
    robin.follow_up(number)
    assert owners(robin, number) == ["ana"]
    robin.do(SetPresence("ana", here=False, until=robin.clock.now() + timedelta(hours=2)))
    robin.follow_up(number)
    assert owners(robin, number) == ["ben"]


def test_saying_it_twice_tells_it_once_and_faults_are_refused(robin: Routed) -> None:
    away(robin, ANA)
    away(robin, ANA)
    rows = robin.rows("SELECT name FROM event WHERE name LIKE 'agent.%'")
    assert [name for (name,) in rows] == ["agent.away"]
    (ana, *_) = agents(robin.reads.fetch)
    assert ana.away_since == robin.clock.now().replace(microsecond=0)
    with pytest.raises(NotFound, match="there is no agent 'zoe'"):
        robin.do(SetPresence("zoe", here=True))
    with pytest.raises(UsageError, match="already passed"):
        robin.do(SetPresence("ana", here=False, until=robin.clock.now()))
