"""What can be wrong with a desk, looked at one by one.

Each finding says what is so and what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.bootstrap import Desktop
from workflow.errors import DeskError, SettingsError
from workflow.history import project
from workflow.model import to_millis

__all__ = ["Finding", "examine"]

_SAMPLE = 500
_CHUNK = 250
_LOW_DISK = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` is the next step where there is one."""

    about: str
    ok: bool
    says: str
    remedy: str = ""


def examine(desktop: Desktop) -> Iterator[Finding]:
    """Everything that is checked, in the order in which one thing needs the other."""
    try:
        settings = desktop.settings
    except DeskError as fault:
        yield Finding("settings", False, str(fault), "mend the line and run deskhand doctor again")
        return
    people = f"{len(settings.agents)} agents, {len(settings.groups)} groups, {len(settings.channels)} channels"
    yield Finding("settings", True, f"{desktop.home / 'deskhand.toml'}: {people}")
    for warning in settings.warnings:
        yield Finding("settings", True, warning)
    for problem in desktop.rule_book.problems:
        yield Finding("workflow", False, problem, "until then the last good version goes on")
    yield from _home(desktop.home)
    try:
        desktop.prepare()
        yield from _database(desktop)
        yield _projections(desktop)
        yield from _files(desktop)
    except (DeskError, sqlite3.Error) as fault:
        yield Finding("database", False, str(fault), "restore the latest backup if it stays so")
        return
    yield from _notices(desktop)
    yield from _accounts(desktop)


def _home(home: Path) -> Iterator[Finding]:
    if not home.exists():
        yield Finding(
            "home", True, f"{home} does not exist yet; it is made when the desk is first opened"
        )
        return
    mode = home.stat().st_mode & 0o077
    readable = bool(mode) and os.name != "nt"
    yield Finding(
        "home",
        True,
        f"{home} can be read by other users of this computer" if readable else f"{home} is private",
        f"chmod 700 {home}" if readable else "",
    )
    space = os.statvfs(home) if hasattr(os, "statvfs") else None
    if space is not None:
        free = space.f_bavail * space.f_frsize
        yield Finding(
            "disk",
            free > _LOW_DISK,
            f"{free // 1_000_000} MB free",
            ""
            if free > _LOW_DISK
            else "free some space: mail stays on the server until there is room",
        )


def _database(desktop: Desktop) -> Iterator[Finding]:
    says = desktop.reads.fetch("PRAGMA quick_check(5)")
    ok = says == [("ok",)]
    yield Finding(
        "database",
        ok,
        f"{desktop.database} is sound" if ok else f"{desktop.database} is damaged: {says[0][0]}",
        "" if ok else "stop every deskhand, keep a copy of the file and restore the latest backup",
    )
    count = desktop.reads.fetch(
        "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM message_fts_docsize)"
    )[0]
    yield Finding(
        "full text",
        count[0] == count[1],
        f"{count[1]} of {count[0]} messages are in the index",
        ""
        if count[0] == count[1]
        else "report this: the index and the messages are written together",
    )


def _projections(desktop: Desktop) -> Finding:
    """Recompute a sample of tickets, the newest and the most urgent, and compare with what is
    stored.
    """
    reads, version = desktop.reads, desktop.rule_book.current.clocks_version
    # What other policies or calendars have made is no drift: the engine makes it anew.
    rows = reads.fetch(
        "SELECT id FROM (SELECT id FROM ticket WHERE clocks_version = ? ORDER BY id DESC LIMIT ?)"
        " UNION SELECT id FROM (SELECT id FROM ticket WHERE clocks_version = ?"
        " ORDER BY due_rank LIMIT ?)",
        (version, _SAMPLE // 2, version, _SAMPLE // 2),
    )
    drifted: list[str] = []
    for start in range(0, len(rows), _CHUNK):
        numbers = [row[0] for row in rows[start : start + _CHUNK]]
        drifted += _drifted(desktop, numbers)
    return Finding(
        "projections",
        not drifted,
        f"{len(rows)} tickets recomputed from their events: "
        + (
            f"{len(drifted)} columns differ ({', '.join(drifted[:5])})"
            if drifted
            else "all columns agree"
        ),
        "report this with the ticket's deskhand explain" if drifted else "",
    )


def _drifted(desktop: Desktop, numbers: list[int]) -> Iterator[str]:
    """The columns of these tickets that their events give another value."""
    from workflow.projections import clock_rows

    reads, marks = desktop.reads, ",".join("?" * len(numbers))
    rules = desktop.rule_book.current
    stored: dict[int, dict[str, tuple[object, ...]]] = {number: {} for number in numbers}
    for number, metric, *rest in reads.fetch(
        f"""SELECT ticket_id, metric, policy, target_s, state, due_at, warn_at, remaining_s, ended_at,
        started_at, at_risk_told, breached_told FROM clock WHERE ticket_id IN ({marks})""",
        numbers,
    ):
        stored[number][metric] = tuple(rest)
    columns = {
        row[0]: row[1:]
        for row in reads.fetch(
            f"""SELECT id, waiting_since, next_metric, next_due_at, next_warn_at, due_rank, waiting_rank
            FROM ticket WHERE id IN ({marks})""",
            numbers,
        )
    }
    for detail in reads.tickets(numbers, whole=True):
        made = project([(e.at, e.name, e.data) for e in detail.events], rules.policies)
        expected = (
            _millis(made.waiting_since),
            made.next_metric,
            _millis(made.next_due_at),
            _millis(made.next_warn_at),
            made.due_rank,
            made.waiting_rank,
        )
        names = ("waiting_since", "next_metric", "next_due_at", "next_warn_at", "due_rank")
        for name, kept, right in zip(
            (*names, "waiting_rank"), columns[detail.id], expected, strict=True
        ):
            if kept != right:
                yield f"#{detail.id} {name}"
        clocks = {
            row["metric"]: (
                row["policy"],
                row["target_s"],
                row["state"],
                _millis(row["due_at"]),
                _millis(row["warn_at"]),
                row["remaining_s"],
                _millis(row["ended_at"]),
                _millis(row["started_at"]),
                int(row["at_risk_told"]),
                int(row["breached_told"]),
            )
            for row in clock_rows(detail.id, made)
        }
        for metric in sorted(clocks.keys() | stored[detail.id].keys()):
            if clocks.get(metric) != stored[detail.id].get(metric):
                yield f"#{detail.id} {metric}"


def _millis(moment: datetime | None) -> int | None:
    return None if moment is None else to_millis(moment)


def _files(desktop: Desktop) -> Iterator[Finding]:
    rows = desktop.reads.fetch(
        "SELECT raw_sha256 FROM message WHERE raw_sha256 IS NOT NULL ORDER BY id DESC LIMIT ?",
        (_SAMPLE,),
    )
    missing = [sha for (sha,) in rows if not desktop.files.has(sha)]
    yield Finding(
        "files",
        not missing,
        f"{len(rows) - len(missing)} of the newest {len(rows)} raw messages are there",
        f"restore {desktop.files.root} from the backup that belongs to this database"
        if missing
        else "",
    )


def _notices(desktop: Desktop) -> Iterator[Finding]:
    """What rules wanted to tell outside and could not."""
    rows = desktop.reads.fetch(
        "SELECT id, rule, kind, state, attempts, error FROM notice WHERE error IS NOT NULL"
        " AND (state = 'failed' AND created_at > ? OR state = 'queued') ORDER BY id DESC LIMIT 5",
        (to_millis(desktop.clock.now()) - 7 * 86_400_000,),
    )
    for number, rule, kind, state, attempts, error in rows:
        tried = f"tried {attempts} time{'s' if attempts != 1 else ''}"
        yield Finding(
            "notices",
            False,
            f"notice {number} of {rule} ({kind}, {tried}): {error}",
            "it is tried again by itself" if state == "queued" else "mend it; later notices count",
        )


def _accounts(desktop: Desktop) -> Iterator[Finding]:
    from channels.registry import channel_of

    for channel in desktop.settings.channels:
        try:
            kind = channel_of(channel.kind)
        except SettingsError as fault:
            yield Finding(channel.name, False, str(fault))
            continue
        if kind.check is None:
            continue
        for check in kind.check(channel):
            yield Finding(f"{channel.name} {check.about}", check.ok, check.says, check.remedy)
