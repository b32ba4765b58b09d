"""What is scheduled unless the customer writes, and what stops at what is new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workflow.bench import BEN, Bench
from workflow.actions import Note, Reply
from workflow.drafts import DraftOptions
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party


def scheduled(bench: Bench, ticket: int, **changes: object) -> int:
    usual: dict[str, object] = {
        "send_at": bench.clock.now() + timedelta(hours=2),
        "unless_reply": True,
    }
    return bench.reply(ticket, "Still there?", **{**usual, **changes}).outbox_id or 0


def state(bench: Bench, item: int) -> str:
    row = bench.reads.outbox_item(item)
    assert row is not None
    return row.state


def test_a_word_of_the_customer_takes_it_back(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened()
    first, second = scheduled(bench, ticket, bcc=("x@x.example",)), scheduled(bench, other)
    bench.follow_up(ticket)
    assert (state(bench, first), state(bench, second)) == ("cancelled", "scheduled")
    detail = bench.ticket(ticket)
    note = detail.messages[-1]
    assert note.direction == "note"
    assert (
        "was to leave at 2026-11-23 11:00 UTC was not sent: the customer wrote first" in note.text
    )
    assert "is ana's draft again" in note.text
    (event,) = (event for event in detail.events if event.name == "send.cancelled")
    assert (event.actor, event.cause) == ("engine", "the customer wrote first")
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert (draft.text, draft.options.bcc) == ("Still there?", ("x@x.example",))
    bench.clock.advance(7200)
    assert bench.send() == 1
    row = bench.rows("SELECT last_line, last_direction FROM ticket WHERE id = ?", ticket)
    assert row == [("text of mail3", "in")]


@pytest.mark.parametrize(
    "word",
    [{"automatic": True}, {"before_cutoff": True},
     {"own": True, "sender": "ana@desk.example", "to": (Party("", "maria@customer.example"),)}],
)  # fmt: skip
def test_no_word_of_the_customer_takes_nothing_back(bench: Bench, word: dict[str, object]) -> None:
    ticket = bench.opened()
    item = scheduled(bench, ticket)
    bench.follow_up(ticket, **word)
    assert state(bench, item) == "scheduled"


def test_only_where_it_was_asked_for(bench: Bench) -> None:
    ticket = bench.opened()
    item = scheduled(bench, ticket, unless_reply=False)
    bench.follow_up(ticket)
    assert state(bench, item) == "scheduled"
    with pytest.raises(UsageError, match="give a time to send at"):
        bench.reply(ticket, unless_reply=True)


def test_a_newer_draft_is_not_written_over(bench: Bench) -> None:
    ticket = bench.opened()
    scheduled(bench, ticket)
    bench.desk.save_draft("ana", ticket, "reply", "newer words", None, DraftOptions())
    bench.follow_up(ticket)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert draft.text == "newer words"
    cancelled, _theirs, note = bench.ticket(ticket).messages[-3:]
    assert (cancelled.text, cancelled.delivery) == ("Still there?", "cancelled")
    assert "Its text stands where it was to be said." in note.text


def test_an_old_mail_that_is_too_late_finds_it_sent(bench: Bench) -> None:
    ticket = bench.opened()
    item = scheduled(bench, ticket)
    bench.clock.advance(7200)
    assert bench.send() == 1
    bench.follow_up(ticket)
    assert state(bench, item) == "sent"


def test_a_colleague_who_wrote_meanwhile_is_not_talked_past(bench: Bench) -> None:
    ticket = bench.opened()
    seen = bench.ticket(ticket).messages[-1].id
    bench.do(Note(ticket, "mine, I know it"))
    bench.follow_up(ticket, automatic=True)
    taken_back = bench.do(Note(ticket, "oh"), actor=BEN)
    bench.desk.undo(BEN)
    assert taken_back
    bench.reply(ticket, expect_last=seen)
    bench.do(Note(ticket, "Do not answer yet"), actor=BEN)
    with pytest.raises(
        Refusal, match=r"ben wrote a note since you began: .*\(ben wrote a note: Do not"
    ):
        bench.reply(ticket, expect_last=seen)
    bench.desk.undo(BEN)
    bench.reply(ticket, expect_last=seen)
    bench.do(Reply(ticket, "I have answered"), actor=BEN)
    with pytest.raises(Refusal, match="ben answered since you began"):
        bench.reply(ticket, expect_last=seen)
    newest = bench.ticket(ticket).messages[-1].id
    bench.reply(ticket, expect_last=newest)


def test_a_draft_keeps_everything_that_was_chosen(bench: Bench) -> None:
    ticket = bench.opened()
    options = DraftOptions(
        reply_all=True,
        to=("Bob <b@x.example>",),
        cc=(),
        bcc=("c@x.example",),
        subject="",
        sender="help@desk.example",
        files=(("ä b.pdf", "application/pdf", "0" * 64, 5),),
        send_at=bench.clock.now().replace(microsecond=0) + timedelta(days=1),
        unless_reply=True,
        signature=False,
        via=7,
        account="support",
    )
    bench.desk.save_draft("ana", ticket, "reply", "", 1, options)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert draft.options == options
    bench.desk.save_draft("ana", ticket, "reply", "words alone", 1)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert (draft.text, draft.options) == ("words alone", options)
    assert bench.reads.draft("ben", ticket, "reply") is None
    bench.desk.discard_draft("ana", ticket, "reply")
    assert bench.reads.draft("ana", ticket, "reply") is None
    assert DraftOptions.from_json(DraftOptions().to_json()) == DraftOptions()
    assert DraftOptions().to_json() == {}
