"""The whole of triage for one message, as a pure function of its words, the time and what is known."""

from __future__ import annotations

from datetime import datetime

from workflow.triage.language import Guesser, tell_language
from workflow.triage.learning import Model, features
from workflow.triage.lexicon import closings, lexicon
from workflow.triage.person import tell_wants_person
from workflow.triage.said import Said, listen
from workflow.triage.sentiment import tell_sentiment
from workflow.triage.topics import NO_TOPICS, Topics, tell_topic
from workflow.triage.urgency import tell_urgency
from workflow.triage.verdict import OTHER, Told, Verdict

__all__ = ["judge", "topic_by_words"]

_FEW = 12
"""Words; a first mail of so few ("see below") is about what it passes on."""


def judge(
    subject: str,
    text: str,
    now: datetime,
    *,
    topics: Topics = NO_TOPICS,
    model: Model | None = None,
    contacts: int = 1,
    guess: Guesser | None = None,
    whole: str | None = None,
) -> Verdict:
    """What a message says of itself.

    ``contacts`` is how often the customer has written within a week, this time included; ``whole``
    the text with what it quotes, which is read for the topic where the message itself says little.
    """
    said = listen(subject, text, closings("regards"), closings("thanks"))
    language = _language(said, guess)
    lists = lexicon(language.value)
    heard = [(part, tuple(lists.phrases.find(words))) for part, words in said.parts]
    urgency, calms = tell_urgency(said, heard, lists, now, contacts)
    closing = ("closing", tuple(lists.phrases.find(said.closing_words)))
    about = _about(said, subject, whole)
    return Verdict(
        language=language,
        topic=_topic(topics, model, about, language.value),
        urgency=urgency,
        sentiment=tell_sentiment(said, [*heard, closing]),
        wants_person=tell_wants_person(said, heard),
        calms=calms,
    )


def topic_by_words(
    topics: Topics, subject: str, text: str, language: str | None, whole: str | None = None
) -> Told[str | None]:
    """What the words of the file alone say that a message is about; the arguments as for
    :func:`judge`.
    """
    said = listen(subject, text, closings("regards"), closings("thanks"))
    return tell_topic(topics, _about(said, subject, whole), language).told


def _about(said: Said, subject: str, whole: str | None) -> Said:
    """What is read for the topic: with what it quotes, where the message itself says little."""
    if whole is not None and len(said.body_words) < _FEW:
        return listen(subject, whole)
    return said


def _language(said: Said, guess: Guesser | None) -> Told[str | None]:
    """By the text; by its subject as well where that says too little (the subject of an answer may
    be ours).
    """
    written = f"{said.body}\n{said.closing}"
    found = tell_language(written, guess)
    if found.value is None and said.subject.strip():
        return tell_language(f"{said.subject}\n{written}", guess)
    return found


def _topic(
    topics: Topics, model: Model | None, said: Said, language: str | None
) -> Told[str | None]:
    """The words of the team's file come first; the model where they are silent or divided."""
    by_file = tell_topic(topics, said, language)
    if by_file.told.value is not None:
        return by_file.told
    why = [by_file.told.why] if by_file.told.why else []
    if model is not None and model.trusted:
        among = tuple(topic for topic in by_file.tied if topic in model.topics)
        if len(among) == len(by_file.tied):
            by_model, _sure = model.tell(features(said), among)
            if by_model.value is not None:
                return by_model
            why.append(by_model.why)
    if not (topics.own and topics.names) and model is None:
        return Told(None)
    return Told(OTHER, "default", tuple(why) or ("no word of topics.toml",))
