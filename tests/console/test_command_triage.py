"""The triage verb, and what other verbs show of triage."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from console.event_words import event_words
from tests.console.command_line import CommandLine
from workflow.store.rows import EventDetail

ANGRY = "I was charged twice. Unacceptable! Let me speak to a manager, and fix it by tomorrow."
TOPICS = """\
[[topic]]
name = "billing"
words = ["charged twice", "invoice"]

[[topic]]
name = "garden"
words = ["rose"]
"""


@pytest.fixture
def deskhand(deskhand: CommandLine) -> CommandLine:
    path = deskhand.home / "workflow" / "topics.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TOPICS, encoding="utf-8")
    return deskhand


def test_a_text_is_judged_with_its_reasons(
    deskhand: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = deskhand.json("triage", "--subject", "Help", ANGRY)
    assert (found["topic"], found["language"], found["urgency"]) == ("billing", "en", "high")
    assert found["wants_person"] is True
    assert found["sentiment"] < -0.4
    assert found["contacts"] == 1
    assert found["evidence"]["topic"] == 'topics.toml:3: "charged twice" (body)'
    monkeypatch.setattr("sys.stdin", io.StringIO("Die Rose ist verwelkt, was soll ich tun?"))
    assert deskhand.json("triage", "-")["topic"] == "garden"
    lines = deskhand("triage", "Where", "is", "it?").out.splitlines()
    assert lines[1].split()[:2] == ["language", "en"]
    assert "say what to look at" in deskhand.refused(2, "triage")


def test_a_ticket_is_judged_by_the_files_of_now(deskhand: CommandLine) -> None:
    ticket = deskhand.opened(body=ANGRY)
    path = deskhand.home / "workflow" / "topics.toml"
    path.write_text(TOPICS.replace('"billing"', '"money"'), encoding="utf-8")
    found = deskhand.json("triage", str(ticket))
    assert (found["ticket"], found["topic"]) == (ticket, "money")
    assert deskhand.json("show", str(ticket))["topic"] == "billing"
    deskhand.refused(1, "triage", "4711")


def test_show_list_and_explain_tell_of_it(deskhand: CommandLine) -> None:
    ticket = deskhand.opened(body=ANGRY)
    found = deskhand.json("show", str(ticket))
    assert (found["urgency"], found["wants_person"], found["contacts"]) == ("high", True, 1)
    head = deskhand("show", str(ticket)).out
    assert "topic billing · language en · urgency high · " in head
    assert "asks for a person" in head
    deskhand("set", str(ticket), "urgency=low", "topic=billing")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(ticket))["facts"]}
    assert facts["urgency"]["cause"] == facts["topic"]["cause"] == "agent:ana"
    assert facts["urgency"]["evidence"].startswith("command; ticket.field at ")
    assert facts["wants_person"]["value"] == "yes"
    assert facts["wants_person"]["cause"] == "triage"
    assert "(message 1)" in facts["wants_person"]["evidence"]
    assert facts["language"]["value"] == "en"
    for query in ("is:wants-person", "urgency:low", "contacts:1", "sentiment<-0.3 language:en"):
        assert deskhand.json("list", query)["total"] == 1, query


def test_nothing_is_learned_until_there_is_enough(deskhand: CommandLine) -> None:
    assert deskhand.json("triage", "--learned") == {"learned": None}
    assert "it takes 40 resolved tickets" in deskhand("triage", "--learned").out


def test_an_engine_learns_from_what_was_resolved(deskhand: CommandLine) -> None:
    for number in range(44):
        kitchen = number % 2
        body = "the oven in my kitchen stays cold" if kitchen else "the lawn in my garden is brown"
        ticket = deskhand.opened(f"m{number}", subject="Question", body=body)
        topic = "kitchen" if kitchen else "lawn"
        deskhand("set", str(ticket), f"topic={topic}", "status=resolved")
    deskhand("engine", "--once")
    learned = deskhand.json("triage", "--learned")["learned"]
    assert (learned["examples"], learned["topics"]) == (44, ["kitchen", "lawn"])
    assert learned["accuracy"] == 1.0
    assert "right on 100% of tickets that it had not seen" in deskhand("triage", "--learned").out
    ticket = deskhand.opened("new", subject="Hello", body="my oven, and so the kitchen, is cold")
    facts = {fact["field"]: fact for fact in deskhand.json("explain", str(ticket))["facts"]}
    assert facts["topic"]["value"] == "kitchen"
    assert facts["topic"]["evidence"].startswith("learned from 44 resolved tickets: ")


def test_the_history_tells_it_in_one_line() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)

    def words(name: str, actor: str, **data: object) -> str:
        return event_words(EventDetail(1, at, name, actor, "triage", data, None))

    told = {"topic": "billing", "language": "de", "sentiment": -0.7, "urgency": "critical"}
    assert words("ticket.triaged", "triage", **told, wants_person=True, contacts=3) == (
        "triage: billing, de, urgency critical, angry, asks for a person, wrote 3 times in 7 days"
    )
    usual = {"urgency": "normal", "sentiment": 0.0, "contacts": 1}
    assert words("ticket.triaged", "triage", **usual) == "triage: nothing that stands out"
    assert "could not judge" in words("ticket.triaged", "triage", failed="ValueError: x")
    assert words("ticket.field", "triage", field="topic", before=None, after="billing") == ""
    set_by_ana = {"field": "urgency", "before": 1, "after": 2}
    assert words("ticket.field", "agent:ana", **set_by_ana) == "ana: urgency to high"
    right = {"field": "topic", "before": "billing", "after": "billing"}
    assert words("ticket.field", "agent:ana", **right) == "ana: topic billing is right"
