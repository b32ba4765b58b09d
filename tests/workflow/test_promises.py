"""Which promise a ticket has, as it changes and as the files of the team do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflow.bench import ANA, Bench
from workflow.actions import AddTags, Assign, SetField, SetPriority, SetStatus
from workflow.clock import ManualClock
from workflow.errors import NotFound
from workflow.model import Priority, Status
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.remaking import remake_stale, stale
from workflow.store.rows import ClockDetail
from workflow.timers import fire_due

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Nine in the morning in Berlin."""

CALENDARS = """
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
"""
POLICIES = """
[[policy]]
name = "Billing"
match = "topic:billing"
calendar = "office"
first_response = "1h"
resolution = "4h"
escalate_unresolved = "3h"

[[policy]]
name = "Company"
match = "tier:vip"
first_response = "2h"

[[policy]]
name = "Mail"
match = "channel:email -tag:free"
first_response = "8h"
resolution = "1d"
"""


class Team(Bench):
    """A desk whose team has written its files."""

    def write(self, policies: str = POLICIES, calendars: str = CALENDARS) -> None:
        """Write them anew."""
        folder = self.home / "workflow"
        folder.mkdir(exist_ok=True)
        (folder / "calendars.toml").write_text(calendars)
        (folder / "sla.toml").write_text(policies)

    def at(self, moment: datetime) -> None:
        """Let it be this moment."""
        self.clock.advance((moment - self.clock.now()).total_seconds())

    def query(self, text: str) -> list[int]:
        """The tickets of a query."""
        compiled = compile_sql(parse(text), Context("ana", self.clock.now()))
        return sorted(self.reads.ids(compiled))

    def clocks(self, ticket: int) -> dict[str, ClockDetail]:
        """The clocks of a ticket by metric."""
        return {clock.metric: clock for clock in self.ticket(ticket).clocks}

    def told(self, ticket: int, name: str) -> list[str]:
        """The metrics or rules of the events of a name."""
        events = [e for e in self.ticket(ticket).events if e.name == name]
        return [str(e.data.get("rule") or e.data["metric"]) for e in events]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    bench = Team(tmp_path, ManualClock(MONDAY))
    bench.write()
    yield bench
    bench.close()


def test_a_ticket_has_the_first_policy_that_matches(team: Team) -> None:
    ticket = team.opened()
    assert team.ticket(ticket).policy == "Mail"
    event = next(e for e in team.ticket(ticket).events if e.name == "ticket.policy")
    assert (event.cause, event.data["after"]) == ("sla.toml:15", "Mail")
    assert team.clocks(ticket)["first_response"].target_s == 8 * 3600


def test_another_topic_is_another_promise_from_the_same_start(team: Team) -> None:
    ticket = team.opened()
    team.at(MONDAY + timedelta(minutes=30))
    team.do(SetField(ticket, "topic", "billing"))
    clocks = team.clocks(ticket)
    assert clocks["first_response"].started_at == MONDAY
    # Half an hour is spent: it is not given back.
    assert clocks["first_response"].due_at == MONDAY + timedelta(hours=1)
    assert clocks["resolution"].due_at == MONDAY + timedelta(hours=5), "an hour of lunch"
    team.do(SetField(ticket, "topic", None))
    assert team.clocks(ticket)["first_response"].due_at == MONDAY + timedelta(hours=8)


def test_time_spent_by_one_calendar_stays_spent_by_another(team: Team) -> None:
    ticket = team.opened()
    team.do(SetField(ticket, "topic", "billing"))
    # Two hours until noon and one of lunch, which the office does not count.
    team.at(MONDAY + timedelta(hours=4))
    team.do(SetField(ticket, "topic", None))
    left = team.clocks(ticket)["resolution"]
    assert left.due_at == MONDAY + timedelta(hours=4 + 24 - 3)


def test_no_policy_is_a_visible_state_and_its_time_counts_once_there_is_one(team: Team) -> None:
    ticket = team.opened()
    team.do(AddTags(ticket, ("free",)))
    assert team.ticket(ticket).policy is None
    assert team.clocks(ticket) == {}
    assert team.query("is:without-policy") == [ticket]
    team.at(MONDAY + timedelta(hours=1))
    team.do(SetField(ticket, "tier", "vip"))
    assert team.ticket(ticket).policy == "Company"
    assert team.clocks(ticket)["first_response"].due_at == MONDAY + timedelta(hours=2)


def test_a_tier_counts_on_every_open_ticket_of_its_customer(team: Team) -> None:
    first, second = team.opened(), team.opened()
    assert team.ticket(first).customer.id == team.ticket(second).customer.id
    team.do(SetField(second, "tier", "vip"))
    assert [team.ticket(t).policy for t in (first, second)] == ["Company", "Company"]


def test_a_person_may_name_the_policy_and_it_stays(team: Team) -> None:
    ticket = team.opened()
    team.do(SetField(ticket, "policy", "billing"))
    assert team.ticket(ticket).policy == "Billing"
    team.do(SetField(ticket, "tier", "vip"))
    assert team.ticket(ticket).policy == "Billing"
    with pytest.raises(NotFound, match="there is no policy 'nope'"):
        team.do(SetField(ticket, "policy", "nope"))
    team.do(SetField(ticket, "policy", None))
    assert team.ticket(ticket).policy == "Company"
    assert team.desk.undo(ANA)
    assert team.ticket(ticket).policy == "Billing"


def test_it_is_at_risk_with_a_fifth_left_once_and_a_new_route_leaves_the_rest(team: Team) -> None:
    """A promise of 4 h is flagged at 3 h 12 min of working time; at 3 h another group has 1 h."""
    ticket = team.opened()
    team.do(SetField(ticket, "topic", "billing"))
    team.reply(ticket)
    team.send()
    team.at(MONDAY + timedelta(hours=4))  # three hours of work and one of lunch
    team.do(Assign(ticket, group="experts"))
    assert team.clocks(ticket)["resolution"].due_at == MONDAY + timedelta(hours=5)
    team.at(MONDAY + timedelta(hours=4, minutes=11, seconds=59))
    fire_due(team.desk)
    assert team.told(ticket, "sla.at_risk") == []
    assert team.query("is:at-risk") == []
    team.at(MONDAY + timedelta(hours=4, minutes=12))
    assert team.query("is:at-risk") == [ticket]
    fire_due(team.desk)
    fire_due(team.desk)
    assert team.told(ticket, "sla.at_risk") == ["resolution"]
    team.at(MONDAY + timedelta(hours=5))
    fire_due(team.desk)
    fire_due(team.desk)
    assert team.told(ticket, "sla.at_risk") == ["resolution"]
    assert team.told(ticket, "sla.breached") == ["resolution"]
    assert team.query("is:breached") == [ticket]


def test_an_unresolved_ticket_comes_to_the_mark_of_its_policy_once(team: Team) -> None:
    ticket = team.opened()
    team.do(SetField(ticket, "topic", "billing"))
    team.at(MONDAY + timedelta(hours=1))
    team.do(SetStatus(ticket, Status.PENDING))
    team.at(MONDAY + timedelta(days=1))
    fire_due(team.desk)
    assert team.told(ticket, "sla.mark") == [], "it waits for the customer"
    team.do(SetStatus(ticket, Status.OPEN))
    team.at(MONDAY + timedelta(days=1, hours=2))
    fire_due(team.desk)
    fire_due(team.desk)
    assert team.told(ticket, "sla.mark") == ["policy:Billing"]
    team.do(SetStatus(ticket, Status.RESOLVED))
    team.do(SetStatus(ticket, Status.OPEN))
    team.at(MONDAY + timedelta(days=3))
    fire_due(team.desk)
    assert team.told(ticket, "sla.mark") == ["policy:Billing"]


def test_an_edit_is_taken_by_the_tickets_that_are_open(team: Team) -> None:
    tickets = [team.opened() for _ in range(5)]
    team.do(SetStatus(tickets[4], Status.RESOLVED))
    fire_due(team.desk)
    assert not stale(team.desk)
    team.write(POLICIES.replace('first_response = "8h"', 'first_response = "30m"'))
    assert stale(team.desk)
    assert remake_stale(team.desk) == 4
    assert not stale(team.desk)
    assert remake_stale(team.desk) == 0
    for ticket in tickets[:4]:
        clock = team.clocks(ticket)["first_response"]
        assert (clock.target_s, clock.due_at) == (1800, MONDAY + timedelta(minutes=30))
    assert team.clocks(tickets[4])["first_response"].target_s == 8 * 3600
    team.write(calendars=CALENDARS.replace("17:00", "18:00"))
    assert stale(team.desk)


def test_a_bad_edit_changes_no_promise(team: Team) -> None:
    ticket = team.opened()
    fire_due(team.desk)
    team.write("[[policy]]\nname = 7\n")
    assert not stale(team.desk)
    assert "sla.toml:2:1" in team.desk.rule_book.problems[0]
    team.do(SetPriority(ticket, Priority.HIGH))
    assert team.ticket(ticket).policy == "Mail"
    # Another process that starts with the bad file has the last good one too.
    other = team.another_desk(team.store)
    names = [policy.name for policy in other.rule_book.current.policies.in_order]
    assert names == ["Billing", "Company", "Mail"]


MOVES = st.sampled_from(["experts", "support", "", "ana", "ben"])


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 20_000), MOVES), min_size=10, max_size=10),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["reply", "wait", "go"])), max_size=4),
)
def test_a_ticket_that_is_moved_ten_times_has_the_due_times_of_one_that_stayed(
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[int, str]],
    happenings: list[tuple[int, str]],
) -> None:
    team = Team(tmp_path_factory.mktemp("moved"), ManualClock(MONDAY))
    try:
        team.write(POLICIES.replace("topic:billing", "subject:billing"))
        stayed, moved = (team.opened(subject="billing") for _ in range(2))
        for step, (seconds, where) in enumerate(moves):
            team.clock.advance(seconds)
            if where in ("ana", "ben"):
                team.do(Assign(moved, assignee=where))
            else:
                team.do(Assign(moved, group=where))
            for at, what in happenings:
                if at != step:
                    continue
                for ticket in (stayed, moved):
                    if what == "reply":
                        team.reply(ticket)
                    else:
                        team.do(SetStatus(ticket, "pending" if what == "wait" else "open"))
                team.send()

        def promises(ticket: int) -> list[object]:
            return [
                (c.metric, c.policy, c.state, c.started_at, c.due_at, c.warn_at, c.remaining_s)
                for c in team.ticket(ticket).clocks
            ]

        assert promises(moved) == promises(stayed)
        assert promises(moved)
    finally:
        team.close()
