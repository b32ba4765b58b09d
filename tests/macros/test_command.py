"""The macro verb, as a program uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.command_line import SETTINGS, CommandLine


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    (home / "deskhand.toml").write_text(SETTINGS, encoding="utf-8")
    return CommandLine(home, capsys)


def test_list_show_and_check(run: CommandLine) -> None:
    listed = run.json("macro", "list")
    assert (len(listed["macros"]), listed["problems"]) == (10, [])
    shown = run.json("macro", "show", "refund-approved")
    assert shown["asks"][0]["name"] == "amount"
    assert shown["actions"]["status"] == "resolved"
    assert {text["language"] for text in shown["texts"]} == {"en", "de", "fr", "es"}
    assert run.json("macro", "check")["problems"] == []
    assert "asks amount" in run("macro", "show", "refund-approved").out
    assert "did you mean acknowledge" in run.refused(1, "macro", "show", "acknowlege")


def test_check_names_the_place(run: CommandLine, home: Path) -> None:
    (home / "macros").mkdir()
    path = home / "macros" / "bad.md"
    path.write_text("+++\n+++\nHi {{ customer.nmae }}", encoding="utf-8")
    done = run("--json", "macro", "check")
    assert done.status == 1
    (problem,) = done.document["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(path), 3, 7)
    ticket = str(run.opened())
    assert "did you mean customer.name?" in run.refused(1, "macro", "run", "bad", ticket)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("e", "the key e means 'Resolve' in queue and ticket already: take a function key"),
        ("ctrl+s", "the key ctrl-s means 'Send' in composer already"),
        ("j", "the key j goes down in every list already"),
        ("3", "the key 3 shows a view of the queue already"),
        ("ctrl+w", "the key ctrl-w edits the text of a reply already"),
        ("ctrl+i", "the key ctrl-i does not reach a program in every terminal"),
        ("shift+f5", "the key shift-f5 does not reach"),
        ("ctrl+1", "the key ctrl-1 does not reach"),
        ("f25", "the key f25 does not reach"),
        ("f9", "the key f9 means 'Reply' in queue and ticket already"),
        ("f5", ""),
        ("b", ""),
        ("r", ""),
        ("alt+b", ""),
    ],
)
def test_check_refuses_a_key_that_means_something(
    run: CommandLine, home: Path, key: str, said: str
) -> None:
    (home / "keys.toml").write_text("reply = ['f9']", encoding="utf-8")
    (home / "macros").mkdir()
    path = home / "macros" / "own.md"
    path.write_text(f"+++\n\nkey = '{key}'\n+++\nHello", encoding="utf-8")
    problems = run("--json", "macro", "check").document["problems"]
    assert [(found["file"], found["line"], found["column"]) for found in problems] == (
        [(str(path), 3, 1)] if said else []
    )
    assert all(said in found["sentence"] for found in problems)


def test_run_and_undo(run: CommandLine) -> None:
    tickets = [str(run.opened(name)) for name in ("one", "two")]
    words = ("macro", "run", "refund-approved", *tickets, "--set", "amount=20 EUR")
    dry = run.json(*words, "--dry-run")
    assert (dry["dry_run"], dry["change"]) == (True, None)
    assert "20 EUR" in dry["results"][0]["text"]
    assert run.json("outbox")["items"] == []
    done = run.json(*words)
    assert [found["ok"] for found in done["results"]] == [True, True]
    assert [item["id"] for item in run.json("outbox")["items"]] == [
        found["outbox"] for found in done["results"]
    ]
    assert len(run.json("undo")["undone"]) == 1
    assert run.json("show", tickets[0])["status"] == "new"
    assert run.json("outbox")["items"] == []


def test_one_that_fails_makes_the_exit_status(run: CommandLine) -> None:
    ticket = str(run.opened())
    done = run("--json", "macro", "run", "acknowledge", ticket, "999")
    assert done.status == 1
    assert [found["ok"] for found in done.document["results"]] == [True, False]
    gap = run("--json", "macro", "run", "refund-approved", ticket)
    assert "has no answers.amount" in gap.document["results"][0]["error"]
    run.refused(2, "macro", "run", "acknowledge", ticket, "--set", "nothing")
