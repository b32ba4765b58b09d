"""A model that tells topics apart by the words of earlier tickets: complement naive Bayes over words
and pairs of words.

It counts; nothing in it is random, so the same tickets give the same model. After J. Rennie et al.,
Tackling the Poor Assumptions of Naive Bayes Text Classifiers, ICML 2003.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from workflow.triage.said import Said
from workflow.triage.verdict import Told

__all__ = ["CONFIDENT", "LEAST_TICKETS", "LEAST_TOPICS", "Example", "Model", "features", "learn"]

LEAST_TICKETS = 40
LEAST_OF_A_TOPIC = 10
LEAST_TOPICS = 2
"""Below these there is nothing to learn from."""

CONFIDENT = 0.75
"""So sure the model must be; else the topic is other and a person decides."""

RIGHT_ENOUGH = 0.6
"""A model that was right less often than this on tickets it had not seen is not used."""

_SMOOTHING = 1.0
_MOST_FEATURES = 20_000
_MOST_OF_A_TEXT = 300
_TELLING = math.log(1.8)
"""A word counts as evidence that is so much likelier in one topic than elsewhere."""

_FOLDS = 5
_ONE_FOLD_FROM = 600
"""With so many tickets a fifth of them is enough to try the model on."""

_TEMPERATURES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


@dataclass(frozen=True, slots=True)
class Example:
    """A ticket that was resolved: what it said and what it was about. What a person has set counts
    twice.
    """

    features: tuple[str, ...]
    topic: str
    weight: int = 1


def features(said: Said) -> tuple[str, ...]:
    """The words of a message and the pairs that stand side by side, each once."""
    found: dict[str, None] = {}
    for _part, words in said.parts:
        before = ""
        for word in words:
            if not word[0].isalnum():
                before = ""
                continue
            if word.isascii() and word.isdigit():
                # Order numbers and dates are others in the next ticket.
                before = ""
                continue
            word = word[:40]
            found.setdefault(word)
            if before:
                found.setdefault(f"{before} {word}")
            before = word
            if len(found) >= _MOST_OF_A_TEXT:
                return tuple(found)
    return tuple(found)


@dataclass(slots=True)
class Model:
    """What was counted: for each word in how many tickets of each topic it stood."""

    topics: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]
    examples: int
    temperature: float = 1.0
    accuracy: float = 0.0
    """Of its answers on tickets that it had not seen, whether sure or not."""
    sure_share: float = 0.0
    """Of those tickets so many it was sure about ..."""
    sure_accuracy: float = 0.0
    """... and of these so many right."""
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of those tickets: for each topic what the model said."""
    _totals: tuple[int, ...] = ()
    _weights: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = range(len(self.topics))
        self._totals = tuple(sum(row[i] for row in self.counts.values()) for i in columns)

    @property
    def trusted(self) -> bool:
        """Whether it was right often enough to be used."""
        return self.accuracy >= RIGHT_ENOUGH

    def tell(
        self, found: Sequence[str], among: Sequence[str] = ()
    ) -> tuple[Told[str | None], float]:
        """The topic and how sure it is; None below :data:`CONFIDENT`. ``among`` leaves the choice
        between some.
        """
        source = f"learned from {self.examples} resolved tickets"
        scores, known = self._scores(found)
        if among:
            scores = {topic: score for topic, score in scores.items() if topic in among}
        if known == 0 or not scores:
            return Told(None, source, ("none of its words was seen before",)), 0.0
        shares = _softmax(scores, self.temperature)
        best = max(shares, key=lambda topic: shares[topic])
        sure = shares[best]
        telling = self._telling(found, best)
        if sure < CONFIDENT or not telling:
            return Told(None, source, (f"not sure: {best} ({sure:.2f})",)), sure
        named = ", ".join(telling[:3])
        return Told(best, source, (f"{named} ({min(sure, 0.99):.2f})",)), sure

    def _scores(self, found: Sequence[str]) -> tuple[dict[str, float], int]:
        sums = [0.0] * len(self.topics)
        known = 0
        for feature in found:
            weights = self._weights.get(feature) or self._weigh(feature)
            if weights:
                known += 1
                for index, weight in enumerate(weights):
                    sums[index] += weight
        scale = math.sqrt(known) if known else 1.0
        return {t: s / scale for t, s in zip(self.topics, sums, strict=True)}, known

    def _weigh(self, feature: str) -> tuple[float, ...]:
        """For each topic how much rarer the word is everywhere else."""
        row = self.counts.get(feature)
        if row is None:
            return ()
        everywhere, total = sum(row), sum(self._totals)
        size = len(self.counts) or 1
        raw = [
            -math.log((everywhere - mine + _SMOOTHING) / (total - own + _SMOOTHING * size))
            for mine, own in zip(row, self._totals, strict=True)
        ]
        mean = sum(raw) / len(raw)
        self._weights[feature] = made = tuple(weight - mean for weight in raw)
        return made

    def _telling(self, found: Sequence[str], topic: str) -> list[str]:
        """The words that speak for a topic, the strongest first; a pair instead of its words."""
        at = self.topics.index(topic)
        ranked = []
        for feature in found:
            row = self.counts.get(feature)
            if row is None:
                continue
            mine = (row[at] + 0.5) / (self._totals[at] + 1)
            rest = (sum(row) - row[at] + 0.5) / (sum(self._totals) - self._totals[at] + 1)
            if row[at] >= 2 and (strength := math.log(mine / rest)) >= _TELLING:
                ranked.append((strength * math.log(1 + row[at]), feature))
        named: list[str] = []
        for _strength, feature in sorted(ranked, key=lambda pair: (-pair[0], pair[1])):
            words = set(feature.split())
            if not any(words & set(other.split()) for other in named):
                named.append(feature)
        return named

    @property
    def digest(self) -> str:
        """Tells models apart by what they have counted."""
        text = repr((self.topics, sorted(self.counts.items()), self.temperature))
        return sha256(text.encode()).hexdigest()[:16]

    def facts(self) -> dict[str, Any]:
        """What is worth telling of it, without the counts."""
        return {
            "digest": self.digest,
            "topics": list(self.topics),
            "temperature": self.temperature,
            "accuracy": round(self.accuracy, 4),
            "sure_share": round(self.sure_share, 4),
            "sure_accuracy": round(self.sure_accuracy, 4),
            "confusion": {topic: dict(row) for topic, row in self.confusion.items()},
        }

    def table(self) -> dict[str, Any]:
        """The counts."""
        return {"counts": {word: list(row) for word, row in self.counts.items()}}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], table: Mapping[str, Any], examples: int) -> Model:
        """The model that :meth:`facts` and :meth:`table` wrote."""
        return cls(
            tuple(facts["topics"]),
            {word: tuple(row) for word, row in table["counts"].items()},
            examples,
            float(facts["temperature"]),
            float(facts["accuracy"]),
            float(facts["sure_share"]),
            float(facts["sure_accuracy"]),
            facts["confusion"],
        )


def learn(examples: Iterable[Example]) -> Model | None:
    """A model from resolved tickets, tried on tickets that it had not seen; None where there are
    too few of them.
    """
    found = list(examples)
    per_topic = Counter(example.topic for example in found)
    topics = tuple(sorted(t for t, number in per_topic.items() if number >= LEAST_OF_A_TOPIC))
    found = [example for example in found if example.topic in topics]
    if len(topics) < LEAST_TOPICS or len(found) < LEAST_TICKETS:
        return None
    tried = _try(found, topics)
    model = _count(found, topics)
    model.temperature = _temperature(tried)
    _judge(model, tried)
    return model


def _count(examples: Sequence[Example], topics: tuple[str, ...]) -> Model:
    index = {topic: at for at, topic in enumerate(topics)}
    counts: dict[str, list[int]] = {}
    for example in examples:
        at = index[example.topic]
        for feature in example.features:
            row = counts.get(feature)
            if row is None:
                row = counts[feature] = [0] * len(topics)
            row[at] += example.weight
    often = {feature: row for feature, row in counts.items() if sum(row) >= 2}
    kept = sorted(often, key=lambda feature: (-sum(often[feature]), feature))[:_MOST_FEATURES]
    return Model(topics, {feature: tuple(often[feature]) for feature in kept}, len(examples))


_Tried = list[tuple[dict[str, float], str]]


def _try(examples: Sequence[Example], topics: tuple[str, ...]) -> _Tried:
    """What models that have not seen a ticket say of it, with what it was about."""
    tried: _Tried = []
    for fold in range(1 if len(examples) >= _ONE_FOLD_FROM else _FOLDS):
        # Every fifth of each topic, so that a rare one is in every part.
        seen: Counter[str] = Counter()
        apart: list[Example] = []
        rest: list[Example] = []
        for example in examples:
            mine = seen[example.topic] % _FOLDS == fold
            seen[example.topic] += 1
            (apart if mine else rest).append(example)
        model = _count(rest, topics)
        tried += [(model._scores(e.features)[0], e.topic) for e in apart]
    return tried


def _temperature(tried: _Tried) -> float:
    """How much the differences of scores mean, so that a 0.8 is right in eight of ten."""

    def loss(temperature: float) -> float:
        return -sum(
            math.log(max(_softmax(scores, temperature)[topic], 1e-6)) for scores, topic in tried
        )

    return min(_TEMPERATURES, key=loss)


def _judge(model: Model, tried: _Tried) -> None:
    confusion: dict[str, Counter[str]] = {topic: Counter() for topic in model.topics}
    right = sure = sure_right = 0
    for scores, topic in tried:
        shares = _softmax(scores, model.temperature)
        said = max(shares, key=lambda each: shares[each])
        confusion[topic][said] += 1
        right += said == topic
        if shares[said] >= CONFIDENT:
            sure += 1
            sure_right += said == topic
    model.accuracy = right / len(tried)
    model.sure_share = sure / len(tried)
    model.sure_accuracy = sure_right / sure if sure else 0.0
    model.confusion = {topic: dict(row) for topic, row in confusion.items()}


def _softmax(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    best = max(scores.values())
    raised = {topic: math.exp((score - best) * temperature) for topic, score in scores.items()}
    total = sum(raised.values())
    return {topic: value / total for topic, value in raised.items()}
