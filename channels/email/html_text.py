"""HTML mail as plain text: what a reader would see, in reading order. Nothing is fetched, nothing
is executed.

nh3 (an HTML5 parser with an allow-list) turns whatever was sent into well-formed markup without
scripts, styles and comments; a small renderer writes that as text. Links show where they really
lead, quotes get ``> ``, what the sender hid from sight is left out, and a picture is its
description.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass

import nh3

from channels.email.html_marks import MarkReader, may_mark
from channels.email.quotes import Fold

__all__ = ["Page", "html_to_text", "read_html"]

LARGEST = 1_000_000
"""Characters of HTML beyond which it is no longer parsed, only stripped of its tags."""

DEEPEST = 500
"""Levels of nesting beyond which it is no longer parsed: the time a parser takes grows with their
square.
"""

_LONGEST_LINK = 2_000

_BLOCK_NAMES = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section"
    " summary table tbody td tfoot th thead tr ul"
)
_INLINE_NAMES = "a b strong i em u s del ins span font q code sub sup small big tt kbd samp"
_PARAGRAPH_NAMES = "p h1 h2 h3 h4 h5 h6 blockquote ul ol dl pre table"
# Void elements, then elements whose end is mostly left out and implied by the next of them.
_VOID_NAMES = "br hr img wbr col"
_IMPLIED_NAMES = "input meta link area base embed source track param p li td tr th dd dt option"
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_PARAGRAPHS = frozenset(_PARAGRAPH_NAMES.split())
_VOID = frozenset(_VOID_NAMES.split())
_UNNESTED = _VOID | frozenset(_IMPLIED_NAMES.split())
_TAGS = set(_BLOCKS | _VOID | frozenset(_INLINE_NAMES.split()))
_ATTRIBUTES = {
    "*": {"style", "hidden"},
    "a": {"href"},
    "img": {"alt", "width", "height"},
    "ol": {"start"},
}
# Read only where a program's name for what it quotes may be among them.
_MARKED = {key: {*names, "class", "id", "name"} for key, names in _ATTRIBUTES.items()}
_GONE_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "svg",
    "math",
    "object",
    "iframe",
    "select",
}
_SCHEMES = {"http", "https", "mailto", "tel", "ftp"}

_PIECE = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:\s+[^\s=<>\"]+(?:=\"[^\"]*\")?)*)\s*/?>|([^<]+)|<")
_ATTRIBUTE = re.compile(r"([^\s=<>\"]+)=\"([^\"]*)\"")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])|(?:max-)?height\s*:\s*0(?:px)?\s*(?:;|!"
    r"|\Z)[^\"]*overflow\s*:\s*hidden"
    r"|overflow\s*:\s*hidden[^\"]*(?:max-)?height\s*:\s*0(?:px)?\s*(?:;|!|\Z)",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[ \t\n\r\f\xa0]+")
# Characters that only steer where a browser breaks lines, and the filler that follows a preview
# line.
_SOFT = re.compile("[\xad\u200b\u2060\ufeff]+")
_FILLER = re.compile("(?:[\u200c\u200d\u200e\u200f\u034f\u2007][ \xa0]*){2,}")
_RAW_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>|<!--|-->")


@dataclass(frozen=True, slots=True)
class Page:
    """The text of some HTML, and the lines of it that the HTML names as quoted or a signature."""

    text: str
    marks: tuple[Fold, ...] = ()


def html_to_text(markup: str) -> str:
    """Readable text for the HTML of a mail; not yet printable.

    Beyond :data:`LARGEST` characters or :data:`DEEPEST` levels the tags are cut out without
    parsing. Never raises.
    """
    return read_html(markup).text


def read_html(markup: str) -> Page:
    """The same with what the HTML tells of its parts."""
    if len(markup) > LARGEST or (markup.count("<") > DEEPEST and _depth(markup) > DEEPEST):
        return Page(_strip_tags(markup))
    marked = may_mark(markup)
    clean = nh3.clean(
        # NUL and surrogates have no place in HTML, and nh3 cannot take the latter.
        markup.replace("\0", "\ufffd")
        if markup.isascii()
        else markup.encode("utf-8", "replace").decode(),
        tags=_TAGS,
        attributes=_MARKED if marked else _ATTRIBUTES,
        clean_content_tags=_GONE_WITH_CONTENT,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    writer = _Writer(MarkReader() if marked else None)
    writer.feed(clean)
    page = writer.page()
    if page.text.isascii():
        return page
    return Page(_FILLER.sub(" ", _SOFT.sub("", page.text)), page.marks)


def _depth(markup: str) -> int:
    """The deepest nesting by a count of tags, taken high for tags that never close."""
    level = deepest = 0
    for match in _RAW_TAG.finditer(markup):
        name = match[2]
        if name is None or name.lower() in _UNNESTED:
            continue
        if match[1]:
            level = max(level - 1, 0)
        else:
            level += 1
            deepest = max(deepest, level)
    return deepest


class _Writer:
    """Writes the markup that nh3 made as lines of text."""

    __slots__ = (
        "cell",
        "gap",
        "hidden",
        "line",
        "lines",
        "links",
        "lists",
        "marks",
        "pre",
        "quote",
        "row",
        "shown",
    )

    def __init__(self, marks: MarkReader | None) -> None:
        self.marks = marks
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quote = 0
        self.shown = 0  # the quote depth of the last line
        self.pre = 0
        self.hidden = 0  # elements open since a hidden one, itself included
        self.gap = False  # a blank line is due before the next text
        self.cell = False  # a separator is due before the next text, if that is on the same line
        self.row = 0
        self.links: list[
            tuple[str, int, int]
        ] = []  # target, lines and pieces written when it began
        self.lists: list[int] = []  # -1 for bullets, else the next number

    def feed(self, clean: str) -> None:
        """Write all of some well-formed markup."""
        for match in _PIECE.finditer(clean):
            closing, name, attributes, text = match.groups()
            if name is None:
                if not self.hidden:
                    self.words(text or "<")
            elif closing:
                if self.hidden:
                    self.hidden -= name not in _VOID
                else:
                    self.close(name)
                    if self.marks is not None and name not in _VOID:
                        if self.marks.closes():
                            self.flush()
                        self.marks.close(len(self.lines))
            elif self.hidden:
                self.hidden += name not in _VOID
            else:
                self.open(name, attributes)

    def words(self, text: str) -> None:
        """Write text; white space counts only inside ``pre``."""
        if "&" in text:
            text = entities.unescape(text)
        if self.pre:
            first, *rest = text.split("\n")
            self.put(first)
            for more in rest:
                self.flush(keep_empty=True)
                self.put(more)
            return
        text = _BLANKS.sub(" ", text)
        if not self.line or self.line[-1].endswith(" "):
            text = text.lstrip(" ")
        self.put(text)

    def put(self, text: str) -> None:
        """Add to the line, after a blank line or a cell separator that is due."""
        if not text:
            return
        if text.isspace() and not self.pre:
            if self.line:
                self.line.append(" ")
            return
        if self.gap and not self.line:
            if self.lines and self.lines[-1].strip("> "):
                self.lines.append(("> " * min(self.quote, self.shown)).rstrip())
            self.gap = False
        if self.cell:
            if self.line:
                self.line[-1] = self.line[-1].rstrip(" ")
                self.line.append(" | ")
                text = text.lstrip(" ")
            self.cell = False
        self.line.append(text)

    def flush(self, *, keep_empty: bool = False) -> None:
        """End the line."""
        if self.line or keep_empty:
            text = "".join(self.line)
            text = text.rstrip()
            if text or keep_empty:
                self.shown = self.quote
                self.lines.append("> " * self.quote + text if self.quote else text)
            self.line = []
        self.cell = False

    def open(self, name: str, attributes: str) -> None:
        """A start tag."""
        values: dict[str, str] = dict(_ATTRIBUTE.findall(attributes)) if attributes else {}
        if attributes and (
            "hidden" in values
            or ("style" in values and _HIDDEN.search(values["style"]) is not None)
        ):
            self.hidden = int(name not in _VOID)
            return
        if self.marks is not None:
            self.mark(name, values)
        if name == "br":
            self.flush(keep_empty=True)
        elif name == "a":
            self.links.append(
                (entities.unescape(values.get("href", "")), len(self.lines), len(self.line))
            )
        elif name == "img":
            self.picture(values)
        elif name == "q":
            self.put("“")
        elif name in _BLOCKS:
            if name in ("td", "th"):
                # Cells of a table of data stay on one line; cells with blocks in them get lines of
                # their own.
                if self.row > 1 and self.line:
                    self.cell = True
                self.row += 1
                return
            self.flush()
            if name in _PARAGRAPHS and not (name in ("ul", "ol") and self.lists):
                self.gap = True
            self.begin(name, values)

    def mark(self, name: str, values: dict[str, str]) -> None:
        """Tell the reader of marks about an element; what it marks begins on a line of its own."""
        if self.marks is None or (name in _VOID and name != "hr"):
            return
        if name in _BLOCKS and name not in ("td", "th"):
            self.flush()
        self.marks.open(name, values, len(self.lines))
        if name == "hr":
            self.marks.close(len(self.lines))

    def begin(self, name: str, values: dict[str, str]) -> None:
        """What a block does beyond beginning a line."""
        if name == "tr":
            self.row = 1
        elif name == "blockquote":
            self.quote += 1
        elif name == "pre":
            self.pre += 1
        elif name == "hr":
            self.put("-" * 20)
            self.flush()
        elif name == "ul":
            self.lists.append(-1)
        elif name == "ol":
            start = values.get("start", "1")
            self.lists.append(int(start) if start.isdecimal() and len(start) < 9 else 1)
        elif name == "li":
            number = self.lists[-1] if self.lists else -1
            indent = "  " * max(len(self.lists) - 1, 0)
            if number < 0:
                self.put(f"{indent}- ")
            else:
                self.put(f"{indent}{number}. ")
                self.lists[-1] = number + 1

    def close(self, name: str) -> None:
        """An end tag."""
        if name == "a":
            if self.links:
                self.target(*self.links.pop())
        elif name == "q":
            self.put("”")
        elif name in _BLOCKS and name not in ("td", "th"):
            self.flush()
            if name == "blockquote":
                self.quote = max(self.quote - 1, 0)
            elif name == "pre":
                self.pre = max(self.pre - 1, 0)
            elif name in ("ul", "ol") and self.lists:
                self.lists.pop()
            elif name == "tr":
                self.row = 0
            if name in _PARAGRAPHS and not (name in ("ul", "ol") and self.lists):
                self.gap = True

    def target(self, href: str, lines: int, pieces: int) -> None:
        """Where a link leads, after its text, unless the text says it already."""
        if not href or href.startswith("#"):
            return
        shown = "".join(self.line[pieces:] if len(self.lines) == lines else self.line).strip()
        bare = href.removeprefix("mailto:").removeprefix("tel:")
        if len(bare) > _LONGEST_LINK:
            bare = bare[:_LONGEST_LINK] + "…"
        same = {bare.rstrip("/"), bare.partition("://")[2].rstrip("/"), bare.partition("?")[0]}
        if shown.rstrip("/") in same or (not shown and len(self.lines) == lines):
            return
        if self.line and self.line[-1].endswith(" "):
            self.line[-1] = self.line[-1].rstrip(" ")
        self.put(f" <{bare}>")

    def picture(self, values: dict[str, str]) -> None:
        """A picture as its description; one without a description, or one that only counts readers,
        is nothing.
        """
        if values.get("width") in ("0", "1") or values.get("height") in ("0", "1"):
            return
        alt = _BLANKS.sub(" ", entities.unescape(values.get("alt", ""))).strip()
        if alt:
            self.put(f"[{alt}]")
        elif self.links:
            # Without a word for the picture, a link around it would be there unseen.
            self.put("[image]")

    def page(self) -> Page:
        """All that was written."""
        self.flush()
        out: list[str] = []
        places: list[int] = []  # for each line written, its place in the text
        for line in self.lines:
            places.append(len(out))
            if line or (out and out[-1]):
                out.append(line)
        while out and not out[-1]:
            out.pop()
        places.append(len(out))
        marks = self.marks.folds(places) if self.marks is not None else ()
        return Page("\n".join(out), marks)


def _strip_tags(markup: str) -> str:
    """Text without its tags, in one pass and without a tree: for HTML that is too large or too deep
    to parse.
    """
    out: list[str] = []
    at = 0
    skipping = ""  # the element or comment whose content is left out
    for match in _RAW_TAG.finditer(markup):
        token = match[0]
        name = (match[2] or "").lower()
        if not skipping:
            out.append(markup[at : match.start()])
        at = match.end()
        if skipping:
            if token == skipping or (match[1] and name == skipping):
                skipping = ""
        elif token == "<!--":
            skipping = "-->"
        elif name in ("script", "style", "title") and not match[1]:
            skipping = name
        elif name == "br" or name in _BLOCKS:
            out.append("\n")
        else:
            out.append(" ")
    if not skipping:
        out.append(markup[at:])
    text = entities.unescape("".join(out))
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
