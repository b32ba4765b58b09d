"""What a telephone sends: a photo as JPEG and a voice message as Ogg Opus, made without a library."""

from __future__ import annotations

import struct
import zlib

__all__ = ["photo", "silence"]

_ACROSS, _DOWN = 32, 24
"""Blocks of eight pixels of a photo."""

_STEP = 8
_DC_LENGTHS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
"""The codes of ITU T.81, table K.3: how many there are of each length; their values count up."""


def photo(name: str) -> bytes:
    """A baseline JPEG (ITU T.81) of a leaf against the sky, its colours chosen by the file's name.

    Each block of eight pixels has one colour, so that only its mean is written.
    """
    shade = zlib.crc32(name.encode()) % 90
    bits = _Bits()
    before = [0, 0, 0]
    codes = _dc_codes()
    for y in range(_DOWN):
        for x in range(_ACROSS):
            for index, level in enumerate(_levels(x, y, shade)):
                difference, before[index] = level - before[index], level
                size = abs(difference).bit_length()
                bits.add(*codes[size])
                bits.add(difference if difference > 0 else difference + (1 << size) - 1, size)
                bits.add(0, 1)  # the end of the block
    components = b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    frame = struct.pack(">BHHB", 8, 8 * _DOWN, 8 * _ACROSS, 3) + components
    scan = b"\x03" + b"".join(bytes((number, 0)) for number in (1, 2, 3)) + b"\x00\x3f\x00"
    parts = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xDB, b"\0" + bytes([_STEP] * 64)),
        (0xC0, frame),
        (0xC4, b"\0" + _DC_LENGTHS + bytes(range(12))),
        (0xC4, b"\x10" + bytes((1, *[0] * 15)) + b"\0"),
        (0xDA, scan),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(d) + 2) + d for kind, d in parts)
    return b"\xff\xd8" + head + bits.whole() + b"\xff\xd9"


def _levels(x: int, y: int, shade: int) -> tuple[int, int, int]:
    """The mean of a block as quantised levels of Y, Cb and Cr."""
    across, along = x - _ACROSS / 2, y - _DOWN / 2
    leaf = abs(across) < (1 - (along / (_DOWN * 0.42)) ** 2) * _DOWN * 0.3
    red, green, blue = (60, 100 + shade, 70) if leaf else (190 - shade, 215 - 3 * y, 235)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = (luma - 128, 0.564 * (blue - luma), 0.713 * (red - luma))
    return round(parts[0]), round(parts[1]), round(parts[2])


def _dc_codes() -> list[tuple[int, int]]:
    """The code and its length for each size of a difference (ITU T.81, annex C)."""
    codes, code = [], 0
    for length, count in enumerate(_DC_LENGTHS, 1):
        for _ in range(count):
            codes.append((code, length))
            code += 1
        code <<= 1
    return codes


class _Bits:
    """Bits as a scan of a JPEG has them: the highest first, ``FF`` followed by a zero."""

    def __init__(self) -> None:
        self._value, self._length = 1, 0

    def add(self, value: int, length: int) -> None:
        self._value = self._value << length | value
        self._length += length

    def whole(self) -> bytes:
        self.add((1 << -self._length % 8) - 1, -self._length % 8)
        data = self._value.to_bytes(self._length // 8 + 1, "big")[1:]
        return data.replace(b"\xff", b"\xff\0")


def silence(seconds: int) -> bytes:
    """An Ogg Opus stream (RFC 7845) of silence."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 4) + b"demo" + struct.pack("<I", 0)
    pages = [_page(0, 0, 2, [head]), _page(1, 0, 0, [tags])]
    for second in range(seconds):
        last = 4 if second == seconds - 1 else 0
        # Twenty milliseconds of silence in each packet.
        pages.append(_page(second + 2, (second + 1) * 48_000, last, [b"\xf8\xff\xfe"] * 50))
    return b"".join(pages)


def _page(number: int, granule: int, flags: int, packets: list[bytes]) -> bytes:
    """A page of an Ogg stream (RFC 3533); no packet is longer than 254 bytes."""
    lengths = bytes(len(packet) for packet in packets)
    start = b"OggS\0" + struct.pack("<BqII", flags, granule, 1, number)
    rest = bytes((len(packets),)) + lengths + b"".join(packets)
    check = _checksum(start + b"\0\0\0\0" + rest)
    return start + struct.pack("<I", check) + rest


def _checksum(data: bytes) -> int:
    """CRC-32 without reflection, as Ogg has it."""
    found = 0
    for byte in data:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1) ^ (0x04C11DB7 if found & 0x8000_0000 else 0)
        found &= 0xFFFF_FFFF
    return found
