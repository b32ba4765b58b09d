"""Actions become changes with their events, in one transaction, all or none."""

from __future__ import annotations

import inspect

import pytest

from tests.workflow.bench import ANA, BEN, SETTINGS, Bench
from workflow import actions
from workflow.actions import (
    AddTags,
    Assign,
    Escalate,
    MarkSpam,
    NewTicket,
    Note,
    RemoveTags,
    SetField,
    SetPriority,
    SetStatus,
    Snooze,
)
from workflow.apply import APPLY
from workflow.clock import ManualClock
from workflow.errors import NotFound, Refusal, StoreError, UsageError
from workflow.model import Actor, Priority
from workflow.settings import Settings
from workflow.store.store import Store
from workflow.store.tables import Ticket


def test_every_action_has_a_function_that_applies_it() -> None:
    known = {
        value
        for _name, value in inspect.getmembers(actions, inspect.isclass)
        if issubclass(value, actions.Action) and value is not actions.Action
    }
    assert known == set(APPLY)
    assert all(value.word for value in known)


def test_a_change_has_its_actor_its_cause_and_its_before_and_after(bench: Bench) -> None:
    ticket = bench.opened()
    outcome = bench.do(SetPriority(ticket, Priority.URGENT))[0]
    event = bench.ticket(ticket).events[-1]
    assert (event.name, event.actor, event.cause) == ("ticket.priority", "agent:ana", "key:x")
    assert event.data["before"] == 2
    assert event.data["after"] == 4
    assert event.change_id == outcome.change_id
    assert outcome.summary == f"priority of #{ticket} to urgent"
    assert bench.ticket(ticket).priority_by == "agent:ana"


def test_what_changes_nothing_writes_nothing(bench: Bench) -> None:
    ticket = bench.opened()
    before = bench.names(ticket)
    bench.do(SetStatus(ticket, "new"), RemoveTags(ticket, ("refund",)), MarkSpam(ticket, False))
    assert bench.names(ticket) == before


def test_all_or_none(bench: Bench) -> None:
    ticket = bench.opened()
    counts = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM change)"
    before, detail = bench.rows(counts), bench.ticket(ticket)
    with pytest.raises(NotFound, match="no ticket #999"):
        bench.do(SetStatus(ticket, "pending"), AddTags(ticket, ("a",)), SetStatus(999, "open"))
    assert bench.rows(counts) == before
    assert bench.ticket(ticket) == detail


def test_the_first_words_on_a_tag_a_status_a_field_that_do_not_fit(bench: Bench) -> None:
    ticket = bench.opened()
    for action, words in (
        (SetStatus(ticket, "done"), "not one of new, open, pending, on hold"),
        (AddTags(ticket, ("two words",)), "cannot be a tag"),
        (SetField(ticket, "colour", "red"), "no field 'colour' to set"),
        (Note(ticket, "  \n"), "the note is empty"),
        (Snooze(ticket, bench.clock.now()), "already passed"),
        (Escalate(ticket, " "), "needs a reason"),
        (NewTicket("", "", "s", "t"), "needs somebody"),
    ):
        with pytest.raises(UsageError, match=words):
            bench.do(action)
    for action, words in (
        (Assign(ticket, assignee="zoe"), "there are: ana, ben"),
        (Assign(ticket, group="sales"), "there are: experts, support"),
        (Escalate(ticket, "bug", "L9"), "no group has the level 'L9'"),
    ):
        with pytest.raises(NotFound, match=words):
            bench.do(action)


@pytest.mark.parametrize("word", ["on hold", "On-Hold", "on_hold", " ON  HOLD "])
def test_a_status_is_taken_as_people_type_it(bench: Bench, word: str) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, word))
    assert bench.ticket(ticket).status == "on hold"


def test_owner_and_level_never_touch_a_clock(bench: Bench) -> None:
    ticket = bench.opened()
    before = bench.ticket(ticket).clocks
    bench.clock.advance(1800)
    bench.do(Assign(ticket, assignee="ben", group="experts"), SetField(ticket, "level", "L9"))
    bench.do(Escalate(ticket, "technical", "experts"))
    after = bench.ticket(ticket)
    assert after.clocks == before
    assert (after.assignee, after.group_name, after.level) == (None, "experts", "L2")


def test_notes_and_drafts_answer_nobody(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Note(ticket, "look at this"))
    bench.desk.save_draft("ana", ticket, "reply", "Dear", None)
    detail = bench.ticket(ticket)
    assert {clock.state for clock in detail.clocks} == {"running"}
    assert detail.waiting_since is not None


def test_an_escalation_goes_to_the_next_level_with_its_packet(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Assign(ticket, assignee="ana", group="support"))
    bench.do(Escalate(ticket, "technical", tried="restart", needed="log", promised="today"))
    detail = bench.ticket(ticket)
    assert detail.escalation is not None
    assert (detail.escalation.from_level, detail.escalation.to_level) == ("L1", "L2")
    assert (detail.escalation.tried, detail.escalation.promised) == ("restart", "today")
    assert (detail.assignee, detail.group_name) == (None, "experts")
    with pytest.raises(Refusal, match="already at L2, the highest"):
        bench.do(Escalate(ticket, "technical"))


def test_a_desk_without_groups_says_that_it_has_no_levels(
    tmp_path_factory: pytest.TempPathFactory, clock: ManualClock
) -> None:
    bare = Bench(tmp_path_factory.mktemp("bare"), clock, Settings())
    try:
        ticket = bare.opened()
        with pytest.raises(NotFound, match=r"no levels to escalate to: add \[\[group\]\]"):
            bare.do(Escalate(ticket, "technical"))
    finally:
        bare.close()


def test_on_a_desk_without_agents_whoever_works_may_take_tickets(
    tmp_path_factory: pytest.TempPathFactory, clock: ManualClock
) -> None:
    bare = Bench(tmp_path_factory.mktemp("bare"), clock, Settings())
    try:
        ticket = bare.opened()
        bare.do(Assign(ticket, assignee="me"), actor=Actor.agent("me"))
        assert bare.ticket(ticket).assignee == "me"
        with pytest.raises(NotFound, match="no agent 'zoe'"):
            bare.do(Assign(ticket, assignee="zoe"), actor=Actor.agent("me"))
    finally:
        bare.close()


def test_a_ticket_by_hand_finds_the_customer_again(bench: Bench) -> None:
    first = bench.do(NewTicket("Maria@Customer.Example", "Maria", "call", "she called"))[0]
    second = bench.do(NewTicket("maria@customer.example", "", "again", ""))[0]
    phone = bench.do(NewTicket("+49 30 1234", "", "ring", "", "Phone"))[0]
    assert first.ticket
    assert second.ticket
    assert phone.ticket
    one, other = bench.ticket(first.ticket), bench.ticket(second.ticket)
    assert one.customer == other.customer
    assert one.customer.name == "Maria"
    assert [identity.kind for identity in bench.ticket(phone.ticket).customer.identities] == [
        "phone"
    ]
    assert {clock.metric for clock in one.clocks} == {"first_response", "resolution"}
    assert bench.ticket(phone.ticket).channel == "phone"


def test_hostile_words_are_stored_visibly(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(
        SetField(ticket, "topic", "a\x1b[31m\nb"),
        Note(ticket, "x\x07y\u202ez"),
        SetField(ticket, "company", "\x9bevil"),
    )
    detail = bench.ticket(ticket)
    stored = detail.topic or "", detail.messages[-1].text, detail.customer.company
    assert not any(set(text) & set("\x1b\x07\x9b\u202e") for text in stored)
    assert "␛" in stored[0]


def test_drafts_survive_a_restart_and_an_empty_one_is_gone(bench: Bench) -> None:
    ticket = bench.opened()
    bench.desk.save_draft("ana", ticket, "reply", "Dear Maria", 7)
    bench.desk.save_draft("ben", ticket, "note", "mine", None)
    bench.store.close()
    again = Store.open(bench.store.path)
    desk = bench.another_desk(again)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert (draft.text, draft.answers) == ("Dear Maria", 7)
    desk.discard_draft("ana", ticket, "reply")
    assert bench.reads.draft("ana", ticket, "reply") is None
    assert bench.reads.draft("ben", ticket, "note") is not None
    with pytest.raises(NotFound, match="no ticket #99"):
        desk.save_draft("ana", 99, "reply", "x", None)
    again.close()


def test_a_row_that_somebody_else_has_changed_is_not_overwritten(bench: Bench) -> None:
    ticket = bench.opened()

    def overtaken() -> None:
        with bench.store.write(bench.clock.now()) as transaction:
            row = transaction.session.get(Ticket, ticket)
            assert row is not None
            row.topic = "billing"
            transaction.connection.exec_driver_sql("UPDATE ticket SET version = version + 1")

    with pytest.raises(Refusal, match="somebody else changed this ticket"):
        overtaken()
    assert bench.ticket(ticket).topic is None


def test_two_stores_on_one_file_wait_for_each_other_and_lose_nothing(bench: Bench) -> None:
    ticket = bench.opened()
    other = Store.open(bench.store.path)
    desk = bench.another_desk(other)
    bench.do(AddTags(ticket, ("one",)))
    desk.perform(AddTags(ticket, ("two",)), BEN, "key:y")
    bench.do(SetStatus(ticket, "open"))
    detail = bench.ticket(ticket)
    assert detail.tags == ("one", "two")
    assert [e.actor for e in detail.events if e.name == "ticket.tags"] == ["agent:ana", "agent:ben"]
    other.close()


def test_the_agents_of_the_file_are_mirrored_and_the_past_keeps_its_names(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Assign(ticket, assignee="ben"))
    bench.settings = Settings(agents=SETTINGS.agents[:1], groups=SETTINGS.groups)
    desk = bench.another_desk(bench.store)
    assert bench.reads.agents() == ["ana"]
    assert bench.ticket(ticket).assignee == "ben"
    with pytest.raises(NotFound, match="there are: ana"):
        desk.perform(Assign(ticket, assignee="ben"), ANA, "key:x")


def test_a_failing_commit_is_a_sentence_and_leaves_nothing(bench: Bench) -> None:
    ticket = bench.opened()
    size = bench.rows("PRAGMA page_count")[0][0]
    with bench.store.write(bench.clock.now()) as transaction:
        transaction.connection.exec_driver_sql(f"PRAGMA max_page_count = {size}")
    with pytest.raises(StoreError, match=r"the disk of .* is full: free some space"):
        bench.do(*(Note(ticket, "x" * 50_000) for _ in range(5)))
    assert bench.names(ticket) == ["ticket.created", "message.received"]
    with bench.store.write(bench.clock.now()) as transaction:
        transaction.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    bench.do(Note(ticket, "now there is room"))
    assert bench.ticket(ticket).messages[-1].text == "now there is room"
