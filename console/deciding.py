"""What an agent decides about tickets: each method builds actions, for the open ticket or for all that are marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from console import fmt, safe
from console.actions import entry
from console.when_words import parse_when
from console.widgets.picker import Choice, fuzzy
from console.widgets.queue_row import STATES
from workflow.actions import (
    Accept,
    Action,
    AddTags,
    Assign,
    CancelSend,
    Escalate,
    HandBack,
    MarkSpam,
    RemoveTags,
    SetPriority,
    SetStatus,
    Snooze,
    Unsnooze,
)
from workflow.errors import DeskError, UsageError
from workflow.model import Priority, Status

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen
    from workflow.store.rows import OutboxRow

__all__ = ["Deciding"]

_STATUS_WORDS = {
    Status.NEW: "nobody has looked at it",
    Status.OPEN: "it is our turn",
    Status.PENDING: "we wait for the customer",
    Status.ON_HOLD: "we wait for somebody else",
    Status.RESOLVED: "done; a new message opens it again",
    Status.CLOSED: "done for good",
}


class Deciding:
    """The keys that change tickets."""

    def __init__(self, desk: DeskScreen) -> None:
        self._desk = desk
        self._bridge = desk.bridge

    # -- targets and changes

    def targets(self) -> list[int]:
        """What the next action is about: the open ticket, else the marked ones, else the one under the cursor."""
        desk = self._desk
        if desk.in_ticket:
            return [desk.ticket.id] if desk.ticket is not None else []
        if desk.queue.marks:
            return [known for known in desk.queue.ids if known in desk.queue.marks]
        return [] if desk.queue.cursor_id is None else [desk.queue.cursor_id]

    def _each(
        self, action_id: str, make: Callable[[int], Action], targets: Sequence[int] | None = None
    ) -> None:
        wanted = self.targets() if targets is None else targets
        if not wanted:
            self._desk.say("There is no ticket here.", "dim")
            return
        self.perform([make(ticket) for ticket in wanted], action_id)

    def perform(self, actions: Iterable[Action], action_id: str) -> None:
        """Ask the desk; say what came of it, one sentence for each ticket where it failed."""
        keys = entry(action_id).keys
        cause = f"key:{keys[0]}" if keys else f"console:{action_id}"
        self._bridge.perform(actions, cause, self._done, self._desk.complain)

    def _done(self, outcomes: list[Any], faults: list[str]) -> None:
        desk = self._desk
        if outcomes:
            first = str(outcomes[0].summary)
            more = f" and {len(outcomes) - 1} more" if len(outcomes) > 1 else ""
            desk.say(f"{first[:1].upper()}{first[1:]}{more}. z undoes it.", "good")
            desk.queue.clear_marks()
        for fault in faults[:6]:
            safe.notify(desk.app, fault, "error", 10)
        if len(faults) > 6:
            safe.notify(desk.app, f"and {len(faults) - 6} more could not be changed", "error", 10)
        if faults and not outcomes:
            desk.complain(faults[0])

    def _about(self, word: str) -> str:
        targets = self.targets()
        return (
            f"{word} of #{targets[0]}" if len(targets) == 1 else f"{word} of {len(targets)} tickets"
        )

    # -- decisions

    def do_take(self) -> None:
        """Assign to the one who sits here."""
        try:
            me = self._bridge.actor.name
        except DeskError as fault:
            self._desk.complain(str(fault))
            return
        self._each("take", lambda ticket: Assign(ticket, assignee=me))

    def do_resolve(self) -> None:
        """Set resolved."""
        self._each("resolve", lambda ticket: SetStatus(ticket, Status.RESOLVED.value))

    def do_spam(self) -> None:
        """Mark as spam, and leave a ticket that is open."""
        self._each("spam", lambda ticket: MarkSpam(ticket))
        if self._desk.in_ticket:
            self._desk.close_ticket()

    def do_wake(self) -> None:
        """Bring back what sleeps."""
        self._each("wake", Unsnooze)

    def do_status(self) -> None:
        """Choose a status."""
        targets = self.targets()
        choices = [
            Choice(status.value, f"{STATES[status.value][0]} {status.value}", words)
            for status, words in _STATUS_WORDS.items()
        ]
        self._desk.picker.ask(
            self._about("Status"),
            fuzzy(choices),
            lambda status: self._each("status", lambda ticket: SetStatus(ticket, status), targets),
        )

    def do_priority(self) -> None:
        """Choose a priority."""
        targets = self.targets()
        choices = [
            Choice(str(int(level)), level.word, fmt.priority_mark(level))
            for level in (
                Priority.URGENT,
                Priority.HIGH,
                Priority.MEDIUM,
                Priority.LOW,
                Priority.UNSET,
            )
        ]
        self._desk.picker.ask(
            self._about("Priority"),
            fuzzy(choices),
            lambda level: self._each(
                "priority", lambda ticket: SetPriority(ticket, int(level)), targets
            ),
        )

    def do_assign(self) -> None:
        """Choose an agent or a group."""
        targets, team = self.targets(), self._bridge.team
        me = self._bridge.agent
        now, zone, away = self._bridge.now(), self._desk.zone, self._bridge.away()
        choices = []
        for name in sorted(team.agents, key=lambda name: name != me):
            who = "you" if name == me else "agent"
            if name in away:
                until = away[name]
                who += f", away until {fmt.moment(until, now, zone)}" if until else ", away"
            choices.append(Choice(f"a:{name}", name, who))
        choices += [Choice(f"g:{name}", name, f"group, {level}") for name, level in team.groups]
        choices.append(Choice("n:", "nobody", "takes it off whoever has it"))

        def chosen(value: str) -> None:
            kind, _, name = value.partition(":")
            if kind == "g":
                self._each("assign", lambda ticket: Assign(ticket, group=name), targets)
            else:
                self._each("assign", lambda ticket: Assign(ticket, assignee=name), targets)

        self._desk.picker.ask(
            self._about("Owner"),
            fuzzy(choices),
            chosen,
            nothing="Nobody of that name is in deskhand.toml.",
        )

    def do_snooze(self) -> None:
        """Choose or type a time."""
        targets, desk = self.targets(), self._desk
        now, zone = self._bridge.now(), desk.zone
        presets = ("1h", "4h", "tomorrow", "mon")

        def choose(typed: str) -> Sequence[Choice]:
            words = typed.strip()
            if words and "reply".startswith(words.lower()):
                return [Choice("reply", "until the customer writes", "", "reply")]
            found = []
            for text in (words,) if words else presets:
                try:
                    when = parse_when(text, now, zone)
                except UsageError as fault:
                    return [Choice(None, str(fault))]
                left = fmt.span_words((when - now).total_seconds())
                found.append(
                    Choice(
                        text,
                        f"until {fmt.moment(when, now, zone)}",
                        f"in {left}",
                        "" if words else text,
                    )
                )
            if not words:
                found.append(Choice("reply", "until the customer writes", "", "reply"))
            return found

        def chosen(value: str) -> None:
            until = None if value == "reply" else parse_when(value, self._bridge.now(), zone)
            self._each("snooze", lambda ticket: Snooze(ticket, until), targets)
            if desk.in_ticket:
                desk.close_ticket()

        desk.picker.ask(
            self._about("Snooze").replace(" of ", " "),
            choose,
            chosen,
            hint="2h, tomorrow 9:00, mon, fri 14:30, reply",
        )

    def do_tags(self) -> None:
        """Type tags."""
        targets, desk = self.targets(), self._desk
        now = " ".join(desk.ticket.tags) if desk.in_ticket and desk.ticket is not None else ""

        def done(text: str) -> None:
            words = text.replace(",", " ").split()
            added = tuple(
                word.lstrip("+#")
                for word in words
                if not word.startswith("-") and word.lstrip("+#")
            )
            gone = tuple(
                word.lstrip("-#") for word in words if word.startswith("-") and word.lstrip("-#")
            )
            actions: list[Action] = []
            for ticket in targets:
                actions += [AddTags(ticket, added)] if added else []
                actions += [RemoveTags(ticket, gone)] if gone else []
            if actions:
                self.perform(actions, "tags")

        desk.prompt.ask(
            "refund -billing",
            done,
            remark=f"{self._about('Tags')}{': ' + now if now else ''}. A minus takes one off.",
        )

    def do_escalate(self) -> None:
        """Fill in what the next person needs."""
        from console.screens.escalate import EscalateScreen, Packet

        targets = self.targets()
        if not targets:
            self._desk.say("There is no ticket here.", "dim")
            return

        def sent(packet: Packet | None) -> None:
            if packet is not None:
                self._each(
                    "escalate",
                    lambda ticket: Escalate(
                        ticket,
                        packet.reason,
                        packet.level or None,
                        packet.tried,
                        packet.needed,
                        packet.wanted_by,
                        packet.promised,
                    ),
                    targets,
                )

        team, now, zone = self._bridge.team, self._bridge.now(), self._desk.zone
        form = EscalateScreen(
            self._about("Escalation"),
            team.levels,
            team.reasons,
            lambda words: parse_when(words, now, zone),
        )
        self._desk.app.push_screen(form, sent)

    def do_accept(self) -> None:
        """Say that it is mine now."""
        self._each("accept", Accept)

    def do_hand_back(self) -> None:
        """Give it back with a note."""
        targets = self.targets()
        if not targets:
            self._desk.say("There is no ticket here.", "dim")
            return
        self._desk.prompt.ask(
            "what they should know",
            lambda text: self._each("hand_back", lambda t: HandBack(t, text.strip()), targets),
            remark=f"{self._about('Hand-back')}: a note for those who get it back. Enter hands back, escape does not.",
        )

    def do_take_back(self) -> None:
        """Take back a reply of this ticket that has not left."""
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None:
            desk.say("Open a ticket first.", "dim")
            return
        now, zone = self._bridge.now(), desk.zone

        def choose(rows: Sequence[OutboxRow]) -> None:
            waits = [row for row in rows if row.state in ("held", "scheduled", "queued", "failed")]
            if not waits:
                desk.say("Nothing of this ticket waits to be sent.", "dim")
                return
            if len(waits) == 1:
                take(str(waits[0].id))
                return
            choices = [
                Choice(
                    str(row.id),
                    f"{row.state} {fmt.moment(row.due_at, now, zone)}",
                    f"to {', '.join(row.recipients)}",
                )
                for row in waits
            ]
            desk.picker.ask("Take back which?", fuzzy(choices), take, wide=True)

        def take(number: str) -> None:
            self.perform([CancelSend(int(number))], "take_back")

        self._bridge.look_up(lambda reads: reads.outbox_of(ticket.id), choose, desk.complain)

    def do_undo(self) -> None:
        """Take back the last change."""
        self._bridge.write(
            lambda desk: desk.undo(self._bridge.actor),
            lambda said: self._desk.say(_sentence("; ".join(said)), "good"),
            self._desk.complain,
        )

    def do_redo(self) -> None:
        """Do it again."""
        self._bridge.write(
            lambda desk: desk.redo(self._bridge.actor),
            lambda said: self._desk.say(_sentence(said), "good"),
            self._desk.complain,
        )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else "Nothing to do."
