from __future__ import annotations

import json
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.corpus import SCRIPT, readable
from benchmarks.process import run
from benchmarks.terminal import Terminal
from benchmarks.tickets import Work, fill

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_run_tells_the_memory_of_children_too() -> None:
    held = "x = bytearray(60_000_000); import time; time.sleep(0.4)"
    script = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}]); print('done')"
    )
    ran = run([sys.executable, "-c", script])
    assert ran.status == 0
    assert ran.output == "done\n"
    assert ran.tree_peak_mib >= 57
    assert ran.wall_s >= 0.4


def test_a_failing_command_keeps_its_status() -> None:
    assert run([sys.executable, "-c", "raise SystemExit(3)"]).status == 3


def test_the_truth_reads_what_the_standard_library_reads() -> None:
    raw = (
        b"Subject: =?iso-8859-1?q?R=FCckerstattung?=\n"
        b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        b"<style>refund</style><p>Erstattung &amp; Rechnung</p>"
    )
    text = readable(raw)
    assert "Rückerstattung" in text
    assert "Erstattung & Rechnung" in text
    assert "refund" not in text


def test_a_terminal_stamps_the_first_row_and_the_keys() -> None:
    import re

    script = (
        "import os, tty\ntty.setraw(0)\nos.write(1, b'READY 1')\n"
        "for n in range(2, 9):\n os.read(0, 1)\n os.write(1, b'\\rREADY %d' % n)"
    )
    terminal = Terminal([sys.executable, "-c", script])
    try:
        start = terminal.wait_for(re.compile("READY 1"), 20)
        assert start is not None
        assert 0 < start < 20
        first = terminal.key("j")
        assert first is not None
        assert 0 < first < 2000
        assert "READY 2" in terminal.text
        assert terminal.memory_mib > 1
    finally:
        terminal.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not SCRIPT.exists(), reason="the corpus maker is not beside the repository")
def test_a_small_run_measures_without_peers(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ran = run(
        [
            *(sys.executable, "-m", "benchmarks", "--sizes", "200", "--only"),
            *("import,search,queue", "--runs", "1", "--searches", "3", "--no-peers"),
            *("--work", tmp_path / "work", "--json", figures, "--keep"),
        ],
        cwd=REPOSITORY,
        errors=tmp_path / "errors.txt",
    )
    assert ran.status == 0, (tmp_path / "errors.txt").read_text()
    assert "| import, messages/s | 200 |" in ran.output
    rows = {row["measure"]: row for row in json.loads(figures.read_text())["rows"]}
    assert rows["import, messages/s"]["numbers"]["deskhand"] > 10
    found = [row for measure, row in rows.items() if measure.startswith("found: ")]
    assert len(found) >= 15
    assert all(row["met"] is not False for row in found), found
    views = [row for measure, row in rows.items() if measure.startswith("first 50 of ")]
    assert len(views) == 14
    # Whether a goal was met is the run's own word: a test judges no time.
    assert all(row["met"] in (True, False) for row in views)
    [home] = (tmp_path / "work").glob("run-*/import-200/0/home")
    _more_tickets_than_mail(home / "deskhand.db")


def _more_tickets_than_mail(database: Path) -> None:
    fill(database, 500, Work.ALL_OPEN, datetime.now(UTC))
    connection = sqlite3.connect(database)
    try:
        states = dict(
            connection.execute(
                "SELECT status IN ('resolved', 'closed'), count(*) FROM ticket GROUP BY 1"
            )
        )
    finally:
        connection.close()
    assert states == {0: 500}


def test_without_the_corpus_maker_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__, corpus

    monkeypatch.setattr(corpus, "SCRIPT", tmp_path / "make_corpus.py")
    assert __main__.main(["--sizes", "200", "--work", str(tmp_path)]) == 1
    assert "make_corpus.py is missing" in capsys.readouterr().err
