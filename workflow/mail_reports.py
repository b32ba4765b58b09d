"""What a report about a mail of ours does: a bounce, a delay, a delivery, a complaint.

A report is believed only where it names a mail that this desk sent to that recipient: anybody can
write one. It moves no clock and opens nothing (design, "Clocks, precisely"); it is told on the mail
that it is about, on the ticket by the tag ``undelivered``, and at the address itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workflow.apply import Within
from workflow.inbound import Inbound
from workflow.model import ENGINE, Direction, OutboxState
from workflow.store.statements import col, select
from workflow.store.store import Transaction
from workflow.store.tables import Identity, Message, Outbox, TicketTag

__all__ = ["UNDELIVERED", "apply_reports", "clear_marks"]

UNDELIVERED = "undelivered"
"""The tag of a ticket from which a mail did not reach whom it was for."""

_CAUSE = "delivery report"
_CHUNK = 500


def apply_reports(within: Within, items: Iterable[tuple[Inbound, int | None]]) -> None:
    """Tell what reports say of our mails; ``items`` are those that became messages, with the row."""
    reports = [(item, row) for item, row in items if item.bounce or item.notice]
    if not reports:
        return
    transaction = within.transaction
    about = {name for item, _row in reports if (name := _original(item))}
    ours: dict[str, Message] = {}
    for chunk in _chunks(sorted(about)):
        found = transaction.session.exec(
            select(Message).where(
                col(Message.message_id).in_(chunk), col(Message.direction) == Direction.OUT.value
            )
        )
        ours.update((message.message_id or "", message) for message in found)
    for item, row in reports:
        message = ours.get(_original(item) or "")
        if message is not None:
            _tell(transaction, message, item, row)


def clear_marks(within: Within, items: Iterable[Inbound]) -> None:
    """Who writes can be reached again: take the mark off the addresses that people wrote from."""
    wrote = {
        item.sender.address.lower()
        for item in items
        if not (item.automatic or item.own or item.before_cutoff) and item.sender.address
    }
    session = within.transaction.session
    for chunk in _chunks(sorted(wrote)):
        found = session.exec(
            select(Identity).where(
                col(Identity.kind) == "email",
                col(Identity.value).in_(chunk),
                col(Identity.undeliverable_at).is_not(None),
            )
        )
        for identity in found:
            _unmark(within.transaction, identity, None, "they wrote from it")


def _original(item: Inbound) -> str | None:
    found = (item.bounce or item.notice or {}).get("original_message_id")
    return found if isinstance(found, str) else None


def _tell(transaction: Transaction, message: Message, item: Inbound, row: int | None) -> None:
    """Write down each recipient's outcome, as far as the mail went to them."""
    for outcome in _outcomes(item):
        recipient = _ours(message, str(outcome.get("recipient") or ""))
        if recipient is None:
            continue
        action = str(outcome.get("action") or "failed")
        entry = {
            "recipient": recipient,
            "state": {"failed": "bounced", "relayed": "delivered", "expanded": "delivered"}.get(
                action, action
            ),
            "status": outcome.get("status") or "",
            "reason": outcome.get("reason") or outcome.get("type") or "",
            "kind": outcome.get("kind") or "",
            "at": int(item.reached_at.timestamp() * 1000),
            "report": row,
        }
        if not _news(message, entry):
            continue
        others = [one for one in message.deliveries if one["recipient"] != recipient]
        message.deliveries = [*others, entry]
        data = {"message": message.id, **{k: v for k, v in entry.items() if k != "at"}}
        name = (
            "message.complained" if entry["state"] == "complained" else f"message.{entry['state']}"
        )
        transaction.record(name, message.ticket_id, ENGINE, _CAUSE, data)
        identity = transaction.session.exec(
            select(Identity).where(col(Identity.kind) == "email", col(Identity.value) == recipient)
        ).first()
        if entry["state"] == "bounced":
            _bounced(transaction, message, entry)
            if identity is not None and entry["kind"] == "hard":
                _mark(transaction, identity, message.ticket_id, entry, transaction.now)
        elif entry["state"] == "complained" and identity is not None:
            identity.complained_at = transaction.now
            transaction.session.add(identity)
        elif entry["state"] == "delivered" and identity is not None:
            _unmark(transaction, identity, message.ticket_id, "a mail to it was delivered")
        transaction.session.add(message)


def _outcomes(item: Inbound) -> Sequence[dict[str, Any]]:
    if item.bounce is not None:
        found = item.bounce.get("recipients") or [item.bounce]
        return [one for one in found if isinstance(one, dict)]
    notice = item.notice or {}
    if notice.get("kind") == "complaint":
        if notice.get("type") == "not-spam":
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


def _news(message: Message, entry: dict[str, Any]) -> bool:
    """Whether it says more than is known: a delay says nothing after the end of the story."""
    known = next(
        (one for one in message.deliveries if one["recipient"] == entry["recipient"]), None
    )
    if known is None:
        return True
    if entry["state"] == "delayed":
        return False
    return bool(known["state"] != entry["state"])


def _bounced(transaction: Transaction, message: Message, entry: dict[str, Any]) -> None:
    """A mail that did not arrive: its state where it was for them, and a tag that can be found."""
    session = transaction.session
    if entry["recipient"] in {str(address).lower() for _name, address in message.to_list}:
        message.delivery = OutboxState.BOUNCED.value
        item = session.exec(select(Outbox).where(col(Outbox.message_row) == message.id)).first()
        if item is not None and item.state == OutboxState.SENT.value:
            item.state = OutboxState.BOUNCED.value
            item.error = f"{entry['recipient']}: {entry['status']} {entry['reason']}".strip()
            session.add(item)
    if session.get(TicketTag, (message.ticket_id, UNDELIVERED)) is None:
        session.add(TicketTag(ticket_id=message.ticket_id, tag=UNDELIVERED))
        data = {"added": [UNDELIVERED], "removed": []}
        transaction.record("ticket.tags", message.ticket_id, ENGINE, _CAUSE, data)


def _mark(
    transaction: Transaction, identity: Identity, ticket: int, entry: dict[str, Any], at: Any
) -> None:
    identity.undeliverable_at = at
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


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
