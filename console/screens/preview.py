"""A letter before it leaves, as the one who gets it will read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from markdown_it.token import Token
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from channels.contract import Piece
from console import fmt, safe
from console.drawing import LineBuilder
from console.keymap import LIST_KEYS
from console.parts import parts_of
from console.themes import Inks
from console.widgets.bars import Bar
from console.widgets.transcript_lines import wrap
from workflow.addresses import typed_text
from workflow.drafts import DraftOptions
from workflow.model import Direction
from workflow.outgoing import forwarded_text
from workflow.proposal import Proposal
from workflow.recipients import answered_of
from workflow.store.rows import TicketDetail

__all__ = ["PreviewScreen", "preview_lines"]

Spans = tuple[tuple[str, str], ...]
"""Texts and their inks."""

_HISTORY = 40
"""Lines of history that are shown."""


def preview_lines(
    proposal: Proposal,
    options: DraftOptions,
    message: int | None,
    text: str,
    ticket: TicketDetail,
) -> list[Spans]:
    """The lines of a letter: its head, its text with the marks as they will look, signature and history."""
    from channels.email.letter import quoted
    from channels.email.markdown import has_marks, parse

    account = proposal.account
    html = (
        account is not None
        and account.kind == "email"
        and account.format == "markdown"
        and (has_marks(text) or has_marks(proposal.signature))
    )
    lines: list[Spans] = []
    people = (("To", proposal.to), ("Cc", proposal.cc), ("Bcc", proposal.bcc))
    heads = [("From", proposal.sender)] if proposal.by_mail else []
    heads += [(word, ", ".join(map(typed_text, found))) for word, found in people if found]
    heads += [("Subject", proposal.subject)] if proposal.by_mail else []
    heads += [("File", f"{name}  {fmt.size(size)}") for name, _k, _s, size in options.files]
    form = "HTML, and plain text beside it" if html else "plain text"
    heads.append(("Form", form))
    lines += [((f"{word:<8} ", "dim"), (said, "text")) for word, said in heads]
    lines.append(())
    if html:
        lines += _without_gaps(_marked(parse(text)))
    elif len(pieces := parts_of(account, text, options.files)) > 1:
        lines += _in_pieces(pieces)
    else:
        lines += [((line, "text"),) for line in text.rstrip().split("\n")]
    if proposal.signature:
        lines += [(), (("-- ", "dim"),)]
        lines += [((line, "dim"),) for line in proposal.signature.split("\n")]
    history = _history(proposal, message, ticket, quoted)
    if history:
        cut = [*history[:_HISTORY], "[...]"] if len(history) > _HISTORY else history
        lines += [(), *(((line, "faint"),) for line in cut)]
    return lines


def _in_pieces(pieces: Sequence[Piece]) -> list[Spans]:
    """The messages that an answer in a chat is sent as."""
    lines: list[Spans] = []
    for number, piece in enumerate(pieces, 1):
        lines.append(((f"── message {number} of {len(pieces)} ──", "accent"),))
        lines += [((f"⊞ {name}", "dim"),) for name in piece.files]
        lines += [((line, "text"),) for line in piece.text.split("\n")] if piece.text else []
        lines.append(())
    return lines


def _history(
    proposal: Proposal, message: int | None, ticket: TicketDetail, quoted: object
) -> list[str]:
    if not proposal.by_mail:
        return []
    if proposal.kind == "forward":
        passed = [
            answered_of(m)
            for m in ticket.messages
            if m.id == message
            or (message is None and m.direction != Direction.NOTE and not m.aside)
        ]
        return forwarded_text(passed).split("\n")
    if proposal.answered is None:
        return []
    assert callable(quoted)
    return str(quoted(answered_of(proposal.answered))).rstrip("\n").split("\n")


def _marked(tokens: Sequence[Token]) -> list[Spans]:
    """Markdown as lines: bold and code stand out, lists have their signs, quotes their bar."""
    lines: list[Spans] = []
    lists: list[int | None] = []
    quotes = 0
    item = ""
    for token in tokens:
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            start = token.attrGet("start")
            lists.append(int(start or 1) if kind.startswith("ordered") else None)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
            if not lists:
                item = ""
                lines.append(())
        elif kind == "list_item_open":
            number = lists[-1]
            item = f"{'  ' * (len(lists) - 1)}{'• ' if number is None else f'{number}. '}"
            if number is not None:
                lists[-1] = number + 1
        elif kind == "blockquote_open":
            quotes += 1
        elif kind == "blockquote_close":
            quotes -= 1
        elif kind in ("fence", "code_block"):
            lines += [
                (("  │ ", "faint"), (line, "accent"))
                for line in token.content.rstrip("\n").split("\n")
            ]
            lines.append(())
        elif kind == "hr":
            lines += [(("─" * 20, "faint"),), ()]
        elif kind == "inline":
            bar = "▏ " * quotes
            strong = any(t.type == "heading_open" and t.map == token.map for t in tokens)
            for number_of, spans in enumerate(_inline(token.children or [], strong)):
                lead = item if number_of == 0 else " " * len(item)
                lines.append(((f"{bar}{lead}", "dim"), *spans))
            item = " " * len(item) if lists else ""
        elif kind == "tr_close" or (kind in ("paragraph_close", "heading_close") and not lists):
            lines.append(())
    return lines


def _without_gaps(lines: Sequence[Spans]) -> list[Spans]:
    """Never two empty lines after each other, and none at the end."""
    kept: list[Spans] = []
    for spans in lines:
        if spans or (kept and kept[-1]):
            kept.append(spans)
    return kept[:-1] if kept and not kept[-1] else kept


def _inline(tokens: Iterable[Token], strong: bool) -> list[Spans]:
    """The words of a paragraph, a tuple for each line."""
    rows: list[list[tuple[str, str]]] = [[]]
    depth, links = int(strong), []
    for token in tokens:
        if token.type in ("strong_open", "em_open"):
            depth += 1
        elif token.type in ("strong_close", "em_close"):
            depth -= 1
        elif token.type in ("softbreak", "hardbreak"):
            rows.append([])
        elif token.type == "code_inline":
            rows[-1].append((token.content, "accent"))
        elif token.type == "link_open":
            links.append("" if token.markup == "linkify" else str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            if url := links.pop():
                rows[-1].append((f" ({url})", "accent"))
        elif token.content:
            rows[-1].append((token.content, "strong" if depth else "text"))
    return [tuple(row) for row in rows]


class _Page(ScrollView, can_focus=True):
    """The lines, wrapped where they are too long."""

    BINDINGS = LIST_KEYS
    DEFAULT_CSS = "_Page { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; background: $ground-panel; }"

    def __init__(self, lines: Sequence[Spans]) -> None:
        super().__init__()
        self._given = lines
        self._lines: list[Spans] = []

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        return inks

    def on_resize(self) -> None:
        """Wrap for another width."""
        width = max(10, self.size.width - 2)
        self._lines = [row for spans in self._given for row in _wrapped(spans, width)]
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line (Textual's Line API)."""
        line = LineBuilder(self.size.width)
        index = y + int(self.scroll_offset.y)
        line.add(" ", self.inks("text", "panel"))
        if index < len(self._lines):
            for text, ink in self._lines[index]:
                line.add(text, self.inks(ink, "panel"))
        return line.strip(self.inks("text", "panel"))

    def action_move(self, lines: int) -> None:
        """Scroll."""
        self.scroll_to(y=int(self.scroll_offset.y) + lines, animate=False)

    def action_first(self) -> None:
        """To the top."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """To the end."""
        self.scroll_to(y=len(self._lines), animate=False)

    def action_page(self, direction: int) -> None:
        """Scroll by a screen."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_half_page(self, direction: int) -> None:
        """Scroll by half a screen."""
        self.action_move(direction * max(1, self.size.height // 2))


def _wrapped(spans: Spans, width: int) -> list[Spans]:
    whole = "".join(text for text, _ink in spans)
    if safe.cells(safe.printable(whole)) <= width:
        return [spans]
    # Long lines lose their marks but not their words: it is only a look before sending.
    ink = spans[-1][1] if spans else "text"
    return [((row, ink),) for row in wrap(whole, width)]


class _Title(Bar):
    """What this is, and how to leave it."""

    GROUND = "panel"

    def draw(self, line: LineBuilder) -> None:
        """The title."""
        line.add(" How it will be read", self.inks("strong", self.GROUND))
        words = "esc back "
        line.pad_to(line.width - len(words), self.inks("text", self.GROUND))
        line.add(words, self.inks("dim", self.GROUND))


class PreviewScreen(ModalScreen[None]):
    """The whole letter over the desk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+p", "dismiss", "back", show=False),
    ]
    DEFAULT_CSS = """
    PreviewScreen { align: center middle; background: $ground-base 60%; }
    PreviewScreen Vertical {
        width: 92; max-width: 96%; height: 90%; background: $ground-panel; border: round $border; padding: 0 1;
    }
    """

    def __init__(self, lines: Sequence[Spans]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The title over the page."""
        with Vertical():
            yield _Title()
            yield _Page(self._lines)

    async def action_dismiss(self, result: None = None) -> None:
        """Back to the text."""
        self.dismiss(result)
