"""The command line as a process of its own: streams, exit status, pipes; and doctor."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.console.command_line import CommandLine

ROOT = Path(__file__).resolve().parents[2]


def run(home: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "console", "--home", str(home), *words],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_streams_and_exit_status(home: Path) -> None:
    done = run(home, "--json", "list")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {"tickets": [], "total": 0}
    missing = run(home, "--json", "show", "42")
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert (
        missing.stderr == b"deskhand: there is no ticket #42: deskhand list shows those there are\n"
    )
    wrong = run(home, "--json", "--now", "noon", "list")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert run(home).returncode == 2, "the console needs a terminal"
    assert run(home, "--version").stdout.startswith(b"deskhand ")
    assert b"VERB" in run(home, "--help").stdout


def test_words_after_the_verb_and_from_the_environment(home: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    made = run(
        home,
        "new",
        "--from",
        "a@b.example",
        "--subject",
        "x",
        "--json",
        "--now",
        "2026-11-23T09:00:00Z",
    )
    assert json.loads(made.stdout)["created_at"] == "2026-11-23T09:00:00Z"
    monkeypatch.setenv("DESKHAND_NOW", "2030-01-01T00:00:00Z")
    monkeypatch.setenv("DESKHAND_AGENT", "zoe")
    taken = json.loads(run(home, "take", "1", "--json").stdout)["tickets"][0]
    assert (taken["assignee"], taken["updated_at"]) == ("zoe", "2030-01-01T00:00:00Z")


def test_a_reader_that_leaves_early_is_no_fault(home: Path) -> None:
    lines = b"list\n" * 2000
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "--home", str(home), "batch"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(lines)
    process.stdin.close()
    assert b'"ok": true' in process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_bytes_that_are_no_text_are_arguments_too(home: Path) -> None:
    done = run(home, "--json", "new", "--from", "a@b.example", "--subject", "caf\udce9")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["subject"] == "caf\N{REPLACEMENT CHARACTER}"


def test_doctor_finds_nothing_on_a_sound_desk(bare: CommandLine) -> None:
    bare.json("new", "--from", "a@b.example", "--subject", "x")
    done = bare("--json", "doctor")
    findings = {finding["about"]: finding for finding in done.document["findings"]}
    assert {"settings", "home", "database", "full text", "projections", "files"} <= set(findings)
    wrong = [f for f in findings.values() if not f["ok"] and f["about"] != "disk"]
    assert wrong == []


def test_doctor_says_which_column_has_drifted(bare: CommandLine) -> None:
    bare.json("new", "--from", "a@b.example", "--subject", "x")
    connection = sqlite3.connect(bare.home / "deskhand.db")
    connection.execute("UPDATE ticket SET next_due_at = next_due_at + 1000")
    connection.execute("UPDATE clock SET target_s = 5 WHERE metric = 'resolution'")
    connection.execute("DELETE FROM message_fts_docsize")
    connection.commit()
    connection.close()
    done = bare("--json", "doctor")
    assert done.status == 1
    failed = {f["about"]: f for f in done.document["findings"] if not f["ok"]}
    assert "#1 next_due_at" in failed["projections"]["says"]
    assert "#1 resolution" in failed["projections"]["says"]
    assert failed["full text"]["remedy"]
    spoken = bare("doctor")
    assert "FAIL projections" in spoken.out


def test_doctor_of_a_desk_that_cannot_be_read(bare: CommandLine) -> None:
    (bare.home / "deskhand.db").write_bytes(b"garbage " * 1000)
    done = bare("--json", "doctor")
    assert done.status == 1
    (failed,) = [f for f in done.document["findings"] if not f["ok"] and f["about"] != "disk"]
    assert "is damaged or is no deskhand database" in failed["says"]
    (bare.home / "deskhand.toml").write_text("agent = 3")
    (only,) = bare("--json", "doctor").document["findings"]
    assert "deskhand.toml:1" in only["says"]
