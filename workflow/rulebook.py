"""Everything that a team's files under ``workflow/`` say, as one value that does not change under
whoever works with it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workflow import calendar_file
from workflow.calendar_file import files_beside, load_calendars
from workflow.calendars import ALWAYS, Calendar
from workflow.companies import CompanyFile
from workflow.escalation_rules import EscalationFile, EscalationRules
from workflow.policy import BUILT_IN, Mark, Policies
from workflow.policy_file import FILE as POLICIES
from workflow.policy_file import load_policies
from workflow.query.predicate import compile_predicate
from workflow.query.steady import JUDGED_AT, moving
from workflow.routing.matching import Matcher, RoutingFile
from workflow.settings import Settings
from workflow.triage.topics import FILE as TOPICS
from workflow.triage.topics import NO_TOPICS, Topics, load_topics
from workflow.triggers.reading import FILE as TRIGGERS
from workflow.triggers.reading import load_triggers
from workflow.triggers.rule import Rule
from workflow.watched import WatchedFile

__all__ = ["RuleBook", "Rules"]


_BUILT_IN = Policies.of(BUILT_IN)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at a moment."""

    calendars: Mapping[str, Calendar] = field(default_factory=lambda: {ALWAYS.name: ALWAYS})
    policies: Policies = field(default=_BUILT_IN)
    escalation: EscalationRules = field(default_factory=EscalationRules)
    rules: tuple[Rule, ...] = ()
    """What happens by itself: triggers, then the rules that escalate."""
    routes: Matcher = field(default_factory=Matcher)
    """The decision table."""
    marks: tuple[Mark, ...] = ()
    """The moments of clocks that rules wait for."""
    topics: Topics = NO_TOPICS
    clocks_version: str = ""
    """Tells apart what clocks are made by: policies, calendars and marks."""


class RuleBook:
    """The files as they are by now. A file that cannot be used never stops the desk: its last good
    version goes on, and :attr:`problems` says what is wrong.
    """

    def __init__(
        self,
        home: Path | None,
        settings: Settings,
        built_in: Policies = _BUILT_IN,
    ) -> None:
        self._lock = threading.Lock()
        self._said: tuple[object, ...] = ()
        self._made: Rules | None = None
        self.calendars = WatchedFile(
            home, calendar_file.FILE, load_calendars, calendar_file.BUILT_IN, files_beside
        )
        self.escalation = EscalationFile(home, settings, self.calendars)
        self.companies = CompanyFile(home)
        self.policies: WatchedFile[Policies] = WatchedFile(
            home,
            POLICIES,
            lambda where: load_policies(where, self.calendars.value, built_in),
            built_in,
            uses=(self.calendars,),
        )
        self.routes = RoutingFile(home, settings)
        self.triggers: WatchedFile[tuple[Rule, ...]] = WatchedFile(
            home,
            TRIGGERS,
            lambda where: load_triggers(where, settings, self.calendars.value),
            (),
            uses=(self.calendars,),
        )

        self.topics: WatchedFile[Topics] = WatchedFile(home, TOPICS, load_topics, NO_TOPICS)

    @property
    def files(self) -> tuple[WatchedFile[Any], ...]:
        """Every file that is watched."""
        return (
            self.calendars,
            self.policies,
            self.escalation,
            self.companies,
            self.routes,
            self.triggers,
            self.topics,
        )

    @property
    def current(self) -> Rules:
        """What the files say, edits taken in."""
        said = tuple(file.value for file in self.files)
        with self._lock:
            if self._made is None or any(a is not b for a, b in zip(said, self._said, strict=True)):
                self._said, self._made = said, self._make()
            return self._made

    def _make(self) -> Rules:
        escalation = self.escalation.value
        rules = (*self.triggers.value, *escalation.rules)
        return Rules(
            calendars=self.calendars.value,
            policies=self.policies.value,
            escalation=escalation,
            rules=rules,
            routes=self.routes.value,
            marks=marks_of(rules),
            clocks_version=self._clocks_version(),
            topics=self.topics.value,
        )

    def _clocks_version(self) -> str:
        digests = (self.policies.digest, self.triggers.digest, self.escalation.digest)
        if not any(digests):
            return ""
        # A calendar may count otherwise with its file as it was: holidays are a library's.
        calendars = {policy.calendar.version for policy in self.policies.value.in_order}
        counted = hashlib.sha256(" ".join(sorted(calendars)).encode()).hexdigest()
        return "-".join(digest[:8] for digest in (*digests, counted))

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files, a sentence each."""
        return [file.problem for file in self.files if file.problem is not None]


def marks_of(rules: Iterable[Rule]) -> tuple[Mark, ...]:
    """What rules wait for on the clocks of tickets: so long unanswered, so long unresolved.

    A query that asks what changes by itself is left to the moment at which the rule fires.
    """
    found: list[Mark] = []
    for rule in rules:
        for seconds, unanswered in ((rule.unanswered_s, True), (rule.unresolved_s, False)):
            if seconds is None:
                continue
            mark = Mark(rule.name, seconds, unanswered)
            if not moving(rule.when):
                fits = compile_predicate(rule.when, JUDGED_AT, scoped=False)
                mark = replace(mark, fits=fits, fields=rule.when.fields)
            found.append(mark)
    return tuple(found)
