"""What triage says of a message by its words alone."""

from __future__ import annotations

import importlib.util
from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.triage.judge import judge
from workflow.triage.language import second_opinion
from workflow.triage.said import LONGEST, listen
from workflow.triage.verdict import Verdict, sentiment_word

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
HERE = Path(__file__).parent


def said_cases():
    spec = importlib.util.spec_from_file_location("said_cases", HERE / "said_cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = said_cases()


def of(text: str, subject: str = "", **more: object) -> Verdict:
    return judge(subject, text, NOW, **more)  # type: ignore[arg-type]


def phrases(name: str) -> list[tuple[str, str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(code, text) for code, text in pairs]


def measured(name: str, guess: object = None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for code, text in phrases(name):
        told = of(text, guess=guess).language.value or "-"
        counts["right" if told == code else "unsure" if told == "-" else "wrong"] += 1
    return counts


def test_languages_are_told_of_short_phrases() -> None:
    counts = measured("language_phrases.txt")
    total = counts.total()
    assert total > 230
    assert counts["right"] / total >= 0.97
    assert counts["wrong"] == 0
    by_language = groupby(sorted(code for code, _text in phrases("language_phrases.txt")))
    assert sum(len(list(group)) >= 10 for _code, group in by_language) >= 15


def test_languages_of_phrases_that_the_lists_were_not_made_for() -> None:
    counts = measured("language_unseen.txt")
    total = counts.total()
    assert counts["right"] / total >= 0.70
    assert counts["wrong"] / total <= 0.02


def test_the_library_is_asked_for_what_is_left_open() -> None:
    pytest.importorskip("py3langid")
    without, asked = (measured("language_unseen.txt", guess) for guess in (None, second_opinion))
    assert asked["right"] >= without["right"] + 10
    assert asked["wrong"] <= without["wrong"] + 1


def test_a_second_opinion_counts_only_if_it_is_sure_and_nothing_speaks_against_it() -> None:
    text = "Zwei Gläser waren zerbrochen"
    assert of(text).language.value is None
    assert of(text, guess=lambda _text: ("de", 0.95)).language.value == "de"
    assert of(text, guess=lambda _text: ("de", 0.8)).language.value is None
    assert of(text, guess=lambda _text: None).language.value is None
    assert of("Where is my order?", guess=lambda _text: ("de", 1.0)).language.value == "en"
    assert of("ok", guess=lambda _text: ("pl", 1.0)).language.value is None


def test_a_mail_in_one_language_with_a_log_in_another_is_told_by_the_mail() -> None:
    log = "ERROR: the connection was closed by the server while it was in use\n" * 30
    text = f"Guten Tag, seit heute geht der Export nicht mehr. Woran liegt das?\n\n{log}"
    assert of(text).language.value == "de"


@pytest.mark.parametrize(("word", "text"), CASES.URGENCIES)
def test_urgency(word: str, text: str) -> None:
    told = of(text).urgency
    assert told.value.word == word, told.why
    assert bool(told.evidence) or word == "normal"


def test_urgency_rises_with_how_often_somebody_writes() -> None:
    text = "Any news about my order, it is important to me"
    levels = [of(text, contacts=times).urgency for times in (1, 3, 5)]
    assert [told.value.word for told in levels] == ["normal", "high", "high"]
    assert "wrote 5 times within 7 days" in levels[2].why


def test_capitals_count_but_not_acronyms_code_and_signatures() -> None:
    assert "capital letters" in of("WHERE IS MY ORDER, I WAIT").urgency.why
    for text in (
        "Does it work with HTML CSS JSON XML PDF?",
        "It says:\n\n    ERROR: DISK QUOTA EXCEEDED FOR USER\n\nWhat now?",
        "Where is it?\n\nBest regards\nMARIA GONZALEZ LOPEZ\nHEAD OF EVERYTHING",
        "Where is it?\n-- \nACME CORPORATION WORLDWIDE HOLDING",
    ):
        assert "capital letters" not in of(text).urgency.why, text


def test_what_is_not_urgent_is_not() -> None:
    assert of("It is not urgent").urgency.value.word == "low"
    assert of("Das ist nicht kritisch für uns").urgency.value.word == "normal"
    assert of("No rush with the invoice. But production is down!").urgency.value.word == "high"
    assert of("No rush").calms


@pytest.mark.parametrize(("word", "text"), CASES.FEELINGS)
def test_sentiment(word: str, text: str) -> None:
    told = of(text).sentiment
    assert sentiment_word(told.value) == word, (told.value, told.why)


def test_thanks_in_the_closing_line_counts_little() -> None:
    angry = "This is unacceptable."
    closed = f"{angry}\n\nThanks,\nMaria"
    assert of(closed).sentiment.value < -0.4
    assert 0 < of("Where is my order?\n\nThank you\nMaria").sentiment.value < 0.1
    assert of("Thank you, that is perfect").sentiment.value > 0.4


def test_quotes_signatures_and_code_do_not_count() -> None:
    text = (
        "Please see the log.\n\n> this is unacceptable and terrible\n\n"
        "```\nterrible horrible worst\n```\n-- \nAwful Ltd, terrible@example.com"
    )
    assert of(text).sentiment.evidence == ()


@pytest.mark.parametrize("text", CASES.WANTS)
def test_somebody_asks_for_a_person(text: str) -> None:
    told = of(text).wants_person
    assert told.value, text
    assert told.evidence


@pytest.mark.parametrize("text", CASES.DOES_NOT_WANT)
def test_nobody_asks_for_a_person(text: str) -> None:
    told = of(text).wants_person
    assert not told.value, told.why


HOSTILE = (
    "a" * 1_000_000,
    "A" * 1_000_000,
    "word " * 100_000,
    "\n" * 500_000,
    "!?" * 300_000,
    "?" * 600_000,
    "; " * 300_000 + "x",
    "z\u0316\u0317\u0318\u0319" * 100_000,
    "a@" * 200_000,
    "<" * 300_000,
    "by by by by " * 60_000,
    "not not very " * 60_000,
    "```" * 100_000,
    "可" * 300_000,
    "\ud800\udfff broken \x00\x1b[31m",
    "9" * 300_000,
    "by 99999999999999999999-13-45 or 0.0.0 or 31.2. or 29 february",
)


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_hostile_text_is_cut_and_judged(text: str) -> None:
    said = listen(text, text)
    assert len(said.body) + len(said.closing) <= LONGEST + 2
    assert len(said.body_words) <= LONGEST + 2
    verdict = judge(text, text, NOW, whole=text)
    assert -1 <= verdict.sentiment.value <= 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.text(max_size=80))
def test_any_text_can_be_judged(text: str, subject: str) -> None:
    verdict = judge(subject, text, NOW, contacts=3)
    assert -1 <= verdict.sentiment.value <= 1
    assert verdict.to_json()["urgency"] in ("low", "normal", "high", "critical")
