"""What a customer changes of what they wrote before: edited, added to, taken back.

Nothing that was read once vanishes: the earlier text stays in the event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workflow.apply import summary_line
from workflow.inbound import Attachment, Inbound
from workflow.incoming import Batch
from workflow.model import Intake
from workflow.query.terms import people_text
from workflow.store.statements import col, select
from workflow.store.tables import AttachmentRow

__all__ = ["add", "delete", "edit", "file_row", "name_also"]

Amended = tuple[Intake, str | None, int | None, int | None]
"""Outcome, cause, ticket and message."""


def edit(batch: Batch, item: Inbound) -> Amended | None:
    """Replace the text of the message that was edited; None where it never came here."""
    number = batch.named.get(item.edits or "")
    if number is None:
        return None
    row = _Row(batch, number)
    if item.source in batch.arrived:
        return Intake.DUPLICATE, "already here", row.ticket, number
    before = row.whole
    files = _attach(batch, number, item.attachments)
    after = item.full_text or item.text
    if after == before and not files:
        return Intake.DUPLICATE, "nothing changed", row.ticket, number
    row.write(item.text, after)
    data: dict[str, Any] = {"message": number, "before": before, "after": after}
    if files:
        data["files"] = files
    _note(batch, item, row, "message.edited", data)
    return Intake.APPENDED, "edited", row.ticket, number


def add(batch: Batch, item: Inbound) -> Amended | None:
    """Put a late part of an album to the others; None where there are none yet."""
    number = batch.named.get(item.adds_to or "")
    if number is None:
        return None
    row = _Row(batch, number)
    if item.message_id in batch.by_message_id:
        return Intake.DUPLICATE, "already here", row.ticket, number
    files = _attach(batch, number, item.attachments)
    before = row.whole
    if item.text:
        row.write(
            "\n".join(filter(None, (row.text, item.text))),
            "\n".join(filter(None, (before, item.full_text))),
        )
    names = [item.message_id or "", *item.aliases]
    known = [name for name in names if name and name not in batch.named]
    name_also(batch, number, known)
    for name in known:
        batch.named[name] = number
        batch.remember(name, row.ticket, row.direction, item.channel)
    data = {"message": number, "before": before, "after": row.whole, "files": files}
    _note(batch, item, row, "message.extended", data)
    return Intake.APPENDED, "added to", row.ticket, number


def delete(batch: Batch, item: Inbound) -> Amended | None:
    """Note that messages were taken back, and keep them; None where none of them came here."""
    found = [(name, batch.named[name]) for name in item.deletes if name in batch.named]
    if not found:
        return None
    last = _Row(batch, found[-1][1])
    if item.source in batch.arrived:
        return Intake.DUPLICATE, "already here", last.ticket, last.number
    for _name, number in found:
        row = _Row(batch, number)
        _note(batch, item, row, "message.deleted", {"message": number, "text": row.whole})
    return Intake.APPENDED, "deleted", last.ticket, last.number


def name_also(batch: Batch, number: int, names: Iterable[str]) -> None:
    """Let a message be known by further names."""
    batch.aliases.extend({"alias": name, "message_row": number} for name in dict.fromkeys(names))


class _Row:
    """A message to change, in the database or on its way there with the same batch."""

    def __init__(self, batch: Batch, number: int) -> None:
        self.number = number
        self._batch = batch
        self._stored = batch.stored.get(number)
        self._fresh: dict[str, Any] = {}
        if self._stored is None:
            self._fresh = next(row for row in batch.messages if row["id"] == number)

    def _get(self, name: str) -> Any:
        return getattr(self._stored, name) if self._stored is not None else self._fresh[name]

    @property
    def ticket(self) -> int:
        return int(self._get("ticket_id"))

    @property
    def direction(self) -> str:
        return str(self._get("direction"))

    @property
    def text(self) -> str:
        return str(self._get("text"))

    @property
    def whole(self) -> str:
        return str(self._get("full_text") or self._get("text"))

    @property
    def at(self) -> Any:
        return self._get("at")

    def write(self, text: str, full: str) -> None:
        """Change the text, for reading and for search."""
        before = self._index_row()
        values = {"text": text, "full_text": full if full != text else None}
        if self._stored is None:
            self._fresh.update(values)
            place = self._batch.index.index(before)
            self._batch.index[place] = self._index_row()
            return
        for name, value in values.items():
            setattr(self._stored, name, value)
        self._batch.transaction.session.add(self._stored)
        self._batch.transaction.reindex(before, self._index_row())

    def _index_row(self) -> tuple[int, str, str, str]:
        people = people_text(
            self._get("author"),
            self._get("from_name"),
            self._get("from_address"),
            [*self._get("to_list"), *self._get("cc_list")],
        )
        return self.number, self._get("subject"), people, self.whole


def _attach(batch: Batch, number: int, files: Iterable[Attachment]) -> list[str]:
    """Put files to a message that it has not yet; their names."""
    there = {row["sha256"] for row in batch.attachments if row["message_id"] == number}
    query = select(AttachmentRow.sha256).where(col(AttachmentRow.message_id) == number)
    there.update(batch.transaction.session.exec(query))
    fresh = [file for file in files if file.sha256 not in there]
    batch.attachments.extend(file_row(number, file) for file in fresh)
    return [file.name for file in fresh]


def file_row(number: int, file: Attachment) -> dict[str, Any]:
    """The row of a file of a message."""
    return {
        "message_id": number,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "inline": file.inline,
        "content_id": file.content_id,
    }


def _note(batch: Batch, item: Inbound, row: _Row, name: str, data: dict[str, Any]) -> None:
    """The event, and what changes on the ticket. It is reopened by what is new, not by this."""
    state = batch.tickets.get(row.ticket)
    batch.event(name, row.ticket, item.reached_at, data, cause=f"{item.channel} intake")
    if state is not None:
        state.changed = True
        if state.last_at is not None and row.at >= state.last_at:
            state.row["last_line"] = summary_line(row.text)
