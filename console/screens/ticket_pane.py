"""One ticket: its head, the conversation, the side pane; the composer when something is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.strip import Strip

from console import fmt
from console.bridge import Bridge
from console.drawing import LineBuilder
from console.keymap import bindings_for
from console.screens.queue_pane import Pane
from console.widgets.bars import Bar
from console.widgets.queue_row import CHANNELS, STATES
from console.widgets.side_pane import SidePane
from console.widgets.told_fields import WANTS_PERSON
from console.widgets.transcript import Transcript
from workflow.model import Priority, to_millis
from workflow.plaintext import one_line

if TYPE_CHECKING:
    from workflow.store.rows import TicketDetail

__all__ = ["TicketHead", "TicketPane"]


class TicketHead(Bar):
    """Two lines over a conversation: the subject, then state, priority, who, and the nearest promise; one more
    where the ticket looks like another, and where a rule proposes a reply.
    """

    DEFAULT_CSS = (
        "TicketHead { height: 2; width: 1fr; &.-three { height: 3; } &.-four { height: 4; } }"
    )

    def __init__(self, bridge: Bridge, zone: tzinfo | None) -> None:
        super().__init__(id="ticket-head")
        self._bridge = bridge
        self._zone = zone
        self._ticket: TicketDetail | None = None
        self._place = ""

    def show(self, ticket: TicketDetail, place: str) -> None:
        """Show a ticket; ``place`` is where it stands in its view (3/40)."""
        self._ticket, self._place = ticket, place
        lines = len(self._lines)
        self.set_class(lines == 3, "-three")
        self.set_class(lines == 4, "-four")
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines (Textual's Line API)."""
        line = LineBuilder(self.size.width)
        if self._ticket is not None:
            lines = self._lines
            lines[min(y, len(lines) - 1)](line, self._ticket)
        return line.strip(self.inks("text", self.GROUND))

    @property
    def _lines(self) -> list[Callable[[LineBuilder, TicketDetail], None]]:
        ticket = self._ticket
        lines: list[Callable[[LineBuilder, TicketDetail], None]] = [self._subject, self._facts]
        if ticket is not None and ticket.suggestion is not None:
            lines.append(self._guess)
        if ticket is not None and ticket.proposed:
            lines.append(self._proposed)
        return lines

    def draw(self, line: LineBuilder) -> None:
        """Not used: there are several lines."""

    def _subject(self, line: LineBuilder, ticket: TicketDetail) -> None:
        inks, place = self.inks, f"{self._place} "
        line.add(f" #{ticket.id} ", inks("accent", self.GROUND))
        line.add(
            ticket.subject or "(no subject)",
            inks("strong", self.GROUND),
            most=line.room - len(place) - 1,
        )
        line.pad_to(line.width - len(place), inks("text", self.GROUND))
        line.add(place, inks("dim", self.GROUND))

    def _facts(self, line: LineBuilder, ticket: TicketDetail) -> None:
        inks, now = self.inks, self._bridge.now()
        snoozed = ticket.snoozed_until is not None or ticket.snoozed_until_reply
        state = "snoozed" if snoozed else ticket.status
        sign, ink = STATES.get(state, ("?", "text"))
        line.add(f" {sign} {state}", inks(ink, self.GROUND))
        if ticket.priority:
            priority = Priority(ticket.priority)
            ink = {Priority.URGENT: "late", Priority.HIGH: "risk"}.get(priority, "dim")
            line.add(
                f"  {fmt.priority_mark(ticket.priority)} {priority.word}".replace("   ", "  "),
                inks(ink, self.GROUND),
            )
        line.add(
            f"  {CHANNELS.get(ticket.channel, '·')} {ticket.customer.name}",
            inks("text", self.GROUND),
        )
        owner = ticket.assignee or ticket.group_name
        line.add(
            f"  @{owner}" if owner else "  nobody's", inks("dim" if owner else "risk", self.GROUND)
        )
        if ticket.escalation is not None:
            up = ticket.escalation
            due = to_millis(up.ack_due_at) if up.ack_due_at else None
            words = fmt.escalation_words(up.to_level, to_millis(now), due, up.accepted_by)
            line.add(f"  {words}", inks("dim" if up.accepted_by else "risk", self.GROUND))
        words, ink = self._promise(ticket, now, line.width < 100)
        if ticket.wants_person:
            room = max(0, line.room - len(words) - 3)
            line.add(f"  ! {WANTS_PERSON}", inks("risk", self.GROUND), most=room)
        if ticket.tags:
            tags = "  " + " ".join(f"#{tag}" for tag in ticket.tags)
            line.add(tags, inks("dim", self.GROUND), most=max(0, line.room - len(words) - 3))
        line.pad_to(line.width - len(words) - 1, inks("text", self.GROUND))
        line.add(words, inks(ink, self.GROUND))

    def _guess(self, line: LineBuilder, ticket: TicketDetail) -> None:
        """The earlier ticket that this one looks like, and the keys that decide."""
        guess, inks = ticket.suggestion, self.inks
        if guess is None:
            return
        keys = "+ merges it in · - it is not "
        sign, ink = STATES.get(guess.status, ("?", "text"))
        line.add(" ≈ looks like ", inks("risk", self.GROUND))
        line.add(f"#{guess.ticket} {sign} ", inks(ink, self.GROUND))
        words = guess.subject or "(no subject)"
        line.add(words, inks("text", self.GROUND), most=max(0, line.room - len(keys) - 2))
        line.pad_to(line.width - len(keys), inks("text", self.GROUND))
        line.add(keys, inks("dim", self.GROUND))

    def _proposed(self, line: LineBuilder, ticket: TicketDetail) -> None:
        """The reply that a rule proposes, and the key that takes it."""
        inks, one = self.inks, ticket.proposed[0]
        keys = "D takes it "
        line.add(
            f" ✎ suggested reply from {one.rule.partition(':')[2]}: ", inks("risk", self.GROUND)
        )
        words = one_line(one.text, 200)
        line.add(words, inks("text", self.GROUND), most=max(0, line.room - len(keys) - 2))
        line.pad_to(line.width - len(keys), inks("text", self.GROUND))
        line.add(keys, inks("dim", self.GROUND))

    def _promise(self, ticket: TicketDetail, now: datetime, short: bool) -> tuple[str, str]:
        owed = [
            clock
            for clock in ticket.clocks
            if clock.state in ("running", "breached") and clock.due_at is not None
        ]
        if not owed:
            paused = any(clock.state == "paused" for clock in ticket.clocks)
            return ("‖ paused", "dim") if paused else ("", "faint")
        first = min(owed, key=lambda clock: (clock.due_at is None, clock.due_at))
        assert first.due_at is not None
        left = self._bridge.countdown.left(first.calendar, to_millis(first.due_at), to_millis(now))
        name = (
            first.metric[:1].upper()
            if short
            else f"{fmt.METRIC_WORDS.get(first.metric, first.metric)} in"
        )
        if left is None:
            return (f"{name} …", "dim")
        if first.due_at < now:
            return (f"{name.removesuffix(' in')} late {fmt.short_span(left)}", "late")
        if first.warn_at is not None and now >= first.warn_at:
            return (f"{name} {fmt.short_span(left)} !", "risk")
        return (f"{name} {fmt.short_span(left)}", "text")


class TicketPane(Pane):
    """One ticket: its head, the conversation, the side pane, and the composer when something is written."""

    BINDINGS = bindings_for("ticket")

    def __init__(self, bridge: Bridge, zone: tzinfo | None) -> None:
        super().__init__(id="ticket-pane")
        self.head = TicketHead(bridge, zone)
        self.transcript = Transcript(bridge.now, zone)
        self.side = SidePane(bridge.now, zone, bridge.countdown.left)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.head
        with Horizontal(id="talk"):
            yield self.transcript
            yield self.side
