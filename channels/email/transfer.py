"""Content-Transfer-Encoding undone (RFC 2045, section 6), leniently: what cannot be decoded is kept
as it came.
"""

from __future__ import annotations

import binascii
import re

__all__ = ["decode_transfer"]

_PLAIN = frozenset(
    (b"7bit", b"8bit", b"binary", b"7-bit", b"8-bit", b"7bits", b"8bits", b"plain", b"")
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_NOT_ALPHABET = re.compile(rb"[^A-Za-z0-9+/]+")
_AFTER_PADDING = re.compile(rb"=[=\s]*([^=\s])")
_PADDING = re.compile(rb"=[=\s]*")
_BASE64_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_SOFT_BREAK_SPACE = re.compile(rb"=[ \t]{1,80}(\r?\n)")


def decode_transfer(
    data: bytes, encoding: bytes, *, text: bool = False
) -> tuple[bytes, str | None]:
    """The bytes behind a transfer encoding, and a defect in a few words (or None). Never raises.

    ``encoding`` is the header's value; ``text`` says that the part is text, where an encoding that
    was declared but not applied can be told from its characters.
    """
    name = encoding.strip().lower()
    if not name or name in (b"7bit", b"8bit", b"binary"):
        return data, None
    name = name.split(b";", 1)[0].strip(b" \t\"'")
    if name in (b"quoted-printable", b"quoted printable", b"quotedprintable"):
        return _quoted_printable(data), None
    if name == b"base64":
        return _base64(data, text)
    if name in (b"x-uuencode", b"uuencode", b"x-uue", b"uue"):
        return _uuencoded(data)
    if name in _PLAIN:
        return data, None
    return data, f"unknown transfer encoding {name[:30].decode('ascii', 'replace')}"


def _quoted_printable(data: bytes) -> bytes:
    """Quoted-printable, also with blanks after the ``=`` of a soft line break."""
    if b"= " in data or b"=\t" in data:
        data = _SOFT_BREAK_SPACE.sub(rb"=\1", data)
    return binascii.a2b_qp(data)


def _base64(data: bytes, text: bool) -> tuple[bytes, str | None]:
    """base64, also without its padding, in several padded runs, or with lines in between that are
    something else.
    """
    if text and len(data.translate(None, _BASE64_BYTES)) * 50 > len(data):
        return data, "base64 was declared and is not there"
    padding = data.find(b"=")
    if padding >= 0 and _AFTER_PADDING.match(data, padding) is not None:
        return _base64_runs(data, text)
    try:
        return binascii.a2b_base64(data), None
    except binascii.Error:
        pass
    return _base64_run(data), "base64 is cut off"


def _base64_runs(data: bytes, text: bool) -> tuple[bytes, str | None]:
    """Several runs, each with its own padding: decoders stop at the first and lose the rest.

    What follows a run and is no base64 (the footer of a mailing list) is kept where the part is
    text; in a file it would be damage.
    """
    out: list[bytes] = []
    at = 0
    for padding in _PADDING.finditer(data):
        run = data[at : padding.start()]
        if out and _NOT_BASE64.search(run) is not None:
            break
        if run:
            out.append(_base64_run(run))
        at = padding.end()
    rest = data[at:]
    if not rest.strip():
        return b"".join(out), "base64 in several runs"
    if _NOT_BASE64.search(rest) is None:
        return b"".join((*out, _base64_run(rest))), "base64 in several runs"
    if text:
        return b"".join((*out, b"\n", rest)), "text after base64"
    return b"".join(out), "text after base64 left out"


def _base64_run(data: bytes) -> bytes:
    """One run with its padding restored; a last character that stands alone carries no byte and is
    left.
    """
    run = _NOT_ALPHABET.sub(b"", data)
    left = len(run) % 4
    if left == 1:
        run = run[:-1]
    elif left:
        run += b"=" * (4 - left)
    return binascii.a2b_base64(run)


def _uuencoded(data: bytes) -> tuple[bytes, str | None]:
    """uuencode between its ``begin`` and ``end`` lines."""
    out: list[bytes] = []
    inside = False
    for line in data.splitlines():
        if not inside:
            inside = line.startswith(b"begin ")
            continue
        if line.strip() == b"end":
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Encoders that drop trailing blanks write lines shorter than their count says.
            count = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
            try:
                out.append(binascii.a2b_uu(line[:count]))
            except binascii.Error:
                return b"".join(out) or data, "uuencode is broken"
    return (b"".join(out), None) if inside else (data, "uuencode was declared and is not there")
