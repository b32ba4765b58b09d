"""How fast rules are: rows of a decision table asked a second, and what triage and routing add to a
message that comes in on a desk full of work.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import workflow.desk as desk_module
from benchmarks.figures import Spread, spread
from benchmarks.homes import AGENT, new_home
from console.bootstrap import Desktop
from workflow.apply import Context
from workflow.clock import ManualClock
from workflow.inbound import Inbound, Party, Source
from workflow.query.predicate import TicketFacts
from workflow.query.terms import word_line
from workflow.routing.matching import Matcher
from workflow.routing.table import read_table
from workflow.settings import Settings, load_settings
from workflow.starter_set import Place, install

__all__ = ["OPEN", "Ruled", "time_rules"]

ROWS = 100
OPEN = 5_000
MESSAGES = 300
_TICKETS = 400
_START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_BODIES = (
    "I was charged twice for invoice 4711 and want my money back. " * 4,
    "How can I export my data? It would be great if this worked in the app too. " * 5,
    "Nothing works any more since this morning, please help us as soon as you can! " * 6,
    "Wo ist mein Paket? Es sollte am Montag ankommen, und heute ist schon Freitag. " * 5,
)


@dataclass(frozen=True, slots=True)
class Ruled:
    """Rows asked a second, where most do not match and where the last one does; and milliseconds
    that triage and routing take of a message.
    """

    rows_per_s: float
    tickets_open: int
    message: Spread
    cpu: Spread
    """Milliseconds of the processor for the same: what others at work on the machine do not change."""


def time_rules(folder: Path, runs: int, say: Callable[[str], None], tickets: int = OPEN) -> Ruled:
    """Ask a table of 100 rows, then take messages in one by one."""
    say(f"asking a table of {ROWS} rows")
    rate = statistics.median(_rate() for _ in range(max(1, runs)))
    say(f"taking {MESSAGES} messages in on a desk with {tickets} open tickets")
    return Ruled(rate, tickets, *_messages(folder, tickets))


def _table() -> Matcher:
    lines = ["rule,channel,topic,tier,priority,text,->,level"]
    for number in range(ROWS - 1):
        channel = ("email", "telegram", "")[number % 3]
        tier = ("vip", "!vip", "")[number % 3]
        words = f'"word{number}, two words{number}"'
        lines.append(f"r{number},{channel},topic{number % 17},{tier},>=low,{words},,")
    lines.append("rest,,,,,,,")
    table, problems = read_table("routing.csv", "\n".join(lines), Settings())
    assert not problems, problems
    return Matcher(table)


def _rate() -> float:
    matcher, chance = _table(), random.Random(3)
    facts = [
        TicketFacts(
            topic=f"topic{chance.randrange(23)}",
            tier=chance.choice(("vip", "standard")),
            channel=chance.choice(("email", "telegram")),
            priority=chance.randrange(1, 5),
            texts=(word_line(chance.choice(_BODIES)),),
        )
        for _ in range(_TICKETS)
    ]
    began = time.perf_counter()
    for one in facts:
        matcher.first(one)
    return ROWS * len(facts) / (time.perf_counter() - began)


def _messages(folder: Path, tickets: int) -> tuple[Spread, Spread]:
    home = new_home(folder)
    install(home, load_settings(home), Place("Europe/Berlin", "DE", "BE"))
    settings = home / "deskhand.toml"
    text = settings.read_text(encoding="utf-8")
    handed = 'level = "L1"\nassign = "least-loaded"\nprefer_previous = true'
    settings.write_text(text.replace('level = "L1"', handed), encoding="utf-8")
    desktop = Desktop(home, ManualClock(_START), AGENT)
    took: list[float] = []
    worked: list[float] = []
    sort = desk_module.__dict__["sort"]

    def timed(context: Context) -> None:
        began, busy = time.perf_counter(), time.thread_time()
        sort(context)
        if context.transaction.arrived:
            took.append((time.perf_counter() - began) * 1000)
            worked.append((time.thread_time() - busy) * 1000)

    try:
        _fill(desktop, tickets)
        desk_module.__dict__["sort"] = timed
        for number in range(MESSAGES + 10):
            desktop.desk.receive([_mail(tickets + number, desktop.clock.now())])
    finally:
        desk_module.__dict__["sort"] = sort
        desktop.close()
    # The first ones load what a running desk has loaded.
    return spread(took[10:]), spread(worked[10:])


def _fill(desktop: Desktop, tickets: int) -> None:
    assert isinstance(desktop.clock, ManualClock)
    for start in range(0, tickets, 500):
        desktop.clock.advance(60)
        count = min(500, tickets - start)
        now = desktop.clock.now()
        desktop.desk.receive([_mail(start + number, now) for number in range(count)])


def _mail(number: int, now: datetime) -> Inbound:
    body = _BODIES[number % len(_BODIES)]
    return Inbound(
        channel="email",
        source=Source("support"),
        raw_sha256=f"{number:064x}",
        raw_size=len(body),
        reached_at=now - timedelta(seconds=number % 20),
        sender=Party(f"Customer {number}", f"c{number % 3_000}@x{number % 40}.example"),
        to=(Party("", "support@desk.example"),),
        subject=f"Question {number}",
        text=body,
        full_text=body,
        dedupe_key=f"mail {number}",
        message_id=f"<{number}@x.example>",
    )
