"""How merges, splits and links are taken back. A merge or a split is one decision: the event of it
restores everything, and those that only belong to it are passed over.
"""

from __future__ import annotations

from workflow.apply import Context
from workflow.errors import Refusal
from workflow.linking import put_link, put_suggestion, take_link
from workflow.merge_tree import root_of
from workflow.merging import join, part
from workflow.splitting import SPLIT_OFF, split_again, unsplit
from workflow.store.tables import Event, Ticket
from workflow.undo import reverts

__all__: list[str] = []


def _ticket(context: Context, event: Event) -> Ticket:
    assert event.ticket_id is not None
    return context.transaction.ticket(event.ticket_id)


@reverts("ticket.merged")
def _merged(context: Context, event: Event) -> None:
    """Take apart what was merged, or merge again what was taken apart."""
    ticket = _ticket(context, event)
    if event.data["after"] is not None:
        if ticket.merged_into != event.data["after"]:
            raise Refusal(f"#{ticket.id} was taken out or merged anew since: look at it")
        part(context, ticket, undoes=event.id)
        return
    into = context.transaction.ticket(event.data["before"])
    if ticket.merged_into is not None or root_of(context.transaction, into).id == ticket.id:
        raise Refusal(f"#{ticket.id} was merged anew since: look at it")
    join(context, ticket, into, undoes=event.id)


@reverts("ticket.joined", "ticket.parted")
def _joined(context: Context, event: Event) -> None:
    """It goes with the ticket that was merged or taken apart."""
    del context, event


@reverts(SPLIT_OFF)
def _split(context: Context, event: Event) -> None:
    assert event.ticket_id is not None
    unsplit(context, event.ticket_id, event.data, event.id)


@reverts("ticket.unsplit")
def _unsplit(context: Context, event: Event) -> None:
    assert event.ticket_id is not None
    split_again(context, event.ticket_id, event.data, event.id)


@reverts("ticket.linked")
def _linked(context: Context, event: Event) -> None:
    if "ticket" in event.data:
        assert event.ticket_id is not None
        take_link(context, event.ticket_id, event.data["ticket"], undoes=event.id)


@reverts("ticket.unlinked")
def _unlinked(context: Context, event: Event) -> None:
    if "ticket" in event.data:
        assert event.ticket_id is not None
        kind = event.data["kind"]
        put_link(context, event.ticket_id, event.data["ticket"], kind, undoes=event.id)


@reverts("ticket.suggestion")
def _suggestion(context: Context, event: Event) -> None:
    assert event.ticket_id is not None
    put_suggestion(context, event.ticket_id, event.data["before"], undoes=event.id)
