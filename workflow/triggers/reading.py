"""``workflow/triggers.toml`` read and checked: every complaint names file, line and column, what was
found and what fits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from workflow.calendars import Calendar
from workflow.clock import parse_duration
from workflow.model import Metric
from workflow.plaintext import one_line
from workflow.query.context import Context
from workflow.query.grammar import QuerySyntaxError, parse
from workflow.query.predicate import compile_predicate
from workflow.query.tree import Query
from workflow.settings import Settings
from workflow.toml_lines import Entry, TomlFile
from workflow.triggers.do_reading import read_do
from workflow.triggers.events import WORDS
from workflow.triggers.rule import AROUND_THE_CLOCK, OF_POLICY, RULE_CAP, Cap, Once, Rule
from workflow.triggers.schedule import Schedule, parse_schedule

__all__ = [
    "FILE",
    "load_triggers",
    "read_cap",
    "read_events",
    "read_metrics",
    "read_mode",
    "read_name",
    "read_once",
    "read_query",
    "read_span",
]

FILE = "workflow/triggers.toml"

_KEYS = (
    "name", "on", "event", "from", "to", "metric", "after", "every", "unanswered", "unresolved",
    "calendar", "when", "unless", "once", "cap", "mode", "urgent", "digest", "do",
)  # fmt: skip
_HINTS = {
    "match": "a trigger's query is called when",
    "if": "a trigger's query is called when",
    "event_name": "the name of a customer event is called event",
    "actions": "what a trigger does stands under do",
}
_LONGEST_S = 366 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CAP = re.compile(r"(\d{1,6})\s+per\s+(\S+)")
_ONCE = re.compile(r"(ticket|customer)(?:\s+per\s+(\S+))?")


def load_triggers(
    home: Path, settings: Settings, calendars: Mapping[str, Calendar] | None = None
) -> tuple[Rule, ...]:
    """The triggers of a home, in their order; none without the file.

    Raises SettingsError that names the file, the line, the column, what was found and what fits.
    Names of calendars are judged where ``calendars`` are given.
    """
    file = TomlFile.read(home / FILE)
    if file is None:
        return ()
    file.top.allow({"trigger"}, {"rule": "each is called [[trigger]] here"})
    found: list[Rule] = []
    for entry in file.entries("trigger"):
        rule = _trigger(entry, settings, calendars)
        if rule.name in (other.name for other in found):
            raise entry.fault(
                "name", f"{rule.name!r} stands there twice: give each trigger its own name"
            )
        found.append(rule)
    return tuple(found)


def _trigger(entry: Entry, settings: Settings, calendars: Mapping[str, Calendar] | None) -> Rule:
    entry.allow(_KEYS, _HINTS)
    do = entry.table("do")
    if do is None:
        raise entry.fault(
            "do", 'the trigger does nothing: write do = { status = "open" }, or [trigger.do] below'
        )
    on, every = read_events(entry, "on"), _every(entry)
    unanswered, unresolved = read_span(entry, "unanswered"), read_span(entry, "unresolved")
    _refuse_no_start(entry, on, every, unanswered, unresolved)
    delay = read_span(entry, "after")
    digest = entry.flag("digest")
    rule = Rule(
        name=read_name(entry),
        file="triggers.toml",
        line=entry.line,
        do=read_do(do, settings),
        on=on,
        signals=tuple(word.replace(" ", "_") for word in _lower(entry.words("event"))),
        before=_lower(entry.words("from")),
        after=_lower(entry.words("to")),
        metrics=read_metrics(entry),
        delay_s=delay,
        every=every,
        unanswered_s=unanswered,
        unresolved_s=unresolved,
        calendar=_calendar(entry, calendars, every),
        unless=read_events(entry, "unless"),
        when=read_query(entry, "when"),
        once=read_once(entry),
        cap=read_cap(entry),
        shadow=read_mode(entry),
        urgent=entry.flag("urgent"),
        digest=digest,
    )
    _refuse_loose_ends(entry, rule)
    return rule


def read_name(entry: Entry) -> str:
    """The name of a rule, by which events, guards and ``explain`` know it."""
    name = entry.text("name")
    if not name.strip() or name != one_line(name, 80) or ":" in name:
        raise entry.fault(
            "name", f'{name!r} cannot name the rule: write name = "remind after three days"'
        )
    return name


def read_mode(entry: Entry) -> bool:
    """Whether the rule only records what it would have done."""
    mode = entry.text("mode", "live")
    if mode not in ("live", "shadow"):
        raise entry.fault("mode", f"{mode!r} is not one of live, shadow")
    return mode == "shadow"


def read_events(entry: Entry, key: str) -> tuple[str, ...]:
    """The words of events under a key, from one text or a list."""
    found: list[str] = []
    for written in entry.words(key):
        word = " ".join(written.lower().replace("_", " ").split())
        if word not in WORDS:
            near = get_close_matches(word, WORDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(WORDS)}"
            raise entry.fault(key, f"there is no event {written!r}: {hint}")
        found.append(word)
    return tuple(dict.fromkeys(found))


def read_span(entry: Entry, key: str) -> int | None:
    """Whole seconds of a length of time; None where the key is not there."""
    if key not in entry.values:
        return None
    text = entry.text(key)
    try:
        seconds = parse_duration(text)
    except ValueError as fault:
        raise entry.fault(key, str(fault)) from None
    if not 0 < seconds <= _LONGEST_S:
        raise entry.fault(key, f"{text!r} is not between 1s and a year")
    return seconds


def read_query(entry: Entry, key: str) -> Query:
    """A query about tickets; an empty one without the key."""
    text = entry.text(key)
    try:
        query = parse(text)
        # "me" is nobody when no agent asks.
        compile_predicate(query, Context(None, _EPOCH))
    except QuerySyntaxError as fault:
        raise entry.fault(key, f"{key} is no query: {fault}") from None
    return query


def read_once(entry: Entry, default: Once | None = None) -> Once | None:
    """``once = "ticket"``, ``once = "customer per 1d"``, or ``"never"`` for no such guard."""
    if "once" not in entry.values:
        return default
    text = " ".join(entry.text("once").lower().split())
    if text == "never":
        return None
    match = _ONCE.fullmatch(text)
    form = 'write once = "ticket", "ticket per 1d", "customer per 1d", or "never"'
    if match is None:
        raise entry.fault("once", f"{text!r} is no guard: {form}")
    try:
        within = parse_duration(match[2]) if match[2] else None
    except ValueError as fault:
        raise entry.fault("once", f"{fault}; {form}") from None
    if within is not None and within <= 0:
        raise entry.fault("once", f"{match[2]!r} is no time to count in: {form}")
    return Once("ticket" if match[1] == "ticket" else "customer", within)


def read_cap(entry: Entry) -> Cap:
    """``cap = "20 per 1h"``: how often the rule fires at most."""
    if "cap" not in entry.values:
        return RULE_CAP
    text = entry.text("cap")
    match = _CAP.fullmatch(" ".join(text.lower().split()))
    try:
        seconds = parse_duration(match[2]) if match else 0
    except ValueError:
        seconds = 0
    if match is None or not int(match[1]) or not 0 < seconds <= _LONGEST_S:
        raise entry.fault("cap", f'{text!r} is no cap: write how often in what time: "20 per 1h"')
    return Cap(int(match[1]), seconds)


def _every(entry: Entry) -> Schedule | None:
    if "every" not in entry.values:
        return None
    try:
        return parse_schedule(entry.text("every"))
    except ValueError as fault:
        raise entry.fault("every", str(fault)) from None


def read_metrics(entry: Entry) -> tuple[str, ...]:
    """The clocks that ``metric`` names."""
    known = [str(metric) for metric in Metric]
    found = [word.lower().strip().replace(" ", "_") for word in entry.words("metric")]
    for word in found:
        if word not in known:
            raise entry.fault("metric", f"there is no clock {word!r}: there are {', '.join(known)}")
    return tuple(found)


def _calendar(
    entry: Entry, calendars: Mapping[str, Calendar] | None, every: Schedule | None
) -> str:
    name = entry.text("calendar", AROUND_THE_CLOCK)
    if name == OF_POLICY:
        if every is not None:
            raise entry.fault("calendar", "every needs a calendar of its own for its time of day")
        return name
    if calendars is not None and name not in calendars:
        there = ", ".join((OF_POLICY, *calendars))
        raise entry.fault("calendar", f"there is no calendar {name!r}: there are {there}")
    return name


def _lower(words: Collection[str]) -> tuple[str, ...]:
    return tuple(one_line(word).lower() for word in words)


def _refuse_no_start(
    entry: Entry,
    on: tuple[str, ...],
    every: Schedule | None,
    unanswered: int | None,
    unresolved: int | None,
) -> None:
    starts = {"on": bool(on), "every": every is not None}
    starts |= {"unanswered": unanswered is not None, "unresolved": unresolved is not None}
    named = [key for key, there in starts.items() if there]
    if not named:
        raise entry.fault(
            "on",
            'when does it happen? write on = "message in", every = "monday 09:00",'
            ' unanswered = "2h" or unresolved = "1d"',
        )
    if every is not None and len(named) > 1:
        raise entry.fault("every", f"every stands alone: drop {named[0]}, or make two triggers")


def _refuse_loose_ends(entry: Entry, rule: Rule) -> None:
    """Settings that would have no meaning where they stand."""

    def needs(key: str, there: bool, what: str) -> None:
        if key in entry.values and not there:
            raise entry.fault(key, f"{key} needs {what}")

    needs("after", bool(rule.on), "an event to count from: give on")
    needs("unless", rule.delay_s is not None, "a time to wait in: give after")
    needs("digest", rule.every is not None, "a time at which it comes: give every")
    needs("event", "customer event" in rule.on, 'on = "customer event"')
    risks = {"at risk", "breached"} & set(rule.on)
    needs("metric", bool(risks), 'on = "at risk" or "breached"')
    changing = [word for word in rule.on if WORDS[word].changed is not None]
    needs("from", bool(changing), "an event in which something changes, such as status")
    needs("to", bool(changing), "an event in which something changes, such as status")
    needs("calendar", rule.delay_s is not None or rule.every is not None, "after or every")
    if rule.digest and (rule.do.notify is None and not rule.do.webhooks and rule.do.run is None):
        raise entry.fault("digest", "a digest tells of many tickets: give notify, webhook or run")
