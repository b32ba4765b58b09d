"""From the start to the first row on the screen, from a key to what it paints, and the memory of it:
the console, a bare Textual list, neomutt and aerc, in turn.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpus import Corpus, link_maildir
from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT
from benchmarks.terminal import Terminal
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.store.reads import Reads
from workflow.views import view

__all__ = ["Program", "ScreenTimes", "programs", "time_screens"]

BARE_LIST = Path(__file__).resolve().parents[1].parent / "shared/bench/apps/textual_floor.py"
_AERC = Path("/usr/share/aerc")
_START_LIMIT_S = 180.0
_KEYS = 80
_SHOWN = 12
"""So many characters of a subject are on the screen, however narrow its column."""

_NEOMUTT = """\
set mbox_type=Maildir
set folder={folder}
set header_cache={cache}
set sort=reverse-date
set sleep_time=0
set wait_key=no
set quit=yes
set mark_old=no
set move=no
set crypt_use_gpgme=no
bind index j next-entry
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that shows a list: how it is started, what its first row looks like, how to leave."""

    name: str
    command: tuple[str, ...]
    until: re.Pattern[str]
    rows: int
    """So many rows the list has: a key beyond its end would paint nothing."""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenTimes:
    """What one program needs. ``fault`` says why it could not be measured."""

    program: str
    start_ms: float | None = None
    key: Spread | None = None
    memory_mib: float | None = None
    fault: str = ""


def programs(home: Path, corpus: Corpus, work: Path, *, peers: bool = True) -> list[Program]:
    """Those that are here, ours first; each with its own settings under ``work``."""
    first, count = _first_rows(home)
    deskhand = str(Path(sys.executable).with_name("deskhand"))
    found = [
        Program(
            "deskhand",
            (deskhand, "--home", str(home), "--agent", AGENT),
            first,
            count,
        )
    ]
    if BARE_LIST.exists():
        command = (sys.executable, str(BARE_LIST), "line", str(corpus.size))
        found.append(
            Program("bare list", command, re.compile(f"READY 1/{corpus.size}"), corpus.size)
        )
    if not peers:
        return found
    box = work / "tree" / "INBOX"
    if (shutil.which("neomutt") or shutil.which("aerc")) and not box.exists():
        link_maildir(corpus, box)
    own = work / "own"
    own.mkdir(parents=True, exist_ok=True)
    env = {"HOME": str(own)}
    if shutil.which("neomutt"):
        (work / "cache").mkdir(exist_ok=True)
        settings = work / "neomuttrc"
        settings.write_text(_NEOMUTT.format(folder=work, cache=work / "cache"))
        mutt = ("neomutt", "-n", "-F", str(settings), "-f", str(box))
        found.append(Program("neomutt", mutt, re.compile(f"Msgs:{corpus.size}"), corpus.size, env))
    if shutil.which("aerc") and _AERC.is_dir():
        config = work / "aerc" / "aerc"
        config.mkdir(parents=True, exist_ok=True)
        for name in ("binds.conf", "aerc.conf"):
            shutil.copyfile(_AERC / name, config / name)
        accounts = config / "accounts.conf"
        accounts.write_text(
            f"[bench]\nsource = maildir://{work / 'tree'}\ndefault = INBOX\n"
            "from = Desk <support@desk.example>\ncheck-mail = 0\n"
        )
        accounts.chmod(0o600)
        row = re.compile(r"20\d\d-\d\d-\d\d .*(Re|AW|ORD|#TKT)")
        env = {**env, "XDG_CONFIG_HOME": str(config.parent)}
        found.append(Program("aerc", ("aerc",), row, corpus.size, env))
    return found


def _keys(rows: int) -> Iterator[str]:
    """Down as far as the list goes, then up again, and so on."""
    span = max(1, rows - 1)
    for number in range(_KEYS):
        yield "j" if number // span % 2 == 0 else "k"


def _first_rows(home: Path) -> tuple[re.Pattern[str], int]:
    """The beginning of one of the subjects that stand first in the console's first view, and how
    many tickets that has.
    """
    reads = Reads(home / "deskhand.db")
    try:
        wanted = view("Mine")
        context = Context(AGENT, datetime.now(UTC))
        compiled = compile_sql(parse(wanted.query), context)
        rows, count = reads.page(compiled, wanted.sort, 10), reads.count(compiled)
    finally:
        reads.close()
    starts = {row.subject[:_SHOWN] for row in rows if row.subject.isascii() and row.subject}
    return re.compile("|".join(map(re.escape, sorted(starts))) or "Mine"), count


def time_screens(found: list[Program], runs: int, say: Callable[[str], None]) -> list[ScreenTimes]:
    """Each program ``runs`` times in turn, after one round that fills caches and is not counted."""
    starts: dict[str, list[float]] = {program.name: [] for program in found}
    keys: dict[str, list[float]] = {program.name: [] for program in found}
    memory: dict[str, list[float]] = {program.name: [] for program in found}
    faults: dict[str, str] = {}
    for number in range(runs + 1):
        for program in found:
            if program.name in faults:
                continue
            say(f"screen, run {number}/{runs}: {program.name}")
            terminal = Terminal(program.command, program.env)
            try:
                start = terminal.wait_for(program.until, _START_LIMIT_S if number == 0 else 30.0)
                if start is None:
                    faults[program.name] = f"no row was seen:\n{terminal.text.rstrip()}"
                    continue
                if number == 0:
                    continue
                terminal.settle(0.3, 5.0)
                pressed = [terminal.key(key) for key in _keys(program.rows)]
                starts[program.name].append(start * 1e3)
                keys[program.name].extend(took for took in pressed if took is not None)
                memory[program.name].append(terminal.memory_mib)
            finally:
                terminal.close("q")
    return [
        ScreenTimes(
            program.name,
            statistics.median(starts[program.name]) if starts[program.name] else None,
            spread(keys[program.name]) if keys[program.name] else None,
            max(memory[program.name]) if memory[program.name] else None,
            faults.get(program.name, ""),
        )
        for program in found
    ]
