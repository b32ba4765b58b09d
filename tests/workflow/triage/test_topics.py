"""The team's file of topics: what it says of a message, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.triage.said import listen
from workflow.triage.topics import Topics, built_in_topics, load_topics, tell_topic

FILE = """\
[[topic]]
name = "billing"
words = ["invoice*", "refund*", "charged twice ^3", "cost"]
de = ["Rechnung*", "doppelt abgebucht"]
not = ["billing address", "invoice template ^4"]

[[topic]]
name = "shipping"
words = [
  "parcel",
  "lost in the post",   # a comment
]
fr = ["colis", "cost"]
ja = ["届きません"]

[[topic]]
name = "technical"
words = ["error", "slow"]
needs = 2
"""


def topics_of(tmp_path: Path, text: str = FILE) -> Topics:
    path = tmp_path / "workflow" / "topics.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_topics(tmp_path)


@pytest.mark.parametrize(
    ("subject", "text", "topic", "why"),
    [
        ("Invoices", "hello", "billing", "topics.toml:3: invoice* (subject)"),
        ("", "I was charged twice", "billing", 'topics.toml:3: "charged twice" (body)'),
        (
            "Charged twice",
            "please refund",
            "billing",
            'topics.toml:3: "charged twice" (subject), refund* (body)',
        ),
        ("", "Ihre Rechnungen sind falsch", "billing", "topics.toml:4: Rechnung* (body)"),
        ("", "the parcel is gone", "shipping", "topics.toml:10: parcel (body)"),
        ("", "LOST in the  Post", "shipping", 'topics.toml:11: "lost in the post" (body)'),
        ("", "商品がまだ届きません。", "shipping", "topics.toml:14: 届きません (body)"),
        ("", "an error", None, ""),
        ("", "an error, and slow", "technical", "topics.toml:18: error (body), slow (body)"),
        ("", "my billing address for the invoice", None, ""),
        ("", "the invoice template shows a refund", None, ""),
        ("", "a refund for the parcel", None, "topics.toml: billing or shipping (1 points each)"),
        ("", "nothing of it", None, ""),
    ],
)
def test_what_the_file_says(
    tmp_path: Path, subject: str, text: str, topic: str | None, why: str
) -> None:
    found = tell_topic(topics_of(tmp_path), listen(subject, text), "en").told
    assert (found.value, found.why) == (topic, why)


def test_a_list_of_another_language_is_heard_only_where_its_own_is_silent(tmp_path: Path) -> None:
    topics = topics_of(tmp_path)
    assert tell_topic(topics, listen("", "what is the cost"), "en").told.value == "billing"
    assert tell_topic(topics, listen("", "un colis"), "en").told.value == "shipping"
    assert tell_topic(topics, listen("", "the cost"), None).tied == ("billing", "shipping")


def test_without_the_file_there_are_those_that_ship(tmp_path: Path) -> None:
    found = load_topics(tmp_path)
    assert found is built_in_topics()
    assert found.names == ("billing", "feature", "account", "technical")
    told = tell_topic(found, listen("", "I was charged twice"), "en").told
    assert (told.value, told.source) == ("billing", "built-in topics:9")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[topic]]\nname = "a b"\nwords = ["x1"]', ":2:1: 'a b' cannot name a topic"),
        ('[[topic]]\nwords = ["x1"]', ":1:1: '' cannot name a topic"),
        ('[[topic]]\nname = "other"\nwords = ["x1"]', ":2:1: 'other' is what is about none"),
        (
            '[[topic]]\nname = "a"\nwords = ["x1"]\n[[topic]]\nname = "a"\nwords = ["y1"]',
            ":5:1: 'a' stands there twice",
        ),
        ('[[topic]]\nname = "a"', ":2:1: nothing speaks for 'a'"),
        ('[[topic]]\nname = "a"\nnot = ["x1"]', ":2:1: nothing speaks for 'a'"),
        ('[[topic]]\nname = "a"\nwords = "x1"', ":3:1: words must be a list of texts"),
        ('[[topic]]\nname = "a"\nwords = ["fine", "?!"]', ":3:18: '?!' has no word"),
        ('[[topic]]\nname = "a"\nwords = ["fine", "x*"]', ":3:18: 'x*' begins every other word"),
        ('[[topic]]\nname = "a"\nwords = ["x1 ^lots"]', ":3:10: after ^ stands how much"),
        ('[[topic]]\nname = "a"\nwords = ["x1 ^99"]', ":3:10: after ^ stands how much"),
        ('[[topic]]\nname = "a"\nword = ["x1"]', ":3:1: there is no setting 'word' here"),
        ('[[topic]]\nname = "a"\nwords = ["x1"]\nneeds = "2"', ":4:1: needs must be a number"),
        ('topic = "a"', ":1:1: write each as [[topic]]"),
        ("[[topic]\n", ":1:"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as fault:
        topics_of(tmp_path, text)
    assert f"workflow/topics.toml{complaint}" in str(fault.value).replace("\\", "/")
