"""What the team's files say, as the console has it: read in the background, read again when one of them
changes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.bridge import Bridge, Team

if TYPE_CHECKING:
    from workflow.rulebook import RuleBook
    from workflow.settings import Settings

__all__ = ["TeamWatch"]


class TeamWatch:
    """Tells the team as it is by now, whenever it is another than before."""

    def __init__(
        self,
        bridge: Bridge,
        home: Path,
        put: Callable[[Team], None],
        failed: Callable[[str], None],
    ) -> None:
        self._bridge = bridge
        self._home = home
        self._put = put
        self._failed = failed
        self._files: tuple[Settings, RuleBook] | None = None
        self._told: Team | None = None
        self._looking = False
        self._fault = ""

    def look(self) -> None:
        """Read what has changed, in a thread."""
        if not self._looking:
            self._looking = True
            self._bridge.in_background(self._read, self._take, self._not_read)

    def _read(self) -> Team:
        from workflow.rulebook import RuleBook
        from workflow.settings import load_settings

        if self._files is None:
            settings = load_settings(self._home)
            self._files = settings, RuleBook(self._home, settings)
        settings, book = self._files
        escalation = book.escalation.value
        prefix = f"{self._home}/"
        return Team(
            tuple(agent.name for agent in settings.agents),
            tuple((group.name, group.level) for group in settings.groups),
            tuple((channel.name, channel.kind) for channel in settings.channels),
            tuple(level.name for level in escalation.levels),
            escalation.reasons,
            tuple(problem.removeprefix(prefix) for problem in book.problems),
            settings,
            book.calendars.value,
            self._away(),
        )

    def _away(self) -> tuple[tuple[str, datetime | None], ...]:
        """Who has said that they are away, and until when."""
        from workflow.store.team import agents

        fetch = getattr(self._bridge.reads, "fetch", None)
        rows = agents(fetch) if fetch is not None else []
        return tuple((row.name, row.away_until) for row in rows if row.away_since is not None)

    def _take(self, team: Team) -> None:
        self._looking, self._fault = False, ""
        if team != self._told:
            self._told = team
            self._put(team)

    def _not_read(self, sentence: str) -> None:
        self._looking = False
        if sentence != self._fault:
            self._fault = sentence
            self._failed(sentence)
