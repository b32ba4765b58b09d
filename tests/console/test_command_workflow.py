"""workflow check, show and diagram: what stands in the files, and what is wrong with it."""

from __future__ import annotations

import json
import re

import pytest

from tests.console.command_line import CommandLine

TABLE = """\
rule,topic,tier,->,group,priority,suggest,mode
billing,billing,,,experts,high,,
vip,,vip,,experts,,,shadow
everything else,,,,support,,,
"""


def write(deskhand: CommandLine, text: str, name: str = "routing.csv") -> None:
    path = deskhand.home / "workflow" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_desk_without_files_has_nothing_to_mend(deskhand: CommandLine) -> None:
    done = deskhand("workflow", "check")
    assert (done.status, done.err) == (0, "")
    assert "nothing to mend" in done.out
    assert deskhand.json("workflow", "check") == {"problems": [], "warnings": []}


def test_each_problem_is_told_with_its_place(deskhand: CommandLine) -> None:
    write(
        deskhand,
        TABLE + "late,sales,,,support,,,\nwrong,,,,suport,hihg,,\nmacros,,,,support,,refnd,\n",
    )
    write(deskhand, "domain,company,tier\nnodomain,x,y\n", "companies.csv")
    write(deskhand, '[[level]]\nname = "L2"\ngroup = "nobody"\n', "escalation.toml")
    (deskhand.home / "macros").mkdir(exist_ok=True)
    (deskhand.home / "macros" / "bad.md").write_text("+++\nttitle = 1\n+++\nx\n")
    done = deskhand("--json", "workflow", "check")
    assert done.status == 1
    told = done.document["problems"]
    found = {(one["file"], one["line"], one["column"]): one["sentence"] for one in told}
    routing = "workflow/routing.csv"
    assert "no group 'suport' in deskhand.toml: did you mean support?" in found[routing, 6, 10]
    assert "priority 'hihg' is not one of" in found[routing, 6, 17]
    assert "'late' is never reached: 'everything else' (line 4) takes" in found[routing, 5, 1]
    assert "there is no macro 'refnd'" in found[routing, 7, 20]
    assert any(file == "workflow/companies.csv" and line == 2 for file, line, _column in found)
    assert any(file == "workflow/escalation.toml" and line == 3 for file, line, _column in found)
    assert any(file.startswith("macros/bad.md") for file, _line, _column in found)
    people = deskhand("workflow", "check")
    assert people.status == 1
    for line in people.out.splitlines():
        assert re.match(r"(workflow|macros)/[\w.]+:\d+:\d+: .+", line), line


@pytest.mark.parametrize(
    ("rows", "place", "words"),
    [
        (
            "a,billing,,,support,,,\n",
            [2, 1],
            "match no row and get no owner, such as -topic:billing",
        ),
        ("a,billing,,,,high,,\nb,,,,support,,,\n", [2, 1], "'a' gives neither group nor assignee"),
    ],
)
def test_tickets_without_an_owner_are_a_warning(
    deskhand: CommandLine, rows: str, place: list[int], words: str
) -> None:
    write(deskhand, TABLE.partition("\n")[0] + "\n" + rows)
    found = deskhand.json("workflow", "check")
    assert found["problems"] == []
    (warning,) = found["warnings"]
    assert [warning["line"], warning["column"]] == place
    assert words in warning["sentence"]


def test_a_channel_of_no_kind_is_a_warning(deskhand: CommandLine) -> None:
    write(deskhand, "rule,channel,->,group\na,emial,,support\nb,,,support\n")
    (warning,) = deskhand.json("workflow", "check")["warnings"]
    assert (warning["line"], warning["column"]) == (2, 3)
    assert warning["sentence"].startswith("no channel 'emial' is in the desk: did you mean email?")


def test_checking_writes_nothing_and_stops_at_no_database(deskhand: CommandLine) -> None:
    write(deskhand, TABLE)
    before = {path for path in deskhand.home.rglob("*") if ".last-good" in path.parts}
    deskhand.json("workflow", "check")
    assert {path for path in deskhand.home.rglob("*") if ".last-good" in path.parts} >= before
    assert not (deskhand.home / "deskhand.db").exists()


def test_what_the_engine_understood_is_shown(deskhand: CommandLine) -> None:
    write(deskhand, TABLE)
    found = deskhand.json("workflow", "show")
    assert set(found) >= {"groups", "calendars", "policies", "routing", "rules", "escalation"}
    assert found["routing"][0] == {
        "line": "2",
        "row": "billing",
        "when": "topic:billing",
        "gives": "group experts, priority high",
        "mode": "live",
    }
    assert found["routing"][1]["mode"] == "shadow"
    assert found["groups"][0]["agents"] == "ana"
    text = deskhand("workflow", "show", "routing").out
    assert text.startswith("routing\nline  row")
    assert "4     everything else  everything     group support" in text
    assert "take one of groups" in deskhand.refused(2, "workflow", "show", "rutes")


def test_a_fault_shows_what_is_at_work(deskhand: CommandLine) -> None:
    write(deskhand, TABLE)
    deskhand.opened("m1")
    write(deskhand, "rule,->,group\na,,x\n")
    found = deskhand.json("workflow", "show", "routing")
    assert [row["row"] for row in found["routing"]] == ["billing", "vip", "everything else"]
    assert "there is no group 'x'" in found["problems"][0]


def test_the_path_is_drawn(deskhand: CommandLine) -> None:
    write(deskhand, TABLE)
    text = deskhand("workflow", "diagram").out
    for line in (
        "■ routing.csv, the first row that matches",
        "   ├─ billing          topic:billing  → group experts, priority high",
        "   └─ everything else  everything     → group support",
        "   └─ experts (L2): manual: ben",
    ):
        assert line in text.splitlines(), text
    drawn = deskhand.json("workflow", "diagram", "--format", "mermaid")["diagram"].splitlines()
    assert drawn[0] == "flowchart TD"
    assert '    table -->|"1. billing: topic:billing"| group1' in drawn
    assert '    table -.->|"2. vip: tier:vip"| group1' in drawn


def test_a_hostile_name_is_no_markup_of_the_drawing(deskhand: CommandLine) -> None:
    write(deskhand, 'rule,->,group\n"a""]; click x ""javascript|<b>",,support\n')
    drawn = deskhand.json("workflow", "diagram", "--format", "mermaid")["diagram"]
    line = next(line for line in drawn.splitlines() if "click x" in line)
    label = re.search(r'\|"(.*)"\|', line)
    assert label is not None
    assert not set('"<>|') & set(label[1])
    assert "#quot;" in label[1]
    assert json.loads(json.dumps(drawn)) == drawn


def test_a_fault_in_the_settings_is_the_one_problem(deskhand: CommandLine) -> None:
    (deskhand.home / "deskhand.toml").write_text('[[agent]]\nname = "ana"\nrole = "boss"\n')
    done = deskhand("--json", "workflow", "check")
    assert (done.status, done.err) == (1, "")
    (problem,) = done.document["problems"]
    assert (problem["file"], problem["line"]) == ("deskhand.toml", 3)
    assert problem["sentence"] == "'boss' is not one of agent, lead"
