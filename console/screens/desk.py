"""The desk: the queue, and over it the ticket that is open. Everything an agent does begins here."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from console import safe
from console.bridge import AccountState, Bridge
from console.keymap import bindings_for
from console.live import EMPTY, NO_ACCOUNTS, Live, read_whole
from console.screens.foot import SAID_S, Foot
from console.screens.queue_pane import QueuePane
from console.widgets.bars import Bar
from console.widgets.queue_list import QueueList
from console.widgets.virtual_list import VirtualList
from workflow.errors import DeskError
from workflow.views import BUILT_IN, View

if TYPE_CHECKING:
    from console.keystrokes import Keystrokes
    from console.macro_shelf import Shelf
    from console.screens.ticket_pane import TicketPane
    from console.tour import Tour
    from console.widgets.picker import Picker
    from console.widgets.prompt import Prompt
    from console.widgets.side_pane import SidePane
    from console.writing import Writing
    from macros.model import MacroProblem
    from workflow.store.rows import HistoryRow, TicketDetail

__all__ = ["DeskScreen"]

WARM_UP_AFTER_S = 0.6
SIDE_FROM = 100
"""Cells from which the side pane is shown without being asked for."""


class DeskScreen(Screen[None]):
    """One screen, two panes. What is rarely used is loaded after the first paint, or when it is first asked for."""

    BINDINGS = bindings_for("desk")
    AUTO_FOCUS = "#queue"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (declared by Textual)
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]

    def __init__(
        self,
        bridge: Bridge,
        zone: tzinfo | None,
        own_keys: dict[str, str],
        views: Sequence[View] = BUILT_IN,
    ) -> None:
        super().__init__(id="desk")
        self.bridge = bridge
        self.zone = zone
        self.own_keys = own_keys
        self.views = tuple(views) if bridge.agent is not None else _for_anybody(bridge, views)
        self.view: View = self.views[0]
        self.filter_text: str = ""
        self.ticket: TicketDetail | None = None
        """The ticket that is open."""
        self.live = Live(self, bridge)
        self._wanted: int | None = None
        self._at_message: int | None = None
        self._side_wish: bool | None = None
        self.shelf: Shelf | None = None
        """The macros; None before they are first looked at."""
        self._commands: Keystrokes | None = None
        self._writing: Writing | None = None
        self._last_key = 0.0
        self.queue_pane = QueuePane(bridge)
        self.queue: QueueList = self.queue_pane.queue
        self.queue.on_moved = self._cursor_moved
        self.pane: TicketPane | None = None
        self.foot = Foot(own_keys)
        self.tour: Tour | None = None
        """The tour, in a demo."""

    # -- the first paint, and what follows it

    def compose(self) -> ComposeResult:
        """The queue; the rest comes after the first paint."""
        yield self.queue_pane
        yield self.foot.status
        yield self.foot.keys

    def on_mount(self) -> None:
        """Rows before anything else."""
        self._first_rows()
        self.say_place()
        self.call_after_refresh(self._after_first_paint)

    def _first_rows(self) -> None:
        limit = max(20, self.app.size.height)
        wanted = [
            view for view in self.views if view.name in ("Mine", "Unassigned", "All")
        ] or list(self.views)
        try:
            for view in wanted:
                rows = self.live.first_rows(view.query, view.sort, limit)
                self.view = view
                if rows:
                    self.queue.put_rows(rows)
                    self.queue.set_ids(array("q", [row.id for row in rows]), reset=True)
                    break
            else:
                self._tell_empty()
        except DeskError as fault:
            self.complain(str(fault))
        self.queue_pane.tabs.show([view.name for view in self.views], self.views.index(self.view))

    def _after_first_paint(self) -> None:
        self.live.start()
        self.set_interval(1.0, self.tick)
        self.set_timer(0.05, self._furnish)

    def _furnish(self) -> None:
        """Mount what must open at once later: the ticket, the overlays."""
        from console.screens.ticket_pane import TicketPane
        from console.widgets.picker import Picker
        from console.widgets.prompt import Prompt

        if self.pane is None:
            self.pane = TicketPane(self.bridge, self.zone)
            self.mount(self.pane, Prompt(), after=self.queue_pane)
            self.mount(Picker())
        self.set_timer(WARM_UP_AFTER_S, self._warm_up)

    def _warm_up(self) -> None:
        """Load what changing needs when nobody types: the import would make keys wait."""
        if time.monotonic() - self._last_key < WARM_UP_AFTER_S:
            self.set_timer(WARM_UP_AFTER_S, self._warm_up)
        else:
            self.bridge.warm_up(lambda _none: None, self._read_only)

    def _cursor_moved(self) -> None:
        self._last_key = time.monotonic()
        self.say_place()

    def _read_only(self, sentence: str) -> None:
        if self.bridge.agent is not None:
            self.complain(sentence)

    @property
    def commands(self) -> Keystrokes:
        """What the keys do to tickets."""
        if self._commands is None:
            from console.keystrokes import Keystrokes

            self._commands = Keystrokes(self)
        return self._commands

    @property
    def writing(self) -> Writing:
        """Replies, notes and drafts."""
        if self._writing is None:
            from console.writing import Writing

            self._writing = Writing(self)
        return self._writing

    @property
    def picker(self) -> Picker:
        """The overlay for choices."""
        from console.widgets.picker import Picker

        return self.query_one(Picker)

    @property
    def prompt(self) -> Prompt:
        """The line for typing."""
        from console.widgets.prompt import Prompt

        return self.query_one(Prompt)

    def leave_writing(self) -> None:
        """Put the composer away, if anything is being written; the draft is kept."""
        if self._writing is not None:
            self._writing.leave()

    # -- what is where

    @property
    def in_ticket(self) -> bool:
        """Whether a ticket is open."""
        return self.has_class("-ticket")

    @property
    def place(self) -> str:
        """Where the keys work now: queue, ticket or composer."""
        if not self.in_ticket:
            return "queue"
        return "composer" if self._writing is not None and self._writing.active else "ticket"

    def run_action_id(self, action_id: str) -> None:
        """Do what an entry of the table stands for."""
        if self.pane is None:
            self._furnish()
        self.commands.run(action_id)

    def action_run(self, action_id: str) -> None:
        """A key that works everywhere."""
        self.run_action_id(action_id)

    def on_key(self, event: events.Key) -> None:
        """A key that is bound to a macro; those that the table knows are never among them."""
        macro = self.shelf.keys.get(event.key) if self.shelf is not None else None
        if macro is not None and not self.picker.open and not self.prompt.open:
            event.stop()
            event.prevent_default()
            self.commands.run_macro(macro.name)

    # -- views

    def show_view(self, index: int) -> None:
        """Show another view, from its head."""
        if not 0 <= index < len(self.views):
            return
        self.view = self.views[index]
        self.filter_text = ""
        self.queue.marks.clear()
        self.queue_pane.tabs.show([view.name for view in self.views], index)
        try:
            rows = self.live.first_rows(self.view.query, self.view.sort, max(20, self.size.height))
        except DeskError as fault:
            self.complain(str(fault))
            return
        self.queue.put_rows(rows)
        self._tell_empty()
        self.queue.set_ids(array("q", [row.id for row in rows]), reset=True)
        self.live.refresh(now=True)

    def step_view(self, direction: int) -> None:
        """Show the next view or the one before, round the end."""
        self.show_view((self.views.index(self.view) + direction) % len(self.views))

    def show_ids(self, ids: array[int]) -> None:
        """The ids of the view have been read again."""
        if ids != self.queue.ids:
            self._tell_empty()
            self.queue.set_ids(ids)
        self.say_place()

    def show_counts(self, counts: dict[str, int]) -> None:
        """The counts of the views have been read again."""
        self.queue_pane.tabs.set_counts(counts)
        self.say_place()

    def show_held(self, count: int) -> None:
        """Another number of held items waits for a person."""
        if count != self.foot.held:
            self.foot.held = count
            self.say_place()

    def _tell_empty(self) -> None:
        words: tuple[str, ...]
        if self.filter_text:
            words = (
                f"Nothing in {self.view.name} fits: {self.filter_text}",
                "Press escape to take the filter off.",
            )
        elif not self.bridge.has_accounts:
            words = NO_ACCOUNTS
        else:
            words = EMPTY.get(
                self.view.name, ("No ticket is in this view.", "Press tab for the next view.")
            )
        self.queue.empty_words = words

    # -- tickets

    def open_ticket(self, ticket_id: int, at_message: int | None = None) -> None:
        """Read a ticket and show it, at its newest message or at the one named; the queue stays until it is there."""
        self._at_message = at_message
        if self.pane is None:
            self._furnish()
        self.leave_writing()
        self._wanted = ticket_id
        self._read_ticket(ticket_id)

    def _read_ticket(self, ticket_id: int) -> None:
        self.bridge.look_up(
            lambda reads: read_whole(reads, ticket_id),
            lambda found: self._put_ticket(ticket_id, found),
            self.complain,
        )

    def _put_ticket(
        self, ticket_id: int, found: tuple[TicketDetail, list[HistoryRow], dict[str, Any]] | None
    ) -> None:
        if ticket_id != self._wanted or self.pane is None:
            return
        if found is None:
            self.complain(f"#{ticket_id} is not on this desk any more: go back and choose another")
            return
        self.ticket, history, leaves_at = found
        if self.ticket.merged_into is not None:
            # Its messages are there; what was asked for is still under the cursor.
            self.say(
                f"#{ticket_id} is merged into #{self.ticket.merged_into}: here it is.", "accent"
            )
            self._wanted = self.ticket.merged_into
            self._read_ticket(self._wanted)
            return
        fresh = not self.in_ticket
        self.pane.head.show(self.ticket, self._position())
        if fresh:
            self._arrange(self.size.width)
            self.add_class("-ticket")
            self.set_focus(self.pane.transcript)
        self.pane.side.show(self.ticket, history)
        self.pane.transcript.show(self.ticket, leaves_at)
        if self._writing is not None:
            self._writing.ticket_changed()
        if self._at_message is not None:
            self.pane.transcript.go_to(self._at_message)
            self._at_message = None
        self.say_place()
        if self._writing is not None and self._writing.after_open is not None:
            begin, self._writing.after_open = self._writing.after_open, None
            begin()

    def close_ticket(self) -> None:
        """Back to the queue."""
        self.leave_writing()
        self._wanted = None
        if self.ticket is not None:
            self.queue.drop_rows([self.ticket.id])
        self.ticket = None
        self.remove_class("-ticket")
        self.set_focus(self.queue)
        self.say_place()

    def step_ticket(self, direction: int) -> None:
        """The next ticket of the view, or the one before."""
        index = self.queue.cursor + direction
        if self.ticket is not None and self.queue.cursor_id != self.ticket.id:
            index = self.queue.cursor  # this one has left the view: its place is taken by the next
        if 0 <= index < len(self.queue.ids):
            self.queue.move_to(index)
            self.open_ticket(self.queue.ids[index])
        else:
            self.say(
                "This is the last ticket of the view."
                if direction > 0
                else "This is the first ticket of the view."
            )

    def tickets_changed(self, tickets: set[int]) -> None:
        """Somebody has changed these."""
        if tickets:
            self.queue.drop_rows(tickets)
        if self.ticket is not None:
            self._read_ticket(self.ticket.id)  # how a mail is being sent changes without an event

    def team_changed(self) -> None:
        """The files of the team have been read: what is being written may go out another way, and what
        is left of a promise may count otherwise.
        """
        self.queue.tick()
        if self._writing is not None:
            self._writing.show()

    def toggle_side(self) -> None:
        """Show or hide the side pane."""
        if self.pane is not None:
            self._side_wish = not self.pane.has_class("-side")
            self._arrange(self.size.width)

    def _arrange(self, width: int) -> None:
        if self.pane is not None:
            shown = self._side_wish if self._side_wish is not None else width >= SIDE_FROM
            self.pane.set_class(shown, "-side")

    def on_resize(self, event: events.Resize) -> None:
        """The side pane comes and goes with the width."""
        self._arrange(event.size.width)

    # -- words

    def say(self, text: str, ink: str = "accent", seconds: float = SAID_S) -> None:
        """A sentence on the status line."""
        self.foot.say(text, ink, seconds)

    def complain(self, text: str) -> None:
        """A sentence about what could not be done."""
        self.foot.say(text, "late", SAID_S * 2)

    def account_told(self, state: AccountState) -> None:
        """An account of a channel does well, or not."""
        self.bridge.accounts[state.name] = state
        self.say_place()

    def macros_told(self, problems: Sequence[MacroProblem], fresh: Sequence[MacroProblem]) -> None:
        """Files of macros have other faults than before; they stay named as long as they are there."""
        assert self.shelf is not None
        names = dict.fromkeys(problem.place.file.rpartition("/")[2] for problem in problems)
        self.foot.faults["macros"] = tuple(names)
        usable = {macro.file for macro in self.shelf.macros}
        for problem in fresh[:3]:
            kept = problem.place.file in usable
            then = "The version before goes on." if kept else "It cannot be used until then."
            safe.notify(self.app, f"{_ended(self.shelf.say(problem))} {then}", "warning", 12)
        if not problems:
            self.say("The files of the macros are in order again.", "good")
        self.say_place()

    def rules_told(self, problems: Sequence[str], fresh: Sequence[str]) -> None:
        """Files under workflow/ have other faults than before; the last good version of each goes on."""
        names = dict.fromkeys(
            sentence.partition(":")[0].rpartition("/")[2] for sentence in problems
        )
        self.foot.faults["workflow"] = tuple(names)
        for sentence in fresh[:3]:
            safe.notify(self.app, f"{_ended(sentence)} The version before goes on.", "warning", 12)
        if not problems:
            self.say("The files under workflow/ are in order again.", "good")
        self.say_place()

    def tick(self) -> None:
        """A second has passed."""
        self.foot.tick()
        if not self.in_ticket:
            self.queue.tick()
        elif self.pane is not None:
            self.pane.transcript.tick()
            self.pane.side.retell()
            self.pane.head.refresh()
        self.say_place()

    def _position(self) -> str:
        queue = self.queue
        if self.ticket is not None and queue.cursor_id != self.ticket.id:
            return self.view.name
        return f"{self.view.name} {queue.cursor + 1}/{len(queue.ids)}"

    def say_place(self) -> None:
        """Bring the status line, the key line and the tour up to date."""
        self.foot.show(self)
        if self.tour is not None:
            self.tour.look()

    # -- what the parts tell

    @on(VirtualList.Chosen)
    def _chosen(self, event: VirtualList.Chosen) -> None:
        if isinstance(event.control, QueueList):
            self.open_ticket(event.id)

    def on_transcript_scrolled(self) -> None:
        """There are new messages below, or no more."""
        self.say_place()

    def on_side_pane_opened(self, event: SidePane.Opened) -> None:
        """An earlier ticket was chosen."""
        self.open_ticket(event.ticket)

    @on(Bar.Clicked)
    def _clicked(self, event: Bar.Clicked) -> None:
        word, _, rest = event.action.partition(":")
        if word == "view":
            self.show_view(int(rest))
        elif word == "run" and self.place == "composer":
            self.writing.run(rest)
        elif word == "run":
            self.run_action_id(rest)

    def on_descendant_focus(self) -> None:
        """Other keys work where the focus is now."""
        self.say_place()

    def focus_back(self) -> None:
        """Put the focus where it belongs."""
        target: Widget = (
            self.pane.transcript if self.in_ticket and self.pane is not None else self.queue
        )
        self.set_focus(target)


def _for_anybody(bridge: Bridge, views: Sequence[View]) -> tuple[View, ...]:
    """The views that do not ask who looks at them: all that are left where nobody is named as the agent."""

    def fits(view: View) -> bool:
        try:
            bridge.compile(view.query)
        except DeskError:
            return False
        return True

    return tuple(view for view in views if fits(view))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(("?", "!", ".")) else f"{sentence}."
