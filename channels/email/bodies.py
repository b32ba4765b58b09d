"""From the parts of a mail to its text and its attachments: which body is read, what is a file, and
its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from channels.email.charsets import codec_for, decode, decode_raw_header
from channels.email.headers import header_text, parameters
from channels.email.html_text import html_to_text, read_html
from channels.email.mime import Part, split_header
from channels.email.quotes import Fold
from channels.email.tnef import is_tnef, unpack
from channels.email.transfer import decode_transfer
from workflow.plaintext import one_line, printable

__all__ = ["Contents", "ParsedAttachment", "collect", "read_markup"]

_LONGEST_NAME = 200
_PATH = re.compile(r"[/\\]")
# Parts of a report that machines read; a person gets the report's own words, and the rest from its
# analysis.
_MACHINE_PARTS = frozenset(
    (
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    )
)
# Renditions of a text that stands beside them in a form that can be read.
_RENDITIONS = frozenset(("text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"))
_EXTENSIONS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/csv": "csv",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/rfc822-headers": "txt",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/json": "json",
    "application/xml": "xml",
    "application/msword": "doc",
    "application/ms-tnef": "dat",
    "application/pgp-signature": "asc",
    "application/pgp-encrypted": "asc",
    "application/pgp-keys": "asc",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/svg+xml": "svg",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "video/mp4": "mp4",
    "message/rfc822": "eml",
    "message/global": "eml",
}


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """A file in a mail: a name without any path, its declared type, its bytes, and whether the HTML
    shows it.
    """

    name: str
    content_type: str
    data: bytes
    inline: bool
    content_id: str | None


@dataclass(slots=True)
class Contents:
    """The readable text of a mail (not yet printable), its files, the charset of its text, and what
    was odd.

    ``marks`` are the lines of the text that its HTML names as quoted or a signature; ``markup`` is
    the HTML that stands beside a plain text.
    """

    text: str = ""
    attachments: list[ParsedAttachment] = field(default_factory=list)
    charset: str | None = None
    defects: list[str] = field(default_factory=list)
    marks: tuple[Fold, ...] = ()
    markup: Part | None = None


def collect(root: Part) -> Contents:
    """Sort the leaves of a mail into text and files.

    The text is the first plain body, else the HTML as text; further inline texts that have no file
    name (the footer of a mailing list) follow after a blank line. Everything else is a file, but
    the machine parts of a report and the renditions of a text that is read in another form.
    """
    collector = _Collector()
    if not root.children and not _is_file(root, root.content_type, alone=True):
        collector.text_part(root, html=root.content_type == "text/html")
    else:
        collector.visit(root, related=False, report=False)
    return collector.contents()


def read_markup(contents: Contents) -> str:
    """The HTML that stands beside the plain text, or ``""``."""
    if contents.markup is None:
        return ""
    return _decoded(contents.markup, html=True)[0].replace("\r\n", "\n")


def _is_file(part: Part, content_type: str, *, alone: bool = False) -> bool:
    """Whether a leaf is a file rather than text to read."""
    if content_type not in ("text/plain", "text/html") and (
        not content_type.startswith("text/") or content_type in _EXTENSIONS
    ):
        return True
    disposition = part.headers.get(b"content-disposition")
    if disposition is not None:
        if disposition.lstrip()[:10].lower() == b"attachment":
            return True
        if not alone and b"filename" in disposition.lower():
            return True
    return not alone and "name" in part.parameters


class _Collector:
    """Walks the tree once. Depth is bounded by the splitter."""

    __slots__ = ("attachments", "charset", "cids", "defects", "marks", "markup", "pieces")

    def __init__(self) -> None:
        self.pieces: list[tuple[str, bool]] = []  # text, whether it was HTML
        self.attachments: list[tuple[Part, bool]] = []  # leaf, whether it is in a multipart/related
        self.charset: str | None = None
        self.defects: list[str] = []
        self.marks: tuple[Fold, ...] = ()
        self.markup: Part | None = None  # the HTML beside a plain text
        self.cids = ""  # the HTML, for the search of what it refers to

    def visit(self, part: Part, *, related: bool, report: bool) -> None:
        """Sort one part and all below it."""
        kind = part.content_type
        if part.children:
            if kind == "multipart/alternative":
                self.alternative(part, related=related)
                return
            report = report or kind == "multipart/report"
            for child in part.children:
                self.visit(child, related=related or kind == "multipart/related", report=report)
        elif report and kind in _MACHINE_PARTS:
            return
        elif _is_file(part, kind):
            self.attachments.append((part, related))
        else:
            self.text_part(part, html=kind == "text/html")

    def alternative(self, node: Part, *, related: bool) -> None:
        """Read the plain one of several forms of a text, else the HTML; keep what else is there."""
        leaves: list[tuple[Part, bool]] = []
        self.flatten(node, related, leaves)
        plain = [
            leaf
            for leaf, _ in leaves
            if leaf.content_type == "text/plain" and not _is_attached(leaf)
        ]
        markup = [
            leaf
            for leaf, _ in leaves
            if leaf.content_type == "text/html" and not _is_attached(leaf)
        ]
        chosen: list[Part] = []
        if plain:
            self.text_part(plain[0], html=False)
            chosen = plain[:1] + markup[:1]
            if self.pieces and not self.pieces[-1][0].strip() and markup:
                # Some programs send an empty plain form beside the real one.
                self.pieces.pop()
                self.text_part(markup[0], html=True)
            elif markup and self.markup is None:
                self.markup = markup[0]
        elif markup:
            self.text_part(markup[0], html=True)
            chosen = markup[:1]
        if markup and len(leaves) > len(chosen):
            self.cids += _source(markup[0])
        for leaf, in_related in leaves:
            if any(leaf is one for one in chosen) or (chosen and leaf.content_type in _RENDITIONS):
                continue
            if leaf in markup[1:] or leaf in plain[1:]:
                self.visit(leaf, related=in_related, report=False)
            else:
                self.attachments.append((leaf, in_related))

    def flatten(self, node: Part, related: bool, leaves: list[tuple[Part, bool]]) -> None:
        """The leaves below an alternative with whether each is in a multipart/related."""
        for child in node.children:
            if child.children:
                self.flatten(child, related or child.content_type == "multipart/related", leaves)
            else:
                leaves.append((child, related or node.content_type == "multipart/related"))

    def text_part(self, part: Part, *, html: bool) -> None:
        """Decode a text to read and add it."""
        text, label, defects = _decoded(part, html=html)
        self.defects += defects
        if self.charset is None and label:
            self.charset = label
        if html:
            self.cids += text
            page = read_html(text.replace("\r\n", "\n"))
            text = page.text
            if not self.pieces:
                self.marks = page.marks
            if _says_again(text, self.pieces):
                return
        self.pieces.append((text, html))

    def contents(self) -> Contents:
        """All that was sorted."""
        if len(self.pieces) == 1:
            text = self.pieces[0][0]
        else:
            texts = (piece.replace("\r\n", "\n").strip("\n") for piece, _ in self.pieces)
            text = "\n\n".join(one for one in texts if one.strip())
        files: list[ParsedAttachment] = []
        for at, (leaf, related) in enumerate(self.attachments, 1):
            file = self.file(leaf, related, at)
            if is_tnef(file.data):
                unpacked, inside = _unpacked(file)
                files.extend(unpacked)
                text = text if text.strip() else inside
            else:
                files.append(file)
        marks = self.marks if self.pieces and self.pieces[0][1] else ()
        return Contents(text, files, self.charset, self.defects, marks, self.markup)

    def file(self, part: Part, related: bool, number: int) -> ParsedAttachment:
        """The attachment for a leaf."""
        headers = part.headers
        data, defect = decode_transfer(part.body, headers.get(b"content-transfer-encoding", b""))
        if defect is not None:
            self.defects.append(defect)
        value = headers.get(b"content-disposition")
        disposition = ""
        name = ""
        if value is not None:
            text = decode_raw_header(value, self.charset)
            disposition = text.partition(";")[0].strip().lower()
            name = parameters(text).get("filename", "")
        cid = headers.get(b"content-id")
        content_id = None
        if cid is not None:
            content_id = one_line(cid.decode("utf-8", "replace")).strip("<> ") or None
        if content_id is not None and self.cids and f"cid:{content_id}" in self.cids:
            inline = True
        elif disposition == "attachment":
            inline = False
        else:
            inline = (content_id is not None and related) or (
                disposition == "inline" and part.content_type.startswith("image/")
            )
        content_type = printable(part.content_type, multiline=False)[:100]
        name = _file_name(name or part.parameters.get("name", "")) or _made_up_name(
            part, data, number
        )
        return ParsedAttachment(name, content_type, data, inline, content_id)


def _unpacked(file: ParsedAttachment) -> tuple[list[ParsedAttachment], str]:
    """The files inside a winmail.dat and the text in it; the file itself stays where something in
    it could not be read.
    """
    found = unpack(file.data)
    files = [
        ParsedAttachment(
            name=_file_name(one.name) or f"attachment-{number}.bin",
            content_type=one_line(one.content_type, 100) or _type_of(one.name),
            data=one.data,
            inline=bool(one.content_id),
            content_id=one_line(one.content_id, 200).strip("<> ") or None,
        )
        for number, one in enumerate(found.files, 1)
    ]
    text = found.text or (html_to_text(found.html) if found.html else "")
    if not found.whole or not (files or text.strip()):
        files.append(file)
    return files, text


def _type_of(name: str) -> str:
    """The type that a file's name promises, where nobody declares one."""
    extension = name.rpartition(".")[2].lower()
    types = (kind for kind, known in _EXTENSIONS.items() if known == extension)
    return next(types, "application/octet-stream")


def _is_attached(part: Part) -> bool:
    """Whether a leaf says itself that it is a file."""
    return part.headers.get(b"content-disposition", b"").lstrip()[:10].lower() == b"attachment"


def _source(part: Part) -> str:
    """The HTML of a part, roughly: for the ids in it only."""
    return decode_transfer(part.body, part.headers.get(b"content-transfer-encoding", b""))[
        0
    ].decode("latin-1")


def _decoded(part: Part, *, html: bool) -> tuple[str, str | None, list[str]]:
    """The text of a part, its declared charset, and what was odd."""
    encoding = part.headers.get(b"content-transfer-encoding", b"")
    data, transfer_defect = decode_transfer(part.body, encoding, text=True)
    label = part.parameters.get("charset")
    if label is None and html:
        label = _charset_of_html(data)
    text, charset_defect = decode(data, label)
    return text, label, [one for one in (transfer_defect, charset_defect) if one is not None]


def _charset_of_html(data: bytes) -> str | None:
    """The charset that HTML declares for itself, where the mail declares none."""
    found = re.search(
        rb"<meta[^>]{0,200}?charset=[\"']?([A-Za-z0-9_-]{2,40})", data[:2048], re.IGNORECASE
    )
    if found is None:
        return None
    label = found[1].decode("ascii")
    return label if codec_for(label) is not None else None


def _says_again(text: str, pieces: list[tuple[str, bool]]) -> bool:
    """Whether HTML repeats a plain text above it: programs that send both forms side by side as if
    both were to be read.
    """
    start = "".join(text[:400].split())[:120]
    return bool(start) and any(
        not html and "".join(piece[:600].split()).startswith(start) for piece, html in pieces
    )


def _file_name(name: str) -> str:
    """A declared name without any path, printable, of a length that file systems take; ``""`` if
    nothing is left.
    """
    if not name:
        return ""
    name = one_line(_PATH.split(name.strip().rstrip("/\\"))[-1])
    if name.strip(". ") == "":
        return ""
    if len(name) > _LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        if dot and len(extension) <= 10:
            return f"{stem[: _LONGEST_NAME - 2 - len(extension)]}….{extension}"
        return one_line(name, _LONGEST_NAME)
    return name


def _made_up_name(part: Part, data: bytes, number: int) -> str:
    """A name for a file without one: the subject of an enclosed mail, else its number and type."""
    if part.content_type in ("message/rfc822", "message/global"):
        head = data[:65_536].replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
        subject = header_text(split_header(head).get(b"subject", b""))
        name = _file_name(one_line(_PATH.sub("-", subject), 120))
        return f"{name or 'message'}.eml"
    return f"attachment-{number}.{_EXTENSIONS.get(part.content_type, 'bin')}"
