"""Attachments of the ticket that is open: saved under a safe name into a folder that a person names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from console import fmt
from console.widgets.picker import Choice, fuzzy
from workflow.errors import StoreError
from workflow.store.rows import AttachmentDetail

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["Attachments", "safe_file_name"]

_WHOLE = "this mail as it came"
_UNSAFE = re.compile(r"[^\w.\- ()+,=@]+", re.UNICODE)
_DEVICES = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        *(f"com{n}" for n in range(1, 10)),
        *(f"lpt{n}" for n in range(1, 10)),
    }
)


def safe_file_name(name: str) -> str:
    """A file name that a stranger chose, made harmless: no folder, no control, no leading dot, at most 120 bytes."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = _UNSAFE.sub("_", last).strip(" .-_") or "attachment"
    stem, dot, ending = clean.rpartition(".")
    if (stem or clean).split(".")[0].strip().lower() in _DEVICES:
        clean = f"_{clean}"
        stem, dot, ending = clean.rpartition(".")
    if len(clean.encode()) > 120:
        tail = f"{dot}{ending}" if dot and len(ending) <= 10 else ""
        keep = clean[: -len(tail)] if tail else clean
        clean = keep.encode()[: 120 - len(tail.encode())].decode(errors="ignore") + tail
    return clean


def unused_path(folder: Path, name: str) -> Path:
    """A path in the folder that no file has: ``name``, ``name (2)``, ..."""
    path = folder / name
    count = 2
    while path.exists() or path.is_symlink():
        path = folder / f"{Path(name).stem} ({count}){Path(name).suffix}"
        count += 1
    return path


class Attachments:
    """Choosing an attachment and saving it."""

    def __init__(self, desk: DeskScreen) -> None:
        self._desk = desk

    def choose(self) -> None:
        """Ask which one; those of the current message come first."""
        desk = self._desk
        if desk.ticket is None or desk.pane is None:
            return
        current = desk.pane.transcript.message
        messages = sorted(desk.ticket.messages, key=lambda m: (m is not current, -m.id))
        files = [attachment for message in messages for attachment in message.attachments]
        if current is not None and current.raw_sha256 and current.channel == "email":
            name = f"message-{current.id}.eml"
            files.append(AttachmentDetail(0, name, _WHOLE, 0, current.raw_sha256, inline=False))
        if not files:
            desk.say("Nothing is attached to this ticket.", "dim")
            return
        choices = [
            Choice(
                str(index),
                file.name or "(no name)",
                file.content_type
                if file.content_type == _WHOLE
                else f"{file.content_type}, {fmt.size(file.size)}",
            )
            for index, file in enumerate(files)
        ]
        desk.picker.ask(
            "Save which attachment?",
            fuzzy(choices),
            lambda index: self._ask_folder(files[int(index)]),
        )

    def _ask_folder(self, file: AttachmentDetail) -> None:
        downloads = Path.home() / "Downloads"
        folder = downloads if downloads.is_dir() else Path.home()
        self._desk.prompt.ask(
            "folder",
            lambda text: self._save(file, text),
            typed=str(folder),
            remark=f"{safe_file_name(file.name)} is saved into this folder. It is not opened: look at it with care.",
        )

    def _save(self, file: AttachmentDetail, typed: str) -> None:
        desk, files = self._desk, self._desk.bridge.files

        def job() -> Path:
            folder = Path(typed).expanduser()
            if files is None:
                raise StoreError("this desk has no file store: the attachment cannot be read")
            from workflow.files import FileStore

            source = FileStore(files).path(file.sha256)
            try:
                target = unused_path(folder, safe_file_name(file.name))
                with source.open("rb") as read, target.open("xb") as written:
                    shutil.copyfileobj(read, written)
            except OSError as fault:
                raise StoreError(
                    f"{file.name} cannot be saved into {folder} ({fault.strerror}): choose another folder"
                ) from fault
            return target

        desk.bridge.in_background(
            job, lambda path: desk.say(f"Saved as {path}", "good", 10), desk.complain
        )
