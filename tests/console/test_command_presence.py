"""The presence verb, and routing as a user sees it: a table, mails, explain."""

from __future__ import annotations

from tests.console.command_line import CommandLine

TABLE = """\
rule,text,->,group,priority
refunds,refund,,experts,high
everything else,,,support,
"""


def test_agents_go_and_come_back(deskhand: CommandLine) -> None:
    (ana, _ben) = deskhand.json("presence")["agents"]
    assert ana == {
        "name": "ana",
        "groups": ["support"],
        "here": True,
        "away_since": None,
        "away_until": None,
        "open": 0,
    }
    found = deskhand.json("presence", "away", "--until", "2h", "ben")
    assert found["changed"] == ["ben is away until 2026-11-23T11:00:00Z"]
    assert [one["here"] for one in found["agents"]] == [True, False]
    assert "away until 2026-11-23T11:00:00Z  experts" in deskhand("presence", "list").out
    deskhand.now = "2026-11-23T11:00:00Z"
    assert deskhand.json("presence")["agents"][1]["here"] is True
    assert deskhand.json("presence", "away")["changed"] == ["ana is away"]
    deskhand.json("undo")
    assert deskhand.json("presence", "here", "ana")["agents"][0]["here"] is True
    assert "there is no agent 'zoe'" in deskhand.refused(1, "presence", "away", "zoe")
    assert "is not a time" in deskhand.refused(2, "presence", "away", "--until", "whenever")


def test_a_mail_is_routed_and_explained(deskhand: CommandLine) -> None:
    table = deskhand.home / "workflow" / "routing.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(TABLE)
    number = deskhand.opened("m1", body="I want a refund")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(number))["facts"]}
    evidence = "routing.csv:2 refunds: text:refund"
    assert facts["route"] == {
        "field": "route",
        "value": "refunds",
        "cause": "routing.csv:2",
        "evidence": evidence,
    }
    for field, value in (("group", "experts"), ("level", "L2"), ("priority", "high")):
        assert facts[field] == {
            "field": field,
            "value": value,
            "cause": "rule:refunds",
            "evidence": evidence,
        }
    assert f"group: experts because rule:refunds ({evidence})" in deskhand("explain", "1").out
    deskhand.json("assign", str(number), "ben")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(number))["facts"]}
    assert (facts["assignee"]["value"], facts["assignee"]["cause"]) == ("ben", "agent:ana")
    assert facts["group"]["cause"] == "rule:refunds"


def test_no_row_and_why_nobody_got_it_are_explained(deskhand: CommandLine) -> None:
    settings = deskhand.home / "deskhand.toml"
    text = settings.read_text().replace('level = "L1"', 'level = "L1"\nassign = "round-robin"')
    settings.write_text(text)
    table = deskhand.home / "workflow" / "routing.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(TABLE.rpartition("everything")[0] + "mails,hello,,support,\n")
    deskhand.json("presence", "away")
    first = deskhand.opened("m1", body="hello")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(first))["facts"]}
    assert facts["assignee"] == {
        "field": "assignee",
        "value": None,
        "cause": "engine",
        "evidence": "round-robin in support: nobody of support is here",
    }
    second = deskhand.opened("m2", body="something else")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(second))["facts"]}
    assert (facts["route"]["value"], facts["route"]["evidence"]) == (None, "no row matches")
    assert deskhand.json("presence", "here")["changed"] == ["ana is here, and was given 1 waiting"]
    deskhand.now = "2026-11-23T09:30:00Z"
    assert deskhand.json("show", str(first))["assignee"] == "ana"
