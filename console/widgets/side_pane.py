"""Beside the conversation: who it is, how long each promise has, the facts of the ticket, earlier tickets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import fmt
from console.countdown import Left, wall_clock
from console.drawing import LineBuilder
from console.event_words import actor_words
from console.themes import Inks
from console.widgets.queue_row import CHANNELS, STATES
from console.widgets.told_fields import WANTS_PERSON, told_fields
from console.widgets.transcript_lines import wrap
from workflow.model import Priority, to_millis
from workflow.store.rows import (
    ClockDetail,
    EscalationDetail,
    HistoryRow,
    IdentityDetail,
    LinkDetail,
    TicketDetail,
)

__all__ = ["SidePane"]

Spans = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    spans: Spans = ()
    right: Spans = ()
    opens: int | None = None


def _identity(identity: IdentityDetail) -> _Line:
    """An address or account; a person's decision that it is theirs stands beside it."""
    shown = identity.value
    if identity.kind != "email" and identity.display:
        shown = f"{identity.display} ({identity.value})"
    sign = "" if identity.kind == "email" else f"{CHANNELS.get(identity.kind, '·')} "
    if identity.undeliverable_at is not None:
        words = f"comes back ({identity.undeliverable_code or identity.undeliverable_reason})"
        return _Line(((f"✕ {shown}", "late"),), ((words, "late"),))
    if identity.complained_at is not None:
        return _Line(((f"{sign}{shown}", "risk"),), (("complained", "risk"),))
    joined = identity.evidence.startswith("joined by ")
    return _Line(((f"{sign}{shown}", "dim"),), (("joined", "faint"),) if joined else ())


class SidePane(ScrollView):
    """What an agent wants to know beside the conversation."""

    DEFAULT_CSS = """
    SidePane { width: 38; height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    @dataclass
    class Opened(Message):
        """An earlier ticket was clicked."""

        ticket: int

    def __init__(
        self, now: Callable[[], datetime], zone: tzinfo | None, left: Left = wall_clock
    ) -> None:
        super().__init__(id="side")
        self._now = now
        self._zone = zone
        self._left = left
        self._ticket: TicketDetail | None = None
        self._history: list[HistoryRow] = []
        self._lines: list[_Line] = []
        self._made: object = None

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        inks: Inks = self.app.inks  # type: ignore[attr-defined]
        return inks

    def show(self, ticket: TicketDetail, history: list[HistoryRow]) -> None:
        """Show a ticket and what came before it."""
        self._ticket, self._history = ticket, history
        self.retell()

    def retell(self) -> None:
        """Bring what depends on the time up to date."""
        if self._ticket is None:
            return
        lines = list(self._facts(self._ticket))
        if lines == self._lines:
            return
        self._lines = lines
        self.virtual_size = Size(1, len(lines))
        self.refresh()

    def _facts(self, ticket: TicketDetail) -> list[_Line]:
        now = self._now()
        lines: list[_Line] = [_Line(((ticket.customer.name or "(no name)", "strong"),))]
        for identity in ticket.customer.identities:
            lines.append(_identity(identity))
        vip = ticket.customer.tier not in ("", "standard")
        belongs = [ticket.customer.company, ticket.customer.tier if vip else ""]
        if any(belongs):
            words = " · ".join(part for part in belongs if part)
            lines.append(_Line(((words, "accent" if vip else "dim"),)))
        if ticket.wants_person:
            lines.append(_Line(((f"! {WANTS_PERSON}", "risk"),)))
        lines += [_Line(), _Line((("Promises", "title"),))]
        lines += [self._clock(clock, now) for clock in ticket.clocks] or [
            _Line((("no promise on this ticket", "faint"),))
        ]
        lines += [_Line(), _Line((("Ticket", "title"),)), *self._fields(ticket, now)]
        if ticket.escalation is not None:
            up = ticket.escalation
            lines += [_Line(), _Line((("Escalated", "title"),))]
            lines.append(
                _Line(((f"▲ {up.to_level}", "risk"), (f"  by {actor_words(up.by)}", "dim")))
            )
            lines.append(self._acknowledgement(up, now))
            for word, said in (
                ("reason", up.reason),
                ("tried", up.tried),
                ("needed", up.needed),
                ("by", fmt.moment(up.wanted_by, now, self._zone) if up.wanted_by else ""),
                ("promised", up.promised),
            ):
                lines += self._paragraph(word, said)
        lines += self._linked(ticket.links)
        lines += [_Line(), _Line((("Other tickets", "title"),))]
        if not self._history:
            lines.append(_Line((("none: this is the only one", "faint"),)))
        for row in self._history:
            sign, ink = STATES.get(row.status, ("?", "text"))
            ended = row.resolved_at or row.updated_at
            lines.append(
                _Line(
                    (
                        (f"{sign} ", ink),
                        (f"#{row.id} ", "dim"),
                        (row.subject or "(no subject)", "text"),
                    ),
                    ((fmt.age(to_millis(now), to_millis(ended)), "faint"),),
                    row.id,
                )
            )
            outcome = f"  {CHANNELS.get(row.channel, '·')} {row.outcome}"
            lines.append(_Line(((outcome, "faint"),), (), row.id))
        return lines

    @staticmethod
    def _linked(links: tuple[LinkDetail, ...]) -> list[_Line]:
        """The tickets that this one has to do with; a click opens one that still stands alone."""
        if not links:
            return []
        lines = [_Line(), _Line((("Belongs together", "title"),), (("B goes there", "faint"),))]
        for link in links:
            sign, ink = STATES.get(link.status, ("?", "text"))
            merged = link.kind == "merged"
            lines.append(
                _Line(
                    (
                        ("⇐ " if merged else f"{sign} ", "accent" if merged else ink),
                        (f"#{link.ticket} ", "dim"),
                        (link.subject or "(no subject)", "text"),
                    ),
                    (),
                    None if merged else link.ticket,
                )
            )
            lines.append(
                _Line(((f"  {link.words}", "faint"),), (), None if merged else link.ticket)
            )
        return lines

    def _paragraph(self, word: str, said: str) -> list[_Line]:
        if not said:
            return []
        width = max(12, self.size.width - 12)
        return [
            _Line(((f"{word if first else '':<10}", "faint"), (line, "text")))
            for first, line in (
                (index == 0, line) for index, line in enumerate(wrap(said, width)[:6])
            )
        ]

    def _acknowledgement(self, up: EscalationDetail, now: datetime) -> _Line:
        if up.accepted_by:
            at = fmt.moment(up.accepted_at, now, self._zone) if up.accepted_at else ""
            return _Line(
                (("accepted", "faint"), (f"  by {up.accepted_by}", "good")), ((at, "dim"),)
            )
        if up.ack_due_at is None:
            return _Line((("accepted  by nobody yet", "faint"),))
        left = (up.ack_due_at - now).total_seconds()
        words = f"late {fmt.short_span(left)}" if left < 0 else f"{fmt.short_span(left)} left"
        due = fmt.moment(up.ack_due_at, now, self._zone)
        return _Line(
            (("accept    ", "faint"), (words, "late" if left < 0 else "risk")), ((due, "dim"),)
        )

    def _clock(self, clock: ClockDetail, now: datetime) -> _Line:
        name = fmt.METRIC_WORDS.get(clock.metric, clock.metric)
        if clock.state in ("running", "breached") and clock.due_at is not None:
            left = self._left(clock.calendar, to_millis(clock.due_at), to_millis(now))
            due = fmt.moment(clock.due_at, now, self._zone)
            if left is None:
                return _Line(((f"{name:<15}", "text"), ("…", "dim")), ((due, "dim"),))
            if clock.due_at < now:
                return _Line(
                    ((f"{name:<15}", "text"), (f"late {fmt.short_span(left)}", "late")),
                    ((due, "dim"),),
                )
            risky = clock.warn_at is not None and now >= clock.warn_at
            words = f"{fmt.short_span(left)} left" + (" !" if risky else "")
            return _Line(
                ((f"{name:<15}", "text"), (words, "risk" if risky else "text")), ((due, "dim"),)
            )
        words, ink = {
            "paused": (f"‖ paused, {fmt.short_span(clock.remaining_s)} left", "dim"),
            "met": ("✓ met", "good"),
            "missed": ("✕ missed", "late"),
            "breached": ("late", "late"),
        }.get(clock.state, (clock.state, "faint"))
        return _Line(((f"{name:<15}", "dim"), (words, ink)))

    def _fields(self, ticket: TicketDetail, now: datetime) -> list[_Line]:
        sign, ink = STATES.get(ticket.status, ("?", "text"))
        priority = Priority(ticket.priority) if 0 <= ticket.priority <= 4 else Priority.UNSET
        by = actor_words(ticket.priority_by) if ":" in ticket.priority_by else ticket.priority_by
        fields: list[tuple[str, Spans]] = [
            ("status", ((f"{sign} {ticket.status}", ink),)),
            ("priority", ((priority.word, "text"), (f"  by {by}", "faint"))),
            ("assignee", ((ticket.assignee or "–", "text" if ticket.assignee else "faint"),)),
            ("group", ((ticket.group_name or "–", "text" if ticket.group_name else "faint"),)),
        ]
        account = f" · {ticket.account}" if ticket.account else ""
        fields.append(
            (
                "channel",
                ((f"{CHANNELS.get(ticket.channel, '·')} {ticket.channel}{account}", "text"),),
            )
        )
        policy = ticket.policy or "none: nothing is promised"
        fields.append(("policy", ((policy, "text" if ticket.policy else "risk"),)))
        if ticket.level:
            fields.append(("level", ((ticket.level, "text"),)))
        fields += told_fields(ticket)
        if ticket.tags:
            fields.append(("tags", ((" ".join(f"#{tag}" for tag in ticket.tags), "accent"),)))
        if ticket.snoozed_until is not None:
            fields.append(
                (
                    "snoozed",
                    ((f"☾ until {fmt.moment(ticket.snoozed_until, now, self._zone)}", "text"),),
                )
            )
        elif ticket.snoozed_until_reply:
            fields.append(("snoozed", (("☾ until the customer writes", "text"),)))
        if ticket.spam:
            fields.append(("spam", (("marked as spam", "late"),)))
        if ticket.merged_into is not None:
            fields.append(("merged", ((f"into #{ticket.merged_into}", "text"),)))
        fields.append(("opened", ((fmt.moment(ticket.created_at, now, self._zone), "text"),)))
        return [_Line(((f"{word:<10}", "faint"), *spans)) for word, spans in fields]

    def render_line(self, y: int) -> Strip:
        """One line of the screen (Textual's Line API)."""
        inks = self.inks
        line = LineBuilder(self.size.width)
        index = y + int(self.scroll_offset.y)
        line.add("│", inks("faint"))
        line.add(" ", inks("text"))
        if index < len(self._lines):
            shown = self._lines[index]
            tail = sum(len(text) + 1 for text, _ink in shown.right)
            for text, ink in shown.spans:
                line.add(text, inks(ink), most=max(0, line.room - tail - 1))
            line.pad_to(line.width - tail, inks("text"))
            for text, ink in shown.right:
                line.add(f"{text} ", inks(ink))
        return line.strip(inks("text"))

    def notify_style_update(self) -> None:
        """A theme was changed."""
        super().notify_style_update()
        self.refresh()

    def on_resize(self) -> None:
        """Wrap again."""
        self._lines = []
        self.retell()

    def on_click(self, event: events.Click) -> None:
        """A click on an earlier ticket opens it."""
        index = event.y + int(self.scroll_offset.y)
        if index < len(self._lines) and (ticket := self._lines[index].opens) is not None:
            self.post_message(self.Opened(ticket))
