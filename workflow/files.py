"""Files by content: raw messages and attachments, each named by the SHA-256 of its bytes.

A file is complete and on disk before its name is given out, so a row never names bytes that a power
cut could lose.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from workflow.errors import NotFound, StoreError

__all__ = ["FileStore"]


class FileStore:
    """A folder of files named by content, in 256 sub-folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: set[str] = set()
        self._batch: list[Path] | None = None

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
            if target.stat().st_size == len(data):
                return sha256
        except OSError:
            pass
        try:
            self._write(target, data)
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
        self._batch = []
        try:
            yield
            pending, self._batch = self._batch, None
            try:
                _flush(pending)
            except OSError as fault:
                raise _storage_fault(fault, self.root) from fault
        finally:
            self._batch = None

    def _write(self, target: Path, data: bytes) -> None:
        folder = str(target.parent)
        if folder not in self._folders:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._folders.add(folder)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                if self._batch is None:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        if self._batch is None:
            _sync_folder(folder)
        else:
            self._batch.append(target)


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


def _flush(paths: list[Path]) -> None:
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
