"""Bytes of mail to text, whatever the label says: declared charset, then UTF-8, then a guess."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

__all__ = ["codec_for", "decode", "decode_raw_header"]

# Labels that mean more in practice than their standard says; as browsers read them (WHATWG
# Encoding, section 4.2).
_ALIASES = {
    "usascii": "ascii",
    "ascii": "ascii",
    "ansix341968": "ascii",
    "utf8": "utf-8",
    "unicode11utf8": "utf-8",
    "iso88591": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "cp819": "cp1252",
    "ansi": "cp1252",
    "xansi": "cp1252",
    "windows1252": "cp1252",
    "cp1252": "cp1252",
    "iso88599": "cp1254",
    "latin5": "cp1254",
    "iso88598i": "iso8859_8",
    "iso88598e": "iso8859_8",
    "iso885911": "cp874",
    "tis620": "cp874",
    "windows874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "xgbk": "gb18030",
    "cp936": "gb18030",
    "euckr": "cp949",
    "ksc56011987": "cp949",
    "ksc5601": "cp949",
    "windows949": "cp949",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "windows31j": "cp932",
    "big5": "cp950",
    "xmaccyrillic": "mac_cyrillic",
    "xmacroman": "mac_roman",
    "unicode11utf7": "utf-7",
}
# Text codecs of Python that are no charsets of mail; some take quadratic time or unescape what they
# read.
_REFUSED = frozenset(
    {"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "undefined"}
)
_ISO_2022_JP_WIDER = ("iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext")
_NOT_LABEL = re.compile(r"[^0-9a-z]+")
_GUESS_SAMPLE = 32_768


@lru_cache(maxsize=512)
def codec_for(label: str) -> str | None:
    """The Python codec to read a charset label with, or None for a label that nobody knows.

    ``iso-8859-1`` gives ``cp1252``: mail with that label often holds windows-1252, and the two
    agree elsewhere.
    """
    plain = _NOT_LABEL.sub("", label.lower())
    alias = _ALIASES.get(plain)
    if alias is not None:
        return alias
    if len(label) > 60 or not label.isascii():
        return None
    try:
        info = codecs.lookup(label.strip("\"'; \t"))
        # Codecs that are no charsets (zip, hex, rot13) refuse to make text.
        b"    ".decode(info.name, "replace")
    except (LookupError, ValueError, TypeError):
        return None
    return None if info.name in _REFUSED else info.name


def decode(data: bytes, label: str | None) -> tuple[str, str | None]:
    """Text for bytes with a declared charset (or None), and a defect in a few words (or None).

    Never raises. The order: the declared charset; UTF-8; a guess by charset-normalizer;
    windows-1252 with signs for what is left. A byte order mark at the start is dropped.
    """
    if not label:
        return _decode_undeclared(data, None)
    codec = codec_for(label)
    if codec is None:
        return _decode_undeclared(data, f"unknown charset {label[:40]}")
    if codec in ("utf-8", "ascii"):
        try:
            text = data.decode()
        except UnicodeDecodeError:
            if codec == "ascii":
                return _windows_1252(data), "charset us-ascii does not fit"
            return _almost_utf8(data)
        return text.removeprefix("\ufeff"), None
    if codec == "cp1252":
        return _windows_1252(data), None
    try:
        return data.decode(codec).removeprefix("\ufeff"), None
    except (UnicodeError, ValueError):
        pass
    if codec == "iso2022_jp":
        for wider in _ISO_2022_JP_WIDER:
            try:
                return data.decode(wider), None
            except UnicodeError:
                continue
    defect = f"charset {label[:40]} does not fit"
    text = data.decode(codec, "replace")
    # A few broken characters (a part cut in the middle) are no reason to doubt the label.
    if text.count("\ufffd") * 20 <= len(text):
        return text, defect
    return _decode_undeclared(data, defect)


def decode_raw_header(data: bytes, hint: str | None = None) -> str:
    """Text of a header value that may hold bytes beyond ASCII (RFC 6532, or against all rules).

    UTF-8 where it is that, else the charset of the body (``hint``), else windows-1252. Never
    raises.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    codec = codec_for(hint) if hint else None
    if codec is not None and codec not in ("utf-8", "ascii"):
        text = data.decode(codec, "replace")
        if text.count("\ufffd") * 10 <= len(text):
            return text
    # Mostly right UTF-8 with a fault in it (a value cut in the middle of a character) stays UTF-8.
    text = data.decode(errors="replace")
    if (
        text.count("\ufffd") <= 1
        and not text.isascii()
        and any("\x7f" < c != "\ufffd" for c in text)
    ):
        return text
    return _windows_1252(data)


def _windows_1252(data: bytes) -> str:
    """windows-1252 with its five holes read as the C1 controls of that number, as browsers do."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(
            piece.decode("cp1252") if piece[0] not in _HOLES else piece.decode("latin-1")
            for piece in _HOLE_SPLIT.findall(data)
        )


_HOLES = frozenset(b"\x81\x8d\x8f\x90\x9d")
_HOLE_SPLIT = re.compile(rb"[\x81\x8d\x8f\x90\x9d]+|[^\x81\x8d\x8f\x90\x9d]+")


def _almost_utf8(data: bytes) -> tuple[str, str | None]:
    """Bytes labelled UTF-8 that are not: with signs if most of it fits, else as what they look
    like.
    """
    text = data.decode(errors="replace")
    broken = text.count("\ufffd")
    fitting = sum(1 for c in text[:100_000] if c > "\x7f") - broken
    if fitting >= broken:
        return text.removeprefix("\ufeff"), "charset utf-8 does not fit"
    guess = _guess(data)
    return (guess if guess is not None else _windows_1252(data)), "charset utf-8 does not fit"


def _decode_undeclared(data: bytes, defect: str | None) -> tuple[str, str | None]:
    """UTF-8, a byte order mark of UTF-16, a guess, windows-1252."""
    try:
        return data.decode().removeprefix("\ufeff"), defect
    except UnicodeDecodeError:
        pass
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), defect
    guess = _guess(data)
    if guess is None:
        guess = _windows_1252(data)
    return guess, defect or "charset not declared"


def _guess(data: bytes) -> str | None:
    """Text by the charset that charset-normalizer finds most likely, or None.

    The library is imported here because sound mail never needs it and its import takes longer than
    parsing many mails.
    """
    if b"\0" in data[:_GUESS_SAMPLE]:
        return None  # binary: every guess would be wrong and slow
    from charset_normalizer import from_bytes

    try:
        best = from_bytes(data[:_GUESS_SAMPLE], preemptive_behaviour=False).best()
        return None if best is None else data.decode(best.encoding, "replace")
    except (LookupError, ValueError, UnicodeError):
        return None
