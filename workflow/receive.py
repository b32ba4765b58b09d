"""What becomes of items that a channel hands over.

A new ticket, a message on one, a duplicate, or a held item.

Works on batches: the number of statements does not grow with the batch, so that an import of years
runs at the speed of the disk while a single mail takes the same path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflow.apply import summary_line
from workflow.inbound import Inbound, Party, Source
from workflow.model import CUSTOMER, ENGINE, FAR_FUTURE_MS, Direction, Intake, Priority, Status
from workflow.query.terms import people_text
from workflow.settings import Settings
from workflow.store.statements import bindparam, col, func, select, update
from workflow.store.store import Transaction
from workflow.store.tables import (
    Arrival,
    AttachmentRow,
    Cursor,
    Customer,
    Event,
    Held,
    Identity,
    Message,
    Ticket,
)
from workflow.tokens import check_token

__all__ = ["CursorMove", "Received", "receive"]

_CHUNK = 800


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


@dataclass(slots=True)
class _TicketState:
    """What is known of a ticket while a batch is taken in.

    One without ``current`` is not in the database yet.
    """

    id: int
    status: str
    merged_into: int | None = None
    snoozed: bool = False
    count: int = 0
    last_at: datetime | None = None
    current: Ticket | None = None
    row: dict[str, Any] = field(default_factory=dict)
    changed: bool = False
    clock_work: bool = False


@dataclass(slots=True)
class _Batch:
    transaction: Transaction
    settings: Settings
    secret: bytes
    own: frozenset[str]
    by_dedupe: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    by_message_id: dict[str, tuple[int, str]] = field(default_factory=dict)
    tickets: dict[int, _TicketState] = field(default_factory=dict)
    customers: dict[tuple[str, str], int] = field(default_factory=dict)
    next_ticket: int = 1
    next_message: int = 1
    next_customer: int = 1
    new_customers: list[dict[str, Any]] = field(default_factory=list)
    new_identities: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[dict[str, Any]] = field(default_factory=list)
    arrived: set[Source] = field(default_factory=set)
    index: list[tuple[int, str, str, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.transaction.now


def receive(
    transaction: Transaction,
    items: Sequence[Inbound],
    settings: Settings,
    secret: bytes,
    cursor: CursorMove | None = None,
) -> list[Received]:
    """Take items in, in their order; every one has an outcome.

    The cursor moves in this same transaction.
    """
    batch = _Batch(transaction, settings, secret, settings.own_addresses)
    _look_up(batch, items)
    outcomes = [_take(batch, item) for item in items]
    _write(batch)
    if cursor is not None:
        _move(transaction, cursor)
    return outcomes


def _look_up(batch: _Batch, items: Sequence[Inbound]) -> None:
    """Read everything the batch may refer to, with a fixed number of statements for each chunk."""
    session = batch.transaction.session
    keys = [item.dedupe_key for item in items if item.dedupe_key]
    for chunk in _chunks(keys):
        rows = session.exec(
            select(Message.dedupe_key, Message.id, Message.ticket_id).where(
                col(Message.dedupe_key).in_(chunk)
            )
        )
        batch.by_dedupe.update({key: (message, ticket) for key, message, ticket in rows if key})
        held = session.exec(select(Held.dedupe_key, Held.id).where(col(Held.dedupe_key).in_(chunk)))
        for key, _held in held:
            if key:
                batch.by_dedupe.setdefault(key, (None, None))
    _load_arrivals(batch, items)
    wanted: set[str] = set()
    for item in items:
        wanted.update(item.in_reply_to)
        wanted.update(item.references)
        if item.message_id:
            wanted.add(item.message_id)
    for chunk in _chunks(sorted(wanted)):
        found = session.exec(
            select(Message.message_id, Message.ticket_id, Message.direction).where(
                col(Message.message_id).in_(chunk)
            )
        )
        for message_id, number, direction in found:
            if message_id:
                batch.by_message_id[message_id] = (number, direction)
    tickets = {ticket for ticket, _direction in batch.by_message_id.values()}
    for item in items:
        for token in item.reply_tokens:
            if (ticket := check_token(batch.secret, token)) is not None:
                tickets.add(ticket)
    _load_tickets(batch, tickets)
    _load_customers(batch, items)
    batch.next_ticket = _next_id(batch, Ticket)
    batch.next_message = _next_id(batch, Message)
    batch.next_customer = _next_id(batch, Customer)


def _load_arrivals(batch: _Batch, items: Sequence[Inbound]) -> None:
    """Which of these places have an outcome already.

    One that is shown to us again keeps its first entry.
    """
    folders: dict[tuple[str, str, int], list[int]] = {}
    for item in items:
        source = item.source
        if source.account and source.position:
            key = (source.account, source.folder, source.validity)
            folders.setdefault(key, []).append(source.position)
    for (account, folder, validity), positions in folders.items():
        for chunk in _chunks(positions):
            found = batch.transaction.session.exec(
                select(Arrival.position).where(
                    col(Arrival.account) == account,
                    col(Arrival.folder) == folder,
                    col(Arrival.validity) == validity,
                    col(Arrival.position).in_(chunk),
                )
            )
            batch.arrived.update(Source(account, folder, validity, number) for number in found)


def _next_id(batch: _Batch, table: Any) -> int:
    """The next free number. The write lock is ours, so nobody else can take it."""
    return (batch.transaction.session.scalar(select(func.max(table.id))) or 0) + 1


def _load_tickets(batch: _Batch, ids: Iterable[int]) -> None:
    waiting = {ticket for ticket in ids if ticket not in batch.tickets}
    while waiting:
        targets: set[int] = set()
        for chunk in _chunks(sorted(waiting)):
            rows = batch.transaction.session.exec(select(Ticket).where(col(Ticket.id).in_(chunk)))
            for row in rows:
                assert row.id is not None
                batch.tickets[row.id] = _TicketState(
                    id=row.id,
                    status=row.status,
                    merged_into=row.merged_into,
                    snoozed=row.snoozed_until is not None or row.snoozed_until_reply,
                    count=row.message_count,
                    last_at=row.last_message_at,
                    current=row,
                )
                if row.merged_into is not None:
                    targets.add(row.merged_into)
        waiting = targets - batch.tickets.keys()


def _load_customers(batch: _Batch, items: Sequence[Inbound]) -> None:
    wanted = {_identity(batch, item) for item in items}
    kinds = {kind for kind, _value in wanted}
    for kind in kinds:
        for chunk in _chunks(sorted(value for k, value in wanted if k == kind)):
            rows = batch.transaction.session.exec(
                select(Identity.value, Identity.customer_id).where(
                    col(Identity.kind) == kind, col(Identity.value).in_(chunk)
                )
            )
            batch.customers.update({(kind, value): customer for value, customer in rows})


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _party(batch: _Batch, item: Inbound) -> Party:
    """Whose ticket it is: the sender, or for mail that we sent ourselves the first other recipient."""
    if item.own:
        for party in (*item.to, *item.cc):
            if party.address and party.address.lower() not in batch.own:
                return party
    return item.sender


def _identity(batch: _Batch, item: Inbound) -> tuple[str, str]:
    return item.channel, _party(batch, item).address.lower()


def _take(batch: _Batch, item: Inbound) -> Received:
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


def _decide(batch: _Batch, item: Inbound) -> Received:
    if item.dedupe_key and item.dedupe_key in batch.by_dedupe:
        message, ticket = batch.by_dedupe[item.dedupe_key]
        return Received(Intake.DUPLICATE, "already here", ticket, message)
    known = batch.by_message_id.get(item.message_id or "")
    if item.own and known is not None and known[1] == Direction.OUT:
        return Received(Intake.DUPLICATE, "a mail that this desk sent", known[0])
    if item.held_cause:
        return _hold(batch, item)
    state, matched_by = _thread(batch, item)
    if state is None:
        state, matched_by = _open(batch, item), "new"
        outcome = Intake.CREATED
    else:
        outcome = Intake.APPENDED
    message = _append(batch, item, state, matched_by)
    return Received(outcome, None, state.id, message, None, matched_by)


def _hold(batch: _Batch, item: Inbound) -> Received:
    row = Held(
        at=batch.now,
        channel=item.channel,
        account=item.source.account,
        cause=item.held_cause or "",
        evidence=item.held_evidence,
        sender=item.sender.address or item.sender.name,
        subject=item.subject,
        raw_sha256=item.raw_sha256,
        raw_size=item.raw_size,
        dedupe_key=item.dedupe_key or None,
    )
    batch.transaction.session.add(row)
    batch.transaction.session.flush()
    batch.transaction.record(
        "held.kept", None, ENGINE, "intake", {"held": row.id, "cause": row.cause}
    )
    if item.dedupe_key:
        batch.by_dedupe[item.dedupe_key] = (None, None)
    return Received(Intake.HELD, item.held_cause, held=row.id)


def _thread(batch: _Batch, item: Inbound) -> tuple[_TicketState | None, str]:
    """The ticket that an item belongs to and the rule that says so."""
    for token in item.reply_tokens:
        ticket = check_token(batch.secret, token)
        if ticket is not None and (state := _kept(batch, ticket)) is not None:
            return state, "reply-token"
    for rule, ids in (("in-reply-to", item.in_reply_to), ("references", reversed(item.references))):
        for message_id in ids:
            found = batch.by_message_id.get(message_id)
            if found is not None and (state := _kept(batch, found[0])) is not None:
                return state, rule
    return None, ""


def _kept(batch: _Batch, ticket: int) -> _TicketState | None:
    """The ticket, or the one it was merged into."""
    state = batch.tickets.get(ticket)
    seen: set[int] = set()
    while state is not None and state.merged_into is not None and state.id not in seen:
        seen.add(state.id)
        state = batch.tickets.get(state.merged_into)
    return state


def _customer(batch: _Batch, item: Inbound) -> int:
    key = _identity(batch, item)
    customer = batch.customers.get(key)
    if customer is None:
        party = _party(batch, item)
        customer = batch.next_customer
        batch.next_customer += 1
        batch.customers[key] = customer
        batch.new_customers.append(
            {
                "id": customer,
                "name": party.name,
                "company": "",
                "tier": "standard",
                "created_at": batch.now,
            }
        )
        batch.new_identities.append(
            {
                "customer_id": customer,
                "kind": key[0],
                "value": key[1],
                "display": party.name,
                "evidence": "wrote from it" if not item.own else "was written to",
                "created_at": batch.now,
            }
        )
    return customer


def _open(batch: _Batch, item: Inbound) -> _TicketState:
    number = batch.next_ticket
    batch.next_ticket += 1
    state = _TicketState(
        id=number,
        status=Status.OPEN.value if item.own or item.before_cutoff else Status.NEW.value,
    )
    state.row = {
        "id": number,
        "subject": item.subject,
        "status": state.status,
        "priority": int(Priority.MEDIUM),
        "priority_by": "default",
        "channel": item.channel,
        "account": item.source.account,
        "customer_id": _customer(batch, item),
        "created_at": item.reached_at,
        "updated_at": batch.now,
        "snoozed_until_reply": False,
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
    _event(
        batch,
        "ticket.created",
        state,
        item.reached_at,
        {"priority": int(Priority.MEDIUM), "channel": item.channel, "account": item.source.account},
        cause=f"{item.channel} from {item.sender.address or 'nobody'}",
    )
    return state


def _append(batch: _Batch, item: Inbound, state: _TicketState, matched_by: str) -> int:
    number = batch.next_message
    batch.next_message += 1
    full = item.full_text if item.full_text != item.text else None
    sent = item.own
    agent = batch.settings.agent_by_email(item.sender.address) if sent else None
    batch.messages.append(
        {
            "id": number,
            "ticket_id": state.id,
            "direction": (Direction.OUT if sent else Direction.IN).value,
            "author": agent or item.sender.name or item.sender.address,
            "agent": agent,
            "channel": item.channel,
            "account": item.source.account,
            "at": item.reached_at,
            "date": item.date,
            "subject": item.subject,
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
            "matched_by": matched_by,
            "raw_sha256": item.raw_sha256,
            "raw_size": item.raw_size,
            "delivery": "sent" if sent else None,
            "dedupe_key": item.dedupe_key or None,
            "defects": "; ".join(item.defects),
        }
    )
    batch.attachments.extend(
        {
            "message_id": number,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256,
            "inline": file.inline,
            "content_id": file.content_id,
        }
        for file in item.attachments
    )
    people = people_text(
        agent or item.sender.name or item.sender.address,
        item.sender.name,
        item.sender.address,
        _pairs((*item.to, *item.cc)),
    )
    batch.index.append((number, item.subject, people, full or item.text))
    if item.dedupe_key:
        batch.by_dedupe[item.dedupe_key] = (number, state.id)
    if item.message_id:
        direction = Direction.OUT if sent else Direction.IN
        batch.by_message_id[item.message_id] = (state.id, direction.value)
    _note_message(batch, item, state, number)
    return number


def _note_message(batch: _Batch, item: Inbound, state: _TicketState, number: int) -> None:
    """What a message changes on its ticket, with the events."""
    counts = not item.before_cutoff
    data: dict[str, Any] = {"message": number, "automatic": item.automatic}
    if not counts:
        data["counts"] = False
    name = "message.sent" if item.own else "message.received"
    if item.own:
        data["human"] = not item.automatic
    _event(batch, name, state, item.reached_at, data, cause=f"{item.channel} intake")
    state.count += 1
    state.changed = True
    state.clock_work = state.clock_work or counts
    if state.last_at is None or item.reached_at >= state.last_at:
        state.last_at = item.reached_at
        state.row["last_message_at"] = item.reached_at
        state.row["last_direction"] = (Direction.OUT if item.own else Direction.IN).value
        state.row["last_line"] = summary_line(item.text)
    if item.own or item.automatic:
        return
    if state.status not in (Status.NEW, Status.OPEN):
        _event(
            batch,
            "ticket.status",
            state,
            batch.now,
            {"before": state.status, "after": Status.OPEN.value},
            cause="the customer wrote",
        )
        state.status = state.row["status"] = Status.OPEN.value
        state.row["resolved_at"] = None
        state.clock_work = True
    if state.snoozed:
        _event(batch, "ticket.woken", state, batch.now, {}, cause="the customer wrote")
        state.snoozed = False
        state.row["snoozed_until"], state.row["snoozed_until_reply"] = None, False


def _event(
    batch: _Batch, name: str, state: _TicketState, at: datetime, data: dict[str, Any], cause: str
) -> None:
    actor = CUSTOMER if name == "message.received" else ENGINE
    batch.events.append(
        {
            "at": at,
            "name": name,
            "ticket_id": state.id,
            "actor": actor.wire,
            "cause": cause,
            "data": data,
            "change_id": None,
        }
    )


def _pairs(parties: Iterable[Party]) -> list[list[str]]:
    return [[party.name, party.address] for party in parties]


def _write(batch: _Batch) -> None:
    transaction = batch.transaction
    transaction.insert_many(Customer, batch.new_customers)
    transaction.insert_many(Identity, batch.new_identities)
    fresh: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for state in batch.tickets.values():
        if not state.changed:
            continue
        state.row["message_count"] = state.count
        if state.current is None:
            fresh.append(state.row)
        else:
            old.append({"key": state.id, **_update_row(batch, state, state.current)})
        if state.clock_work:
            transaction.touched.add(state.id)
    transaction.insert_many(Ticket, fresh)
    if old:
        table = Ticket.__table__  # type: ignore[attr-defined]
        values: dict[str, Any] = {name: bindparam(name) for name in old[0] if name != "key"}
        values["version"] = table.c.version + 1
        transaction.connection.execute(
            update(table).where(table.c.id == bindparam("key")).values(**values), old
        )
    transaction.insert_many(Message, batch.messages)
    transaction.insert_many(AttachmentRow, batch.attachments)
    transaction.insert_many(Event, batch.events)
    transaction.insert_many(Arrival, batch.arrivals)
    transaction.index(batch.index)
    transaction.session.expire_all()


_UPDATED = (
    "status",
    "last_message_at",
    "last_direction",
    "last_line",
    "message_count",
    "updated_at",
)


def _update_row(batch: _Batch, state: _TicketState, current: Ticket) -> dict[str, Any]:
    """The same columns for every ticket, so that one statement serves the batch."""
    row = {name: state.row.get(name, getattr(current, name)) for name in _UPDATED}
    row["updated_at"] = batch.now
    woken = "snoozed_until_reply" in state.row
    row["snoozed_until"] = None if woken else current.snoozed_until
    row["snoozed_until_reply"] = False if woken else current.snoozed_until_reply
    row["resolved_at"] = None if "resolved_at" in state.row else current.resolved_at
    return row


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
