"""A mail taken apart into its tree of parts, bodies still encoded (RFC 2045, RFC 2046).

Two ways lead to the same tree. :func:`split_lean` finds headers and boundaries with a few searches
over the bytes; it is right for sound mail and for the usual faults. Where it has doubts it says so,
and :func:`split_compat32` lets the standard library, which has met more broken mail than anybody,
take the mail apart. Neither changes a byte of a body.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache

from channels.email.charsets import decode_raw_header
from channels.email.headers import parameters

__all__ = ["Part", "split", "split_compat32", "split_header", "split_lean"]

_DEEPEST = 40
_MOST_PARTS = 5_000
_LARGEST_FOR_COMPAT32 = 4_000_000
_MOST_BOUNDARIES_FOR_COMPAT32 = 30
# Headers that may be there several times and are read as one list.
_LISTS = frozenset(
    (
        b"to",
        b"cc",
        b"delivered-to",
        b"x-original-to",
        b"envelope-to",
        b"references",
        b"in-reply-to",
        b"reply-to",
    )
)
_KNOWN = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-type|received|reply-to"
    rb"|in-reply-to|references)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_BLANK_BEFORE_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?[\r\n \t]{0,200}(?=[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]|From )"
)
# The separator of an mbox that a program made a header: the real one follows.
_MBOX_FROM = re.compile(rb"\d\d:\d\d:\d\d \d{4}\s*\Z")
_TYPE = re.compile(r"\s*([^\s/;\"]+)/([^\s/;\"]+)\s*(?:;|\Z)")


# Field names as they were written and in lower case: mail uses few, and looking one up is cheaper
# than checking it.
_NAMES: dict[bytes, bytes] = {}
_MOST_NAMES = 4_096


@dataclass(slots=True)
class Part:
    """One node of a mail. A multipart has children and no body; a leaf has a body, still
    transfer-encoded.

    ``headers`` maps names in lower case to unfolded values; a header that was repeated is there
    once, or joined by commas where it is a list.
    """

    content_type: str
    parameters: dict[str, str]
    headers: dict[bytes, bytes]
    body: bytes
    children: list[Part] = field(default_factory=list)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


def split(raw: bytes) -> tuple[Part, list[str]]:
    """The tree of a mail and its defects in a few words each. Takes any bytes and never raises."""
    part, defects, doubtful = split_lean(raw)
    if (
        doubtful
        and len(raw) <= _LARGEST_FOR_COMPAT32
        and raw.count(b"oundary") <= _MOST_BOUNDARIES_FOR_COMPAT32
    ):
        try:
            return split_compat32(raw), defects
        except Exception:  # noqa: BLE001 - on broken mail it raises whatever it likes
            return part, [*defects, "could not be taken apart in full"]
    return part, defects


# -- the lean way
# ------------------------------------------------------------------------------------------------


def split_lean(raw: bytes) -> tuple[Part, list[str], bool]:
    """The tree, its defects, and whether the standard library should be asked instead."""
    splitter = _Splitter(raw)
    start = 0
    if raw[:1] in (b"\r", b"\n", b" ", b"\t", b"\xef"):
        blank = _BLANK_BEFORE_HEADER.match(raw)
        if blank is not None:
            start = blank.end()
            splitter.defects.append("blank before the header")
    part = splitter.part(start, len(raw), 0, "text/plain", ())
    return part, splitter.defects, splitter.doubtful


class _Splitter:
    """Takes one mail apart; offsets into the raw bytes, so that nothing large is copied twice."""

    __slots__ = ("count", "defects", "doubtful", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.defects: list[str] = []
        self.doubtful = False
        self.count = 0

    def part(
        self, start: int, end: int, depth: int, default: str, above: tuple[bytes, ...]
    ) -> Part:
        """The part between two offsets."""
        raw = self.raw
        first = raw[start : min(start + 2, end)]
        if first[:1] == b"\n" or first == b"\r\n":
            head, body = b"", start + (1 if first[:1] == b"\n" else 2)
        else:
            stop = raw.find(b"\n\n", start, end)
            if stop < 0:
                stop = end
            windows = raw.find(b"\n\r\n", start, stop)
            if windows >= 0:
                head, body = raw[start : windows + 1], windows + 3
            else:
                head, body = raw[start:stop], min(stop + 2, end)
        headers = self.headers(head)
        content_type, params = _content_type(headers.get(b"content-type"), default)
        if content_type.startswith("multipart/"):
            boundary = params.get("boundary", "").rstrip()
            if boundary and depth < _DEEPEST and self.count < _MOST_PARTS:
                delimiter = b"--" + boundary.encode("utf-8", "surrogateescape")
                if delimiter not in above:
                    spans = self.spans(delimiter, body, end)
                    if spans:
                        below = (
                            "message/rfc822" if content_type == "multipart/digest" else "text/plain"
                        )
                        node = Part(content_type, params, headers, b"")
                        inner = (*above, delimiter)
                        for a, b in spans:
                            self.count += 1
                            node.children.append(self.part(a, b, depth + 1, below, inner))
                        return node
            if depth >= _DEEPEST or self.count >= _MOST_PARTS:
                self.defects.append("nested too deep")
                return Part(
                    "application/octet-stream", {"name": "nested.mime"}, headers, raw[body:end]
                )
            self.defects.append("no boundary")
            return Part("text/plain", params, headers, raw[body:end])
        return Part(content_type, params, headers, raw[body:end])

    def spans(self, delimiter: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The spans of the parts between the delimiter lines of a multipart."""
        raw = self.raw
        length = len(delimiter)
        spans: list[tuple[int, int]] = []
        opened = -1
        closed = False
        at = raw.find(delimiter, start, end)
        while at >= 0:
            after = at + length
            if at == start or raw[at - 1] == 10:
                closing = raw[after : after + 2] == b"--"
                line_end = raw.find(b"\n", after, end)
                if line_end < 0:
                    line_end = end
                if not raw[after + 2 * closing : line_end].strip(b" \t\r"):
                    if opened >= 0:
                        stop = at - 1
                        if stop > opened and raw[stop - 1] == 13:
                            stop -= 1
                        spans.append((opened, max(stop, opened)))
                    opened = -1 if closing else min(line_end + 1, end)
                    closed = closing
                    after = line_end
            at = raw.find(delimiter, after, end)
        if opened >= 0:
            spans.append((opened, end))
        if spans and not closed:
            self.defects.append("no closing boundary")
        return spans

    def headers(self, head: bytes) -> dict[bytes, bytes]:
        """The fields of a header block."""
        found: dict[bytes, bytes] = {}
        if b"\r" in head:
            head = head.replace(b"\r\n", b"\n")
            if b"\r" in head:
                self.doubtful = True
        if b"\n " in head:
            head = head.replace(b"\n ", b" ")
        if b"\n\t" in head:
            head = head.replace(b"\n\t", b"\t")
        for line in head.split(b"\n"):
            name, colon, value = line.partition(b":")
            key = _NAMES.get(name, b"")
            if not key or not colon:
                key = name.lower().rstrip()
                if not line or line[:5] in (b"From ", b">From"):
                    continue
                if not colon or not key or b" " in key or b"\t" in key:
                    self.bad_line(head, line)
                    continue
                if len(_NAMES) < _MOST_NAMES and len(name) < 60:
                    _NAMES[name] = key
            if key not in found:
                found[key] = value
            elif key in _LISTS:
                found[key] += b"," + value
            elif key == b"from":
                if _MBOX_FROM.search(found[key]) is not None:
                    found[key] = value
                else:
                    self.defects.append("several From")
        return found

    def bad_line(self, head: bytes, line: bytes) -> None:
        """A line in a header that is no field: left out if known fields follow it, else the body
        may begin there.
        """
        if "line without a field name" not in self.defects:
            self.defects.append("line without a field name")
        if not self.doubtful:
            after = head.find(line) + len(line)
            self.doubtful = _KNOWN.search(head, after) is None


def split_header(head: bytes) -> dict[bytes, bytes]:
    """The fields of a header block alone, names in lower case, values unfolded; lines that are no
    fields are left out.
    """
    return _Splitter(b"").headers(head)


def _content_type(value: bytes | None, default: str) -> tuple[str, dict[str, str]]:
    """The type in lower case and the parameters of a Content-Type value (RFC 2045, section 5.2 for
    the default).
    """
    if value is None:
        return default, {}
    if len(value) < 120 and b"oundary" not in value:
        return _cached_type(value)
    return _read_type(value)


def _read_type(value: bytes) -> tuple[str, dict[str, str]]:
    text = decode_raw_header(value)
    match = _TYPE.match(text)
    params = parameters(text) if ";" in text else {}
    if match is None:
        return "text/plain", params
    return f"{match[1]}/{match[2]}".lower(), params


# Few different values make up nearly all mail. The cached dicts are read, never written.
_cached_type = lru_cache(maxsize=2048)(_read_type)


# -- the way of the standard library
# ---------------------------------------------------------------------------------


class _OpaqueMessage(Message):
    """A message whose parser leaves enclosed messages and delivery reports as bytes, to be stored
    as they came.
    """

    def get_content_maintype(self) -> str:
        """``opaque`` for message/*, which the parser would take apart."""
        main = super().get_content_maintype()
        return "opaque" if main == "message" else main

    def get_content_type(self) -> str:
        """As above."""
        kind = super().get_content_type()
        return kind.replace("message/", "opaque/", 1) if kind.startswith("message/") else kind


def split_compat32(raw: bytes) -> Part:
    """The tree as the ``email`` package sees it under its compat32 policy. May raise anything on
    broken mail.
    """
    return _from_message(email.message_from_bytes(raw, _class=_OpaqueMessage), "text/plain")


def _from_message(message: Message[str, str], default: str) -> Part:
    found: dict[bytes, bytes] = {}
    for name, value in message.raw_items():
        key = name.lower().encode("ascii", "surrogateescape").rstrip()
        data = (
            str(value).encode("utf-8", "surrogateescape").replace(b"\r\n", b"").replace(b"\n", b"")
        )
        if key not in found:
            found[key] = data
        elif key in _LISTS:
            found[key] += b"," + data
        elif key == b"from" and _MBOX_FROM.search(found[key]) is not None:
            found[key] = data
    content_type, params = _content_type(found.get(b"content-type"), default)
    # With an encoding declared, the payload would come decoded.
    del message["content-transfer-encoding"]
    whole = message.is_multipart()
    payload: object = message.get_payload() if whole else message.get_payload(decode=True)
    if isinstance(payload, list):
        below = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        return Part(
            content_type,
            params,
            found,
            b"",
            [_from_message(child, below) for child in payload if isinstance(child, Message)],
        )
    body = payload if isinstance(payload, bytes) else b""
    if content_type.startswith("multipart/"):
        content_type = "text/plain"
    return Part(content_type, params, found, body)
