"""batch: a document for each line, and a failing line stops nothing."""

from __future__ import annotations

import io
import sys

import pytest

from tests.console.command_line import CommandLine


def batch(deskhand: CommandLine, *lines: str) -> list[dict[str, object]]:
    path = deskhand.home / "lines.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    done = deskhand("batch", str(path))
    assert (done.status, done.err) == (0, "")
    return done.documents


def test_each_line_answers_as_the_verb_does(deskhand: CommandLine) -> None:
    mail = deskhand.mail("first")
    made, listed, reply = batch(
        deskhand,
        f"intake '{mail}'",
        "list -assignee:me",
        "reply 1 --text 'Hello there' --undo-window 0s",
    )
    assert made["ok"] is True
    assert made["result"]["outcome"] == "created"  # type: ignore[index]
    assert listed["result"]["total"] == 1  # type: ignore[index]
    assert reply["result"]["state"] == "queued"  # type: ignore[index]


def test_a_failing_line_does_not_stop_the_rest(deskhand: CommandLine) -> None:
    deskhand.opened()
    found = batch(
        deskhand,
        "# a remark",
        "show 99",
        "",
        "show 'open quote",
        "show --help",
        "nonsense",
        "batch -",
        "engine",
        "list stauts:open",
        "snooze 1 99999999w",
        "undo",
        "list --view All",
    )
    assert [line["ok"] for line in found] == [False] * 9 + [True]
    assert "there is no ticket #99" in str(found[0]["error"])
    assert "No closing quotation" in str(found[1]["error"])
    assert "cannot be used in a batch" in str(found[4]["error"])
    assert "did you mean status?" in str(found[6]["error"])
    assert all(str(line["error"]) for line in found[:-1])


def test_each_line_may_have_its_own_time_and_agent(deskhand: CommandLine) -> None:
    deskhand.opened()
    found = batch(
        deskhand,
        "--agent ben take 1",
        "--now 2026-11-23T17:00:00Z show 1",
        "--agent ben --now 2026-11-23T10:00:00Z set 1 priority=high",
        "--agent zoe take 1",
        "show 1",
        "undo",
        "--agent ben undo",
    )
    shown = found[1]["result"]
    assert shown["assignee"] == "ben"  # type: ignore[index]
    assert shown["clocks"][0]["remaining_s"] == -3600  # type: ignore[index]
    assert "no agent 'zoe'" in str(found[3]["error"])
    assert found[4]["result"]["priority_by"] == "agent:ben"  # type: ignore[index]
    assert found[4]["result"]["events"][-1]["at"] == "2026-11-23T10:00:00Z"  # type: ignore[index]
    assert found[5]["ok"] is False, "ana has changed nothing"
    assert found[6]["ok"] is True


def test_another_home_on_a_line(
    deskhand: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    deskhand.opened()
    other = tmp_path_factory.mktemp("other")
    found = batch(deskhand, f"--home '{other}' --agent me list", "list")
    assert [line["result"]["total"] for line in found] == [0, 1]  # type: ignore[index]


def test_several_documents_of_a_line_are_a_list(deskhand: CommandLine) -> None:
    one, two = deskhand.mail("one"), deskhand.mail("two")
    (both,) = batch(deskhand, f"intake '{one}' '{two}'")
    assert [each["outcome"] for each in both["result"]] == ["created", "created"]  # type: ignore[attr-defined]
    path = deskhand.home / "lines.txt"
    path.write_text("intake /no/such\n")
    done = deskhand("batch", str(path))
    assert done.document["ok"] is False
    assert "/no/such cannot be read" in done.document["error"]
    assert "/no/such cannot be read" in done.err


def test_lines_from_standard_input_and_bytes_that_are_no_text(
    deskhand: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("list\nlist --view Mine\n"))
    assert [line["ok"] for line in deskhand("batch").documents] == [True, True]
    path = deskhand.home / "lines.txt"
    path.write_bytes(b"list \xff\xfe\nlist\n")
    first, second = deskhand("batch", str(path)).documents
    assert "\N{REPLACEMENT CHARACTER}" in first["error"]
    assert second["ok"] is True
    assert "cannot be read" in deskhand.refused(2, "batch", "/no/such")
