"""One demo from beginning to end: home, servers, customers, console, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import FrameType

from console.demo.bot_server import BotServer
from console.demo.chatters import Chatters
from console.demo.customers import DESK_ADDRESS, Arrival, Customers, Pace
from console.demo.servers import HOST, LoopbackMail
from workflow.clock import Clock, SystemClock
from workflow.errors import DeskError

__all__ = [
    "AGENT",
    "ALIASES",
    "PASSWORD_ENV",
    "TOKEN_ENV",
    "USER",
    "OpenConsole",
    "demo_home",
    "run_demo",
]

AGENT = "ana"
"""Who sits at the demo's desk."""

USER = "support"
"""The login of the desk's mailbox, and the name of its channel."""

ALIASES = ("help@mossandmeter.example", "billing@mossandmeter.example")
"""The further addresses of the desk."""

PASSWORD_ENV = "DESKHAND_DEMO_PASSWORD"
"""The environment variable that holds the made-up password while a demo runs."""

TOKEN_ENV = "DESKHAND_DEMO_TOKEN"
"""The environment variable that holds the bot's made-up token while a demo runs."""

OpenConsole = Callable[[Path, str, Clock], int]
"""Opens the console on a home as an agent; returns its exit status when the person leaves."""

Prepare = Callable[[Path, Clock], None]
"""Called once the mail is there and before the console opens."""

_REMOVE_TRIES = 10


def demo_home(
    root: Path, servers: LoopbackMail, bot: BotServer, clock: Clock | None = None
) -> Path:
    """Write a desk's home for running servers under ``root``; returns it."""
    since = (clock or SystemClock()).now() - timedelta(days=120)
    home = root / "home"
    rules = home / "workflow"
    rules.mkdir(parents=True)
    settings = _SETTINGS.format(
        address=DESK_ADDRESS,
        aliases=", ".join(f'"{alias}"' for alias in ALIASES),
        since=since.date().isoformat(),
        host=HOST,
        imap=servers.imap_port,
        smtp=servers.smtp_port,
        base_url=bot.base_url,
        token=f'{{ env = "{TOKEN_ENV}" }}',
        login=f'user = "{USER}", password = {{ env = "{PASSWORD_ENV}" }}',
    )
    (home / "deskhand.toml").write_text(settings, encoding="utf-8")
    (rules / "calendars.toml").write_text(_CALENDARS, encoding="utf-8")
    (rules / "sla.toml").write_text(_SLA, encoding="utf-8")
    (rules / "escalation.toml").write_text(_ESCALATION, encoding="utf-8")
    (rules / "routing.csv").write_text(_ROUTING, encoding="utf-8")
    (rules / "triggers.toml").write_text(_TRIGGERS, encoding="utf-8")
    return home


def run_demo(
    open_console: OpenConsole,
    *,
    clock: Clock | None = None,
    seed: int = 7,
    pace: Pace | None = None,
    prepare: Prepare | None = None,
) -> int:
    """Run a demo until the person leaves the console; returns the console's exit status.

    Whatever ends it, also SIGTERM, SIGHUP or an exception, the customers and servers are stopped
    and the home is deleted. ``prepare`` is called once mail and messages wait on the servers,
    before the console opens. Raises DeskError when the servers cannot start or the home cannot be removed.
    """
    clock = clock or SystemClock()
    with contextlib.ExitStack() as undo:
        ignore_signals = undo.enter_context(_signals_raise())
        root = Path(tempfile.mkdtemp(prefix="deskhand-demo-"))
        undo.callback(_remove, root)

        cast: list[Customers] = []

        def to_customers(sender: str, recipients: tuple[str, ...], raw: bytes) -> None:
            for customers in cast:
                customers.receive(sender, recipients, raw)

        servers = LoopbackMail(clock, {USER: (DESK_ADDRESS, *ALIASES)}, on_mail=to_customers)
        undo.callback(servers.stop)
        servers.start()
        undo.enter_context(_environment(PASSWORD_ENV, servers.password))
        chatters = Chatters(clock, seed=seed, pace=pace)
        bot = undo.enter_context(_bot(clock, chatters))
        undo.enter_context(_environment(TOKEN_ENV, bot.token))
        home = demo_home(root, servers, bot, clock)

        def post(arrival: Arrival) -> int:
            return servers.deliver(USER, arrival.raw, arrival.arrived)

        customers = Customers(clock, post, seed=seed, pace=pace)
        cast.append(customers)
        for arrival in customers.backlog():
            post(arrival)
        chatters.join(bot)
        if prepare is not None:
            prepare(home, clock)
        for people in (customers, chatters):
            undo.callback(people.stop)
            people.start()
        # Registered last, so it runs first: a second signal must not cut the tidying short.
        undo.callback(ignore_signals)
        return open_console(home, AGENT, clock)


def _bot(clock: Clock, chatters: Chatters) -> BotServer:
    try:
        return BotServer(clock=clock, on_sent=chatters.receive)
    except OSError as error:
        raise DeskError(
            f"The demo's chat server cannot listen on {HOST} ({error.strerror or error}): "
            "allow loopback connections and start the demo again."
        ) from error


@contextlib.contextmanager
def _signals_raise() -> Iterator[Callable[[], None]]:
    """Turn the signals that end a program into SystemExit, so that the ordinary way out is taken.

    Gives a function after which further signals are ignored, as they are after the first. Outside
    the main thread all this does nothing, for Python allows handlers only there.
    """
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ended = False

    in_main = threading.current_thread() is threading.main_thread()

    def ignore() -> None:
        nonlocal ended
        ended = True
        if in_main:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end(number: int, _frame: FrameType | None) -> None:
        if not ended:
            ignore()
            sys.exit(128 + number)

    if not in_main:
        yield ignore
        return

    before = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names}
    for number in before:
        signal.signal(number, end)
    before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def _remove(root: Path) -> None:
    """Delete the throw-away home; a file that is just being closed gets a moment."""
    for _ in range(_REMOVE_TRIES):
        shutil.rmtree(root, ignore_errors=True)
        if not root.exists():
            return
        time.sleep(0.1)
    raise DeskError(f"The demo's folder {root} could not be removed: delete it by hand.")


_SETTINGS = """\
database = "sqlite:///deskhand.db"

[[agent]]
name = "ana"
email = "ana@mossandmeter.example"
groups = ["support", "finance"]
role = "agent"

[[agent]]
name = "ben"
email = "ben@mossandmeter.example"
groups = ["support", "finance"]
role = "agent"

[[agent]]
name = "chloe"
email = "chloe@mossandmeter.example"
groups = ["lead", "finance"]
role = "lead"

[[group]]
name = "support"
level = "L1"

[[group]]
name = "finance"
level = "L2"

[[group]]
name = "lead"
level = "lead"

[[channel]]
name = "support"
kind = "email"
address = "{address}"
aliases = [{aliases}]
since = "{since}"
undo_send = "10s"
imap = {{ host = "{host}", port = {imap}, security = "none", {login} }}
smtp = {{ host = "{host}", port = {smtp}, security = "none", {login} }}

[[channel]]
name = "bot"
kind = "telegram"
base_url = "{base_url}"
token = {token}
since = "{since}"
undo_send = "10s"
"""

_CALENDARS = """\
# The demo's promises count "always", so that its clocks move at any hour; this one is to play with.

[[calendar]]
name = "office"
timezone = "Europe/Berlin"
monday = ["09:00-12:30", "13:00-17:30"]
tuesday = ["09:00-12:30", "13:00-17:30"]
wednesday = ["09:00-12:30", "13:00-17:30"]
thursday = ["09:00-12:30", "13:00-17:30"]
friday = ["09:00-12:30", "13:00-15:00"]
"""

_SLA = """\
[[policy]]
name = "Outage"
match = "priority:urgent"
calendar = "always"
first_response = "30m"
next_response = "30m"
update = "1h"
resolution = "4h"
warn = "25%"
pause_on = ["pending"]

[[policy]]
name = "Money"
match = "group:finance"
calendar = "always"
first_response = "4h"
next_response = "8h"
resolution = "3d"
warn = "20%"
pause_on = ["pending"]

[[policy]]
name = "Everybody"
match = ""
calendar = "always"
first_response = "8h"
next_response = "12h"
resolution = { urgent = "4h", high = "1d", medium = "4d", low = "7d" }
warn = "20%"
pause_on = ["pending"]
"""

_ESCALATION = """\
# Who does not accept in time is passed over: the next level is told, with the same packet.
reasons = ["refund over limit", "technical", "complaint", "legal", "outage"]

[[level]]
name = "L2"
group = "finance"
accept_within = "20m"
then = "lead"

[[level]]
name = "lead"
accept_within = "45m"
"""

_ROUTING = """\
rule,channel,topic,tier,language,text,->,group,level,priority,macro
outage,,,,,"offline,outage",,lead,lead,urgent,
refund,,,,,"refund,charged twice,returned two",,finance,L2,high,
money,,,,,"invoice,Rechnung,discount,renewed",,finance,L2,medium,
access,,,,,"log in,password,contraseña,login code",,support,L1,high,
everything else,,,,,,,support,L1,medium,
"""

_TRIGGERS = '''\
# Nothing here writes to a customer: a draft waits until somebody sends it.

[[trigger]]
name = "outage, first words"
on = "created"
when = "priority:urgent"
once = "ticket"

[trigger.do]
add_tags = "outage"
draft = """
Hello {{ customer.first_name | default: "there" }},

thank you for telling us at once. We are looking into it now and write again within the hour.
"""

[[trigger]]
name = "wants a person"
on = "customer asks"
do = { add_tags = "wants-person" }
'''
