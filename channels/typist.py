"""Showing customers that somebody writes, while somebody does.

It needs no lease: it changes nothing and tells nothing that could come twice, and the console in
which an agent types is often not the process that sends. Whatever fails is no one's concern: the
customer sees no dots, and that is all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from channels.contract import Channel
from channels.faults import Unreachable
from workflow.files import FileStore
from workflow.settings import ChannelSettings

__all__ = ["Typist"]

_EVERY_S = 4.0
"""Telegram shows it for five seconds (Bot API, sendChatAction)."""

_HUSH_S = 60.0
"""Seconds without a further try after one that failed."""

_log = logging.getLogger("deskhand.typing")


class Typist:
    """Shows it for several accounts. For one event loop."""

    def __init__(
        self, channels: Sequence[tuple[ChannelSettings, Channel]], files: FileStore
    ) -> None:
        self._channels = {
            account.name: (account, channel)
            for account, channel in channels
            if channel.capabilities.typing and channel.session is not None
        }
        self._files = files
        self._shown: dict[tuple[str, str], float] = {}
        self._hushed: dict[str, float] = {}

    async def show(self, account: str, address: str) -> None:
        """Show it for some seconds, at most every four; raises nothing."""
        settings, channel = self._channels.get(account, (None, None))
        now = time.monotonic()
        if settings is None or channel is None or channel.session is None:
            return
        if now < self._hushed.get(account, 0.0):
            return
        if now - self._shown.get((account, address), -_EVERY_S) < _EVERY_S:
            return
        self._shown = {key: at for key, at in self._shown.items() if now - at < _EVERY_S}
        self._shown[account, address] = now
        try:
            session = await channel.session(settings, self._files)
            try:
                await session.typing(address)
            finally:
                await session.close()
        except Exception as fault:  # noqa: BLE001  a courtesy must disturb nobody
            wait_s = fault.wait_s if isinstance(fault, Unreachable) else 0.0
            self._hushed[account] = now + max(wait_s, _HUSH_S)
            _log.debug("typing was not shown over %s: %s", account, fault)
