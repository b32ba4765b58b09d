"""The path of a ticket as a drawing: what comes in, triage, the table, groups, levels, and what
happens by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.rule_words import (
    doing_words,
    group_words,
    level_words,
    match_words,
    policies_of,
    when_words,
)
from workflow.plaintext import one_line
from workflow.routing.reach import gap
from workflow.routing.reasons import given_words
from workflow.routing.table import Route
from workflow.rulebook import Rules
from workflow.settings import GroupSettings, Settings

__all__ = ["MERMAID", "mermaid", "picture"]

MERMAID = "mermaid"
_WIDEST = 100
_TRIAGE = "topic, language, urgency, sentiment"


def picture(rules: Rules, settings: Settings) -> str:
    """As lines of text, from the top down."""
    blocks = [
        ("a message comes in", _channels(settings)),
        ("triage", _triage(rules)),
        ("routing.csv, the first row that matches", _rows(rules)),
        ("groups", _groups(settings)),
        ("promises, the first policy that matches", _promises(rules)),
        ("escalation", _levels(rules)),
        ("by itself", _by_itself(rules)),
    ]
    lines: list[str] = []
    for title, members in blocks:
        if not members:
            continue
        if lines:
            lines += ["   │", "   ▼"]
        lines.append(f"■ {title}")
        for number, member in enumerate(members):
            mark = "└─" if number == len(members) - 1 else "├─"
            lines.append(f"   {mark} {member}")
    return "\n".join(lines)


def _triage(rules: Rules) -> list[str]:
    topics = ", ".join(rules.topics.names)
    return [_TRIAGE, *([f"topics.toml: {topics}"] if topics else [])]


def _channels(settings: Settings) -> list[str]:
    return [f"{one.name} ({one.kind}{', ' + one.address if one.address else ''})"
            for one in settings.channels]  # fmt: skip


def _rows(rules: Rules) -> list[str]:
    table = rules.routes.table
    if not table.routes:
        return []
    cells = [
        (one_line(route.name, 40), one_line(route.condition or "everything", 80), _given(route))
        for route in table.routes
    ]
    widest = [max(len(cell[column]) for cell in cells) for column in (0, 1)]
    rows = [f"{a:{widest[0]}}  {b:{widest[1]}}  → {given}" for a, b, given in cells]
    return [*rows, "(no row matches: it has no owner)"] if gap(table) else rows


def _given(route: Route) -> str:
    words = given_words(route.given.to_json())
    return words if route.live else f"{words} (in shadow: only recorded)"


def _groups(settings: Settings) -> list[str]:
    return [
        f"{group.name} ({group.level}): {_members(group, settings)}" for group in settings.groups
    ]


def _members(group: GroupSettings, settings: Settings) -> str:
    names = [agent.name for agent in settings.agents if group.name in agent.groups]
    return f"{group_words(group)}: {', '.join(names) or 'nobody'}"


def _promises(rules: Rules) -> list[str]:
    return [f"{policy.name}: {match_words(policy)}" for policy in policies_of(rules)]


def _levels(rules: Rules) -> list[str]:
    return [
        f"{level.name} ({level.group or 'no group'}) accepts within {level_words(level)}"
        for level in rules.escalation.levels
    ]


def _by_itself(rules: Rules) -> list[str]:
    return [
        f"{rule.name}: {when_words(rule)}"
        + (f", {rule.when.text.strip()}" if rule.when.text.strip() else "")
        + f" → {doing_words(rule.do)}"
        + (" (in shadow)" if rule.shadow else "")
        for rule in rules.rules
    ]


def mermaid(rules: Rules, settings: Settings) -> str:
    """As a flow chart that Mermaid draws."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _flow(rules, settings))])


def _flow(rules: Rules, settings: Settings) -> Iterator[str]:
    kinds = sorted({channel.kind for channel in settings.channels}) or ["message"]
    yield _node("in", f"{', '.join(kinds)}: a message comes in", "([", "])")
    yield _node("triage", f"triage: {_TRIAGE}")
    yield "in --> triage"
    routes = rules.routes.table.routes
    groups = {group.name: f"group{number}" for number, group in enumerate(settings.groups)}
    if routes:
        yield _node("table", "routing.csv", "{{", "}}")
        yield "triage --> table"
    for number, route in enumerate(routes):
        arrow = "-->" if route.live else "-.->"
        label = _label(f"{number + 1}. {route.name}: {route.condition or 'everything'}")
        target = groups.get(route.given.group or "")
        if target is None:
            target = f"row{number}"
            yield _node(target, given_words(route.given.to_json()))
        yield f"table {arrow}|{label}| {target}"
    for group in settings.groups:
        yield _node(
            groups[group.name], f"{group.name} ({group.level}): {_members(group, settings)}"
        )
    yield from _climb(rules, settings, groups)
    yield from _aside(rules)


def _climb(rules: Rules, settings: Settings, groups: dict[str, str]) -> Iterator[str]:
    levels = {level.name: f"level{n}" for n, level in enumerate(rules.escalation.levels)}
    for level in rules.escalation.levels:
        words = f"{level.name}: {level.group or 'no group'} accepts within {level_words(level)}"
        yield _node(levels[level.name], words, "[/", "/]")
        if level.then in levels:
            yield f"{levels[level.name]} -->|nobody accepts| {levels[level.then or '']}"
    for group in settings.groups:
        following = rules.escalation.after(group.level)
        if following is not None and following.group != group.name:
            yield f"{groups[group.name]} -->|escalate| {levels[following.name]}"


def _aside(rules: Rules) -> Iterator[str]:
    if not rules.rules:
        return
    yield "subgraph itself[by itself]"
    for number, rule in enumerate(rules.rules):
        yield "    " + _node(f"rule{number}", f"{rule.name}: {when_words(rule)}")
        yield "    " + _node(f"did{number}", doing_words(rule.do), "(", ")")
        arrow = "-.->" if rule.shadow else "-->"
        asked = rule.when.text.strip()
        said = f"|{_label(asked)}|" if asked else ""
        yield f"    rule{number} {arrow}{said} did{number}"
    yield "end"


def _node(name: str, words: str, opens: str = "[", closes: str = "]") -> str:
    return f"{name}{opens}{_label(words)}{closes}"


_ENTITIES = {'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "|": "#124;", "&": "#amp;"}


def _label(words: str) -> str:
    """Words in quotes, with the signs that Mermaid reads as its own as entities."""
    shown: Sequence[str] = one_line(words, _WIDEST)
    return '"' + "".join(_ENTITIES.get(character, character) for character in shown) + '"'
