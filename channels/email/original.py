"""A mail as it came: its whole header, and each of its parts with what it is; nothing is folded,
chosen or fetched.
"""

from __future__ import annotations

from channels.email.bodies import Contents, collect
from channels.email.charsets import decode, decode_raw_header
from channels.email.mime import Part, split
from channels.email.transfer import decode_transfer
from workflow.plaintext import one_line, printable

__all__ = ["original_mail"]

LONGEST = 200_000
"""Characters of one part that are shown; all of it is in the mail itself, which can be saved."""

_MOST_PARTS = 200


def original_mail(raw: bytes) -> list[tuple[str, str]]:
    """The header and then each part: what it is (one line; ``""`` for the header) and its text, with
    HTML as its source; a file has none. Never raises.
    """
    head = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
    found = [("", _shown(decode_raw_header(head)))]
    root, _defects = split(raw)
    leaves = [part for part in root.walk() if not part.children]
    files = _names(collect(root))
    for number, part in enumerate(leaves[:_MOST_PARTS], 1):
        found.append(_part(number, part, files))
    if len(leaves) > _MOST_PARTS:
        found.append((f"{len(leaves) - _MOST_PARTS} more parts are not shown", ""))
    return found


def _part(number: int, part: Part, files: dict[bytes, str]) -> tuple[str, str]:
    encoding = part.headers.get(b"content-transfer-encoding", b"")
    text = part.content_type.startswith(("text/", "message/"))
    data, _defect = decode_transfer(part.body, encoding, text=text)
    facts = [f"Part {number}", part.content_type, part.parameters.get("charset", "")]
    facts += [decode_raw_header(encoding).strip(), f"{len(data):,} bytes", files.get(data[:64], "")]
    words = one_line(" · ".join(fact for fact in facts if fact), 300)
    if not text:
        return words, ""
    return words, _shown(decode(data, part.parameters.get("charset"))[0])


def _shown(text: str) -> str:
    cut = len(text) - LONGEST
    shown = printable(text[:LONGEST].replace("\r\n", "\n"))
    return f"{shown}\n… {cut:,} more characters" if cut > 0 else shown


def _names(contents: Contents) -> dict[bytes, str]:
    """The names of files by their first bytes, which is enough to tell the parts of one mail apart."""
    return {file.data[:64]: file.name for file in contents.attachments}
