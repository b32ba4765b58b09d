"""What the keys do. Each entry of :mod:`console.actions` has one method here; each builds actions for the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from console.belonging_keys import Belonging
from console.carried import Brought
from console.macro_runs import MACRO, MacroRuns
from console.presence_keys import PresenceKeys
from console.widgets.picker import fuzzy
from workflow.errors import UsageError

if TYPE_CHECKING:
    from workflow.store.rows import SearchHit

__all__ = ["Keystrokes"]


class Keystrokes(MacroRuns, Belonging, PresenceKeys):
    """The keys of the queue and of the ticket."""

    def run(self, action_id: str) -> None:
        """Do what an entry stands for, or a macro that has a key of its own."""
        if action_id.startswith(MACRO):
            self.run_macro(action_id.removeprefix(MACRO))
            return
        method: Callable[[], None] = getattr(self, f"do_{action_id}")
        method()

    # -- going places

    def do_open(self) -> None:
        """Open the ticket under the cursor."""
        if (ticket := self._desk.queue.cursor_id) is not None:
            self._desk.open_ticket(ticket)

    def do_back(self) -> None:
        """End finding, else go back to the queue."""
        pane = self._desk.pane
        if pane is not None and pane.transcript.finding:
            pane.transcript.stop_finding()
            return
        self._desk.close_ticket()

    def do_clear(self) -> None:
        """Take off the marks, else the filter."""
        desk = self._desk
        if desk.queue.marks:
            desk.queue.clear_marks()
        elif desk.filter_text:
            self._filter_done("")

    def do_next_view(self) -> None:
        """Show the next view."""
        self._desk.step_view(1)

    def do_previous_view(self) -> None:
        """Show the view before."""
        self._desk.step_view(-1)

    def do_next_ticket(self) -> None:
        """Open the next ticket of the view."""
        self._desk.step_ticket(1)

    def do_previous_ticket(self) -> None:
        """Open the ticket before."""
        self._desk.step_ticket(-1)

    def do_side(self) -> None:
        """Show or hide the side pane."""
        if self._desk.in_ticket:
            self._desk.toggle_side()

    def do_leave(self) -> None:
        """End the program; what was just typed is saved on the way out."""
        self._desk.leave_writing()
        self._desk.app.exit(0)

    do_quit = do_leave

    # -- marks

    def do_mark(self) -> None:
        """Mark and go on."""
        self._desk.queue.toggle_mark()

    def do_mark_all(self) -> None:
        """Mark all."""
        self._desk.queue.mark_all()

    def do_mark_none(self) -> None:
        """Take all marks off."""
        self._desk.queue.clear_marks()

    # -- writing

    def do_reply(self) -> None:
        """Answer."""
        self._write("reply", everybody=False)

    def do_reply_all(self) -> None:
        """Answer everybody."""
        self._write("reply", everybody=True)

    def do_note(self) -> None:
        """Write a note; while words are marked: go to the next match."""
        pane = self._desk.pane
        if self._desk.in_ticket and pane is not None and pane.transcript.finding:
            pane.transcript.next_match(1)
            return
        self._write("note", everybody=False)

    def do_take_proposed(self) -> None:
        """Put the text that a rule proposes into the reply."""
        ticket = self._desk.ticket
        if ticket is None or not ticket.proposed:
            self._desk.say("No rule proposes a reply here.", "dim")
            return
        one = ticket.proposed[0]
        self._desk.writing.put_in(one.text, Brought(one.rule, one.rule, (), ()), everybody=False)

    def do_forward(self) -> None:
        """Pass it on to somebody who is not the customer."""
        self._desk.writing.begin_forward()

    def _write(self, kind: str, everybody: bool) -> None:
        desk = self._desk
        if not desk.in_ticket:
            if desk.queue.cursor_id is None:
                return
            desk.writing.after_open = partial(desk.writing.begin, kind, everybody)
            desk.open_ticket(desk.queue.cursor_id)
            return
        desk.writing.begin(kind, everybody)

    # -- reading

    def do_next_message(self) -> None:
        """Next message."""
        self._pane().transcript.step(1)

    def do_previous_message(self) -> None:
        """Message before."""
        self._pane().transcript.step(-1)

    def do_fold(self) -> None:
        """Unfold or fold this message."""
        self._pane().transcript.fold()

    def do_fold_all(self) -> None:
        """Unfold or fold all."""
        self._pane().transcript.fold(every=True)

    def do_events(self) -> None:
        """Show or hide events."""
        shown = self._pane().transcript.toggle_events()
        self._desk.say("Events are shown." if shown else "Events are hidden.", "dim", 2)

    def do_find(self) -> None:
        """Type words to find."""
        transcript = self._pane().transcript

        def changed(text: str) -> None:
            found = transcript.find(text.strip())
            self._desk.prompt.remark(
                f"{found} lines" if text.strip() else "", "dim" if found else "risk"
            )

        def done(text: str) -> None:
            if text.strip():
                found = transcript.find(text.strip())
                self._desk.say(
                    f"{found} lines. n and N go from one to the next, escape ends it.", "dim"
                )

        self._desk.prompt.ask(
            "words in this ticket", done, changed=changed, cancelled=transcript.stop_finding
        )

    def do_find_previous(self) -> None:
        """Match before."""
        self._pane().transcript.next_match(-1)

    def do_files(self) -> None:
        """Choose an attachment to save."""
        from console.attachments import Attachments

        Attachments(self._desk).choose()

    def do_original(self) -> None:
        """Show the message under the cursor as it came."""
        message = self._pane().transcript.message
        if message is None:
            return
        from console.screens.original import Original

        self._desk.app.push_screen(Original(self._bridge, self._desk.zone, message))

    def _pane(self) -> Any:
        assert self._desk.pane is not None
        return self._desk.pane

    # -- finding

    def do_filter(self) -> None:
        """Narrow the queue while typing."""
        desk = self._desk
        before = desk.filter_text

        def changed(text: str) -> None:
            try:
                self._bridge.compile(text)
            except UsageError as fault:
                desk.prompt.remark(str(fault), "risk")
                return
            desk.live.try_query(
                text, lambda ids: shown(text, ids), lambda said: desk.prompt.remark(said, "late")
            )

        def shown(text: str, ids: Any) -> None:
            desk.filter_text = text.strip()
            desk.show_ids(ids)
            desk.queue.action_first()
            desk.prompt.remark(f"{len(ids)} tickets" if len(ids) != 1 else "1 ticket")

        desk.prompt.ask(
            "status:open priority>=high due<2h -assignee:me words",
            self._filter_done,
            typed=before,
            changed=changed,
            cancelled=lambda: self._filter_done(before),
        )

    def _filter_done(self, text: str) -> None:
        desk = self._desk
        try:
            self._bridge.compile(text)
        except UsageError as fault:
            desk.complain(str(fault))
            text = desk.filter_text
        desk.filter_text = text.strip()
        desk.live.refresh(now=True)

    def do_search(self) -> None:
        """Search everything."""
        from console.screens.search import SearchScreen

        self._desk.app.push_screen(SearchScreen(self._bridge, self._desk.zone), self._found)

    def _found(self, hit: SearchHit | None) -> None:
        if hit is not None:
            self._desk.open_ticket(hit.ticket, at_message=hit.message)

    def do_held(self) -> None:
        """The held room."""
        from console.screens.held_room import HeldRoom

        self._desk.app.push_screen(HeldRoom(self._bridge, self._desk.zone), self._opened)

    def do_outbox(self) -> None:
        """The outbox."""
        from console.screens.rooms import OutboxRoom

        self._desk.app.push_screen(OutboxRoom(self._bridge, self._desk.zone), self._opened)

    def do_accounts(self) -> None:
        """The accounts."""
        from console.screens.accounts import AccountsRoom

        self._desk.app.push_screen(AccountsRoom(self._bridge, self._desk.zone))

    # -- the desk

    def do_palette(self) -> None:
        """Everything, by name."""
        from console.palette import palette_choices

        self._desk.picker.ask(
            "What do you want to do?",
            fuzzy(palette_choices(self._desk)),
            self._desk.run_action_id,
            wide=True,
        )

    def do_help(self) -> None:
        """The keys of this place."""
        from console.palette import help_choices

        self._desk.picker.ask(
            f"Keys {'of a ticket' if self._desk.in_ticket else 'of the queue'}",
            fuzzy(help_choices(self._desk)),
            lambda chosen: self._desk.run_action_id(chosen) if chosen else None,
            hint="type to search the keys",
            wide=True,
        )

    def do_tour(self) -> None:
        """Start the tour, or leave it."""
        if self._desk.tour is None:
            self._desk.say("The tour answers and escalates: take it in deskhand demo.", "dim")
        else:
            self._desk.tour.toggle()

    def do_tour_never(self) -> None:
        """Offer it no more."""
        if self._desk.tour is None:
            self._desk.say("Only the demo offers a tour.", "dim")
            return
        try:
            self._desk.tour.refuse()
        except OSError as fault:
            self._desk.complain(f"That could not be kept ({fault.strerror}): it is asked again.")
        else:
            self._desk.say("The tour is not offered again. F2 starts it all the same.", "dim")

    def do_theme(self) -> None:
        """The next theme."""
        from console.themes import THEMES

        names = [theme.name for theme in THEMES]
        app = self._desk.app
        app.theme = (
            names[(names.index(app.theme) + 1) % len(names)] if app.theme in names else names[0]
        )
