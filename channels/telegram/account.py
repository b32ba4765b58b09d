"""Receiving for one bot, by long polling: a laptop behind a router needs no public address.

An offset given to Telegram confirms all updates before it, which it then forgets. So the offset is
the desk's cursor and nothing else: it has moved only when what stands before it is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from channels.contract import Batch
from channels.faults import Unreachable
from channels.secrets import read_secret
from channels.telegram.api import BotApi, FileRefused
from channels.telegram.contents import DOWNLOAD_LIMIT, RemoteFile
from channels.telegram.convert import (
    ASKED_FOR,
    FOLDER,
    entries,
    open_albums,
    raw_bytes,
    to_inbound,
    wanted_files,
)
from workflow.clock import Clock
from workflow.files import FileStore
from workflow.inbound import Attachment, Source
from workflow.plaintext import one_line
from workflow.receive import CursorMove
from workflow.settings import ChannelSettings

__all__ = ["TelegramFeed"]

_MOST = 100
_SETTLE_S = 0.4
"""Seconds without a further part after which an album counts as whole."""

_SETTLES = 5
_AT_ONCE = 4
_TRIES = 3
_LONGEST_POLL_S = 50.0

_T = TypeVar("_T")


class TelegramFeed:
    """What comes in through one bot (:class:`channels.contract.Feed`)."""

    folder = FOLDER
    waits = "waiting for messages"

    def __init__(self, channel: ChannelSettings, files: FileStore, clock: Clock) -> None:
        self._channel = channel
        # One of its own: a batch of files belongs to one thread.
        self._files = FileStore(files.root)
        self._clock = clock
        self._api: BotApi | None = None
        self._runner: asyncio.Runner | None = None
        self._task: asyncio.Task[Any] | None = None
        self._lock = threading.Lock()
        self._got: dict[str, Attachment | str] = {}
        self._tries: dict[str, int] = {}

    def fetch(self, cursor: tuple[int, int] | None, wait_s: float) -> Batch | None:
        """The next updates, with their files; as the contract says."""
        return self._run(self._fetch(cursor or (1, 0), wait_s))

    def interrupt(self) -> None:
        """End a wait, from any thread."""
        with self._lock:
            task = self._task
            if task is not None:
                with contextlib.suppress(RuntimeError):
                    task.get_loop().call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Give the connections back."""
        api, self._api = self._api, None
        if api is not None:
            self._run(api.close())
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Do it in this thread's loop; None if it was interrupted."""
        if self._runner is None:
            self._runner = asyncio.Runner()

        async def main() -> _T:
            with self._lock:
                self._task = asyncio.current_task()
            return await work

        try:
            return self._runner.run(main())
        except asyncio.CancelledError:
            return None
        finally:
            with self._lock:
                self._task = None
            work.close()

    async def _fetch(self, cursor: tuple[int, int], wait_s: float) -> Batch | None:
        api = await self._connect()
        validity, position = cursor
        offset = position + 1 if position else None
        updates = await api.updates(offset, min(wait_s, _LONGEST_POLL_S), ASKED_FOR)
        if not updates:
            return None
        updates = await self._settled(api, offset, updates)
        if offset is not None and updates[0]["update_id"] < offset:
            # Telegram counts anew: after a week without updates, and on another API server. It
            # then takes our offset for a mistake and gives what is oldest.
            validity += 1
        got = await self._fetch_files(api, updates)
        items = []
        now = self._clock.now()
        with self._files.batch():
            for entry in entries(updates):
                raw = raw_bytes(entry.updates)
                items.append(
                    to_inbound(
                        entry,
                        account=self._channel.name,
                        source=Source(self._channel.name, FOLDER, validity, entry.position),
                        raw=raw,
                        sha256=self._files.put(raw),
                        now=now,
                        since=self._channel.since,
                        fetch=lambda file: got[file.unique_id],
                    )
                )
        self._tries.clear()
        last = updates[-1]["update_id"]
        return Batch(tuple(items), CursorMove(self._channel.name, FOLDER, validity, last))

    async def _connect(self) -> BotApi:
        if self._api is None:
            channel = self._channel
            token = await asyncio.to_thread(
                read_secret, channel.token, f"the token of {channel.name}"
            )
            self._api = BotApi.make(token, channel.base_url, channel.name)
        return self._api

    async def _settled(
        self, api: BotApi, offset: int | None, updates: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """The updates with all parts of their albums: a last one may still be on its way."""
        for _ in range(_SETTLES):
            place = open_albums(updates)
            if place is None:
                return updates
            if place and len(updates) >= _MOST:
                # The next look begins with it.
                return updates[:place]
            await asyncio.sleep(_SETTLE_S)
            # The same offset again: what was not stored must not be confirmed.
            again = await api.updates(offset, 0, ASKED_FOR)
            if len(again) <= len(updates):
                return updates
            updates = again
        return updates

    # -- files -------------------------------------------------------------------------------------

    async def _fetch_files(
        self, api: BotApi, updates: Sequence[Mapping[str, Any]]
    ) -> dict[str, Attachment | str]:
        """All files of the updates, or the reasons why one is missing.

        What was got stays known until the updates are through, however often they are tried.
        """
        wanted = {
            file.unique_id: file for entry in entries(updates) for file in wanted_files(entry)
        }
        self._got = {key: got for key, got in self._got.items() if key in wanted}
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(file: RemoteFile) -> None:
            async with limit:
                self._got[file.unique_id] = await self._file(api, file)

        missing = [file for key, file in wanted.items() if key not in self._got]
        results = await asyncio.gather(*map(one, missing), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return dict(self._got)

    async def _file(self, api: BotApi, file: RemoteFile) -> Attachment | str:
        if file.size is not None and file.size > DOWNLOAD_LIMIT:
            return (
                f"{file.size / 1e6:.0f} MB, more than the {DOWNLOAD_LIMIT / 1e6:.0f} MB that"
                " Telegram gives to bots: ask for it another way"
            )
        try:
            data = await api.file(file.file_id)
        except FileRefused as fault:
            return f"Telegram does not give it ({fault}): ask for it another way"
        except Unreachable as fault:
            # One file that never comes must not stand in the way of all messages.
            tries = self._tries[file.unique_id] = self._tries.get(file.unique_id, 0) + 1
            if tries < _TRIES or fault.wait_s:
                raise
            return f"could not be fetched ({fault}): ask the customer to send it again"
        return Attachment(
            name=one_line(file.name, 200),
            content_type=one_line(file.content_type, 100),
            size=len(data),
            sha256=await asyncio.to_thread(self._files.put, data),
        )
