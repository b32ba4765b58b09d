"""A batch of items on its way into the desk: what has to be known before they are judged, and what
is written once all of them are.

Everything is read and written for the whole batch, with a number of statements that does not grow
with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from workflow.companies import STANDARD, Company, CompanyFile
from workflow.holding import Gate, open_gate
from workflow.inbound import Inbound, Party, Source
from workflow.model import CUSTOMER, ENGINE, UNRESOLVED, Direction, Status
from workflow.settings import Settings
from workflow.store.statements import bindparam, col, func, or_, select, update
from workflow.store.store import Transaction
from workflow.store.tables import (
    Arrival,
    AttachmentRow,
    Customer,
    Event,
    Held,
    Identity,
    Message,
    MessageAlias,
    Ticket,
    TicketLink,
)
from workflow.tokens import check_token

__all__ = ["GOES_ON", "Batch", "Known", "Recent", "TicketState", "look_up", "write"]

GOES_ON = timedelta(days=7)
"""So long after it was resolved a ticket goes on when its customer writes in the same chat."""

_CHUNK = 800


@dataclass(frozen=True, slots=True)
class Known:
    """Where an item that came before has gone to: a message, or a held item."""

    message: int | None = None
    ticket: int | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """What a customer has written about lately: a ticket, its subject as it is compared, and when
    something last came or went on it.
    """

    ticket: int
    matter: str
    at: datetime


@dataclass(slots=True)
class TicketState:
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
class Batch:
    """What is known and what is to be written while a batch is taken in."""

    transaction: Transaction
    settings: Settings
    secret: bytes
    own: frozenset[str]
    companies: CompanyFile | None = None
    gate: Gate | None = None
    """What keeps items out; None where a person lets them in."""
    by_dedupe: dict[str, Known] = field(default_factory=dict)
    by_message_id: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """Ticket, direction and channel for the name of a message."""
    homes: dict[str, int] = field(default_factory=dict)
    """The ticket it belongs to, where that was merged into the one it is shown on."""
    continued_by: dict[int, int] = field(default_factory=dict)
    """For a closed ticket the newest one that goes on with it."""
    recent: dict[int, list[Recent]] = field(default_factory=dict)
    """By customer, the oldest first."""
    links: list[dict[str, Any]] = field(default_factory=list)
    named: dict[str, int] = field(default_factory=dict)
    """The message for a name by which an item changes it."""
    stored: dict[int, Message] = field(default_factory=dict)
    """Those of them that were there before this batch."""
    conversations: dict[str, list[int]] = field(default_factory=dict)
    """Tickets of a conversation that may go on, the newest first."""
    aliases: list[dict[str, Any]] = field(default_factory=list)
    tickets: dict[int, TicketState] = field(default_factory=dict)
    customers: dict[tuple[str, str], int] = field(default_factory=dict)
    next_ticket: int = 1
    next_message: int = 1
    next_customer: int = 1
    next_held: int = 1
    new_customers: list[dict[str, Any]] = field(default_factory=list)
    placed: dict[int, Company] = field(default_factory=dict)
    """New customers whose domain is in the table of companies, until a ticket tells of it."""
    new_identities: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[dict[str, Any]] = field(default_factory=list)
    arrived: set[Source] = field(default_factory=set)
    index: list[tuple[int, str, str, str]] = field(default_factory=list)
    aside: set[str] = field(default_factory=set)
    """The names of messages that were said to somebody else than the customer."""
    spoken: set[int] = field(default_factory=set)
    """Tickets on which a customer has something to say in this batch."""

    @property
    def now(self) -> datetime:
        """The moment of the intake."""
        return self.transaction.now

    def remember(
        self,
        message_id: str | None,
        ticket: int,
        direction: str,
        channel: str = "email",
        home: int | None = None,
    ) -> None:
        """Note whose a Message-ID is.

        Anybody can write any id into a mail: ours is never taken over, else the first one has it.
        """
        known = self.by_message_id.get(message_id or "")
        ours = direction == Direction.OUT and known is not None and known[1] != Direction.OUT
        if message_id and (known is None or ours):
            self.by_message_id[message_id] = (ticket, direction, channel)
            self.homes.pop(message_id, None)
            if home is not None:
                self.homes[message_id] = home

    def party(self, item: Inbound) -> Party:
        """Whose ticket it is: the sender, or for mail that we sent ourselves the first other
        recipient.
        """
        if item.own:
            for party in (*item.to, *item.cc):
                if party.address and party.address.lower() not in self.own:
                    return party
        return item.sender

    def identity(self, item: Inbound) -> tuple[str, str]:
        """The kind and the value by which the customer is known."""
        return item.channel, self.party(item).address.lower()

    def customer(self, item: Inbound) -> int:
        """The number of the customer, a new one where nobody has the address yet."""
        key = self.identity(item)
        customer = self.customers.get(key)
        if customer is None:
            party = self.party(item)
            customer = self.next_customer
            self.next_customer += 1
            self.customers[key] = customer
            company = self.companies.of(key[1]) if self.companies is not None else None
            if company is not None:
                self.placed[customer] = company
            self.new_customers.append(
                {
                    "id": customer,
                    "name": party.name,
                    "company": company.company if company else "",
                    "tier": (company.tier if company else "") or STANDARD,
                    "created_at": self.now,
                }
            )
            self.new_identities.append(
                {
                    "customer_id": customer,
                    "kind": key[0],
                    "value": key[1],
                    "display": item.handle or party.name,
                    "evidence": "wrote from it" if not item.own else "was written to",
                    "created_at": self.now,
                }
            )
        return customer

    def tell_company(self, ticket: int, customer: int) -> None:
        """Record on a new customer's ticket what the table of companies said of them."""
        company = self.placed.pop(customer, None)
        if company is not None:
            for data in company.changes:
                self.event("ticket.field", ticket, self.now, data, company.cause)

    def event(
        self, name: str, ticket: int | None, at: datetime, data: dict[str, Any], cause: str
    ) -> None:
        """Record an event of the intake; a message is the customer's doing."""
        actor = CUSTOMER if name == "message.received" else ENGINE
        self.events.append(
            {
                "at": at,
                "name": name,
                "ticket_id": ticket,
                "actor": actor.wire,
                "cause": cause,
                "data": data,
                "change_id": None,
            }
        )


def look_up(batch: Batch, items: Sequence[Inbound], *, guarded: bool = True) -> None:
    """Read everything the batch may refer to, with a fixed number of statements for each chunk.

    Without ``guarded`` nothing is kept out: a person lets the items in.
    """
    session = batch.transaction.session
    keys = [item.dedupe_key for item in items if item.dedupe_key]
    for chunk in _chunks(keys):
        rows = session.exec(
            select(Message.dedupe_key, Message.id, Message.ticket_id).where(
                col(Message.dedupe_key).in_(chunk)
            )
        )
        for key, message, ticket in rows:
            batch.by_dedupe[key or ""] = Known(message, ticket)
        held = session.exec(select(Held.dedupe_key, Held.id).where(col(Held.dedupe_key).in_(chunk)))
        for key, held_item in held:
            batch.by_dedupe.setdefault(key or "", Known(held=held_item))
    _load_arrivals(batch, items)
    wanted: set[str] = set()
    amended: set[str] = set()
    for item in items:
        amended.update(name for name in (item.edits, item.adds_to, *item.deletes) if name)
        wanted.update(item.in_reply_to)
        wanted.update(item.references)
        if item.message_id:
            wanted.add(item.message_id)
    for chunk in _chunks(sorted(wanted)):
        found = session.exec(
            select(Message.message_id, Message.ticket_id, Message.direction, Message.channel)
            .where(col(Message.message_id).in_(chunk))
            .order_by(col(Message.id))
        )
        for message_id, number, direction, channel in found:
            batch.remember(message_id, number, direction, channel)
        aside = session.exec(
            select(Message.message_id).where(
                col(Message.message_id).in_(chunk), col(Message.aside).is_(True)
            )
        )
        batch.aside.update(name for name in aside if name)
    _load_aliases(batch, wanted)
    _load_homes(batch, wanted)
    _load_amended(batch, amended)
    _load_conversations(batch, items)
    tickets = {ticket for ticket, _direction, _channel in batch.by_message_id.values()}
    tickets.update(batch.homes.values())
    tickets.update(row.ticket_id for row in batch.stored.values())
    tickets.update(number for numbers in batch.conversations.values() for number in numbers)
    for item in items:
        for token in (*item.reply_tokens, *item.subject_tokens, *item.text_tokens):
            if (owner := check_token(batch.secret, token)) is not None:
                tickets.add(owner)
    _load_tickets(batch, tickets)
    _load_continued(batch)
    _load_customers(batch, items)
    if guarded:
        known = sorted(batch.tickets)
        batch.gate = open_gate(batch.transaction, items, batch.settings, batch.secret, known)
    batch.next_ticket = _next_id(batch, Ticket)
    batch.next_message = _next_id(batch, Message)
    batch.next_customer = _next_id(batch, Customer)
    batch.next_held = _next_id(batch, Held)


def _load_aliases(batch: Batch, wanted: set[str]) -> None:
    """Names that channels gave to messages beside their own; mail has none."""
    for chunk in _chunks(sorted(name for name in wanted if name.startswith("<tg."))):
        found = batch.transaction.session.exec(
            select(MessageAlias.alias, Message.ticket_id, Message.direction, Message.channel)
            .join(Message, col(Message.id) == col(MessageAlias.message_row))
            .where(col(MessageAlias.alias).in_(chunk))
        )
        for alias, number, direction, channel in found:
            batch.remember(alias, number, direction, channel)


def _load_homes(batch: Batch, wanted: set[str]) -> None:
    """Where messages of merged tickets are at home."""
    for chunk in _chunks(sorted(wanted & batch.by_message_id.keys())):
        session = batch.transaction.session
        away = col(Message.home_id).is_not(None)
        mails = select(
            Message.message_id, Message.ticket_id, Message.direction, Message.home_id
        ).where(col(Message.message_id).in_(chunk), away)
        chats = (
            select(MessageAlias.alias, Message.ticket_id, Message.direction, Message.home_id)
            .join(Message, col(Message.id) == col(MessageAlias.message_row))
            .where(col(MessageAlias.alias).in_(chunk), away)
        )
        for name, ticket, direction, home in (*session.exec(mails), *session.exec(chats)):
            if name and home and batch.by_message_id[name][:2] == (ticket, direction):
                batch.homes.setdefault(name, home)


def _load_amended(batch: Batch, names: set[str]) -> None:
    """The messages that items change."""
    session = batch.transaction.session
    for chunk in _chunks(sorted(names)):
        direct = session.exec(select(Message).where(col(Message.message_id).in_(chunk)))
        for row in direct:
            assert row.id is not None
            batch.named.setdefault(row.message_id or "", row.id)
            batch.stored[row.id] = row
        others = session.exec(
            select(MessageAlias.alias, Message)
            .join(Message, col(Message.id) == col(MessageAlias.message_row))
            .where(col(MessageAlias.alias).in_(chunk))
        )
        for alias, row in others:
            assert row.id is not None
            batch.named.setdefault(alias, row.id)
            batch.stored[row.id] = row


def _load_conversations(batch: Batch, items: Sequence[Inbound]) -> None:
    """The tickets in which a conversation may go on, and those they were merged into."""
    keys = {item.conversation for item in items if item.conversation}
    for chunk in _chunks(sorted(keys)):
        found = batch.transaction.session.exec(
            select(Ticket.conversation, Ticket.id)
            .where(
                col(Ticket.conversation).in_(chunk),
                or_(
                    col(Ticket.status).in_([status.value for status in UNRESOLVED]),
                    col(Ticket.resolved_at) > batch.now - GOES_ON,
                    col(Ticket.merged_into).is_not(None),
                ),
            )
            .order_by(col(Ticket.id).desc())
        )
        for key, number in found:
            if key is not None and number is not None:
                batch.conversations.setdefault(key, []).append(number)


def _load_arrivals(batch: Batch, items: Sequence[Inbound]) -> None:
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


def _next_id(batch: Batch, table: Any) -> int:
    """The next free number. The write lock is ours, so nobody else can take it."""
    return (batch.transaction.session.scalar(select(func.max(table.id))) or 0) + 1


def _load_tickets(batch: Batch, ids: Iterable[int]) -> None:
    waiting = {ticket for ticket in ids if ticket not in batch.tickets}
    while waiting:
        targets: set[int] = set()
        for chunk in _chunks(sorted(waiting)):
            rows = batch.transaction.session.exec(select(Ticket).where(col(Ticket.id).in_(chunk)))
            for row in rows:
                assert row.id is not None
                batch.tickets[row.id] = TicketState(
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


def _load_continued(batch: Batch) -> None:
    """For what is closed the tickets that go on with it, and those that go on with them."""
    looked_up: set[int] = set()
    while True:
        closed = {
            number
            for number, state in batch.tickets.items()
            if state.status == Status.CLOSED and number not in looked_up
        }
        if not closed:
            return
        looked_up |= closed
        for chunk in _chunks(sorted(closed)):
            rows = batch.transaction.session.exec(
                select(TicketLink.other_id, TicketLink.ticket_id)
                .where(col(TicketLink.other_id).in_(chunk), col(TicketLink.kind) == "continues")
                .order_by(col(TicketLink.ticket_id))
            )
            batch.continued_by.update((other, number) for other, number in rows)
        _load_tickets(batch, batch.continued_by.values())


def _load_customers(batch: Batch, items: Sequence[Inbound]) -> None:
    wanted = {batch.identity(item) for item in items}
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


def write(batch: Batch) -> None:
    """Write everything the batch has come to."""
    transaction = batch.transaction
    transaction.session.flush()
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
    transaction.insert_many(Held, batch.held)
    transaction.insert_many(TicketLink, batch.links)
    transaction.insert_many(Message, batch.messages)
    transaction.insert_many(MessageAlias, batch.aliases)
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
    "no_clocks",
    "updated_at",
)


def _update_row(batch: Batch, state: TicketState, current: Ticket) -> dict[str, Any]:
    """The same columns for every ticket, so that one statement serves the batch."""
    row = {name: state.row.get(name, getattr(current, name)) for name in _UPDATED}
    row["updated_at"] = batch.now
    woken = "snoozed_until_reply" in state.row
    row["snoozed_until"] = None if woken else current.snoozed_until
    row["snoozed_until_reply"] = False if woken else current.snoozed_until_reply
    row["resolved_at"] = None if "resolved_at" in state.row else current.resolved_at
    return row
