"""Marks that an agent typed, as the HTML of a mail: clean, small, and nothing in it that the agent
did not write (CommonMark, with tables and struck-out text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["has_marks", "parse", "to_html"]

_SCHEMES = ("http", "https", "mailto", "tel")
_PLAIN = frozenset(
    ("paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak", "linkify")
)
_STYLES = {
    "blockquote_open": "margin:0 0 0 .5em;padding-left:.8em;border-left:2px solid #b0b0b0;color:#555",
    "code_inline": "font-family:monospace;background:#f2f2f2;padding:0 .2em",
    "code_block": "font-family:monospace;background:#f2f2f2;padding:.6em;white-space:pre-wrap",
    "fence": "font-family:monospace;background:#f2f2f2;padding:.6em;white-space:pre-wrap",
    "table_open": "border-collapse:collapse",
    "th_open": "border:1px solid #b0b0b0;padding:.2em .6em;text-align:left",
    "td_open": "border:1px solid #b0b0b0;padding:.2em .6em",
    "heading_open": "font-size:1.1em;font-weight:bold;margin:1em 0 .4em",
}


def _safe_link(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES and not re.search(r"[\s\x00-\x1f]", url)


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    """The parser, made at the first mail. Off are what a customer must not get (HTML, remote
    pictures) and what would change the words of a plain text: references that vanish, entities,
    a line of hyphens that makes a heading of the line above.
    """
    reader = MarkdownIt(
        "commonmark", {"html": False, "breaks": True, "linkify": True, "typographer": False}
    )
    reader.enable(["table", "strikethrough", "linkify"])
    reader.disable(["html_block", "html_inline", "image", "reference", "entity", "lheading"])
    if reader.linkify is not None:
        reader.linkify.set({"fuzzy_link": False, "fuzzy_email": True, "fuzzy_ip": False})
    reader.validateLink = _safe_link  # type: ignore[method-assign]
    return reader


def parse(text: str) -> list[Token]:
    """The tokens of a text, for whoever shows it another way than as HTML."""
    return _reader().parse(text)


def has_marks(text: str) -> bool:
    """Whether a text has marks to speak of: a list, emphasis, code, a quote, a named link. Bare
    addresses are none, since every mail program makes links of them.
    """
    return any(
        token.type not in _PLAIN and token.markup != "linkify" for token in _flat(parse(text))
    )


def _flat(tokens: Sequence[Token]) -> list[Token]:
    found: list[Token] = []
    for token in tokens:
        found.append(token)
        found.extend(_flat(token.children or ()))
    return found


def to_html(text: str) -> str:
    """The text as a piece of HTML. Every style stands in its element, since mail programs drop
    style sheets.
    """
    reader = _reader()
    tokens = reader.parse(text)
    for token in _flat(tokens):
        style = _STYLES.get(token.type)
        if style is not None:
            token.attrSet("style", style)
        if token.type == "fence":
            # The language would only make a class.
            token.info = ""
        if token.type in ("heading_open", "heading_close"):
            # A mail has no chapters: a line that stands out is enough.
            token.tag = "p"
    options: Any = reader.options
    return str(reader.renderer.render(tokens, options, {}))
