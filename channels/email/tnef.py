"""winmail.dat: what Outlook puts into one file when it writes for another Outlook (MS-OXTNEF).

Read in one pass, with every length checked against what is there: the file is a stranger's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.charsets import decode

__all__ = ["TnefFile", "Unpacked", "is_tnef", "unpack"]

_SIGNATURE = b"\x78\x9f\x3e\x22"
_MOST_ATTRIBUTES = 20_000
_DEEPEST = 3
_IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
"""The interface id that stands before an enclosed message (IID_IMessage)."""

# Attributes of the stream (MS-OXTNEF section 2.1.3.3), then properties (MS-OXPROPS).
_BODY, _CODEPAGE, _PROPERTIES = 0x800C, 0x9007, 0x9003
_FILE_BEGINS, _FILE_NAME, _FILE_DATA, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_PR_BODY, _PR_HTML = 0x1000, 0x1013
_PR_DATA, _PR_SHORT_NAME, _PR_LONG_NAME, _PR_DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x3001
_PR_MIME, _PR_CONTENT_ID = 0x370E, 0x3712
_FIXED = {
    0x2: 4,
    0x3: 4,
    0x4: 4,
    0xA: 4,
    0xB: 4,
    0x5: 8,
    0x6: 8,
    0x7: 8,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_VARIABLE = frozenset((0xD, 0x1E, 0x1F, 0x102))
_STRING8, _UNICODE, _OBJECT = 0x1E, 0x1F, 0xD


@dataclass(slots=True)
class TnefFile:
    """A file inside; ``name`` and ``content_type`` are as they were written there."""

    name: str = ""
    content_type: str = ""
    data: bytes = b""
    content_id: str = ""


@dataclass(slots=True)
class Unpacked:
    """The texts and files inside. ``whole`` is False where the stream broke off."""

    text: str = ""
    html: str = ""
    files: list[TnefFile] = field(default_factory=list)
    whole: bool = True


def is_tnef(data: bytes) -> bool:
    """Whether bytes begin as such a file does."""
    return data.startswith(_SIGNATURE)


def unpack(data: bytes, *, depth: int = 0) -> Unpacked:
    """What is inside, as far as it can be read. Never raises."""
    found = Unpacked()
    if not is_tnef(data):
        found.whole = False
        return found
    codepage = "cp1252"
    try:
        for level, attribute, value in _attributes(data):
            if attribute == _CODEPAGE and len(value) >= 4:
                codepage = f"cp{struct.unpack_from('<I', value)[0]}"
            elif attribute == _FILE_BEGINS:
                found.files.append(TnefFile())
            elif level == 2 and found.files:
                _into_file(found.files[-1], attribute, value, codepage)
            elif attribute == _BODY:
                found.text = found.text or decode(bytes(value), codepage)[0].rstrip("\0")
            elif attribute == _PROPERTIES:
                for number, kind, content in _properties(value):
                    if number == _PR_BODY:
                        found.text = _string(kind, content, codepage)
                    elif number == _PR_HTML:
                        found.html = _string(kind, content, codepage)
    except (struct.error, ValueError):
        found.whole = False
    found.files = list(_flat(found.files, depth))
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Level (1 message, 2 attachment), number and value of each attribute (section 2.1.3.1)."""
    view = memoryview(data)
    at = 6
    for _ in range(_MOST_ATTRIBUTES):
        if at + 9 > len(view):
            if at != len(view):
                raise ValueError("bytes are left")
            return
        level, attribute, _kind, length = struct.unpack_from("<BHHI", view, at)
        at += 9
        if level not in (1, 2) or at + length + 2 > len(view):
            raise ValueError("an attribute is cut off")
        yield level, attribute, view[at : at + length]
        at += length + 2  # a checksum follows, which programs get wrong
    raise ValueError("too many attributes")


def _properties(view: memoryview) -> Iterator[tuple[int, int, bytes]]:
    """Number, type and first value of each property (section 2.1.3.4)."""
    (count,) = struct.unpack_from("<I", view, 0)
    at = 4
    # A property has at least eight bytes: a count beyond that is a lie.
    for _ in range(min(count, len(view) // 8)):
        kind, number = struct.unpack_from("<HH", view, at)
        at += 4
        if number >= 0x8000:
            (named,) = struct.unpack_from("<I", view, at + 16)
            at += 20
            if named:
                (length,) = struct.unpack_from("<I", view, at)
                at += 4 + _padded(length)
            else:
                at += 4
        values = 1
        plain = kind & ~0x1000
        if kind & 0x1000 or plain in _VARIABLE:
            (values,) = struct.unpack_from("<I", view, at)
            at += 4
        first = b""
        for index in range(min(values, len(view) // 4)):
            if plain in _VARIABLE:
                (length,) = struct.unpack_from("<I", view, at)
                at += 4
            elif plain in _FIXED:
                length = _FIXED[plain]
            else:
                raise ValueError(f"unknown type {plain:#x}")
            if at + length > len(view):
                raise ValueError("a property is cut off")
            if index == 0:
                first = bytes(view[at : at + length])
            at += _padded(length)
        yield number, plain, first


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _into_file(file: TnefFile, attribute: int, value: memoryview, codepage: str) -> None:
    if attribute == _FILE_DATA:
        file.data = bytes(value)
    elif attribute == _FILE_NAME:
        file.name = file.name or _string(_STRING8, bytes(value), codepage)
    elif attribute == _FILE_PROPERTIES:
        names: dict[int, str] = {}
        for number, kind, content in _properties(value):
            if number == _PR_DATA and content:
                file.data = content
            elif number in (_PR_SHORT_NAME, _PR_LONG_NAME, _PR_DISPLAY_NAME):
                names[number] = _string(kind, content, codepage)
            elif number == _PR_MIME:
                file.content_type = _string(kind, content, codepage)
            elif number == _PR_CONTENT_ID:
                file.content_id = _string(kind, content, codepage)
        file.name = (
            names.get(_PR_LONG_NAME)
            or file.name
            or names.get(_PR_SHORT_NAME)
            or names.get(_PR_DISPLAY_NAME, "")
        )


def _string(kind: int, content: bytes, codepage: str) -> str:
    if kind == _UNICODE:
        return content.decode("utf-16-le", "replace").rstrip("\0")
    return decode(content.rstrip(b"\0"), codepage)[0]


def _flat(files: list[TnefFile], depth: int) -> Iterator[TnefFile]:
    """The files, and instead of an enclosed message in this format what is in it."""
    for file in files:
        inner = file.data.removeprefix(_IMESSAGE)
        if not is_tnef(inner) or depth >= _DEEPEST:
            yield file
            continue
        unpacked = unpack(inner, depth=depth + 1)
        if not unpacked.whole or not (unpacked.text or unpacked.html or unpacked.files):
            yield file
            continue
        name = file.name or "message"
        if unpacked.text:
            yield TnefFile(f"{name}.txt", "text/plain", unpacked.text.encode())
        elif unpacked.html:
            yield TnefFile(f"{name}.html", "text/html", unpacked.html.encode())
        yield from unpacked.files
