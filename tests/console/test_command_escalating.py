"""Escalation from the command line: up, on when nobody accepts, and back."""

from __future__ import annotations

from tests.console.command_line import NONE, CommandLine, Shape, When, check
from tests.console.test_command_changing import CHANGED

ESCALATION: dict[str, Shape] = {
    "id": int, "at": When, "by": str, "from": (str, NONE), "to": str, "reason": str, "tried": str,
    "needed": str, "wanted_by": (When, NONE), "promised": str, "ack_due_at": (When, NONE),
    "accepted_at": (When, NONE), "accepted_by": (str, NONE), "remaining_s": (int, NONE),
    "climbed_from": (int, NONE),
}  # fmt: skip
RULES = """\
[[level]]
name = "L2"
accept_within = "20m"

[[level]]
name = "lead"
group = "support"
accept_within = "1h"
"""


def write_rules(deskhand: CommandLine, text: str) -> None:
    path = deskhand.home / "workflow" / "escalation.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_nobody_accepts_it_climbs_at_its_time_and_comes_back(deskhand: CommandLine) -> None:
    write_rules(deskhand, RULES)
    number, twin = str(deskhand.opened()), str(deskhand.opened("twin"))
    for each in (number, twin):
        deskhand.json("assign", each, "ana")
    deskhand.json("escalate", number, "--reason", "technical", "--tried", "restart")
    packet = deskhand.json("--now", "2026-11-23T09:05:00Z", "show", number)["escalation"]
    check(packet, ESCALATION)
    assert (packet["to"], packet["remaining_s"], packet["by"]) == ("L2", 900, "agent:ana")
    assert packet["ack_due_at"] == "2026-11-23T09:20:00Z"
    early = deskhand("--json", "--now", "2026-11-23T09:19:59Z", "engine", "--once")
    assert early.documents[0]["timers"] == 0
    done = deskhand("--json", "--now", "2026-11-23T09:20:00Z", "engine", "--once")
    assert done.documents[0]["timers"] == 2
    shown = deskhand.json("--now", "2026-11-23T09:20:00Z", "show", number)
    check(shown["escalation"], ESCALATION)
    assert (shown["escalation"]["to"], shown["escalation"]["remaining_s"]) == ("lead", 3600)
    assert shown["escalation"]["climbed_from"] == packet["id"]
    assert "Nobody of L2 accepted within 20 min." in shown["messages"][-1]["text"]
    assert "escalation.unacknowledged" in [event["name"] for event in shown["events"]]

    deskhand.now = "2026-11-23T09:21:00Z"
    back = deskhand.json("hand-back", number, "--note", "not ours")
    check(back, CHANGED)
    shown, other = deskhand.json("show", number), deskhand.json("show", twin)
    assert shown["escalation"] is None
    assert (shown["assignee"], shown["group"], shown["level"]) == ("ana", None, None)
    assert shown["clocks"] == other["clocks"]
    assert shown["messages"][-1]["text"].endswith("not ours")
    assert "is not escalated" in deskhand.refused(1, "hand-back", number)


def test_accepting_stops_the_clock(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    assert "is not escalated" in deskhand.refused(1, "accept", number)
    deskhand.json("escalate", number, "--reason", "technical")
    check(deskhand.json("--agent", "ben", "accept", number), CHANGED)
    packet = deskhand.json("show", number)["escalation"]
    check(packet, ESCALATION)
    assert (packet["accepted_by"], packet["remaining_s"]) == ("ben", None)
    assert packet["accepted_at"] == "2026-11-23T09:00:00Z"
    assert "accepted by ben" in deskhand("show", number).out
    deskhand.json("--agent", "ben", "undo")
    assert deskhand.json("show", number)["escalation"]["accepted_by"] is None
    assert "accepted by nobody yet" in deskhand("show", number).out


def test_a_bad_file_is_told_and_stops_nothing(deskhand: CommandLine) -> None:
    write_rules(deskhand, '[[level]]\nname = "L2"\nacept_within = "20m"\n')
    number = str(deskhand.opened())
    done = deskhand("escalate", number, "--reason", "technical")
    assert done.status == 0
    assert "escalation.toml:3:1: there is no setting 'acept_within'" in done.err
    found = deskhand("--json", "doctor").documents[0]["findings"]
    assert [f["ok"] for f in found if f["about"] == "workflow"] == [False]
