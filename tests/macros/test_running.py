"""Macros on a real desk: the ten that ship, many tickets at once, one undo, hostile customers."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from macros.library import STARTER, Library
from macros.model import MacroProblem
from macros.placeholders import CATALOGUE, Scene, unfilled_in, values
from macros.render import render
from macros.running import Difference, Runner
from tests.workflow.bench import ANA, Bench
from workflow.actions import AddTags, CancelSend, Escalate, NewTicket, Reply, SetField
from workflow.errors import NotFound, Refusal
from workflow.inbound import Party

HOSTILE = (
    "{{ 7*7 }}",
    "{% raw %}",
    "[/] [bold red]x[/bold red]",
    "{{ agent.email }}",
    "{% assign x = 'owned' %}{{ x }}",
    "⟦customer.name⟧",
    "\x1b]0;owned\x07",
    "{{ 'a' | replace: 'a', 'b' }}",
    "\u202eevil\r\nBcc: all@x.example",
)

SCENARIOS = [
    ("acknowledge", {}, None, "open", set(), "Your reference is #"),
    ("acknowledge", {}, "de", "open", set(), "vielen Dank für Ihre Nachricht"),
    ("ask-for-details", {}, "fr", "pending", {"waiting-for-details"}, "Pour trouver la cause"),
    ("password-reset", {}, "es", "pending", {"password"}, "nos ha escrito desde maria@customer"),
    ("billing-error", {}, None, "open", {"billing-error"}, "sorry about the wrong charge"),
    ("delivery-delay", {"expected": "4 May"}, None, "pending", {"delayed"}, "expected on 4 May"),
    ("refund-approved", {"amount": "20 €"}, "de", "resolved", {"refund"}, "Wir zahlen 20 €"),
    ("refund-refused", {"reason": "It is used."}, None, "pending", {"refund-refused"}, "It is used."),
    ("bug-received", {"tracker": "BUG-7"}, None, "on hold", {"bug"}, "under BUG-7"),
    ("feature-request", {}, "de", "resolved", {"feature-request"}, "Produktplanung"),
    ("resolved-survey", {}, "es", "resolved", {"survey-sent"}, "Responda con un número"),
]  # fmt: skip


def opened(bench: Bench, **changes: object) -> int:
    sender = Party("Gonzalez, Maria", "maria@customer.example")
    mail = replace(bench.mail(), sender=sender, **changes)
    (taken,) = bench.take(mail)
    assert taken.ticket is not None
    return taken.ticket


def state(bench: Bench, ticket: int) -> str:
    """All of a ticket that a person can see; its events go on, and so does its version."""
    found = asdict(bench.ticket(ticket))
    messages = [m for m in found.pop("messages") if m["delivery"] != "cancelled"]
    for name in ("events", "version", "updated_at"):
        del found[name]
    return json.dumps(
        [found, [m for m in messages if m["direction"] == "in"]], default=str, sort_keys=True
    )


def rows(bench: Bench) -> list[dict[str, object]]:
    """Every column of every ticket but those that count changes."""
    names = [row[1] for row in bench.reads.fetch("PRAGMA table_info(ticket)")]
    kept = [name for name in names if name not in ("version", "updated_at")]
    found = bench.reads.fetch(f"SELECT {', '.join(kept)} FROM ticket ORDER BY id")
    return [dict(zip(kept, row, strict=True)) for row in found]


@pytest.mark.parametrize(("name", "answers", "language", "status", "tags", "words"), SCENARIOS)
def test_what_ships_does_what_it_says(
    bench: Bench, library: Library, runner: Runner, name, answers, language, status, tags, words
) -> None:
    ticket = opened(bench)
    if language:
        bench.do(SetField(ticket, "language", language))
    bench.do(AddTags(ticket, ("refund-requested", "waiting-for-details")))
    (ran,) = runner.run(library.get(name), [ticket], answers)
    assert ran.problem == ""
    after = bench.ticket(ticket)
    assert (after.status, tags - set(after.tags)) == (status, set())
    sent = [m for m in after.messages if m.direction == "out"]
    assert len(sent) == 1
    assert words in sent[0].text
    assert "Maria" in sent[0].text
    assert sent[0].text.endswith("\nAna")
    assert not unfilled_in(sent[0].text)
    assert [o.id for o in bench.reads.outbox()] == [ran.outbox]
    assert {e.cause for e in after.events if e.change_id == ran.change} == {f"macro:{name}"}
    notes = [m.text for m in after.messages if m.direction == "note"]
    assert len(notes) == (name in ("refund-approved", "bug-received"))
    if name.startswith("refund"):
        assert "refund-requested" not in after.tags
    if name == "delivery-delay":
        assert after.snoozed_until is not None


def test_every_macro_that_ships_has_a_scenario() -> None:
    assert {name for name, *_rest in SCENARIOS} == {path.stem for path in STARTER.glob("*.md")}


def test_twenty_tickets_are_one_change_and_one_undo(
    bench: Bench, library: Library, runner: Runner
) -> None:
    tickets = [opened(bench) for _ in range(20)]
    before, rows_before = [state(bench, ticket) for ticket in tickets], rows(bench)
    results = runner.run(library.get("refund-approved"), tickets, {"amount": "20 EUR"})
    assert [ran.ticket for ran in results] == tickets
    assert [ran.problem for ran in results] == [""] * 20
    assert len({ran.change for ran in results}) == 1
    assert len(bench.reads.outbox()) == 20
    assert {bench.ticket(ticket).status for ticket in tickets} == {"resolved"}
    assert len(bench.desk.undo(ANA)) == 1
    assert [state(bench, ticket) for ticket in tickets] == before
    assert rows(bench) == rows_before
    assert bench.rows("SELECT * FROM draft") == []
    bench.clock.advance(3600)
    assert bench.send() == 0
    assert bench.reads.outbox() == []


def test_those_that_cannot_be_done_have_a_reason_and_the_others_are_done(
    bench: Bench, team, runner: Runner
) -> None:
    macro = team.writes("Hello", "only = '-tag:legal'\n[actions]\nstatus = 'pending'")
    good, legal = opened(bench), opened(bench)
    nobody = bench.do(NewTicket("+49 30 123456", "Jo", "Called", "Please call back."))[0].ticket
    bench.do(AddTags(legal, ("legal",)))
    results = runner.run(macro, [good, legal, nobody, 999, good])
    assert [ran.ticket for ran in results] == [good, legal, nobody, 999]
    assert results[0].problem == ""
    assert "is only for -tag:legal" in results[1].problem
    assert results[2].problem.strip() != ""
    assert results[2].plan is None
    assert "there is no ticket #999" in results[3].problem
    assert [bench.ticket(t).status for t in (good, legal, nobody)] == ["pending", "new", "new"]
    assert len(bench.reads.outbox()) == 1


def test_a_plan_changes_nothing_and_says_what_would(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes(
        "", "[actions]\npriority = 'urgent'\nassign = 'me'\nadd_tags = ['b', 'a']\nsnooze = 'reply'"
    )
    ticket = opened(bench)
    before = state(bench, ticket)
    plan = runner.plan(macro, ticket)
    assert [(d.field, d.before, d.after) for d in plan.differences] == [
        ("priority", "medium", "urgent"),
        ("assignee", "", "ana"),
        ("tags", "", "a b"),
        ("snoozed", "", "reply"),
    ]
    assert state(bench, ticket) == before
    runner.run(macro, [ticket])
    assert bench.ticket(ticket).snoozed_until_reply
    (again,) = runner.run(macro, [ticket])
    assert "it is so already" in again.problem


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_customer_wrote_stays_text(bench: Bench, team, runner: Runner, hostile: str) -> None:
    names = [e.name for e in CATALOGUE]
    macro = team.writes(
        "\n".join(f"{name} = {{{{ {name} | default: '-' }}}}" for name in names)
        + "\n{% for tag in ticket.tags %}{{ tag }}{% endfor %}\n{{ answers.q }}",
        "[ask]\nq = 'What?'",
    )
    ticket = opened(bench, subject=hostile)
    detail = bench.ticket(ticket)
    detail = replace(
        detail,
        subject=hostile,
        topic=hostile,
        language=None,
        tags=(hostile,),
        group_name=hostile,
        assignee=hostile,
        status=hostile,
        customer=replace(detail.customer, name=hostile, company=hostile, tier=hostile),
    )
    filled = values(Scene(detail, "ana", bench.settings, bench.clock.now(), {"q": hostile}))

    assert [e.name for e in CATALOGUE if e.name not in filled] == []
    written = render(macro.variants[0].text, filled).text
    assert not unfilled_in(written)
    assert "\x1b" not in written
    assert "\u202e" not in written
    for line in written.splitlines():
        if line.startswith("ticket.subject"):
            value = filled["ticket.subject"]
            assert line == f"ticket.subject = {value}"
            assert ("{" in line) == ("{" in hostile)
    (ran,) = runner.run(macro, [ticket], {"q": hostile})
    assert ran.problem == ""


def test_an_unknown_placeholder_sends_nothing(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes("Dear\n {{ customer.nam }}")
    ticket = opened(bench)
    with pytest.raises(MacroProblem, match=r"own\.md:5:5: .*did you mean customer\.name\?"):
        runner.run(macro, [ticket])
    assert bench.reads.outbox() == []


def test_an_empty_placeholder_without_a_default_sends_nothing(
    bench: Bench, team, runner: Runner
) -> None:
    macro = team.writes("For {{ customer.company }}", "[actions]\nstatus = 'pending'")
    ticket = opened(bench)
    plan = runner.plan(macro, ticket)
    assert (plan.text, plan.unfilled) == ("For ⟦customer.company⟧", ("customer.company",))
    (ran,) = runner.run(macro, [ticket])
    assert f"#{ticket} has no customer.company" in ran.problem
    assert (bench.ticket(ticket).status, bench.reads.outbox()) == ("new", [])
    bench.do(SetField(ticket, "company", "Globex"))
    assert runner.run(macro, [ticket])[0].problem == ""


def test_an_answer_that_was_not_asked_for_is_refused(
    bench: Bench, library: Library, runner: Runner
) -> None:
    with pytest.raises(Refusal, match="does not ask for 'sum': it asks for amount"):
        runner.plan(library.get("refund-approved"), opened(bench), {"sum": "3"})
    with pytest.raises(NotFound):
        runner.plan(library.get("acknowledge"), 77)


def test_a_text_that_is_not_sent(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes("Draft", "[actions]\nreply = false\nstatus = 'open'")
    ticket = opened(bench)
    assert runner.plan(macro, ticket).text == "Draft"
    runner.run(macro, [ticket])
    assert (bench.ticket(ticket).status, bench.reads.outbox()) == ("open", [])


def test_a_mark_blocks_sending_however_the_text_changes_it(
    bench: Bench, team, runner: Runner
) -> None:
    macro = team.writes("{{ customer.company | upcase }} {{ customer.company | truncate: 4 }}")
    plan = runner.plan(macro, opened(bench))
    assert plan.unfilled == ("customer.company",)
    assert unfilled_in(plan.text) == ("customer.company",)


def test_the_console_sends_the_reply_itself(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes(
        "For {{ customer.company }}",
        "[actions]\nstatus = 'pending'\nnote = 'To {{ ticket.topic }}'",
    )
    ticket = opened(bench)
    plan = runner.plan(macro, ticket)
    with pytest.raises(Refusal, match=r"no customer\.company, ticket\.topic for the text"):
        plan.beside(plan.text)
    bench.do(SetField(ticket, "topic", "billing"))
    plan = runner.plan(macro, ticket)
    with pytest.raises(Refusal, match=r"no customer\.company for the text"):
        plan.beside("Dear ⟦customer.company⟧")
    others = plan.beside("For Globex")
    assert [type(action).word for action in others] == ["set status", "note"]
    bench.do(Reply(ticket, "For Globex"), *others)
    assert bench.ticket(ticket).status == "pending"
    assert len(bench.desk.undo(ANA)) == 1
    assert bench.ticket(ticket).status == "new"


def test_a_macro_escalates_and_undo_brings_it_back(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes(
        "A colleague takes over.",
        "[actions]\nstatus = 'on hold'\nnote = 'Looked at {{ ticket.subject }}'\n"
        "escalate = { to = 'L2', reason = 'technical', needed = 'the log' }",
    )
    tickets = [opened(bench) for _ in range(3)]
    before = [state(bench, ticket) for ticket in tickets]
    plan = runner.plan(macro, tickets[0])
    assert Difference("escalated", "", "L2") in plan.differences
    results = runner.run(macro, tickets)
    assert [ran.problem for ran in results] == [""] * 3
    after = bench.ticket(tickets[0])
    assert (after.level, after.status) == ("L2", "on hold")
    assert after.escalation is not None
    assert (after.escalation.reason, after.escalation.needed) == ("technical", "the log")
    replies = [row for row in bench.reads.outbox() if row.id in [ran.outbox for ran in results]]
    assert [row.recipients for row in replies] == [("maria@customer.example",)] * 3
    assert len(bench.desk.undo(ANA)) == 1
    assert [state(bench, ticket) for ticket in tickets] == before
    assert bench.reads.outbox() == []


def test_a_ticket_at_the_top_cannot_be_escalated_and_the_others_are(
    bench: Bench, team, runner: Runner
) -> None:
    macro = team.writes("", "[actions]\nadd_tags = ['up']\nescalate = { reason = 'technical' }")
    low, top = opened(bench), opened(bench)
    bench.do(Escalate(top, "technical", "L2"))
    results = runner.run(macro, [low, top])
    assert results[0].problem == ""
    assert "the highest level" in results[1].problem
    assert bench.ticket(low).level == "L2"
    assert bench.ticket(top).tags == ()


def test_what_only_one_ticket_makes_wrong_stops_that_ticket(
    bench: Bench, team, runner: Runner
) -> None:
    macro = team.writes(
        "{% if ticket.topic == 'odd' %}{{ ticket.topic | date: '%d' }}{% endif %}Hello"
    )
    good, bad = opened(bench), opened(bench)
    bench.do(SetField(bad, "topic", "odd"))
    results = runner.run(macro, [good, bad])
    assert results[0].problem == ""
    assert "own.md:4:" in results[1].problem
    assert "'odd' is no date" in results[1].problem
    assert len(bench.reads.outbox()) == 1


def test_a_draft_is_not_lost(bench: Bench, library: Library, runner: Runner) -> None:
    mine, free = opened(bench), opened(bench)
    bench.desk.save_draft("ana", mine, "reply", "half an answer", None)
    bench.desk.save_draft("ben", free, "reply", "ben's words", None)
    results = runner.run(library.get("acknowledge"), [mine, free])
    assert "unsent draft" in results[0].problem
    assert results[1].problem == ""
    kept = bench.reads.draft("ana", mine, "reply")
    assert kept is not None
    assert kept.text == "half an answer"
    assert bench.ticket(mine).status == "new"
    # What was taken back by hand is a draft, and does not stand in the way of the next try.
    assert results[1].outbox is not None
    bench.do(CancelSend(results[1].outbox))
    assert bench.reads.draft("ana", free, "reply") is not None
    assert runner.run(library.get("acknowledge"), [free])[0].problem == ""


def test_what_goes_out_is_what_was_rehearsed(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes("Dear {{ customer.company }}", "[actions]\nstatus = 'pending'")
    same, news, begun = opened(bench), opened(bench), opened(bench)
    for ticket in (same, news, begun):
        bench.do(SetField(ticket, "company", "Globex"))
    rehearsed = runner.rehearse(macro, [same, news, begun])
    bench.do(SetField(same, "company", "Initech"))
    bench.follow_up(news)
    bench.desk.save_draft("ana", begun, "reply", "I have", None)
    results = runner.carry_out(macro, rehearsed)
    assert [bool(ran.problem) for ran in results] == [False, True, True]
    assert "wrote again" in results[1].problem
    assert "unsent draft" in results[2].problem
    assert bench.ticket(same).messages[-1].text == "Dear Globex"


def test_a_difference_reads_like_what_it_does(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes(
        "",
        "[actions]\nstatus = 'pending'\nadd_tags = ['new']\nremove_tags = ['old']\n"
        "assign = 'me'\nnote = 'Seen'",
    )
    ticket = opened(bench)
    bench.do(AddTags(ticket, ("old",)))
    words = [difference.words for difference in runner.plan(macro, ticket).differences]
    assert words == ["assignee none -> ana", "+new -old", "status new -> pending", "note: Seen"]


def test_those_that_fit_a_ticket(bench: Bench, team, library: Library, runner: Runner) -> None:
    team.writes("a", "only = 'channel:telegram'", "chats")
    team.writes("b", "only = 'status:new tag:vip'", "vips")
    ticket = opened(bench)
    macros = library.read()[0]
    everybody = {macro.name for macro in macros} - {"chats", "vips"}
    assert runner.fitting(macros, ticket) == everybody
    bench.do(AddTags(ticket, ("vip",)))
    assert runner.fitting(macros, ticket) == everybody | {"vips"}
    assert runner.fitting([], ticket) == frozenset()


def test_loops_and_lengths_have_limits(bench: Bench, team, runner: Runner) -> None:
    macro = team.writes("{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 30)
    with pytest.raises(MacroProblem):
        runner.plan(macro, opened(bench))
    included = team.writes("{% include 'x' %}")
    with pytest.raises(MacroProblem, match="there is no tag 'include'"):
        runner.plan(included, opened(bench))
