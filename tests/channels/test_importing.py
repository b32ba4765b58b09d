"""Old mail from files: each counts once, what is unreadable is named, and stopping costs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels import mail_files
from channels.importing import import_mail
from channels.mail_files import batches, find_mail
from workflow.clock import ManualClock
from workflow.desk import Desk
from workflow.errors import UsageError
from workflow.files import FileStore
from workflow.query.context import Context
from workflow.settings import Settings
from workflow.store.reads import Reads
from workflow.store.search import search
from workflow.store.store import Store

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def letter(number: int, answers: int | None = None, words: str = "hello") -> bytes:
    head = f"From: Ann <ann@customer.example>\nSubject: about {number}\nMessage-ID: <m{number}@c.example>\n"
    head += f"Date: Mon, 05 Jan 2026 10:{number // 60 % 60:02d}:{number % 60:02d} +0000\n"
    if answers is not None:
        head += f"In-Reply-To: <m{answers}@c.example>\n"
    return f"{head}\n{words} {number}\n".encode()


def maildir(folder: Path, letters: dict[str, bytes]) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for path, raw in letters.items():
        (folder / path).write_bytes(raw)
    return folder


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store.open(tmp_path / "desk.db")
    files = FileStore(tmp_path / "files")
    yield Desk(store, ManualClock(NOW), Settings(), files)
    store.close()


def test_a_maildir_is_taken_in_the_order_of_its_names(desk: Desk, tmp_path: Path) -> None:
    box = maildir(
        tmp_path / "box",
        {
            "cur/1.b:2,S": letter(1),
            "new/2.a": letter(2, answers=1),
            "cur/3.c:2,": letter(3),
            "new/4.d": letter(2, answers=1),
            "tmp/5.e": letter(9),
        },
    )
    names = [Path(piece.path).name for piece in find_mail([box])]
    assert names == ["1.b:2,S", "2.a", "3.c:2,", "4.d"]
    report = import_mail(desk, [box])
    assert (report.files, report.created, report.appended, report.duplicate) == (4, 2, 1, 1)
    again = import_mail(desk, [box])
    assert (again.files, again.duplicate) == (4, 4)


def test_an_mbox_is_cut_at_its_separators_and_an_eml_is_not(desk: Desk, tmp_path: Path) -> None:
    quoted = letter(2).replace(b"hello", b">From here on")
    separator = b"From ann@customer.example Mon Jan  5 10:00:00 2026\n"
    (tmp_path / "old.mbox").write_bytes(separator + letter(1) + b"\n" + separator + quoted)
    (tmp_path / "one.eml").write_bytes(separator + letter(3) + b"\n" + separator + letter(4))
    assert import_mail(desk, [tmp_path / "old.mbox"]).created == 2
    assert import_mail(desk, [tmp_path / "one.eml"]).created == 1
    reads = Reads(desk.store.path)
    found = search(reads, '"from here on"', Context(None, NOW))
    assert [hit.subject for hit in found.hits] == ["about 2"]
    reads.close()


def test_bounds_leave_out_what_is_older(desk: Desk, tmp_path: Path) -> None:
    box = maildir(tmp_path / "box", {f"cur/{n}": letter(n) for n in range(1, 5)})
    since = datetime(2026, 1, 5, 10, 0, 3, tzinfo=UTC)
    report = import_mail(desk, [box], since=since)
    assert (report.created, report.outside) == (2, 2)


def test_what_cannot_be_read_is_named_and_the_rest_comes_in(desk: Desk, tmp_path: Path) -> None:
    box = maildir(tmp_path / "box", {"cur/1": letter(1), "cur/2": letter(2)})
    pieces = list(find_mail([box]))
    (box / "cur" / "1").unlink()
    job = mail_files.Job(tuple(pieces), desk.files.root, desk.settings, NOW)
    parsed = mail_files.parse(job)
    assert isinstance(parsed[0], mail_files.Fault)
    assert str(box / "cur" / "1") in parsed[0].sentence
    assert not isinstance(parsed[1], mail_files.Fault)


def test_a_path_that_is_not_there_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        import_mail(desk, [tmp_path / "nowhere"])


def test_batches_are_bounded(tmp_path: Path) -> None:
    box = maildir(tmp_path / "box", {f"cur/{n:04d}": b"x" for n in range(mail_files.BATCH + 1)})
    assert [len(batch) for batch in batches(find_mail([box]))] == [mail_files.BATCH, 1]


@pytest.mark.slow
def test_processes_of_their_own_keep_the_order(desk: Desk, tmp_path: Path) -> None:
    count = 1700
    letters = {f"cur/{n:05d}": letter(n, n - n % 5 if n % 5 else None) for n in range(count)}
    told: list[int] = []
    report = import_mail(
        desk,
        [maildir(tmp_path / "box", letters)],
        on_progress=lambda so_far: told.append(so_far.files),
    )
    assert (report.files, report.created, report.appended) == (count, count // 5, count * 4 // 5)
    assert told == sorted(told)
    reads = Reads(desk.store.path)
    rows = reads.fetch("SELECT subject, raw_sha256 FROM message ORDER BY id")
    assert [subject for subject, _ in rows] == [f"about {n}" for n in range(count)]
    assert all(desk.files.has(sha256) for _, sha256 in rows)
    assert search(reads, "hello", Context(None, NOW)).total == count
    reads.close()
    left = [path for path in (tmp_path / "files").rglob(".part-*") if os.path.isfile(path)]
    assert left == []
