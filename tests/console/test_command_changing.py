"""The verbs that change: what they do, what they answer, what they refuse."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.console.command_line import (
    LISTED,
    MESSAGE,
    OUTBOX_ITEM,
    TICKET,
    CommandLine,
    check,
)

CHANGED = {"changed": [str], "tickets": [LISTED]}


def test_set_changes_many_at_once_and_one_undo_takes_it_back(deskhand: CommandLine) -> None:
    one, two = str(deskhand.opened("one")), str(deskhand.opened("two"))
    found = deskhand.json(
        "set",
        one,
        f"#{two}",
        "status=on hold",
        "priority=high",
        "+refund",
        "topic=billing",
        "tier=vip",
    )
    check(found, CHANGED)
    for ticket in found["tickets"]:
        assert (ticket["status"], ticket["priority"], ticket["priority_by"]) == (
            "on hold",
            "high",
            "agent:ana",
        )
        assert (ticket["tags"], ticket["topic"]) == (["refund"], "billing")
        assert ticket["customer"]["tier"] == "vip"
    (taken,) = deskhand.json("set", one, "-refund", "assignee=me", "group=experts")["tickets"]
    assert (taken["tags"], taken["assignee"], taken["level"]) == ([], "ana", "L2")
    assert len(deskhand.json("undo", "2")["undone"]) == 2
    after = [deskhand.json("show", number) for number in (one, two)]
    assert {ticket["status"] for ticket in after} == {"new"}
    assert after[0]["customer"]["tier"] == "standard"
    assert len(deskhand.json("redo")["redone"]) == 1
    assert deskhand.json("show", two)["status"] == "on hold"


def test_set_is_all_or_none(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    before = deskhand.json("show", number)
    assert "no ticket #99" in deskhand.refused(1, "set", number, "99", "status=open")
    assert "is not one of new, open" in deskhand.refused(2, "set", number, "+a", "status=done")
    assert "neither FIELD=VALUE nor +TAG" in deskhand.refused(2, "set", number, "open")
    assert "say which tickets and what to set" in deskhand.refused(2, "set", "status=open")
    assert "there is no field 'colour'" in deskhand.refused(2, "set", number, "colour=red")
    assert "priority 'huge' is not one of" in deskhand.refused(2, "set", number, "priority=huge")
    assert deskhand.json("show", number) == before


def test_assign_and_take(deskhand: CommandLine) -> None:
    one, two = str(deskhand.opened("one")), str(deskhand.opened("two"))
    found = deskhand.json("assign", one, two, "ben")
    check(found, CHANGED)
    assert [ticket["assignee"] for ticket in found["tickets"]] == ["ben", "ben"]
    assert deskhand.json("assign", one, "experts")["tickets"][0]["group"] == "experts"
    assert deskhand.json("assign", one, "none")["tickets"][0]["assignee"] is None
    assert deskhand.json("take", one, two)["tickets"][1]["assignee"] == "ana"
    said = deskhand.refused(1, "assign", one, "zoe")
    assert "there is no agent or group 'zoe'" in said
    assert "ana, ben, experts, support" in said


def test_snooze_until_a_time_a_reply_or_no_longer(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    for word, until in (
        ("2h", "2026-11-23T11:00:00Z"),
        ("2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"),
        ("tomorrow 9:00", "2026-11-24T09:00:00Z"),
    ):
        (ticket,) = deskhand.json("snooze", number, *word.split())["tickets"]
        assert ticket["snoozed_until"] == until
    (ticket,) = deskhand.json("snooze", number, "reply")["tickets"]
    assert (ticket["snoozed_until"], ticket["snoozed_until_reply"]) == (None, True)
    assert deskhand.json("list", "is:snoozed")["total"] == 1
    assert deskhand.json("snooze", number, "off")["tickets"][0]["snoozed_until_reply"] is False
    assert "is in the past" in deskhand.refused(2, "snooze", number, "2020-01-01")
    assert "is not a time: write 2h" in deskhand.refused(2, "snooze", number, "someday")
    assert "is not a time: write 2h" in deskhand.refused(2, "snooze", number, "99999999w")


def test_spam_and_back(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    found = deskhand.json("spam", number)
    check(found, CHANGED)
    assert {clock["state"] for clock in found["tickets"][0]["clocks"]} == {"stopped"}
    back = deskhand.json("spam", number, "--not")["tickets"][0]
    assert {clock["state"] for clock in back["clocks"]} == {"running"}


def test_escalate_with_its_packet(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    found = deskhand.json(
        "escalate",
        number,
        "--reason",
        "bug",
        "--tried",
        "restart",
        "--needed",
        "log",
        "--by",
        "2h",
        "--promised",
        "today",
    )
    check(found, CHANGED)
    packet = deskhand.json("show", number)["escalation"]
    assert (packet["from"], packet["to"], packet["reason"]) == (None, "L2", "bug")
    assert (packet["tried"], packet["wanted_by"]) == ("restart", "2026-11-23T11:00:00Z")
    assert "already at L2" in deskhand.refused(1, "escalate", number, "--reason", "bug")
    assert "--reason" in deskhand.refused(2, "escalate", number)


def test_new_opens_a_ticket(deskhand: CommandLine) -> None:
    found = deskhand.json(
        "new", "--from", "+49 30 1234", "--name", "Max", "--subject", "A call", "--text", "Hello"
    )
    check(found, TICKET)
    assert (found["channel"], found["customer"]["name"]) == ("phone", "Max")
    assert found["messages"][0]["text"] == "Hello"
    assert "mark it as spam, or resolve it" in deskhand.refused(1, "undo")
    assert "--subject" in deskhand.refused(2, "new", "--from", "a@b.example")


def test_reply_is_held_scheduled_or_queued(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    shape = {"message": MESSAGE, "outbox": int, "state": str}
    for words, state in (
        ((), "held"),
        (("--undo-window", "0s"), "queued"),
        (("--undo-window", "90s"), "held"),
        (("--send-at", "2h"), "scheduled"),
    ):
        found = deskhand.json("reply", number, "--text", "Hello", *words)
        check(found, shape)
        assert found["state"] == found["message"]["delivery"] == state
    note = deskhand.json("reply", number, "--note", "--text", "us", "--to-status", "pending")
    check(note, {"message": MESSAGE, "outbox": type(None), "state": type(None)})
    assert deskhand.json("show", number)["status"] == "pending"


def test_reply_text_comes_from_a_file_or_standard_input(
    deskhand: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = str(deskhand.opened())
    text = tmp_path / "text.txt"
    text.write_bytes("Zeile eins\r\nZeile zwei ü".encode())
    attached = tmp_path / "invoice.pdf"
    attached.write_bytes(b"%PDF")
    found = deskhand.json("reply", number, "--file", str(text), "--attach", str(attached))
    assert found["message"]["text"] == "Zeile eins\nZeile zwei ü"
    (file,) = found["message"]["attachments"]
    assert (file["name"], file["type"], file["size"]) == ("invoice.pdf", "application/pdf", 4)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"from a pipe")))
    assert deskhand.json("reply", number, "-")["message"]["text"] == "from a pipe"


def test_reply_refuses_with_the_next_step(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    for status, words, said in (
        (2, (), "give --text, --file, or -"),
        (2, ("hello",), "give --text, --file, or -"),
        (2, ("--text", " "), "the reply is empty: write its text"),
        (2, ("--text", "x", "--undo-window", "soon"), "is not a duration"),
        (2, ("--text", "x", "--undo-window", "99999999w"), "not between 0s"),
        (2, ("--text", "x", "--to-status", "done"), "is not one of new, open"),
        (2, ("--text", "x", "--to", "nobody"), "is not an address"),
        (2, ("--text", "x", "--attach", "/no/such"), "cannot be attached"),
        (2, ("--file", "/no/such"), "cannot be read"),
        (2, ("--text", "x", "--send-at", "2020-01-01"), "is in the past"),
    ):
        assert said in deskhand.refused(status, "reply", number, *words)
    assert "no ticket #99" in deskhand.refused(1, "reply", "99", "--text", "x")
    assert deskhand.json("outbox")["items"] == []


def test_outbox_lists_retries_and_cancels(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    item = str(deskhand.json("reply", number, "--text", "Hello")["outbox"])
    listed = deskhand.json("outbox")
    check(listed, {"items": [OUTBOX_ITEM]})
    assert listed["items"][0]["next_attempt_at"] == "2026-11-23T09:00:15Z"
    assert "is held: only failed and queued" in deskhand.refused(1, "outbox", "retry", item)
    cancelled = deskhand.json("outbox", "cancel", item)
    check(cancelled, {"items": [OUTBOX_ITEM]})
    assert cancelled["items"][0]["state"] == "cancelled"
    assert deskhand.json("outbox", "list") == {"items": []}
    assert len(deskhand.json("outbox", "--all")["items"]) == 1
    assert "there is no outbox item 9" in deskhand.refused(1, "outbox", "cancel", "9")
    assert "say which one" in deskhand.refused(2, "outbox", "retry")
    assert "the outbox is empty" in deskhand("outbox").out


def test_held_lists_shows_discards_and_releases(deskhand: CommandLine) -> None:
    settings = deskhand.home / "deskhand.toml"
    settings.write_text(settings.read_text() + 'max_size = "300"\n')
    first = deskhand.json("intake", str(deskhand.mail("big", body="x" * 2000)))
    second = deskhand.json("intake", str(deskhand.mail("huge", body="y" * 2000)))
    assert (first["outcome"], first["ticket"], first["cause"]) == ("held", None, "too large")
    items = deskhand.json("held")["items"]
    assert [item["id"] for item in items] == [second["held"], first["held"]]
    shown = deskhand.json("held", "show", str(first["held"]))
    assert "subject of big" in shown["raw"]
    assert deskhand.json("held", "discard", str(second["held"]))["ticket"] is None
    released = deskhand.json("held", "release", str(first["held"]))
    assert deskhand.json("show", str(released["ticket"]))["subject"] == "subject of big"
    assert deskhand.json("held") == {"items": []}
    assert len(deskhand.json("held", "--all")["items"]) == 2
    assert "already released" in deskhand.refused(1, "held", "release", str(first["held"]))
    assert "there is no held item 9" in deskhand.refused(1, "held", "show", "9")
    assert "nothing is held" in deskhand("held").out


def test_undo_and_redo_say_when_there_is_nothing(deskhand: CommandLine) -> None:
    deskhand.opened()
    assert "nothing to undo" in deskhand.refused(1, "undo")
    assert "nothing to redo" in deskhand.refused(1, "redo")
    assert "say how many" in deskhand.refused(2, "undo", "0")


def test_a_home_without_a_file_works_for_me(bare: CommandLine) -> None:
    number = str(bare.json("new", "--from", "max@x.example", "--subject", "A call")["id"])
    assert bare.json("take", number)["tickets"][0]["assignee"] == "me"
    assert bare.json("list", "--view", "Mine")["total"] == 1
    assert bare.json("assign", number, "none")["tickets"][0]["assignee"] is None
    assert bare.json("assign", number, "me")["tickets"][0]["assignee"] == "me"
    assert bare.json("set", number, "priority=high")["tickets"][0]["priority_by"] == "agent:me"
    assert "no account to send from" in bare.refused(1, "reply", number, "--text", "x")
    assert "no levels to escalate to" in bare.refused(1, "escalate", number, "--reason", "bug")
    assert "there are: none yet" in bare.refused(1, "assign", number, "zoe")


def test_a_wrong_file_is_named_with_its_line_whatever_is_asked(deskhand: CommandLine) -> None:
    (deskhand.home / "deskhand.toml").write_text("\n[[agent]]\nname = 3\n")
    assert "deskhand.toml:3: name must be a text" in deskhand.refused(1, "list")
