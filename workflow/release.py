"""What a person decides about a held item: let it in, the way of any received item, or not."""

from __future__ import annotations

from dataclasses import replace

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, Refusal
from workflow.inbound import Inbound
from workflow.model import Intake
from workflow.receive import receive
from workflow.store.tables import Held

__all__ = ["discard_held", "release_held"]


@applies(a.ReleaseHeld)
def release_held(context: Context, action: a.ReleaseHeld) -> Result:
    """Read a held item again from its bytes and take it in as a message.

    Where only its header was kept (a mail over the size limit), the text says where the rest is.
    Raises NotFound, Refusal where it was decided already or nobody can read its channel, and
    StoreError when its bytes are missing.
    """
    session = context.transaction.session
    row = session.get(Held, action.held)
    if row is None:
        raise NotFound(f"there is no held item {action.held}: deskhand held lists them")
    if row.state == "released":
        raise Refusal(f"held item {row.id} was already released")
    reader = context.readers.get(row.channel)
    if reader is None:
        raise Refusal(
            f"this desk has no way to read {row.channel}: check the channel in deskhand.toml, then release it again"
        )
    item = _without_hold(reader.read(context.files.read(row.raw_sha256), row.account, row.at), row)
    # Its own entry among the held must not make it a duplicate of itself; from now on the message
    # stands for it.
    before, row.dedupe_key, row.state = row.state, None, "released"
    session.add(row)
    session.flush()
    found = receive(
        context.transaction,
        [item],
        context.settings,
        context.secret,
        companies=context.companies,
    )[0]
    row = session.get(Held, action.held)
    assert row is not None
    row.message_row = found.message
    session.add(row)
    context.record(
        "held.released", found.ticket, {"held": row.id, "before": before, "message": found.message}
    )
    if found.outcome == Intake.DUPLICATE:
        return Result(
            f"released held item {row.id}: its message is already here", found.ticket, found.message
        )
    return Result(f"released held item {row.id} as #{found.ticket}", found.ticket, found.message)


def _without_hold(item: Inbound, row: Held) -> Inbound:
    item = replace(item, held_cause=None, held_evidence="")
    if row.raw_size > item.raw_size:
        said = f"[{row.cause}: {row.evidence}]" if row.evidence else f"[{row.cause}]"
        item = replace(item, raw_size=row.raw_size, text=said, full_text=said)
    return item


@applies(a.DiscardHeld)
def discard_held(context: Context, action: a.DiscardHeld) -> Result:
    """Decide that a held item is not wanted."""
    item = context.transaction.session.get(Held, action.held)
    if item is None:
        raise NotFound(f"there is no held item {action.held}: deskhand held lists them")
    if item.state != "held":
        raise Refusal(f"held item {item.id} was already {item.state}")
    item.state = "discarded"
    context.transaction.session.add(item)
    context.record("held.discarded", None, {"held": item.id, "before": "held"})
    return Result(f"discarded held item {item.id}")
