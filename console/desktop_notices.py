"""Notices of rules for whoever sits here: on the screen, with a bell, and through the terminal to the
desktop where it passes them on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console import safe
from console.bridge import ReadsPort

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["DesktopNotices", "terminal_notice"]

_SHOWN_S = 20.0
_MOST = 3


class DesktopNotices:
    """Looks for notices when something has changed, and takes each once, whatever consoles are open."""

    def __init__(self, desk: DeskScreen) -> None:
        self._desk = desk
        self._taking = False

    def look(self) -> None:
        """Is there one for this agent by now?"""
        agent, bridge = self._desk.bridge.agent, self._desk.bridge
        if agent is None or self._taking:
            return
        now = bridge.now()

        def any_due(reads: ReadsPort) -> bool:
            return reads.has_notices(agent, now)

        bridge.read(any_due, lambda due: self._take(agent) if due else None, self._failed)

    def _take(self, agent: str) -> None:
        if not self._taking:
            self._taking = True
            self._desk.bridge.write(lambda desk: desk.take_notices(agent), self._show, self._failed)

    def _failed(self, _sentence: str) -> None:
        # The next look tries again; what is wrong with the store is said by everything else.
        self._taking = False

    def _show(self, notices: Sequence[str]) -> None:
        self._taking = False
        app = self._desk.app
        for text in notices[:_MOST]:
            safe.notify(app, text, "warning", _SHOWN_S)
        if len(notices) > _MOST:
            safe.notify(app, f"and {len(notices) - _MOST} more notices", "warning", _SHOWN_S)
        if notices:
            app.bell()
            driver = app._driver
            if driver is not None:
                driver.write(terminal_notice("; ".join(notices[:_MOST])))
                driver.flush()


def terminal_notice(text: str) -> str:
    """The sequence by which a terminal shows a notice of the desktop: OSC 9 in iTerm2, else OSC 777;
    those that know neither show nothing.
    """
    plain = safe.one_line(text).replace(";", ",")[:200]
    if os.environ.get("TERM_PROGRAM") == "iTerm.app":
        return f"\x1b]9;deskhand: {plain}\x07"
    return f"\x1b]777;notify;deskhand;{plain}\x07"
