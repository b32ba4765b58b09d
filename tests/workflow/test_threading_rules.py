"""Which ticket a mail belongs to, and which rule said so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.workflow.bench import ANA, SETTINGS, Bench
from workflow.actions import AddTags, DismissSuggestion, Merge, SetStatus, Split
from workflow.clock import ManualClock
from workflow.drafts import NOTHING_CHOSEN
from workflow.errors import Refusal
from workflow.proposal import propose
from workflow.tokens import (
    check_token,
    make_reference,
    make_token,
    with_reference,
    written_tokens,
)

FORGED = "dh1." + "a" * 16


def our_mail(bench: Bench, ticket: int, text: str = "ours") -> str:
    """The Message-ID of an answer that has left."""
    bench.reply(ticket, text)
    bench.send()
    found = bench.ticket(ticket).messages[-1].message_id
    assert found is not None
    return found


# -- the order


def test_each_rule_says_that_it_fired(bench: Bench) -> None:
    ticket = bench.opened()
    first = bench.ticket(ticket).messages[0].message_id
    token, secret = make_token(bench.desk.secret, ticket), bench.desk.secret
    for changes, rule in (
        ({"reply_tokens": (token,)}, "reply-token"),
        ({"in_reply_to": (first,)}, "in-reply-to"),
        ({"references": ("<unknown@x.example>", first)}, "references"),
        ({"subject_tokens": written_tokens(make_reference(secret, ticket))}, "token-in-subject"),
        ({"text_tokens": (token,)}, "token-in-text"),
        ({}, "new"),
    ):
        received = bench.take(bench.mail(**changes))[0]
        assert (received.ticket == ticket, received.matched_by) == (rule != "new", rule)


def test_the_first_rule_wins(bench: Bench) -> None:
    one, two, three, four, five = (bench.opened() for _ in range(5))

    def named(ticket: int) -> str | None:
        return bench.ticket(ticket).messages[0].message_id

    tokens = [make_token(bench.desk.secret, ticket) for ticket in (one, two, three, four, five)]
    mail = bench.mail(
        reply_tokens=(tokens[0],),
        in_reply_to=(named(two),),
        references=(named(three),),
        subject_tokens=(tokens[3],),
        text_tokens=(tokens[4],),
    )
    for changes, ticket in (
        ({}, one),
        ({"reply_tokens": ()}, two),
        ({"reply_tokens": (), "in_reply_to": ()}, three),
        ({"reply_tokens": (), "in_reply_to": (), "references": ()}, four),
    ):
        item = replace(mail, **changes, dedupe_key=f"to {ticket}", message_id=f"<{ticket}@y>")
        assert bench.take(item)[0].ticket == ticket


def test_of_references_to_two_tickets_the_newest_counts(bench: Bench) -> None:
    one, two = bench.opened(), bench.opened()
    ids = [bench.ticket(ticket).messages[0].message_id for ticket in (one, two)]
    assert bench.take(bench.mail(references=tuple(ids)))[0].ticket == two
    assert bench.take(bench.mail(references=tuple(reversed(ids))))[0].ticket == one


@pytest.mark.parametrize("where", ["reply_tokens", "subject_tokens", "text_tokens"])
def test_a_forged_key_and_a_ticket_that_is_not_there_open_a_ticket(
    bench: Bench, where: str
) -> None:
    bench.opened()
    other = make_token(b"another desk", 1)
    missing = make_token(bench.desk.secret, 999)
    received = bench.take(bench.mail(**{where: (FORGED, other, missing)}))[0]
    assert received.matched_by == "new"


def test_a_number_without_its_key_lets_nobody_in(bench: Bench) -> None:
    ticket = bench.opened()
    mail = bench.mail(subject=f"Re: [#{ticket}] your order", text=f"as in #{ticket}, [#{ticket}-]")
    item = replace(
        mail, subject_tokens=written_tokens(mail.subject), text_tokens=written_tokens(mail.text)
    )
    assert bench.take(item)[0].matched_by == "new"


def test_a_message_id_that_somebody_reuses_leads_to_whose_it_was_first(bench: Bench) -> None:
    ticket = bench.opened()
    first = bench.ticket(ticket).messages[0].message_id
    thief = bench.take(bench.mail(message_id=first, sender="eve@elsewhere.example"))[0]
    assert thief.ticket != ticket
    assert bench.take(bench.mail(in_reply_to=(first,)))[0].ticket == ticket
    sent = our_mail(bench, ticket)
    bench.take(bench.mail(message_id=sent, sender="eve@elsewhere.example"))
    again = bench.take(bench.mail(in_reply_to=(sent,)))[0]
    assert (again.ticket, again.matched_by) == (ticket, "reply-token")


def test_an_old_mail_of_a_ticket_that_was_merged_twice(bench: Bench) -> None:
    one, two, three = bench.opened(), bench.opened(), bench.opened()
    sent = our_mail(bench, one)
    bench.do(Merge(one, two))
    bench.do(Merge(two, three))
    received = bench.take(bench.mail(in_reply_to=(sent,), references=(sent,)))[0]
    assert (received.ticket, received.matched_by) == (three, "reply-token")


def test_two_mails_of_one_batch_find_each_other_after_a_merge(bench: Bench) -> None:
    one, two = bench.opened(), bench.opened()
    first = bench.ticket(one).messages[0].message_id
    bench.do(Merge(one, two))
    answer = bench.mail(in_reply_to=(first,))
    more = bench.mail(in_reply_to=(answer.message_id,))
    assert {r.ticket for r in bench.take(answer, more)} == {two}
    assert [m.home for m in bench.ticket(two).messages] == [one, None, one, one]


# -- tokens in words


def test_the_reference_is_read_however_it_is_written(bench: Bench) -> None:
    token, reference = make_token(bench.desk.secret, 42), make_reference(bench.desk.secret, 42)
    key = token.rpartition(".")[2]
    for text in (
        reference,
        reference.lower(),
        f"Re: AW: {reference} your order",
        f"> > Reference: #42-{key}, thank you",
        f"<a href='mailto:support+{token}@desk.example'>write</a>",
        f"Message-ID: <{token}.17.abc@desk.example>",
    ):
        assert [check_token(bench.desk.secret, one) for one in written_tokens(text)] == [42], text
    assert written_tokens(f"x#42-{key}a") == ()
    assert written_tokens(f"DH42.{key.upper()}") == (token,)
    assert written_tokens("#1-" + "a" * 17 + " dh.x #-" + key) == ()


def test_a_text_full_of_tokens_costs_little() -> None:
    text = " ".join(f"#{n}-{'a' * 16}" for n in range(50_000))
    assert len(written_tokens(text)) == 20


def test_answers_carry_the_reference_where_the_team_wants_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    channel = replace(SETTINGS.channels[0], subject_reference=True)
    bench = Bench(tmp_path, clock, replace(SETTINGS, channels=(channel,)))
    ticket = bench.opened(subject="A question")
    bench.reply(ticket)
    sent = bench.ticket(ticket).messages[-1]
    reference = make_reference(bench.desk.secret, ticket)
    assert sent.subject == f"Re: A question {reference}"
    raw = bench.files.read(sent.raw_sha256 or "")
    assert reference.encode() in raw
    # The customer's program has dropped all but the words; ours is not put there twice.
    received = bench.take(
        bench.mail(subject=sent.subject, subject_tokens=written_tokens(sent.subject))
    )[0]
    assert (received.ticket, received.matched_by) == (ticket, "token-in-subject")
    bench.reply(ticket)
    assert bench.ticket(ticket).messages[-1].subject == sent.subject
    assert with_reference(bench.desk.secret, ticket, "") == reference
    bench.close()


# -- closed tickets


def test_an_answer_to_a_closed_ticket_opens_it_for_thirty_days(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "closed"))
    bench.clock.advance(timedelta(days=29, hours=23).total_seconds())
    assert bench.follow_up(ticket).ticket == ticket
    assert bench.ticket(ticket).status == "open"


def test_later_it_begins_a_ticket_that_is_linked_to_it(bench: Bench) -> None:
    old = bench.opened()
    bench.do(SetStatus(old, "closed"))
    bench.clock.advance(timedelta(days=30).total_seconds())
    received = bench.follow_up(old, subject="Re: the same")
    assert received.ticket not in (None, old)
    assert (received.outcome, received.matched_by) == ("created", "continues")
    fresh = received.ticket or 0
    assert [(k.ticket, k.kind) for k in bench.ticket(fresh).links] == [(old, "continues")]
    assert [(k.ticket, k.kind) for k in bench.ticket(old).links] == [(fresh, "continued by")]
    assert bench.ticket(old).status == "closed"
    # What answers the old one once more goes on with the new one.
    again = bench.follow_up(old)
    assert (again.ticket, again.matched_by) == (fresh, "in-reply-to")
    bench.do(SetStatus(fresh, "closed"))
    bench.clock.advance(timedelta(days=31).total_seconds())
    third = bench.follow_up(old)
    assert [(k.ticket, k.kind) for k in bench.ticket(third.ticket or 0).links] == [
        (fresh, "continues")
    ]


def test_two_answers_of_one_batch_begin_one_ticket(bench: Bench) -> None:
    old = bench.opened()
    first = bench.ticket(old).messages[0].message_id
    bench.do(SetStatus(old, "closed"))
    bench.clock.advance(timedelta(days=40).total_seconds())
    one, two = bench.take(bench.mail(in_reply_to=(first,)), bench.mail(in_reply_to=(first,)))
    assert one.ticket == two.ticket != old


@pytest.mark.parametrize(
    "changes",
    [{"automatic": True}, {"before_cutoff": True}, {"own": True, "sender": "ana@desk.example"}],
)
def test_machines_history_and_ourselves_begin_none(
    bench: Bench, changes: dict[str, object]
) -> None:
    old = bench.opened()
    bench.do(SetStatus(old, "closed"))
    bench.clock.advance(timedelta(days=40).total_seconds())
    assert bench.follow_up(old, **changes).ticket == old
    assert bench.ticket(old).status == "closed"


def test_a_resolved_ticket_opens_again_after_any_time(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "resolved"))
    bench.clock.advance(timedelta(days=400).total_seconds())
    assert bench.follow_up(ticket).ticket == ticket


@pytest.mark.parametrize(
    ("desk", "account", "same"), [(0, None, False), (0, 5, True), (90, 1, False)]
)
def test_the_days_are_the_teams(
    tmp_path: Path, clock: ManualClock, desk: int, account: int | None, same: bool
) -> None:
    channel = replace(SETTINGS.channels[0], reopen_days=account)
    bench = Bench(tmp_path, clock, replace(SETTINGS, channels=(channel,), reopen_days=desk))
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "closed"))
    clock.advance(2 * 86_400)
    assert (bench.follow_up(ticket).ticket == ticket) is same
    bench.close()


# -- suggestions


def test_the_same_customer_and_subject_only_suggest(bench: Bench) -> None:
    first = bench.opened(subject="Printer on fire")
    bench.clock.advance(86_400)
    second = bench.opened(subject="AW: Re: [helpdesk] printer  on fire!")
    assert second != first
    guess = bench.ticket(second).suggestion
    assert guess is not None
    assert (guess.ticket, guess.subject) == (first, "Printer on fire")
    events = bench.ticket(second).events
    event = next(event for event in events if event.name == "ticket.suggestion")
    assert event.data["after"] == first
    assert event.cause == "same customer and subject within 7 days"
    bench.do(Merge(first, second))
    assert bench.ticket(second).suggestion is None
    bench.desk.undo(ANA)
    bench.do(DismissSuggestion(second))
    assert bench.ticket(second).suggestion is None
    with pytest.raises(Refusal, match="looks like no other"):
        bench.do(DismissSuggestion(second))
    bench.desk.undo(ANA)
    assert bench.ticket(second).suggestion is not None


def test_a_suggestion_leads_to_where_that_ticket_was_merged(bench: Bench) -> None:
    kept = bench.opened(subject="something else")
    first = bench.opened(subject="Printer on fire")
    second = bench.opened(subject="Re: Printer on fire")
    bench.do(Merge(first, kept))
    guess = bench.ticket(second).suggestion
    assert guess is not None
    assert guess.ticket == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Re:"},
        {"subject": "Printer on fire again"},
        {"subject": "[order 18] Printer on fire"},
        {"sender": "otto@elsewhere.example"},
        {"automatic": True},
        {"before_cutoff": True},
        {"days": 8},
    ],
)
def test_nothing_is_suggested_without_cause(bench: Bench, changes: dict[str, object]) -> None:
    bench.opened(subject="Printer on fire")
    bench.clock.advance(86_400 * int(str(changes.pop("days", 1))))
    second = bench.opened(**{"subject": "Re: Printer on fire", **changes})
    assert bench.ticket(second).suggestion is None


def test_two_tickets_of_one_batch_are_compared_too(bench: Bench) -> None:
    one, two = bench.take(bench.mail(subject="The lift"), bench.mail(subject="Fwd: the lift"))
    guess = bench.ticket(two.ticket or 0).suggestion
    assert guess is not None
    assert guess.ticket == one.ticket


# -- participants


def strangers(bench: Bench, ticket: int) -> list[str]:
    return [m.from_address for m in bench.ticket(ticket).messages if m.stranger]


def test_a_mail_passed_on_to_a_third_person_who_writes_is_let_in_and_marked(bench: Bench) -> None:
    ticket = bench.opened()
    sent = our_mail(bench, ticket)
    bench.take(bench.mail(references=(sent,), sender="otto@elsewhere.example"))
    assert strangers(bench, ticket) == ["otto@elsewhere.example"]
    # Once we have written to them they take part; the mark of the first time stays.
    otto = bench.ticket(ticket).messages[-1].id
    bench.reply(ticket, "dear otto", answers=otto)
    bench.take(bench.mail(references=(sent,), sender="Otto@Elsewhere.example"))
    assert strangers(bench, ticket) == ["otto@elsewhere.example"]


def test_who_was_named_in_to_or_cc_is_no_stranger(bench: Bench) -> None:
    from workflow.inbound import Party

    ticket = bench.opened(cc=(Party("", "Boss@customer.example"),))
    bench.follow_up(ticket, sender="boss@customer.example")
    bench.follow_up(ticket, sender="mailer-daemon@x.example", automatic=True)
    assert strangers(bench, ticket) == []


def test_another_address_of_the_customer_is_no_stranger(bench: Bench) -> None:
    from workflow.actions import JoinCustomers

    ticket, other = bench.opened(), bench.opened(sender="maria@home.example")
    received = bench.follow_up(ticket, sender="maria@home.example")
    assert received.ticket == ticket
    assert strangers(bench, ticket) == ["maria@home.example"]
    people = [bench.ticket(number).customer.id for number in (ticket, other)]
    bench.do(JoinCustomers(*people))
    assert strangers(bench, ticket) == []


def test_after_a_merge_both_customers_take_part(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened(sender="otto@elsewhere.example")
    bench.do(Merge(other, ticket))
    bench.follow_up(ticket, sender="otto@elsewhere.example")
    assert strangers(bench, ticket) == []


def test_an_answer_to_a_stranger_is_looked_at_again_and_adds_them_to_no_other(bench: Bench) -> None:
    ticket = bench.opened()
    first = bench.ticket(ticket).messages[0].id
    bench.clock.advance(60)
    bench.follow_up(ticket, sender="eve@elsewhere.example")

    def doubts(answers: int | None) -> list[str]:
        detail = bench.ticket(ticket)
        made = propose(detail, bench.settings, "ana", "reply", NOTHING_CHOSEN, answers)
        return [one.code for one in made.doubts("Here you are.", 0, detail, bench.settings)]

    assert doubts(None) == ["stranger"]
    assert doubts(first) == []
    bench.reply(ticket, answers=first, reply_all=True)
    sent = bench.ticket(ticket).messages[-1]
    assert [address for _name, address in (*sent.to, *sent.cc)] == ["maria@customer.example"]
    bench.reply(ticket)
    assert bench.ticket(ticket).messages[-1].to == (("", "eve@elsewhere.example"),)


def test_split_off_a_stranger_is_the_customer_of_the_new_ticket(bench: Bench) -> None:
    ticket = bench.opened()
    received = bench.follow_up(ticket, sender="eve@elsewhere.example")
    fresh = bench.do(Split(ticket, received.message or 0))[0].ticket or 0
    assert strangers(bench, fresh) == []


def test_a_thousand_mails_need_few_statements(bench: Bench) -> None:
    from sqlalchemy import event

    ticket = bench.opened()
    bench.do(AddTags(ticket, ("x",)))
    seen: list[str] = []

    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(bench.store._engine, "before_cursor_execute", note)
    bench.take(*(bench.mail(subject=f"s{n % 50}") for n in range(300)))
    assert len(seen) < 60
    event.remove(bench.store._engine, "before_cursor_execute", note)
