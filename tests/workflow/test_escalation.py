"""Moving up, accepting, climbing when nobody does, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.bench import ANA, BEN, SETTINGS, Bench, mail
from workflow.actions import (
    Accept,
    Assign,
    CancelSend,
    Escalate,
    HandBack,
    SetField,
    SetStatus,
)
from workflow.clock import ManualClock
from workflow.errors import Refusal, UsageError
from workflow.escalation_rules import FILE
from workflow.inbound import Party
from workflow.model import Actor, Direction
from workflow.plaintext import printable
from workflow.rulebook import RuleBook
from workflow.settings import AgentSettings, GroupSettings
from workflow.store.rows import EscalationDetail, MessageDetail
from workflow.timers import fire_due

MINUTE = 60
RULES = """\
reasons = ["technical", "refund over limit"]

[[level]]
name = "L2"
accept_within = "20m"
notify = ["oncall@desk.example"]

[[level]]
name = "lead"
accept_within = "10m"
"""
LEA = Actor.agent("lea")
HOSTILE = "\x1b]0;x\x07\x1b[31m[red]{{ secret }}\u202eevil\nPromised: everything\r\n"


class Desk(Bench):
    """A desk with three levels."""

    def __init__(self, home: Path, clock: ManualClock, rules: str | None = RULES) -> None:
        settings = replace(
            SETTINGS,
            agents=(*SETTINGS.agents, AgentSettings("lea", "lea@desk.example", ("leads",), "lead")),
            groups=(*SETTINGS.groups, GroupSettings("leads", "lead")),
        )
        (home / "workflow").mkdir(parents=True, exist_ok=True)
        if rules is not None:
            (home / FILE).write_text(rules)
        super().__init__(home, clock, settings)
        self.desk.rule_book = RuleBook(home, settings)

    def escalated(self, **said: Any) -> int:
        """A ticket of ana's that she has moved up to L2."""
        ticket = self.opened()
        self.do(Assign(ticket, assignee="ana", group="support"))
        self.do(Escalate(ticket, said.pop("reason", "technical"), **said))
        return ticket

    def open_escalation(self, ticket: int) -> EscalationDetail:
        """The escalation that stands."""
        found = self.ticket(ticket).escalation
        assert found is not None
        return found

    def packet(self, ticket: int) -> MessageDetail:
        """The newest packet."""
        return [m for m in self.ticket(ticket).messages if m.author == "escalation"][-1]

    def owner(self, ticket: int) -> tuple[str | None, str | None, str | None]:
        """Group, level and assignee."""
        detail = self.ticket(ticket)
        return detail.group_name, detail.level, detail.assignee

    def event(self, ticket: int, name: str) -> list[dict[str, Any]]:
        """What the events of a name say."""
        return [event.data for event in self.ticket(ticket).events if event.name == name]


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    """A desk with levels L1, L2 and lead."""
    made = Desk(tmp_path, clock)
    yield made
    made.close()


def test_the_packet_says_what_the_next_person_needs(desk: Desk) -> None:
    earlier = desk.opened()
    desk.do(SetStatus(earlier, "resolved"))
    ticket = desk.opened(text="It says 502.", sender="maria@customer.example")
    desk.do(SetField(ticket, "tier", "vip"))
    desk.clock.advance(2 * 3600)
    wanted = desk.clock.now() + timedelta(hours=1)
    desk.do(Escalate(ticket, "Technical", None, "restart\ntwice", "the log", wanted, "today"))
    text = desk.packet(ticket).text
    for part in (
        f"technical: #{ticket} subject of",
        "the customer has waited 2 h",
        "To L2 (experts), by ana",
        "Accept within 20 min, until ",
        f": deskhand accept {ticket}",
        "tier vip",
        "Tried: restart\n    twice\nNeeded: the log\nBy: ",
        "Promised: today",
        "first response: 6 h left, due",
        f"#{earlier} subject of mail1: resolved",
        "maria@customer.example: It says 502.",
    ):
        assert part in text, part
    found = desk.open_escalation(ticket)
    assert found.ack_due_at == desk.clock.now() + timedelta(minutes=20)
    assert (found.reason, found.tried, found.wanted_by) == ("technical", "restart\ntwice", wanted)


def test_the_people_of_the_level_are_told_and_nobody_else(desk: Desk) -> None:
    ticket = desk.escalated()
    item = desk.reads.outbox()[0]
    assert item.recipients == ("ben@desk.example", "oncall@desk.example")
    assert item.subject == f"[#{ticket}] Escalated to L2: technical - subject of mail1"
    raw = desk.files.read(desk.packet(ticket).raw_sha256 or "")
    assert b"maria@customer.example" not in raw.partition(b"\r\n\r\n")[0]
    assert desk.event(ticket, "ticket.escalated")[0]["told"] == list(item.recipients)
    assert desk.send() == 1
    assert desk.packet(ticket).delivery == "sent"
    sent = desk.event(ticket, "message.sent")[0]
    assert sent["human"] is False
    detail = desk.ticket(ticket)
    assert {clock.state for clock in detail.clocks} == {"running"}
    assert detail.waiting_since is not None
    assert desk.reads.rows([ticket])[0].last_direction == "in"


def test_a_customer_who_is_in_the_team_too_is_not_told(desk: Desk) -> None:
    ticket = desk.opened(sender="ben@desk.example".upper(), own=False)
    desk.do(Escalate(ticket, "technical"))
    assert desk.reads.outbox()[0].recipients == ("oncall@desk.example",)


def test_without_addresses_the_note_stands_alone_and_says_so(
    tmp_path: Path, clock: ManualClock
) -> None:
    desk = Desk(tmp_path, clock, '[[level]]\nname = "third"\n')
    ticket = desk.opened()
    said = desk.do(Escalate(ticket, "anything"))[0].summary
    assert "nobody of the level has a mail address" in said
    assert desk.reads.outbox() == []
    assert desk.packet(ticket).delivery is None
    assert desk.event(ticket, "ticket.escalated")[0]["not_told"].startswith("nobody of the level")
    desk.close()


def test_what_the_team_answers_to_the_packet_is_a_note_and_no_reply(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.send()
    packet = desk.packet(ticket)
    answer: dict[str, Any] = {"in_reply_to": (packet.message_id,), "text": "looking into it"}
    to_us = (Party("", "support@desk.example"),)
    desk.take(desk.mail(sender="ben@desk.example", own=True, to=to_us, **answer))
    desk.take(desk.mail(sender="oncall@desk.example", **answer))
    detail = desk.ticket(ticket)
    assert [m.direction for m in detail.messages] == ["in", "note", "note", "note"]
    assert detail.messages[-2].author == "ben"
    assert {clock.state for clock in detail.clocks} == {"running"}
    # The copy in the Sent folder is no message either.
    copy = replace(mail(desk.clock.now(), "copy"), own=True, message_id=packet.message_id)
    assert desk.take(copy)[0].outcome == "duplicate"
    # What also goes to the customer is a reply.
    others = (Party("", "maria@customer.example"),)
    desk.take(desk.mail(sender="ben@desk.example", own=True, to=others, **answer))
    assert desk.ticket(ticket).messages[-1].direction == Direction.OUT


def test_nobody_accepts_and_the_next_level_is_told_once_on_time(desk: Desk) -> None:
    ticket = desk.escalated(tried="restart", promised="today")
    first = desk.open_escalation(ticket)
    assert desk.reads.next_timer() == first.ack_due_at
    desk.clock.advance(20 * MINUTE - 1)
    assert fire_due(desk.desk) == 0
    desk.clock.advance(1)
    assert fire_due(desk.desk) == 2
    assert fire_due(desk.desk) == 0
    now = desk.open_escalation(ticket)
    assert (now.from_level, now.to_level, now.climbed_from) == ("L2", "lead", first.id)
    assert (now.by, now.reason, now.tried, now.promised) == (
        "engine", "technical", "restart", "today",
    )  # fmt: skip
    assert now.ack_due_at == desk.clock.now() + timedelta(minutes=10)
    assert desk.owner(ticket) == ("leads", "lead", None)
    assert "Nobody of L2 accepted within 20 min." in desk.packet(ticket).text
    assert desk.reads.outbox()[-1].recipients == ("lea@desk.example",)
    assert desk.names(ticket)[-4:] == [
        "escalation.unacknowledged", "ticket.escalated", "note.added", "message.queued",
    ]  # fmt: skip


def test_at_the_top_it_is_told_once_and_stays(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.clock.advance(20 * MINUTE)
    fire_due(desk.desk)
    desk.clock.advance(10 * MINUTE)
    assert fire_due(desk.desk) == 1
    assert fire_due(desk.desk) == 0
    assert desk.reads.next_timer() != desk.open_escalation(ticket).ack_due_at
    told = desk.event(ticket, "escalation.unacknowledged")
    assert [(data["level"], data["next"]) for data in told] == [("L2", "lead"), ("lead", None)]
    assert desk.ticket(ticket).level == "lead"


def test_a_late_pass_climbs_one_level_and_gives_it_its_whole_time(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.clock.advance(3 * 3600)
    assert fire_due(desk.desk) == 2
    assert fire_due(desk.desk) == 0
    assert desk.open_escalation(ticket).ack_due_at == desk.clock.now() + timedelta(minutes=10)


def test_whoever_accepts_has_it_and_nothing_climbs(desk: Desk) -> None:
    ticket = desk.escalated()
    row = desk.reads.rows([ticket])[0]
    assert row.ack_due_ms is not None
    assert row.accepted_by is None
    desk.clock.advance(5 * MINUTE)
    desk.do(Accept(ticket), actor=BEN)
    found = desk.open_escalation(ticket)
    assert (found.accepted_by, found.accepted_at) == ("ben", desk.clock.now())
    assert desk.owner(ticket) == ("experts", "L2", "ben")
    assert desk.reads.rows([ticket])[0].accepted_by == "ben"
    events = desk.names(ticket)
    desk.do(Accept(ticket), actor=BEN)
    assert desk.names(ticket) == events
    with pytest.raises(Refusal, match="was accepted by ben"):
        desk.do(Accept(ticket), actor=LEA)
    desk.clock.advance(60 * MINUTE)
    assert fire_due(desk.desk) == 0


def test_a_resolved_ticket_does_not_climb_until_it_is_open_again(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.do(SetStatus(ticket, "resolved"))
    desk.clock.advance(30 * MINUTE)
    assert fire_due(desk.desk) == 0
    desk.do(SetStatus(ticket, "open"))
    assert fire_due(desk.desk) == 2


@pytest.mark.parametrize("climbs", [False, True])
def test_hand_back_is_as_if_nothing_had_happened(desk: Desk, climbs: bool) -> None:
    ticket, twin = desk.opened(), desk.opened()
    for number in (ticket, twin):
        desk.do(Assign(number, assignee="ana", group="support"))
    desk.clock.advance(MINUTE)
    desk.do(Escalate(ticket, "technical"))
    desk.send()
    desk.clock.advance(25 * MINUTE if climbs else MINUTE)
    fire_due(desk.desk)
    desk.send()
    desk.do(Accept(ticket), actor=LEA)
    desk.clock.advance(MINUTE)
    desk.do(HandBack(ticket, "use the other form"), actor=LEA)
    one, other = desk.ticket(ticket), desk.ticket(twin)
    assert one.clocks == other.clocks
    assert one.waiting_since == other.waiting_since
    assert desk.owner(ticket) == desk.owner(twin) == ("support", "L1", "ana")
    assert one.escalation is None
    assert desk.reads.rows([ticket])[0].escalated_to is None
    assert one.messages[-1].author == "lea"
    assert one.messages[-1].text.endswith("use the other form")
    for number in (ticket, twin):
        desk.clock.advance(MINUTE)
        desk.reply(number)
    desk.send()
    first, second = (
        next(c for c in desk.ticket(n).clocks if c.metric == "first_response")
        for n in (ticket, twin)
    )
    assert (first.state, first.remaining_s) == (second.state, second.remaining_s)
    with pytest.raises(Refusal, match="is not escalated"):
        desk.do(HandBack(ticket))
    with pytest.raises(Refusal, match="is not escalated"):
        desk.do(Accept(ticket))


def test_hand_back_after_two_steps_by_hand_goes_to_where_it_began(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.do(Escalate(ticket, "technical"), actor=BEN)
    assert desk.owner(ticket)[1] == "lead"
    desk.do(HandBack(ticket), actor=LEA)
    assert desk.owner(ticket) == ("support", "L1", "ana")


CHANGES: list[Callable[[Desk, int], object]] = [
    lambda d, t: d.do(Accept(t)),
    lambda d, t: d.do(HandBack(t, "no")),
    lambda d, t: d.do(Escalate(t, "technical")),
    lambda d, t: d.do(Accept(t), HandBack(t), Escalate(t, "technical")),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
@pytest.mark.parametrize("left", [False, True])
def test_each_is_undone_and_redone(
    desk: Desk, change: Callable[[Desk, int], object], left: bool
) -> None:
    ticket = desk.escalated()
    desk.send()
    before = (desk.ticket(ticket).escalation, desk.owner(ticket))
    shown = desk.reads.rows([ticket])[0].escalated_to
    change(desk, ticket)
    after = (desk.ticket(ticket).escalation, desk.owner(ticket))
    assert after != before
    if left:
        desk.send()
    for _ in range(2):
        desk.desk.undo(ANA)
        assert (desk.ticket(ticket).escalation, desk.owner(ticket)) == before
        assert desk.reads.rows([ticket])[0].escalated_to == shown
        desk.desk.redo(ANA)
        assert (desk.ticket(ticket).escalation, desk.owner(ticket)) == after
    desk.desk.undo(ANA)
    assert desk.send() == 0, "what was taken back tells nobody"
    assert desk.reads.draft("ana", ticket, "reply") is None


def test_an_escalation_that_was_accepted_is_not_undone(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.do(Accept(ticket), actor=BEN)
    with pytest.raises(Refusal, match="accepted by ben since: hand it back"):
        desk.desk.undo(ANA)


def test_a_mail_that_is_cancelled_leaves_the_note_and_becomes_nobodys_draft(desk: Desk) -> None:
    ticket = desk.escalated()
    desk.do(CancelSend(desk.reads.outbox()[0].id))
    assert desk.packet(ticket).delivery is None
    assert desk.reads.draft("ana", ticket, "reply") is None
    desk.desk.undo(ANA)
    assert desk.send() == 1


def test_hostile_words_in_every_field_come_out_as_text(desk: Desk) -> None:
    ticket = desk.opened(
        subject=printable(HOSTILE, multiline=False), text=printable(HOSTILE), sender="x@y.example"
    )
    desk.do(SetField(ticket, "company", HOSTILE), SetField(ticket, "tier", HOSTILE))
    desk.do(Escalate(ticket, "technical", None, HOSTILE, HOSTILE, None, HOSTILE))
    desk.do(HandBack(ticket, HOSTILE))
    detail = desk.ticket(ticket)
    for message in detail.messages:
        for bad in ("\x1b", "\x07", "\u202e", "\r"):
            assert bad not in message.text
            assert bad not in message.subject
    lines = desk.packet(ticket).text.split("\n")
    assert sum(line.startswith("Promised:") for line in lines) == 1, "no field can be forged"
    assert any("[red]{{ secret }}" in line for line in lines), "it is shown as it was typed"
    raw = desk.files.read(desk.packet(ticket).raw_sha256 or "")
    assert b"\x1b" not in raw
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert names == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"X-Loop",
        b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version",
    ]  # fmt: skip


def test_a_reason_must_be_one_of_the_teams(desk: Desk) -> None:
    ticket = desk.opened()
    with pytest.raises(UsageError, match="there are technical, refund over limit"):
        desk.do(Escalate(ticket, "bored"))


def test_without_a_file_the_groups_are_the_levels_with_half_an_hour(
    tmp_path: Path, clock: ManualClock
) -> None:
    desk = Desk(tmp_path, clock, None)
    ticket = desk.escalated(reason="any word will do")
    assert desk.open_escalation(ticket).ack_due_at == clock.now() + timedelta(minutes=30)
    clock.advance(30 * MINUTE)
    assert fire_due(desk.desk) == 2
    assert desk.ticket(ticket).level == "lead"
    desk.close()
