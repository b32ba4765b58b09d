"""Rules as a team sees them work: day by day, through the command line alone."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import pytest

from tests.console.command_line import CommandLine
from workflow.clock import parse_moment

LEAD = """\

[[agent]]
name = "lea"
email = "lea@desk.example"
groups = ["leads"]
role = "lead"
notify_hours = "office"

[[group]]
name = "leads"
level = "lead"
"""
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


def write(deskhand: CommandLine, name: str, text: str) -> None:
    path = deskhand.home / "workflow" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def once(deskhand: CommandLine, now: str) -> Any:
    return deskhand("--json", "--now", now, "engine", "--once").documents[0]


def fired(deskhand: CommandLine, number: str) -> list[tuple[str, str]]:
    events = deskhand.json("show", number)["events"]
    return [(e["data"]["rule"], e["data"]["on"]) for e in events if e["name"] == "rule.fired"]


def test_a_quiet_customer_is_reminded_by_a_draft_and_the_lead_hears_in_office_hours(
    deskhand: CommandLine,
) -> None:
    settings = deskhand.home / "deskhand.toml"
    settings.write_text(settings.read_text() + LEAD)
    write(deskhand, "calendars.toml", CALENDARS)
    write(
        deskhand,
        "triggers.toml",
        """\
[[trigger]]
name = "remind"
on = "status"
to = "pending"
after = "3d"
unless = "message in"
when = "status:pending"

[trigger.do]
add_tags = "reminded"
draft = "Does #{{ ticket.id }} still hurt?"
notify = { to = "leads", text = "Nothing from {{ customer.email }}." }
""",
    )
    quiet, other = str(deskhand.opened()), str(deskhand.opened("other"))
    deskhand.json("set", quiet, other, "status=pending")
    once(deskhand, "2026-11-24T09:00:00Z")
    deskhand.json("--now", "2026-11-24T10:00:00Z", "set", other, "status=open")
    # Thursday evening: due at ten, looked at late, told on Friday morning.
    once(deskhand, "2026-11-26T20:00:00Z")
    assert fired(deskhand, quiet) == [("remind", "3 days after status")]
    assert fired(deskhand, other) == []
    shown = deskhand.json("show", quiet)
    assert shown["tags"] == ["reminded"]
    (proposed,) = shown["suggested_replies"]
    assert (proposed["rule"], proposed["text"]) == ("rule:remind", f"Does #{quiet} still hurt?")
    assert deskhand.json("outbox")["items"] == []
    once(deskhand, "2026-11-27T07:59:59Z")
    assert deskhand.json("outbox")["items"] == []
    once(deskhand, "2026-11-27T08:00:00Z")
    (mail,) = deskhand.json("outbox", "list", "--all")["items"]
    assert mail["to"] == ["lea@desk.example"]
    # Somebody answers: what was proposed is over, and nothing of it was ever sent.
    deskhand.now = "2026-11-27T09:00:00Z"
    deskhand.json("reply", quiet, "--text", "We ask ourselves.")
    assert deskhand.json("show", quiet)["suggested_replies"] == []


def test_a_signal_of_another_system(deskhand: CommandLine) -> None:
    write(
        deskhand,
        "triggers.toml",
        '[[trigger]]\nname = "locked out"\non = "customer event"\nevent = "failed_login"\n'
        'once = "customer per 1d"\ndo = { priority = "urgent", add_tags = "login" }\n',
    )
    number = deskhand.opened()
    customer = str(deskhand.json("show", str(number))["customer"]["id"])
    done = deskhand.json("event", "failed_login", "--customer", customer, "--data", "times=5")
    assert done == {
        "event": "failed_login",
        "customer": int(customer),
        "ticket": number,
        "fired": ["locked out"],
    }
    assert deskhand.json("event", "failed_login", "--customer", customer)["fired"] == []
    assert deskhand.json("event", "order", "--customer", customer)["fired"] == []
    shown = deskhand.json("show", str(number))
    assert (shown["priority"], shown["priority_by"]) == ("urgent", "rule:locked out")
    facts = deskhand.json("explain", str(number))["facts"]
    (fact,) = [fact for fact in facts if fact["field"] == "priority"]
    assert (fact["value"], fact["cause"]) == ("urgent", "rule:locked out")
    assert "triggers.toml:1" in fact["evidence"]
    event = next(e for e in shown["events"] if e["name"] == "customer.event")
    assert event["data"]["data"] == {"times": "5"}
    assert "no K=V" in deskhand.refused(2, "event", "a", "--customer", customer, "--data", "x")
    assert "no customer" in deskhand.refused(1, "event", "a", "--customer", "nobody@x.example")


def test_a_bad_file_stops_nothing_and_names_its_line(deskhand: CommandLine) -> None:
    write(
        deskhand, "triggers.toml", '[[trigger]]\nname = "a"\non = "created"\ndo = { nota = "x" }\n'
    )
    number = deskhand.opened()
    assert deskhand.json("show", str(number))["status"] == "new"
    said = deskhand("doctor").out
    assert "workflow/triggers.toml:4:8: there is no setting 'nota' here: did you mean note?" in said
    checked = deskhand("--json", "workflow", "check")
    assert checked.status == 1
    (problem,) = checked.documents[0]["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("workflow/triggers.toml", 4, 8)


def test_check_looks_into_the_texts_of_rules(deskhand: CommandLine) -> None:
    write(
        deskhand,
        "triggers.toml",
        '[[trigger]]\nname = "a"\non = "created"\ndo = { note = "{{ customer.nme }}", macro = "nope" }\n',
    )
    checked = deskhand("--json", "workflow", "check")
    assert checked.status == 1
    said = " ".join(problem["sentence"] for problem in checked.documents[0]["problems"])
    assert "customer.nme" in said
    assert "'nope'" in said


@pytest.mark.parametrize("shadow", [False, True])
def test_a_program_runs_in_the_pass_that_is_due(deskhand: CommandLine, shadow: bool) -> None:
    out = deskhand.home / "out.json"
    program = deskhand.home / "program.py"
    program.write_text(f"import sys\nopen({str(out)!r}, 'w').write(sys.stdin.read())\n")
    write(
        deskhand,
        "triggers.toml",
        '[[trigger]]\nname = "page"\nunanswered = "10m"\n'
        + ('mode = "shadow"\n' if shadow else "")
        + f'do = {{ run = ["{sys.executable}", "{program}"] }}\n',
    )
    number = str(deskhand.opened())
    start = parse_moment(deskhand.json("show", number)["clocks"][0]["started_at"])
    once(deskhand, (start + timedelta(seconds=599)).isoformat())
    assert fired(deskhand, number) == []
    once(deskhand, (start + timedelta(seconds=600)).isoformat())
    assert fired(deskhand, number) == [("page", "unanswered for 10 minutes")]
    assert out.exists() is not shadow
    if not shadow:
        assert json.loads(out.read_text())["ticket"]["id"] == int(number)
