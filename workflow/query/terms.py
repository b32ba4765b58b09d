"""What a word is, and how names are compared: the one folding that indexing and asking share.

Folding makes ``Rückerstattung``, ``RÜCKERSTATTUNG`` and ``ruckerstattung`` the same. Scripts that
are written without blanks (Chinese, Japanese, Thai ...) and Korean, whose particles cling to the
noun, become overlapping pairs of characters, so that a part of a run can be found: ``返金請求`` is
indexed as ``返金 金請 請求 求``.

The full-text table splits with ``tokenize='ascii'``: ASCII letters and digits and every other
non-ASCII character belong to a word. :func:`searchable` leaves no other non-ASCII character, so its
words are exactly :func:`words` of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = [
    "Term",
    "fold",
    "fts5_expression",
    "index_row",
    "people_text",
    "searchable",
    "term",
    "word_line",
    "words",
]

_PAIRED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3031-\u3035\u3040-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana, iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_WORD = re.compile("[0-9a-z\x80-\U0010ffff]+")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_PAIRED_RUN = re.compile(f"[{_PAIRED}]+")
_KANA_MARKS = "\u3099\u309a"
"""They tell か from が and へ from ぺ: letters to a reader, so they stay."""

_PLAIN_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t",
    "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
"""Letters that Unicode does not take apart but a person without that keyboard does."""


def _folded_character(character: str) -> str:
    """What folding makes of one character: without case, marks, width and style."""
    made = []
    for part in unicodedata.normalize("NFKD", character).casefold():
        unseen = (
            unicodedata.combining(part) != 0
            or unicodedata.category(part) in ("Cf", "Me")  # soft hyphens, joiners, enclosing signs
            or "\ufe00" <= part <= "\ufe0f"  # how an emoji is drawn
        )
        if part in _KANA_MARKS or not unseen:
            made.append(_PLAIN_LETTERS.get(part, part))
    return unicodedata.normalize("NFC", "".join(made))


def _in_words(part: str) -> bool:
    # Vowel signs of Indic scripts are marks that take room of their own: a word does not end there.
    return part.isascii() or part.isalnum() or unicodedata.category(part)[0] == "M"


class _Folded(dict[int, str]):
    """For each code point what it is folded to, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = made = _folded_character(chr(code))
        return made


class _Indexed(dict[int, str]):
    """The same, with a blank for what belongs to no word."""

    def __missing__(self, code: int) -> str:
        folded = _folded_character(chr(code))
        self[code] = made = "".join(part if _in_words(part) else " " for part in folded)
        return made


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    return f" {' '.join([first + second for first, second in pairwise(run)])} {run[-1]} "


class _Runs:
    """Folds a run of non-ASCII characters and keeps it: the words of a mailbox come again."""

    def __init__(self, table: dict[int, str], paired: bool) -> None:
        self._table = table
        self._paired = paired
        self._made: dict[str, str] = {}

    def __call__(self, match: re.Match[str]) -> str:
        run = match[0]
        made = self._made.get(run)
        if made is None:
            # Composed first, so that what the table sees does not depend on how it was typed.
            made = unicodedata.normalize("NFKC", run).translate(self._table)
            if self._paired:
                made = _PAIRED_RUN.sub(_pairs, made)
            if len(run) <= _LONGEST_KEPT:
                if len(self._made) >= _MOST_KEPT:
                    self._made = {}
                self._made[run] = made
        return made


_MOST_KEPT = 20_000
_LONGEST_KEPT = 40
_fold_run = _Runs(_Folded(), paired=False)
_index_run = _Runs(_Indexed(), paired=True)


def fold(text: str) -> str:
    """The text without case, accents and width: how names and subjects are compared."""
    if text.isascii():
        return text.lower()
    return _NOT_ASCII.sub(_fold_run, text.lower())


def searchable(text: str) -> str:
    """The text as it goes into the full-text index: folded, with a blank for every non-ASCII sign
    and in pairs where due.

    ASCII signs are left for the tokenizer.
    """
    if text.isascii():
        return text.lower()
    return _NOT_ASCII.sub(_index_run, text.lower())


def words(searchable_text: str) -> list[str]:
    """The words of a text that :func:`searchable` made, in order, as the index has them."""
    return _WORD.findall(searchable_text)


def word_line(text: str) -> str:
    """The words of a text with a blank before and after each: where :meth:`Term.found_in` looks."""
    return f" {' '.join(_WORD.findall(searchable(text)))} "


def people_text(
    author: str, from_name: str, from_address: str, parties: Iterable[Sequence[str]]
) -> str:
    """The names and addresses to find a message by; ``parties`` are [name, address] pairs."""
    return " ".join([author, from_name, from_address, *(part for pair in parties for part in pair)])


def index_row(subject: str, people: str, body: str) -> tuple[str, str, str]:
    """A message as the columns of the full-text table; ``people`` as :func:`people_text` makes it.

    Indexing and the facts of a ticket both come here, so that they find the same.
    """
    return searchable(subject), searchable(people), searchable(body)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand next to each other; with ``prefix`` the last one may go on."""

    tokens: tuple[str, ...]
    prefix: bool = False

    @property
    def needle(self) -> str:
        """What to look for in a :func:`word_line`."""
        return f" {' '.join(self.tokens)}" + ("" if self.prefix else " ")

    def found_in(self, line: str) -> bool:
        """Whether a line of words has it."""
        return self.needle in line


def term(text: str, prefix: bool = False) -> Term:
    """What a typed word or phrase looks for. ``tokens`` is empty where the text has no letter and
    no digit.

    ``ORD-5518`` looks for ``ord`` and ``5518`` side by side. At the end of a run of pairs the
    single last character is left out (it is indexed only at the end of a run); a run of one
    character finds every run that has it.
    """
    tokens = words(searchable(text))
    if tokens and len(tokens[-1]) == 1 and _PAIRED_RUN.match(tokens[-1]):
        if (
            len(tokens) > 1
            and len(tokens[-2]) == 2
            and tokens[-2][1] == tokens[-1]
            and _PAIRED_RUN.match(tokens[-2])
        ):
            tokens.pop()
        else:
            prefix = True
    return Term(tuple(tokens), prefix)


def fts5_expression(wanted: Term) -> str:
    """The term for SQLite's MATCH: one quoted string, so nothing typed is read as its syntax."""
    return f'"{" ".join(wanted.tokens)}"' + (" *" if wanted.prefix else "")
