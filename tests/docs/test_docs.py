"""What the documentation says is true: its samples load, its commands parse, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from console.commands.arguments import HANDLERS, read_arguments
from console.keys_page import page_with_table
from workflow.calendar_file import load_calendars
from workflow.companies import load_companies
from workflow.escalation_rules import load_escalation
from workflow.policy_file import load_policies
from workflow.routing.reach import gap, unreachable
from workflow.routing.table import load_routes
from workflow.settings import AgentSettings, GroupSettings, Settings, load_settings
from workflow.triggers.do_reading import ACTIONS
from workflow.triggers.events import WORDS
from workflow.triggers.reading import FILE as TRIGGERS
from workflow.triggers.reading import load_triggers

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_SAMPLE = re.compile(r"```toml deskhand\.toml\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^(?:    |\$ )(deskhand .*)$|`(deskhand [^`]*)`", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def samples() -> list[tuple[str, str]]:
    return [
        (page.name, match[1])
        for page in PAGES
        for match in _SAMPLE.finditer(page.read_text(encoding="utf-8"))
    ]


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for match in _COMMAND.finditer(page.read_text(encoding="utf-8")):
            found.append((page.name, (match[1] or match[2]).split("  #")[0].strip()))
    return found


def test_there_is_something_to_check() -> None:
    assert samples()
    assert len(commands()) > 10


@pytest.mark.parametrize(("page", "sample"), samples())
def test_a_sample_of_settings_loads_without_a_warning(
    page: str, sample: str, tmp_path: Path
) -> None:
    (tmp_path / "deskhand.toml").write_text(sample, encoding="utf-8")
    settings = load_settings(tmp_path)
    assert settings.channels, page
    assert settings.warnings == ()


def tables() -> list[tuple[str, str, str]]:
    found = re.compile(r"```csv (workflow/\w+\.csv)\n(.*?)```", re.DOTALL)
    return [
        (page.name, match[1], match[2])
        for page in PAGES
        for match in found.finditer(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "name", "text"), tables())
def test_a_sample_of_a_table_loads(page: str, name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    if name == "workflow/companies.csv":
        assert len(load_companies(tmp_path)) > 1
        return
    assert name == "workflow/routing.csv", page
    names = ("finance", "senior", "support", "support-de")
    levels = {"senior": "L2"}
    groups = tuple(GroupSettings(group, levels.get(group, "L1")) for group in names)
    found = load_routes(tmp_path, Settings(groups=groups))
    assert len(found.routes) > 2
    assert unreachable(found) == []
    assert gap(found) is None


def rule_files() -> list[tuple[str, str, str]]:
    found = re.compile(r"```toml (workflow/escalation\.toml)\n(.*?)```", re.DOTALL)
    return [
        (page.name, match[1], match[2])
        for page in PAGES
        for match in found.finditer(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "name", "text"), rule_files())
def test_a_sample_of_rules_loads(page: str, name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    groups = (GroupSettings("finance", "L2"), GroupSettings("leads", "lead"))
    agents = (AgentSettings("ben", "ben@example.com", ("finance",)),)
    rules = load_escalation(tmp_path, Settings(agents=agents, groups=groups))
    assert rules.reasons
    assert [rule.do.escalate.to for rule in rules.rules if rule.do.escalate] == ["L2", "L2", "lead"]
    assert [(level.name, level.group, level.then) for level in rules.levels] == [
        ("L2", "finance", "lead"),
        ("lead", "leads", None),
    ]


def test_the_sample_of_triggers_loads(tmp_path: Path) -> None:
    found = re.search(r"```toml workflow/triggers\.toml\n(.*?)```", _page("triggers"), re.DOTALL)
    assert found is not None
    (tmp_path / "workflow").mkdir()
    (tmp_path / TRIGGERS).write_text(found[1], encoding="utf-8")
    rules = load_triggers(tmp_path, Settings(), load_calendars(tmp_path))
    assert [rule.name for rule in rules if rule.do.send] == ["received"]
    assert [rule.name for rule in rules if rule.every] == ["monday list"]
    # Every event and every action is on the page.
    page = _page("triggers")
    assert [word for word in WORDS if f"`{word}`" not in page] == []
    assert [key for key in ACTIONS if f"`{key}`" not in page] == []


def test_the_sample_of_policies_loads(tmp_path: Path) -> None:
    folder = tmp_path / "workflow"
    folder.mkdir()
    for name, page in (("calendars", "calendars"), ("sla", "clocks")):
        found = re.search(rf"```toml workflow/{name}\.toml\n(.*?)```", _page(page), re.DOTALL)
        assert found is not None, page
        (folder / f"{name}.toml").write_text(found[1], encoding="utf-8")
    policies = load_policies(tmp_path, load_calendars(tmp_path))
    assert [(p.name, p.calendar.name) for p in policies.in_order] == [
        ("Billing error", "office"),
        ("Enterprise", "always"),
        ("Everybody else", "office"),
    ]
    for setting in ("name", "match", "calendar", "escalate_unresolved", "warn", "pause_on"):
        assert f"| `{setting}` |" in _page("clocks")


def _page(name: str) -> str:
    return next(page.read_text(encoding="utf-8") for page in PAGES if page.name == f"{name}.md")


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_is_understood(page: str, command: str) -> None:
    # A word in capitals stands for a value; a number does for every one of them.
    words = ["7" if re.fullmatch(r"[A-Z]+", word) else word for word in shlex.split(command)[1:]]
    if words == ["7"] or words[1:] == []:
        # Only named, as in "deskhand import brings in ...".
        assert words[0] in (*HANDLERS, "7"), page
        return
    args = read_arguments(words)
    assert args.verb is None or args.verb in HANDLERS, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    broken = [
        target
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_verb_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [
        verb for verb in HANDLERS if f"`{verb}" not in text and f"deskhand {verb}" not in text
    ]
    assert missing == []


def test_the_table_of_keys_is_that_of_the_console() -> None:
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    assert page_with_table(page) == page
