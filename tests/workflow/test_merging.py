"""Tickets about one matter become one, and come apart again with everything that is theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import (
    Accept,
    AddTags,
    Assign,
    Escalate,
    HandBack,
    Link,
    MarkSpam,
    Merge,
    Note,
    Reply,
    SetField,
    SetStatus,
    Snooze,
    Split,
    Unlink,
    Unmerge,
)
from workflow.errors import Refusal
from workflow.outbox import claim, mark_failed, mark_past_the_dot, mark_sent
from workflow.query.grammar import parse
from workflow.query.sql import Context, compile_sql
from workflow.store.rows import TicketDetail
from workflow.store.search import search
from workflow.tokens import make_token


def texts(bench: Bench, ticket: int) -> list[str]:
    return [message.text for message in bench.ticket(ticket).messages]


def clocks(bench: Bench, ticket: int) -> dict[str, tuple[object, ...]]:
    return {
        c.metric: (c.state, c.started_at, c.due_at, c.target_s) for c in bench.ticket(ticket).clocks
    }


def facts(detail: TicketDetail) -> tuple[object, ...]:
    """Everything of a ticket that an unmerge must give back; clocks but for the time between."""
    return (
        detail.status, detail.group_name, detail.assignee, detail.level, detail.topic,
        detail.tags, detail.snoozed_until, detail.snoozed_until_reply, detail.escalation,
        detail.messages, detail.waiting_since, detail.merged_into, detail.links,
    )  # fmt: skip


def listed(bench: Bench, query: str = "") -> list[int]:
    compiled = compile_sql(parse(query), Context("ana", bench.clock.now()))
    return list(bench.reads.ids(compiled, "age"))


def test_the_kept_ticket_has_all_messages_and_the_other_leads_to_it(bench: Bench) -> None:
    keep, other = bench.opened(text="one"), bench.opened(text="two")
    bench.do(Note(other, "a note"))
    outcome = bench.do(Merge(other, keep))[0]
    assert outcome.summary == f"merged #{other} into #{keep}"
    assert texts(bench, keep) == ["one", "two", "a note"]
    assert [m.home for m in bench.ticket(keep).messages] == [None, other, other]
    merged = bench.ticket(other)
    assert (merged.merged_into, merged.messages) == (keep, ())
    assert [(link.ticket, link.kind) for link in bench.ticket(keep).links] == [(other, "merged")]
    assert listed(bench) == [keep]
    assert listed(bench, "is:merged") == [other]
    assert bench.rows("SELECT message_count FROM ticket ORDER BY id") == [(3,), (0,)]


def test_unmerge_brings_back_exactly_what_was(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.do(SetStatus(keep, "pending"), Assign(other, "ben"), AddTags(other, ("refund", "x")))
    bench.do(AddTags(keep, ("x",)), SetField(other, "topic", "billing"), Snooze(keep, None))
    bench.reply(other, "an answer")
    bench.send()
    bench.follow_up(other)
    before = facts(bench.ticket(keep)), facts(bench.ticket(other))
    stood = clocks(bench, keep), clocks(bench, other)
    bench.do(Merge(other, keep))
    during = bench.ticket(keep)
    assert (during.status, during.assignee, during.topic) == ("open", "ben", "billing")
    assert (during.tags, during.snoozed_until_reply) == (("refund", "x"), False)
    bench.do(Unmerge(other))
    assert (facts(bench.ticket(keep)), facts(bench.ticket(other))) == before
    assert (clocks(bench, keep), clocks(bench, other)) == stood


@pytest.mark.parametrize("later", [0, 3600])
def test_undo_and_redo_of_a_merge(bench: Bench, later: int) -> None:
    keep, other = bench.opened(), bench.opened()
    before = facts(bench.ticket(keep)), facts(bench.ticket(other))
    bench.do(Merge(other, keep))
    merged = texts(bench, keep)
    bench.clock.advance(later)
    assert bench.desk.undo(ANA) == [f"undid merged #{other} into #{keep}"]
    assert (facts(bench.ticket(keep)), facts(bench.ticket(other))) == before
    bench.desk.redo(ANA)
    assert texts(bench, keep) == merged
    assert bench.ticket(other).messages == ()
    bench.desk.undo(ANA)
    assert (facts(bench.ticket(keep)), facts(bench.ticket(other))) == before


def test_several_at_once_are_one_change(bench: Bench) -> None:
    keep, *others = (bench.opened() for _ in range(4))
    bench.do(*(Merge(other, keep) for other in others))
    assert len(bench.ticket(keep).messages) == 4
    bench.desk.undo(ANA)
    assert [len(bench.ticket(number).messages) for number in (keep, *others)] == [1, 1, 1, 1]


def test_what_cannot_be_merged_says_why(bench: Bench) -> None:
    one, two, three = bench.opened(), bench.opened(), bench.opened()
    with pytest.raises(Refusal, match="into itself"):
        bench.do(Merge(one, one))
    bench.do(Merge(one, two))
    with pytest.raises(Refusal, match=f"already merged into #{two}: deskhand unmerge {one}"):
        bench.do(Merge(one, three))
    with pytest.raises(Refusal, match="the two are one ticket"):
        bench.do(Merge(two, one))
    with pytest.raises(
        Refusal, match=f"not merged into another ticket: into it were merged #{one}"
    ):
        bench.do(Unmerge(two))
    bench.do(MarkSpam(three))
    with pytest.raises(Refusal, match=f"#{three} is spam"):
        bench.do(Merge(three, two))
    with pytest.raises(Refusal, match=f"#{one} is merged into #{two}: change that one"):
        bench.do(SetStatus(one, "resolved"))


def test_a_reply_to_a_merged_ticket_lands_in_the_kept_one_through_chains(bench: Bench) -> None:
    one, two, three = bench.opened(), bench.opened(), bench.opened()
    first = bench.ticket(one).messages[0].message_id
    bench.do(Merge(one, two))
    bench.do(Merge(two, three))
    received = bench.take(bench.mail(in_reply_to=(first,), text="late"))[0]
    assert (received.ticket, received.matched_by) == (three, "in-reply-to")
    token = make_token(bench.desk.secret, one)
    again = bench.take(bench.mail(reply_tokens=(token,), text="by token"))[0]
    assert (again.ticket, again.matched_by) == (three, "reply-token")
    bench.do(Unmerge(two))
    assert texts(bench, two)[-2:] == ["late", "by token"]
    assert len(texts(bench, three)) == 1
    bench.do(Unmerge(one))
    assert texts(bench, one)[-2:] == ["late", "by token"]
    assert len(texts(bench, two)) == 1


def test_taking_out_the_lower_of_a_chain_first(bench: Bench) -> None:
    one, two, three = bench.opened(text="1"), bench.opened(text="2"), bench.opened(text="3")
    bench.do(Merge(one, two))
    bench.do(Merge(two, three))
    bench.do(Unmerge(one))
    assert (texts(bench, one), texts(bench, two), texts(bench, three)) == (["1"], [], ["2", "3"])
    bench.do(Unmerge(two))
    assert (texts(bench, one), texts(bench, two), texts(bench, three)) == (["1"], ["2"], ["3"])


def test_an_answer_belongs_with_what_it_answers(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    asked = bench.ticket(other).messages[0].id
    bench.do(Merge(other, keep))
    bench.reply(keep, "for the other", answers=asked)
    bench.send()
    sent = bench.ticket(keep).messages[-1]
    back = bench.take(bench.mail(in_reply_to=(sent.message_id,), text="thanks"))[0]
    assert back.ticket == keep
    bench.do(Unmerge(other))
    assert texts(bench, other)[1:] == ["for the other", "thanks"]
    # What came while it was merged is its customer's word all the same.
    assert bench.ticket(other).status == "open"


# -- clocks


def test_a_merged_ticket_has_no_running_clock_and_time_is_never_given_back(bench: Bench) -> None:
    old = bench.opened()
    bench.clock.advance(7 * 3600)
    fresh = bench.opened()
    started = bench.ticket(old).clocks[0].started_at
    bench.do(Merge(old, fresh))
    assert {c.state for c in bench.ticket(old).clocks} == {"stopped"}
    now = {c.metric: c for c in bench.ticket(fresh).clocks}
    assert (now["first_response"].state, now["first_response"].started_at) == ("running", started)
    assert now["resolution"].started_at == started
    assert bench.ticket(fresh).waiting_since == started
    bench.do(Unmerge(old))
    assert bench.ticket(fresh).waiting_since == bench.clock.now()


def test_what_nobody_has_answered_stays_owed(bench: Bench) -> None:
    asked = bench.opened()
    bench.clock.advance(600)
    answered = bench.opened()
    bench.clock.advance(600)
    bench.reply(answered)
    bench.send()
    bench.do(Merge(asked, answered))
    clock = next(c for c in bench.ticket(answered).clocks if c.metric == "next_response")
    assert (clock.state, clock.started_at) == ("running", bench.ticket(asked).created_at)
    bench.reply(answered)
    bench.send()
    assert bench.ticket(answered).waiting_since is None


def test_a_resolved_ticket_is_not_done_with_what_is_merged_into_it(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.do(SetStatus(keep, "closed"))
    bench.clock.advance(60)
    bench.do(Merge(other, keep))
    assert bench.ticket(keep).status == "open"
    assert clocks(bench, keep)["first_response"][0] == "running"
    bench.desk.undo(ANA)
    assert bench.ticket(keep).status == "closed"
    assert bench.rows("SELECT resolved_at IS NOT NULL FROM ticket WHERE id = ?", keep) == [(1,)]


def test_a_reply_on_its_way_stops_the_clock_of_where_it_is_by_then(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.reply(other, "on its way")
    item = claim(bench.desk, "engine", ["support"])[0]
    bench.do(Merge(other, keep))
    assert mark_past_the_dot(bench.desk, item.id, "engine")
    mark_sent(bench.desk, item.id, "250 ok")
    detail = bench.ticket(keep)
    assert [m.delivery for m in detail.messages] == [None, None, "sent"]
    assert detail.waiting_since is None
    assert bench.reads.outbox_of(keep)[0].state == "sent"
    bench.do(Unmerge(other))
    assert clocks(bench, other)["first_response"][0] == "met"
    assert clocks(bench, keep)["first_response"][0] == "running"


def test_a_reply_can_be_taken_back_after_the_merge(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.reply(other, "not yet", undo_window_s=60)
    bench.do(Merge(other, keep), actor=BEN)
    bench.desk.undo(ANA)
    draft = bench.reads.draft("ana", keep, "reply")
    assert draft is not None
    assert draft.text == "not yet"


def test_a_failed_reply_of_a_merged_ticket_is_seen_on_the_kept_one(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.reply(other)
    item = claim(bench.desk, "engine", ["support"])[0]
    mark_failed(bench.desk, item.id, "550 no such user")
    bench.do(Merge(other, keep))
    assert [row.state for row in bench.reads.outbox_of(keep)] == ["failed"]
    assert bench.reads.outbox_of(other) == []


# -- drafts


def test_a_draft_goes_along_and_comes_back(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.desk.save_draft("ana", other, "reply", "half a sen", None)
    bench.do(Merge(other, keep))
    draft = bench.reads.draft("ana", keep, "reply")
    assert draft is not None
    assert draft.text == "half a sen"
    # A composer that was open on the merged ticket goes on saving.
    bench.desk.save_draft("ana", other, "reply", "half a sentence", None)
    draft = bench.reads.draft("ana", keep, "reply")
    assert draft is not None
    assert draft.text == "half a sentence"
    bench.do(Unmerge(other))
    assert bench.reads.draft("ana", keep, "reply") is None
    assert bench.reads.draft("ana", other, "reply") is not None


def test_two_drafts_of_one_agent_both_stay(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.desk.save_draft("ana", keep, "reply", "mine", None)
    bench.desk.save_draft("ana", other, "reply", "the other one", None)
    bench.desk.save_draft("ben", other, "note", "ben's", None)
    bench.do(Merge(other, keep))
    assert [bench.reads.draft("ana", n, "reply").text for n in (keep, other)] == [  # type: ignore[union-attr]
        "mine",
        "the other one",
    ]
    assert bench.reads.draft("ben", keep, "note") is not None
    # It comes up when the first one is sent.
    bench.reply(keep, "mine")
    waiting = bench.reads.draft("ana", keep, "reply")
    assert waiting is not None
    assert waiting.text == "the other one"
    bench.desk.discard_draft("ana", keep, "reply")
    assert bench.rows("SELECT agent FROM draft") == [("ben",)]


def test_a_reply_written_on_the_merged_ticket_goes_out_from_the_kept_one(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    asked = bench.ticket(other).messages[0].id
    bench.do(Merge(other, keep))
    outcome = bench.do(Reply(other, "here", answers=asked, undo_window_s=0))[0]
    assert outcome.ticket == keep
    assert texts(bench, keep)[-1] == "here"
    bench.do(Note(other, "noted"))
    assert texts(bench, keep)[-1] == "noted"


# -- escalations


def test_an_open_escalation_goes_on_with_the_kept_ticket(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.do(Assign(keep, "ana", "support"))
    bench.do(Escalate(other, "technical", tried="turned it off"))
    before = facts(bench.ticket(keep)), facts(bench.ticket(other))
    bench.do(Merge(other, keep))
    detail = bench.ticket(keep)
    assert detail.escalation is not None
    assert (detail.escalation.tried, detail.group_name) == ("turned it off", "experts")
    assert listed(bench, "is:escalated") == [keep]
    bench.do(Unmerge(other))
    assert (facts(bench.ticket(keep)), facts(bench.ticket(other))) == before
    bench.do(Merge(other, keep))
    bench.do(Accept(keep), actor=BEN)
    bench.do(HandBack(keep), actor=BEN)
    assert (bench.ticket(keep).group_name, bench.ticket(keep).assignee) == ("support", "ana")
    bench.do(Unmerge(other))
    assert bench.ticket(other).escalation is None


# -- search and history


def test_search_finds_the_message_where_it_is(bench: Bench) -> None:
    keep, other = bench.opened(text="apples"), bench.opened(text="quinces")
    bench.do(Merge(other, keep))
    context = Context("ana", bench.clock.now())
    assert [hit.ticket for hit in search(bench.reads, "quinces", context, 10).hits] == [keep]
    assert listed(bench, "quinces") == [keep]
    bench.do(Unmerge(other))
    assert listed(bench, "quinces") == [other]
    history = bench.reads.history(bench.ticket(keep).customer.id, keep)
    assert [row.outcome for row in history if row.id == other] != []


def test_a_note_made_before_the_merge_can_be_taken_back_after_it(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.do(Note(other, "never mind"))
    bench.do(Merge(other, keep), actor=BEN)
    bench.desk.undo(ANA)
    assert bench.ticket(keep).messages[-1].delivery == "cancelled"
    assert bench.rows("SELECT message_count FROM ticket WHERE id = ?", keep) == [(2,)]


def test_undo_of_the_merge_after_somebody_worked_on_the_kept_ticket(bench: Bench) -> None:
    keep, other = bench.opened(), bench.opened()
    bench.do(SetStatus(keep, "pending"))
    bench.do(Merge(other, keep))
    bench.do(SetStatus(keep, "resolved"), actor=BEN)
    bench.desk.undo(ANA)
    assert bench.ticket(keep).status == "resolved"
    assert len(bench.ticket(other).messages) == 1


# -- links


def test_links_stand_on_both_tickets_and_go_again(bench: Bench) -> None:
    one, two = bench.opened(), bench.opened()
    bench.do(Link(one, two))
    assert [(k.ticket, k.kind) for k in bench.ticket(two).links] == [(one, "related")]
    with pytest.raises(Refusal, match="linked already"):
        bench.do(Link(two, one))
    bench.do(Unlink(two, one))
    assert bench.ticket(one).links == ()
    with pytest.raises(Refusal, match="not linked"):
        bench.do(Unlink(two, one))
    bench.desk.undo(ANA)
    assert [(k.ticket, k.kind) for k in bench.ticket(one).links] == [(two, "related")]
    bench.desk.undo(ANA)
    assert bench.ticket(one).links == ()


# -- splitting


def test_split_from_here_undoes_a_wrong_join(bench: Bench) -> None:
    ticket = bench.opened(text="one")
    bench.do(Assign(ticket, "ana"), SetStatus(ticket, "resolved"))
    bench.clock.advance(3600)
    before = clocks(bench, ticket)
    wrong = bench.follow_up(ticket, text="two", sender="otto@elsewhere.example").message
    bench.clock.advance(60)
    bench.follow_up(ticket, text="three", sender="otto@elsewhere.example")
    assert bench.ticket(ticket).status == "open"
    outcome = bench.do(Split(ticket, wrong or 0))[0]
    fresh = bench.ticket(outcome.ticket or 0)
    assert [m.text for m in fresh.messages] == ["two", "three"]
    assert fresh.customer.identities[0].value == "otto@elsewhere.example"
    assert (fresh.status, fresh.assignee) == ("new", "ana")
    assert [(k.ticket, k.kind) for k in fresh.links] == [(ticket, "split from")]
    # Its first response counts from that message.
    first = next(c for c in fresh.clocks if c.metric == "first_response")
    assert (first.state, first.started_at) == ("running", fresh.messages[0].at)
    # And the old one is as if it had never been joined.
    assert (texts(bench, ticket), bench.ticket(ticket).status) == (["one"], "resolved")
    assert clocks(bench, ticket) == before


def test_one_message_alone_can_be_split_off(bench: Bench) -> None:
    ticket = bench.opened(text="one")
    second = bench.follow_up(ticket, text="two").message
    bench.follow_up(ticket, text="three")
    outcome = bench.do(Split(ticket, second or 0, only=True))[0]
    assert texts(bench, ticket) == ["one", "three"]
    assert texts(bench, outcome.ticket or 0) == ["two"]


def test_undo_of_a_split_brings_everything_back(bench: Bench) -> None:
    ticket = bench.opened(text="one")
    second = bench.follow_up(ticket, text="two").message or 0
    before = facts(bench.ticket(ticket))
    stood = clocks(bench, ticket)
    fresh = bench.do(Split(ticket, second))[0].ticket or 0
    bench.desk.undo(ANA)
    assert [link.kind for link in bench.ticket(ticket).links] == ["merged"]
    assert facts(replace(bench.ticket(ticket), links=())) == before
    assert clocks(bench, ticket) == stood
    assert bench.ticket(fresh).merged_into == ticket
    with pytest.raises(Refusal, match=f"nothing of #{fresh} is left to take out"):
        bench.do(Unmerge(fresh))
    bench.desk.redo(ANA)
    assert (texts(bench, ticket), texts(bench, fresh)) == (["one"], ["two"])
    assert bench.ticket(fresh).merged_into is None
    assert [link.kind for link in bench.ticket(fresh).links] == ["split from"]


def test_undo_of_a_split_keeps_what_came_for_the_new_ticket(bench: Bench) -> None:
    ticket = bench.opened(text="one")
    second = bench.follow_up(ticket, text="two").message or 0
    fresh = bench.do(Split(ticket, second))[0].ticket or 0
    bench.follow_up(fresh, text="three")
    bench.desk.undo(ANA)
    assert texts(bench, ticket) == ["one", "two", "three"]


def test_what_cannot_be_split_says_why(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened()
    first = bench.ticket(ticket).messages[0].id
    with pytest.raises(Refusal, match="nothing would be left"):
        bench.do(Split(ticket, first))
    with pytest.raises(Exception, match=f"message 99 is not on #{other}"):
        bench.do(Split(other, 99))
    note = bench.do(Note(ticket, "ours"))[0].message_id or 0
    with pytest.raises(Refusal, match="a note alone"):
        bench.do(Split(ticket, note))


def test_splitting_a_message_that_came_by_a_merge(bench: Bench) -> None:
    keep, other = bench.opened(text="1"), bench.opened(text="2")
    third = bench.follow_up(other, text="3").message or 0
    bench.do(Merge(other, keep))
    fresh = bench.do(Split(keep, third))[0].ticket or 0
    bench.do(Unmerge(other))
    assert [texts(bench, n) for n in (keep, other, fresh)] == [["1"], ["2"], ["3"]]
    assert clocks(bench, fresh)["first_response"][0] == "running"


def test_a_reply_to_a_message_that_was_split_off_goes_where_it_is(bench: Bench) -> None:
    ticket = bench.opened(text="one")
    second = bench.follow_up(ticket, text="two", sender="otto@elsewhere.example").message or 0
    bench.reply(ticket, "to otto", answers=second)
    bench.send()
    sent = bench.ticket(ticket).messages[-1]
    fresh = bench.do(Split(ticket, second))[0].ticket
    token = make_token(bench.desk.secret, ticket)
    assert sent.message_id is not None
    assert token in sent.message_id
    received = bench.take(
        bench.mail(
            in_reply_to=(sent.message_id,), reply_tokens=(token,), sender="otto@elsewhere.example"
        )
    )[0]
    assert (received.ticket, received.matched_by) == (fresh, "reply-token")


def test_a_draft_goes_with_the_message_it_answers(bench: Bench) -> None:
    ticket = bench.opened()
    second = bench.follow_up(ticket, text="two").message or 0
    bench.desk.save_draft("ana", ticket, "reply", "dear otto", second)
    fresh = bench.do(Split(ticket, second))[0].ticket or 0
    assert bench.reads.draft("ana", ticket, "reply") is None
    assert bench.reads.draft("ana", fresh, "reply") is not None
