"""list, show, search and explain: the shapes that programs rely on, judged at --now."""

from __future__ import annotations

import pytest

from tests.console.command_line import (
    EXPLAINED,
    FOUND,
    LISTED,
    TICKET,
    CommandLine,
    check,
)


def test_list_has_its_shape_and_its_scope(deskhand: CommandLine) -> None:
    numbers = [deskhand.opened(f"m{n}") for n in range(5)]
    deskhand.json("spam", str(numbers[0]))
    deskhand.json("set", str(numbers[1]), "status=closed")
    deskhand.json("set", str(numbers[2]), "status=resolved")
    found = deskhand.json("list")
    check(found, {"tickets": [LISTED], "total": int})
    assert {ticket["id"] for ticket in found["tickets"]} == set(numbers[2:])
    assert found["total"] == 3
    assert "messages" not in found["tickets"][0]
    limited = deskhand.json("list", "--limit", "1")
    assert (len(limited["tickets"]), limited["total"]) == (1, 3)
    assert deskhand.json("list", "--limit", "0")["total"] == 3
    assert deskhand.json("list", "is:spam")["total"] == 1
    assert deskhand.json("list", "status:closed")["total"] == 1


def test_queries_with_hyphens_and_blanks(deskhand: CommandLine) -> None:
    one, two = deskhand.opened("one"), deskhand.opened("two")
    deskhand.json("take", str(one))
    deskhand.json("set", str(two), "status=on hold", "+refund")

    def ids(*words: str) -> list[int]:
        return [ticket["id"] for ticket in deskhand.json("list", *words)["tickets"]]

    assert ids("-assignee:me") == [two]
    assert ids("assignee:me") == [one]
    assert ids('status:"on hold"') == [two]
    assert ids("-tag:refund", "-status:resolved") == [one]
    assert ids("--sort", "newest") == [two, one]
    assert ids('"body of one"') == [one]
    assert ids("--view", "mine") == [one]
    assert ids("--view", "Unassigned", 'status:"on hold"') == [two]
    assert ids("--view", "Unassigned", "status:new OR status:open") == []


def test_every_built_in_view_by_its_name(deskhand: CommandLine) -> None:
    number = deskhand.opened()
    expected = {
        "Mine": 0,
        "Unassigned": 1,
        "At risk": 0,
        "Escalated": 0,
        "Waiting": 0,
        "Snoozed": 0,
        "All": 1,
    }
    found = {name: deskhand.json("list", "--view", name)["total"] for name in expected}
    assert found == expected
    deskhand.json("escalate", str(number), "--reason", "bug")
    deskhand.now = "2026-11-23T16:01:00Z"
    assert deskhand.json("list", "--view", "At risk")["total"] == 1
    assert deskhand.json("list", "--view", "Escalated")["total"] == 1


def test_show_has_its_shape(deskhand: CommandLine) -> None:
    number = deskhand.opened()
    deskhand.json("reply", str(number), "--text", "Hello", "--cc", "bob@x.example")
    deskhand.json("reply", str(number), "--note", "--text", "for us")
    found = deskhand.json("show", f"#{number}")
    check(found, TICKET)
    assert found["customer"]["identities"] == [{"kind": "email", "value": "maria@customer.example"}]
    incoming, note, out = sorted(found["messages"], key=lambda message: message["direction"])
    assert incoming["from"] == {"name": "Maria Lopez", "address": "maria@customer.example"}
    assert (incoming["text"].strip(), incoming["date"]) == (
        "the body of first",
        "2026-11-23T08:00:00Z",
    )
    assert note["text"] == "for us"
    assert (out["delivery"], out["to"], out["cc"]) == (
        "held",
        ["maria@customer.example"],
        ["bob@x.example"],
    )


def test_clocks_are_judged_at_the_moment_given(deskhand: CommandLine) -> None:
    number = deskhand.opened()

    def first(now: str) -> tuple[str, int]:
        deskhand.now = now
        (listed,) = deskhand.json("list")["tickets"]
        (clock,) = (c for c in listed["clocks"] if c["metric"] == "first_response")
        shown = deskhand.json("show", str(number))["clocks"][0]
        assert shown == clock == listed["next_clock"]
        return clock["state"], clock["remaining_s"]

    assert first("2026-11-23T09:00:00Z") == ("running", 7 * 3600)
    assert first("2026-11-23T15:59:59Z") == ("running", 1)
    assert first("2026-11-23T16:00:00Z") == ("breached", 0)
    assert first("2026-11-23T18:00:00+01:00") == ("breached", -3600)


def test_explain_adds_up(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    deskhand.now = "2026-11-23T10:00:00Z"
    deskhand.json("set", number, "priority=high", "status=pending")
    deskhand.now = "2026-11-23T12:00:00Z"
    deskhand.json("set", number, "status=open")
    deskhand.now = "2026-11-23T12:30:00Z"
    found = deskhand.json("explain", number)
    check(found, EXPLAINED)
    facts = {fact["field"]: fact for fact in found["facts"]}
    assert (facts["priority"]["value"], facts["priority"]["cause"]) == ("high", "agent:ana")
    assert facts["status"]["cause"] == "agent:ana through command"
    assert facts["policy"]["value"] == "Built-in"
    ledgers = {clock["metric"]: clock["ledger"] for clock in found["clocks"]}
    assert [(e["why"], e["counted_s"]) for e in ledgers["resolution"]] == [
        ("counted", 7200),
        ("paused", 0),
        ("counted", 1800),
    ]
    shown = {clock["metric"]: clock for clock in deskhand.json("show", number)["clocks"]}
    for metric, entries in ledgers.items():
        clock = shown[metric]
        assert sum(e["counted_s"] for e in entries) == clock["target_s"] - clock["remaining_s"]
        assert entries[0]["from"] == clock["started_at"]


def test_search_finds_words_with_a_snippet(deskhand: CommandLine) -> None:
    number = deskhand.opened("one", body="Bitte um Rückerstattung der Bestellung 5518")
    deskhand.opened("two", body="nothing of it")
    found = deskhand.json("search", "ruckerstattung")
    check(found, FOUND)
    assert [hit["ticket"] for hit in found["hits"]] == [number]
    assert "Rückerstattung" in found["hits"][0]["snippet"]
    assert found["total"] == 1
    assert deskhand.json("search", "bestellung", "-status:new")["total"] == 0
    both = deskhand.json("search", "subject", "--limit", "1")
    assert (len(both["hits"]), both["total"]) == (1, 2)
    assert deskhand.json("search", "no-such-word") | {"seconds": 0} == {
        "hits": [],
        "total": 0,
        "seconds": 0,
    }


def test_what_does_not_fit_says_what_does(deskhand: CommandLine) -> None:
    deskhand.opened()
    assert "there is no ticket #99: deskhand list shows" in deskhand.refused(1, "show", "99")
    assert "there is no ticket #99" in deskhand.refused(1, "explain", "99")
    assert "is not a ticket's number: write it like 42" in deskhand.refused(2, "show", "x")
    assert "there is no view 'nope': the views are Mine" in deskhand.refused(
        1, "list", "--view", "nope"
    )
    assert "there is no order 'size': take one of due" in deskhand.refused(
        2, "list", "--sort", "size"
    )
    assert "did you mean status?" in deskhand.refused(2, "list", "stauts:open")
    assert "deskhand --help" in deskhand.refused(2, "lsit")
    assert "--help" in deskhand.refused(2, "show")
    deskhand.now = "2026-11-23T09:00"
    assert "has no time zone" in deskhand.refused(2, "list")
    deskhand.now, deskhand.agent = "2026-11-23T09:00:00Z", "zoe"
    assert "there is no agent 'zoe'" in deskhand.refused(2, "take", "1")
    deskhand.agent = None
    assert "say who you are with --agent NAME" in deskhand.refused(2, "take", "1")
    assert deskhand("list").status == 0, "looking needs nobody"


def test_words_for_people(deskhand: CommandLine) -> None:
    assert deskhand("list").out == "no tickets: the desk is empty\n"
    number = deskhand.opened()
    listed = deskhand("list")
    assert listed.status == 0
    assert listed.out.splitlines()[0].split()[:2] == ["id", "status"]
    assert "subject of first" in listed.out
    assert "F 7h00" in listed.out
    shown = deskhand("show", str(number)).out
    assert "the body of first" in shown
    assert "first response: running, 7 h left (Built-in)" in shown
    assert "resolution\n  2026-11-23T08:00:00Z to" in deskhand("explain", str(number)).out
    assert "1 messages in" in deskhand("search", "body").out


HOSTILE = "[red]x[/red]\x1b]0;evil\x07\x1b[2J\x9b31m\u202eevil\u2066\x00\x08"


@pytest.mark.parametrize("verb", [("list",), ("show", "1"), ("search", "evil"), ("explain", "1")])
def test_what_a_stranger_wrote_never_steers_the_terminal(
    deskhand: CommandLine, verb: tuple[str, ...]
) -> None:
    deskhand.opened(subject=HOSTILE.replace("\x00", ""), body=HOSTILE)
    deskhand.json("set", "1", f"topic={HOSTILE}".replace("\x00", ""))
    done = deskhand(*verb)
    assert done.status == 0
    assert not set(done.out) & set("\x1b\x07\x9b\u202e\u2066\x00\x08\r")
    assert "␛" in done.out or verb[0] == "explain"
    if verb[0] != "explain":
        assert "[red]" in done.out, "markup is shown as it was typed"
