"""The team's macros as the console has them: read in the background, read again when a file changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from console.bridge import Bridge, ReadsPort

if TYPE_CHECKING:
    from macros.library import Library
    from macros.model import Macro, MacroProblem
    from macros.running import Runner
    from workflow.desk import Desk
    from workflow.settings import Settings
    from workflow.store.reads import Reads

__all__ = ["LOOK_S", "Shelf"]

LOOK_S = 2.0
"""Seconds between looks at the files: a look is one stat a file."""


class _Found(NamedTuple):
    macros: list[Macro]
    problems: list[MacroProblem]
    keys: dict[str, Macro]
    lately: list[str]


class Shelf:
    """What there is by now. An edit with a fault leaves the version before on the shelf, and is told."""

    def __init__(
        self,
        bridge: Bridge,
        home: Path,
        own_keys: dict[str, str],
        told: Callable[[list[MacroProblem], list[MacroProblem]], None],
        failed: Callable[[str], None],
    ) -> None:
        self.macros: list[Macro] = []
        self.problems: list[MacroProblem] = []
        self.keys: dict[str, Macro] = {}
        """The macro of each key that is bound to one."""
        self.lately: list[str] = []
        """The names of those that the agent uses most, the first first."""
        self._bridge = bridge
        self._home = home
        self._own_keys = own_keys
        self._told = told
        self._failed = failed
        self._library: Library | None = None
        self._settings: Settings | None = None
        self._looking = False
        self._fault = ""

    def look(self) -> None:
        """Read what has changed, in a thread; new faults and mended ones are told."""
        if not self._looking:
            self._looking = True
            self._bridge.in_background(self._read, self._put, self._not_read)

    def _read(self) -> _Found:
        from console.macro_keys import keys_of, problems_with_keys
        from macros.library import Library
        from macros.pick import used_lately

        if self._library is None:
            self._library = Library(self._home, self._read_settings())
        macros, problems = self._library.read()
        problems += problems_with_keys(macros, self._own_keys)
        agent = self._bridge.agent
        lately = used_lately(cast("Reads", self._bridge.reads), agent) if agent else []
        return _Found(macros, problems, keys_of(macros, self._own_keys), lately)

    def _read_settings(self) -> Settings:
        from workflow.settings import load_settings

        if self._settings is None:
            self._settings = load_settings(self._home)
        return self._settings

    def _put(self, found: _Found) -> None:
        self._looking, self._fault = False, ""
        before = {str(problem) for problem in self.problems}
        self.macros, self.problems, self.keys, self.lately = found
        fresh = [problem for problem in found.problems if str(problem) not in before]
        if fresh or before - {str(problem) for problem in found.problems}:
            self._told(found.problems, fresh)

    def _not_read(self, sentence: str) -> None:
        self._looking = False
        if sentence != self._fault:
            self._fault = sentence
            self._failed(sentence)

    def get(self, name: str) -> Macro | None:
        """The macro of a name, as it is by now."""
        return next((macro for macro in self.macros if macro.name == name), None)

    def say(self, problem: MacroProblem) -> str:
        """A fault with its place, the file as it is called in the home."""
        return str(problem).removeprefix(f"{self._home}/")

    def runner(self, reads: ReadsPort, desk: object | None = None) -> Runner:
        """Plans macros for the one who sits here, and with ``desk`` runs them. For a thread: the first is slow.

        Raises DeskError where nobody is named as the agent.
        """
        from macros.running import Runner

        bridge = self._bridge
        return Runner(
            cast("Reads", reads),
            self._read_settings(),
            bridge.clock,
            bridge.actor.name,
            cast("Desk | None", desk),
        )
