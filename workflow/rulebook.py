"""Everything that a team's files under ``workflow/`` say, as one value that does not change under
whoever works with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflow import calendar_file
from workflow.calendar_file import files_beside, load_calendars
from workflow.calendars import ALWAYS, Calendar
from workflow.companies import CompanyFile
from workflow.escalation_rules import EscalationFile, EscalationRules
from workflow.policy import BUILT_IN, Policy
from workflow.routing.matching import Matcher, RoutingFile
from workflow.settings import Settings
from workflow.triggers.reading import FILE as TRIGGERS
from workflow.triggers.reading import load_triggers
from workflow.triggers.rule import Rule
from workflow.watched import WatchedFile

__all__ = ["RuleBook", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at a moment."""

    calendars: Mapping[str, Calendar] = field(default_factory=lambda: {ALWAYS.name: ALWAYS})
    policies: tuple[Policy, ...] = (BUILT_IN,)
    escalation: EscalationRules = field(default_factory=EscalationRules)
    rules: tuple[Rule, ...] = ()
    """What happens by itself: triggers, then the rules that escalate."""
    routes: Matcher = field(default_factory=Matcher)
    """The decision table."""
    clocks_version: str = ""
    """Tells apart what clocks are made by: policies and calendars."""


class RuleBook:
    """The files as they are by now. A file that cannot be used never stops the desk: its last good
    version goes on, and :attr:`problems` says what is wrong.
    """

    def __init__(self, home: Path | None, settings: Settings) -> None:
        self.escalation = EscalationFile(home, settings)
        self.companies = CompanyFile(home)
        self.triggers: WatchedFile[tuple[Rule, ...]] = WatchedFile(
            home, TRIGGERS, lambda where: load_triggers(where, settings), ()
        )
        self.routes = RoutingFile(home, settings)
        self.calendars = WatchedFile(
            home, calendar_file.FILE, load_calendars, calendar_file.BUILT_IN, files_beside
        )

    @property
    def files(self) -> tuple[WatchedFile[Any], ...]:
        """Every file that is watched."""
        return (self.calendars, self.escalation, self.companies, self.routes, self.triggers)

    @property
    def current(self) -> Rules:
        """What the files say, edits taken in."""
        escalation = self.escalation.value
        return Rules(
            calendars=self.calendars.value,
            escalation=escalation,
            rules=(*self.triggers.value, *escalation.rules),
            routes=self.routes.value,
        )

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files, a sentence each."""
        return [file.problem for file in self.files if file.problem is not None]
