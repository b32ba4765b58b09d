"""The ``[[rule]]`` entries of ``workflow/escalation.toml``: when a ticket is moved up by itself."""

from __future__ import annotations

from collections.abc import Sequence

from workflow.settings import Settings
from workflow.toml_lines import Entry, TomlFile
from workflow.triggers.do_reading import read_notify, read_up
from workflow.triggers.reading import (
    read_cap,
    read_events,
    read_metrics,
    read_mode,
    read_name,
    read_once,
    read_query,
    read_span,
)
from workflow.triggers.rule import Do, Once, Rule, Tell

__all__ = ["read_escalations"]

_KEYS = (
    "name", "on", "metric", "unanswered", "unresolved", "match", "to", "reason", "tried", "needed",
    "notify", "text", "urgent", "once", "cap", "mode",
)  # fmt: skip
_HINTS = {
    "when": "what a ticket must be like stands in match, what must happen in on",
    "level": "the level it goes to is called to",
}


def read_escalations(
    file: TomlFile, settings: Settings, levels: Sequence[str], reasons: Sequence[str]
) -> tuple[Rule, ...]:
    """The rules of the file, in their order; raises SettingsError."""
    found: list[Rule] = []
    for entry in file.entries("rule"):
        rule = _rule(entry, settings, levels, reasons)
        if rule.name in (other.name for other in found):
            raise entry.fault(
                "name", f"{rule.name!r} stands there twice: give each rule its own name"
            )
        found.append(rule)
    return tuple(found)


def _rule(entry: Entry, settings: Settings, levels: Sequence[str], reasons: Sequence[str]) -> Rule:
    entry.allow(_KEYS, _HINTS)
    up = read_up(entry)
    groups = [group.name.lower() for group in settings.groups]
    if up.to is not None and up.to.lower() not in [*map(str.lower, levels), *groups]:
        there = ", ".join(levels) or "none yet"
        raise entry.fault("to", f"there is no level {up.to!r}: there are {there}")
    if reasons and up.reason and up.reason.lower() not in map(str.lower, reasons):
        raise entry.fault(
            "reason",
            f"{up.reason!r} is not one of the reasons above: there are {', '.join(reasons)}",
        )
    on = read_events(entry, "on")
    unanswered, unresolved = read_span(entry, "unanswered"), read_span(entry, "unresolved")
    if not on and unanswered is None and unresolved is None:
        if not entry.text("match"):
            raise entry.fault(
                "on",
                'when is it moved up? write on = "breached", on = "customer asks", unanswered = "4h",'
                ' unresolved = "3h" or match = "tier:enterprise"',
            )
        on = ("message in",)
    if "text" in entry.values and "notify" not in entry.values:
        raise entry.fault("text", "text is what those under notify are told: give notify")
    tell = None
    if "notify" in entry.values:
        tell = Tell(read_notify(entry, "notify", settings), entry.text("text"))
    return Rule(
        name=read_name(entry),
        file="escalation.toml",
        line=entry.line,
        do=Do(escalate=up, notify=tell),
        on=on,
        metrics=read_metrics(entry),
        unanswered_s=unanswered,
        unresolved_s=unresolved,
        when=read_query(entry, "match"),
        once=read_once(entry, Once("ticket")),
        cap=read_cap(entry),
        shadow=read_mode(entry),
        urgent=entry.flag("urgent"),
    )
