"""The mail that is measured with: made once for each size and kept in the work folder.

``make_corpus.py`` stands beside the repository, in ``../shared/bench``. Its manifest says what was
planted; what each message really says is read here once more with the standard library, which knows
nothing of our parser.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from pathlib import Path

from benchmarks.process import run

__all__ = ["PLANTED", "Corpus", "CorpusMissing", "Word", "link_maildir", "make"]

SCRIPT = Path(__file__).resolve().parents[1].parent / "shared" / "bench" / "make_corpus.py"

_LETTERS = "0-9A-Za-z\u00c0-\u024f\u0400-\u04ff"
"""What words with blanks around them are made of, here; Japanese may follow without a blank."""

_MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class CorpusMissing(Exception):
    """The corpus cannot be made; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that the corpus plants: its language, and how it is typed into each program."""

    language: str
    text: str


PLANTED = (
    Word("en", "refund"),
    Word("en", "warranty"),
    Word("de", "Rückerstattung"),
    Word("de", "Beschädigte"),
    Word("fr", "Remboursement"),
    Word("fr", "Résiliation"),
    Word("es", "Devolución"),
    Word("es", "suscripción"),
    Word("pt", "Reembolso"),
    Word("pt", "encomenda"),
    Word("ja", "返金"),
    Word("ja", "請求書"),
    Word("ja", "荷物"),
    Word("ru", "деньги"),
    Word("ru", "Возврат"),
    Word("any", "flywheelnut"),
    Word("any", "zirconquokka"),
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus on disk."""

    size: int
    folder: Path

    @property
    def maildir(self) -> Path:
        """The Maildir with one file a message."""
        return self.folder / "maildir"

    @property
    def names(self) -> list[str]:
        """The files of the Maildir, in the order of their names."""
        return sorted(os.listdir(self.maildir / "cur"))

    def order_number(self) -> str:
        """An order number that some subject names."""
        with open(self.folder / "manifest.jsonl", encoding="utf-8") as file:
            for line in file:
                match = re.search(r"ORD-\d{8}", json.loads(line)["subject"])
                if match:
                    return match[0]
        raise CorpusMissing(f"{self.folder} has no order number: remove it, it is made anew")

    def truth(self) -> Truth:
        """Which files have each planted word; read once and kept beside the corpus."""
        kept = self.folder / "truth.json"
        words = [word.text for word in PLANTED] + [self.order_number()]
        if kept.exists():
            found = json.loads(kept.read_text(encoding="utf-8"))
            if set(found["words"]) == set(words):
                return Truth(
                    {word: frozenset(files) for word, files in found["words"].items()},
                    found["copies"],
                )
        truth = _read_truth(self, words)
        kept.write_text(
            json.dumps(
                {
                    "words": {word: sorted(files) for word, files in truth.words.items()},
                    "copies": truth.copies,
                },
                ensure_ascii=False,
            ),
            encoding="utf-8",
        )
        return truth


@dataclass(frozen=True, slots=True)
class Truth:
    """What is in the mail. Files with the same bytes are one message and stand under the first of
    their names; ``copies`` leads there from the SHA-256 of the bytes.
    """

    words: dict[str, frozenset[str]]
    copies: dict[str, str]


def make(work: Path, size: int, say: Callable[[str], None]) -> Corpus:
    """The corpus of ``size`` messages, made if it is not there yet; raises CorpusMissing."""
    folder = work / "corpus" / str(size)
    if not (folder / "stats.json").exists():
        if not SCRIPT.exists():
            raise CorpusMissing(
                f"the mail to measure with cannot be made: {SCRIPT} is missing; put shared/bench"
                " beside the repository and start again"
            )
        say(f"making a corpus of {size} messages (once)")
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        ran = run([sys.executable, SCRIPT, "--messages", str(size), "--out", part])
        if ran.status != 0:
            raise CorpusMissing(f"{SCRIPT} ended with {ran.status}: run it by hand to see why")
        part.rename(folder)
    return Corpus(size, folder)


def link_maildir(corpus: Corpus, target: Path) -> Path:
    """A Maildir of hard links, for programs that rename files."""
    for name in ("cur", "new", "tmp"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for name in corpus.names:
        os.link(corpus.maildir / "cur" / name, target / "cur" / name)
    return target


def _read_truth(corpus: Corpus, words: list[str]) -> Truth:
    patterns = {word: _pattern(word) for word in words}
    found: dict[str, set[str]] = {word: set() for word in words}
    copies: dict[str, str] = {}
    for name in corpus.names:
        raw = (corpus.maildir / "cur" / name).read_bytes()
        if copies.setdefault(hashlib.sha256(raw).hexdigest(), name) != name:
            continue
        text = readable(raw).casefold()
        for word, pattern in patterns.items():
            if pattern.search(text):
                found[word].add(name)
    return Truth({word: frozenset(names) for word, names in found.items()}, copies)


def _pattern(word: str) -> re.Pattern[str]:
    """Whole words, but anywhere in scripts that are written without blanks."""
    folded = re.escape(word.casefold())
    blankless = any("\u3040" <= character <= "\u9fff" for character in word)
    return re.compile(folded if blankless else f"(?<![{_LETTERS}]){folded}(?![{_LETTERS}])")


def readable(raw: bytes) -> str:
    """Subject and text of a mail, by the standard library."""
    message = message_from_bytes(raw)
    return f"{_header(str(message.get('Subject', '')))}\n{_body(message)}"


def _header(value: str) -> str:
    parts = []
    for part, charset in decode_header(value):
        if isinstance(part, str):
            parts.append(part.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        elif charset in (None, "unknown-8bit"):
            parts.append(part.decode("utf-8", "replace"))
        else:
            parts.append(_decoded(part, charset or "utf-8"))
    return "".join(parts)


def _body(message: Message) -> str:
    texts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    texts = [part for part in texts if part.get_filename() is None]
    for wanted in ("plain", "html"):
        for part in texts:
            if part.get_content_subtype() == wanted:
                payload = part.get_payload(decode=True)
                assert isinstance(payload, bytes)
                text = _decoded(payload, part.get_content_charset() or "utf-8")
                return text if wanted == "plain" else html.unescape(_MARKUP.sub(" ", text))
    return ""


def _decoded(data: bytes, charset: str) -> str:
    known = {"iso-8859-1": "cp1252", "us-ascii": "utf-8", "x-unknown": "utf-8"}
    try:
        return data.decode(known.get(charset.lower(), charset), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
