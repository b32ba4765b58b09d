"""Sending what was composed, part by part, none of them twice.

Before a part leaves, the desk's database says that it may have; when Telegram has answered, that it
is there. After a crash in between only a person can know, and only that one part is in doubt.
"""

from __future__ import annotations

import asyncio
import contextlib

from channels.contract import Fate, Progress, SendResult
from channels.secrets import read_secret
from channels.telegram.api import BotApi, Upload
from channels.telegram.compose import Order, Part
from channels.telegram.names import Route, message_id
from workflow.errors import NotFound
from workflow.files import FileStore
from workflow.outbox import Claim
from workflow.settings import ChannelSettings

__all__ = ["TelegramSession"]


class TelegramSession:
    """A way out over one bot (:class:`channels.contract.Session`)."""

    def __init__(self, api: BotApi, account: str, files: FileStore) -> None:
        self._api = api
        self._account = account
        self._files = files

    @classmethod
    async def open(cls, channel: ChannelSettings, files: FileStore) -> TelegramSession:
        """A session for an account; raises SettingsError and AccountRefused."""
        what = f"the token of {channel.name}"
        token = await asyncio.to_thread(read_secret, channel.token, what)
        return cls(BotApi.make(token, channel.base_url, channel.name), channel.name, files)

    @property
    def is_open(self) -> bool:
        """Always: each call makes the connection that it needs."""
        return True

    async def typing(self, address: str) -> None:
        """Show the customer for five seconds that somebody writes."""
        with contextlib.suppress(ValueError):
            await self._api.typing(Route.parse(address))

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def send(self, _item: Claim, raw: bytes, progress: Progress) -> SendResult:
        """Send the parts that were not sent in earlier attempts; as the contract says."""
        try:
            order = Order.from_bytes(raw)
            route = Route.parse(order.route)
        except (ValueError, KeyError, TypeError):
            return SendResult(
                Fate.NEVER, "its stored form cannot be read: take it back and send it again"
            )
        result = SendResult(Fate.SENT, "all parts were sent before")
        for index in range(progress.parts_done, len(order.parts)):
            result = await self._part(order, index, route, progress)
            if result.fate is not Fate.SENT:
                return _of_part(result, index, len(order.parts))
        return result

    async def _part(self, order: Order, index: int, route: Route, progress: Progress) -> SendResult:
        part = order.parts[index]
        answers = order.reply_to if index == 0 else None
        try:
            uploads = await asyncio.to_thread(self._uploads, part)
        except NotFound as fault:
            return SendResult(Fate.NEVER, str(fault))
        if not await progress.leaving():
            return SendResult(Fate.LATER, "another deskhand has it by now")
        if part.kind == "text":
            result, numbers = await self._api.send_text(route, part.text, answers)
        else:
            result, numbers = await self._api.send_files(
                route, part.kind, uploads, part.text, answers
            )
        if result.fate is Fate.SENT:
            ids = [message_id(self._account, route.chat, number) for number in numbers]
            await progress.part_taken(ids)
        return result

    def _uploads(self, part: Part) -> list[Upload]:
        return [Upload(file.name, self._files.read(file.sha256)) for file in part.files]


def _of_part(result: SendResult, index: int, count: int) -> SendResult:
    """The fate of the whole: a sentence says which part it was, and what is there already."""
    words = result.words
    if result.fate is Fate.UNKNOWN:
        what = "it" if count == 1 else f"part {index + 1} of {count}"
        words = (
            f"{words} after {what} was handed over: it may have been sent. Look into the chat, or"
            " ask the customer; then retry (sends it again) or cancel"
        )
    elif count > 1:
        words = f"part {index + 1} of {count}: {words}"
    if index and result.fate is not Fate.LATER:
        words += f" ({'the part' if index == 1 else f'the {index} parts'} before it arrived)"
    return SendResult(result.fate, words, result.wait_s)
