"""The conversation of a ticket in one drawn widget: any number of messages costs what is on screen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.drawing import LineBuilder
from console.keymap import LIST_KEYS
from console.themes import Inks
from console.widgets.transcript_lines import Leaving, TextLine, conversation
from workflow.store.rows import MessageDetail, TicketDetail

__all__ = ["Transcript"]


class Transcript(ScrollView, can_focus=True):
    """Messages oldest to newest, quoted history folded, notes unlike messages, events when they are asked for."""

    HELP = "A ticket's conversation."
    BINDINGS = LIST_KEYS
    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    @dataclass
    class Scrolled(Message):
        """Another message is the current one, or the number of unseen new ones has changed."""

        unseen: int

    def __init__(self, now: Callable[[], datetime], zone: tzinfo | None) -> None:
        super().__init__(id="transcript")
        self._now = now
        self._zone = zone
        self.ticket: TicketDetail | None = None
        self.current = 0
        """The index of the message that keys act on."""
        self._chosen = False
        """A person moved to it: it is the one they mean, not only where they have scrolled to."""
        self.show_events = False
        self.unseen = 0
        """New messages below what is on screen."""
        self._lines: list[TextLine] = []
        self._heads: list[int] = []
        self._unfolded: set[int] = set()
        self._leaves_at: Mapping[str, Leaving] = {}
        self._laid_out_for = 0
        self._needle = ""
        self._matches: list[int] = []
        self._match_at = -1
        self._to_end = False
        """The newest message is to stay in sight until the person scrolls."""

    # -- content

    def show(self, ticket: TicketDetail, leaves_at: Mapping[str, Leaving] | None = None) -> None:
        """Show a ticket; the same one again keeps the place, and counts messages that came below it."""
        before = self.ticket
        same = before is not None and before.id == ticket.id
        self._leaves_at = leaves_at or {}
        at_end = self._at_end()
        under_cursor = self.message
        self.ticket = ticket
        if same:
            self._keep_cursor(under_cursor)
        else:
            self._unfolded.clear()
            self.stop_finding()
            self.unseen = 0
            self.current = max(0, len(ticket.messages) - 1)
            self._chosen = False
        self._lay_out()
        if not same:
            self._to_end = True
            self._go_to_newest()
        elif before is not None and (fresh := len(ticket.messages) - len(before.messages)) > 0:
            if at_end:
                self.current = len(ticket.messages) - 1
                self._chosen = False
                self._go_to_newest()
            else:
                self.unseen += fresh
                self.post_message(self.Scrolled(self.unseen))

    def _keep_cursor(self, message: MessageDetail | None) -> None:
        """Stay on a message where others come before it (a merge) or go (a split)."""
        assert self.ticket is not None
        places = [
            n for n, one in enumerate(self.ticket.messages) if message and one.id == message.id
        ]
        last = max(0, len(self.ticket.messages) - 1)
        self.current = places[0] if places else min(self.current, last)

    def _lay_out(self) -> None:
        width = self.size.width
        self._laid_out_for = width
        if self.ticket is None or width <= 0:
            return
        self._lines = conversation(
            self.ticket,
            width,
            self._now(),
            self._zone,
            unfolded=self._unfolded,
            events=self.show_events,
            leaves_at=self._leaves_at,
        )
        self._heads = [y for y, line in enumerate(self._lines) if line.kind == "head"]
        if self._needle:
            self._find_lines()
        self.virtual_size = Size(1, len(self._lines))
        self.refresh()

    def _at_end(self) -> bool:
        return int(self.scroll_offset.y) + self.size.height >= len(self._lines)

    def _go_to_newest(self) -> None:
        """The newest message from its head, or the end of the conversation if that shows more."""
        if not self._heads:
            self._scroll(0)
            return
        self._scroll(min(self._heads[-1], max(0, len(self._lines) - self.size.height)))

    def _scroll(self, y: int) -> None:
        top = max(0, min(y, len(self._lines) - self.size.height))
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        if self.unseen and self._at_end():
            self.unseen = 0
            self.post_message(self.Scrolled(0))

    @property
    def message(self) -> MessageDetail | None:
        """The message that keys act on."""
        if self.ticket is None or not 0 <= self.current < len(self.ticket.messages):
            return None
        return self.ticket.messages[self.current]

    @property
    def chosen_message(self) -> MessageDetail | None:
        """The message that a person moved to, if they did."""
        return self.message if self._chosen else None

    def tick(self) -> None:
        """A second has passed: draw again what counts down, which is only a reply that is still held."""
        if self.ticket is None or not any(m.delivery == "held" for m in self.ticket.messages):
            return
        self.retell()

    def retell(self) -> None:
        """Bring the words that depend on the time up to date (ages, what is left of an undo window)."""
        old = self._lines
        scroll = int(self.scroll_offset.y)
        if self.ticket is None:
            return
        fresh = conversation(
            self.ticket,
            self.size.width,
            self._now(),
            self._zone,
            unfolded=self._unfolded,
            events=self.show_events,
            leaves_at=self._leaves_at,
        )
        if len(fresh) != len(old):
            self._lay_out()
            return
        self._lines = fresh
        width = self.size.width
        stale = [
            Region(0, y - scroll, width, 1)
            for y in range(scroll, min(len(fresh), scroll + self.size.height))
            if fresh[y] != old[y]
        ]
        if stale:
            self.refresh(*stale)

    # -- drawing

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        return inks

    def render_line(self, y: int) -> Strip:
        """One line of the screen (Textual's Line API)."""
        width = self.size.width
        inks = self.inks
        line = LineBuilder(width)
        index = y + int(self.scroll_offset.y)
        if index >= len(self._lines):
            return line.strip(inks("text"))
        shown = self._lines[index]
        ground = shown.ground
        here = shown.block >= 0 and shown.block == self.current and shown.kind != "blank"
        bar, ink = shown.bar
        line.add(
            "▌" if here and shown.kind == "head" else bar,
            inks("accent" if here else ink, ground),
            1,
        )
        if shown.kind == "blank":
            return LineBuilder(width).strip(inks("text"))
        room = width - 1
        right = LineBuilder(width)
        for text, ink in shown.right:
            right.add(f" {text} ", inks(ink, ground))
        room -= right.used
        matched = bool(self._needle) and index in self._matches
        for text, ink in shown.spans:
            if line.used - 1 >= room:
                break
            if matched:
                self._add_marked(line, text, ink, ground)
            else:
                line.add(text, inks(ink, ground), most=room + 1 - line.used)
        line.pad_to(width - right.used, inks("text", ground))
        for text, ink in shown.right:
            line.add(f" {text} ", inks(ink, ground))
        return line.strip(inks("text", ground))

    def _add_marked(self, line: LineBuilder, text: str, ink: str, ground: str) -> None:
        lower, needle, start = text.casefold(), self._needle, 0
        if len(lower) != len(text):
            lower = text.lower() if len(text.lower()) == len(text) else text
        while (found := lower.find(needle, start)) >= 0:
            line.add(text[start:found], self.inks(ink, ground))
            line.add(text[found : found + len(needle)], self.inks("strong", "match"))
            start = found + len(needle)
        line.add(text[start:], self.inks(ink, ground))

    def notify_style_update(self) -> None:
        """A theme was changed."""
        super().notify_style_update()
        self.refresh()

    def on_resize(self) -> None:
        """Wrap again for another width, keeping the message on screen."""
        if self.size.width == self._laid_out_for:
            if self._to_end:
                self._go_to_newest()
            return
        block, within = self._place()
        self._lay_out()
        if self._to_end:
            self._go_to_newest()
        elif block < len(self._heads):
            self._scroll(self._heads[block] + within)

    def _place(self) -> tuple[int, int]:
        top = int(self.scroll_offset.y)
        block = max(0, bisect_right(self._heads, top) - 1)
        return block, top - self._heads[block] if self._heads else 0

    # -- moving

    def action_move(self, lines: int) -> None:
        """Scroll by lines; the current message follows what is on screen."""
        self._to_end = False
        self._scroll(int(self.scroll_offset.y) + lines)
        self._follow()

    def action_first(self) -> None:
        """Go to the first message."""
        self._to_end = False
        self._scroll(0)
        self._select(0, scroll=False)
        self._chosen = False

    def action_last(self) -> None:
        """Go to the end."""
        self._scroll(len(self._lines))
        self._select(len(self._heads) - 1, scroll=False)
        self._chosen = False

    def action_page(self, direction: int) -> None:
        """Scroll by a screen."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_half_page(self, direction: int) -> None:
        """Scroll by half a screen."""
        self.action_move(direction * max(1, self.size.height // 2))

    def step(self, direction: int) -> None:
        """Go to the next message (1) or the one before (-1)."""
        self._to_end = False
        self._select(self.current + direction)

    def go_to(self, message_id: int) -> None:
        """Go to a message by its id, if the ticket has it."""
        if self.ticket is None:
            return
        for block, message in enumerate(self.ticket.messages):
            if message.id == message_id:
                self._to_end = False
                self._select(block)
                self._chosen = False

    def _select(self, block: int, scroll: bool = True) -> None:
        if not self._heads:
            return
        self.current = max(0, min(block, len(self._heads) - 1))
        self._chosen = True
        if scroll:
            self._scroll(self._heads[self.current])
        self.refresh()

    def _follow(self) -> None:
        top, bottom = int(self.scroll_offset.y), int(self.scroll_offset.y) + self.size.height
        if not self._heads:
            return
        head = self._heads[self.current]
        after = (
            self._heads[self.current + 1]
            if self.current + 1 < len(self._heads)
            else len(self._lines)
        )
        if top <= head < bottom:
            return
        if after <= top or head >= bottom:
            visible = bisect_right(self._heads, top)
            inside = visible < len(self._heads) and self._heads[visible] < bottom
            self.current = visible if inside else max(0, visible - 1)
            self._chosen = False
            self.refresh()

    # -- folding, events, finding

    def fold(self, every: bool = False) -> None:
        """Show the current message (or every one) whole, or fold it again."""
        if self.ticket is None or (message := self.message) is None:
            return
        ids = {m.id for m in self.ticket.messages} if every else {message.id}
        self._unfolded = self._unfolded - ids if ids <= self._unfolded else self._unfolded | ids
        block, within = self._place()
        self._lay_out()
        self._scroll(self._heads[block] + (0 if every else within))

    def toggle_events(self) -> bool:
        """Show or hide events; tells which."""
        self.show_events = not self.show_events
        block, within = self._place()
        self._lay_out()
        if self._heads:
            self._scroll(self._heads[block] + within)
        return self.show_events

    @property
    def finding(self) -> str:
        """The words that are marked, if any."""
        return self._needle

    def find(self, words: str) -> int:
        """Mark words and go to the first match at or below what is on screen; tells how many lines match."""
        self._needle = words.casefold()
        if not words:
            self.stop_finding()
            return 0
        self._find_lines()
        self.refresh()
        if self._matches:
            top = int(self.scroll_offset.y)
            self._show_match(next((y for y in self._matches if y >= top), self._matches[0]))
        return len(self._matches)

    def _find_lines(self) -> None:
        needle = self._needle
        self._matches = [
            y
            for y, line in enumerate(self._lines)
            if any(needle in text.casefold() for text, _ink in line.spans)
        ]

    def next_match(self, direction: int) -> None:
        """Go to the next match (1) or the one before (-1), round the end."""
        if not self._matches:
            return
        here = self._match_at
        ahead = [y for y in self._matches if (y > here if direction > 0 else y < here)]
        if direction > 0:
            self._show_match(ahead[0] if ahead else self._matches[0])
        else:
            self._show_match(ahead[-1] if ahead else self._matches[-1])

    def _show_match(self, y: int) -> None:
        self._match_at = y
        self._to_end = False
        block = self._lines[y].block
        if block >= 0:
            self.current, self._chosen = block, True
        top = int(self.scroll_offset.y)
        if not top <= y < top + self.size.height:
            self._scroll(y - self.size.height // 3)
        self.refresh()

    def stop_finding(self) -> None:
        """Take the marks off."""
        self._needle, self._matches, self._match_at = "", [], -1
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click makes a message the current one; on a fold it unfolds."""
        index = event.y + int(self.scroll_offset.y)
        if index >= len(self._lines):
            return
        line = self._lines[index]
        if line.block >= 0:
            self.current, self._chosen = line.block, True
            self.refresh()
            if line.kind == "fold":
                self.fold()
