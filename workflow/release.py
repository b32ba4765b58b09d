"""What a person decides about held items: let one in, the way of any received item, or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workflow import actions as a
from workflow.amending import file_row
from workflow.apply import Context, Result, applies, remake_last_line
from workflow.errors import DeskError, NotFound, Refusal
from workflow.files import FileStore
from workflow.inbound import Inbound, Reader
from workflow.model import Intake
from workflow.plaintext import printable
from workflow.query.terms import people_text
from workflow.receive import receive
from workflow.store.rows import HeldRow
from workflow.store.tables import AttachmentRow, Held, Message

if TYPE_CHECKING:
    from workflow.desk import Desk

__all__ = [
    "HeldWhole",
    "complete",
    "discard_held",
    "give_up_fetching",
    "look_into",
    "release_held",
]

_LONGEST_HEAD = 20_000


@applies(a.ReleaseHeld)
def release_held(context: Context, action: a.ReleaseHeld) -> Result:
    """Read a held item again from its bytes and take it in as a message; its clocks start when it
    reached us.

    Where only its header is here and the mail lies on a server, the message says so until the
    engine has fetched the rest (``wanted``). Raises NotFound, Refusal where it was decided already
    or nobody can read its channel, and StoreError when its bytes are missing.
    """
    row = _row(context, action.held)
    if row.state in ("released", "wanted"):
        raise Refusal(f"held item {row.id} was already released")
    reader = context.readers.get(row.channel)
    if reader is None:
        raise Refusal(
            f"this desk has no way to read {row.channel}: check the channel in deskhand.toml, then release it again"
        )
    session = context.transaction.session
    raw = context.files.read(row.raw_sha256)
    on_server = len(raw) < row.raw_size and row.position and row.account
    wanted = bool(on_server and context.settings.channel(row.account or ""))
    item = _without_hold(reader.read(raw, row.account, row.at), row, wanted)
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
        guarded=False,
    )[0]
    row = _row(context, action.held)
    row.message_row = found.message
    there = found.outcome == Intake.DUPLICATE
    if wanted and not there:
        row.state = "wanted"
    session.add(row)
    context.record(
        "held.released", found.ticket, {"held": row.id, "before": before, "message": found.message}
    )
    said = f"released held item {row.id}"
    if there:
        return Result(f"{said}: its message is already here", found.ticket, found.message)
    more = "; the rest of the mail is being fetched" if wanted else ""
    return Result(f"{said} as #{found.ticket}{more}", found.ticket, found.message)


def _row(context: Context, number: int) -> Held:
    row = context.transaction.session.get(Held, number)
    if row is None:
        raise NotFound(f"there is no held item {number}: deskhand held lists them")
    return row


def _without_hold(item: Inbound, row: Held, wanted: bool) -> Inbound:
    item = replace(item, held_cause=None, held_evidence="")
    if row.reached_at is not None:
        item = replace(item, reached_at=row.reached_at)
    if row.raw_size > item.raw_size:
        said = ": ".join(filter(None, (row.cause, row.evidence)))
        more = ". It is being fetched: look again in a minute" if wanted else ""
        item = replace(
            item, raw_size=row.raw_size, text=f"[{said}{more}]", full_text=f"[{said}{more}]"
        )
    return item


@applies(a.DiscardHeld)
def discard_held(context: Context, action: a.DiscardHeld) -> Result:
    """Decide that a held item is not wanted."""
    item = _row(context, action.held)
    if item.state not in ("held", "blocked"):
        raise Refusal(f"held item {item.id} was already {item.state}")
    before, item.state = item.state, "discarded"
    context.transaction.session.add(item)
    context.record("held.discarded", item.ticket_id, {"held": item.id, "before": before})
    return Result(f"discarded held item {item.id}")


def complete(desk: Desk, number: int, raw: bytes) -> None:
    """Put the rest of a mail into the message that was released by its header alone.

    Raises StoreError.
    """
    sha256 = desk.files.put(raw)
    with desk.engine_change("fetched whole") as context:
        row = _row(context, number)
        message = _waiting(context, row)
        if message is None:
            return
        item = context.readers[row.channel].read(raw, row.account, row.at)
        row.raw_sha256, row.state = sha256, "released"
        message.raw_sha256, message.raw_size = sha256, len(raw)
        _write(context, message, item.text, item.full_text)
        context.transaction.insert_many(
            AttachmentRow, [file_row(message.id or 0, file) for file in item.attachments]
        )
        data = {"held": number, "message": message.id, "files": len(item.attachments)}
        context.record("message.completed", message.ticket_id, data)
        context.transaction.session.add(row)


def give_up_fetching(desk: Desk, number: int, why: str) -> None:
    """Say in the message of a mail whose rest cannot be had what stands in the way."""
    with desk.engine_change("could not be fetched") as context:
        row = _row(context, number)
        message = _waiting(context, row)
        if message is not None:
            row.state, row.evidence = "released", why
            _write(context, message, f"[{row.cause}: {why}]", f"[{row.cause}: {why}]")
            data = {"held": number, "message": message.id, "error": why}
            context.record("message.not_completed", message.ticket_id, data)
            context.transaction.session.add(row)


def _waiting(context: Context, row: Held) -> Message | None:
    """The message that waits for its rest, if one still does."""
    if row.state != "wanted":
        return None
    return context.transaction.session.get(Message, row.message_row)


def _write(context: Context, message: Message, text: str, full: str) -> None:
    before = _index_row(message)
    message.text, message.full_text = text, full if full != text else None
    context.transaction.session.add(message)
    context.transaction.reindex(before, _index_row(message))
    remake_last_line(context, context.transaction.ticket(message.ticket_id))


def _index_row(message: Message) -> tuple[int, str, str, str]:
    """What the full-text index has of a message."""
    parties = [*message.to_list, *message.cc_list]
    people = people_text(message.author, message.from_name, message.from_address, parties)
    return message.id or 0, message.subject, people, message.full_text or message.text


@dataclass(frozen=True, slots=True)
class HeldWhole:
    """A held item as a person looks into it; all text is printable.

    ``files`` are (name, type, size); ``fault`` says why it cannot be read, if so.
    """

    row: HeldRow
    head: str
    text: str = ""
    files: tuple[tuple[str, str, int], ...] = ()
    whole: bool = True
    fault: str = ""


def look_into(row: HeldRow, readers: Mapping[str, Reader], files: FileStore) -> HeldWhole:
    """Read a held item from its bytes, changing nothing about it; never raises."""
    try:
        raw = files.read(row.raw_sha256)
    except DeskError as fault:
        return HeldWhole(row, "", fault=str(fault))
    head = "" if raw.lstrip()[:1] == b"{" else _head(raw)
    whole = len(raw) >= row.raw_size
    reader = readers.get(row.channel)
    if reader is None:
        said = f"this desk has no way to read {row.channel}: check the channel in deskhand.toml"
        return HeldWhole(row, head, whole=whole, fault=said)
    try:
        item = reader.read(raw, row.account, row.at)
    except DeskError as fault:
        return HeldWhole(row, head, whole=whole, fault=str(fault))
    named = tuple((file.name, file.content_type, file.size) for file in item.attachments)
    return HeldWhole(row, head, item.full_text, named, whole)


def _head(raw: bytes) -> str:
    ends = [end for end in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n")) if end >= 0]
    head = raw[: min(ends, default=len(raw))][:_LONGEST_HEAD]
    return printable(head.decode("utf-8", "replace").replace("\r\n", "\n")).strip("\n")
