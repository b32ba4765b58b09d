"""The Bot API over HTTP: the one file that speaks it, through python-telegram-bot.

Updates are given as the server wrote them. The library would turn a whole answer into its own
classes and refuse all of it for one update that it does not understand.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

# The library's future meaning of retry_after; its present one warns at every use.
os.environ.setdefault("PTB_TIMEDELTA", "1")

import httpx
from telegram import (
    Bot,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from channels.contract import Fate, SendResult
from channels.faults import AccountRefused, Unreachable
from channels.telegram.names import Route
from workflow.plaintext import one_line

__all__ = ["BASE_URL", "BotApi", "FileRefused", "Upload"]

BASE_URL = "https://api.telegram.org/bot"

_CONNECT_S = 10.0
_ANSWER_S = 20.0
_UPLOAD_S = 120.0
_EMPTY = b'{"ok":true,"result":[]}'
_BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Faults that come before a first byte of a request has left."""

# They log every address they call, and the token is part of it.
for _name in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_T = TypeVar("_T")


class FileRefused(Exception):
    """A file that Telegram does not give; the text is the reason as a phrase."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send: its bytes, and the name the customer sees."""

    name: str
    data: bytes


class _Updates(HTTPXRequest):
    """Keeps the last answer as it came, and shows the library an empty one."""

    taken: bytes = _EMPTY

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Ask the server."""
        code, payload = await super().do_request(*args, **options)
        if 200 <= code < 300:
            self.taken, payload = payload, _EMPTY
        return code, payload


class BotApi:
    """One bot on one Bot API server. For one event loop."""

    def __init__(self, token: str, base_url: str, account: str) -> None:
        self._account = account
        self._token = token
        # A connection that was idle for long may be gone without a word, and a message that was
        # written into it would have an unknown fate.
        limits = httpx.Limits(max_connections=8, keepalive_expiry=5.0)
        self._polling = _Updates(
            connection_pool_size=1, connect_timeout=_CONNECT_S, read_timeout=_ANSWER_S
        )
        self._bot = Bot(
            token,
            base_url=base_url,
            base_file_url=_file_url(base_url),
            get_updates_request=self._polling,
            request=HTTPXRequest(
                connect_timeout=_CONNECT_S,
                read_timeout=_ANSWER_S,
                write_timeout=_ANSWER_S,
                media_write_timeout=_UPLOAD_S,
                pool_timeout=_UPLOAD_S,
                httpx_kwargs={"limits": limits},
            ),
        )

    @classmethod
    def make(cls, token: str, base_url: str, account: str) -> BotApi:
        """A bot for a token; raises AccountRefused where that can be none."""
        try:
            return cls(token, base_url, account)
        except InvalidToken:
            raise AccountRefused(_refused(account)) from None

    async def close(self) -> None:
        """Give the connections back."""
        await self._polling.shutdown()
        await self._bot.request.shutdown()

    async def who(self) -> str:
        """The name of the bot, ``@name``; raises Unreachable or AccountRefused."""
        me = await self._ask(self._bot.get_me())
        return f"@{me.username}"

    async def webhook(self) -> str:
        """Where Telegram sends the updates instead of keeping them, empty if nowhere; raises
        Unreachable or AccountRefused.
        """
        info = await self._ask(self._bot.get_webhook_info())
        return info.url

    async def updates(
        self, offset: int | None, wait_s: float, allowed: Sequence[str], limit: int = 100
    ) -> list[dict[str, Any]]:
        """The updates from ``offset`` on, which confirms all before it; waits ``wait_s`` seconds
        for the first.

        Raises Unreachable or AccountRefused.
        """
        await self._ask(
            self._bot.get_updates(
                offset=offset,
                limit=limit,
                timeout=timedelta(seconds=round(wait_s)),
                allowed_updates=allowed,
            )
        )
        taken, self._polling.taken = self._polling.taken, _EMPTY
        try:
            result = json.loads(taken)["result"]
            return [update for update in result if isinstance(update["update_id"], int)]
        except (ValueError, KeyError, TypeError):
            raise Unreachable(
                f"what answers for {self._account} is no Bot API server: check base_url in"
                " deskhand.toml"
            ) from None

    async def file(self, file_id: str) -> bytes:
        """The bytes of a file; raises FileRefused, Unreachable or AccountRefused."""
        try:
            about = await self._bot.get_file(file_id)
            return bytes(await about.download_as_bytearray(read_timeout=_UPLOAD_S))
        except BadRequest as fault:
            raise FileRefused(_words(fault).removeprefix("Bad Request: ")) from None
        except InvalidToken as fault:
            if _of_a_file(fault):
                raise FileRefused("Telegram does not have it any more") from None
            raise self._fault(fault) from None
        except TelegramError as fault:
            raise self._fault(fault) from None

    async def typing(self, route: Route) -> None:
        """Show the customer for five seconds that somebody writes; raises Unreachable or
        AccountRefused.
        """
        await self._ask(
            self._bot.send_chat_action(
                route.chat,
                "typing",
                message_thread_id=route.topic,
                business_connection_id=route.business,
            )
        )

    async def send_text(
        self, route: Route, text: str, reply_to: int | None
    ) -> tuple[SendResult, tuple[int, ...]]:
        """Send a text as it is, without formatting: its fate, and the numbers of the messages.

        Raises Unreachable and AccountRefused where nothing has left and nothing can leave.
        """
        return await self._send(
            self._bot.send_message(
                route.chat,
                text,
                message_thread_id=route.topic,
                business_connection_id=route.business,
                reply_parameters=_answering(reply_to),
            )
        )

    async def send_files(
        self, route: Route, kind: str, files: Sequence[Upload], caption: str, reply_to: int | None
    ) -> tuple[SendResult, tuple[int, ...]]:
        """Send files of a kind (photo, voice, document), several as an album; as
        :meth:`send_text`.
        """
        more: dict[str, Any] = {
            "message_thread_id": route.topic,
            "business_connection_id": route.business,
            "reply_parameters": _answering(reply_to),
        }
        first = files[0]
        if len(files) > 1:
            media_class = InputMediaPhoto if kind == "photo" else InputMediaDocument
            media = [media_class(file.data, filename=file.name) for file in files]
            return await self._send(
                self._bot.send_media_group(route.chat, media, caption=caption or None, **more)
            )
        more |= {"caption": caption or None, "filename": first.name}
        if kind == "photo":
            return await self._send(self._bot.send_photo(route.chat, first.data, **more))
        if kind == "voice":
            return await self._send(self._bot.send_voice(route.chat, first.data, **more))
        return await self._send(
            self._bot.send_document(
                route.chat, first.data, disable_content_type_detection=True, **more
            )
        )

    async def _ask(self, call: Awaitable[_T]) -> _T:
        try:
            return await call
        except TelegramError as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: TelegramError) -> Unreachable | AccountRefused:
        """The sentence for a call that changes nothing for a customer."""
        if isinstance(fault, (InvalidToken, Forbidden)):
            return AccountRefused(_refused(self._account))
        if isinstance(fault, RetryAfter):
            wait = _seconds(fault)
            return Unreachable(f"Telegram asks {self._account} to wait {wait:.0f} s", wait)
        if isinstance(fault, Conflict):
            if "webhook" in fault.message.lower():
                return Unreachable(
                    f"the bot of {self._account} has a webhook, so that Telegram sends its messages"
                    " elsewhere: stop the other program, or give deskhand a bot of its own",
                    30.0,
                )
            return Unreachable(
                f"another program polls with the token of {self._account}: stop it, or give"
                " deskhand a bot of its own",
                15.0,
            )
        return Unreachable(f"{self._where()} {self._why(fault)}")

    def _where(self) -> str:
        return httpx.URL(self._bot.base_url).host or "the Bot API server"

    def _why(self, fault: TelegramError) -> str:
        cause = fault.__cause__
        if isinstance(cause, httpx.ConnectTimeout | httpx.ConnectError):
            return "cannot be reached: check the network, and base_url in deskhand.toml"
        if isinstance(cause, httpx.TimeoutException):
            return "does not answer"
        if isinstance(cause, httpx.HTTPError):
            return f"broke the connection ({type(cause).__name__})"
        return f"answers {_words(fault)!r}"

    async def _send(
        self, call: Awaitable[Message | Sequence[Message]]
    ) -> tuple[SendResult, tuple[int, ...]]:
        try:
            made = await call
        except TelegramError as fault:
            if isinstance(fault, InvalidToken) or isinstance(fault.__cause__, _BEFORE):
                raise self._fault(fault) from None
            return self._fate(fault), ()
        except Exception as fault:  # noqa: BLE001  the server has answered, so it may have sent it
            words = f"the answer of {self._where()} cannot be read ({type(fault).__name__})"
            return SendResult(Fate.UNKNOWN, words), ()
        messages = [made] if isinstance(made, Message) else list(made)
        numbers = tuple(message.message_id for message in messages)
        return SendResult(Fate.SENT, f"message {', '.join(map(str, numbers))}"), numbers

    def _fate(self, fault: TelegramError) -> SendResult:
        """What a fault means for a message that was to be sent."""
        said = _words(fault)
        match fault:
            case RetryAfter():
                wait = _seconds(fault)
                return SendResult(Fate.LATER, f"Telegram asks to wait {wait:.0f} s", wait)
            case Forbidden():
                return SendResult(Fate.NEVER, _forbidden(said))
            case ChatMigrated():
                return SendResult(
                    Fate.NEVER,
                    "the group has become a supergroup with another number: wait for the next"
                    " message from it and answer that",
                )
            case BadRequest():
                return SendResult(Fate.NEVER, _bad_request(said))
            case NetworkError() if isinstance(fault.__cause__, httpx.HTTPError):
                return SendResult(Fate.UNKNOWN, f"{self._where()} {self._why(fault)}")
            case _:
                # 504: who answers is not who was asked, and that one may have sent it.
                unsure = "504" in said or "gateway timeout" in said.lower()
                words = f"{self._where()} answers {said!r}"
                return SendResult(Fate.UNKNOWN if unsure else Fate.LATER, words)


def _of_a_file(fault: InvalidToken) -> bool:
    """Whether a 404 or 401 was for a file that is gone rather than for the token."""
    return "unauthorized" not in fault.message.lower()


def _answering(number: int | None) -> ReplyParameters | None:
    # The customer may have deleted it by now; the answer matters more than the thread.
    if number is None:
        return None
    return ReplyParameters(number, allow_sending_without_reply=True)


def _file_url(base_url: str) -> str:
    return f"{base_url.removesuffix('bot')}file/bot" if base_url.endswith("bot") else base_url


def _seconds(fault: RetryAfter) -> float:
    found = fault.retry_after
    return found.total_seconds() if isinstance(found, timedelta) else float(found)


def _words(fault: TelegramError) -> str:
    return one_line(fault.message, 160) or type(fault).__name__


def _refused(account: str) -> str:
    return (
        f"the token of {account} was refused by Telegram: get one with /token from @BotFather, put it"
        " where deskhand.toml says, and start again"
    )


def _forbidden(said: str) -> str:
    lower = said.lower()
    if "blocked" in lower:
        return "the customer has blocked the bot: reach them another way"
    if "deactivated" in lower:
        return "the customer's Telegram account is gone: reach them another way"
    if "kicked" in lower or "not a member" in lower:
        return "the bot was removed from the group: ask to be added again, then retry"
    if "initiate" in lower:
        return (
            "the customer has not written to this bot yet, and a bot may not begin: reach them"
            " another way"
        )
    return f"Telegram forbids it ({said}): reach the customer another way"


def _bad_request(said: str) -> str:
    lower = said.lower()
    if "chat not found" in lower:
        return "the chat is gone: reach the customer another way"
    if "too long" in lower:
        return "the text is too long for one message: take it back, shorten it and send again"
    if "too big" in lower or "too large" in lower:
        return "a file is too large for Telegram: send a link instead"
    return f"Telegram does not take it ({said}): take it back, change it and send again"
