"""Files by content: raw messages and attachments, each named by the SHA-256 of its bytes.

A file is complete and on disk before its name is given out, so a row never names bytes that a power
cut could lose.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from workflow.errors import NotFound, StoreError

__all__ = ["FileStore"]

_NEW_FILE = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_WORTH_A_FLUSH = 50
"""From so many files on, flushing the whole file system once is quicker than each by itself."""


class FileStore:
    """A folder of files named by content, in 256 sub-folders. Safe to use from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: set[str] = set()
        self._local = threading.local()
        self._unflushed: set[Path] = set()
        """Files of batches that have not ended yet, of any thread."""
        # Unlike any other store's on this folder, in this process or another.
        self._part = f".part-{os.getpid()}-{secrets.token_hex(6)}-"
        self._numbers = itertools.count()

    @property
    def _batch(self) -> list[Path] | None:
        """What this thread's batch has put so far; None outside of one."""
        found: list[Path] | None = getattr(self._local, "batch", None)
        return found

    def path(self, sha256: str) -> Path:
        """Where the bytes of a name lie, whether or not they are there."""
        return self.root / sha256[:2] / sha256[2:]

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there."""
        return self.path(sha256).exists()

    def put(self, data: bytes) -> str:
        """Store bytes and return their name; storing the same bytes again costs one look.

        Raises StoreError when the disk is full or the folder cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(sha256)
        try:
            there = target.stat().st_size == len(data)
        except OSError:
            there = False
        try:
            if not there:
                self._write(target, data)
            elif target in self._unflushed and self._batch is None:
                # Another thread's batch will flush it, but our row may be there before.
                _flush([target], self.root)
        except OSError as fault:
            raise _storage_fault(fault, self.root) from fault
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes of a name; raises NotFound when they are missing."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"the file {sha256[:12]}... is missing from {self.root}: restore that folder from the backup"
                " that belongs to this database"
            ) from None
        except OSError as fault:
            raise _storage_fault(fault, self.root) from fault

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Put many files and make them durable together at the end, which is several times faster
        than one by one.

        The names given out inside may be used in rows only after the block has ended.
        """
        pending: list[Path] = []
        self._local.batch = pending
        try:
            yield
            try:
                _flush(pending, self.root)
            except OSError as fault:
                raise _storage_fault(fault, self.root) from fault
        finally:
            self._local.batch = None
            self._unflushed.difference_update(pending)

    def _write(self, target: Path, data: bytes) -> None:
        folder = str(target.parent)
        if folder not in self._folders:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            _sync_folder(str(self.root))
            self._folders.add(folder)
        batch = self._batch
        name = f"{folder}/{self._part}{next(self._numbers)}"
        handle = os.open(name, _NEW_FILE, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                if batch is None:
                    file.flush()
                    os.fsync(file.fileno())
            if batch is not None:
                self._unflushed.add(target)
                batch.append(target)
            os.replace(name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        if batch is None:
            _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    if os.name == "nt":  # Windows has no handle of a folder to flush
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@functools.cache
def _syncfs() -> Callable[[int], None] | None:
    """Linux's syncfs(2), which flushes what one file system holds; None elsewhere."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError, TypeError):
        return None
    call.argtypes, call.restype = [ctypes.c_int], ctypes.c_int

    def flush(handle: int) -> None:
        if call(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return flush


def _flush(paths: list[Path], root: Path) -> None:
    whole = _syncfs() if len(paths) >= _WORTH_A_FLUSH else None
    if whole is not None:
        handle = os.open(root, os.O_RDONLY)
        try:
            whole(handle)
        finally:
            os.close(handle)
        return
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_sync_file, paths))
        list(pool.map(_sync_folder, {str(path.parent) for path in paths}))


def _storage_fault(fault: OSError, root: Path) -> StoreError:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            f"the disk of {root} is full: free some space and try again; nothing received is lost,"
            " the server still has it"
        )
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"{root} cannot be written ({fault.strerror}): give this user the right to write there"
        )
    return StoreError(f"{root} cannot be used ({fault.strerror}): check the disk and try again")
