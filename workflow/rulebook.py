"""Everything that a team's files under ``workflow/`` say, as one value that does not change under
whoever works with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflow.calendars import ALWAYS, Calendar
from workflow.companies import CompanyFile
from workflow.escalation_rules import EscalationFile, EscalationRules
from workflow.policy import BUILT_IN, Policy
from workflow.settings import Settings
from workflow.watched import WatchedFile

__all__ = ["RuleBook", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at a moment."""

    calendars: Mapping[str, Calendar] = field(default_factory=lambda: {ALWAYS.name: ALWAYS})
    policies: tuple[Policy, ...] = (BUILT_IN,)
    escalation: EscalationRules = field(default_factory=EscalationRules)
    clocks_version: str = ""
    """Tells apart what clocks are made by: policies and calendars."""


class RuleBook:
    """The files as they are by now. A file that cannot be used never stops the desk: its last good
    version goes on, and :attr:`problems` says what is wrong.
    """

    def __init__(self, home: Path | None, settings: Settings) -> None:
        self.escalation = EscalationFile(home, settings)
        self.companies = CompanyFile(home)

    @property
    def files(self) -> tuple[WatchedFile[Any], ...]:
        """Every file that is watched."""
        return (self.escalation, self.companies)

    @property
    def current(self) -> Rules:
        """What the files say, edits taken in."""
        return Rules(escalation=self.escalation.value)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files, a sentence each."""
        return [file.problem for file in self.files if file.problem is not None]
