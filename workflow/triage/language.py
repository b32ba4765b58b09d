"""Which language a text is in: by its script, its small words, its endings and letters; unsure rather
than wrong.

Where the library py3langid is installed (``deskhand[triage]``) it is asked for what this cannot tell.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from workflow.triage.verdict import Told

__all__ = ["CODES", "Guesser", "known_word", "library", "second_opinion", "tell_language"]

Guesser = Callable[[str], "tuple[str, float] | None"]
"""A second opinion: a code and how sure it is, from 0 to 1."""

_LOOKED_AT = 2_000
_ENOUGH = 0.9
"""Points that the best language must have: one small word that no other has, or two that few have."""
_LEAD, _LEAD_SHARE = 0.5, 0.12
"""By so many points, and so much of its own points, the best must lead the second."""
_COVERED = 0.12
"""This share of the words must speak for the best: a log has a stray "the" too."""
_SHARED = 0.7
"""How fast a word loses weight with the languages that have it: two 0.62, four 0.38, seven 0.26."""
_ENDING, _LETTER = 0.35, 0.6
_LIBRARY_SURE = 0.9
_LIBRARY_LETTERS = 12

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NO_WORD = re.compile(r"[/\\_=<>{}@]")

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "kana": re.compile("[\u3041-\u30ff\uff66-\uff9d]"),
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "hangul": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "arabic": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "el": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "bn": re.compile("[\u0980-\u09ff]"),
    "ta": re.compile("[\u0b80-\u0bff]"),
    "ka": re.compile("[\u10a0-\u10ff]"),
    "hy": re.compile("[\u0530-\u058f]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
}
_SCRIPT_NAMES = {
    "kana": "kana", "han": "Chinese signs", "hangul": "Hangul", "cyrillic": "Cyrillic letters",
    "arabic": "Arabic letters", "el": "Greek letters", "he": "Hebrew letters", "th": "Thai letters",
    "hi": "Devanagari letters", "bn": "Bengali letters", "ta": "Tamil letters",
    "ka": "Georgian letters", "hy": "Armenian letters",
}  # fmt: skip
_DENSE = {"kana", "han", "hangul", "th"}
"""Scripts of which a few signs say as much as a line of letters."""

_CYRILLIC_LETTERS = {"uk": "іїєґ", "ru": "ыэё", "be": "ў", "sr": "ђћџљњј", "mk": "ѓќѕ"}
_PERSIAN = set("پچژگکی")


@dataclass(frozen=True, slots=True)
class _Lists:
    words: Mapping[str, tuple[tuple[str, float], ...]]
    endings: Mapping[str, tuple[tuple[str, float], ...]]
    letters: Mapping[str, tuple[tuple[str, float], ...]]
    lengths: tuple[int, ...]


def tell_language(text: str, guess: Guesser | None = None) -> Told[str | None]:
    """The code of the language (ISO 639-1) with what it rests on; None below the threshold."""
    sample = text[:_LOOKED_AT].replace("’", "'")
    if _NO_WORD.search(sample):
        sample = " ".join(word for word in sample.split() if not _NO_WORD.search(word))
    script = _script(sample)
    if script is not None and script != "latin":
        return _of_script(script, sample)
    words = _WORD.findall(sample.lower())
    scores, heard = _scores(words)
    found = _decide(words, scores, heard)
    if found.value is None and guess is not None and sum(map(len, words)) >= _LIBRARY_LETTERS:
        found = _ask(guess, sample, scores) or found
    return found


def _script(sample: str) -> str | None:
    if sample.isascii():
        return "latin"
    counts = {name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS.items()}
    counts = {name: count * (4 if name in _DENSE else 1) for name, count in counts.items() if count}
    if not counts:
        return None
    if "kana" in counts:
        # Japanese has more Chinese signs than kana, Chinese has none of these.
        counts["kana"] += counts.pop("han", 0)
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] * 2 > sum(counts.values()) else None


def _of_script(script: str, sample: str) -> Told[str | None]:
    said = (_SCRIPT_NAMES[script],)
    if script == "cyrillic":
        return _cyrillic(sample)
    if script == "arabic":
        return Told("fa" if _PERSIAN & set(sample) else "ar", "script", said)
    code = {"kana": "ja", "han": "zh", "hangul": "ko"}.get(script, script)
    return Told(code, "script", said)


def _cyrillic(sample: str) -> Told[str | None]:
    lower = sample.lower()
    letters = {
        code: sorted({sign for sign in signs if sign in lower})
        for code, signs in _CYRILLIC_LETTERS.items()
    }
    telling = [code for code, found in letters.items() if found]
    if len(telling) == 1:
        code = telling[0]
        return Told(code, "script", (f"Cyrillic letters, among them {' '.join(letters[code])}",))
    words = set(_WORD.findall(lower))
    hits = {
        code: sorted(words & set(lists["words"].split()))
        for code, lists in _read("cyrillic").items()
    }
    ranked = sorted(hits, key=lambda code: -len(hits[code]))
    if len(hits[ranked[0]]) > len(hits[ranked[1]]):
        evidence = f"Cyrillic letters and {', '.join(hits[ranked[0]][:4])}"
        return Told(ranked[0], "words", (evidence,))
    return Told(None, "words", ("Cyrillic letters, and no word tells which language",))


def _scores(words: Sequence[str]) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Points by language, and the words that gave them."""
    lists = _lists()
    scores: dict[str, float] = dict.fromkeys(CODES, 0.0)
    heard: dict[str, list[str]] = {}
    seen: set[str] = set()
    for word in words:
        if word in seen:
            continue
        seen.add(word)
        parts = [word] if word in lists.words or "'" not in word else word.split("'")
        for part in parts:
            for code, weight in lists.words.get(part, ()):
                scores[code] += weight
                heard.setdefault(code, []).append(part)
            if len(part) < 6 and part.isascii():
                continue
            known = part in lists.words
            for length in () if known or len(part) < 6 else lists.lengths:
                for code, weight in lists.endings.get(part[-length:], ()):
                    scores[code] += weight
            for letter in () if part.isascii() else set(part):
                for code, weight in lists.letters.get(letter, ()):
                    scores[code] += weight
                    heard.setdefault(code, []).append(part)
    return scores, heard


def _decide(
    words: Sequence[str], scores: Mapping[str, float], heard: Mapping[str, list[str]]
) -> Told[str | None]:
    ranked = sorted(scores, key=lambda code: -scores[code])
    best, second = ranked[0], ranked[1]
    said = list(dict.fromkeys(heard.get(best, ())))
    evidence = (", ".join(said[:5]),) if said else ()
    if not said or scores[best] < _ENOUGH:
        return Told(None, "words", ("too few words that tell",))
    if len(said) == 1 and len(said[0]) < 4 and len(words) > 2:
        return Told(None, "words", ("too few words that tell",))
    if len(said) < _COVERED * len(set(words)):
        return Told(None, "words", ("most of it is no language that is known",))
    if scores[best] - scores[second] < max(_LEAD, _LEAD_SHARE * scores[best]):
        return Told(None, "words", (f"it may be {best} or {second}",))
    return Told(best, "words", evidence)


def _ask(guess: Guesser, sample: str, scores: Mapping[str, float]) -> Told[str | None] | None:
    found = guess(sample)
    if found is None:
        return None
    code, sure = found
    # Words of another language that were heard outweigh a guess from letters.
    if sure < _LIBRARY_SURE or max(scores.values()) - scores.get(code, 0.0) > _ENOUGH:
        return None
    return Told(code, "py3langid", (f"{sure:.2f} sure",))


def known_word(word: str) -> bool:
    """Whether a word in lower case is one of those by which languages are told."""
    return word in _lists().words


def second_opinion(text: str) -> tuple[str, float] | None:
    """What the library says, loaded when it is first asked; None where it is not installed."""
    guess = library()
    return guess(text) if guess is not None else None


@cache
def library() -> Guesser | None:
    """The second opinion of py3langid; None where it is not installed.

    It takes a second and 100 MiB at the first call: a running engine makes it before mail comes.
    """
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = {*CODES, "no"}
    identifier.set_languages(sorted(known & set(identifier.labels)))

    def guess(text: str) -> tuple[str, float] | None:
        code, sure = identifier.classify(text)
        # It may say "no" for what we call "nb".
        return ("nb" if code == "no" else str(code)), float(sure)

    return guess


@cache
def _read(name: str) -> Mapping[str, Mapping[str, str]]:
    source = files("workflow.triage").joinpath(f"words/{name}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _lists() -> _Lists:
    read = _read("languages")

    def table(weight: float, *keys: str) -> dict[str, tuple[tuple[str, float], ...]]:
        owners: dict[str, dict[str, None]] = {}
        for code, lists in read.items():
            for word in " ".join(lists[key] for key in keys).lower().split():
                owners.setdefault(word, {})[code] = None
        return {
            word: tuple((code, weight / len(codes) ** _SHARED) for code in codes)
            for word, codes in owners.items()
        }

    endings = table(_ENDING, "endings")
    return _Lists(
        table(1.0, "words", "matter"),
        endings,
        table(_LETTER, "letters"),
        tuple(sorted({len(ending) for ending in endings}, reverse=True)),
    )


CODES = (
    "en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "da", "nb", "fi", "cs", "sk", "tr", "ro",
    "hu", "hr", "ca",
)  # fmt: skip
"""The languages of words/languages.toml."""
