"""What the keys do about tickets that belong together: merge, split, link, and go from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from console import fmt
from console.actions import entry
from console.people_keys import People
from console.widgets.picker import Choice, fuzzy
from console.widgets.queue_row import STATES
from workflow.actions import Action, DismissSuggestion, Link, Merge, Split, Unlink, Unmerge
from workflow.model import Direction, to_millis

if TYPE_CHECKING:
    from workflow.store.nearby import NearbyTicket
    from workflow.store.reads import Reads
    from workflow.store.rows import HistoryRow, LinkDetail

__all__ = ["Belonging"]


class Belonging(People):
    """The keys about what belongs together."""

    def do_merge(self) -> None:
        """Choose the ticket that is kept; all that are marked, or this one, go into it."""
        targets = self.targets()
        if not targets:
            self._desk.say("There is no ticket here.", "dim")
            return
        several = len(targets) > 1
        title = (
            f"Merge {len(targets)} tickets: which one is kept?"
            if several
            else f"Merge #{targets[0]} into which ticket?"
        )

        def chosen(into: int) -> None:
            actions = [Merge(ticket, into) for ticket in targets if ticket != into]
            self._do(actions, "merge", lambda _outcomes: self._show(into, targets))

        self._choose_ticket(
            title, [] if several else targets, chosen, first=targets if several else ()
        )

    def do_merge_suggested(self) -> None:
        """Merge the open ticket into the one it looks like."""
        ticket = self._desk.ticket
        if ticket is None or ticket.suggestion is None:
            self._desk.say(
                "This ticket looks like no other: M chooses one to merge it into.", "dim"
            )
            return
        into = ticket.suggestion.ticket
        self._do(
            [Merge(ticket.id, into)], "merge_suggested", lambda _o: self._show(into, [ticket.id])
        )

    def do_dismiss_suggestion(self) -> None:
        """Say that it is about something else."""
        ticket = self._desk.ticket
        if ticket is None or ticket.suggestion is None:
            self._desk.say("There is no suggestion on this ticket.", "dim")
            return
        self.perform([DismissSuggestion(ticket.id)], "dismiss_suggestion")

    def do_unmerge(self) -> None:
        """Choose one that was merged into this ticket."""
        ticket = self._desk.ticket
        merged = [link for link in ticket.links if link.kind == "merged"] if ticket else []
        if not merged:
            self._desk.say("No ticket was merged into this one.", "dim")
            return
        self._desk.picker.ask(
            "Take out which ticket?",
            fuzzy([_linked(link) for link in merged]),
            lambda value: self.perform([Unmerge(int(value))], "unmerge"),
            wide=True,
        )

    def do_split(self) -> None:
        """Make a ticket of its own of the message under the cursor, and of those after it."""
        desk = self._desk
        message = desk.pane.transcript.message if desk.pane is not None else None
        ticket = desk.ticket
        if ticket is None or message is None:
            desk.say("Open a ticket, and go to the message to split from.", "dim")
            return
        place = next(n for n, one in enumerate(ticket.messages) if one.id == message.id)
        after = len(ticket.messages) - place - 1
        if len(ticket.messages) == 1:
            desk.say("It is the only message: there is nothing to split it from.", "dim")
            return
        choices = []
        if place > 0:
            words = "this message and all after it" if after else "this message, the last one"
            choices.append(Choice("all", words, f"{after + 1} messages" if after else ""))
        if after or place == 0:
            choices.append(Choice("only", "this message alone", "what came after it stays"))

        def chosen(value: str) -> None:
            self._do(
                [Split(ticket.id, message.id, only=value == "only")],
                "split",
                lambda outcomes: desk.open_ticket(outcomes[0].ticket),
            )

        who = "our reply" if message.direction == Direction.OUT else f"what {message.author} wrote"
        at = fmt.moment(message.at, self._bridge.now(), desk.zone)
        desk.picker.ask(f"Split off #{ticket.id}: {who}, {at}", fuzzy(choices), chosen)

    def do_link(self) -> None:
        """Choose a ticket that has to do with this one."""
        targets = self.targets()
        if not targets:
            self._desk.say("There is no ticket here.", "dim")
            return
        self._choose_ticket(
            f"Link #{targets[0]} with which ticket?"
            if len(targets) == 1
            else f"Link {len(targets)} tickets with which one?",
            targets,
            lambda other: self.perform([Link(ticket, other) for ticket in targets], "link"),
        )

    def do_unlink(self) -> None:
        """Choose a link to take away."""
        ticket = self._desk.ticket
        links = [link for link in ticket.links if link.kind != "merged"] if ticket else []
        if ticket is None or not links:
            self._desk.say("This ticket is linked with no other.", "dim")
            return
        self._desk.picker.ask(
            "Take away which link?",
            fuzzy([_linked(link) for link in links]),
            lambda value: self.perform([Unlink(ticket.id, int(value))], "unlink"),
            wide=True,
        )

    def do_go_to(self) -> None:
        """Choose among the tickets that this one has to do with, and the customer's others."""
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None:
            desk.say("Open a ticket first.", "dim")
            return
        now = to_millis(self._bridge.now())

        def choose(history: list[HistoryRow]) -> None:
            if desk.ticket is None or desk.ticket.id != ticket.id:
                return
            guess = ticket.suggestion
            choices = [_linked(link) for link in ticket.links if link.kind != "merged"]
            if guess is not None:
                sign = STATES.get(guess.status, ("?",))[0]
                choices.insert(
                    0,
                    Choice(
                        str(guess.ticket),
                        f"{sign} #{guess.ticket} {guess.subject}",
                        "looks like it",
                    ),
                )
            known = {choice.value for choice in choices}
            choices += [
                _earlier(row, now)
                for row in history
                if str(row.id) not in known and row.id != ticket.id
            ]
            desk.picker.ask(
                f"From #{ticket.id} to …",
                fuzzy(choices),
                lambda value: desk.open_ticket(int(value)),
                wide=True,
                nothing="It is the only ticket of this customer, and linked with no other.",
            )

        self._bridge.look_up(
            lambda reads: reads.history(ticket.customer.id, ticket.id, 200), choose, desk.complain
        )

    # -- what they share

    def _choose_ticket(
        self,
        title: str,
        besides: Sequence[int],
        then: Callable[[int], None],
        first: Sequence[int] = (),
    ) -> None:
        """Ask for another ticket; ``first`` stand at the head while nothing is typed."""
        from workflow.store.nearby import nearby

        desk, reads = self._desk, cast("Reads", self._bridge.reads)
        now = to_millis(self._bridge.now())
        customer = desk.ticket.customer.id if desk.in_ticket and desk.ticket is not None else 0

        def chooser(typed: str) -> Sequence[Choice]:
            # Few rows are read, so that each key that is typed can ask anew.
            found = nearby(reads.fetch, typed, besides, customer)
            if first and not typed.strip():
                marked = [nearby(reads.fetch, f"#{number}", (), 0)[:1] for number in first[:20]]
                found = [row for rows in marked for row in rows]
            return [_ticket(row, now) for row in found]

        desk.picker.ask(
            title,
            chooser,
            lambda value: then(int(value)),
            hint="number, subject, customer, or words of a message",
            wide=True,
            nothing="No ticket fits: type its number, or other words.",
        )

    def _do(
        self, actions: Iterable[Action], action_id: str, then: Callable[[list[Any]], None]
    ) -> None:
        """As ``perform``, and go on with what came of it."""

        def done(outcomes: list[Any], faults: list[str]) -> None:
            self._done(outcomes, faults)
            if outcomes:
                then(outcomes)

        keys = entry(action_id).keys
        self._bridge.perform(actions, f"key:{keys[0]}", done, self._desk.complain)

    def _show(self, kept: int, merged: Sequence[int]) -> None:
        """Where a merged ticket was open, the kept one is."""
        desk = self._desk
        if desk.in_ticket and desk.ticket is not None and desk.ticket.id in merged:
            desk.open_ticket(kept)


def _ticket(row: NearbyTicket, now: int) -> Choice:
    sign = STATES.get(row.status, ("?",))[0]
    title = f"{sign} #{row.id} {row.subject or '(no subject)'}"
    return Choice(str(row.id), title, row.customer, fmt.age(now, row.updated_ms))


def _linked(link: LinkDetail) -> Choice:
    sign = STATES.get(link.status, ("?",))[0]
    return Choice(
        str(link.ticket), f"{sign} #{link.ticket} {link.subject or '(no subject)'}", link.words
    )


def _earlier(row: HistoryRow, now: int) -> Choice:
    sign = STATES.get(row.status, ("?",))[0]
    ended = row.resolved_at or row.updated_at
    title = f"{sign} #{row.id} {row.subject or '(no subject)'}"
    return Choice(str(row.id), title, row.outcome, fmt.age(now, to_millis(ended)))
