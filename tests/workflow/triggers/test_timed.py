"""Rules that time fires, and escalation by rule."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.workflow.triggers.ruled import Ruled, trigger
from workflow.actions import HandBack, SetStatus
from workflow.clock import ManualClock, parse_moment
from workflow.escalation_rules import FILE as ESCALATION
from workflow.timers import fire_due

CALENDARS = """\
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
"""
OFFICE = "workflow/calendars.toml"
LEVELS = """\
[[level]]
name = "L1"
group = "support"

[[level]]
name = "L2"
group = "experts"

[[level]]
name = "lead"
group = "leads"

"""


def at(clock: ManualClock, desk: Ruled, moment: str) -> int:
    clock.set(parse_moment(moment))
    return fire_due(desk.desk)


def test_after_a_time_unless_something_comes_between(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        trigger("remind", "message sent", 'note = "remind"', 'after = "3d"', 'unless = "message in"',
                'when = "status:pending"')
    )  # fmt: skip
    quiet, answered, open_again = (desk.opened() for _ in range(3))
    for ticket in (quiet, answered, open_again):
        desk.reply(ticket, to_status="pending")
    desk.send()
    assert fire_due(desk.desk) == 0
    clock.advance(86_400)
    desk.follow_up(answered)
    desk.do(SetStatus(answered, "pending"), SetStatus(open_again, "open"))
    fire_due(desk.desk)
    assert at(clock, desk, "2026-11-26T08:59:59Z") == 0 or desk.fired(quiet) == []
    at(clock, desk, "2026-11-26T09:00:00Z")
    assert [said["on"] for said in desk.fired(quiet)] == ["3 days after message sent"]
    assert desk.fired(answered) == desk.fired(open_again) == []
    assert desk.rows("SELECT count(*) FROM rule_timer") == [(0,)]


def test_working_time_of_a_calendar(desk: Ruled, clock: ManualClock) -> None:
    desk.write(CALENDARS, OFFICE)
    desk.write(trigger("x", "message in", 'note = "x"', 'after = "2h"', 'calendar = "office"'))
    clock.set(parse_moment("2026-11-27T15:00:00Z"))  # Friday, an hour before closing
    ticket = desk.opened()
    at(clock, desk, "2026-11-30T08:59:59Z")
    assert desk.fired(ticket) == []
    at(clock, desk, "2026-11-30T09:00:00Z")
    assert len(desk.fired(ticket)) == 1


def test_times_that_come_again_make_up_for_one_missed_time_only(
    desk: Ruled, clock: ManualClock
) -> None:
    desk.write(CALENDARS, OFFICE)
    desk.write(
        '[[trigger]]\nname = "stale"\nevery = "weekdays 09:00"\ncalendar = "office"\n'
        'when = "status:new"\ndo = { add_tags = "stale", note = "look" }\n'
    )
    first, second, done = desk.opened(), desk.opened(), desk.opened()
    desk.do(SetStatus(done, "open"))
    fire_due(desk.desk)
    at(clock, desk, "2026-11-24T07:59:59Z")
    assert desk.fired(first) == []
    # A pass that is two days late.
    at(clock, desk, "2026-11-26T07:00:00Z")
    assert (len(desk.fired(first)), len(desk.fired(second)), desk.fired(done)) == (1, 1, [])
    at(clock, desk, "2026-11-26T08:00:00Z")
    assert len(desk.fired(first)) == 2
    at(clock, desk, "2026-11-28T12:00:00Z")
    assert len(desk.fired(first)) == 3
    at(clock, desk, "2026-11-29T12:00:00Z")
    assert len(desk.fired(first)) == 3


def test_a_digest_tells_of_all_tickets_at_once(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        '[[trigger]]\nname = "monday"\nevery = "monday 08:00"\nwhen = "is:unassigned"\ndigest = true\n'
        'do = { notify = "leads", run = ["/bin/true"] }\n'
    )
    one, two = desk.opened(), desk.opened()
    at(clock, desk, "2026-11-30T08:00:00Z")
    (said,) = desk.fired(None)
    assert said["tickets"] == [one, two]
    kinds = [kind for kind, _state, _target in desk.notices()]
    assert kinds == ["desktop", "mail", "program"]
    (body,) = desk.rows("SELECT body FROM notice WHERE kind = 'program'")
    assert [ticket["id"] for ticket in json.loads(body[0])["tickets"]] == [one, two]


def test_a_timer_of_a_rule_that_is_gone_does_nothing(desk: Ruled, clock: ManualClock) -> None:
    desk.write(trigger("x", "created", 'note = "x"', 'after = "1h"'))
    ticket = desk.opened()
    desk.write(trigger("y", "created", 'note = "y"'))
    clock.advance(7_200)
    fire_due(desk.desk)
    assert desk.fired(ticket) == []
    assert desk.rows("SELECT count(*) FROM rule_timer") == [(0,)]


def test_unanswered_is_on_the_tickets_own_clock(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        '[[trigger]]\nname = "ten"\nunanswered = "10m"\ndo = { notify = "assignee", note = "hurry" }\n'
    )
    slow, quick = desk.opened(), desk.opened()
    clock.advance(300)
    desk.reply(quick)
    desk.send()
    clock.advance(299)
    fire_due(desk.desk)
    assert desk.fired(slow) == []
    clock.advance(1)
    fire_due(desk.desk)
    fire_due(desk.desk)
    assert [said["on"] for said in desk.fired(slow)] == ["unanswered for 10 minutes"]
    assert desk.fired(quick) == []


# -- escalation


def test_a_rule_moves_up_with_the_packet_and_not_twice(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        LEVELS
        + '[[rule]]\nname = "late"\nunanswered = "2h"\nto = "L2"\nreason = "too late"\n'
        + 'tried = "nothing yet"\nmatch = "-tag:slow"\nurgent = true\n\n'
        + '[[rule]]\nname = "again"\non = "note"\nto = "L2"\nonce = "never"\n',
        ESCALATION,
    )
    ticket = desk.opened()
    clock.advance(7_200)
    fire_due(desk.desk)
    packet = desk.ticket(ticket).escalation
    assert packet is not None
    assert (packet.by, packet.to_level, packet.reason) == ("rule:late", "L2", "too late")
    assert packet.ack_due_at == clock.now() + timedelta(minutes=30)
    event = next(e for e in desk.ticket(ticket).events if e.name == "ticket.escalated")
    assert (event.actor, event.cause) == ("rule:late", "escalation.toml:13")
    # The packet's own note fired the other rule: it is there already.
    assert [said.get("kept") for said in desk.fired(ticket)] == [
        None,
        [f"#{ticket} is at L2 already"],
    ]
    # Nobody accepts: it climbs as by hand.
    clock.advance(1_800)
    fire_due(desk.desk)
    climbed = desk.ticket(ticket).escalation
    assert climbed is not None
    assert (climbed.to_level, climbed.climbed_from) == ("lead", packet.id)
    # What was handed back stays there.
    desk.do(HandBack(ticket))
    clock.advance(7_200)
    fire_due(desk.desk)
    assert (
        desk.ticket(ticket).escalation is None or desk.ticket(ticket).escalation.by != "rule:late"
    )  # type: ignore[union-attr]


def test_a_policy_escalates_what_is_unresolved(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        '[[policy]]\nname = "All"\nfirst_response = "1h"\nresolution = "4h"\nescalate_unresolved = "3h"\n',
        "workflow/sla.toml",
    )
    desk.write(LEVELS, ESCALATION)
    ticket = desk.opened()
    clock.advance(3 * 3_600)
    fire_due(desk.desk)
    packet = desk.ticket(ticket).escalation
    assert packet is not None
    assert (packet.by, packet.to_level) == ("policy:All", "L2")
    assert packet.reason == "unresolved for 3 hours"
    (said,) = desk.fired(ticket)
    assert (said["rule"], said["file"]) == ("policy:All", "sla.toml:1")


@pytest.mark.parametrize(
    ("urgent", "due"), [("true", "2026-11-27T22:00:00Z"), ("false", "2026-11-30T08:00:00Z")]
)
def test_the_team_is_told_in_its_hours_unless_it_is_urgent(
    desk: Ruled, clock: ManualClock, urgent: str, due: str
) -> None:
    desk.write(CALENDARS, OFFICE)
    desk.desk.settings = desk.settings = replace(
        desk.settings,
        agents=tuple(replace(agent, notify_hours="office") for agent in desk.settings.agents),
    )
    desk.write(
        LEVELS + f'[[rule]]\nname = "x"\non = "created"\nto = "lead"\nurgent = {urgent}\n',
        ESCALATION,
    )
    clock.set(parse_moment("2026-11-27T22:00:00Z"))
    ticket = desk.opened()
    assert desk.ticket(ticket).escalation is not None
    (mail,) = desk.reads.outbox()
    assert mail.recipients == ("lea@desk.example",)
    assert mail.due_at == parse_moment(due)
    (notice,) = desk.rows("SELECT kind, due_at FROM notice")
    assert notice == ("desktop", int(parse_moment(due).timestamp() * 1000))


def test_an_acknowledgement_runs_in_the_hours_of_its_level(desk: Ruled, clock: ManualClock) -> None:
    desk.write(CALENDARS, OFFICE)
    desk.write(
        '[[level]]\nname = "L2"\ngroup = "experts"\ncalendar = "office"\naccept_within = "1h"\n\n'
        '[[rule]]\nname = "x"\non = "created"\nto = "L2"\n',
        ESCALATION,
    )
    clock.set(parse_moment("2026-11-27T15:30:00Z"))
    packet = desk.ticket(desk.opened()).escalation
    assert packet is not None
    assert packet.ack_due_at == parse_moment("2026-11-30T08:30:00Z")
