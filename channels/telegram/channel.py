"""Telegram as a channel: what it can carry, and how its parts are made.

The library that speaks the Bot API is loaded when an account is first used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from channels.contract import Capabilities, Channel, Check, Feed, Session
from channels.telegram.compose import UPLOAD_LIMIT, TelegramComposer, pieces
from channels.telegram.names import chat_names
from channels.telegram.split import LIMIT

if TYPE_CHECKING:
    from workflow.clock import Clock
    from workflow.files import FileStore
    from workflow.inbound import Reader
    from workflow.settings import ChannelSettings, Settings

__all__ = ["TELEGRAM"]


def _reader(settings: Settings, files: FileStore) -> Reader:
    from channels.telegram.convert import TelegramReader

    return TelegramReader(settings, files)


def _feed(account: ChannelSettings, files: FileStore, clock: Clock) -> Feed:
    from channels.telegram.account import TelegramFeed

    return TelegramFeed(account, files, clock)


async def _session(account: ChannelSettings, files: FileStore) -> Session:
    from channels.telegram.sender import TelegramSession

    return await TelegramSession.open(account, files)


def _check(account: ChannelSettings) -> Iterator[Check]:
    from channels.telegram.checks import check_account

    return check_account(account)


TELEGRAM = Channel(
    kind="telegram",
    capabilities=Capabilities(
        longest_text=LIMIT,
        longest_file=UPLOAD_LIMIT,
        edits=True,
        typing=True,
        receipts=("sent", "failed"),
        starts="customer",
    ),
    composer=TelegramComposer,
    reader=_reader,
    feed=_feed,
    session=_session,
    check=_check,
    parts=pieces,
    names=chat_names,
)
"""A bot over the Bot API."""
