"""Forwards: to nobody but those who are named, and nothing of them reaches the customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.event_words import event_words
from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import Forward, Note, Reply
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party

MARIA, SUPPLIER = "maria@customer.example", "parts@supplier.example"


def forwarded(bench: Bench, ticket: int, **changes: object) -> int:
    action = Forward(ticket, (SUPPLIER,), "Can you help?", undo_window_s=0, **changes)  # type: ignore[arg-type]
    return bench.do(action)[0].message_id or 0


def answer_of(bench: Bench, message: int, **changes: object) -> int:
    """The supplier writes back."""
    ours = bench.reads.message(message)
    assert ours is not None
    bench.send()
    item = bench.mail(in_reply_to=(ours.message_id,), **{"sender": SUPPLIER, **changes})
    found = bench.take(item)[0]
    assert found.message is not None
    return found.message


def test_a_whole_conversation_goes_to_those_who_are_named(bench: Bench) -> None:
    ticket = bench.opened(subject="Broken pump", cc=(Party("", "bob@x.example"),))
    bench.do(Note(ticket, "a secret of the team"))
    bench.reply(ticket, "We look at it.", bcc=("hidden@x.example",))
    bench.send()
    bench.reply(ticket, "never left", undo_window_s=900)
    message = bench.reads.message(forwarded(bench, ticket))
    assert message is not None
    assert (message.subject, message.to, message.cc) == ("Fwd: Broken pump", (("", SUPPLIER),), ())
    assert bench.reads.outbox_of(ticket)[-1].recipients == (SUPPLIER,)
    assert message.text == "Can you help?"
    raw = bench.files.read(message.raw_sha256 or "").decode()
    for words in (
        "Can you help?",
        "From: maria@customer.example",
        "text of mail1",
        "We look at it.",
    ):
        assert words in raw
        assert words in message.full_text
    for words in ("secret", "never left", "hidden@", "In-Reply-To", "References"):
        assert words not in raw
    assert message.aside
    assert len(message.forwards) == 2


def test_one_message_alone(bench: Bench) -> None:
    ticket = bench.opened(subject="Broken pump", text="the first")
    bench.follow_up(ticket, subject="Fwd: Other", text="the second")
    second = bench.ticket(ticket).messages[-1].id
    message = bench.reads.message(forwarded(bench, ticket, message=second, subject=None))
    assert message is not None
    assert (message.subject, message.forwards) == ("Fwd: Other", (second,))
    assert "the second" in message.full_text
    assert "the first" not in message.full_text


def test_what_cannot_be_forwarded(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened()
    note = bench.do(Note(ticket, "for us"))[0].message_id
    with pytest.raises(Refusal, match="is a note, which only the team knows"):
        forwarded(bench, ticket, message=note)
    foreign = bench.ticket(other).messages[0].id
    with pytest.raises(UsageError, match="is not on ticket"):
        forwarded(bench, ticket, message=foreign)
    with pytest.raises(UsageError, match="goes to nobody by itself"):
        bench.do(Forward(ticket, ()))
    with pytest.raises(UsageError, match="is not an address"):
        bench.do(Forward(ticket, ("supplier",)))
    assert bench.reads.outbox() == []


def test_no_clock_of_the_customer_stops(bench: Bench) -> None:
    ticket = bench.opened()
    message = forwarded(bench, ticket)
    bench.send()
    detail = bench.ticket(ticket)
    told = [event_words(event) for event in detail.events]
    assert "the desk: sent, aside from the customer" in told
    assert detail.clocks[0].state == "running"
    assert detail.waiting_since is not None
    assert detail.status == "open"
    bench.do(Reply(ticket, "Hello", undo_window_s=0))
    bench.send()
    assert bench.ticket(ticket).waiting_since is None
    # Nor does what comes back start one.
    answer_of(bench, message)
    detail = bench.ticket(ticket)
    assert detail.waiting_since is None
    assert {clock.metric for clock in detail.clocks} == {"first_response", "resolution"}


def test_what_comes_back_is_not_the_customers_and_not_answered_by_itself(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Reply(ticket, "Wait", undo_window_s=0, to_status="on hold"))
    theirs = answer_of(bench, forwarded(bench, ticket))
    detail = bench.ticket(ticket)
    assert detail.messages[-1].id == theirs
    assert detail.messages[-1].aside
    assert detail.status == "open"
    plain = bench.reads.message(bench.reply(ticket, reply_all=True).message_id or 0)
    assert plain is not None
    assert [a for _n, a in plain.to] == [MARIA]
    assert SUPPLIER not in bench.files.read(plain.raw_sha256 or "").decode()
    chosen = bench.reads.message(bench.reply(ticket, answers=theirs).message_id or 0)
    assert chosen is not None
    assert ([a for _n, a in chosen.to], chosen.aside) == ([SUPPLIER], True)
    again = answer_of(bench, chosen.id)
    assert bench.ticket(ticket).messages[-1].id == again
    assert bench.ticket(ticket).messages[-1].aside


def test_a_word_of_the_customer_stays_theirs(bench: Bench) -> None:
    """Also where somebody let them answer the forward."""
    ticket = bench.opened()
    theirs = answer_of(bench, forwarded(bench, ticket), sender=MARIA)
    assert not bench.ticket(ticket).messages[-1].aside
    assert bench.ticket(ticket).messages[-1].id == theirs


def test_a_forward_is_taken_back_as_a_forward(bench: Bench) -> None:
    ticket = bench.opened()
    only = bench.ticket(ticket).messages[0].id
    forwarded(bench, ticket, message=only, cc=("chief@supplier.example",))
    assert bench.desk.undo(ANA) == [f"undid forward of #{ticket}"]
    draft = bench.reads.draft("ana", ticket, "forward")
    assert draft is not None
    assert (draft.text, draft.answers) == ("Can you help?", only)
    assert (draft.options.to, draft.options.cc) == ((SUPPLIER,), ("chief@supplier.example",))
    assert bench.reads.draft("ana", ticket, "reply") is None
    bench.desk.redo(ANA)
    assert bench.reads.draft("ana", ticket, "forward") is None
    assert bench.send() == 1


def test_a_forward_stops_at_what_is_new(bench: Bench) -> None:
    ticket = bench.opened()
    seen = bench.ticket(ticket).messages[-1].id
    bench.do(Note(ticket, "Wait for the lab"), actor=BEN)
    with pytest.raises(Refusal, match="ben wrote a note since you began"):
        forwarded(bench, ticket, expect_last=seen)
    later = bench.clock.now() + timedelta(hours=1)
    message = bench.reads.message(forwarded(bench, ticket, send_at=later))
    assert message is not None
    assert message.delivery == "scheduled"
