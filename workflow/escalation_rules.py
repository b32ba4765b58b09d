"""What ``workflow/escalation.toml`` says: the levels a ticket can be moved up to, who is told, how
long they have to accept, who is told next, and the reasons that may be given.

A home without the file has the levels of its groups. A file that cannot be used never stops the
desk (:mod:`workflow.watched`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workflow.calendars import Calendar
from workflow.clock import parse_duration
from workflow.plaintext import one_line
from workflow.settings import Settings
from workflow.toml_lines import Entry, TomlFile
from workflow.triggers.escalation_reading import read_escalations
from workflow.triggers.rule import Rule
from workflow.watched import WatchedFile

__all__ = [
    "FILE",
    "EscalationFile",
    "EscalationRules",
    "Level",
    "levels_of_groups",
    "load_escalation",
]

FILE = "workflow/escalation.toml"
ACCEPT_WITHIN_S = 30 * 60
"""How long a level has to accept where the team has not said."""

NOBODY = "nobody"
"""``then`` of a level that is the top, though others stand below it in the file."""

_LONGEST_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the ladder.

    ``group`` takes the ticket; its agents and ``notify`` (mail addresses) are told.
    ``accept_within_s`` None promises no acceptance: the level is never passed over; it is working
    time of ``calendar``. ``then`` is the level that is told when nobody accepts; None at the top.
    """

    name: str
    group: str | None = None
    accept_within_s: int | None = ACCEPT_WITHIN_S
    then: str | None = None
    notify: tuple[str, ...] = ()
    calendar: str = "always"


@dataclass(frozen=True, slots=True)
class EscalationRules:
    """The ladder, lowest level first, and the reasons (none: any word will do).

    ``lowest`` is the level of a ticket that has none, ``rules`` move tickets up by themselves.
    """

    levels: tuple[Level, ...] = ()
    reasons: tuple[str, ...] = ()
    lowest: str | None = None
    rules: tuple[Rule, ...] = ()

    def level(self, name: str | None) -> Level | None:
        """The level of a name, in whatever case."""
        wanted = (name or "").lower()
        return next((level for level in self.levels if level.name.lower() == wanted), None)

    def after(self, name: str | None) -> Level | None:
        """Where a ticket of a level goes next; None from the top."""
        current = self.level(name) or self.level(self.lowest)
        if current is None:
            return self.levels[0] if self.levels else None
        return self.level(current.then) if current.then else None

    def reason(self, said: str) -> str | None:
        """The reason as the file writes it; None where it is not one of those."""
        if not self.reasons:
            return said
        return next((r for r in self.reasons if r.lower() == said.lower()), None)


def levels_of_groups(settings: Settings) -> EscalationRules:
    """The rules of a team that has written none: the levels of deskhand.toml in their order."""
    names = settings.levels
    return EscalationRules(
        tuple(
            Level(name, _group_of(settings, name), then=after)
            for name, after in zip(names, (*names[1:], None), strict=False)
        ),
        lowest=names[0] if names else None,
    )


def _group_of(settings: Settings, level: str) -> str | None:
    return next((g.name for g in settings.groups if g.level.lower() == level.lower()), None)


def load_escalation(
    home: Path, settings: Settings, calendars: Mapping[str, Calendar] | None = None
) -> EscalationRules:
    """The rules of a home; without the file those of its groups. Names of calendars are judged where
    ``calendars`` are given.

    Raises SettingsError that names the file, the line, the column, what was found and what fits.
    """
    file = TomlFile.read(home / FILE)
    if file is None:
        return levels_of_groups(settings)
    rules = _rules(file, settings)
    if calendars is not None:
        for entry in file.entries("level"):
            name = entry.text("calendar", "always")
            if name not in calendars:
                there = ", ".join(calendars)
                raise entry.fault("calendar", f"there is no calendar {name!r}: there are {there}")
    return rules


def _rules(file: TomlFile, settings: Settings) -> EscalationRules:
    file.top.allow({"level", "reasons", "rule"})
    reasons = file.top.texts("reasons")
    if any(not reason.strip() or reason != one_line(reason, 80) for reason in reasons):
        raise file.top.fault("reasons", "a reason is one line of up to 80 letters")
    entries = file.entries("level")
    names = [entry.text("name") for entry in entries]
    found = tuple(_level(entry, names, index, settings) for index, entry in enumerate(entries))
    if not found:
        built_in = levels_of_groups(settings)
        rules = EscalationRules(built_in.levels, reasons, built_in.lowest)
    else:
        rules = EscalationRules(found, reasons, settings.levels[0] if settings.levels else None)
    for entry, level in zip(entries, found, strict=True):
        _refuse_circle(entry, level, rules)
    levels = [level.name for level in rules.levels]
    return replace(rules, rules=read_escalations(file, settings, levels, reasons))


def _level(entry: Entry, names: list[str], index: int, settings: Settings) -> Level:
    hints = {"reasons": "write it above the first [[level]]"}
    entry.allow({"name", "group", "accept_within", "then", "notify", "calendar"}, hints)
    name = names[index]
    if not name.strip() or name != one_line(name, 40):
        raise entry.fault("name", f'{name!r} cannot name the level: write name = "L2"')
    if name.lower() in (other.lower() for other in names[:index]):
        raise entry.fault("name", f"{name!r} stands there twice: give each level its own name")
    group = entry.text("group") or _group_of(settings, name)
    known = [g.name for g in settings.groups]
    if group is not None and group not in known:
        there = ", ".join(known) or "none yet"
        raise entry.fault(
            "group", f"there is no group {group!r} in deskhand.toml: there are {there}"
        )
    below = names[index + 1] if index + 1 < len(names) else None
    then: str | None = entry.text("then") or below
    if then == NOBODY:
        then = None
    if then is not None and then not in names:
        raise entry.fault("then", f"there is no level {then!r} here: there are {', '.join(names)}")
    notify = entry.texts("notify")
    for address in notify:
        local, at, domain = address.rpartition("@")
        if not (local and at and domain) or any(mark in address for mark in " <>,;\r\n"):
            raise entry.fault(
                "notify", f"{address!r} is no mail address: write it like ben@example.com"
            )
    calendar = entry.text("calendar", "always")
    return Level(name, group, _within(entry), then, notify, calendar)


def _within(entry: Entry) -> int | None:
    text = entry.text("accept_within", f"{ACCEPT_WITHIN_S}s")
    if text == "never":
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as fault:
        raise entry.fault("accept_within", f'{fault}; or "never"') from None
    if not 0 < seconds <= _LONGEST_S:
        raise entry.fault(
            "accept_within", f'{text!r} is not between 1s and a year; or write "never"'
        )
    return seconds


def _refuse_circle(entry: Entry, level: Level, rules: EscalationRules) -> None:
    seen = [level.name]
    following = rules.level(level.then)
    while following is not None:
        if following.name in seen:
            way = " -> ".join([*seen, following.name])
            raise entry.fault(
                "then", f'the levels lead in a circle ({way}): give the top one then = "nobody"'
            )
        seen.append(following.name)
        following = rules.level(following.then)


class EscalationFile(WatchedFile[EscalationRules]):
    """The rules as they are by now: an edit of the file is picked up when they are next asked for."""

    def __init__(
        self,
        home: Path | None,
        settings: Settings,
        calendars: WatchedFile[Mapping[str, Calendar]] | None = None,
    ) -> None:
        super().__init__(
            home,
            FILE,
            lambda where: load_escalation(where, settings, calendars.value if calendars else None),
            levels_of_groups(settings),
            uses=(calendars,) if calendars else (),
        )
