"""The database: its schema, and what it says when it cannot be used."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from tests.workflow.bench import Bench
from workflow.actions import Note, Reply
from workflow.errors import StoreError
from workflow.query.terms import index_row, people_text
from workflow.store import migrate, sqlite
from workflow.store.migrate import HEAD, ensure_schema, schema_version
from workflow.store.reads import Reads
from workflow.store.store import Store
from workflow.store.tables import metadata

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    ensure_schema(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:

        def ours(_object: object, name: str | None, kind: str, *_more: object) -> bool:
            return not (kind == "table" and str(name).startswith("message_fts"))

        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": ours}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_head_is_the_newest_migration(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
    ensure_schema(tmp_path / "a.db")
    assert schema_version(tmp_path / "a.db") == HEAD


def test_a_failed_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    path.touch()
    monkeypatch.setattr(sqlite, "FTS_SCHEMA", "CREATE VIRTUAL NONSENSE")
    with pytest.raises(StoreError, match="cannot be used"):
        ensure_schema(path)
    monkeypatch.undo()
    assert schema_version(path) is None
    ensure_schema(path)
    assert schema_version(path) == HEAD


def test_several_threads_and_processes_may_make_the_database_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    code = "import sys; from pathlib import Path; from workflow.store.store import Store;"
    code += "sys.stdin.readline(); Store.open(Path(sys.argv[1])).close()"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    begin, faults = threading.Barrier(3), []

    def make() -> None:
        begin.wait(10)
        try:
            Store.open(path).close()
        except Exception as fault:  # noqa: BLE001  shown by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=make) for _ in range(3)]
    for process in others:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for process in others:
        assert process.communicate(timeout=60)[1] == b""
        assert process.returncode == 0
    assert faults == []
    assert schema_version(path) == HEAD


def _script(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


def test_a_database_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all " * 100)
    foreign = tmp_path / "foreign.db"
    _script(foreign, "CREATE TABLE song(name)")
    alembic = tmp_path / "alembic.db"
    _script(
        alembic,
        "CREATE TABLE alembic_version(version_num); INSERT INTO alembic_version VALUES ('abc');"
        "CREATE TABLE song(name)",
    )
    for path, words in (
        (garbage, "is damaged or is no deskhand database: move it away"),
        (foreign, "is a database of another program: choose another file"),
        (alembic, "is a database of another program: choose another file"),
        (tmp_path, "cannot be opened"),
    ):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(StoreError, match=words):
            Store.open(path)
        assert not path.is_file() or path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "words"),
    [("9999", "made by a newer deskhand"), ("0000", "a schema that this deskhand does not know")],
)
def test_another_schema_is_not_touched(tmp_path: Path, version: str, words: str) -> None:
    path = tmp_path / "a.db"
    ensure_schema(path)
    _script(path, f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(StoreError, match=f"{words}.*upgrade deskhand"):
        Store.open(path)
    assert schema_version(path) == version


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        Store.open(tmp_path / "file" / "desk" / "a.db")


def test_a_database_that_another_program_holds_is_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = bench.opened()
    other = sqlite3.connect(bench.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    second = Store.open(bench.store.path)
    now = bench.clock.now()

    def locked_out() -> None:
        with second.write(now) as transaction:
            transaction.ticket(ticket)

    with pytest.raises(StoreError, match="is locked by another program: close whatever holds it"):
        locked_out()
    assert bench.ticket(ticket).subject, "reading goes on"
    other.execute("COMMIT")
    other.close()
    locked_out()
    second.close()


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A folder with a desk's database that this process may read and not write, root or not."""
    folder = Path(tempfile.mkdtemp())
    Store.open(folder / "a.db").close()
    (folder / "a.db").chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder / "a.db"
    if root:
        os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_database_that_may_not_be_written_is_a_sentence(forbidden: Path) -> None:
    def work() -> None:
        store = Store.open(forbidden)
        try:
            store.secret(NOW)
        finally:
            store.close()

    with pytest.raises(StoreError, match=r"cannot be written: give this user|cannot be opened"):
        work()


def test_the_words_for_what_a_driver_says() -> None:
    for said, words in (
        ("database is locked", "locked by another program"),
        ("database or disk is full", "is full: free some space"),
        ("database disk image is malformed", "is damaged"),
        ("attempt to write a readonly database", "cannot be written: give this user"),
        ("unable to open database file", "cannot be opened: check that its folder"),
        ("disk I/O error", "run deskhand doctor"),
    ):
        assert words in sqlite.fault_sentence(sqlite3.OperationalError(said), "desk.db")


def test_reading_a_damaged_database_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    reads = Reads(path)
    with pytest.raises(StoreError, match=r"is damaged|cannot be"):
        reads.last_event_id()
    with pytest.raises(StoreError, match="cannot be opened"):
        Reads(tmp_path / "none.db").last_event_id()


def test_every_message_has_its_full_text_row(bench: Bench) -> None:
    ticket = bench.opened(
        text="Bitte um Rückerstattung", full_text="Bitte um Rückerstattung\n> alt"
    )
    bench.opened(text="nothing", full_text="")
    bench.do(Note(ticket, "internal words"), Reply(ticket, "An answer", undo_window_s=0))
    rows = bench.rows(
        """SELECT id, subject, author, from_name, from_address, to_list, cc_list,
        coalesce(nullif(full_text, ''), text) FROM message ORDER BY id"""
    )
    assert len(rows) == 4
    for number, subject, author, name, address, to, cc, body in rows:
        people = people_text(author, name, address, [*json.loads(to), *json.loads(cc)])
        for column, text in zip(
            ("subject", "people", "body"), index_row(subject, people, body), strict=True
        ):
            for word in text.split():
                quoted = '"' + word.replace('"', "") + '"'
                if word.isalnum():
                    hits = bench.rows(
                        "SELECT rowid FROM message_fts WHERE message_fts MATCH ?",
                        f"{column} : {quoted}",
                    )
                    assert (number,) in hits
    assert bench.rows("SELECT count(*) FROM message_fts_docsize") == [(4,)]


def test_a_write_that_fails_leaves_no_full_text_row(bench: Bench) -> None:
    bench.opened()

    def failing() -> None:
        with bench.store.write(NOW) as transaction:
            transaction.index([(99, "a", "b", "c")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert bench.rows("SELECT count(*) FROM message_fts_docsize") == [(1,)]


def test_listeners_hear_of_commits_and_not_of_failures(bench: Bench) -> None:
    heard: list[int] = []
    bench.store.on_commit(lambda: heard.append(1))
    bench.opened()
    assert len(heard) == 1

    def failing() -> None:
        with bench.store.write(NOW):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert len(heard) == 1


def test_a_reader_sees_what_another_connection_commits(bench: Bench) -> None:
    before, last = bench.reads.data_version(), bench.reads.last_event_id()
    ticket = bench.opened()
    assert bench.reads.data_version() != before
    assert bench.reads.changed_tickets(last) == ({ticket}, bench.reads.last_event_id())
    assert bench.reads.changed_tickets(bench.reads.last_event_id())[0] == set()


def test_the_secret_of_the_desk_stays_with_it(bench: Bench) -> None:
    again = Store.open(bench.store.path)
    assert again.secret(NOW) == bench.desk.secret
    assert len(bench.desk.secret) == 32
    again.close()
