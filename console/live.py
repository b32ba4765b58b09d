"""Follows the desk: what any process changes is on this screen within a second."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.bridge import Bridge, ReadsPort
from console.desktop_notices import DesktopNotices
from workflow.errors import DeskError

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen
    from workflow.store.rows import HistoryRow, QueueRow, TicketDetail

__all__ = ["EMPTY", "NO_ACCOUNTS", "Live", "read_whole"]

POLL_S = 0.15
SETTLE_S = 0.25
JUDGE_AGAIN_S = 20.0
"""Views that ask for the time (at risk, due) change by themselves."""


class Live:
    """Polls the data version (5 microseconds), reads what changed in threads, and gives it to the screen.

    A list that is being read when a newer one is asked for is dropped: each request has a number.
    """

    def __init__(self, desk: DeskScreen, bridge: Bridge) -> None:
        self._desk = desk
        self._bridge = bridge
        self._version = -1
        self._event = 0
        self._asked = 0
        self._pending = False
        self._busy = False
        self._notices = DesktopNotices(desk)

    def first_rows(self, query: str, sort: str, limit: int) -> list[QueueRow]:
        """The head of a view, at once: what is on the screen at the first paint."""
        return self._bridge.reads.page(self._bridge.compile(query), sort, limit)

    def start(self) -> None:
        """Begin to follow."""
        self._version = self._bridge.reads.data_version()
        self._event = self._bridge.reads.last_event_id()
        self._desk.set_interval(POLL_S, self.poll)
        self._desk.set_interval(JUDGE_AGAIN_S, self.refresh)
        self.refresh(now=True)

    def poll(self) -> None:
        """Has any process committed anything?"""
        try:
            version = self._bridge.reads.data_version()
        except DeskError as fault:
            self._desk.complain(str(fault))
            return
        if version == self._version or self._busy:
            return
        self._version = version
        self._busy = True
        self._bridge.read(
            lambda reads: reads.changed_tickets(self._event), self._changed, self._not_read
        )

    def _changed(self, changed: tuple[set[int], int]) -> None:
        self._busy = False
        tickets, self._event = changed
        self._desk.tickets_changed(tickets)
        self._count_held()
        if tickets:
            self.refresh()

    def _not_read(self, sentence: str) -> None:
        self._busy = False
        self._desk.complain(sentence)

    def refresh(self, now: bool = False) -> None:
        """Read the ids of the view and the counts of all views again, once for all changes of a quarter second."""
        if now:
            self._read()
        elif not self._pending:
            self._pending = True
            self._desk.set_timer(SETTLE_S, self._read)

    def _read(self) -> None:
        self._pending = False
        self._asked += 1
        number = self._asked
        view, extra = self._desk.view, self._desk.filter_text
        queries = {each.name: each.query for each in self._desk.views}
        bridge = self._bridge

        def ids(reads: ReadsPort) -> array[int]:
            return reads.ids(bridge.compile(_both(view.query, extra)), view.sort)

        def counts(reads: ReadsPort) -> dict[str, int]:
            named: dict[str, Any] = {name: bridge.compile(query) for name, query in queries.items()}
            return reads.counts(named)

        bridge.read(ids, lambda found: self._put(number, found), self._desk.complain)
        bridge.read(counts, self._desk.show_counts, self._desk.complain)
        self._count_held()

    def _count_held(self) -> None:
        self._notices.look()
        self._bridge.read(
            lambda reads: reads.held_count(), self._desk.show_held, self._desk.complain
        )

    def _put(self, number: int, ids: array[int]) -> None:
        if number == self._asked:
            self._desk.show_ids(ids)

    def try_query(
        self, query: str, then: Callable[[array[int]], None], failed: Callable[[str], None]
    ) -> None:
        """Read a filter that is being typed; only the newest answer counts."""
        self._asked += 1
        number = self._asked
        view = self._desk.view

        def found(ids: array[int]) -> None:
            if number == self._asked:
                then(ids)

        def wrong(sentence: str) -> None:
            if number == self._asked:
                failed(sentence)

        bridge = self._bridge
        bridge.look_up(
            lambda reads: reads.ids(bridge.compile(_both(view.query, query)), view.sort),
            found,
            wrong,
        )


def _both(first: str, second: str) -> str:
    if first.strip() and second.strip():
        return f"({first}) ({second})"
    return first or second


def read_whole(
    reads: ReadsPort, ticket_id: int
) -> tuple[TicketDetail, list[HistoryRow], dict[str, Any]] | None:
    """A ticket, the customer's other tickets, and when what is held or scheduled leaves; None if it has gone."""
    from console.widgets.transcript_lines import Leaving

    ticket = reads.ticket(ticket_id)
    if ticket is None:
        return None
    history = [
        row for row in reads.history(ticket.customer.id, limit=HISTORY) if row.id != ticket_id
    ]
    waits = any(message.delivery in _ON_ITS_WAY for message in ticket.messages)
    leaves_at = {
        row.message_id: Leaving(row.due_at, row.unless_reply, row.error)
        for row in (reads.outbox_of(ticket_id) if waits else ())
    }
    return ticket, history, leaves_at


_ON_ITS_WAY = ("held", "scheduled", "queued", "failed")
"""Answers of which more is to be said than that: when they leave, or why they do not."""

HISTORY = 500
"""So many tickets of a customer are listed beside one of them."""

EMPTY = {
    "Mine": ("No ticket waits for you.", "Press 2 for what nobody has taken, 7 for all."),
    "Unassigned": ("Everything has been taken.", "Press 1 for yours, 7 for all."),
    "At risk": ("No promise is at risk.", "Tickets come here before their time runs out."),
    "Escalated": ("Nothing is escalated.", "E on a ticket moves it up."),
    "Waiting": ("No ticket waits for somebody else.", "Pending and on hold are listed here."),
    "Snoozed": ("Nothing sleeps.", "s on a ticket puts it out of sight until a time."),
    "All": ("This desk is empty.", "Tickets appear here by themselves when a customer writes."),
}
"""What an empty view means, and what to do."""

NO_ACCOUNTS = (
    "No mailbox and no bot is set up here.",
    "Leave with q, then run: deskhand setup",
    "or, to look around first: deskhand demo",
)
"""What a desk says that nobody can write to."""
