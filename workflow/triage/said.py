"""What a customer has said, made ready for listening: cut to a bounded length, without code, addresses
and the lines that close a letter, as folded words with the ends of sentences between them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from workflow.query.terms import searchable

__all__ = ["LONGEST", "Said", "hard", "listen", "normal", "soft", "tokens"]

LONGEST = 8_000
"""So many characters of a message are looked at: its first three quarters and its last quarter of
that, where a hostile or pasted text has more."""

_LONGEST_SUBJECT = 400

_TOKEN = re.compile("[0-9a-z\x80-\U0010ffff]+|[.!?]+(?=\\s|$)|\n[ \t]*\n|\n[ \t]*[-*](?= )|[,;:()]")
_HARD, _SOFT = ".!?\n", ",;:()"
_ASIAN_SIGNS = str.maketrans(
    {"。": ". ", "！": "! ", "？": "? ", "、": ", ", "’": "'", "‘": "'", "…": ". "}
)
_NOT = (("can't", "can not"), ("cannot", "can not"), ("won't", "will not"), ("n't", " not"))

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)[\x21-\x7e]+|[\w.+-]{1,64}@[\w.-]{1,255}")
_RUN = re.compile(r"[\x21-\x7e]{50,}")
_CODE = re.compile(
    r"\s*(?:at [\w.$<>/]+[(:]|File \"|Traceback \(|>|\$ |#include|#!/|import \w+;?$|from \w[\w.]* import "
    r"|[\[{(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL|TRACE)\]?:\s|</?\w[^>]{0,200}>"
    r"|[\w$.]{1,80}\s?=\s?[\w\"'({\[]|[}\])]|(?:select|insert|update|delete)\s.{1,200}\b(?:from|into|set)\b)"
    r"|[\x20-\x7e]{0,400}[;{}]\s*$"
)
_SIGNED = re.compile(
    r"--\s?$|_{5,}\s*$|(?:sent|gesendet|envoyé|enviado|inviato|verzonden|wysłane) (?:from|von|de|desde|da|vanaf|z) ",
    re.I,
)
_TAIL_LINES = 10
_SHORT = 60
_WORDS_OF_A_NAME = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A message as its words. ``body`` has neither code nor the closing lines, which stand in
    ``closing``.
    """

    subject: str
    body: str
    closing: str = ""
    subject_words: tuple[str, ...] = field(default=())
    body_words: tuple[str, ...] = field(default=())
    closing_words: tuple[str, ...] = field(default=())

    @property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The words by where they stand, as evidence names it."""
        return (("subject", self.subject_words), ("body", self.body_words))


def normal(text: str) -> str:
    """The text in lower case with its apostrophes alike and its English negations as words."""
    text = text.lower().translate(_ASIAN_SIGNS)
    if "n't" in text or "cannot" in text:
        for short, whole in _NOT:
            text = text.replace(short, whole)
    return text


def tokens(text: str) -> tuple[str, ...]:
    """The folded words of a text in order, with the signs between sentences and parts of them."""
    return tuple(_TOKEN.findall(searchable(normal(text))))


def hard(token: str) -> bool:
    """Whether it ends a sentence."""
    return token[0] in _HARD


def soft(token: str) -> bool:
    """Whether it is a comma or the like."""
    return token[0] in _SOFT


def cut(text: str) -> str:
    """As much of a text as is looked at."""
    if len(text) <= LONGEST:
        return text
    head = LONGEST * 3 // 4
    return f"{text[:head]}\n\n{text[-(LONGEST - head) :]}"


def listen(
    subject: str, text: str, regards: Collection[str] = (), thanks: Collection[str] = ()
) -> Said:
    """Make a message ready; ``regards`` and ``thanks`` are the folded lines that close a letter."""
    subject = _without_addresses(subject[:_LONGEST_SUBJECT])
    lines = _lines(cut(text))
    end = _closing(lines, regards, thanks)
    body, closing = "\n".join(lines[:end]), "\n".join(lines[end:])
    return Said(subject, body, closing, tokens(subject), tokens(body), tokens(closing))


def _without_addresses(text: str) -> str:
    # Most messages have none of these; looking for them costs more than all the rest.
    if "@" in text or "://" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    if max(map(len, text.split()), default=0) >= 50:
        text = _RUN.sub(" ", text)
    return text


def _lines(text: str) -> list[str]:
    """The lines that a person wrote: no code, no logs, no addresses, nothing after a signature's mark."""
    if "```" in text:
        text = _FENCED.sub("\n", text)
    kept = []
    for line in _without_addresses(text).splitlines():
        if _SIGNED.match(line):
            break
        if not _CODE.match(line):
            kept.append(line)
    return kept


def _closing(lines: Sequence[str], regards: Collection[str], thanks: Collection[str]) -> int:
    """The index of the line with which the closing of a letter begins; the length where there is none."""
    filled = [index for index, line in enumerate(lines) if line.strip()][-_TAIL_LINES:]
    end = len(lines)
    for index in reversed(filled):
        line = lines[index]
        if len(line) > _SHORT:
            break
        spoken = " ".join(word for word in tokens(line) if not (hard(word) or soft(word)))
        if any(spoken == each or spoken.startswith(f"{each} ") for each in regards):
            # What follows a greeting is a name, whatever it looks like; a sentence goes on before it.
            if len(spoken.split()) <= _WORDS_OF_A_NAME + 3:
                end = index
        elif spoken in thanks:
            end = index
        elif end < len(lines) or len(spoken.split()) > _WORDS_OF_A_NAME:
            break
    return end
