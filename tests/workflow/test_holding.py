"""Who is let in: automatic mail, mail of our own, mail that says it is ours, rules about senders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import DiscardHeld, ReleaseHeld, RuleSender, SetStatus, Snooze
from workflow.errors import NotFound, Refusal, UsageError
from workflow.inbound import Inbound, Party, Source
from workflow.model import Intake
from workflow.release import complete, give_up_fetching


def ours(bench: Bench, ticket: int) -> Any:
    """The answer that was sent on a ticket."""
    sent = bench.reply(ticket)
    bench.send()
    message = bench.reads.message(sent.message_id or 0)
    assert message is not None
    return message


# -- automatic mail


def test_an_absence_note_to_our_answer_leaves_everything_as_it_was(bench: Bench) -> None:
    ticket = bench.opened()
    answer = ours(bench, ticket)
    bench.do(SetStatus(ticket, "pending"), Snooze(ticket, bench.clock.now() + timedelta(days=3)))
    before = bench.ticket(ticket)
    bench.clock.advance(60)
    note = bench.take(
        bench.mail(
            in_reply_to=(answer.message_id,),
            automatic=True,
            automatic_sign="Auto-Submitted: auto-replied",
        )
    )[0]
    after = bench.ticket(ticket)
    assert (note.outcome, note.ticket) == (Intake.APPENDED, ticket)
    assert (after.status, after.snoozed_until) == ("pending", before.snoozed_until)
    assert [(c.metric, c.state, c.due_at, c.remaining_s) for c in after.clocks] == [
        (c.metric, c.state, c.due_at, c.remaining_s) for c in before.clocks
    ]
    assert after.waiting_since is None
    assert after.messages[-1].automatic
    told = after.events[-1]
    assert (told.name, told.data["sign"]) == ("message.received", "Auto-Submitted: auto-replied")
    assert bench.rows("SELECT count(*) FROM outbox") == [(1,)], "nothing answers it"


def test_automatic_mail_that_opens_a_ticket_promises_nothing(bench: Bench) -> None:
    ticket = bench.opened(automatic=True)
    detail = bench.ticket(ticket)
    assert (detail.status, detail.clocks, detail.waiting_since) == ("new", (), None)
    bench.follow_up(ticket)
    assert {clock.metric for clock in bench.ticket(ticket).clocks} == {
        "first_response",
        "resolution",
    }


# -- mail of our own


def returned(bench: Bench, message: Any, **changes: Any) -> Inbound:
    """Our answer as a list sends it back, with itself as the sender."""
    fields = {
        "sender": "list@lists.example",
        "date": message.date,
        "message_id": message.message_id,
    }
    return bench.mail(**{**fields, **changes})


def test_our_own_mail_that_comes_back_opens_nothing(bench: Bench) -> None:
    ticket = bench.opened()
    message = ours(bench, ticket)
    bench.clock.advance(30)
    for item in (
        returned(bench, message),
        returned(bench, message, message_id="<new@lists.example>", loop_ids=(message.message_id,)),
        returned(bench, message, sender="support@desk.example", own=True, date=None),
    ):
        found = bench.take(item)[0]
        assert (found.outcome, found.cause) in {
            (Intake.DUPLICATE, "a mail of our own that came back"),
            (Intake.DUPLICATE, "a mail that this desk sent"),
        }
    assert len(bench.ticket(ticket).messages) == 2
    assert bench.rows("SELECT count(*) FROM ticket") == [(1,)]


def test_who_only_knows_an_id_of_ours_is_heard(bench: Bench) -> None:
    ticket = bench.opened()
    message = ours(bench, ticket)
    later = message.date + timedelta(minutes=1)
    for changes in (
        {"date": later},
        {"message_id": "<x@y>", "loop_ids": (message.message_id,), "date": later},
        {"message_id": "<dh1.aaaaaaaaaaaaaaaa.0123@desk.example>"},
    ):
        assert bench.take(returned(bench, message, **changes))[0].outcome is Intake.CREATED


def test_what_nothing_confirms_to_be_ours_moves_nothing(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Snooze(ticket, None))
    before = bench.ticket(ticket)
    first = before.messages[0].message_id
    claim = {"sender": "ana@desk.example", "claims_us": True}
    bench.take(bench.mail(in_reply_to=(first,), **claim))
    after = bench.ticket(ticket)
    assert [(c.metric, c.state) for c in after.clocks] == [
        (c.metric, c.state) for c in before.clocks
    ]
    assert (after.status, after.waiting_since) == (before.status, before.waiting_since)
    assert after.snoozed_until_reply
    message = after.messages[-1]
    assert (message.direction, message.agent) == ("in", None)
    assert message.authentication == {"claims_us": True}
    bench.do(SetStatus(ticket, "resolved"))
    bench.take(bench.mail(in_reply_to=(first,), **claim))
    assert bench.ticket(ticket).status == "resolved"
    fresh = bench.ticket(bench.opened(**claim))
    assert (fresh.status, fresh.customer.identities[0].value) == ("new", "ana@desk.example")
    assert fresh.clocks, "a new matter waits for an answer, whoever wrote"


def test_an_answer_goes_to_the_customer_not_to_who_says_it_is_us(bench: Bench) -> None:
    ticket = bench.opened()
    first = bench.ticket(ticket).messages[0].message_id
    bench.take(bench.mail(in_reply_to=(first,), sender="ana@desk.example", claims_us=True))
    bench.take(bench.mail(in_reply_to=(first,), sender="robot@x.example", automatic=True))
    assert ours(bench, ticket).to == (("", "maria@customer.example"),)


def test_what_was_found_out_is_kept(bench: Bench) -> None:
    found = {"server": "mx", "verdict": "verified", "spf": "pass"}
    ticket = bench.opened(authentication=found)
    assert bench.ticket(ticket).messages[0].authentication == found


# -- rules about senders


@pytest.mark.parametrize("cause", ["spam", "failed check", "unknown address"])
@pytest.mark.parametrize("pattern", ["Maria@Customer.example", "@customer.example"])
def test_an_allowed_sender_comes_in(bench: Bench, cause: str, pattern: str) -> None:
    assert bench.take(bench.mail(held_cause=cause))[0].outcome is Intake.HELD
    bench.do(RuleSender(pattern, True))
    assert bench.take(bench.mail(held_cause=cause))[0].outcome is Intake.CREATED
    assert (
        bench.take(bench.mail(held_cause=cause, sender="x@sub.customer.example"))[0].cause == cause
    )
    for never in ("too large", "could not be read", "says it is from us"):
        assert bench.take(bench.mail(held_cause=never))[0].cause == never


def test_a_blocked_sender_bothers_nobody_and_is_not_lost(bench: Bench) -> None:
    ticket = bench.opened(message_id="<a@x>")
    bench.do(RuleSender("@customer.example", False), actor=BEN)
    found = bench.take(bench.mail(in_reply_to=("<a@x>",)))[0]
    assert (found.outcome, found.cause) == (Intake.HELD, "blocked sender")
    assert bench.reads.held() == []
    assert bench.reads.held_count() == 0
    (row,) = bench.reads.held("blocked")
    assert (row.ticket, row.state) == (ticket, "blocked")
    assert row.evidence == f"ben blocked customer.example on {bench.clock.now():%Y-%m-%d}"
    bench.do(RuleSender("maria@customer.example", True))
    assert bench.take(bench.mail())[0].outcome is Intake.CREATED, "the address wins"


def test_rules_are_taken_back_and_away(bench: Bench) -> None:
    bench.do(RuleSender("maria@customer.example", True))
    bench.do(RuleSender("maria@customer.example", False), actor=BEN)
    with pytest.raises(Refusal, match="was changed again since"):
        bench.desk.undo(ANA)
    bench.desk.undo(BEN)
    assert [(r.pattern, r.allow) for r in bench.reads.sender_rules()] == [
        ("maria@customer.example", True)
    ]
    bench.desk.redo(BEN)
    bench.do(RuleSender("maria@customer.example", None))
    assert bench.reads.sender_rules() == []
    bench.desk.undo(ANA)
    assert [(r.pattern, r.allow, r.by) for r in bench.reads.sender_rules()] == [
        ("maria@customer.example", False, "ana")
    ]
    with pytest.raises(NotFound, match="there is no rule about x@y"):
        bench.do(RuleSender("x@y", None))


def test_rules_that_would_do_harm_are_refused(bench: Bench) -> None:
    for pattern in ("ana@desk.example", "@desk.example", "Help@Desk.example"):
        with pytest.raises(Refusal, match="is an address of this desk"):
            bench.do(RuleSender(pattern, True))
    with pytest.raises(Refusal, match="all kinds of people"):
        bench.do(RuleSender("@gmail.com", False))
    for wrong in ("maria", "@", "a b@c.example", "<a@b>", ""):
        with pytest.raises(UsageError, match="neither an address nor @domain"):
            bench.do(RuleSender(wrong, True))


# -- letting in


def kept(bench: Bench, raw: bytes, **changes: Any) -> int:
    """A held item with these bytes."""
    fields = {"held_cause": "spam", "raw_sha256": bench.files.put(raw), "raw_size": len(raw)}
    held = bench.take(bench.mail(**{**fields, **changes}))[0].held
    assert held
    return held


RAW = b"From: maria@customer.example\nMessage-ID: <m@customer.example>\nSubject: Hi\n\nHello\n"


def test_a_release_threads_and_starts_clocks_when_it_reached_us(bench: Bench) -> None:
    reached = bench.clock.now()
    number = kept(bench, RAW)
    bench.clock.advance(7200)
    ticket = bench.do(ReleaseHeld(number))[0].ticket
    assert ticket
    detail = bench.ticket(ticket)
    assert detail.created_at == reached
    assert {clock.started_at for clock in detail.clocks} == {reached}
    with pytest.raises(Refusal, match="was already released"):
        bench.do(ReleaseHeld(number))
    with pytest.raises(Refusal, match="is a message on #1 by now and cannot be held again"):
        bench.desk.undo(ANA)


def test_what_was_discarded_or_blocked_can_still_be_let_in(bench: Bench) -> None:
    number = kept(bench, RAW)
    bench.do(DiscardHeld(number))
    bench.desk.undo(ANA)
    assert bench.reads.held_count() == 1
    bench.desk.redo(ANA)
    assert bench.do(ReleaseHeld(number))[0].ticket


LARGE = {
    "raw_size": 60_000_000,
    "held_cause": "too large",
    "held_evidence": "60 MB",
    "source": Source("support", "INBOX", 7, 42),
}


def test_a_mail_of_which_only_the_header_is_here_is_completed(bench: Bench) -> None:
    number = kept(bench, RAW, **LARGE)
    done = bench.do(ReleaseHeld(number))[0]
    assert done.summary == "released held item 1 as #1; the rest of the mail is being fetched"
    assert bench.ticket(1).messages[0].text == (
        "[too large: 60 MB. It is being fetched: look again in a minute]"
    )
    (row,) = bench.reads.held_wanted("support")
    assert (row.folder, row.validity, row.position) == ("INBOX", 7, 42)
    assert bench.reads.held_count() == 0
    with pytest.raises(Refusal, match="was already released"):
        bench.do(ReleaseHeld(number))
    raw = RAW.replace(b"Subject: Hi\n", b"Subject: Hi\nContent-Type: multipart/mixed; boundary=b\n")
    body = b"--b\n\nHello with a file\n--b\nContent-Disposition: attachment; filename=a.bin\n\nx\n--b--\n"
    clocks = bench.ticket(1).clocks
    for _ in range(2):
        complete(bench.desk, number, raw.partition(b"\n\n")[0] + b"\n\n" + body)
    detail = bench.ticket(1)
    (message,) = detail.messages
    assert (message.text, [file.name for file in message.attachments]) == (
        "Hello with a file",
        ["a.bin"],
    )
    assert detail.clocks == clocks
    assert bench.rows("SELECT last_line FROM ticket") == [("Hello with a file",)]
    found = "SELECT rowid FROM message_fts WHERE message_fts MATCH ?"
    assert bench.rows(found, "file") == [(message.id,)]
    assert bench.rows(found, "fetched") == []
    assert bench.reads.held_wanted("support") == []


def test_what_cannot_be_fetched_says_why(bench: Bench) -> None:
    number = kept(bench, RAW, **LARGE)
    bench.do(ReleaseHeld(number))
    give_up_fetching(bench.desk, number, "it is not on the server any more")
    assert bench.ticket(1).messages[0].text == "[too large: it is not on the server any more]"
    assert bench.reads.held_wanted("support") == []
    complete(bench.desk, number, RAW)
    assert bench.ticket(1).messages[0].text.startswith("[too large")


def test_a_look_into_a_held_item_is_safe_and_changes_nothing(bench: Bench) -> None:
    raw = b"From: x@y\nSubject: \x1b]0;own\x07 [bold]\n\nClick \x1b[31mhere\x9b\n"
    number = kept(bench, raw)
    row = bench.reads.held_item(number)
    assert row is not None
    whole = bench.desk.look_into(row)
    assert whole.whole
    assert "Click" in whole.text
    assert not any((ord(c) < 32 and c != "\n") or c == "\x9b" for c in whole.head + whole.text)
    missing = kept(bench, RAW, raw_sha256="0" * 64, dedupe_key="other")
    lost = bench.reads.held_item(missing)
    assert lost is not None
    assert bench.desk.look_into(lost).fault


def test_own_mail_keeps_its_customer(bench: Bench) -> None:
    own = {"own": True, "sender": "ana@desk.example", "to": (Party("", "joe@x.example"),)}
    assert bench.ticket(bench.opened(**own)).customer.identities[0].value == "joe@x.example"
