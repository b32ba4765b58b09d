"""A whole channel: customers write FOLDER/in/NUMBER.txt, and answers lie in FOLDER/out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from channels.faults import Unreachable
from channels.plain import Letter, plain_channel
from workflow.settings import ChannelSettings


def look(account: ChannelSettings, after: int) -> Iterator[Letter]:
    """The letters in FOLDER/in: the first line of each is who wrote it."""
    for path in sorted((_place(account) / "in").glob("*.txt"), key=lambda path: int(path.stem)):
        if int(path.stem) > after:
            name, _, text = path.read_text("utf-8", "replace").partition("\n")
            yield Letter(int(path.stem), name, name.lower(), text)


def deliver(account: ChannelSettings, address: str, text: str) -> None:
    """Write an answer into FOLDER/out."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    (_place(account) / "out" / f"{address}-{digest}.txt").write_text(text, "utf-8")


def _place(account: ChannelSettings) -> Path:
    place = Path(account.options["folder"])
    if not place.is_dir():
        raise Unreachable(f"{place} is not there: mount it, it is looked for again")
    return place


CHANNEL = plain_channel("toy", look, deliver)
