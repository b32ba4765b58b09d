"""How long triage looks at a mail of 500 words, with topics in a file and a model that has learned."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from benchmarks.figures import Spread, spread
from workflow.triage.judge import judge
from workflow.triage.learning import Example, Model, features, learn
from workflow.triage.said import listen
from workflow.triage.topics import FILE, Topics, load_topics

__all__ = ["WORDS", "time_triage"]

WORDS = 500
_MAILS = 200
_LEARNED_FROM = 2_000
_NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
_SENTENCES = (
    "The order of last week has not arrived and the tracking page shows nothing new since Monday.",
    "I have written to you before about the same thing, and nobody could tell me when it comes.",
    "We need the parts for a customer of ours by the end of next week at the latest.",
    "When I open the page of the account it takes very long, and then there is an error message.",
    "Could you please look into it and let me know whether I should order it again elsewhere?",
    "The invoice of October shows the old address, though I changed it in the settings in spring.",
    "It is not bad as such, but I am not happy with how long all of this takes by now.",
)


def time_triage(say: Callable[[str], None]) -> Spread:
    """Milliseconds for one mail, from its text to the verdict."""
    say(f"triage of {_MAILS} mails of {WORDS} words")
    topics, model, chance = _topics(), _model(), random.Random(5)
    took = []
    for number in range(_MAILS + 10):
        text = _mail(chance)
        began = time.perf_counter()
        judge(f"Question {number}", text, _NOW, topics=topics, model=model, contacts=2)
        took.append((time.perf_counter() - began) * 1000)
    # The first ones read the lists of words.
    return spread(took[10:])


def _mail(chance: random.Random) -> str:
    said: list[str] = []
    while sum(len(sentence.split()) for sentence in said) < WORDS:
        said.append(chance.choice(_SENTENCES))
    return "\n\n".join([" ".join(said[:10]), " ".join(said[10:]), "Best regards\nMaria Lopez"])


def _topics() -> Topics:
    """Those that deskhand ships."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.parent.mkdir()
        shipped = files("workflow").joinpath("starter/topics.toml")
        path.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
        return load_topics(Path(folder))


def _model() -> Model:
    chance = random.Random(6)
    words = [f"{a}{b}{c}" for a in "bdfglmnr" for b in "aeiou" for c in "lnrstx"]
    examples = []
    for number in range(_LEARNED_FROM):
        own = words[(number % 8) * 30 :][:30]
        text = " ".join(chance.choices(own, k=15) + chance.choices(words, k=40))
        examples.append(Example(features(listen("", text)), f"topic{number % 8}"))
    model = learn(examples)
    assert model is not None
    return model
