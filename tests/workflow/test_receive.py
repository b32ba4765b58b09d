"""What becomes of items: four outcomes, the right ticket, and the cursor in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from tests.workflow.bench import Bench, mail
from workflow.actions import Assign, DiscardHeld, MarkSpam, SetStatus, Snooze
from workflow.clock import ManualClock
from workflow.inbound import Attachment, Inbound, Party, Source
from workflow.model import Intake
from workflow.receive import CursorMove
from workflow.store.tables import Ticket
from workflow.tokens import make_token


def test_created_appended_duplicate_held(bench: Bench) -> None:
    first = bench.mail("a")
    created = bench.take(first)[0]
    assert (created.outcome, created.matched_by) == (Intake.CREATED, "new")
    appended = bench.take(bench.mail("b", in_reply_to=("<a@customer.example>",)))[0]
    assert (appended.outcome, appended.ticket) == (Intake.APPENDED, created.ticket)
    again = bench.take(first)[0]
    assert (again.outcome, again.ticket, again.message) == (
        Intake.DUPLICATE,
        created.ticket,
        created.message,
    )
    held = bench.take(bench.mail("c", held_cause="too large", held_evidence="60 MB"))[0]
    assert (held.outcome, held.cause, held.ticket) == (Intake.HELD, "too large", None)
    assert [(row.id, row.cause, row.evidence) for row in bench.reads.held()] == [
        (held.held, "too large", "60 MB")
    ]


def test_a_held_item_that_comes_again_is_a_duplicate_of_it_whatever_was_decided(
    bench: Bench,
) -> None:
    item = bench.mail("c", held_cause="too large")
    held = bench.take(item, item)
    assert [each.outcome for each in held] == [Intake.HELD, Intake.DUPLICATE]
    assert held[1].held == held[0].held
    assert held[0].held
    bench.do(DiscardHeld(held[0].held))
    assert bench.take(item)[0].outcome is Intake.DUPLICATE


def test_the_same_message_id_from_another_sender_is_no_duplicate(bench: Bench) -> None:
    one = bench.take(bench.mail("a"))[0]
    two = bench.take(bench.mail("b", message_id="<a@customer.example>", sender="eve@evil.example"))[
        0
    ]
    assert two.outcome is Intake.CREATED
    assert two.ticket != one.ticket
    answer = bench.take(bench.mail("c", in_reply_to=("<a@customer.example>",)))[0]
    assert answer.ticket == one.ticket, "who takes an id over later does not get its answers"


def test_nobody_takes_over_the_id_of_our_mail(bench: Bench) -> None:
    ticket = bench.opened()
    sent = bench.reply(ticket)
    ours = bench.reads.message(sent.message_id or 0)
    assert ours is not None
    thief = bench.take(bench.mail(message_id=ours.message_id, sender="eve@evil.example"))[0]
    assert thief.ticket != ticket
    answer = bench.take(bench.mail(in_reply_to=(ours.message_id,)))[0]
    assert answer.ticket == ticket


def test_a_token_is_stronger_than_in_reply_to_and_that_than_references(bench: Bench) -> None:
    by_token, by_answer, old, new = (bench.opened(message_id=f"<{n}@x>") for n in range(4))
    token = make_token(bench.desk.secret, by_token)
    references = ("<2@x>", "<3@x>")
    for changes, ticket, rule in (
        ({"reply_tokens": (token,), "in_reply_to": ("<1@x>",)}, by_token, "reply-token"),
        ({"in_reply_to": ("<1@x>",), "references": references}, by_answer, "in-reply-to"),
        ({"references": references}, new, "references"),
        ({"in_reply_to": ("<?@x>",), "references": references[:1]}, old, "references"),
    ):
        found = bench.take(bench.mail(**changes))[0]
        assert (found.ticket, found.matched_by) == (ticket, rule)


@pytest.mark.parametrize("token", ["dh1.aaaaaaaaaaaaaaaa", "dh01.x", "dh999999", "", "dh1"])
def test_a_forged_token_joins_nothing(bench: Bench, token: str) -> None:
    bench.opened()
    assert bench.take(bench.mail(reply_tokens=(token,)))[0].outcome is Intake.CREATED


def test_a_token_of_another_ticket_or_desk_is_forged(bench: Bench) -> None:
    one, two = bench.opened(), bench.opened()
    good = make_token(bench.desk.secret, one)
    forged = f"dh{two}.{good.partition('.')[2]}"
    assert bench.take(bench.mail(reply_tokens=(forged,)))[0].outcome is Intake.CREATED
    foreign = make_token(b"another desk", one)
    assert bench.take(bench.mail(reply_tokens=(foreign,)))[0].outcome is Intake.CREATED


def test_a_merged_ticket_passes_its_mail_on(bench: Bench) -> None:
    first, second, third = (bench.opened(message_id=f"<{n}@x>") for n in range(3))
    with bench.store.write(bench.clock.now()) as transaction:
        for number, into in ((first, second), (second, third)):
            row = transaction.session.get(Ticket, number)
            assert row is not None
            row.merged_into = into
    found = bench.take(bench.mail(in_reply_to=("<0@x>",)))[0]
    assert (found.outcome, found.ticket) == (Intake.APPENDED, third)


def test_mail_that_we_sent_ourselves_is_known_or_stands_as_ours(bench: Bench) -> None:
    ticket = bench.opened()
    sent = bench.reply(ticket)
    ours = bench.reads.message(sent.message_id or 0)
    assert ours is not None
    own = {
        "own": True,
        "sender": "support@desk.example",
        "to": (Party("", "maria@customer.example"),),
    }
    copy = bench.take(bench.mail(message_id=ours.message_id, **own))[0]
    assert (copy.outcome, copy.ticket) == (Intake.DUPLICATE, ticket)
    elsewhere = bench.take(bench.mail(**own))[0]
    detail = bench.ticket(elsewhere.ticket or 0)
    assert detail.messages[0].direction == "out"
    assert detail.customer.identities[0].value == "maria@customer.example"
    assert detail.clocks == ()


@pytest.mark.parametrize("status", ["resolved", "pending", "on hold", "closed"])
def test_a_customers_message_opens_the_ticket_again(bench: Bench, status: str) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, status))
    bench.follow_up(ticket)
    detail = bench.ticket(ticket)
    assert detail.status == "open"
    last = next(event for event in reversed(detail.events) if event.actor != "triage")
    assert last.cause == "the customer wrote"
    assert bench.rows("SELECT resolved_at FROM ticket WHERE id = ?", ticket) == [(None,)]


@pytest.mark.parametrize("changes", [{"automatic": True}, {"before_cutoff": True}])
def test_what_no_person_has_just_written_opens_and_wakes_nothing(
    bench: Bench, changes: dict[str, bool]
) -> None:
    ticket = bench.opened()
    bench.do(SetStatus(ticket, "resolved"), Snooze(ticket, None))
    found = bench.follow_up(ticket, **changes)
    detail = bench.ticket(ticket)
    assert found.outcome is Intake.APPENDED
    assert (detail.status, detail.snoozed_until_reply) == ("resolved", True)
    assert detail.waiting_since is None


def test_a_customers_message_wakes_whatever_was_chosen(bench: Bench) -> None:
    for until in (None, bench.clock.now() + timedelta(days=3)):
        ticket = bench.opened()
        bench.do(Snooze(ticket, until))
        bench.follow_up(ticket)
        detail = bench.ticket(ticket)
        assert (detail.snoozed_until, detail.snoozed_until_reply) == (None, False)
        assert "ticket.woken" in bench.names(ticket)


def test_a_follow_up_keeps_owner_and_marks(bench: Bench) -> None:
    ticket = bench.opened()
    bench.do(Assign(ticket, assignee="ben", group="experts"), MarkSpam(ticket))
    bench.follow_up(ticket)
    detail = bench.ticket(ticket)
    assert (detail.assignee, detail.group_name, detail.spam) == ("ben", "experts", True)


def test_clocks_start_when_the_mail_reached_us(bench: Bench) -> None:
    ticket = bench.opened(reached_at=bench.clock.now() - timedelta(hours=2))
    detail = bench.ticket(ticket)
    assert {clock.started_at for clock in detail.clocks} == {bench.clock.now() - timedelta(hours=2)}
    assert detail.created_at == detail.waiting_since


def test_old_mail_starts_no_clocks_until_the_customer_writes_again(bench: Bench) -> None:
    ticket = bench.opened(before_cutoff=True)
    detail = bench.ticket(ticket)
    assert (detail.clocks, detail.waiting_since, detail.status) == ((), None, "open")
    bench.clock.advance(60)
    bench.follow_up(ticket)
    assert {clock.started_at for clock in bench.ticket(ticket).clocks} == {bench.clock.now()}
    assert bench.rows("SELECT no_clocks FROM ticket") == [(0,)]


def test_the_cursor_moves_with_the_items_or_not_at_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = CursorMove("support", "INBOX", 7, 42)
    item = bench.mail(source=Source("support", "INBOX", 7, 42))
    bench.desk.receive([item], move)
    assert bench.reads.cursor("support", "INBOX") == (7, 42)
    counts = "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM arrival)"
    before = bench.rows(counts)

    def broken(*_arguments: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("workflow.desk.refresh", broken)
    with pytest.raises(RuntimeError):
        bench.desk.receive([bench.mail()], CursorMove("support", "INBOX", 7, 43))
    assert bench.reads.cursor("support", "INBOX") == (7, 42)
    assert bench.rows(counts) == before


def test_the_cursor_never_goes_back_within_a_validity(bench: Bench) -> None:
    for move, expected in (
        (CursorMove("support", "INBOX", 7, 42), (7, 42)),
        (CursorMove("support", "INBOX", 7, 40), (7, 42)),
        (CursorMove("support", "INBOX", 8, 3), (8, 3)),
    ):
        bench.desk.receive([], move)
        assert bench.reads.cursor("support", "INBOX") == expected


def test_a_place_that_is_shown_again_keeps_its_first_entry(bench: Bench) -> None:
    item = bench.mail(source=Source("support", "INBOX", 7, 1))
    assert bench.take(item)[0].outcome is Intake.CREATED
    assert bench.take(item)[0].outcome is Intake.DUPLICATE
    assert bench.rows("SELECT position, outcome FROM arrival") == [(1, "created")]


def test_every_item_has_an_entry_in_the_ledger(bench: Bench) -> None:
    places = [Source("support", "INBOX", 7, n) for n in range(1, 4)]
    first = bench.mail("a", source=places[0])
    bench.take(
        first,
        bench.mail("b", source=places[1], held_cause="x"),
        mail(bench.clock.now(), "a", source=places[2]),
    )
    assert bench.rows("SELECT position, outcome, held_id FROM arrival ORDER BY position") == [
        (1, "created", None),
        (2, "held", 1),
        (3, "duplicate", None),
    ]


def corpus(bench: Bench, size: int, seed: int) -> list[Inbound]:
    """Mail of every kind in an order that a mailbox might have."""
    random, start = Random(seed), bench.clock.now() - timedelta(hours=20)
    items: list[Inbound] = []
    for number in range(size):
        at = start + timedelta(minutes=number * random.random() * 5)
        changes: dict[str, object] = {
            "sender": f"person{random.randrange(size // 5)}@customer.example",
            "source": Source("support", "INBOX", 7, number + 1),
            "automatic": random.random() < 0.1,
        }
        kind = random.random()
        if items and kind < 0.4:
            changes["in_reply_to"] = (random.choice(items).message_id,)
        elif items and kind < 0.5:
            answered = [random.choice(items).message_id for _ in range(3)]
            changes["references"] = tuple(answered)
        elif items and kind < 0.55:
            items.append(random.choice(items))
            continue
        elif kind < 0.6:
            changes["held_cause"] = "too large"
        elif kind < 0.65:
            changes |= {"own": True, "sender": "support@desk.example"}
        elif items and kind < 0.7:
            changes["message_id"] = random.choice(items).message_id
        if random.random() < 0.2:
            changes["attachments"] = (Attachment("a.pdf", "application/pdf", 3, "0" * 64),)
        items.append(mail(at, f"k{number}", **changes))
    return items


CONTENT = (
    """SELECT id, subject, status, customer_id, created_at, waiting_since, last_message_at,
    last_direction, last_line, message_count, urgency, sentiment, contacts, set_by,
    next_metric, next_due_at, due_rank, no_clocks FROM ticket""",
    "SELECT id, ticket_id, direction, author, at, message_id, matched_by, dedupe_key FROM message",
    "SELECT message_id, name FROM attachment ORDER BY id",
    "SELECT at, name, ticket_id, actor, cause, data FROM event WHERE name <> 'x' ORDER BY ticket_id, at, name, data",
    "SELECT id, cause, dedupe_key FROM held",
    "SELECT position, outcome, message_row, held_id FROM arrival ORDER BY position",
    "SELECT id, name FROM customer",
    "SELECT customer_id, value FROM identity ORDER BY id",
    "SELECT ticket_id, metric, state, due_at, remaining_s FROM clock ORDER BY ticket_id, metric",
    "SELECT rowid FROM message_fts WHERE message_fts MATCH 'text' ORDER BY rowid",
)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_is_the_same_as_its_items_one_by_one(
    tmp_path: Path, clock: ManualClock, seed: int
) -> None:
    whole, single = (Bench(tmp_path / name, clock) for name in ("whole", "single"))
    items = corpus(whole, 300, seed)
    together = whole.take(*items)
    apart = [single.take(item)[0] for item in items]
    assert together == apart
    assert {each.outcome for each in together} == set(Intake)
    for sql in CONTENT:
        assert whole.rows(sql) == single.rows(sql)
    whole.close()
    single.close()


def test_the_number_of_statements_does_not_grow_with_the_batch(
    tmp_path: Path, clock: ManualClock
) -> None:
    counts = []
    for size in (150, 380):
        bench = Bench(tmp_path / str(size), clock)
        # Something to look up that is there already.
        bench.take(*corpus(bench, 20, 9))
        seen: list[str] = []
        event.listen(
            bench.store._engine,
            "before_cursor_execute",
            lambda _c, _cu, statement, *_rest, seen=seen: seen.append(statement),
        )
        bench.take(*(corpus(bench, size, 3)))
        counts.append(len(seen))
        bench.close()
    assert counts[0] == counts[1]
    assert counts[0] < 60
