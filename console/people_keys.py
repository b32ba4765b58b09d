"""What the keys do about the person who wrote: join them with another, answer them by another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from console.deciding import Deciding
from console.widgets.picker import Choice, fuzzy
from console.widgets.queue_row import CHANNELS
from workflow.actions import JoinCustomers

if TYPE_CHECKING:
    from console.bridge import ReadsPort
    from console.ways import Way
    from workflow.store.reads import Reads
    from workflow.store.rows import CustomerRow, TicketDetail

__all__ = ["People"]

_SHOWN = 30


class People(Deciding):
    """The keys about the customer of the ticket that is open."""

    def do_join_customer(self) -> None:
        """Choose somebody who is the same person."""
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None:
            desk.say("Open a ticket of the customer first.", "dim")
            return
        from workflow.store.people import nearest

        keep = ticket.customer
        # Few rows are read, so that each key that is typed can ask anew.
        reads = cast("Reads", self._bridge.reads)

        def chooser(typed: str) -> Sequence[Choice]:
            return [_person(row) for row in nearest(reads.fetch, typed, keep.id, _SHOWN)]

        desk.picker.ask(
            f"Who is the same person as {keep.name or _address(ticket)}?",
            chooser,
            lambda chosen: self.perform([JoinCustomers(keep.id, int(chosen))], "join_customer"),
            hint="a name, a company or an address",
            wide=True,
            nothing="Nobody fits: type a part of the name or of an address.",
        )

    def do_answer_by(self) -> None:
        """Choose by which address or account of the person the answer goes out."""
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None:
            desk.say("Open a ticket first.", "dim")
            return
        accounts, length = self._bridge.team.accounts, desk.writing.length

        def read(reads: ReadsPort) -> list[Way]:
            from console.ways import ways
            from workflow.store.people import accounts_used

            used = accounts_used(cast("Reads", reads).fetch, ticket.customer.id)
            return ways(ticket.customer, accounts, used, length)

        def choose(found: list[Way]) -> None:
            if desk.ticket is None or desk.ticket.id != ticket.id:
                return
            by_number = {str(way.identity): way for way in found}

            def chosen(value: str) -> None:
                way = by_number[value]
                if way.refusal is not None:
                    desk.complain(f"{way.value}: {way.refusal}.")
                    return
                desk.writing.begin("reply", everybody=False, way=way)

            desk.picker.ask(
                f"Answer {ticket.customer.name or _address(ticket)} by …",
                fuzzy([_way(way) for way in found]),
                chosen,
                wide=True,
                nothing="There is no address or account of this customer.",
            )

        self._bridge.look_up(read, choose, desk.complain)


def _address(ticket: TicketDetail) -> str:
    first = next(iter(ticket.customer.identities), None)
    return first.value if first is not None else "this customer"


def _person(row: CustomerRow) -> Choice:
    reached = ", ".join(
        f"{CHANNELS.get(one.kind, '·')} {one.display or one.value}"
        if one.kind != "email"
        else one.value
        for one in row.identities[:3]
    )
    tickets = f"{row.tickets} ticket{'s' if row.tickets != 1 else ''}"
    return Choice(str(row.id), row.name or "(no name)", reached, tickets)


def _way(way: Way) -> Choice:
    shown = way.display if way.display and way.kind != "email" else way.value
    words = way.refusal or " · ".join((way.account or "", *way.limits))
    return Choice(str(way.identity), f"{CHANNELS.get(way.kind, '·')} {shown}", words, way.kind)
