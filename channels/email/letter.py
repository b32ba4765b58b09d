"""The words of a mail of ours: text, signature, history, as plain text and (where the text has
marks) as HTML that says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from channels.email.markdown import has_marks, to_html
from workflow.outgoing import Answered, OutgoingMessage, forwarded_text
from workflow.plaintext import one_line, printable

__all__ = ["MOST_QUOTED_LINES", "html_letter", "plain_letter", "quoted"]

MOST_QUOTED_LINES = 200
"""Lines of the answered message that are kept below an answer."""

_MOST_QUOTED_CHARACTERS = 20_000
_CITED = "margin:0 0 0 .5em;padding-left:.8em;border-left:2px solid #b0b0b0;color:#555"


def plain_letter(message: OutgoingMessage) -> str:
    """The text as it was typed, the signature behind its line (RFC 3676, section 4.3), the history."""
    parts = [_text(message)]
    if message.signature:
        parts.append(f"-- \n{printable(message.signature)}")
    if message.forwarded:
        parts.append(forwarded_text(message.forwarded))
    elif message.answered is not None:
        parts.append(quoted(message.answered))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip("\n")) + "\n"


def html_letter(message: OutgoingMessage) -> str | None:
    """The same as HTML; None where text and signature have no marks, then the plain text says it
    all.
    """
    text, signature = _text(message), printable(message.signature)
    if not (has_marks(text) or has_marks(signature)):
        return None
    body = [f'<div dir="auto">{to_html(text)}</div>']
    if signature:
        # The same line as in plain text, by which programs know a signature.
        body.append(f'<div dir="auto">-- <br>\n{to_html(signature)}</div>')
    if message.forwarded:
        body.append(f'<div dir="auto">{_lines(forwarded_text(message.forwarded))}</div>')
    elif message.answered is not None:
        head, lines, cut = _history(message.answered)
        kept = [*lines, "[...]"] if cut else lines
        body.append(
            f'<div dir="auto"><p>{escape(head)}</p>\n<blockquote type="cite" style="{_CITED}">'
            f"{_lines(chr(10).join(kept))}</blockquote></div>"
        )
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _text(message: OutgoingMessage) -> str:
    return printable(message.text).rstrip()


def _lines(text: str) -> str:
    """Somebody's lines in HTML: escaped, never read as marks."""
    return "<br>\n".join(escape(line) for line in text.split("\n"))


def quoted(answered: Answered) -> str:
    """The message that is answered, as history below the answer: who wrote when, and its lines
    behind ``>``.
    """
    head, lines, cut = _history(answered)
    said = [_quoted_line(line) for line in lines]
    if cut:
        said.append("> [...]")
    return "\n".join([head, *said]) + "\n"


def _history(answered: Answered) -> tuple[str, Sequence[str], bool]:
    """Who wrote when, the lines that are kept, and whether there were more."""
    who = one_line(answered.sender.name or answered.sender.address, 200) or "somebody"
    text = printable(answered.text)[:_MOST_QUOTED_CHARACTERS].strip("\n")
    lines = text.split("\n")
    cut = len(lines) > MOST_QUOTED_LINES or len(answered.text) > _MOST_QUOTED_CHARACTERS
    head = f"On {answered.at:%Y-%m-%d %H:%M}, {who} wrote:"
    return head, lines[:MOST_QUOTED_LINES], cut


def _quoted_line(line: str) -> str:
    return f">{line}" if line.startswith(">") else f"> {line}".rstrip()
