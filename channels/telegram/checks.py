"""Trying a bot as the engine would use it, without taking its messages: what ``doctor`` tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from channels.contract import Check
from channels.secrets import read_secret
from channels.telegram.api import BotApi
from workflow.errors import DeskError
from workflow.settings import ChannelSettings

__all__ = ["check_account"]


def check_account(account: ChannelSettings) -> Iterator[Check]:
    """Ask who the bot is and whether something else takes its messages."""

    async def ask() -> tuple[str, str]:
        token = await asyncio.to_thread(read_secret, account.token, f"the token of {account.name}")
        api = BotApi.make(token, account.base_url, account.name)
        try:
            return await api.who(), await api.webhook()
        finally:
            await api.close()

    try:
        who, webhook = asyncio.run(ask())
    except DeskError as fault:
        yield Check("token", False, str(fault))
        return
    yield Check("token", True, f"Telegram knows the bot as {who}")
    if webhook:
        yield Check(
            "messages",
            False,
            "Telegram sends this bot's messages to another program (a webhook is set)",
            "stop that program and call deleteWebhook, or give deskhand a bot of its own",
        )
    else:
        yield Check("messages", True, "they can be fetched from here")
