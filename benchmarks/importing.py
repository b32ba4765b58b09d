"""From a Maildir to searchable tickets: ``deskhand import`` beside ``notmuch new`` and ``mu index``,
in turn, each with a database that is new each time.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import Corpus
from benchmarks.homes import NotmuchMail, new_home, notmuch_mail
from benchmarks.process import Ran, run

__all__ = ["Imported", "Imports", "WrongCount", "import_all"]

REPOSITORY = Path(__file__).resolve().parents[1]


class WrongCount(Exception):
    """A program has not taken in what there was; the text says which."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What the runs of one program cost, in the order of the runs."""

    program: str
    runs: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class Imports:
    """The figures, and the databases of the last run, which searches and lists go on with."""

    figures: tuple[Imported, ...]
    home: Path
    notmuch: NotmuchMail | None
    mu: Path | None


def import_all(
    corpus: Corpus, work: Path, runs: int, say: Callable[[str], None], *, peers: bool = True
) -> Imports:
    """Import one corpus ``runs`` times with each program that is installed (``peers`` False: only
    deskhand); raises WrongCount.
    """
    base = work / f"import-{corpus.size}"
    programs = ["deskhand"]
    if peers:
        programs += [name for name in ("notmuch", "mu") if shutil.which(name)]
    costs: dict[str, list[Ran]] = {name: [] for name in programs}
    home, notmuch, mu = base, None, None
    for number in range(runs):
        folder = base / str(number)
        for name in programs:
            say(f"import {corpus.size}, run {number + 1}/{runs}: {name}")
            if name == "deskhand":
                home = new_home(folder / "home")
                ran = _deskhand(corpus, home)
            elif name == "notmuch":
                notmuch = notmuch_mail(folder / "notmuch", corpus)
                ran = _notmuch(corpus, notmuch)
            else:
                mu = folder / "mu"
                ran = _mu(corpus, mu)
            costs[name].append(ran)
    figures = tuple(Imported(name, tuple(ran)) for name, ran in costs.items())
    return Imports(figures, home, notmuch, mu)


def _deskhand(corpus: Corpus, home: Path) -> Ran:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "console",
        "--home",
        home,
        "--json",
        "import",
        corpus.maildir,
    ]
    ran = run(command, cwd=REPOSITORY, errors=home / "errors.txt")
    _need(ran.status == 0, f"deskhand import ended with {ran.status}: see {home / 'errors.txt'}")
    said = json.loads(ran.output)
    taken = said["created"] + said["appended"]
    _need(said["files"] == corpus.size, f"deskhand saw {said['files']} of {corpus.size} files")
    _need(
        taken + said["duplicate"] == corpus.size,
        f"deskhand took in {taken} messages and {said['duplicate']} copies of {corpus.size}",
    )
    database = sqlite3.connect(home / "deskhand.db")
    try:
        messages = database.execute("SELECT count(*) FROM message").fetchone()[0]
        indexed = database.execute("SELECT count(*) FROM message_fts_docsize").fetchone()[0]
        # Copies of the database are made of its one file.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()
    _need(messages == taken, f"deskhand said {taken} messages and has {messages}")
    _need(indexed == taken, f"deskhand has {taken} messages and {indexed} in its index")
    return ran


def _notmuch(corpus: Corpus, mail: NotmuchMail) -> Ran:
    ran = run(["notmuch", "new", "--quiet"], env=mail.env)
    _need(ran.status == 0, f"notmuch new ended with {ran.status}")
    count = int(run(["notmuch", "count", "--output=files", "*"], env=mail.env).output)
    _need(count == corpus.size, f"notmuch has {count} of {corpus.size} files")
    return ran


def _mu(corpus: Corpus, home: Path) -> Ran:
    made = run(["mu", "init", f"--muhome={home}", f"--maildir={corpus.maildir}", "--quiet"])
    _need(made.status == 0, f"mu init ended with {made.status}")
    ran = run(["mu", "index", f"--muhome={home}", "--quiet"])
    _need(ran.status == 0, f"mu index ended with {ran.status}")
    count = len(run(["mu", "find", f"--muhome={home}", "--fields=l", ""]).output.splitlines())
    _need(count == corpus.size, f"mu has {count} of {corpus.size} messages")
    return ran


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise WrongCount(otherwise)
