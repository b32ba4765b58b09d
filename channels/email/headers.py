"""Header values to words: encoded words (RFC 2047), parameters (RFC 2231) and lists of Message-IDs
(RFC 5322).

Real mail breaks every rule of the three, so each reader takes what is there and none raises. All
run in linear time.
"""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote_to_bytes

from channels.email.charsets import decode, decode_raw_header
from workflow.plaintext import one_line

__all__ = ["decode_words", "header_text", "message_id", "message_ids", "parameters"]

_LONGEST_VALUE = 65_536
_LONGEST_ID = 998
_FIRST_IDS = 1
_LAST_IDS = 100

# charset, encoding, text; the language of RFC 2231 (section 5) is matched and left out.
_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=")
_WORD_START = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([BbQq])\?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")

_PARAMETER = re.compile(
    r';[;\s]*([^\s=;"]{1,80})\s{0,20}=\s{0,80}(?:"((?:[^"\\]|\\.)*)(?:"|\Z)|([^;"]*))', re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTINUATION = re.compile(r"(.+?)\*(\d{1,3})(\*?)\Z")

_ANGLED_ID = re.compile(r"<([^<>]+)>")


def header_text(value: bytes, hint: str | None = None) -> str:
    """An unstructured header such as Subject as text: unfolded, encoded words decoded; not yet
    printable.

    ``hint`` is the charset of the body, for bytes beyond ASCII that are not UTF-8.
    """
    text = decode_raw_header(value[:_LONGEST_VALUE], hint)
    if "=?" in text:
        text = decode_words(text)
    return text


def decode_words(text: str) -> str:
    """Text with its encoded words decoded (RFC 2047), also where they stand against the rules.

    Read are words inside quotes or glued to text, with blanks or ``?`` in them, with base64 that
    lacks its padding, cut off before their end, and characters that are split over two words.
    """
    out: list[str] = []
    # Neighbouring words of one charset are decoded as one, since mailers split multi-byte
    # characters between them.
    pending = b""
    charset = ""
    at = 0
    while True:
        start = text.find("=?", at)
        if start < 0:
            break
        word = _WORD.match(text, start) or _odd_word(text, start)
        gap = text[at:start]
        if word is None:
            if charset:
                out.append(decode(pending, charset)[0])
                pending, charset = b"", ""
            out.append(text[at : start + 2])
            at = start + 2
            continue
        if isinstance(word, re.Match):
            label, encoding, body, end = word[1], word[2], word[3], word.end()
        else:
            label, encoding, body, end = word
        if charset and (charset != label.lower() or gap.strip()):
            out.append(decode(pending, charset)[0])
            pending, charset = b"", ""
            if gap.strip():
                out.append(gap)
        elif not charset:
            out.append(gap)
        pending += _word_bytes(encoding, body)
        charset = label.lower()
        at = end
    if charset:
        out.append(decode(pending, charset)[0])
    out.append(text[at:])
    return "".join(out)


def _odd_word(text: str, start: int) -> tuple[str, str, str, int] | None:
    """An encoded word with ``?`` in its text, or one that was cut off, as (charset, encoding, text,
    end).
    """
    head = _WORD_START.match(text, start)
    if head is None:
        return None
    end = text.find("?=", head.end())
    if end < 0:
        return head[1], head[2], text[head.end() :].rstrip("?"), len(text)
    return head[1], head[2], text[head.end() : end], end + 2


def _word_bytes(encoding: str, body: str) -> bytes:
    """The bytes of an encoded word's text."""
    if encoding in "Qq":
        raw = body.replace("_", " ").encode("utf-8", "surrogateescape")
        return binascii.a2b_qp(raw) if b"=" in raw else raw
    try:
        return binascii.a2b_base64(body.encode("ascii", "ignore"))
    except binascii.Error:
        run = _NOT_BASE64.sub("", body)
        left = len(run) % 4
        return binascii.a2b_base64(run[:-1] if left == 1 else run + "=" * (-len(run) % 4))


def parameters(value: str) -> dict[str, str]:
    """The parameters after the first ``;`` of a Content-Type or Content-Disposition value, names in
    lower case.

    Continuations and charsets of RFC 2231 are put together and decoded; so are encoded words, which
    do not belong there and are everywhere. The first of several values of one name counts, a value
    of RFC 2231 before a plain one.
    """
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[bool, str]]] = {}
    for match in _PARAMETER.finditer(value[:_LONGEST_VALUE]):
        name = match[1].lower()
        quoted = match[2]
        body = match[3].strip() if quoted is None else _unescaped(quoted)
        if "*" not in name:
            plain.setdefault(name, body)
            continue
        numbered = _CONTINUATION.match(name)
        if numbered is not None:
            extended.setdefault(numbered[1], {}).setdefault(
                int(numbered[2]), (bool(numbered[3]), body)
            )
        else:
            extended.setdefault(name.rstrip("*"), {}).setdefault(-1, (name.endswith("*"), body))
    for name, body in plain.items():
        if "=?" in body:
            plain[name] = decode_words(body)
    for name, pieces in extended.items():
        plain[name] = _assembled(pieces)
    return plain


def _unescaped(quoted: str) -> str:
    r"""A quoted string without its backslashes, unless it is a path of Windows
    (``C:\folder\file``).
    """
    if quoted[1:3] == ":\\" or quoted.startswith("\\\\"):
        return quoted
    return _ESCAPED.sub(r"\1", quoted)


def _assembled(pieces: dict[int, tuple[bool, str]]) -> str:
    """The text of a parameter given in pieces (RFC 2231, sections 3 and 4)."""
    ordered = [pieces[-1]] if -1 in pieces else [pieces[number] for number in sorted(pieces)]
    charset: str | None = None
    data = b""
    for index, (percent, body) in enumerate(ordered):
        if percent and index == 0 and body.count("'") >= 2:
            charset, _, body = body.split("'", 2)
        data += unquote_to_bytes(body) if percent else body.encode("utf-8", "surrogateescape")
    text = decode(data, charset or None)[0]
    return decode_words(text) if "=?" in text else text


def message_ids(value: bytes) -> tuple[str, ...]:
    """The Message-IDs of a References or In-Reply-To value, each as ``<...>``, in their order,
    without repeats.

    Of a very long list the first and the last hundred are kept (the root and what is nearest). Ids
    without angle brackets are taken where they look like ids; words of a phrase are not.
    """
    text = value.decode("utf-8", "replace")
    found = _ANGLED_ID.findall(text)
    if not found:
        found = [
            word.strip("<>\"'[](),;") for word in text.replace(",", " ").split() if "@" in word
        ]
    ids = [normal for inner in found if (normal := _normal_id(inner)) is not None]
    if len(ids) > 1:
        ids = list(dict.fromkeys(ids))
        if len(ids) > _FIRST_IDS + _LAST_IDS:
            ids = ids[:_FIRST_IDS] + ids[-_LAST_IDS:]
    return tuple(ids)


def message_id(value: bytes) -> str | None:
    """The one Message-ID of a Message-ID value as ``<...>``, also without its brackets; None if
    there is none.
    """
    text = value.strip().decode("utf-8", "replace")
    angled = _ANGLED_ID.search(text)
    if angled is not None:
        return _normal_id(angled[1])
    words = text.split()
    return _normal_id(words[0].strip("<>")) if len(words) == 1 else None


def _normal_id(inner: str) -> str | None:
    """An id without the blanks that folding put into it, printable, in angle brackets."""
    if not inner.isascii() or not inner.isprintable() or " " in inner:
        inner = one_line("".join(inner.split()))
    if not inner or len(inner) > _LONGEST_ID:
        return None
    return f"<{inner}>"
