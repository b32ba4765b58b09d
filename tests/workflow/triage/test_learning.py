"""The model that learns topics: what it takes, how sure it is, and that it comes back as it was."""

from __future__ import annotations

import json
import random

import pytest

from workflow.triage.learning import CONFIDENT, Example, Model, features, learn
from workflow.triage.said import listen

_OPENINGS = ("hello", "good morning team", "hi there", "dear support", "please help")
_MATTERS = {
    "billing": ("the invoice shows the wrong vat number", "i need a refund for my last payment",
                "you charged my card twice", "where is the receipt for my payment"),
    "shipping": ("my parcel has not arrived yet", "the tracking number does not work",
                 "the courier left the box outside", "can you change the delivery address"),
    "technical": ("the app crashes when i open it", "there is an error on the login page",
                  "the export button does nothing", "sync stopped after the update"),
}  # fmt: skip
_CLOSINGS = ("thank you for looking", "waiting for your answer", "it would be great to know", "")


def tickets(count: int, seed: int = 7) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        topic = sorted(_MATTERS)[number % 3]
        matters = chance.sample(_MATTERS[topic], 2)
        words = (chance.choice(_OPENINGS), *matters, chance.choice(_CLOSINGS))
        made.append((topic, ". ".join(words)))
    return made


def example(topic: str, text: str, weight: int = 1) -> Example:
    return Example(features(listen("", text)), topic, weight)


@pytest.fixture(scope="module")
def model() -> Model:
    found = learn(example(topic, text) for topic, text in tickets(120))
    assert found is not None
    return found


def test_it_tells_topics_of_tickets_that_it_has_not_seen(model: Model) -> None:
    assert model.accuracy >= 0.95
    assert model.trusted
    assert model.sure_accuracy >= 0.95
    for topic, text in tickets(30, seed=8):
        told, sure = model.tell(features(listen("", text)))
        assert told.value == topic
        assert sure >= CONFIDENT


def test_its_evidence_are_words_of_the_message(model: Model) -> None:
    told, _sure = model.tell(features(listen("Refund", "the invoice shows no vat")))
    assert told.value == "billing"
    assert told.source == "learned from 120 resolved tickets"
    (evidence,) = told.evidence
    assert "invoice" in evidence
    assert evidence.endswith(")")


@pytest.mark.parametrize("text", ["", "zebra quagga okapi", "hello please help", "12345 678"])
def test_below_its_confidence_it_says_nothing(model: Model, text: str) -> None:
    told, sure = model.tell(features(listen("", text)))
    assert told.value is None
    assert sure < CONFIDENT or told.evidence


def test_it_can_be_left_a_choice(model: Model) -> None:
    text = features(listen("", "the parcel, the tracking, the courier and an invoice"))
    assert model.tell(text)[0].value == "shipping"
    told, _sure = model.tell(text, ("billing", "technical"))
    assert told.value in (None, "billing")


def test_too_few_tickets_or_topics_teach_nothing() -> None:
    all_of_them = [example(topic, text) for topic, text in tickets(120)]
    assert learn(all_of_them[:39]) is None
    assert learn([e for e in all_of_them if e.topic == "billing"] * 2) is None
    rare = [e for e in all_of_them if e.topic != "shipping"] + [
        e for e in all_of_them if e.topic == "shipping"
    ][:9]
    found = learn(rare)
    assert found is not None
    assert found.topics == ("billing", "technical")


def test_noise_is_not_trusted() -> None:
    chance = random.Random(3)
    words = [f"word{number}" for number in range(60)]
    noise = [
        example(chance.choice(("a", "b", "c", "d")), " ".join(chance.sample(words, 12)))
        for _ in range(200)
    ]
    found = learn(noise)
    assert found is not None
    assert not found.trusted
    assert found.sure_share < 0.2


def test_a_correction_outweighs_what_was_let_stand() -> None:
    base = [example(topic, text) for topic, text in tickets(90)]
    gift = "a gift card for my mother"
    stood = [example("shipping", gift)] * 3
    found = learn([*base, *stood, *[example("billing", gift, 2)] * 3])
    assert found is not None
    row = found.counts["gift"]
    assert row[found.topics.index("billing")] == 2 * row[found.topics.index("shipping")]


def test_it_comes_back_from_the_database_as_it_was(model: Model) -> None:
    facts, table = (json.loads(json.dumps(part)) for part in (model.facts(), model.table()))
    again = Model.from_json(facts, table, model.examples)
    assert again.digest == model.digest == facts["digest"]
    text = features(listen("", "the invoice, and an error"))
    assert again.tell(text) == model.tell(text)


def test_the_same_tickets_give_the_same_model(model: Model) -> None:
    again = learn(example(topic, text) for topic, text in tickets(120))
    assert again is not None
    assert again.digest == model.digest


def test_numbers_are_no_features() -> None:
    assert features(listen("", "order 5518 is late")) == ("order", "is", "late", "is late")
