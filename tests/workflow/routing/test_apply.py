"""Routing in the transaction that brings a message: what a row gives, what stays, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as listening

from tests.workflow.bench import ANA, SETTINGS, Bench
from workflow.actions import Assign, NewTicket, SetField, SetPriority
from workflow.apply import APPLY
from workflow.clock import ManualClock
from workflow.errors import NotFound
from workflow.model import Priority
from workflow.rulebook import RuleBook

TABLE = """\
rule,topic,text,->,group,level,assignee,priority,policy,tags,suggest,mode
pilot,,refund,,experts,L2,,urgent,,,,shadow
refunds,,"refund,charged twice",,support,L1,ana,high,Billing error,"money, refund",refund,
known,sales,,,experts,,,,,,,
big,,bulk order,,experts,L1,,low,,,,
"""


class Routed(Bench):
    """A bench with a table that the test may write anew."""

    text = TABLE

    def another_desk(self, store):  # type: ignore[no-untyped-def]
        """With the table of the home."""
        self.write(self.text)
        made = super().another_desk(store)
        made.rule_book = RuleBook(self.home, self.settings)
        return made

    def write(self, text: str) -> None:
        """Write the table."""
        path = self.home / "workflow" / "routing.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        (path.parent / "sla.toml").write_text(
            '[[policy]]\nname = "Any"\nfirst_response = "8h"\n'
            '[[policy]]\nname = "Billing error"\nfirst_response = "1h"\n'
        )

    def routed(self, ticket: int) -> list[dict[str, Any]]:
        """What was told of its routing."""
        return [e.data for e in self.ticket(ticket).events if e.name == "ticket.routed"]


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Routed]:
    made = Routed(tmp_path, clock, SETTINGS)
    yield made
    made.close()


def test_a_row_gives_everything_it_says_and_tells_why(bench: Routed) -> None:
    number = bench.opened(text="You charged twice.")
    ticket = bench.ticket(number)
    assert (ticket.group_name, ticket.level, ticket.assignee) == ("support", "L1", "ana")
    assert (ticket.priority, ticket.priority_by) == (Priority.HIGH, "rule:refunds")
    assert sorted(ticket.tags) == ["money", "refund"]
    ((suggested,),) = bench.rows("SELECT suggested_macro FROM ticket")
    assert suggested == "refund"
    (told,) = bench.routed(number)
    assert told == {
        "rule": "refunds",
        "table": "routing.csv:3",
        "evidence": 'routing.csv:3 refunds: text:refund,"charged twice"',
        "result": {
            "group": "support", "level": "L1", "assignee": "ana", "priority": "high",
            "policy": "Billing error", "tags": ["money", "refund"], "suggest": "refund",
        },
        "mode": "live",
    }  # fmt: skip
    moved = [e for e in ticket.events if e.actor == "rule:refunds"]
    assert {e.cause for e in moved} == {"routing.csv:3"}
    assert bench.names(number).count("ticket.assigned") == 1


def test_a_row_in_shadow_only_tells(bench: Routed) -> None:
    number = bench.opened(text="a refund please")
    shadow, live = bench.routed(number)
    assert (shadow["mode"], shadow["rule"], shadow["result"]["group"]) == (
        "shadow",
        "pilot",
        "experts",
    )
    assert (live["mode"], live["rule"]) == ("live", "refunds")
    assert bench.ticket(number).group_name == "support"


def test_that_no_row_matches_is_told(bench: Routed) -> None:
    number = bench.opened(text="hello")
    assert bench.routed(number) == [
        {
            "rule": None,
            "table": "routing.csv",
            "evidence": "no row matches",
            "result": {},
            "mode": "live",
        }
    ]
    assert bench.ticket(number).group_name is None


def test_a_level_beside_a_group_is_the_ticket_s(bench: Routed) -> None:
    number = bench.opened(text="a bulk order")
    ticket = bench.ticket(number)
    assert (ticket.group_name, ticket.level, ticket.priority) == ("experts", "L1", Priority.LOW)


def test_a_later_message_routes_anew_until_somebody_has_it(bench: Routed) -> None:
    number = bench.opened(text="hello")
    bench.follow_up(number, text="it is about a bulk order")
    assert [told["rule"] for told in bench.routed(number)] == [None, "big"]
    bench.follow_up(number, text="nothing new")
    assert len(bench.routed(number)) == 2
    bench.do(Assign(number, assignee="ana"))
    bench.follow_up(number, text="and a refund")
    assert len(bench.routed(number)) == 2
    assert bench.ticket(number).group_name == "experts"


def test_what_the_table_gave_is_no_reason_for_another_row(bench: Routed) -> None:
    bench.write("rule,priority,text,->,group,priority\n".replace(",priority\n", ",level\n"))
    bench.write(
        "rule,when,->,group,priority,tags\n"
        "hot,priority>=high,,experts,,\n"
        "tagged,tag:x,,experts,,\n"
        "grouped,group:support,,experts,,\n"
        "all,,,support,urgent,x\n"
    )
    number = bench.opened(text="hello")
    bench.follow_up(number, text="again")
    assert [told["rule"] for told in bench.routed(number)] == ["all"]


def test_an_answered_ticket_stays_where_it_is(bench: Routed) -> None:
    number = bench.opened(text="hello")
    bench.reply(number)
    bench.send()
    bench.follow_up(number, text="a bulk order then")
    assert len(bench.routed(number)) == 1


def test_what_a_person_has_chosen_stays(bench: Routed) -> None:
    number = bench.opened(text="hello")
    bench.do(SetPriority(number, int(Priority.URGENT)), SetField(number, "level", "L2"))
    bench.follow_up(number, text="a bulk order")
    ticket = bench.ticket(number)
    assert (ticket.priority, ticket.level, ticket.group_name) == (Priority.URGENT, "L2", "experts")
    assert bench.routed(number)[-1]["kept"] == {"level": "agent:ana", "priority": "agent:ana"}


def test_a_group_does_not_bring_its_level_over_a_person_s(bench: Routed) -> None:
    number = bench.opened(text="hello")
    bench.do(SetField(number, "level", "L9"))
    bench.write("rule,text,->,group\nall,bulk,,experts\n")
    bench.follow_up(number, text="bulk")
    ticket = bench.ticket(number)
    assert (ticket.group_name, ticket.level) == ("experts", "L9")


def test_taking_what_a_rule_has_given_makes_it_a_person_s(bench: Routed) -> None:
    number = bench.opened(text="charged twice")
    bench.do(Assign(number, assignee="ana"))
    bench.follow_up(number, text="and a bulk order")
    assert len(bench.routed(number)) == 1
    ((by,),) = bench.rows("SELECT json_extract(set_by, '$.assignee') FROM ticket")
    assert by == "agent:ana"


def test_a_named_agent_who_is_away_is_not_given_the_ticket(bench: Routed) -> None:
    from workflow.actions import SetPresence

    bench.do(SetPresence("ana", here=False))
    number = bench.opened(text="charged twice")
    assert bench.ticket(number).assignee is None
    assert bench.routed(number)[0]["away"] == "ana"


def test_a_ticket_by_hand_is_routed_too(bench: Routed) -> None:
    (outcome,) = bench.do(
        NewTicket("x@x.example", "X", "by phone", "a bulk order", "phone"), actor=ANA
    )
    assert outcome.ticket is not None
    assert bench.ticket(outcome.ticket).group_name == "experts"


def test_machines_and_history_are_not_routed(bench: Routed) -> None:
    automatic = bench.opened(text="a bulk order", automatic=True)
    old = bench.opened(text="a bulk order", before_cutoff=True)
    assert bench.routed(automatic) == bench.routed(old) == []


def test_an_edit_of_the_table_counts_and_a_fault_leaves_the_last_good_one(bench: Routed) -> None:
    assert bench.ticket(bench.opened(text="hello")).group_name is None
    bench.write("rule,->,group\nall,,support\n")
    assert bench.ticket(bench.opened(text="hello")).group_name == "support"
    bench.write("rule,->,group\nall,,suport\nmore,,x\n")
    assert bench.ticket(bench.opened(text="hello")).group_name == "support"
    (problem,) = bench.desk.rule_book.problems
    assert "routing.csv:2:6: there is no group 'suport'" in problem


def test_reads_do_not_grow_with_the_batch(bench: Routed) -> None:
    def statements(count: int) -> int:
        mails = [
            bench.mail(f"{count}-{n}", sender=f"{count}-{n}@x.example", text="charged twice")
            for n in range(count)
        ]
        seen: list[str] = []
        engine = bench.store._engine

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith("SELECT"):
                seen.append(statement)

        listening.listen(engine, "before_cursor_execute", note)
        bench.desk.receive(mails)
        listening.remove(engine, "before_cursor_execute", note)
        return len(seen)

    statements(1)
    few, many = statements(2), statements(40)
    assert many == few


def test_a_policy_that_is_not_there_any_more_keeps_no_mail_out(bench: Routed) -> None:
    (bench.home / "workflow" / "sla.toml").unlink()
    number = bench.opened(text="You charged twice.")
    assert bench.ticket(number).policy == "Built-in"
    assert bench.ticket(number).assignee == "ana"
    assert bench.routed(number)[-1]["unknown_policy"] == "Billing error"


def test_a_table_that_cannot_be_applied_keeps_no_mail_out(
    bench: Routed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_context: object, _action: object) -> None:
        raise NotFound("there is no agent 'ana' any more")

    monkeypatch.setitem(APPLY, Assign, refuse)
    number = bench.opened(text="You charged twice.")
    ticket = bench.ticket(number)
    assert (ticket.priority, ticket.assignee, len(ticket.messages)) == (Priority.MEDIUM, None, 1)
    event = next(e for e in ticket.events if e.name == "ticket.unsorted")
    assert event.data == {"step": "route", "problem": "there is no agent 'ana' any more"}
    assert bench.routed(number) == []


def test_a_priority_that_a_person_set_before_setters_were_kept_is_theirs_too(bench: Routed) -> None:
    number = bench.opened(text="hello")
    with bench.store.write(bench.clock.now()) as transaction:
        ticket = transaction.ticket(number)
        ticket.priority_by, ticket.set_by = "agent:ana", {}
        transaction.session.add(ticket)
    bench.follow_up(number, text="You charged twice.")
    assert bench.ticket(number).priority_by == "agent:ana"
