"""workflow test: histories made through the command line, gone through again with other files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.console.command_line import CommandLine

TABLE = """\
rule,text,->,group,priority
refunds,refund,,experts,high
everything else,,,support,
"""
PROMISES = """\
[[policy]]
name = "Urgent"
match = "priority>=high"
first_response = "1h"
resolution = "8h"

[[policy]]
name = "General"
first_response = "4h"
"""


def write(home: Path, text: str, name: str = "routing.csv") -> None:
    path = home / "workflow" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def story(deskhand: CommandLine) -> CommandLine:
    """Three tickets: a refund that is answered in time, a question that is not, one that a lead
    moves.
    """
    write(deskhand.home, TABLE)
    write(deskhand.home, PROMISES, "sla.toml")
    for name, body in (("m1", "a refund please"), ("m2", "how do I log in"), ("m3", "bulk order")):
        sender = f"{name} <{name}@customer.example>"
        headers = {"Date": "Mon, 23 Nov 2026 09:00:00 +0000", "From": sender}
        deskhand.opened(name, body=body, **headers)
    deskhand.now = "2026-11-23T09:30:00Z"
    deskhand.json("reply", "1", "--text", "done", "--undo-window", "0s")
    deskhand.json("set", "3", "priority=urgent")
    deskhand.now = "2026-11-23T15:00:00Z"
    return deskhand


@pytest.fixture
def changed(story: CommandLine, tmp_path: Path) -> Path:
    """A copy of the files to change."""
    copy = tmp_path / "changed"
    shutil.copytree(story.home / "workflow", copy / "workflow")
    return copy


def snapshot(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_the_same_files_differ_in_nothing(story: CommandLine) -> None:
    found = story.json("workflow", "test")
    assert (found["total"], found["differ"], found["tickets"]) == (3, 0, [])
    assert found["rows"] == [
        {"row": "everything else", "tickets": 2},
        {"row": "refunds", "tickets": 1},
    ]
    assert found["breaches"]["was"] == found["breaches"]["would"]
    assert "3 tickets of the last 30 days: 0 would differ" in story("workflow", "test").out


def test_another_table_changes_route_priority_policy_and_breaches(
    story: CommandLine, changed: Path
) -> None:
    write(changed, "rule,text,->,group,priority\nlogin,log in,,experts,urgent\nall,,,support,\n")
    found = story.json("workflow", "test", "--against", str(changed))
    assert (found["total"], found["differ"]) == (3, 3)
    first, second, third = found["tickets"]
    assert first == {
        "id": 1,
        "subject": "subject of m1",
        "differences": {
            "route": {"was": "refunds", "would": "all"},
            "group": {"was": "experts", "would": "support"},
            "level": {"was": "L2", "would": "L1"},
            "priority": {"was": "high", "would": "medium"},
            "policy": {"was": "Urgent", "would": "General"},
        },
        "evidence": "routing.csv:3 all: everything",
    }
    assert second["differences"]["policy"] == {"was": "General", "would": "Urgent"}
    assert second["differences"]["priority"] == {"was": "medium", "would": "urgent"}
    # What the lead set afterwards stays; when it came in only the name of the row was another.
    assert third["differences"] == {"route": {"was": "everything else", "would": "all"}}
    assert found["sum"]["group"] == [
        {"was": "experts", "would": "support", "tickets": 1},
        {"was": "support", "would": "experts", "tickets": 1},
    ]


def test_breaches_are_counted_from_the_clocks(story: CommandLine, changed: Path) -> None:
    before = story.json("workflow", "test")["breaches"]
    # The refund (its answer has not left) and the lead's ticket were due at 10:00, the question at 13:00.
    assert before["by_metric"]["first_response"] == {"was": 3, "would": 3}
    write(changed, PROMISES.replace('"4h"', '"8h"'), "sla.toml")
    found = story.json("workflow", "test", "--against", str(changed))
    assert found["breaches"]["by_metric"]["first_response"] == {"was": 3, "would": 2}
    (ticket,) = found["tickets"]
    assert ticket["differences"] == {"breaches": {"was": ["first_response"], "would": []}}
    assert "breaches  first response -> none" in story("workflow", "test", "--against", str(changed)).out  # fmt: skip


def test_nothing_is_written(story: CommandLine, changed: Path) -> None:
    write(changed, "rule,->,group\nall,,experts\n")
    story.json("workflow", "test")
    before, theirs = snapshot(story.home), snapshot(changed)
    story.json("workflow", "test", "--against", str(changed))
    assert snapshot(story.home) == before
    assert snapshot(changed) == theirs


def test_days_and_a_query_choose_the_tickets(story: CommandLine) -> None:
    assert story.json("workflow", "test", "--days", "1", "-group:experts")["total"] == 2
    story.json("set", "1", "status=closed")
    assert story.json("workflow", "test", "group:experts")["total"] == 1
    story.now = "2026-11-26T09:00:00Z"
    assert story.json("workflow", "test", "--days", "2")["total"] == 0
    assert "not a number of days" in story.refused(2, "workflow", "test", "--days", "0")


def test_files_that_cannot_be_used_are_refused(story: CommandLine, changed: Path) -> None:
    write(changed, "rule,->,group\nall,,nobody\n")
    said = story.refused(1, "workflow", "test", "--against", str(changed))
    assert "changed/workflow/routing.csv:2:6: there is no group 'nobody'" in said
    said = story.refused(1, "workflow", "test", "--against", str(changed / "workflow"))
    assert "has no folder workflow" in said


def test_other_groups_come_with_the_folder(story: CommandLine, changed: Path) -> None:
    text = (story.home / "deskhand.toml").read_text()
    (changed / "deskhand.toml").write_text(text + '\n[[group]]\nname = "sales"\nlevel = "L3"\n')
    write(changed, "rule,->,group\nall,,sales\n")
    found = story.json("workflow", "test", "--against", str(changed))
    assert found["sum"]["level"][0] == {"was": "L1", "would": "L3", "tickets": 2}


def test_a_pilot_is_tried_as_if_it_were_live(story: CommandLine, changed: Path) -> None:
    write(changed, TABLE.replace("priority\n", "priority,mode\n").replace("high\n", "high,\n")
          .replace("support,\n", "support,,\n")
          .replace("refunds,", "bulk,bulk order,,experts,,shadow\nrefunds,"))  # fmt: skip
    assert story.json("workflow", "test", "--against", str(changed))["differ"] == 0
    found = story.json("workflow", "test", "--against", str(changed), "--live")
    (ticket,) = found["tickets"]
    assert (ticket["id"], ticket["differences"]["route"]["would"]) == (3, "bulk")


def test_what_the_team_has_edited_since_is_told_of_the_home_itself(story: CommandLine) -> None:
    write(story.home, TABLE.replace("refund,,experts,high", "refund,,support,low"))
    found = story.json("workflow", "test")
    (ticket,) = found["tickets"]
    assert ticket["differences"]["group"] == {"was": "experts", "would": "support"}
    assert ticket["differences"]["priority"] == {"was": "high", "would": "low"}


def test_a_pilot_is_held_against_what_happened(deskhand: CommandLine) -> None:
    write(
        deskhand.home,
        "rule,text,->,group,priority,mode\npilot,parrot,,experts,high,shadow\nall,,,support,,\n",
    )
    for number in range(1, 4):
        deskhand.opened(f"m{number}", body="a parrot please", From=f"a{number}@x.example")
    deskhand.opened("m4", body="hello")
    deskhand.json("assign", "1", "experts")
    deskhand.json("set", "1", "priority=high")
    deskhand.json("set", "2", "group=experts", "topic=billing")
    found = deskhand.json("workflow", "shadow")
    assert found["total"] == 4
    (pilot,) = found["rules"]
    assert {name: pilot[name] for name in ("rule", "kind", "cause", "tickets", "same", "ids")} == {
        "rule": "pilot",
        "kind": "row",
        "cause": "routing.csv:2",
        "tickets": 3,
        "same": 1,
        "ids": [1, 2, 3],
    }
    assert pilot["fields"] == {
        "group": {"tickets": 3, "same": 2},
        "priority": {"tickets": 3, "same": 1},
    }
    assert pilot["by"]["topic"] == {
        "billing": {"tickets": 1, "same": 0},
        "none": {"tickets": 2, "same": 1},
    }
    assert pilot["by"]["group"]["experts"] == {"tickets": 2, "same": 1}
    assert pilot["otherwise"]["priority"] == [{"would": "high", "was": "medium", "tickets": 2}]
    text = deskhand("workflow", "shadow", "--days", "1").out
    assert "pilot (routing.csv:2, in shadow): 1 of 3 the same" in text
    assert "experts, but it came to support: 1 ticket" in text
    assert "no rule in shadow" in deskhand("workflow", "shadow", "id:4").out


def test_the_macro_of_a_row_becomes_a_suggested_reply_and_sends_nothing(
    deskhand: CommandLine,
) -> None:
    table = (
        "rule,text,->,group,macro,suggest\nrefunds,refund,,experts,acknowledge,refund-approved\n"
    )
    write(deskhand.home, table + "all,,,support,,\n")
    number = deskhand.opened("m1", body="a refund please")
    deskhand.json("engine", "--once")
    ticket = deskhand.json("show", str(number))
    assert ticket["group"] == "experts"
    assert [message["direction"] for message in ticket["messages"]] == ["in"]
    assert deskhand.json("outbox")["items"] == []
    names = [event["name"] for event in ticket["events"]]
    assert names.count("reply.suggested") == 1
    (fired,) = [event for event in ticket["events"] if event["name"] == "rule.fired"]
    assert (fired["actor"], fired["cause"]) == ("rule:refunds", "routing.csv:2")
    # Gone through again, the same row does the same.
    assert deskhand.json("workflow", "test")["differ"] == 0


TOPICS = """\
[[topic]]
name = "billing"
en = ["refund*", "invoice"]
"""


def test_other_topics_lead_to_other_rows(deskhand: CommandLine, tmp_path: Path) -> None:
    write(deskhand.home, "rule,topic,->,group\nbilling,billing,,experts\nall,,,support\n")
    write(deskhand.home, TOPICS, "topics.toml")
    deskhand.opened("m1", body="I want a refund")
    deskhand.opened("m2", body="where can I park my unicorn")
    assert deskhand.json("workflow", "test")["rows"] == [
        {"row": "all", "tickets": 1},
        {"row": "billing", "tickets": 1},
    ]
    changed = tmp_path / "changed"
    shutil.copytree(deskhand.home / "workflow", changed / "workflow")
    write(changed, TOPICS.replace('"refund*"', '"unicorn"'), "topics.toml")
    first, second = deskhand.json("workflow", "test", "--against", str(changed))["tickets"]
    assert first["differences"]["topic"] == {"was": "billing", "would": "other"}
    assert first["differences"]["group"] == {"was": "experts", "would": "support"}
    assert second["differences"]["topic"] == {"was": "other", "would": "billing"}
    assert second["differences"]["route"] == {"was": "all", "would": "billing"}


def test_a_rule_that_moves_it_at_once_hides_not_what_the_table_did(
    deskhand: CommandLine, tmp_path: Path
) -> None:
    write(deskhand.home, "rule,->,group,priority\nall,,support,high\n")
    write(
        deskhand.home,
        '[[rule]]\nname = "at once"\non = "created"\nmatch = "text:angry"\nto = "L2"\n',
        "escalation.toml",
    )
    number = deskhand.opened("m1", body="I am angry")
    deskhand.json("engine", "--once")
    assert deskhand.json("show", str(number))["level"] == "L2"
    changed = tmp_path / "changed"
    shutil.copytree(deskhand.home / "workflow", changed / "workflow")
    write(changed, "rule,->,group,priority\nall,,support,low\n")
    (ticket,) = deskhand.json("workflow", "test", "--against", str(changed))["tickets"]
    assert ticket["differences"]["priority"] == {"was": "high", "would": "low"}
