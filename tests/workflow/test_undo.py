"""What was done can be taken back, as a whole, while nobody has built on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import (
    Action,
    AddTags,
    Assign,
    CancelSend,
    DiscardHeld,
    Escalate,
    MarkSpam,
    NewTicket,
    Note,
    RemoveTags,
    Reply,
    RetrySend,
    SetField,
    SetPriority,
    SetStatus,
    Snooze,
    Unsnooze,
)
from workflow.errors import Refusal
from workflow.model import Priority
from workflow.outbox import claim, mark_failed
from workflow.store.rows import TicketDetail
from workflow.store.store import Store
from workflow.undo import REVERTS


def facts(detail: TicketDetail) -> tuple[object, ...]:
    """Everything of a ticket that an undo must restore; clocks but for what was told."""
    return (
        detail.subject, detail.status, detail.priority, detail.priority_by, detail.group_name,
        detail.assignee, detail.level, detail.topic, detail.language, detail.tags,
        detail.snoozed_until, detail.snoozed_until_reply, detail.spam, detail.customer,
        detail.escalation, detail.waiting_since, detail.clocks,
    )  # fmt: skip


CHANGES: list[Callable[[Bench, int], list[Action]]] = [
    lambda b, t: [SetStatus(t, "on hold")],
    lambda b, t: [SetStatus(t, "resolved")],
    lambda b, t: [SetPriority(t, Priority.URGENT)],
    lambda b, t: [SetPriority(t, Priority.UNSET)],
    lambda b, t: [SetField(t, "topic", "billing"), SetField(t, "tier", "vip")],
    lambda b, t: [SetField(t, "subject", "another"), SetField(t, "company", "Acme")],
    lambda b, t: [Assign(t, assignee="ben", group="experts")],
    lambda b, t: [AddTags(t, ("one", "two")), RemoveTags(t, ("kept",))],
    lambda b, t: [Snooze(t, b.clock.now() + timedelta(hours=5, milliseconds=123))],
    lambda b, t: [Snooze(t, None), Unsnooze(t)],
    lambda b, t: [MarkSpam(t)],
    lambda b, t: [Escalate(t, "technical"), Escalate(t, "manager", "L2")],
    lambda b, t: [Reply(t, "Done.", to_status="resolved", undo_window_s=0)],
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_one_change_is_one_undo_and_one_redo(
    bench: Bench, change: Callable[[Bench, int], list[Action]]
) -> None:
    ticket = bench.opened()
    bench.do(AddTags(ticket, ("kept",)), actor=BEN)
    before = bench.ticket(ticket)
    events = len(before.events)
    bench.do(*change(bench, ticket))
    after = bench.ticket(ticket)
    bench.desk.undo(ANA)
    assert facts(bench.ticket(ticket)) == facts(before)
    assert len(bench.ticket(ticket).events) > events, "what was done and undone stays told"
    bench.desk.redo(ANA)
    assert facts(bench.ticket(ticket)) == facts(after)
    bench.desk.undo(ANA)
    assert facts(bench.ticket(ticket)) == facts(before)


def test_undo_works_after_a_restart_and_only_on_what_is_ones_own(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "pending"))
    bench.do(AddTags(ticket, ("ben",)), actor=BEN)
    bench.store.close()
    store = Store.open(bench.store.path)
    desk = bench.another_desk(store)
    assert desk.undo(ANA) == [f"undid status of #{ticket} to pending"]
    assert bench.ticket(ticket).status == "new"
    assert bench.ticket(ticket).tags == ("ben",)
    with pytest.raises(Refusal, match="nothing to undo"):
        desk.undo(ANA)
    store.close()


def test_several_undos_and_redos_walk_back_and_forth(bench: Bench) -> None:
    ticket = bench.opened()
    words = ["open", "pending", "on hold", "resolved"]
    for word in words:
        bench.do(SetStatus(ticket, word))
    assert bench.desk.undo(ANA, 3) == [
        f"undid status of #{ticket} to {word}" for word in ("resolved", "on hold", "pending")
    ]
    seen = []
    for _ in range(3):
        bench.desk.redo(ANA)
        seen.append(bench.ticket(ticket).status)
    assert seen == words[1:]
    with pytest.raises(Refusal, match="nothing to redo"):
        bench.desk.redo(ANA)
    bench.desk.undo(ANA, 4)
    assert bench.ticket(ticket).status == "new"


def test_redo_follows_an_undo_at_once(bench: Bench) -> None:
    ticket = bench.opened()
    with pytest.raises(Refusal, match="nothing to redo"):
        bench.desk.redo(ANA)
    bench.do(SetStatus(ticket, "pending"))
    bench.desk.undo(ANA)
    bench.do(AddTags(ticket, ("new",)))
    with pytest.raises(Refusal, match="nothing to redo"):
        bench.desk.redo(ANA)


def test_what_changed_nothing_is_not_what_undo_takes_back(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "pending"))
    bench.do(SetStatus(ticket, "pending"))
    bench.desk.undo(ANA)
    assert bench.ticket(ticket).status == "new"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (lambda b, t: SetStatus(t, "pending"), lambda b, t: SetStatus(t, "on hold")),
        (lambda b, t: SetPriority(t, 3), lambda b, t: SetPriority(t, 4)),
        (lambda b, t: SetField(t, "topic", "a"), lambda b, t: SetField(t, "topic", "b")),
        (lambda b, t: Assign(t, assignee="ana"), lambda b, t: Assign(t, assignee="ben")),
        (lambda b, t: Snooze(t, None), lambda b, t: Unsnooze(t)),
        (lambda b, t: MarkSpam(t), lambda b, t: MarkSpam(t, False)),
        (lambda b, t: Escalate(t, "bug"), lambda b, t: Assign(t, group="support")),
    ],
)
def test_undo_refuses_what_somebody_has_built_on(
    bench: Bench,
    mine: Callable[[Bench, int], Action],
    theirs: Callable[[Bench, int], Action],
) -> None:
    ticket = bench.opened()
    bench.do(mine(bench, ticket))
    bench.do(theirs(bench, ticket), actor=BEN)
    before = bench.ticket(ticket)
    with pytest.raises(Refusal, match="was changed again since"):
        bench.desk.undo(ANA)
    assert bench.ticket(ticket) == before


def test_what_was_undone_before_a_refusal_is_said(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "pending"))
    bench.do(SetPriority(ticket, 4))
    bench.do(SetStatus(ticket, "open"), actor=BEN)
    with pytest.raises(Refusal, match=r"undid priority of #1 to urgent; but the status of #1"):
        bench.desk.undo(ANA, 2)
    assert bench.ticket(ticket).priority == 2


def test_a_reply_that_is_taken_back_becomes_a_draft_and_leaves_the_queue_row(bench: Bench) -> None:
    ticket = bench.opened()
    row = bench.reads.rows([ticket])[0]
    bench.desk.save_draft("ana", ticket, "reply", "half a", None)
    bench.reply(ticket, "A whole answer.")
    assert bench.reads.draft("ana", ticket, "reply") is None
    assert bench.reads.rows([ticket])[0].last_line == "A whole answer."
    bench.desk.undo(ANA)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert draft.text == "A whole answer."
    back = bench.reads.rows([ticket])[0]
    assert (back.last_line, back.last_direction, back.message_count, back.status) == (
        row.last_line,
        "in",
        1,
        "new",
    )
    assert bench.send() == 0
    bench.desk.redo(ANA)
    assert bench.reads.draft("ana", ticket, "reply") is None
    assert bench.send() == 1


@pytest.mark.parametrize(
    ("cause", "typed"),
    [("macro:refund", False), ("key:ctrl+s", True), ("key:ctrl+s macro:refund", True)],
)
def test_only_what_somebody_typed_comes_back_as_a_draft(
    bench: Bench, cause: str, typed: bool
) -> None:
    ticket = bench.opened()
    bench.desk.perform(Reply(ticket, "A whole answer."), ANA, cause)
    for again in (False, True):
        if again:
            bench.desk.redo(ANA)
            assert bench.reads.draft("ana", ticket, "reply") is None
        bench.desk.undo(ANA)
        assert (bench.reads.draft("ana", ticket, "reply") is not None) is typed
        assert bench.ticket(ticket).messages[-1].delivery == "cancelled"


def test_a_draft_that_was_written_on_survives_the_redo(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket, "A whole answer.")
    bench.desk.undo(ANA)
    bench.desk.save_draft("ana", ticket, "reply", "A better answer.", None)
    bench.desk.redo(ANA)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert draft.text == "A better answer."


def test_a_mail_that_has_left_cannot_be_taken_back(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket)
    bench.send()
    with pytest.raises(Refusal, match="only what has not left can be taken back"):
        bench.desk.undo(ANA)


def test_cancelling_gives_the_text_back_and_undoing_that_sends_it_after_all(bench: Bench) -> None:
    ticket = bench.opened()
    item = bench.reply(ticket, "Answer", undo_window_s=60).outbox_id
    assert item
    bench.do(CancelSend(item))
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert draft.text == "Answer"
    bench.desk.undo(ANA)
    assert bench.reads.draft("ana", ticket, "reply") is None
    found = bench.reads.outbox_item(item)
    assert found is not None
    assert found.state == "held"


def test_undoing_a_retry_leaves_it_to_a_person_again(bench: Bench) -> None:
    ticket = bench.opened()
    item = bench.reply(ticket).outbox_id
    assert item
    claim(bench.desk, "engine", ["support"])
    mark_failed(bench.desk, item, "no such mailbox")
    bench.do(RetrySend(item))
    bench.desk.undo(ANA)
    found = bench.reads.outbox_item(item)
    assert found is not None
    assert (found.state, found.error) == ("failed", "no such mailbox")
    bench.desk.redo(ANA)
    assert bench.send() == 1


def test_a_note_is_struck_out_and_put_back(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Note(ticket, "for us"))
    bench.desk.undo(ANA)
    assert bench.ticket(ticket).messages[-1].delivery == "cancelled"
    assert bench.reads.rows([ticket])[0].message_count == 1
    bench.desk.redo(ANA)
    assert bench.ticket(ticket).messages[-1].delivery is None
    assert bench.reads.rows([ticket])[0].message_count == 2


def test_a_ticket_that_was_opened_stays_with_a_sentence(bench: Bench) -> None:
    bench.do(NewTicket("maria@customer.example", "", "call", "hello"))
    with pytest.raises(Refusal, match="was opened and stays: mark it as spam"):
        bench.desk.undo(ANA)


def test_a_held_item_that_was_released_meanwhile_stays_released(bench: Bench) -> None:
    held = bench.take(bench.mail(held_cause="too large"))[0].held
    assert held
    bench.do(DiscardHeld(held))
    bench.desk.undo(ANA)
    assert [row.state for row in bench.reads.held(None)] == ["held"]
    bench.desk.redo(ANA)
    assert [row.state for row in bench.reads.held(None)] == ["discarded"]
    with bench.store.write(bench.clock.now()) as transaction:
        transaction.connection.exec_driver_sql("UPDATE held SET state = 'released'")
    with pytest.raises(Refusal, match=f"held item {held} is released by now"):
        bench.desk.undo(ANA)


def test_every_event_of_an_action_has_a_way_back_or_a_sentence(bench: Bench) -> None:
    ticket = bench.opened()
    held = bench.take(bench.mail(held_cause="x"))[0].held
    assert held
    for change in CHANGES:
        bench.do(*change(bench, ticket))
        bench.desk.undo(ANA)
        bench.desk.redo(ANA)
        bench.desk.undo(ANA)
    item = bench.reply(ticket).outbox_id
    assert item
    bench.do(Note(ticket, "n"), DiscardHeld(held), CancelSend(item))
    bench.do(NewTicket("a@b.example", "", "s", "t"))
    written = {n for (n,) in bench.rows("SELECT DISTINCT name FROM event WHERE change_id NOT NULL")}
    assert written <= set(REVERTS)
