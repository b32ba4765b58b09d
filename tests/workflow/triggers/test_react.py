"""Rules that events fire: in order, once, each in a change of its own; and what keeps them in check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workflow.bench import ANA
from tests.workflow.triggers.ruled import Ruled, trigger
from workflow.actions import AddTags, Assign, MarkSpam, Note, SetPriority, SetStatus, Signal
from workflow.clock import ManualClock
from workflow.model import Priority
from workflow.timers import fire_due
from workflow.triggers.react import CURSOR, react
from workflow.triggers.reading import FILE


def test_an_event_fires_a_rule_that_says_where_it_stands_and_what_it_did(desk: Ruled) -> None:
    desk.write(
        "# ours\n"
        + trigger(
            "refunds", "message in", 'add_tags = "money", priority = "high"', 'when = "refund"'
        )
    )
    ticket = desk.opened(text="I want a refund")
    other = desk.opened(text="hello")
    assert desk.ticket(ticket).tags == ("money",)
    assert desk.ticket(ticket).priority_by == "rule:refunds"
    assert desk.ticket(other).tags == ()
    (said,) = desk.fired(ticket)
    assert said == {
        "rule": "refunds",
        "file": "triggers.toml:2",
        "mode": "live",
        "on": "message in",
        "did": ["priority high", "+money"],
        "evidence": "triggers.toml:2 refund",
        "event": said["event"],
        "chain": ["refunds"],
    }
    event = next(e for e in desk.ticket(ticket).events if e.name == "rule.fired")
    assert (event.actor, event.cause) == ("rule:refunds", "triggers.toml:2")


def test_a_desk_that_gets_its_first_rule_starts_with_what_comes_then(desk: Ruled) -> None:
    before = desk.opened()
    desk.write(trigger("all", "message in", 'add_tags = "seen"'))
    after = desk.opened()
    assert desk.ticket(before).tags == ()
    assert desk.ticket(after).tags == ("seen",)
    # Without rules nothing is looked at; those that come back later begin anew.
    (desk.home / FILE).unlink()
    between = desk.opened()
    desk.write(trigger("all", "message in", 'add_tags = "again"'))
    desk.opened()
    assert desk.ticket(between).tags == ()


def test_old_mail_and_machines_fire_nothing(desk: Ruled) -> None:
    desk.write(
        trigger("in", "message in", 'add_tags = "in"')
        + trigger("new", "created", 'add_tags = "new"')
    )
    old = desk.opened(before_cutoff=True)
    machine = desk.opened(automatic=True)
    assert desk.ticket(old).tags == ()
    assert desk.ticket(machine).tags == ("new",)


@pytest.mark.parametrize(
    ("on", "more", "fires"),
    [
        ("status", (), True),
        ("status", ('to = "pending"',), True),
        ("status", ('from = "new"', 'to = ["open", "pending"]'), True),
        ("status", ('to = "open"',), False),
        ("status", ('from = "open"',), False),
        ("priority", ('to = "urgent"',), True),
        ("priority", ('to = "low"',), False),
        ("assigned", ('to = "ana"',), True),
        ("assigned", ('to = "support"',), False),
        ("tagged", ('to = "vip"',), True),
        ("tagged", ('to = "legal"',), False),
        ("note", (), True),
    ],
)
def test_what_changed_may_be_asked_for(
    desk: Ruled, on: str, more: tuple[str, ...], fires: bool
) -> None:
    desk.write(trigger("x", on, 'note = "it was"', *more))
    ticket = desk.opened()
    desk.do(
        SetStatus(ticket, "pending"),
        SetPriority(ticket, int(Priority.URGENT)),
        Assign(ticket, assignee="ana"),
        AddTags(ticket, ("vip",)),
        Note(ticket, "hm"),
    )
    assert len(desk.fired(ticket)) == fires


def test_a_persons_choice_stays_and_the_event_says_so(desk: Ruled) -> None:
    ticket = desk.opened()
    desk.do(SetPriority(ticket, int(Priority.LOW)), Assign(ticket, assignee="ana"))
    desk.write(
        trigger(
            "x", "note", 'priority = "urgent", assign = "ben", status = "pending", macro = "hello"'
        )
    )
    desk.do(Note(ticket, "hm"))
    found = desk.ticket(ticket)
    assert (found.priority, found.assignee, found.status) == (1, "ana", "pending")
    (said,) = desk.fired(ticket)
    assert [kept.split("'s choice")[0] for kept in said["kept"]] == [
        "priority is agent:ana",
        "priority is agent:ana",
        "assignee is agent:ana",
    ]
    assert found.tags == ("macro",)


def test_shadow_only_says_what_it_would_have_done(desk: Ruled) -> None:
    desk.write(
        trigger(
            "x",
            "message in",
            'status = "pending", notify = "lea"',
            'mode = "shadow"',
            'once = "ticket"',
        )
    )
    ticket = desk.opened()
    desk.follow_up(ticket)
    (said,) = desk.fired(ticket)
    assert (said["mode"], said["did"]) == ("shadow", ["status pending", "notify lea"])
    assert desk.ticket(ticket).status == "new"
    assert desk.notices() == []
    # What it did in shadow is no reason not to do it once it is live.
    desk.write(trigger("x", "message in", 'status = "pending"', 'once = "ticket"'))
    desk.follow_up(ticket)
    assert desk.ticket(ticket).status == "pending"


def test_once_a_ticket_once_a_customer_in_a_day_and_a_cap(desk: Ruled, clock: ManualClock) -> None:
    desk.write(
        trigger("t", "message in", 'note = "t"', 'once = "ticket"')
        + trigger("c", "message in", 'note = "c"', 'once = "customer per 1d"')
        + trigger("cap", "message in", 'note = "cap"', 'cap = "2 per 1h"')
    )

    def count() -> dict[str, int]:
        rows = desk.rows(
            "SELECT rule, count(*) FROM firing WHERE rule NOT LIKE 'capped:%' GROUP BY 1"
        )
        return dict(rows)

    ticket = desk.opened()
    desk.follow_up(ticket)
    desk.follow_up(ticket)
    desk.opened()
    desk.opened(sender="other@customer.example")
    assert count() == {"t": 3, "c": 2, "cap": 2}
    stopped = desk.rows("SELECT count(*) FROM event WHERE name = 'rule.stopped'")
    assert stopped == [(1,)]
    clock.advance(86_400)
    desk.follow_up(ticket)
    assert count() == {"t": 3, "c": 3, "cap": 3}


def test_no_rule_is_fired_by_what_it_did_and_a_chain_ends(desk: Ruled) -> None:
    desk.write(trigger("own", "tagged", 'add_tags = ["b", "c"], note = "x"'))
    ticket = desk.opened()
    desk.do(AddTags(ticket, ("a",)))
    assert len(desk.fired(ticket)) == 1
    chain = "".join(
        trigger(f"r{n}", "tagged", f'add_tags = "t{n + 1}"', f'to = "t{n}"') for n in range(9)
    )
    desk.write(chain)
    other = desk.opened()
    desk.do(AddTags(other, ("t0",)))
    assert [said["rule"] for said in desk.fired(other)] == ["r0", "r1", "r2", "r3", "r4"]
    (stopped,) = [e for e in desk.ticket(other).events if e.name == "rule.stopped"]
    assert "5 rules have fired one after the other (r0 -> r1" in str(stopped.data["why"])


def test_two_rules_that_undo_each_other_do_not_go_on_for_ever(desk: Ruled) -> None:
    desk.write(
        trigger("a", "status", 'status = "open"', 'to = "pending"')
        + trigger("b", "status", 'status = "pending"', 'to = "open"')
    )
    ticket = desk.opened()
    desk.do(SetStatus(ticket, "pending"))
    assert [said["rule"] for said in desk.fired(ticket)] == ["a", "b"]


def test_what_fails_is_a_sentence_and_stops_nothing_else(desk: Ruled) -> None:
    desk.write(
        trigger("bad", "message in", 'macro = "nope", status = "pending", note = "kept"')
        + trigger("good", "message in", 'add_tags = "good"')
    )
    ticket = desk.opened()
    bad, good = desk.fired(ticket)
    assert bad["failed"] == ["macro nope: there is no macro 'nope': did you mean hello?"]
    assert bad["did"] == ["status pending", "note"]
    assert good["did"] == ["+good"]


def test_a_step_that_fails_leaves_nothing_behind(desk: Ruled) -> None:
    desk.write(trigger("x", "created", 'assign = "ben", snooze = "1d"'))
    desk.desk.settings = replace(desk.settings, agents=desk.settings.agents[:1])
    desk.desk._mirror_settings()
    ticket = desk.opened()
    (said,) = desk.fired(ticket)
    assert said["failed"] == [
        "assign ben: there is no agent 'ben' in deskhand.toml (there are: ana)"
    ]
    found = desk.ticket(ticket)
    assert found.assignee is None
    assert found.snoozed_until is not None


def test_spam_and_merged_tickets_are_left_alone(desk: Ruled) -> None:
    ticket = desk.opened()
    desk.do(MarkSpam(ticket))
    desk.write(trigger("x", "note", 'add_tags = "a"'))
    desk.do(Note(ticket, "hm"))
    assert desk.fired(ticket) == []


def test_an_undo_of_a_person_leaves_what_rules_did(desk: Ruled) -> None:
    desk.write(trigger("x", "status", 'add_tags = "a"', 'to = "pending"'))
    ticket = desk.opened()
    desk.do(SetStatus(ticket, "pending"))
    desk.desk.undo(ANA)
    assert desk.ticket(ticket).status == "new"
    assert desk.ticket(ticket).tags == ("a",)


def test_a_signal_of_another_system_fires_on_the_newest_open_ticket_or_without_one(
    desk: Ruled,
) -> None:
    desk.write(
        trigger(
            "locked", "customer event", 'priority = "urgent", webhook = "http://127.0.0.1:9/x"',
            'event = "failed login"', 'once = "customer per 1d"',
        )
    )  # fmt: skip
    ticket = desk.opened()
    customer = desk.ticket(ticket).customer.id
    desk.do(Signal(customer, "order_placed"))
    assert desk.fired(ticket) == []
    desk.do(Signal(customer, "failed_login", (("times", "5"),)))
    desk.do(Signal(customer, "failed_login"))
    assert [said["on"] for said in desk.fired(ticket)] == ["customer event failed_login"]
    assert desk.ticket(ticket).priority == Priority.URGENT
    assert [notice[0] for notice in desk.notices()] == ["webhook"]
    desk.do(SetStatus(ticket, "resolved"))
    desk.clock.advance(2 * 86_400)  # type: ignore[attr-defined]
    desk.do(Signal(customer, "failed_login"))
    assert [said["did"] for said in desk.fired(None)] == [["webhook"]]


def test_nothing_is_written_while_nothing_fires(desk: Ruled) -> None:
    desk.write(trigger("x", "escalated", 'note = "up"'))
    ticket = desk.opened()
    before = desk.rows("SELECT value FROM meta WHERE name = ?", CURSOR)
    desk.do(Note(ticket, "a"))
    assert react(desk.desk) == 0
    assert desk.rows("SELECT value FROM meta WHERE name = ?", CURSOR) == before


def test_people_are_told_in_the_ways_they_chose(desk: Ruled) -> None:
    desk.write(
        trigger("x", "created", 'notify = { to = ["leads", "p@partner.example"], text = "look" }')
    )
    ticket = desk.opened()
    assert desk.notices() == [
        ("desktop", "queued", {"agent": "lea"}),
        ("mail", "queued", {"to": ["lea@desk.example"]}),
        ("mail", "queued", {"to": ["p@partner.example"]}),
    ]
    fire_due(desk.desk)
    assert [state for kind, state, _ in desk.notices() if kind == "mail"] == ["sent", "sent"]
    notes = [m for m in desk.ticket(ticket).messages if m.direction == "note"]
    assert [m.to for m in notes] == [(("", "lea@desk.example"),), (("", "p@partner.example"),)]
    assert notes[0].text.startswith("look\n\n#1 medium subject of mail1")
    assert "Told by x (triggers.toml:1): created." in notes[0].text


def test_a_draft_is_put_before_the_agent_and_goes_when_somebody_answers(desk: Ruled) -> None:
    desk.write(trigger("x", "message in", 'draft = "About #{{ ticket.id }}"'))
    ticket = desk.opened()
    row = desk.reads.draft("rule:x", ticket, "suggested")
    assert row is not None
    assert row.text == f"About #{ticket}"
    assert desk.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert desk.ticket(ticket).clocks[0].state == "running"
    desk.reply(ticket)
    assert desk.reads.draft("rule:x", ticket, "suggested") is None


def test_only_what_says_auto_is_sent_and_it_counts_as_automatic(desk: Ruled) -> None:
    desk.write(trigger("ack", "created", 'reply = { macro = "hello", send = "auto" }'))
    ticket = desk.opened()
    assert desk.send() == 1
    found = desk.ticket(ticket)
    answer = found.messages[-1]
    assert (answer.direction, answer.automatic, answer.text) == ("out", True, f"Hello #{ticket}")
    assert found.status == "new"
    assert [clock.state for clock in found.clocks if clock.metric == "first_response"] == [
        "running"
    ]
    (raw,) = desk.rows("SELECT raw_sha256 FROM message WHERE id = ?", answer.id)
    assert b"Auto-Submitted: auto-replied\r\n" in desk.files.read(raw[0])
    machine = desk.opened(automatic=True)
    assert "it gets no automatic answer" in desk.fired(machine)[0]["failed"][0]


def test_automatic_answers_stop_at_the_caps_for_loops(desk: Ruled) -> None:
    desk.write(trigger("ack", "message in", 'reply = { macro = "hello", send = "auto" }'))
    ticket = desk.opened()
    for _ in range(12):
        desk.follow_up(ticket)
    assert desk.send() == 10
    assert (
        "10 automatic answers went to this customer within 3 hours"
        in desk.fired(ticket)[-1]["failed"][0]
    )


def test_a_row_of_the_routing_table_runs_its_macro(desk: Ruled) -> None:
    desk.write(
        "rule,text,->,group,macro\nhello,hello,,support,hello\nelse,,,support,\n",
        "workflow/routing.csv",
    )
    ticket, other = desk.opened(text="hello you"), desk.opened(text="nothing")
    found = desk.ticket(ticket)
    assert found.tags == ("macro",)
    assert [(one.rule, one.text) for one in found.proposed] == [("rule:hello", f"Hello #{ticket}")]
    (said,) = desk.fired(ticket)
    assert (said["rule"], said["file"], said["on"]) == ("hello", "routing.csv:2", "routed")
    assert desk.fired(other) == []


def test_whoever_asks_for_a_person_is_moved_up(desk: Ruled) -> None:
    desk.write(
        '[[level]]\nname = "L2"\ngroup = "experts"\n\n'
        '[[rule]]\nname = "asks"\non = "customer asks"\nto = "L2"\n',
        "workflow/escalation.toml",
    )
    ticket = desk.opened(text="This does not help. I want to speak to a real person, please.")
    other = desk.opened(text="Where is my parcel?")
    packet = desk.ticket(ticket).escalation
    assert packet is not None
    assert (packet.by, packet.reason) == ("rule:asks", "customer asks")
    assert desk.ticket(other).escalation is None
