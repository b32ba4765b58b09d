"""Loops are stopped and people are not: what each cap counts, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.bench import SETTINGS, Bench
from workflow.actions import ReleaseHeld, RuleSender
from workflow.cap_settings import Cap, Caps, read_caps
from workflow.clock import ManualClock
from workflow.inbound import Source
from workflow.receive import Received

ROBOT = "robot@machine.example"


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Bench]:
    found = Bench(tmp_path, clock)
    yield found
    found.close()


def robots(bench: Bench, count: int, apart_s: float = 1, **changes: Any) -> list[Received]:
    """So many automatic mails, one after the other, in one batch."""
    items = []
    for number in range(count):
        fields = {
            "sender": ROBOT,
            "automatic": True,
            "subject": f"s{bench.number}",
            "source": Source("support", "INBOX", 1, bench.number + 1),
            **changes,
        }
        if isinstance(fields["sender"], list):
            fields["sender"] = fields["sender"][number]
        items.append(bench.mail(f"robot{bench.number}-{number}", **fields))
        bench.clock.advance(apart_s)
    return bench.take(*items)


def causes(found: list[Received]) -> list[str | None]:
    return [each.cause for each in found]


def evidence(bench: Bench) -> list[str]:
    return [row.evidence for row in bench.reads.held()]


def test_a_loop_on_a_ticket_is_held_with_its_numbers_and_stays_out(bench: Bench) -> None:
    ticket = bench.opened(message_id="<a@x>")
    senders = [f"robot{n}@machine.example" for n in range(12)]
    found = robots(bench, 12, in_reply_to=("<a@x>",), sender=senders)
    assert causes(found) == [None] * 10 + ["cap on a ticket"] * 2
    assert evidence(bench) == [
        f"{n} automatic messages on #{ticket} within 10 minutes, the cap is 10" for n in (12, 11)
    ]
    assert [row.ticket for row in bench.reads.held()] == [ticket, ticket]
    assert len(bench.ticket(ticket).messages) == 11
    # Another ticket and a person are not meant.
    assert bench.follow_up(ticket).cause is None
    other = bench.opened(message_id="<b@x>")
    assert robots(bench, 1, in_reply_to=("<b@x>",), sender="c@x.example")[0].ticket == other


def test_what_is_held_counts_so_that_a_loop_that_goes_on_stays_out(bench: Bench) -> None:
    bench.opened(message_id="<a@x>")
    # Six in ten minutes for hours: the longer windows stop it, and it never comes in again.
    senders = [f"r{n}@m.example" for n in range(60)]
    found = robots(bench, 60, 100, in_reply_to=("<a@x>",), sender=senders)
    let_in = [n for n, each in enumerate(found) if each.cause is None]
    assert let_in == list(range(15))
    assert evidence(bench)[-1].endswith("within 30 minutes, the cap is 15")


@pytest.mark.parametrize(
    ("apart_min", "through", "words"),
    [
        (0.5, 10, "10 minutes, the cap is 10"),
        (1.5, 15, "30 minutes, the cap is 15"),
        (2.2, 25, "1 hour, the cap is 25"),
        (3.0, 50, "3 hours, the cap is 50"),
        (4.0, 100, "10 hours, the cap is 100"),
        (7.0, None, ""),
    ],
)
def test_the_windows_of_a_ticket(
    bench: Bench, apart_min: float, through: int | None, words: str
) -> None:
    bench.opened(message_id="<a@x>")
    start = bench.clock.now()
    items = [
        bench.mail(
            f"k{n}",
            in_reply_to=("<a@x>",),
            automatic=True,
            sender=f"r{n}@m.example",
            reached_at=start + timedelta(minutes=apart_min * n),
        )
        for n in range(110)
    ]
    bench.clock.set(start + timedelta(minutes=apart_min * 110))
    found = causes(bench.take(*items))
    held = next((n for n, cause in enumerate(found) if cause), None)
    assert held == through
    assert not words or evidence(bench)[-1].endswith(words)


def test_answers_of_one_robot_over_many_tickets(bench: Bench) -> None:
    for n in range(12):
        bench.opened(message_id=f"<{n}@x>")
    found = [robots(bench, 1, 800, in_reply_to=(f"<{n}@x>",))[0] for n in range(12)]
    assert causes(found) == [None] * 10 + ["cap on a sender"] * 2
    assert evidence(bench)[-1] == f"11 automatic answers from {ROBOT} within 3 hours, the cap is 10"


def test_a_robot_that_opens_tickets_has_the_wider_windows(bench: Bench) -> None:
    assert causes(robots(bench, 12, 600)) == [None] * 12
    bench.clock.advance(86_400)
    found = robots(bench, 12)
    assert causes(found) == [None] * 10 + ["cap on a sender"] * 2
    assert (
        evidence(bench)[0] == f"12 automatic messages from {ROBOT} within 10 minutes, the cap is 10"
    )


def test_the_same_subject_stops_at_two(bench: Bench) -> None:
    bench.opened(message_id="<a@x>")
    subjects = ("Away", "Re: Away", "AW: Re:  away", "Something else")
    found = [robots(bench, 1, 60, in_reply_to=("<a@x>",), subject=s)[0] for s in subjects]
    assert causes(found) == [None, None, "cap on a subject", None]
    assert evidence(bench) == [
        f"3 automatic messages from {ROBOT} with the same subject within 3 hours, the cap is 2"
    ]
    bench.clock.advance(3 * 3600)
    assert robots(bench, 1, in_reply_to=("<a@x>",), subject="Away")[0].cause is None


def test_reports_of_delivery_are_many_of_one_server(bench: Bench) -> None:
    for n in range(15):
        bench.opened(message_id=f"<{n}@x>")
    report = {
        "sender": "mailer-daemon@mx.example",
        "subject": "Undelivered",
        "bounce": {"kind": "soft"},
    }
    found = [robots(bench, 1, in_reply_to=(f"<{n}@x>",), **report)[0] for n in range(15)]
    assert causes(found) == [None] * 15
    assert (
        causes(robots(bench, 11, in_reply_to=("<0@x>",), **report))[-2:] == ["cap on a ticket"] * 2
    )


def test_a_customer_who_writes_a_lot_is_heard(bench: Bench) -> None:
    bench.opened(message_id="<a@x>")
    person = {"automatic": False, "sender": "maria@customer.example", "in_reply_to": ("<a@x>",)}
    found = robots(bench, 101, 5, **person)
    assert causes(found) == [None] * 100 + ["cap on a sender"]
    assert evidence(bench) == [
        "101 answers from maria@customer.example within 10 hours, the cap is 100"
    ]
    fresh = {**person, "in_reply_to": ()}
    assert causes(robots(bench, 30, **fresh)) == [None] * 30, "what opens tickets is no loop"


def test_the_cap_of_the_desk(bench: Bench) -> None:
    start = bench.clock.now()
    items = [
        bench.mail(f"k{n}", automatic=True, sender=f"r{n}@m.example", reached_at=start)
        for n in range(603)
    ]
    assert causes(bench.take(*items)) == [None] * 600 + ["cap of the desk"] * 3
    assert evidence(bench)[0] == "603 automatic messages in all within 1 hour, the cap is 600"


@pytest.mark.parametrize(
    "changes",
    [
        {"before_cutoff": True},
        {"own": True, "sender": "ana@desk.example"},
        {"conversation": "chat:1", "automatic": False},
        {"reached_at": None},
    ],
)
def test_history_chats_and_our_own_trip_nothing(bench: Bench, changes: dict[str, Any]) -> None:
    bench.opened(message_id="<a@x>")
    if "reached_at" in changes:
        # Lay on the server for two days.
        changes = {"reached_at": bench.clock.now() - timedelta(days=2)}
    assert set(causes(robots(bench, 120, in_reply_to=("<a@x>",), **changes))) == {None}


def test_a_released_one_passes_and_an_allowed_sender_too(bench: Bench) -> None:
    ticket = bench.opened(message_id="<a@x>")
    loop = {"in_reply_to": ("<a@x>",), "subject": "Away"}
    held = robots(bench, 3, **loop)[2].held
    assert held
    bench.files.put(b"From: robot@machine.example\nIn-Reply-To: <a@x>\nSubject: Away\n\nAway\n")
    with bench.store.write(bench.clock.now()) as transaction:
        digest = bench.files.put(b"From: robot@machine.example\nIn-Reply-To: <a@x>\n\nAway\n")
        transaction.connection.exec_driver_sql("UPDATE held SET raw_sha256 = ?", (digest,))
    assert bench.do(ReleaseHeld(held))[0].ticket == ticket
    assert robots(bench, 1, **loop)[0].cause == "cap on a subject"
    bench.do(RuleSender(ROBOT, True))
    assert causes(robots(bench, 20, **loop)) == [None] * 20


def test_one_batch_is_counted_as_one_by_one(bench: Bench) -> None:
    bench.opened(message_id="<a@x>")
    loop = [
        bench.mail(f"k{n}", in_reply_to=("<a@x>",), automatic=True, sender=ROBOT, subject="Away")
        for n in range(5)
    ]
    assert causes(bench.take(*loop)) == [None, None, *["cap on a subject"] * 3]


def test_the_teams_own_numbers(tmp_path: Path, clock: ManualClock) -> None:
    from dataclasses import replace

    caps = read_caps({"subject": [], "ticket": ["3/1h"], "answers": ["100/1h"]})
    bench = Bench(tmp_path, clock, replace(SETTINGS, caps=caps))
    bench.opened(message_id="<a@x>")
    found = causes(robots(bench, 5, in_reply_to=("<a@x>",), subject="Away"))
    assert found == [None] * 3 + ["cap on a ticket"] * 2
    bench.close()


def test_what_is_written_for_a_cap() -> None:
    assert read_caps({}) == Caps()
    assert read_caps({"desk": ["9/2h", "5/90s"]}).desk == (Cap(5, 90), Cap(9, 7200))
    for wrong in ("10", "10/x", "0/1h", "10/8d", 10, "-1/1h", "10/0s"):
        with pytest.raises(ValueError, match="is no cap: write how many in what time"):
            read_caps({"desk": [wrong]})
    with pytest.raises(ValueError, match="there is no cap 'tickets'"):
        read_caps({"tickets": []})
    with pytest.raises(ValueError, match="must be a list"):
        read_caps({"desk": "10/1h"})
