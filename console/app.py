"""The console: the Textual application and what starts and ends it."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from console import safe
from console.bridge import AccountState, Bridge, Delivered, Engine, Team
from console.macro_shelf import LOOK_S, Shelf
from console.own_keys import own_keys
from console.screens.desk import DeskScreen
from console.team_watch import TeamWatch
from console.themes import MONO, THEMES, Inks
from workflow.errors import DeskError

if TYPE_CHECKING:
    from textual.binding import BindingType

    from console.bootstrap import Desktop
    from workflow.desk import Desk

__all__ = ["AccountTold", "ConsoleApp", "run_console"]

STOP_S = 5.0
TERMINAL_LOOK_S = 2.0
"""Seconds between looks whether the terminal is still there."""

_HUNG_UP = 129
"""The exit status of what SIGHUP ends (128 and its number)."""


class AccountTold(Delivered):
    """How a channel account does; posted from the engine's thread."""


class ConsoleApp(App[int]):
    """The console of one agent on one desk."""

    TITLE = "deskhand"
    CSS_PATH = "desk.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        bridge: Bridge,
        *,
        home: Path | None = None,
        theme: str | None = None,
        zone: tzinfo | None = None,
        engine_factory: Callable[[], Engine] | None = None,
        tour: bool = False,
    ) -> None:
        self._inks: Inks | None = None
        self._theme_wish = theme
        # Said before Textual chooses its filter: without colour means the terminal's own two.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.animation_level = "none"
        self.bridge = bridge
        self.home = home
        self.zone = zone
        self.engine_factory = engine_factory
        self.offers_tour = tour
        """Whether the tour of the demo is offered."""
        self.terminal: int | None = None
        """The file number of the terminal that is watched; None where there is none, as in tests."""
        self._engine: Engine | None = None
        self._engine_thread: threading.Thread | None = None
        keys, self._wrong_keys = own_keys(home) if home is not None else ({}, "")
        self.desk = DeskScreen(bridge, zone, keys)
        if keys:
            self.set_keymap(keys)
        bridge.connect(self.post_message)
        for known in THEMES:
            self.register_theme(known)
        self.theme = self._first_theme()

    def _first_theme(self) -> str:
        if self.no_color:
            return MONO.name
        known = {theme.name for theme in THEMES}
        wish = self._theme_wish or os.environ.get("DESKHAND_THEME", "")
        for name in (wish, f"desk-{wish}"):
            if name in known:
                return name
        return THEMES[0].name

    @property
    def inks(self) -> Inks:
        """The styles of the theme in use."""
        if self._inks is None:
            self._inks = Inks(self.theme_variables, self.current_theme.name == MONO.name)
        return self._inks

    def _watch_theme(self, theme_name: str) -> None:
        self._inks = None
        super()._watch_theme(theme_name)

    def get_default_screen(self) -> DeskScreen:
        """The desk is there from the start: no empty screen is made first."""
        return self.desk

    def _leave_without_terminal(self) -> None:
        """End when the terminal has gone and no signal said so: else a console nobody sees goes on for ever.

        At once, since Textual would wait for a terminal that takes nothing any more; what was typed is kept.
        """
        if self.terminal is not None and _hung_up(self.terminal):
            self.bridge.close()
            os._exit(_HUNG_UP)

    def on_mount(self) -> None:
        """After the first rows: the team, the engine."""
        if self.terminal is not None:
            self.set_interval(TERMINAL_LOOK_S, self._leave_without_terminal)
        self.call_after_refresh(self._after_first_paint)

    def _after_first_paint(self) -> None:
        if self.offers_tour:
            from console.tour import Tour, refusal_file

            self.desk.tour = Tour(self.desk, refusal_file())
            self.desk.tour.offer()
        if self._wrong_keys:
            safe.notify(self, self._wrong_keys, "warning", 12)
        if self.home is not None:
            home = self.home
            watch = TeamWatch(self.bridge, home, self._put_team, self.desk.complain)
            watch.look()
            self.set_interval(LOOK_S, watch.look)
            shelf = Shelf(
                self.bridge,
                home,
                self.desk.own_keys,
                self.desk.macros_told,
                self.desk.complain,
            )
            self.desk.shelf = shelf
            shelf.look()
            self.set_interval(LOOK_S, shelf.look)
        if self.engine_factory is not None:
            self._engine_thread = threading.Thread(
                target=self._run_engine, name="desk-engine", daemon=True
            )
            self._engine_thread.start()

    def _put_team(self, team: Team) -> None:
        before = self.bridge.team
        self.bridge.team = team
        self.bridge.countdown.calendars = team.calendars
        self.desk.team_changed()
        if team.problems != before.problems:
            fresh = [each for each in team.problems if each not in before.problems]
            self.desk.rules_told(team.problems, fresh)

    def _run_engine(self) -> None:
        assert self.engine_factory is not None
        try:
            self._engine = self.engine_factory()
            self._engine.run()
        except Exception as fault:  # noqa: BLE001 - the screen must outlive the engine, and say that it has ended
            said = (
                str(fault) if isinstance(fault, DeskError) else f"{type(fault).__name__}: {fault}"
            )
            self.post_message(
                Delivered(lambda: self.desk.complain(f"Mail is not received: {said}"))
            )

    def tell_account(self, state: AccountState) -> None:
        """Show how an account does. May be called from any thread."""
        self.post_message(Delivered(lambda: self.desk.account_told(state)))

    def on_delivered(self, event: Delivered) -> None:
        """A thread has finished something."""
        event.deliver()

    def stop_engine(self, seconds: float = STOP_S) -> None:
        """Ask the engine to end and wait for it, at most ``seconds``."""
        if self._engine is not None:
            self._engine.stop()
        if self._engine_thread is not None:
            self._engine_thread.join(seconds)


def make_desk(desktop: Desktop) -> Desk:
    """The desk of a home. Slow the first time (it loads SQLModel): the console calls it in its writing thread."""
    return desktop.desk


def _hung_up(terminal: int) -> bool:
    poll = select.poll()
    poll.register(terminal, 0)
    return any(
        state & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, state in poll.poll(0)
    )


def run_console(desktop: Desktop, *, tour: bool = False) -> int:
    """Open the console on a desk whose schema is up to date; returns the exit status. ``tour`` offers
    the tour of the demo.

    Where the desk has channels, an engine receives and sends in the background, from the first paint on until the
    console ends.
    """
    bridge = Bridge(
        desktop.reads, desktop.clock, desktop.agent, lambda: make_desk(desktop), desktop.files_root
    )

    bridge.has_accounts = bool(desktop.settings.channels)

    def engine() -> Engine:
        from console.engine_room import EngineRoom

        room = EngineRoom(desktop.engine, app.tell_account)
        bridge.hurry, bridge.typing = room.hurry, room.typing
        return room

    app = ConsoleApp(
        bridge,
        home=desktop.home,
        engine_factory=engine if desktop.settings.channels else None,
        tour=tour,
    )
    # Threads that import or query give way to a key within a millisecond, not five.
    sys.setswitchinterval(0.001)
    app.terminal = sys.stdin.fileno()
    try:
        status = app.run()
    finally:
        bridge.close()
        app.stop_engine()
    return (status if status is not None else app.return_code) or 0
