"""What ``workflow/sla.toml`` says: which promises hold for which tickets.

A home without the file has the policy that is built in, for every ticket. With one, a ticket that
no policy matches has no promise, and every list says so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from workflow.calendars import ALWAYS, Calendar, CalendarError
from workflow.clock import parse_duration
from workflow.model import Metric, Priority, Status
from workflow.plaintext import one_line
from workflow.policy import BUILT_IN, Policies, Policy
from workflow.query.grammar import QuerySyntaxError, parse
from workflow.query.predicate import compile_predicate
from workflow.query.steady import JUDGED_AT, moving
from workflow.query.tree import Query
from workflow.toml_lines import Entry, TomlFile

__all__ = ["FILE", "load_policies"]

FILE = "workflow/sla.toml"

_KEYS = {
    "name", "match", "calendar", *Metric, "escalate_unresolved", "warn", "pause_on",
}  # fmt: skip
_HINTS = {
    "when": "a policy's query is called match",
    "priority": "give a target for each: resolution = { high = \"4h\" }",
    "escalate": "write escalate_unresolved",
}  # fmt: skip
_ALWAYS_DUE_S = 300 * 86_400
"""By the calendar that opens least a promise of this length is still due within its years."""
_LATE = datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST_S = 5 * 366 * 86_400


def load_policies(
    home: Path, calendars: Mapping[str, Calendar], built_in: Policies | None = None
) -> Policies:
    """The policies of a home in the order of the file; without it the one that is built in.

    Raises SettingsError that names the file, the line, the column, what was found and what fits.
    """
    file = TomlFile.read(home / FILE)
    if file is None:
        return built_in or Policies.of(BUILT_IN)
    file.top.allow({"policy"}, dict.fromkeys(_KEYS, "write it below a [[policy]]"))
    entries = file.entries("policy")
    found: list[Policy] = []
    for entry in entries:
        policy = _policy(entry, calendars)
        if any(policy.name.lower() == other.name.lower() for other in found):
            raise entry.fault(
                "name", f"{policy.name!r} stands there twice: give each policy its own name"
            )
        found.append(policy)
    return Policies(tuple(found))


def _policy(entry: Entry, calendars: Mapping[str, Calendar]) -> Policy:
    entry.allow(_KEYS, _HINTS)
    name = entry.text("name")
    if not name.strip() or name != one_line(name, 80):
        raise entry.fault("name", f'{name!r} cannot name the policy: write name = "Billing error"')
    warn_share, warn_s = _warn(entry)
    query = _query(entry)
    targets = {metric: _targets(entry, metric.value) for metric in Metric}
    if not any(targets.values()):
        raise entry.fault(
            "name",
            f"the policy {name!r} promises nothing: give it first_response, next_response, update"
            " or resolution",
        )
    escalate = _targets(entry, "escalate_unresolved")
    _refuse_late(entry, escalate, targets[Metric.RESOLUTION])
    calendar = _calendar(entry, calendars)
    _refuse_never_due(entry, calendar, targets)
    return Policy(
        name=name,
        targets={metric: by for metric, by in targets.items() if by},
        calendar=calendar,
        warn_share=warn_share,
        warn_s=warn_s,
        pause_on=_pause_on(entry),
        escalate=escalate,
        match=query.text,
        fits=compile_predicate(query, JUDGED_AT, scoped=False),
        fields=query.fields,
        cause=f"sla.toml:{entry.line}",
    )


def _query(entry: Entry) -> Query:
    try:
        query = parse(entry.text("match"))
        compile_predicate(query, JUDGED_AT, scoped=False)
    except QuerySyntaxError as fault:
        raise entry.fault("match", str(fault)) from None
    word = moving(query)
    if word is None and ("policy" in query.fields or "without-policy" in query.text):
        word = "policy"
    if word is not None:
        raise entry.fault(
            "match",
            f"a promise cannot be chosen by {word}, which changes by itself: choose it by what the"
            " ticket is (topic, tier, channel, priority, tag, group, ...)",
        )
    return query


def _calendar(entry: Entry, calendars: Mapping[str, Calendar]) -> Calendar:
    name = entry.text("calendar", ALWAYS.name)
    if name in calendars:
        return calendars[name]
    near = difflib.get_close_matches(name, calendars, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(calendars)}"
    raise entry.fault("calendar", f"there is no calendar {name!r} in calendars.toml: {hint}")


def _targets(entry: Entry, key: str) -> dict[Priority, int]:
    """Seconds by priority; one value serves all."""
    found = entry.values.get(key)
    if found is None:
        return {}
    if isinstance(found, str):
        return dict.fromkeys(Priority, _seconds(entry, key, found))
    table = entry.table(key) if isinstance(found, dict) else None
    if table is None:
        raise entry.fault(
            key,
            f'{key} is a length of time like "4h", or one for each priority like'
            f' {{ high = "4h", low = "3d" }}; found {found!r}',
        )
    known = [priority.word for priority in Priority]
    table.allow(known)
    return {Priority.parse(word): _seconds(table, word, table.text(word)) for word in table.values}


def _seconds(entry: Entry, key: str, text: str) -> int:
    try:
        seconds = parse_duration(text)
    except (ValueError, OverflowError) as fault:
        raise entry.fault(key, str(fault)) from None
    if not 0 < seconds <= _LONGEST_S:
        raise entry.fault(key, f"{text!r} is not between 1s and five years")
    return seconds


def _refuse_late(
    entry: Entry, escalate: Mapping[Priority, int], targets: Mapping[Priority, int]
) -> None:
    for priority, seconds in escalate.items():
        if priority in targets and seconds > targets[priority]:
            raise entry.fault(
                "escalate_unresolved",
                f"a ticket of priority {priority.word} would be escalated after its resolution is"
                " due: make it less than resolution",
            )


def _refuse_never_due(
    entry: Entry, calendar: Calendar, targets: Mapping[Metric, Mapping[Priority, int]]
) -> None:
    """A long promise by a calendar that hardly opens would be due after all the years it counts."""
    for metric, by_priority in targets.items():
        longest = max(by_priority.values(), default=0)
        if longest <= _ALWAYS_DUE_S:
            continue
        try:
            calendar.due(_LATE, longest)
        except CalendarError as fault:
            raise entry.fault(metric, str(fault)) from None


def _warn(entry: Entry) -> tuple[float, int | None]:
    text = entry.text("warn", "20%")
    share = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)\s*%", text.strip())
    if share is None:
        return BUILT_IN.warn_share, _seconds(entry, "warn", text)
    part = float(share[1]) / 100
    if not 0 < part < 1:
        raise entry.fault("warn", f"{text!r} is not between 0% and 100%: write it like 20%")
    return part, None


def _pause_on(entry: Entry) -> frozenset[Status]:
    if "pause_on" not in entry.values:
        return BUILT_IN.pause_on
    found: list[Status] = []
    for word in entry.texts("pause_on"):
        try:
            found.append(Status.parse(word))
        except ValueError as fault:
            raise entry.fault("pause_on", str(fault)) from None
    return frozenset(_waiting(entry, found))


def _waiting(entry: Entry, statuses: Iterable[Status]) -> Iterable[Status]:
    for status in statuses:
        if status not in (Status.PENDING, Status.ON_HOLD):
            raise entry.fault(
                "pause_on",
                f"{status} does not wait for anybody: a promise pauses on pending and on hold only",
            )
        yield status
