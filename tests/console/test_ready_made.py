"""The ready-made workflow told day by day, through the command line alone: what a customer writes, what
the engine does by itself at which minute, what the team sees.

Monday, 23 November 2026 is a working day; the office is open from 9 to 17 in Berlin, an hour ahead
of UTC.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.console.command_line import CommandLine, eml
from tests.servers.smtp import SmtpSink
from workflow.clock import parse_moment

TEAM = """\
[[agent]]
name = "ana"
email = "ana@desk.example"
groups = ["support"]

[[agent]]
name = "ben"
email = "ben@desk.example"
groups = ["senior"]

[[agent]]
name = "lea"
email = "lea@desk.example"
groups = ["leads"]
role = "lead"

[[group]]
name = "support"
level = "L1"

[[group]]
name = "senior"
level = "L2"

[[group]]
name = "leads"
level = "lead"

[[channel]]
name = "support"
kind = "email"
address = "support@desk.example"
since = "2026-11-01"
smtp = {{ host = "127.0.0.1", port = {port}, security = "none" }}
"""
COMPANIES = """\
domain,company,tier
globex.example,Globex,enterprise
initech.example,Initech,vip
"""
DAYS = {
    day: f"2026-11-{23 + number}"
    for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
}


@dataclass
class Story:
    """A desk with the ready-made workflow, and what happens at it."""

    desk: CommandLine
    sink: SmtpSink
    mails: int = 0
    ids: dict[int, str] = field(default_factory=dict)
    """The Message-ID of each ticket's first message."""

    def at(self, when: str, *lines: str) -> list[Any]:
        """Carry out lines of a batch at a time such as ``mon 09:00``; their documents."""
        now = moment(when)
        batch = self.desk.home.parent / "lines"
        batch.write_text("".join(f"--now {now} {line}\n" for line in lines), encoding="utf-8")
        done = self.desk("batch", str(batch))
        assert done.status == 0, done
        found = done.documents
        assert all(document["ok"] for document in found), found
        return [document["result"] for document in found]

    def writes(
        self,
        when: str,
        body: str,
        *,
        subject: str = "Hello",
        sender: str = "Maria Lopez <maria@customer.example>",
        ticket: int | None = None,
    ) -> int:
        """A customer's mail comes in; the ticket it is on, after the engine has looked at it."""
        self.mails += 1
        headers = {
            "from": sender,
            "subject": subject,
            "date": format_datetime(parse_moment(moment(when))),
        }
        if ticket is not None:
            headers["in_reply_to"] = self.ids[ticket]
        path = self.desk.home.parent / f"mail{self.mails}.eml"
        path.write_bytes(eml(f"mail{self.mails}", body=body, **headers))
        document, _ = self.at(when, f"intake {shlex.quote(str(path))}", "engine --once")
        assert document["outcome"] == ("created" if ticket is None else "appended"), document
        self.ids.setdefault(document["ticket"], f"<mail{self.mails}@customer.example>")
        return int(document["ticket"])

    def answers(self, when: str, ticket: int, agent: str = "ana", status: str = "pending") -> None:
        """An agent's reply is sent."""
        self.at(
            when,
            f"--agent {agent} reply {ticket} --text 'We are on it.' --to-status {status}"
            " --undo-window 0s",
            "engine --once",
        )

    def engine(self, when: str) -> None:
        """The engine makes a pass."""
        self.at(when, "engine --once")

    def show(self, when: str, ticket: int) -> Any:
        """The ticket as it stands."""
        (document,) = self.at(when, f"show {ticket}")
        return document

    def explain(self, when: str, ticket: int) -> dict[str, tuple[Any, str, str]]:
        """Value, cause and evidence of each fact."""
        (document,) = self.at(when, f"explain {ticket}")
        return {f["field"]: (f["value"], f["cause"], f["evidence"]) for f in document["facts"]}

    def in_view(self, when: str, view: str) -> list[int]:
        """The tickets of a view."""
        (document,) = self.at(when, f"list --view {shlex.quote(view)}")
        return [ticket["id"] for ticket in document["tickets"]]

    def told(self, person: str) -> list[str]:
        """The subjects of the mails that somebody of the team has got."""
        from email import message_from_bytes
        from email.header import decode_header, make_header

        return [
            str(make_header(decode_header(message_from_bytes(mail.content)["Subject"])))
            for mail in self.sink.messages
            if f"{person}@desk.example" in mail.rcpt_tos
        ]


def moment(when: str) -> str:
    """``mon 09:00`` of that week, by the clock of Berlin."""
    day, time = when.split()
    return f"{DAYS[day]}T{time if time.count(':') == 2 else time + ':00'}+01:00"


def utc(when: str) -> str:
    """As documents write it."""
    return parse_moment(moment(when)).strftime("%Y-%m-%dT%H:%M:%SZ")


def clocks(ticket: Any) -> dict[str, Any]:
    return {clock["metric"]: clock for clock in ticket["clocks"]}


def names(ticket: Any, name: str) -> list[Any]:
    return [event["data"] for event in ticket["events"] if event["name"] == name]


def owner(ticket: Any) -> tuple[str, str]:
    return ticket["group"], ticket["level"]


@pytest.fixture
def story(home: Path, capsys: pytest.CaptureFixture[str], smtp_sink: SmtpSink) -> Iterator[Story]:
    """A team of three with the ready-made workflow and two companies of a higher tier."""
    (home / "deskhand.toml").write_text(TEAM.format(port=smtp_sink.port), encoding="utf-8")
    desk = CommandLine(home, capsys, agent=None)
    place = ("--timezone", "Europe/Berlin", "--country", "DE", "--subdivision", "BE")
    assert desk.json("workflow", "install", *place)["groups"] == []
    (home / "workflow" / "companies.csv").write_text(COMPANIES, encoding="utf-8")
    return Story(desk, smtp_sink)


def test_a_billing_error_is_high_and_moves_up_at_three_hours(story: Story) -> None:
    number = story.writes("mon 09:00", "I was charged twice this month.", subject="Invoice 2026-11")
    ticket = story.show("mon 09:00", number)
    assert (ticket["topic"], ticket["priority"]) == ("billing", "high")
    assert ticket["priority_by"] == "rule:billing error"
    assert owner(ticket) == ("support", "L1")
    found = clocks(ticket)
    assert found["first_response"]["policy"] == "Billing error"
    assert found["first_response"]["calendar"] == "office"
    assert found["first_response"]["due_at"] == utc("mon 10:00")
    assert found["resolution"]["due_at"] == utc("mon 13:00")
    facts = story.explain("mon 09:00", number)
    assert "routing.csv:5 billing error" in facts["priority"][2]

    story.answers("mon 09:30", number, status="open")
    assert clocks(story.show("mon 09:30", number))["first_response"]["state"] == "met"

    # Nobody solves it: at three hours it moves up, and an hour of the four is left.
    story.engine("mon 11:59")
    assert owner(story.show("mon 11:59", number)) == ("support", "L1")
    story.engine("mon 12:00")
    ticket = story.show("mon 12:00", number)
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["to"] == "L2"
    assert clocks(ticket)["resolution"]["remaining_s"] == 3600
    assert clocks(ticket)["resolution"]["due_at"] == utc("mon 13:00")
    assert len(story.told("ben")) == 1

    # At 3 h 12 min it is at risk, once, and can be seen before it is late.
    story.engine("mon 12:11:59")
    assert names(story.show("mon 12:11:59", number), "sla.at_risk") == []
    assert number not in story.in_view("mon 12:11:59", "At risk")
    story.engine("mon 12:12")
    story.engine("mon 12:20")
    ticket = story.show("mon 12:20", number)
    assert [data["metric"] for data in names(ticket, "sla.at_risk")] == ["resolution"]
    assert names(ticket, "sla.breached") == []
    assert number in story.in_view("mon 12:12", "At risk")

    story.at(
        "mon 12:45", f"--agent ben accept {number}", f"--agent ben set {number} status=resolved"
    )
    ticket = story.show("mon 12:45", number)
    assert clocks(ticket)["resolution"]["state"] == "met"
    story.engine("mon 14:00")
    assert names(story.show("mon 14:00", number), "sla.breached") == []


def test_a_feature_question_has_three_days_and_moves_up_at_twelve_hours(story: Story) -> None:
    number = story.writes(
        "mon 09:00", "Is it possible to have a dark mode?", subject="Feature: dark mode"
    )
    ticket = story.show("mon 09:00", number)
    assert (ticket["topic"], ticket["priority"]) == ("feature", "medium")
    found = clocks(ticket)
    assert found["first_response"]["policy"] == "Feature question"
    assert found["first_response"]["due_at"] == utc("mon 13:00")
    # 24 working hours are three days of eight.
    assert found["resolution"]["due_at"] == utc("wed 17:00")
    story.answers("mon 10:00", number, status="open")

    story.engine("tue 12:59")
    assert owner(story.show("tue 12:59", number)) == ("support", "L1")
    story.engine("tue 13:00")
    ticket = story.show("tue 13:00", number)
    assert owner(ticket) == ("senior", "L2")
    assert clocks(ticket)["resolution"]["remaining_s"] == 12 * 3600


def test_a_feature_question_waits_for_the_customer_without_its_clock(story: Story) -> None:
    number = story.writes("mon 09:00", "Is it possible to export to CSV?", subject="Feature")
    story.answers("mon 10:00", number, status="pending")
    assert clocks(story.show("tue 10:00", number))["resolution"]["state"] == "paused"
    story.engine("tue 17:00")
    story.writes("wed 09:00", "The newest version.", ticket=number)
    ticket = story.show("wed 09:00", number)
    assert owner(ticket) == ("support", "L1")
    assert clocks(ticket)["resolution"]["remaining_s"] == 23 * 3600


def test_a_general_inquiry_moves_up_when_the_customer_asks(story: Story) -> None:
    number = story.writes("mon 09:00", "Where can I read about your company?", subject="A question")
    ticket = story.show("mon 09:00", number)
    assert ticket["priority"] == "low"
    assert ticket["priority_by"] == "rule:everything else"
    found = clocks(ticket)
    assert found["first_response"]["policy"] == "General inquiry"
    assert found["first_response"]["due_at"] == utc("mon 17:00")
    # 48 working hours: six days of eight, over a weekend.
    assert found["resolution"]["due_at"] == "2026-11-30T16:00:00Z"
    story.answers("mon 10:00", number)
    story.engine("tue 12:00")
    assert owner(story.show("tue 12:00", number)) == ("support", "L1")
    story.writes("wed 11:00", "Please let me speak to a real person.", ticket=number)
    ticket = story.show("wed 11:00", number)
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["reason"] == "the customer asks for a person"
    assert ticket["escalation"]["by"] == "rule:asks for a person"


def test_the_first_line_has_two_hours(story: Story) -> None:
    number = story.writes("mon 15:30", "Which of your plans is the right one?", subject="Plans")
    answered = story.writes(
        "mon 15:30", "How do I change my address?", subject="Address", sender="jo@other.example"
    )
    story.answers("mon 16:00", answered)
    # Half an hour of the two is of the next day: nobody is there at night.
    story.engine("mon 23:00")
    story.engine("tue 09:29")
    assert owner(story.show("tue 09:29", number)) == ("support", "L1")
    story.engine("tue 09:30")
    ticket = story.show("tue 09:30", number)
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["by"] == "rule:two hours without an answer"
    # The promise is what it was: eight hours from half past three.
    assert clocks(ticket)["first_response"]["due_at"] == utc("tue 15:30")
    assert owner(story.show("tue 09:30", answered)) == ("support", "L1")
    # Half an hour to accept it, then the leads have it.
    story.engine("tue 09:59")
    assert owner(story.show("tue 09:59", number)) == ("senior", "L2")
    story.engine("tue 10:00")
    assert owner(story.show("tue 10:00", number)) == ("leads", "lead")
    story.engine("wed 12:00")
    fired = [data["rule"] for data in names(story.show("wed 12:00", number), "rule.fired")]
    assert fired == [
        "two hours without an answer",
        "a promise is at risk",
        "a promise is broken",
    ]


def test_enterprise_does_not_wait_and_the_manager_comes_after_four_hours(story: Story) -> None:
    number = story.writes(
        "mon 09:00", "How do we add a user?", subject="Users", sender="Sam Roe <sam@globex.example>"
    )
    ticket = story.show("mon 09:00", number)
    assert ticket["customer"]["tier"] == "enterprise"
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["by"] == "rule:enterprise at once"
    story.at("mon 09:10", f"--agent ben accept {number}")
    story.engine("mon 12:59")
    assert owner(story.show("mon 12:59", number)) == ("senior", "L2")
    assert story.told("lea") == []
    story.engine("mon 13:00")
    ticket = story.show("mon 13:00", number)
    assert owner(ticket) == ("leads", "lead")
    assert ticket["escalation"]["by"] == "rule:enterprise without an answer"
    assert len(story.told("lea")) >= 1


def test_an_enterprise_ticket_that_was_answered_stays_with_the_second_line(story: Story) -> None:
    number = story.writes(
        "mon 09:00", "How do we add a user?", subject="Users", sender="sam@globex.example"
    )
    story.at("mon 09:10", f"--agent ben accept {number}")
    story.answers("mon 11:00", number, agent="ben")
    story.engine("tue 12:00")
    assert owner(story.show("tue 12:00", number)) == ("senior", "L2")


def test_an_unhappy_customer_does_not_wait(story: Story) -> None:
    number = story.writes(
        "mon 09:00",
        "I am very disappointed. This is the worst service I have ever had, simply unacceptable.",
        subject="Your service",
    )
    ticket = story.show("mon 09:00", number)
    assert ticket["sentiment"] <= -0.3
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["by"] == "rule:unhappy at once"
    story.at("mon 09:20", f"--agent ben hand-back {number} --note 'called him'")
    assert owner(story.show("mon 09:20", number)) == ("support", "L1")
    # Once a ticket: it does not go up again for the same.
    story.writes("mon 09:40", "Still terrible and unacceptable.", ticket=number)
    assert owner(story.show("mon 09:40", number)) == ("support", "L1")


def test_a_critical_incident_has_its_ladder_also_at_night(story: Story) -> None:
    number = story.writes(
        "mon 22:00",
        "Production is down for all of our users, nobody can work. This is an emergency.",
        subject="URGENT: production down",
    )
    ticket = story.show("mon 22:00", number)
    assert ticket["priority"] == "urgent"
    assert "incident" in ticket["tags"]
    assert owner(ticket) == ("support", "L1")
    found = clocks(ticket)
    assert found["first_response"]["policy"] == "Critical incident"
    assert found["first_response"]["due_at"] == utc("mon 22:15")
    (begun,) = story.told("ana")
    assert f"#{number}" in begun
    (document,) = story.at("mon 22:00", f"list 'has:draft id:{number}'")
    assert document["total"] == 1  # a first word for the customer, for somebody to send

    story.engine("mon 22:09")
    assert len(story.told("ana")) == 1
    story.engine("mon 22:10")
    assert len(story.told("ana")) == 2
    assert (story.told("ben"), story.told("lea")) == ([], [])

    story.engine("mon 22:15")
    ticket = story.show("mon 22:15", number)
    assert owner(ticket) == ("senior", "L2")
    assert ticket["escalation"]["by"] == "rule:incident without an answer"
    assert len(story.told("ben")) >= 1
    assert len(story.told("lea")) == 1
    story.engine("mon 22:16")
    assert len(story.told("lea")) == 1

    # Answered: an hour later at the latest the customer hears of us again, by a draft.
    story.at("mon 22:18", f"--agent ben accept {number}")
    story.answers("mon 22:20", number, agent="ben", status="open")
    story.engine("mon 23:07")
    (document,) = story.at("mon 23:07", f"list 'has:draft id:{number}'")
    assert document["total"] == 0
    story.engine("mon 23:08")
    (document,) = story.at("mon 23:08", f"list 'has:draft id:{number}'")
    assert document["total"] == 1
    sent = [mail for mail in story.sink.messages if "maria@customer.example" in mail.rcpt_tos]
    assert len(sent) == 1  # what ben wrote; no rule has written to the customer


def test_an_agent_starts_the_ladder_with_the_tag(story: Story) -> None:
    number = story.writes("mon 09:00", "The export takes very long today.", subject="Export")
    story.at("mon 09:20", f"--agent ana set {number} +incident", "engine --once")
    ticket = story.show("mon 09:20", number)
    found = clocks(ticket)["first_response"]
    # Another promise, the same start: what is over is over.
    assert (found["policy"], found["state"]) == ("Critical incident", "breached")
    assert found["due_at"] == utc("mon 09:15")
    assert owner(ticket) == ("senior", "L2")
    assert len(story.told("lea")) == 1


def test_a_vip_goes_to_the_second_line(story: Story) -> None:
    number = story.writes(
        "mon 09:00",
        "Where do I find my receipts?",
        subject="Hi",
        sender="Kim <kim@initech.example>",
    )
    ticket = story.show("mon 09:00", number)
    assert ticket["customer"]["tier"] == "vip"
    assert owner(ticket) == ("senior", "L2")
    assert ticket["priority"] == "high"
    assert ticket["escalation"] is None  # a route, not an escalation
    facts = story.explain("mon 09:00", number)
    assert "routing.csv:4 vip: tier:vip" in facts["group"][2]


def test_what_a_person_has_set_stays(story: Story) -> None:
    number = story.writes("mon 09:00", "I was charged twice.", subject="Invoice")
    story.at("mon 09:05", f"--agent ana set {number} priority=low topic=feature")
    story.writes("mon 09:10", "The invoice again: charged twice!", ticket=number)
    ticket = story.show("mon 09:10", number)
    assert (ticket["priority"], ticket["priority_by"]) == ("low", "agent:ana")
    assert ticket["topic"] == "feature"
    # The promise follows what the ticket is; its start stays.
    found = clocks(ticket)["first_response"]
    assert (found["policy"], found["started_at"]) == ("Feature question", utc("mon 09:00"))


def test_a_promise_that_is_kept_is_told_to_nobody(story: Story) -> None:
    number = story.writes("mon 09:00", "Which of your plans is the right one?", subject="Plans")
    story.answers("mon 09:30", number, status="resolved")
    story.engine("fri 17:00")
    ticket = story.show("fri 17:00", number)
    assert names(ticket, "rule.fired") == []
    assert all(clock["state"] in ("met", "stopped") for clock in ticket["clocks"])
    assert [story.told(person) for person in ("ana", "ben", "lea")] == [[], [], []]


def test_the_documents_are_json_that_anything_can_read(story: Story) -> None:
    number = story.writes("mon 09:00", "I was charged twice.", subject="Invoice")
    (document,) = story.at("mon 09:00", f"explain {number}")
    assert json.loads(json.dumps(document)) == document
    assert {"topic", "priority", "group", "policy"} <= {fact["field"] for fact in document["facts"]}
