"""Triage in the transaction that brings a message: what goes onto the ticket, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.bench import ANA, Bench
from workflow.actions import JoinCustomers, NewTicket, SetField, SetStatus
from workflow.clock import ManualClock
from workflow.errors import UsageError
from workflow.inbound import Party
from workflow.model import Urgency
from workflow.rulebook import RuleBook
from workflow.store.rows import TicketDetail
from workflow.triage.training import retrain

TOPICS = """\
[[topic]]
name = "billing"
words = ["invoice", "refund"]

[[topic]]
name = "technical"
words = ["error", "crash"]
"""
DOWN = "Production is down, nobody can log in!! I want to speak to a manager. Unacceptable."


class Triaged(Bench):
    """A bench with topics."""

    def another_desk(self, store):  # type: ignore[no-untyped-def]
        """With the file of the home."""
        (self.home / "workflow").mkdir(exist_ok=True)
        (self.home / "workflow" / "topics.toml").write_text(TOPICS, encoding="utf-8")
        made = super().another_desk(store)
        made.rule_book = RuleBook(self.home, self.settings)
        return made

    def told(self, ticket: int) -> list[dict[str, Any]]:
        """What triage said of each message."""
        return [e.data for e in self.ticket(ticket).events if e.name == "ticket.triaged"]


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Triaged]:
    made = Triaged(tmp_path, clock)
    yield made
    made.close()


def facts(ticket: TicketDetail) -> tuple[object, ...]:
    urgency = Urgency(ticket.urgency).word if ticket.urgency is not None else None
    return ticket.topic, ticket.language, urgency, ticket.wants_person, ticket.contacts


def test_a_mail_is_triaged_with_evidence(bench: Triaged) -> None:
    ticket = bench.opened(subject="Refund", text=f"Where is my money? {DOWN}")
    found = bench.ticket(ticket)
    assert facts(found) == ("billing", "en", "critical", True, 1)
    assert found.sentiment is not None
    assert found.sentiment < -0.4
    assert found.set_by == dict.fromkeys(
        ("language", "topic", "sentiment", "urgency", "wants_person"), "triage"
    )
    (told,) = bench.told(ticket)
    assert told["message"] == found.messages[0].id
    assert told["evidence"]["topic"] == "topics.toml:3: refund (subject)"
    assert '"production is down" (body)' in told["evidence"]["urgency"]
    changed = [e.data for e in found.events if e.name == "ticket.field"]
    assert [(c["field"], c["before"], c["after"]) for c in changed] == [
        ("language", None, "en"),
        ("topic", None, "billing"),
    ]


def test_a_ticket_by_hand_is_triaged_too(bench: Triaged) -> None:
    action = NewTicket("maria@customer.example", "Maria", "A crash", "The app has an error.")
    ticket = bench.do(action)[0].ticket
    assert ticket is not None
    assert bench.ticket(ticket).topic == "technical"


def test_what_fits_nothing_is_other_and_a_later_message_may_tell(bench: Triaged) -> None:
    ticket = bench.opened(subject="Hello", text="I have a question for you.")
    assert bench.ticket(ticket).topic == "other"
    bench.follow_up(ticket, subject="Re: Hello", text="It is about the refund that I asked for.")
    assert bench.ticket(ticket).topic == "billing"
    bench.follow_up(ticket, subject="Re: Hello", text="Now there is an error as well.")
    assert bench.ticket(ticket).topic == "billing"


def test_without_topics_of_the_team_those_that_ship_are_heard_and_nothing_is_other(
    tmp_path: Path, clock: ManualClock
) -> None:
    plain = Bench(tmp_path, clock)
    assert plain.ticket(plain.opened(text="an invoice")).topic == "billing"
    assert plain.ticket(plain.opened(text="a parcel")).topic is None
    plain.close()


def test_urgency_rises_by_itself_and_falls_only_by_words(bench: Triaged) -> None:
    ticket = bench.opened(text="Where is my order?")
    levels = []
    for text in ("This is urgent!", "Any news?", "No rush, it works again.", DOWN):
        bench.follow_up(ticket, text=text)
        levels.append(bench.ticket(ticket).urgency)
    # By the last one this customer has written five times.
    assert levels == [2, 2, 0, 3]


def test_sentiment_is_that_of_the_newest_message_that_shows_any(bench: Triaged) -> None:
    ticket = bench.opened(text="This is unacceptable and ridiculous.")
    angry = bench.ticket(ticket).sentiment
    assert angry is not None
    assert angry < -0.5
    bench.follow_up(ticket, text="See the attached file.")
    assert bench.ticket(ticket).sentiment == angry
    bench.follow_up(ticket, text="Perfect, thank you so much!")
    assert (bench.ticket(ticket).sentiment or 0) > 0.4


def test_what_a_person_set_stays(bench: Triaged) -> None:
    ticket = bench.opened(text="a question")
    chosen = {"topic": "sales", "language": "fr", "urgency": "low", "sentiment": "0.5"}
    bench.do(*(SetField(ticket, field, value) for field, value in chosen.items()))
    bench.follow_up(ticket, text=f"The invoice! {DOWN}")
    found = bench.ticket(ticket)
    assert (found.topic, found.language, found.urgency, found.sentiment) == ("sales", "fr", 0, 0.5)
    assert bench.told(ticket)[-1]["urgency"] == "critical"
    bench.do(SetField(ticket, "topic", None))
    bench.follow_up(ticket, text="The invoice!")
    assert bench.ticket(ticket).topic is None


def test_who_asks_again_for_a_person_has_asked_again(bench: Triaged) -> None:
    ticket = bench.opened(text="Let me speak to a human.")
    bench.do(SetField(ticket, "wants-person", "no"))
    bench.follow_up(ticket, text="Thanks.")
    assert not bench.ticket(ticket).wants_person
    bench.follow_up(ticket, text="Let me speak to a human, please.")
    assert bench.ticket(ticket).wants_person


def test_an_undo_gives_it_back_to_triage(bench: Triaged) -> None:
    ticket = bench.opened(text="a question")
    bench.do(SetField(ticket, "topic", "sales"), SetField(ticket, "urgency", "high"))
    bench.desk.undo(ANA)
    found = bench.ticket(ticket)
    assert (found.topic, found.urgency, found.set_by["topic"]) == ("other", 1, "triage")
    bench.follow_up(ticket, text="The refund, urgent")
    found = bench.ticket(ticket)
    assert (found.topic, found.urgency) == ("billing", 2)


def test_saying_that_triage_is_right_makes_it_a_choice(bench: Triaged) -> None:
    ticket = bench.opened(text="the invoice")
    bench.do(SetField(ticket, "topic", "billing"))
    assert bench.ticket(ticket).set_by["topic"] == "agent:ana"
    bench.desk.undo(ANA)
    assert bench.ticket(ticket).set_by["topic"] == "triage"


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("urgency", "soon", "urgency 'soon' is not one of low, normal, high, critical, or none"),
        ("sentiment", "2", "no number from -1"),
        ("sentiment", "nan", "no number from -1"),
        ("wants-person", "perhaps", "wants-person is yes or no"),
        ("language", "German", "no code of a language"),
    ],
)
def test_what_cannot_be_set_is_refused(
    bench: Triaged, field: str, value: str, complaint: str
) -> None:
    ticket = bench.opened()
    with pytest.raises(UsageError, match=complaint):
        bench.do(SetField(ticket, field, value))


def test_contacts_count_over_tickets_and_identities(bench: Triaged) -> None:
    first = bench.opened(sender="maria@customer.example")
    bench.clock.advance(8 * 86400)
    second = bench.opened(sender="maria@customer.example")
    bench.clock.advance(86400)
    other = bench.opened(sender="m.lopez@home.example")
    bench.do(JoinCustomers(1, 2))
    bench.clock.advance(3600)
    third = bench.opened(sender="m.lopez@home.example")
    assert [bench.ticket(n).contacts for n in (first, second, other, third)] == [1, 1, 1, 3]
    bench.take(bench.mail(sender="m.lopez@home.example", automatic=True))
    fourth = bench.opened(sender="Maria@Customer.example")
    assert bench.ticket(fourth).contacts == 4


def test_messages_of_a_chat_in_a_row_are_one_contact(bench: Triaged) -> None:
    def says(number: int) -> int:
        item = bench.mail(
            f"chat{number}",
            channel="telegram",
            conversation="telegram:bot:5",
            sender="5",
        )
        ticket = bench.take(item)[0].ticket
        assert ticket is not None
        return ticket

    def later(minutes: int) -> None:
        bench.clock.advance(minutes * 60)

    numbers = []
    for pause in (1, 1, 40, 2):
        ticket = says(len(numbers))
        numbers.append(bench.ticket(ticket).contacts)
        later(pause)
    assert numbers == [1, 1, 1, 2]


def test_old_automatic_and_own_mail_is_not_triaged(bench: Triaged) -> None:
    items = (
        bench.mail(before_cutoff=True),
        bench.mail(automatic=True),
        bench.mail(own=True, sender="support@desk.example", to=(Party("", "x@y.example"),)),
    )
    for result in bench.take(*items):
        assert result.ticket is not None
        assert bench.told(result.ticket) == []
        assert bench.ticket(result.ticket).urgency is None


def test_a_batch_costs_as_many_statements_as_one_mail(bench: Triaged) -> None:
    counts = []
    for size in (1, 60):
        items = [bench.mail(text=DOWN, sender=f"c{n}@x.example") for n in range(size)]
        seen: list[str] = []
        with bench.store.write(bench.clock.now()) as transaction:
            transaction.raw.set_trace_callback(seen.append)
        bench.take(*items)
        with bench.store.write(bench.clock.now()) as transaction:
            transaction.raw.set_trace_callback(None)
        ours = ("FROM message JOIN ticket", "NOT message.automatic", "FROM learned")
        counts.append([sum(part in statement for statement in seen) for part in ours])
    assert counts[0] == counts[1] == [1, 1, 1]


def test_a_fault_of_triage_keeps_no_mail_out(
    bench: Triaged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_words: object, **_more: object) -> None:
        raise RuntimeError("a text that nobody thought of")

    monkeypatch.setattr("workflow.triage.apply.judge", broken)
    ticket = bench.opened(text="the invoice")
    assert bench.ticket(ticket).topic is None
    assert bench.told(ticket)[0]["failed"] == "RuntimeError: a text that nobody thought of"


def test_an_edit_of_the_topics_holds_for_the_next_mail(bench: Triaged) -> None:
    path = bench.home / "workflow" / "topics.toml"
    path.write_text('[[topic]]\nname = "pets"\nwords = ["cat"]\n', encoding="utf-8")
    assert bench.ticket(bench.opened(text="my cat")).topic == "pets"
    path.write_text("[[topic]]\nname = 5\n", encoding="utf-8")
    assert bench.ticket(bench.opened(text="my cat")).topic == "pets"
    assert "topics.toml:2:1" in bench.desk.rule_book.problems[0]


def teach(bench: Triaged, count: int, correct: bool = True) -> None:
    """Tickets about gardens and kitchens, resolved by ana."""
    for number in range(count):
        garden = number % 2 == 0
        text = "the rose in the garden needs water" if garden else "the oven in the kitchen is cold"
        ticket = bench.opened(text=f"{text} today", sender=f"t{number}@x.example")
        if correct:
            bench.do(SetField(ticket, "topic", "garden" if garden else "kitchen"))
        bench.do(SetStatus(ticket, "resolved"))


def test_it_learns_from_corrections_and_then_tells(bench: Triaged) -> None:
    teach(bench, 38)
    assert retrain(bench.desk, bench.reads) is None
    teach(bench, 4)
    model = retrain(bench.desk, bench.reads)
    assert model is not None
    assert (model.examples, model.topics) == (42, ("garden", "kitchen"))
    ticket = bench.opened(text="Something is wrong with the oven in my kitchen.")
    assert bench.ticket(ticket).topic == "kitchen"
    why = bench.told(ticket)[0]["evidence"]["topic"]
    assert why.startswith("learned from 42 resolved tickets: ")
    assert "kitchen" in why
    # The team's own words come first, and what nobody has ever said is other.
    assert (
        bench.ticket(bench.opened(text="a refund for the oven in the kitchen")).topic == "billing"
    )
    assert bench.ticket(bench.opened(text="Hola, no puedo entrar")).topic == "other"


def test_it_learns_anew_only_when_there_is_enough_that_is_new(bench: Triaged) -> None:
    teach(bench, 44)
    assert retrain(bench.desk, bench.reads) is not None
    assert retrain(bench.desk, bench.reads) is None
    teach(bench, 4)
    assert retrain(bench.desk, bench.reads) is None
    teach(bench, 2)
    assert retrain(bench.desk, bench.reads) is not None
    assert bench.rows("SELECT count(*) FROM learned") == [(2,)]


def test_what_nobody_has_looked_at_teaches_nothing(bench: Triaged) -> None:
    teach(bench, 44, correct=False)
    assert retrain(bench.desk, bench.reads) is None


def test_triage_is_of_the_time_at_which_a_mail_came(bench: Triaged) -> None:
    monday = bench.clock.now()
    ticket = bench.take(bench.mail(text="I need it by tomorrow.", reached_at=monday))[0].ticket
    assert ticket is not None
    assert bench.ticket(ticket).urgency == 2
    day = (monday - timedelta(days=10)).strftime("%Y-%m-%d")
    late = bench.opened(text=f"I need it by {day}.")
    assert bench.ticket(late).urgency == 1
