"""Tokens of ours that stand in the words of a mail: what is left when a mail program drops every
header that would say which mail it answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from channels.email.mime import Part, split
from channels.email.parse import ParsedMail
from channels.email.transfer import decode_transfer
from workflow.tokens import written_tokens

__all__ = ["text_tokens"]


def text_tokens(raw: bytes, parsed: ParsedMail) -> tuple[str, ...]:
    """The tokens in the whole text, quoted history too; where a mail names no other mail and its
    plain text has none, also those that stand only in its HTML.
    """
    found = written_tokens(parsed.full_text)
    if found or parsed.in_reply_to or parsed.references or b"text/html" not in raw.lower():
        return found
    root, _defects = split(raw)
    written = (written_tokens(_source(part)) for part in _markup(root))
    return tuple(dict.fromkeys(token for tokens in written for token in tokens))


def _markup(part: Part) -> Iterator[Part]:
    """The HTML of the mail itself, but not of mails that are attached to it."""
    if part.content_type == "text/html" and not part.children:
        yield part
    elif part.content_type.startswith("multipart/"):
        for child in part.children:
            yield from _markup(child)


def _source(part: Part) -> str:
    encoding = part.headers.get(b"content-transfer-encoding", b"")
    data, _defect = decode_transfer(part.body, encoding, text=True)
    # A token is ASCII in every charset that mail is written in but UTF-16.
    return data.decode("ascii", "replace")
