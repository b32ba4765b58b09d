"""``python -m benchmarks``: measure deskhand and, on the same mail in the same run, its peers.

    python -m benchmarks [--sizes 1k,10k,100k] [--only PART,PART] [--runs N] [--work DIR] [--json FILE]
                         [--no-peers] [--keep]

Prints one Markdown table. Figures of different runs or machines do not compare; the ratios of one
run do. Whatever a run writes lies under the work folder and is removed at its end, not before: a file
system that has just freed many files is slow to make new ones.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import judging, searching
from benchmarks.arrivals import ArrivalFailed, time_arrivals
from benchmarks.corpus import CorpusMissing, make
from benchmarks.figures import size_of, size_word
from benchmarks.importing import Imported, Imports, WrongCount, import_all
from benchmarks.queues import time_views, worked_home
from benchmarks.remaking import time_remaking
from benchmarks.rules import time_rules
from benchmarks.screens import BARE_LIST, programs, time_screens
from benchmarks.table import Row, as_json, as_markdown
from benchmarks.tickets import Work
from benchmarks.triaging import time_triage
from benchmarks.working_time import time_working_time

PARTS = ("import", "search", "queue", "screen", "arrival", "working-time", "rules", "remaking")
WITHOUT_MAIL = {"working-time", "rules", "remaking"}
"""Parts that need no mail and no desk of any size."""
WORK = Path(__file__).resolve().parent / "work"

_LARGE = 50_000
"""From so many messages on, an import is run once: the peers need minutes for it."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what was asked for; exit status 0 when all of it could be measured, whatever the goals."""
    args = _arguments(words)
    run = args.work / datetime.now(UTC).strftime("run-%Y%m%dT%H%M%S.%f")
    before = os.getloadavg()[0]
    try:
        rows = _measure(args, run)
    except (ArrivalFailed, CorpusMissing, WrongCount) as fault:
        _say(f"benchmarks: {fault}")
        return 1
    finally:
        if not args.keep:
            shutil.rmtree(run, ignore_errors=True)
    missing = _missing() if args.peers else []
    about = _about(before)
    print(f"{about['machine']}; {about['when']}; {about['load']}\n")
    print(as_markdown(rows, missing))
    judged = [row for row in rows if row.met is not None]
    print(f"\n{sum(bool(row.met) for row in judged)} of {len(judged)} goals met", end="")
    largest = max(args.sizes)
    print(
        "." if largest >= 100_000 else f"; they are meant for 100k, this was {size_word(largest)}."
    )
    if args.json:
        args.json.write_text(as_json(rows, about), encoding="utf-8")
    return 0


def _measure(args: argparse.Namespace, run: Path) -> list[Row]:
    rows: list[Row] = []
    imported: dict[int, Sequence[Imported]] = {}
    largest = max(args.sizes)
    if "working-time" in args.only:
        rows += judging.working_time_rows(time_working_time(args.runs, _say))
    if "rules" in args.only:
        rows += judging.rule_rows(time_rules(run / "rules", args.runs, _say))
        rows += judging.triage_rows(time_triage(_say))
    if "remaking" in args.only:
        rows += judging.remaking_rows(time_remaking(run / "remaking", _say))
    for size in sorted(args.sizes) if set(args.only) - WITHOUT_MAIL else ():
        corpus = make(args.work, size, _say)
        runs = 1 if size >= _LARGE or "import" not in args.only else args.runs
        imports = import_all(corpus, run, runs, _say, peers=_peers_needed(args))
        imported[size] = imports.figures
        last = size == largest
        if "import" in args.only:
            smaller = imported.get(size // 10, ())
            rows += judging.import_rows(size, imports.figures, smaller, judged=last)
        if "search" in args.only:
            _say(f"search {size}")
            times = searching.time_searches(imports, args.searches)
            rows += judging.search_rows(size, times, judged=last)
            found = searching.find_planted(imports, corpus, _say)
            rows += judging.recall_rows(size, found) if last else []
        worked = run / f"worked-{size}"
        needed = {"queue", "screen", "arrival"} & set(args.only)
        homes = _worked(imports, worked, size) if needed else {}
        if "queue" in args.only:
            views = [
                each
                for work, home in homes.items()
                for each in time_views(home, work, args.searches, _say)
            ]
            rows += judging.queue_rows(size, views, judged=last)
        if "screen" in args.only:
            chosen = programs(homes[Work.USUAL], corpus, run / f"tui-{size}", peers=args.peers)
            screens = time_screens(chosen, args.runs, _say)
            for each in screens:
                if each.fault:
                    _say(f"{each.program}: {each.fault}")
            rows += judging.screen_rows(size, screens, judged=last)
        if "arrival" in args.only and last:
            # The last of all: it gives the desk a bot.
            arrived = time_arrivals(homes[Work.USUAL], args.arrivals, _say)
            rows += judging.arrival_rows(size, arrived)
    return rows


def _peers_needed(args: argparse.Namespace) -> bool:
    return args.peers and bool({"import", "search"} & set(args.only))


def _worked(imports: Imports, folder: Path, size: int) -> dict[Work, Path]:
    homes = {}
    for work in Work:
        _say(f"filling a desk with {size} tickets, {work.value}")
        homes[work] = worked_home(imports.home, folder / work.name.lower(), size, work)
    return homes


def _missing() -> list[str]:
    missing = [name for name in ("notmuch", "mu", "neomutt", "aerc") if not shutil.which(name)]
    return missing + ([] if BARE_LIST.exists() else ["bare list"])


def _about(load_before: float) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {
        "machine": f"{len(os.sched_getaffinity(0))} processors, {memory} GiB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}",
        # Others at work on the machine show in the 95th percentiles first.
        "load": f"load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after",
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure deskhand and its peers on the same mail."
    )
    parser.add_argument("--sizes", type=_sizes, default=[1000, 10_000, 100_000], metavar="1k,10k")
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar=",".join(PARTS))
    parser.add_argument("--runs", type=int, default=3, help="rounds of imports and starts")
    parser.add_argument("--searches", type=int, default=30, help="rounds of searches and lists")
    parser.add_argument("--arrivals", type=int, default=30, help="chats that arrive on the screen")
    parser.add_argument("--work", type=Path, default=WORK, help="where the mail and desks are made")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="deskhand alone")
    parser.add_argument(
        "--keep", action="store_true", help="leave what was made in the work folder"
    )
    args = parser.parse_args(words)
    args.work = args.work.resolve()
    return args


def _sizes(text: str) -> list[int]:
    try:
        return [size_of(word) for word in text.split(",")]
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    for part in parts:
        if part not in PARTS:
            raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(PARTS)}")
    return parts


if __name__ == "__main__":
    raise SystemExit(main())
