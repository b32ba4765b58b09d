"""The composition root: from a home folder to a desk. Nothing else puts the parts together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.clock import Clock
from workflow.errors import SettingsError, StoreError, UsageError
from workflow.query.context import Context
from workflow.settings import Settings, load_settings
from workflow.store.migrate import ensure_schema
from workflow.store.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.engine import Engine
    from macros.planning import RulePlans
    from workflow.calendars import Calendar
    from workflow.desk import Desk
    from workflow.files import FileStore
    from workflow.rulebook import RuleBook
    from workflow.store.store import Store

__all__ = ["Desktop", "default_home"]


def default_home() -> Path:
    """Where a desk lives if nobody says otherwise: the platform's folder for a user's data."""
    from platformdirs import user_data_path

    return user_data_path("deskhand", appauthor=False)


@dataclass
class Desktop:
    """One home as this process uses it: what is heavy is made when it is first asked for."""

    home: Path
    clock: Clock
    agent_wanted: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """What the team has written; raises SettingsError."""
        return load_settings(self.home)

    @cached_property
    def database(self) -> Path:
        """The file of the embedded database.

        Raises SettingsError for an engine that this version does not speak.
        """
        scheme, _, rest = self.settings.database.partition(":///")
        if scheme != "sqlite" or not rest:
            raise SettingsError(
                f"{self.home / 'deskhand.toml'}: database {self.settings.database!r} is not one this version can use:"
                ' write database = "sqlite:///deskhand.db"'
            )
        return (self.home / rest).resolve() if not os.path.isabs(rest) else Path(rest)

    @property
    def files_root(self) -> Path:
        """The folder of raw messages and attachments."""
        return self.home / "files"

    @cached_property
    def files(self) -> FileStore:
        """Raw messages and attachments."""
        from workflow.files import FileStore

        return FileStore(self.files_root)

    @cached_property
    def reads(self) -> Reads:
        """The readers; makes or migrates the database first."""
        self.prepare()
        return Reads(self.database)

    @cached_property
    def store(self) -> Store:
        """The writer."""
        self.prepare()
        from workflow.store.store import Store

        return Store.open(self.database)

    @cached_property
    def rule_book(self) -> RuleBook:
        """What the team's files under workflow/ say by now."""
        from workflow.rulebook import RuleBook

        return RuleBook(self.home, self.settings)

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendars by which remaining time is judged."""
        return self.rule_book.calendars.value

    @cached_property
    def desk(self) -> Desk:
        """The desk with every channel's way to write and to read."""
        from channels.registry import composers, readers
        from workflow.desk import Desk

        return Desk(
            self.store,
            self.clock,
            self.settings,
            self.files,
            composers=composers(self.settings, self.files),
            readers=readers(self.settings, self.files),
            rule_book=self.rule_book,
            macros=self.macro_plans,
        )

    def catch_up(self) -> None:
        """Make the clocks anew that an edit of policies or calendars has left behind: what is shown
        is what the files say, also where no engine runs.
        """
        version = self.rule_book.current.clocks_version
        rows = self.reads.fetch("SELECT value FROM meta WHERE name = 'clocks_version'", ())
        if version != (rows[0][0] if rows else ""):
            from workflow.remaking import remake_stale

            remake_stale(self.desk)

    @cached_property
    def macro_plans(self) -> RulePlans:
        """The macros, for what rules do with them."""
        from macros.planning import RulePlans

        return RulePlans(self.home, self.settings, self.reads, self.clock)

    def engine(self) -> Engine:
        """An engine on this desk, not yet started."""
        from channels.engine import Engine

        return Engine(self.desk, self.settings, self.files)

    def beside(self, clock: Clock, agent: str | None) -> Desktop:
        """The same open desk at another time or as another agent.

        It shares the files and the database.
        """
        other = Desktop(self.home, clock, agent)
        for part in (
            "settings",
            "database",
            "files",
            "reads",
            "store",
            "rule_book",
        ):
            # Made once here, so that a batch opens the database once however many lines it has.
            other.__dict__[part] = getattr(self, part)
        return other

    def prepare(self) -> None:
        """Make the home and bring the database to this program's schema.

        Raises StoreError with a sentence.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as fault:
            raise StoreError(
                f"{self.home} cannot be made ({fault.strerror}): choose another folder with --home"
            ) from fault
        ensure_schema(self.database)

    @property
    def context(self) -> Context:
        """Who asks, and when."""
        return Context(self.agent, self.clock.now())

    @cached_property
    def agent(self) -> str | None:
        """Who acts: the one named, else the only one, else the one named like the login.

        ``me`` on a desk whose team has named no agents; None where several leave it open. Raises
        UsageError for a name that is not among them.
        """
        names = [agent.name for agent in self.settings.agents]
        if self.agent_wanted is not None:
            if names and self.agent_wanted not in names:
                raise UsageError(
                    f"there is no agent {self.agent_wanted!r} in {self.home / 'deskhand.toml'}:"
                    f" there are {', '.join(names)}"
                )
            return self.agent_wanted
        if len(names) <= 1:
            return names[0] if names else "me"
        login = (
            os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME") or ""
        )
        return login if login in names else None

    def acting_agent(self) -> str:
        """Who acts, for what needs somebody; raises UsageError that says how to name one."""
        if self.agent is not None:
            return self.agent
        names = ", ".join(agent.name for agent in self.settings.agents)
        raise UsageError(f"several agents work here ({names}): say who you are with --agent NAME")

    def close(self) -> None:
        """Give everything back that was opened."""
        if "store" in self.__dict__:
            self.store.close()
        if "reads" in self.__dict__:
            self.reads.close()
