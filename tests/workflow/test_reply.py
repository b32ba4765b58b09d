"""Answers: to whom they go, what they wait for, when they count."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workflow.bench import ANA, Bench
from workflow.actions import NewTicket, Reply
from workflow.clock import ManualClock
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party
from workflow.settings import Settings
from workflow.tokens import make_token

MARIA = "maria@customer.example"


def addressed(bench: Bench, ticket: int, **changes: object) -> tuple[list[str], list[str]]:
    outcome = bench.reply(ticket, **changes)
    message = bench.reads.message(outcome.message_id or 0)
    assert message is not None
    return [a for _n, a in message.to], [a for _n, a in message.cc]


def test_the_answer_goes_to_reply_to_else_from(bench: Bench) -> None:
    assert addressed(bench, bench.opened()) == ([MARIA], [])
    ticket = bench.opened(reply_to=(Party("", "office@customer.example"),))
    assert addressed(bench, ticket) == (["office@customer.example"], [])


def test_to_all_leaves_our_own_addresses_and_aliases_out(bench: Bench) -> None:
    people = ("Support@Desk.example", "help@desk.example", "ana@desk.example", "bob@x.example")
    ticket = bench.opened(
        to=tuple(Party("", each) for each in people),
        cc=(Party("", MARIA.upper()), Party("", "eve@x.example"), Party("", "BOB@x.example")),
    )
    assert addressed(bench, ticket) == ([MARIA], [])
    assert addressed(bench, ticket, reply_all=True) == ([MARIA], ["bob@x.example", "eve@x.example"])


def test_never_to_the_desk_itself(bench: Bench) -> None:
    ours = (Party("", "Help@desk.example"), Party("", "support+billing@desk.example"))
    assert addressed(bench, bench.opened(reply_to=ours)) == ([MARIA], [])
    ticket = bench.opened(sender="help+web@desk.example", reply_to=ours)
    with pytest.raises(Refusal, match="no address to answer: give the recipient yourself"):
        bench.reply(ticket)
    assert addressed(bench, ticket, to=("other@x.example",)) == (["other@x.example"], [])


def test_what_a_person_edited_replaces_what_was_proposed(bench: Bench) -> None:
    ticket = bench.opened(cc=(Party("", "bob@x.example"),))
    edited = addressed(bench, ticket, to=("a@x.example",), cc=("b@x.example",), reply_all=True)
    assert edited == (["a@x.example"], ["b@x.example"])
    item = bench.reads.outbox_of(ticket)[-1]
    assert item.recipients == ("a@x.example", "b@x.example")
    for wrong in ("nobody", "a@x.example, b@x.example", "<a@x.example>", "@x.example"):
        with pytest.raises(UsageError, match="is not an address"):
            bench.reply(ticket, to=(wrong,))


def test_the_newest_message_of_a_person_is_answered(bench: Bench) -> None:
    ticket = bench.opened()
    bench.follow_up(ticket, sender="second@customer.example")
    bench.follow_up(ticket, sender="robot@customer.example", automatic=True)
    assert addressed(bench, ticket)[0] == ["second@customer.example"]


def test_what_was_taken_back_is_not_what_is_answered(bench: Bench) -> None:
    own = {"own": True, "sender": "support@desk.example", "to": (Party("", MARIA),)}
    ticket = bench.take(bench.mail(**own))[0].ticket or 0
    bench.reply(ticket, to=("wrong@x.example",))
    bench.desk.undo(ANA)
    assert addressed(bench, ticket)[0] == [MARIA]


def test_a_phone_call_needs_an_address(bench: Bench) -> None:
    ticket = bench.do(NewTicket("+49 30 1234", "", "call", "hello"))[0].ticket or 0
    with pytest.raises(Refusal, match="no address to answer"):
        bench.reply(ticket)


def test_a_reply_waits_for_its_window_its_time_or_nothing(bench: Bench) -> None:
    ticket, now = bench.opened(), bench.clock.now()
    for changes, state, wait in (
        ({"undo_window_s": None}, "held", 15),
        ({"undo_window_s": 0}, "queued", 0),
        ({"undo_window_s": 90}, "held", 90),
        ({"send_at": now + timedelta(hours=1)}, "scheduled", 3600),
    ):
        number = bench.reply(ticket, **changes).outbox_id or 0
        item = bench.reads.outbox_item(number)
        assert item is not None
        assert (item.state, item.due_at) == (state, now + timedelta(seconds=wait))
    with pytest.raises(UsageError, match="already passed"):
        bench.reply(ticket, send_at=now)


def test_only_what_was_sent_stops_a_clock(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket, undo_window_s=60)
    assert bench.ticket(ticket).clocks[0].state == "running"
    assert bench.send() == 0
    bench.clock.advance(60)
    assert bench.ticket(ticket).waiting_since is not None
    assert bench.send() == 1
    detail = bench.ticket(ticket)
    assert (detail.clocks[0].metric, detail.clocks[0].state) == ("first_response", "met")
    assert detail.waiting_since is None
    assert detail.messages[-1].delivery == "sent"


def test_a_reply_that_resolves_meets_the_first_response_when_it_leaves(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket, to_status="Resolved", undo_window_s=60)
    states = {clock.metric: clock.state for clock in bench.ticket(ticket).clocks}
    assert states == {"first_response": "running", "resolution": "met"}
    bench.clock.advance(60)
    bench.send()
    states = {clock.metric: clock.state for clock in bench.ticket(ticket).clocks}
    assert states == {"first_response": "met", "resolution": "met"}


def test_the_answer_carries_the_thread_and_the_token(bench: Bench) -> None:
    ticket = bench.opened(message_id="<m@x>", references=("<a@x>",), subject="RE: Invoice")
    outcome = bench.reply(ticket)
    message = bench.reads.message(outcome.message_id or 0)
    assert message is not None
    assert message.subject == "RE: Invoice"
    assert (message.in_reply_to, message.reference_ids) == ("<m@x>", ("<a@x>", "<m@x>"))
    assert message.message_id is not None
    assert message.message_id.startswith(f"<{make_token(bench.desk.secret, ticket)}.")
    raw = bench.files.read(message.raw_sha256 or "")
    assert b"Subject: RE: Invoice" in raw


def test_the_customer_who_wrote_meanwhile_is_not_talked_past(bench: Bench) -> None:
    ticket = bench.opened()
    seen = bench.ticket(ticket).messages[-1].id
    bench.follow_up(ticket)
    with pytest.raises(Refusal, match="wrote again since you began"):
        bench.reply(ticket, expect_last=seen)
    assert bench.reads.outbox() == []


def test_an_empty_reply_and_a_foreign_message_are_refused(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened()
    with pytest.raises(UsageError, match="the reply is empty"):
        bench.reply(ticket, " \n")
    foreign = bench.ticket(other).messages[0].id
    with pytest.raises(UsageError, match="is not on ticket #1"):
        bench.reply(ticket, answers=foreign)


def test_a_desk_without_an_account_says_what_is_missing(
    tmp_path_factory: pytest.TempPathFactory, clock: ManualClock
) -> None:
    bare = Bench(tmp_path_factory.mktemp("bare"), clock, Settings())
    ticket = bare.opened()
    with pytest.raises(Refusal, match=r"no account to send from: add a \[\[channel\]\]"):
        bare.do(Reply(ticket, "hello"))
    bare.close()
