"""What becomes of items that a channel hands over.

A new ticket, a message on one, a duplicate, or a held item.

Works on batches: the number of statements does not grow with the batch, so that an import of years
runs at the speed of the disk while a single mail takes the same path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.amending import add, delete, edit, file_row, name_also
from workflow.apply import summary_line
from workflow.companies import CompanyFile
from workflow.holding import Objection
from workflow.inbound import Inbound, Party
from workflow.incoming import Batch, Known, TicketState, look_up, write
from workflow.mail_reports import apply_reports, clear_marks
from workflow.model import FAR_FUTURE_MS, Direction, Intake, Priority, Status
from workflow.query.terms import people_text
from workflow.send_later import cancel_unless_reply
from workflow.settings import Settings
from workflow.store.store import Arrived, Transaction
from workflow.store.tables import Cursor
from workflow.suggestions import load_recent, suggest
from workflow.threading_rules import CONTINUES, Found, thread

__all__ = ["CursorMove", "Received", "receive"]


@dataclass(frozen=True, slots=True)
class CursorMove:
    """How far a folder has been read once this batch is stored."""

    account: str
    folder: str
    validity: int
    position: int


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one item."""

    outcome: Intake
    cause: str | None = None
    ticket: int | None = None
    message: int | None = None
    held: int | None = None
    matched_by: str = ""


def receive(
    transaction: Transaction,
    items: Sequence[Inbound],
    settings: Settings,
    secret: bytes,
    cursor: CursorMove | None = None,
    companies: CompanyFile | None = None,
    *,
    guarded: bool = True,
) -> list[Received]:
    """Take items in, in their order; every one has an outcome.

    The cursor moves in this same transaction. A new customer gets what ``companies`` says of their
    domain. Without ``guarded`` nothing is held: a person lets the items in.
    """
    batch = Batch(transaction, settings, secret, settings.own_addresses, companies)
    look_up(batch, items, guarded=guarded)
    load_recent(batch, items)
    outcomes = [_take(batch, item) for item in items]
    write(batch)
    cancel_unless_reply(batch, batch.spoken)
    taken = [
        (item, result)
        for item, result in zip(items, outcomes, strict=True)
        if result.outcome in (Intake.CREATED, Intake.APPENDED)
    ]
    apply_reports(batch, taken)
    clear_marks(batch, taken)
    if cursor is not None:
        _move(transaction, cursor)
    return outcomes


def _take(batch: Batch, item: Inbound) -> Received:
    result = _decide(batch, item)
    if item.source.account and item.source.position and item.source not in batch.arrived:
        batch.arrived.add(item.source)
        batch.arrivals.append(
            {
                "account": item.source.account,
                "folder": item.source.folder,
                "validity": item.source.validity,
                "position": item.source.position,
                "at": batch.now,
                "outcome": result.outcome.value,
                "cause": result.cause,
                "message_row": result.message,
                "held_id": result.held,
            }
        )
    return result


def _decide(batch: Batch, item: Inbound) -> Received:
    if item.deletes or item.edits:
        changed = delete(batch, item) if item.deletes else edit(batch, item)
        if changed is not None:
            return Received(*changed)
    if item.dedupe_key and item.dedupe_key in batch.by_dedupe:
        found = batch.by_dedupe[item.dedupe_key]
        return Received(Intake.DUPLICATE, "already here", found.ticket, found.message, found.held)
    if item.adds_to and (added := add(batch, item)) is not None:
        return Received(*added)
    known = batch.by_message_id.get(item.message_id or "")
    if item.own and known is not None and known[1] != Direction.IN:
        return Received(Intake.DUPLICATE, "a mail that this desk sent", known[0])
    gate = batch.gate
    if gate is not None and gate.came_back(item) is not None:
        return Received(Intake.DUPLICATE, "a mail of our own that came back")
    place = thread(batch, item)
    state, outcome = place.ticket, Intake.APPENDED
    answered = state.id if state is not None else None
    if gate is not None and (objection := gate.judge(item, answered)) is not None:
        gate.counts.add(item, answered, joined=answered is not None)
        return _hold(batch, item, objection, answered)
    if state is None:
        state, outcome = _open(batch, item, place), Intake.CREATED
    message = _append(batch, item, state, place)
    if gate is not None:
        gate.counts.add(item, state.id, joined=outcome is Intake.APPENDED)
    return Received(outcome, None, state.id, message, None, place.rule)


def _hold(batch: Batch, item: Inbound, objection: Objection, ticket: int | None) -> Received:
    number = batch.next_held
    batch.next_held += 1
    batch.held.append(
        {
            "id": number,
            "at": batch.now,
            "channel": item.channel,
            "account": item.source.account,
            "cause": objection.cause,
            "evidence": objection.evidence,
            "sender": item.sender.address or item.sender.name,
            "subject": item.subject,
            "raw_sha256": item.raw_sha256,
            "raw_size": item.raw_size,
            "state": objection.state,
            "dedupe_key": item.dedupe_key or None,
            "reached_at": item.reached_at,
            "ticket_id": ticket,
            "automatic": item.automatic,
            "report": item.bounce is not None,
            "folder": item.source.folder,
            "validity": item.source.validity,
            "position": item.source.position,
        }
    )
    data = {"held": number, "cause": objection.cause}
    batch.event("held.kept", ticket, batch.now, data, "intake")
    if item.dedupe_key:
        batch.by_dedupe[item.dedupe_key] = Known(held=number)
    return Received(Intake.HELD, objection.cause, held=number)


def _open(batch: Batch, item: Inbound, found: Found) -> TicketState:
    number = batch.next_ticket
    batch.next_ticket += 1
    state = TicketState(id=number, status=_first_status(item).value)
    state.row = {
        "id": number,
        "subject": item.subject,
        "status": state.status,
        "priority": int(Priority.MEDIUM),
        "priority_by": "default",
        "channel": item.channel,
        "account": item.source.account,
        "conversation": item.conversation or None,
        "customer_id": batch.customer(item),
        "created_at": item.reached_at,
        "updated_at": batch.now,
        "snoozed_until_reply": False,
        "looks_like": None,
        "no_clocks": item.before_cutoff,
        "last_message_at": None,
        "last_direction": Direction.IN.value,
        "last_line": "",
        "message_count": 0,
        "due_rank": FAR_FUTURE_MS,
        "urgency_rank": int(Priority.URGENT - Priority.MEDIUM),
        "waiting_rank": FAR_FUTURE_MS,
        "version": 1,
    }
    batch.tickets[number] = state
    if item.conversation:
        batch.conversations.setdefault(item.conversation, []).insert(0, number)
    batch.event(
        "ticket.created",
        number,
        item.reached_at,
        {"priority": int(Priority.MEDIUM), "channel": item.channel, "account": item.source.account},
        cause=f"{item.channel} from {item.sender.address or 'nobody'}",
    )
    batch.tell_company(number, state.row["customer_id"])
    if found.continues is not None:
        _continue(batch, number, found.continues)
    else:
        suggest(batch, item, state)
    return state


def _first_status(item: Inbound) -> Status:
    if item.from_sent:
        # We wrote first, in another program: it is their turn.
        return Status.PENDING
    return Status.OPEN if item.own or item.before_cutoff else Status.NEW


def _continue(batch: Batch, number: int, closed: int) -> None:
    """Link a new ticket to the closed one that it goes on with."""
    batch.continued_by[closed] = number
    batch.links.append({"ticket_id": number, "other_id": closed, "kind": CONTINUES})
    cause = f"#{closed} was closed for too long to be opened again"
    for ticket, data in ((number, {"ticket": closed}), (closed, {"from": number})):
        batch.event("ticket.linked", ticket, batch.now, {**data, "kind": CONTINUES}, cause)


def _append(batch: Batch, item: Inbound, state: TicketState, found: Found) -> int:
    number = batch.next_message
    batch.next_message += 1
    full = item.full_text if item.full_text != item.text else None
    internal = _answers_the_team(batch, item)
    aside = not internal and _answers_aside(batch, item, state)
    sent = item.own and not internal
    direction = Direction.NOTE if internal else Direction.OUT if sent else Direction.IN
    # The first words of a chat name its ticket; a message of it has no subject.
    subject = "" if item.conversation else item.subject
    agent = batch.settings.agent_by_email(item.sender.address) if item.own else None
    batch.messages.append(
        {
            "id": number,
            "ticket_id": state.id,
            "home_id": found.home if found.home != state.id else None,
            "direction": direction.value,
            "author": agent or item.sender.name or item.sender.address,
            "agent": agent,
            "channel": item.channel,
            "account": item.source.account,
            "at": item.reached_at,
            "date": item.date,
            "subject": subject,
            "from_name": item.sender.name,
            "from_address": item.sender.address,
            "to_list": _pairs(item.to),
            "cc_list": _pairs(item.cc),
            "bcc_list": [],
            "reply_to": _pairs(item.reply_to),
            "message_id": item.message_id,
            "in_reply_to": item.in_reply_to[0] if item.in_reply_to else None,
            "reference_ids": " ".join(item.references or item.in_reply_to),
            "text": item.text,
            "full_text": full,
            "automatic": item.automatic,
            "bounce": item.bounce,
            "authentication": _authentication(item),
            "invitation": item.invitation,
            "matched_by": found.rule,
            "raw_sha256": item.raw_sha256,
            "raw_size": item.raw_size,
            "delivery": "sent" if sent else None,
            "dedupe_key": item.dedupe_key or None,
            "defects": "; ".join(item.defects),
            "aside": aside,
        }
    )
    if aside:
        batch.aside.add(item.message_id or "")
    batch.attachments.extend(file_row(number, file) for file in item.attachments)
    people = people_text(
        agent or item.sender.name or item.sender.address,
        item.sender.name,
        item.sender.address,
        _pairs((*item.to, *item.cc)),
    )
    batch.index.append((number, subject, people, full or item.text))
    if item.dedupe_key:
        batch.by_dedupe[item.dedupe_key] = Known(number, state.id)
    for name in (item.message_id, *item.aliases):
        away = found.home if found.home != state.id else None
        batch.remember(name, state.id, direction.value, item.channel, away)
        if name:
            batch.named.setdefault(name, number)
    name_also(batch, number, item.aliases)
    if internal:
        data = {"message": number}
        batch.event("note.added", state.id, item.reached_at, data, f"{item.channel} intake")
        state.count += 1
        state.changed = True
    else:
        _note_message(batch, item, state, number, aside)
    return number


def _authentication(item: Inbound) -> dict[str, Any] | None:
    if not item.claims_us:
        return item.authentication
    return {**(item.authentication or {}), "claims_us": True}


def _answers_the_team(batch: Batch, item: Inbound) -> bool:
    """Whether it answers the mail of a note: only the team knows of it, so it is the team's too,
    and neither a reply to the customer nor a word of theirs. What also goes to others is a reply.
    """
    answered = [batch.by_message_id.get(name) for name in item.in_reply_to]
    if not any(f and f[1] == Direction.NOTE and f[2] == item.channel for f in answered):
        return False
    own = batch.settings.own_addresses
    return not item.own or all(p.address.lower() in own for p in (*item.to, *item.cc))


def _answers_aside(batch: Batch, item: Inbound, state: TicketState) -> bool:
    """Whether it answers what was said aside (a forward): then it is said aside too, by whom it was
    passed on to, unless the customer of the ticket says it.
    """
    if not any(name in batch.aside for name in (*item.in_reply_to, *item.references)):
        return False
    customer = state.current.customer_id if state.current is not None else None
    return item.own or batch.customers.get(batch.identity(item)) != customer


def _note_message(
    batch: Batch, item: Inbound, state: TicketState, number: int, aside: bool
) -> None:
    """What a message changes on its ticket, with the events."""
    counts = not item.before_cutoff
    data: dict[str, Any] = {"message": number, "automatic": item.automatic}
    if item.automatic_sign:
        data["sign"] = item.automatic_sign
    # On a ticket that is there already it may be an answer of ours: it moves nothing either way.
    unsure = item.claims_us and state.count > 0
    if unsure:
        data["claims_us"] = True
    if aside:
        data["aside"] = True
    if not counts:
        data["counts"] = False
    name = "message.sent" if item.own else "message.received"
    if item.own:
        data["human"] = not item.automatic and not aside
    batch.event(name, state.id, item.reached_at, data, cause=f"{item.channel} intake")
    state.count += 1
    state.changed = True
    if counts and not (item.automatic or unsure):
        state.row["no_clocks"] = False
        state.clock_work = True
    elif item.own and state.current is not None and not state.current.no_clocks:
        # An old answer that comes in later: the customer's next message has no first response.
        state.clock_work = True
    if state.last_at is None or item.reached_at >= state.last_at:
        state.last_at = item.reached_at
        state.row["last_message_at"] = item.reached_at
        state.row["last_direction"] = (Direction.OUT if item.own else Direction.IN).value
        state.row["last_line"] = summary_line(item.text)
    if item.from_sent and state.status == Status.NEW and not item.automatic:
        # As an answer from here would: somebody has seen to it.
        _set_status(batch, state, Status.OPEN, "answered in another program", number)
    if item.own or item.automatic or item.before_cutoff or unsure:
        return
    if not aside:
        batch.spoken.add(state.id)
        created = state.current is None and state.count == 1
        batch.transaction.arrived.append(Arrived(state.id, number, created))
    if state.status not in (Status.NEW, Status.OPEN):
        _set_status(batch, state, Status.OPEN, "the customer wrote", number)
        state.row["resolved_at"] = None
        state.clock_work = True
    if state.snoozed:
        batch.event("ticket.woken", state.id, batch.now, {}, cause="the customer wrote")
        state.snoozed = False
        state.row["snoozed_until"], state.row["snoozed_until_reply"] = None, False


def _set_status(batch: Batch, state: TicketState, status: Status, cause: str, message: int) -> None:
    # The message is named, so that the status goes back should it be split off.
    data = {"before": state.status, "after": status.value, "message": message}
    batch.event("ticket.status", state.id, batch.now, data, cause=cause)
    state.status = state.row["status"] = status.value


def _pairs(parties: Iterable[Party]) -> list[list[str]]:
    return [[party.name, party.address] for party in parties]


def _move(transaction: Transaction, move: CursorMove) -> None:
    row = transaction.session.get(Cursor, (move.account, move.folder))
    if row is None:
        row = Cursor(
            account=move.account,
            folder=move.folder,
            validity=move.validity,
            position=move.position,
            updated_at=transaction.now,
        )
    elif row.validity == move.validity:
        row.position = max(row.position, move.position)
    else:
        row.validity, row.position = move.validity, move.position
    row.updated_at = transaction.now
    transaction.session.add(row)
