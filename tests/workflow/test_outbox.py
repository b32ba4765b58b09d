"""The way out: one message is at most one send, and a fate that is not known is a person's."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.workflow.bench import Bench
from workflow.actions import CancelSend, RetrySend
from workflow.errors import NotFound, Refusal
from workflow.outbox import (
    UNKNOWN_FATE,
    Claim,
    claim,
    mark_copied,
    mark_failed,
    mark_past_the_dot,
    mark_retry,
    mark_sent,
    recover,
    uncopied,
)
from workflow.store.rows import OutboxRow
from workflow.store.store import Store

ACCOUNTS = ["support"]


def queued(bench: Bench) -> int:
    return bench.reply(bench.opened()).outbox_id or 0


def item(bench: Bench, number: int) -> OutboxRow:
    found = bench.reads.outbox_item(number)
    assert found is not None
    return found


def test_what_is_due_is_claimed_in_its_order_and_once(bench: Bench) -> None:
    late = bench.reply(bench.opened(), undo_window_s=60).outbox_id
    first, second = queued(bench), queued(bench)
    assert [each.id for each in claim(bench.desk, "one", ACCOUNTS)] == [first, second]
    assert claim(bench.desk, "two", ACCOUNTS) == []
    bench.clock.advance(60)
    assert claim(bench.desk, "one", ["another account"]) == []
    claims = claim(bench.desk, "two", ACCOUNTS)
    assert [each.id for each in claims] == [late]
    assert claims[0].attempts == 1
    assert claims[0].recipients == ("maria@customer.example",)
    assert claims[0].from_address == "support@desk.example"
    assert item(bench, first).state == "sending"


def test_two_processes_never_claim_the_same_message(bench: Bench) -> None:
    numbers = [queued(bench) for _ in range(30)]
    found: list[Claim] = []
    stores = [Store.open(bench.store.path) for _ in range(2)]
    begin = threading.Barrier(2)

    def work(name: str, store: Store) -> None:
        desk = bench.another_desk(store)
        begin.wait(10)
        while claims := claim(desk, name, ACCOUNTS, limit=2):
            found.extend(claims)

    threads = [
        threading.Thread(target=work, args=(f"holder{n}", store)) for n, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for store in stores:
        store.close()
    assert sorted(each.id for each in found) == numbers


def test_sent_is_told_with_the_servers_answer(bench: Bench) -> None:
    number = queued(bench)
    claim(bench.desk, "one", ACCOUNTS)
    assert mark_past_the_dot(bench.desk, number, "one")
    mark_sent(bench.desk, number, "250 queued as 7F", note="bob@x.example was refused")
    assert (item(bench, number).state, item(bench, number).error) == (
        "sent",
        "bob@x.example was refused",
    )
    names = bench.names(1)
    assert names[-3:] == ["send.started", "send.accepted", "message.sent"]
    assert bench.ticket(1).events[-2].data["answer"] == "250 queued as 7F"


def test_pauses_grow_and_then_a_person_is_asked(bench: Bench) -> None:
    number = queued(bench)
    pauses = []
    for _ in range(39):
        claim(bench.desk, "one", ACCOUNTS)
        mark_retry(bench.desk, number, "greylisted")
        found = item(bench, number)
        assert (found.state, found.error) == ("queued", "greylisted")
        pauses.append((found.due_at - bench.clock.now()).total_seconds())
        assert claim(bench.desk, "one", ACCOUNTS) == []
        bench.clock.set(found.due_at)
    assert pauses[:8] == [30, 60, 120, 300, 600, 1200, 1800, 3600]
    assert set(pauses[8:]) == {3600}
    claim(bench.desk, "one", ACCOUNTS)
    mark_retry(bench.desk, number, "greylisted")
    assert item(bench, number).state == "failed"
    assert item(bench, number).error == "given up after 40 attempts; the last error: greylisted"


def test_a_dead_senders_mail_is_queued_again_unless_it_may_have_left(bench: Bench) -> None:
    before, after, mine = queued(bench), queued(bench), queued(bench)
    claim(bench.desk, "dead", ACCOUNTS, limit=2)
    claim(bench.desk, "alive", ACCOUNTS)
    assert mark_past_the_dot(bench.desk, after, "dead")
    assert recover(bench.desk, "alive", ["another account"]) == 0
    assert recover(bench.desk, "alive", ACCOUNTS) == 2
    assert item(bench, before).state == "queued"
    assert (item(bench, after).state, item(bench, after).error) == ("failed", UNKNOWN_FATE)
    assert item(bench, mine).state == "sending"
    assert recover(bench.desk, "alive", ACCOUNTS) == 0


def test_who_lost_the_claim_must_not_send_nor_queue_again(bench: Bench) -> None:
    number = queued(bench)
    claim(bench.desk, "slow", ACCOUNTS)
    recover(bench.desk, "new", ACCOUNTS)
    assert not mark_past_the_dot(bench.desk, number, "slow")
    mark_retry(bench.desk, number, "too late")
    assert item(bench, number).error is None
    claim(bench.desk, "new", ACCOUNTS)
    mark_retry(bench.desk, number, "too late", holder="slow")
    mark_failed(bench.desk, number, "too late", holder="slow")
    assert (item(bench, number).state, item(bench, number).error) == ("sending", None)
    assert mark_past_the_dot(bench.desk, number, "new")


def test_retry_takes_failed_and_queued_ones_and_refuses_the_others(bench: Bench) -> None:
    number = queued(bench)
    bench.do(RetrySend(number))
    claim(bench.desk, "one", ACCOUNTS)
    with pytest.raises(Refusal, match="is sending: only failed and queued"):
        bench.do(RetrySend(number))
    mark_failed(bench.desk, number, "550 no such user")
    bench.do(RetrySend(number))
    assert (item(bench, number).state, item(bench, number).error) == ("queued", None)
    assert bench.send() == 1
    for action in (RetrySend(number), CancelSend(number)):
        with pytest.raises(Refusal, match="sent"):
            bench.do(action)
    with pytest.raises(NotFound, match="no outbox item 99"):
        bench.do(RetrySend(99))


def test_a_cancelled_one_never_leaves(bench: Bench) -> None:
    number = queued(bench)
    bench.do(CancelSend(number))
    assert bench.send() == 0
    with pytest.raises(Refusal, match="cancelled"):
        bench.do(RetrySend(number))
    assert bench.ticket(1).messages[-1].delivery == "cancelled"


def test_the_copy_for_the_sent_folder_is_wanted_until_it_lies_there_or_cannot(bench: Bench) -> None:
    one, two = queued(bench), queued(bench)
    assert not bench.reads.copies_wanted("support")
    bench.send()
    assert bench.reads.copies_wanted("support")
    assert [each.id for each in uncopied(bench.desk, ACCOUNTS)] == [one, two]
    mark_copied(bench.desk, one)
    mark_copied(bench.desk, two, "no folder Sent")
    assert uncopied(bench.desk, ACCOUNTS) == []
    assert not bench.reads.copies_wanted("support")


def test_the_next_send_is_when_something_may_leave(bench: Bench) -> None:
    assert bench.reads.next_send(ACCOUNTS) is None
    bench.reply(bench.opened(), undo_window_s=40)
    assert bench.reads.next_send(ACCOUNTS) == bench.clock.now() + timedelta(seconds=40)
    assert bench.reads.next_send(["another"]) is None
