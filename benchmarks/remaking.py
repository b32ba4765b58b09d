"""How long the clocks of a full desk take to be made anew after an edit of its promises, and how
long a screen and a person who writes wait meanwhile, in the same process.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT, new_home
from console.bootstrap import Desktop
from workflow.actions import SetPriority
from workflow.clock import ManualClock
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.remaking import remake_stale
from workflow.timers import fire_due

__all__ = ["TICKETS", "Remade", "time_remaking"]

TICKETS = 20_000
_START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_CALENDARS = """\
[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
holidays = { country = "DE", subdivision = "BE" }
"""
_POLICIES = """\
[[policy]]
name = "VIP"
match = "tier:vip,enterprise"
first_response = "30m"
resolution = "4h"

[[policy]]
name = "Billing"
match = "subject:invoice priority>=medium"
calendar = "office"
first_response = "1h"
next_response = "2h"
resolution = { urgent = "2h", high = "4h", medium = "1d", low = "3d" }
escalate_unresolved = "1h"

[[policy]]
name = "Rest"
calendar = "office"
first_response = "%s"
resolution = "3d"
"""
_SUBJECTS = ("Invoice 4711", "The app crashes", "Wo ist mein Paket?", "A question", "Password")


@dataclass(frozen=True, slots=True)
class Remade:
    """Seconds for all of them; what a page of the queue, a change by a person and a tick of an
    event loop took meanwhile, in milliseconds.
    """

    tickets: int
    seconds: float
    page: Spread
    change: Spread
    stall: Spread


def time_remaking(folder: Path, say: Callable[[str], None], tickets: int = TICKETS) -> Remade:
    """Fill a desk, edit a promise of it, and make its clocks anew."""
    say(f"filling a desk with {tickets} open tickets for the edit of its promises")
    home = new_home(folder)
    (home / "workflow").mkdir()
    (home / "workflow" / "calendars.toml").write_text(_CALENDARS, encoding="utf-8")
    policies = home / "workflow" / "sla.toml"
    policies.write_text(_POLICIES % "8h", encoding="utf-8")
    desktop = Desktop(home, ManualClock(_START), AGENT)
    try:
        _fill(desktop, tickets)
        fire_due(desktop.desk)
        say("editing them")
        policies.write_text(_POLICIES % "6h", encoding="utf-8")
        return _measure(desktop, tickets)
    finally:
        desktop.close()


def _fill(desktop: Desktop, tickets: int) -> None:
    chance = random.Random(11)
    assert isinstance(desktop.clock, ManualClock)
    for start in range(0, tickets, 500):
        desktop.clock.advance(30)
        now = desktop.clock.now()
        desktop.desk.receive([_mail(number, now, chance) for number in range(start, start + 500)])


def _mail(number: int, now: datetime, chance: random.Random) -> Inbound:
    return Inbound(
        channel="email",
        source=Source("support"),
        raw_sha256=f"{number:064x}",
        raw_size=700,
        reached_at=now - timedelta(seconds=chance.uniform(0, 20)),
        sender=Party(f"Customer {number}", f"c{number % 9_000}@x{number % 40}.example"),
        to=(Party("", "support@desk.example"),),
        subject=chance.choice(_SUBJECTS),
        text="Something does not work as it should. " * 6,
        dedupe_key=f"mail {number}",
        message_id=f"<{number}@x.example>",
    )


def _measure(desktop: Desktop, tickets: int) -> Remade:
    done = threading.Event()
    pages: list[float] = []
    changes: list[float] = []
    stalls: list[float] = []
    desk = desktop.desk

    def screen() -> None:
        found = compile_sql(parse("is:unresolved"), desktop.context)
        while not done.is_set():
            began = time.perf_counter()
            desktop.reads.rows(desktop.reads.ids(found, "due", 50))
            pages.append((time.perf_counter() - began) * 1000)
            done.wait(0.05)

    def loop() -> None:
        while not done.is_set():
            began = time.perf_counter()
            time.sleep(0.005)
            stalls.append((time.perf_counter() - began) * 1000 - 5)

    def person() -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            began = time.perf_counter()
            action = SetPriority(tickets - turn, 1 + turn % 4)
            desk.perform(action, Actor.agent(AGENT), "key:p")
            changes.append((time.perf_counter() - began) * 1000)
            done.wait(0.2)

    threads = [threading.Thread(target=work) for work in (screen, loop, person)]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    remade = remake_stale(desk)
    seconds = time.perf_counter() - began
    done.set()
    for thread in threads:
        thread.join()
    return Remade(remade, seconds, spread(pages), spread(changes), spread(stalls))
