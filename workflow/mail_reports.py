"""What a report about a mail of ours does: a bounce, a delay, a delivery, a complaint.

A report is believed only where it names a mail that this desk sent to that recipient: anybody can
write one. It moves no clock and opens nothing (design, "Clocks, precisely"); it is told on the mail
that it is about, on the ticket by the tag ``undelivered``, and at the address itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from workflow.apply import Within
from workflow.inbound import Inbound
from workflow.model import ENGINE, Direction, Intake, OutboxState
from workflow.store.statements import col, select
from workflow.store.store import Transaction
from workflow.store.tables import Identity, Message, Outbox, TicketTag

if TYPE_CHECKING:
    from workflow.receive import Received

__all__ = ["UNDELIVERED", "apply_reports", "clear_marks", "settle_sent"]

UNDELIVERED = "undelivered"
"""The tag of a ticket from which a mail did not reach whom it was for."""

_CAUSE = "delivery report"
_CHUNK = 500
_STATES = {"failed": "bounced", "relayed": "delivered", "expanded": "delivered"}
_NO_COMPLAINT = frozenset(("not-spam", "auth-failure"))
"""Types of feedback that no reader gave against us (RFC 5965 section 7.3, RFC 6591)."""

T = TypeVar("T", str, int)


def apply_reports(within: Within, items: Iterable[tuple[Inbound, Received]]) -> None:
    """Tell what reports say of our mails; ``items`` are those that became messages, with what became
    of them. A fixed number of statements, however many there are.
    """
    reports = [(item, result) for item, result in items if item.bounce or item.notice]
    if not reports:
        return
    transaction = within.transaction
    session = transaction.session
    about = {name for item, _result in reports if (name := _original(item))}
    ours: dict[str, Message] = {}
    for chunk in _chunks(sorted(about)):
        messages = select(Message).where(
            col(Message.message_id).in_(chunk), col(Message.direction) == Direction.OUT.value
        )
        ours.update((one.message_id or "", one) for one in session.exec(messages))
    told = [
        (message, outcome)
        for item, result in reports
        if (message := ours.get(_original(item) or "")) is not None
        for outcome in _outcomes(message, item, result.message)
    ]
    known: dict[str, Identity] = {}
    for chunk in _chunks(sorted({outcome["recipient"] for _message, outcome in told})):
        identities = select(Identity).where(
            col(Identity.kind) == "email", col(Identity.value).in_(chunk)
        )
        known.update((one.value, one) for one in session.exec(identities))
    changed: dict[int, Message] = {}
    for message, outcome in told:
        if _tell(transaction, message, outcome, known.get(outcome["recipient"])):
            changed[message.id or 0] = message
    _settle(transaction, list(changed.values()))


def settle_sent(transaction: Transaction, message: Message) -> None:
    """Look again at a mail that has just been sent: a report may have been quicker than the server's
    answer.
    """
    if message.deliveries:
        _settle(transaction, [message])


def clear_marks(within: Within, items: Iterable[tuple[Inbound, Received]]) -> None:
    """Who writes can be reached again: take the mark off the addresses that people wrote from, and
    the tag off the tickets they wrote to.
    """
    wrote = [
        (item, result)
        for item, result in items
        if not (item.automatic or item.own or item.before_cutoff) and item.sender.address
    ]
    transaction = within.transaction
    for chunk in _chunks(sorted({item.sender.address.lower() for item, _result in wrote})):
        marked = select(Identity).where(
            col(Identity.kind) == "email",
            col(Identity.value).in_(chunk),
            col(Identity.undeliverable_at).is_not(None),
        )
        for identity in transaction.session.exec(marked):
            _unmark(transaction, identity, None, "they wrote from it")
    joined = {r.ticket for _item, r in wrote if r.ticket and r.outcome is Intake.APPENDED}
    for numbers in _chunks(sorted(joined)):
        tagged = select(TicketTag).where(
            col(TicketTag.tag) == UNDELIVERED, col(TicketTag.ticket_id).in_(numbers)
        )
        for row in transaction.session.exec(tagged).all():
            transaction.session.delete(row)
            data = {"added": [], "removed": [UNDELIVERED]}
            transaction.record("ticket.tags", row.ticket_id, ENGINE, "the customer wrote", data)


def _original(item: Inbound) -> str | None:
    found = (item.bounce or item.notice or {}).get("original_message_id")
    return found if isinstance(found, str) else None


def _tell(
    transaction: Transaction, message: Message, entry: dict[str, Any], identity: Identity | None
) -> bool:
    """Write down one recipient's outcome, if it is news."""
    if not _news(message, entry):
        return False
    message.deliveries = [
        *(one for one in message.deliveries if not _same_story(one, entry)),
        entry,
    ]
    transaction.session.add(message)
    data = {"message": message.id, **{k: v for k, v in entry.items() if k != "at"}}
    transaction.record(f"message.{entry['state']}", message.ticket_id, ENGINE, _CAUSE, data)
    if identity is None:
        return True
    if entry["state"] == "bounced" and entry["kind"] == "hard":
        _mark(transaction, identity, message.ticket_id, entry)
    elif entry["state"] == "complained":
        identity.complained_at = transaction.now
        transaction.session.add(identity)
    elif entry["state"] == "delivered":
        _unmark(transaction, identity, message.ticket_id, "a mail to it was delivered")
    return True


def _outcomes(message: Message, item: Inbound, report: int | None) -> Iterator[dict[str, Any]]:
    """What a report says of each recipient to whom this mail went."""
    for said in _said(item):
        recipient = _ours(message, str(said.get("recipient") or ""))
        if recipient is None:
            continue
        action = str(said.get("action") or "failed")
        yield {
            "recipient": recipient,
            "state": _STATES.get(action, action),
            "status": said.get("status") or "",
            "reason": said.get("reason") or said.get("type") or "",
            "kind": said.get("kind") or "",
            "at": int(item.reached_at.timestamp() * 1000),
            "report": report,
        }


def _said(item: Inbound) -> Sequence[dict[str, Any]]:
    if item.bounce is not None:
        found = item.bounce.get("recipients") or [item.bounce]
        return [one for one in found if isinstance(one, dict)]
    notice = item.notice or {}
    if notice.get("kind") == "complaint":
        if notice.get("type") in _NO_COMPLAINT:
            return []
        return [{**notice, "action": "complained", "kind": ""}]
    return [one for one in notice.get("recipients", ()) if isinstance(one, dict)]


def _ours(message: Message, recipient: str) -> str | None:
    """The address to which this mail went that a report names; the only one where it names none."""
    pairs = (*message.to_list, *message.cc_list, *message.bcc_list)
    sent_to = {str(address).lower() for _name, address in pairs}
    if recipient.lower() in sent_to:
        return recipient.lower()
    # Forwarders report the address behind the one we wrote to.
    return next(iter(sent_to)) if len(sent_to) == 1 else None


def _same_story(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both tell of the same: who complains got the mail, so that is a story of its own."""
    complained = [entry["state"] == "complained" for entry in (one, other)]
    return bool(one["recipient"] == other["recipient"]) and complained[0] == complained[1]


def _news(message: Message, entry: dict[str, Any]) -> bool:
    """Whether it says more than is known: a delay says nothing after the end of the story."""
    known = next((one for one in message.deliveries if _same_story(one, entry)), None)
    if known is None:
        return True
    return bool(entry["state"] not in ("delayed", known["state"]))


def _settle(transaction: Transaction, messages: Sequence[Message]) -> None:
    """Bring the state of mails, and the tags of their tickets, in line with what was told of their
    recipients: a mail has bounced when it reached nobody of those in To.
    """
    session = transaction.session
    items: dict[int, Outbox] = {}
    tagged: set[int] = set()
    for numbers in _chunks(sorted({one.id or 0 for one in messages})):
        rows = select(Outbox).where(col(Outbox.message_row).in_(numbers))
        items.update((row.message_row, row) for row in session.exec(rows))
    for numbers in _chunks(sorted({one.ticket_id for one in messages})):
        tags = select(TicketTag.ticket_id).where(
            col(TicketTag.tag) == UNDELIVERED, col(TicketTag.ticket_id).in_(numbers)
        )
        tagged.update(session.exec(tags))
    for message in messages:
        bounced = {one["recipient"]: one for one in message.deliveries if one["state"] == "bounced"}
        to = {str(address).lower() for _name, address in message.to_list}
        item = items.get(message.id or 0)
        if to and to <= set(bounced) and message.delivery == OutboxState.SENT.value:
            message.delivery = OutboxState.BOUNCED.value
            why = [
                f"{one}: {bounced[one]['status']} {bounced[one]['reason']}" for one in sorted(to)
            ]
            if item is not None:
                item.state, item.error = OutboxState.BOUNCED.value, "; ".join(why)
        elif not to <= set(bounced) and message.delivery == OutboxState.BOUNCED.value:
            message.delivery = OutboxState.SENT.value
            if item is not None:
                item.state, item.error = OutboxState.SENT.value, None
        session.add_all(row for row in (message, item) if row is not None)
        if bounced and message.ticket_id not in tagged:
            tagged.add(message.ticket_id)
            session.add(TicketTag(ticket_id=message.ticket_id, tag=UNDELIVERED))
            data = {"added": [UNDELIVERED], "removed": []}
            transaction.record("ticket.tags", message.ticket_id, ENGINE, _CAUSE, data)


def _mark(transaction: Transaction, identity: Identity, ticket: int, entry: dict[str, Any]) -> None:
    identity.undeliverable_at = transaction.now
    identity.undeliverable_code = str(entry["status"])
    identity.undeliverable_reason = str(entry["reason"])
    transaction.session.add(identity)
    data = {"identity": identity.id, "value": identity.value, "after": entry["status"]}
    transaction.record("identity.undeliverable", ticket, ENGINE, _CAUSE, data)


def _unmark(transaction: Transaction, identity: Identity, ticket: int | None, cause: str) -> None:
    if identity.undeliverable_at is None:
        return
    data = {"identity": identity.id, "value": identity.value, "after": None}
    identity.undeliverable_at = None
    identity.undeliverable_code = identity.undeliverable_reason = ""
    transaction.session.add(identity)
    transaction.record("identity.undeliverable", ticket, ENGINE, cause, data)


def _chunks(values: list[T]) -> Iterator[list[T]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
