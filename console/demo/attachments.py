"""Small real files for the customers to attach: a picture, a page, a log; a photo, a voice message."""

from __future__ import annotations

import random
import struct
import zlib
from datetime import datetime, timedelta

from console.demo.media import photo, silence

__all__ = ["file_for"]


def file_for(name: str, at: datetime) -> tuple[str, bytes]:
    """The media type and the bytes of an attachment, by its name's ending; always the same."""
    ending = name.rpartition(".")[2]
    if ending == "png":
        return "image/png", _picture(name)
    if ending == "jpg":
        return "image/jpeg", photo(name)
    if ending == "ogg":
        return "audio/ogg", silence(int(name.rpartition(".")[0]))
    if ending == "pdf":
        return "application/pdf", _page(name)
    return "text/plain", _log(name, at)


def _picture(name: str, size: int = 96) -> bytes:
    """A PNG (RFC 2083) of a leaf on a light ground, its colour chosen by the file's name."""
    green = 90 + zlib.crc32(name.encode()) % 120
    rows = bytearray()
    for y in range(size):
        rows.append(0)  # filter type 0: none
        for x in range(size):
            across, along = x - size / 2, y - size / 2
            leaf = abs(across) < (1 - (along / (size * 0.42)) ** 2) * size * 0.26
            vein = leaf and abs(across) < 1.2
            rows += (
                bytes((235, 240, 225))
                if not leaf
                else bytes((225, 235, 200))
                if vein
                else bytes((60, green, 70))
            )
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _page(name: str) -> bytes:
    """A one-page PDF 1.4 (ISO 32000) that shows the file's name in Helvetica."""
    title = name.rpartition(".")[0].encode("latin-1", "replace")
    drawing = (
        b"BT /F1 22 Tf 60 770 Td (Moss & Meter) Tj 0 -40 Td /F1 14 Tf (" + title + b") Tj "
        b"0 -30 Td (Sprout Pro, 12 pcs.   EUR 708.00) Tj 0 -20 Td (VAT ID: DE81123456) Tj ET"
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(body)


def _log(name: str, at: datetime, lines: int = 60) -> bytes:
    """A device's log: a reconnect every 61 seconds up to ``at``."""
    choice = random.Random(name)
    out = []
    for number in range(lines):
        moment = at - timedelta(seconds=61 * (lines - number))
        out.append(
            f"{moment:%Y-%m-%d %H:%M:%S}.{choice.randrange(1000):03d} "
            + choice.choice(
                (
                    "W bridge: keepalive timeout after 61 s, closing",
                    "I bridge: connected to broker.local:1883 as rootstation-7",
                    "I sensor 3f9a: moisture 42 %, battery 87 %",
                    "E bridge: PINGRESP missing, last packet 61002 ms ago",
                )
            )
        )
    return ("\n".join(out) + "\n").encode()
