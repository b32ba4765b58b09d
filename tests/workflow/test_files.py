"""Files by content: whole, durable, once."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from workflow import files as module
from workflow.errors import NotFound, StoreError
from workflow.files import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """An empty store of files."""
    return FileStore(tmp_path / "files")


def test_a_file_is_named_by_its_content_and_kept_once(store: FileStore) -> None:
    data = b"hello\x00world"
    name = store.put(data)
    assert name == hashlib.sha256(data).hexdigest()
    assert store.put(data) == name
    assert store.read(name) == data
    assert store.has(name)
    assert [p.name for p in store.root.rglob("*") if p.is_file()] == [name[2:]]
    assert store.path(name).stat().st_mode & 0o077 == 0, "nobody else reads a customer's mail"


def test_what_is_missing_says_where_it_should_be(store: FileStore) -> None:
    with pytest.raises(NotFound, match=r"is missing from .*files: restore that folder"):
        store.read("0" * 64)


def test_a_file_that_was_cut_off_is_written_again(store: FileStore) -> None:
    name = store.put(b"whole")
    store.path(name).write_bytes(b"who")
    assert store.read(store.put(b"whole")) == b"whole"


def test_a_failure_leaves_no_part_behind(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(StoreError, match=r"the disk of .* is full: .* nothing received is lost"):
        store.put(b"too much")
    assert [p for p in store.root.rglob("*") if p.is_file()] == []
    monkeypatch.undo()
    store.put(b"too much")


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be used"):
        FileStore(tmp_path / "files").put(b"x")


@pytest.mark.parametrize("count", [3, 120])
def test_a_batch_is_durable_when_it_ends(store: FileStore, count: int) -> None:
    with store.batch():
        names = [store.put(b"%d" % number) for number in range(count)]
    assert [store.read(name) for name in names] == [b"%d" % number for number in range(count)]


def test_a_batch_that_cannot_be_flushed_fails(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def fill() -> None:
        with store.batch():
            store.put(b"x")
            monkeypatch.setattr(module, "_flush", broken)

    with pytest.raises(StoreError, match="cannot be used"):
        fill()


def test_a_batch_of_one_thread_leaves_the_others_durable(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync

    def noted(handle: int) -> None:
        synced.append(threading.get_ident())
        real(handle)

    monkeypatch.setattr(module.os, "fsync", noted)
    inside, done = threading.Event(), threading.Event()

    def long_batch() -> None:
        with store.batch():
            store.put(b"shared")
            inside.set()
            assert done.wait(10)

    thread = threading.Thread(target=long_batch)
    thread.start()
    assert inside.wait(10)
    me = threading.get_ident()
    synced.clear()
    store.put(b"mine alone")
    assert synced.count(me) >= 2, "the file and its folder"
    synced.clear()
    store.put(b"shared")
    assert synced, "what the other batch has not flushed yet is flushed before its name is given"
    done.set()
    thread.join(10)
    synced.clear()
    store.put(b"shared")
    assert synced == [], "known files cost one look"
