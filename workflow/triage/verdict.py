"""What triage says of a message: each answer with where it comes from and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from workflow.model import Urgency

__all__ = ["LANGUAGE_NAMES", "OTHER", "Told", "Verdict", "sentiment_word"]

T = TypeVar("T")

OTHER = "other"
"""The topic of what is about none of them, or about which nothing is sure: a person decides."""


LANGUAGE_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "it": "Italian", "ja": "Japanese",
    "ka": "Georgian", "ko": "Korean", "nb": "Norwegian", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sr": "Serbian",
    "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "zh": "Chinese",
}  # fmt: skip
"""The languages that triage tells, as a person calls them."""


def sentiment_word(sentiment: float | None) -> str:
    """A sentiment from -1 to 1 in a word."""
    if sentiment is None:
        return "none"
    if sentiment <= -0.6:
        return "angry"
    if sentiment <= -0.3:
        return "unhappy"
    if sentiment < 0.3:
        return "neutral"
    return "glad" if sentiment < 0.6 else "delighted"


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """An answer, its source (``words``, ``topics.toml``, ``learned``, ``py3langid`` ...) and the
    evidence, each a phrase for a person.
    """

    value: T
    source: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Source and evidence in one line; empty where there is no evidence."""
        return f"{self.source}: {', '.join(self.evidence)}" if self.evidence else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that triage says of one message."""

    language: Told[str | None]
    topic: Told[str | None]
    urgency: Told[Urgency]
    sentiment: Told[float]
    wants_person: Told[bool]
    calms: bool = False
    """Whether the customer says in so many words that it is not urgent."""

    def to_json(self) -> dict[str, Any]:
        """As events and ``deskhand triage --json`` give it."""
        return {
            "language": self.language.value,
            "topic": self.topic.value,
            "urgency": self.urgency.value.word,
            "sentiment": self.sentiment.value,
            "wants_person": self.wants_person.value,
            "evidence": {
                name: told.why
                for name, told in (
                    ("language", self.language),
                    ("topic", self.topic),
                    ("urgency", self.urgency),
                    ("sentiment", self.sentiment),
                    ("wants_person", self.wants_person),
                )
                if told.why
            },
        }
