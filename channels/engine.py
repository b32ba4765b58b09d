"""The engine: receives, lets time pass, sends. In the background of the console, or alone on a server.

Any number of engines may run on one desk: leases give each piece of work to one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from channels.contract import Channel, Post, Receiver
from channels.health import AccountState, Health, as_desk_error
from channels.leasing import TIMERS, Leases, account_lease
from channels.notices.teller import tell_due
from channels.receiving import FeedReceiver
from channels.registry import channel_of
from channels.sending import Sender
from channels.tally import Tally
from channels.typist import Typist
from workflow.desk import Desk
from workflow.errors import DeskError, SettingsError
from workflow.files import FileStore
from workflow.leases import Holder
from workflow.settings import ChannelSettings, Settings
from workflow.store.reads import Reads
from workflow.timers import fire_due
from workflow.triage.training import Learning, retrain
from workflow.triggers.react import react

__all__ = ["AccountResult", "AccountState", "Engine", "EnginePass"]

STOP_LIMIT_S = 8.0
"""Seconds that stopping may take by default."""

_LOOK_S = 1.0
"""Seconds between looks at what other processes have queued."""

_TRY_AGAIN_S = 0.2
_STORE_PAUSE_S = 5.0
_MOST_AT_ONCE = 8
_ELSEWHERE = (
    "another deskhand that runs now looks after this account: stop it, or leave it to that one"
)


@dataclass(frozen=True, slots=True)
class AccountResult:
    """How a pass went for one account, and its state in words."""

    name: str
    ok: bool
    error: str | None
    state: str = ""


@dataclass(frozen=True, slots=True)
class EnginePass:
    """What one whole pass did, as ``engine --once --json`` prints it."""

    received: int
    created: int
    appended: int
    duplicate: int
    held: int
    timers: int
    sent: int
    failed: int
    accounts: tuple[AccountResult, ...]


class Engine:
    """Everything that a desk does by itself."""

    def __init__(self, desk: Desk, settings: Settings, files: FileStore) -> None:
        self._desk = desk
        self._settings = settings
        self._files = files
        self._health = Health((channel.name for channel in settings.channels), desk.clock)
        self._channels = settings.channels
        self._kinds: list[tuple[ChannelSettings, Channel]] = []
        for account in settings.channels:
            try:
                self._kinds.append((account, channel_of(account.kind)))
            except SettingsError as fault:
                self._health.say(account.name, str(fault), ok=False)
        self._reads = Reads(desk.store.path)
        self._leases = Leases(
            Holder(desk.store),
            (*(account_lease(channel.name) for channel in self._channels), TIMERS),
            self._taken,
        )
        self._sender = self._new_sender()
        self._typist = Typist(self._kinds, files)
        self._accounts: list[Receiver] = []
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._sending: _SendingLoop | None = None
        self._watching = False
        self._store_failed = False

    def states(self) -> list[AccountState]:
        """How each account is doing, for a screen."""
        return self._health.states()

    def hurry(self, account: str) -> None:
        """Try an account again now that waits after a fault; from any thread."""
        for receiver in self._accounts:
            if receiver.channel.name == account:
                receiver.hurry()

    def typing(self, account: str, address: str) -> None:
        """Show a customer for some seconds that somebody writes; returns at once, from any thread.

        Also where another engine has the lease of the account: who types is here. It raises
        nothing, and may be called for every key.
        """
        if self._sending is not None:
            self._sending.do(functools.partial(self._typist.show, account, address))

    # -- one pass ----------------------------------------------------------------------------------

    def run_once(self) -> EnginePass:
        """One whole pass: receive, tell what is due, send what may leave now, copy what was sent.

        An account that cannot be reached is named in the result and stops no other. Raises
        StoreError when the desk's own database cannot be used.
        """
        self._sender = self._new_sender()
        self._leases.take()
        done = threading.Event()
        keeper = threading.Thread(
            target=self._leases.keep, args=(done, lambda: None), name="leases", daemon=True
        )
        keeper.start()
        accounts = self._new_accounts()
        errors = {c.name: _ELSEWHERE for c in self._channels if not self._holds(c.name)}
        tally, timers = Tally(), 0
        try:
            with ThreadPoolExecutor(_MOST_AT_ONCE, "account") as pool:
                for found in pool.map(lambda one: self._receive(one, errors), accounts):
                    tally += found
                if self._leases.held(TIMERS):
                    timers = fire_due(self._desk)
                    retrain(self._desk, self._reads)
                sent = asyncio.run(self._sender.send_due(self._mine()))
                if self._leases.held(TIMERS):
                    # What was sent is an event, too, on which a rule may wait.
                    timers += react(self._desk)
                    tell_due(self._desk)
                list(pool.map(lambda one: self._copy(one, errors), accounts))
        finally:
            done.set()
            keeper.join()
            for account in accounts:
                account.close()
            self._leases.release()
        return EnginePass(
            received=tally.received,
            created=tally.created,
            appended=tally.appended,
            duplicate=tally.duplicate,
            held=tally.held,
            timers=timers,
            sent=sent.sent,
            failed=sent.failed,
            accounts=tuple(self._result(channel.name, errors) for channel in self._channels),
        )

    def _receive(self, account: Receiver, errors: dict[str, str]) -> Tally:
        tally = Tally()
        name = account.channel.name
        if self._holds(name):
            try:
                account.receive_once(tally)
            except Exception as fault:  # noqa: BLE001  one account stops no other
                errors[name] = str(as_desk_error(fault))
        return tally

    def _copy(self, account: Receiver, errors: dict[str, str]) -> None:
        name = account.channel.name
        if self._holds(name) and name not in errors:
            try:
                account.copy_once()
            except Exception as fault:  # noqa: BLE001  as above
                errors[name] = str(as_desk_error(fault))

    def _result(self, name: str, errors: dict[str, str]) -> AccountResult:
        error = errors.get(name) or self._health.fault(name)
        state = next(found.words for found in self._health.states() if found.name == name)
        return AccountResult(name, error is None, error, error or state)

    # -- in the background -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work in threads of its own; returns at once."""
        if self._threads:
            return
        self._stopping.clear()
        if not self._watching:
            self._desk.store.on_commit(self._committed)
            self._watching = True
        self._sender = self._new_sender()
        self._sending = _SendingLoop(self._send_due)
        self._accounts = self._new_accounts()
        for channel, kind in self._kinds:
            if not _receives(channel, kind):
                self._health.say(channel.name, "sends only: nothing is received over this account")
        work: list[tuple[str, Callable[[], None]]] = [
            ("leases", lambda: self._leases.keep(self._stopping, self._changed)),
            ("timers", self._run_timers),
            ("notices", self._run_notices),
            ("sending", self._sending.run),
            *((_thread_name(account), account.run) for account in self._accounts),
        ]
        self._threads = [
            threading.Thread(target=function, name=name, daemon=True) for name, function in work
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = STOP_LIMIT_S) -> None:
        """End all work within ``timeout`` seconds and give the leases back.

        What is under way is finished or left as the store says; nothing is half done.
        """
        end = time.monotonic() + timeout
        self._stopping.set()
        self._sender.stop()
        if self._sending is not None:
            self._sending.stop()
        for account in self._accounts:
            account.stop()
        self._join(time.monotonic() + timeout / 2)
        # Who still waits for a server loses the connection to it.
        for account in self._accounts:
            account.cut()
        if self._sending is not None:
            self._sending.cancel()
        self._join(end)
        alive = {thread.name for thread in self._threads if thread.is_alive()}
        for account in self._accounts:
            if _thread_name(account) not in alive:
                account.close()
        self._threads, self._accounts = [], []
        try:
            if "sending" not in alive:
                for name in self._mine():
                    self._sender.give_back(name)
            self._leases.release()
        except DeskError:
            # The next engine settles what is open, and the leases run out by themselves.
            return

    def _join(self, end: float) -> None:
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0))

    def _run_timers(self) -> None:
        """Tell what is due; between two commits only the time itself can make something due."""
        seen, due, rules = -1, None, None
        learning = Learning(self._desk, self._reads)
        try:
            while not self._stopping.is_set():
                pause = _LOOK_S
                try:
                    if self._leases.held(TIMERS):
                        version, book = (
                            self._reads.data_version(),
                            self._desk.rule_book.current.rules,
                        )
                        if version != seen or book != rules:
                            react(self._desk)
                            rules = book
                            seen, due = version, self._reads.next_timer()
                        left = _LOOK_S if due is None else self._left(due)
                        if left <= 0:
                            fire_due(self._desk)
                        else:
                            learning.look()
                            pause = min(left, _LOOK_S)
                except Exception as fault:  # noqa: BLE001  time must go on
                    # A store that fails is said by the accounts, which meet it too.
                    as_desk_error(fault)
                    pause = _STORE_PAUSE_S
                self._stopping.wait(pause)
        finally:
            self._reads.close()

    def _run_notices(self) -> None:
        """Tell what rules have put down; in a thread of its own, since a receiver may be slow."""
        seen, due = -1, None
        reads = Reads(self._desk.store.path)
        try:
            while not self._stopping.is_set():
                pause = _LOOK_S
                try:
                    if self._leases.held(TIMERS):
                        version = reads.data_version()
                        if version != seen:
                            seen, due = version, reads.next_notice()
                        if due is not None and self._left(due) <= 0:
                            tell_due(self._desk)
                except Exception as fault:  # noqa: BLE001  telling must go on
                    as_desk_error(fault)
                    pause = _STORE_PAUSE_S
                self._stopping.wait(pause)
        finally:
            reads.close()

    async def _send_due(self) -> float:
        """Send what is due; the seconds until it is worth looking again."""
        mine = self._mine()
        try:
            due = self._reads.next_send(mine) if mine else None
            if self._store_failed:
                self._store_failed = False
                for name in mine:
                    self._health.sending(name, None)
            if due is None:
                return _LOOK_S
            if (left := self._left(due)) > 0:
                return min(left, _LOOK_S)
            sent = await self._sender.send_due(mine)
        except Exception as fault:  # noqa: BLE001  sending must go on
            self._store_failed = True
            for name in mine:
                self._health.sending(name, str(as_desk_error(fault)))
            return _STORE_PAUSE_S
        if sent.sent:
            for account in self._accounts:
                account.look()
        # Also where nothing could be sent: then it is due later.
        return 0.0 if sent.sent else _TRY_AGAIN_S

    def _left(self, due: datetime) -> float:
        return (due - self._desk.clock.now()).total_seconds()

    # -- what both ways need -----------------------------------------------------------------------

    def _new_sender(self) -> Sender:
        return Sender(
            self._desk,
            self._leases.holder.name,
            self._kinds,
            self._files,
            self._health,
            self._holds,
        )

    def _new_accounts(self) -> list[Receiver]:
        return [
            self._receiver(account, kind)
            for account, kind in self._kinds
            if _receives(account, kind)
        ]

    def _receiver(self, account: ChannelSettings, kind: Channel) -> Receiver:
        may_work = functools.partial(self._holds, account.name)
        if kind.receiver is not None:
            post = Post(self._desk, self._settings, self._files, self._health, may_work)
            return kind.receiver(account, post)
        assert kind.feed is not None
        feed = kind.feed(account, self._files, self._desk.clock)
        return FeedReceiver(account, feed, self._desk, self._health, may_work)

    def _holds(self, account: str) -> bool:
        return self._leases.held(account_lease(account))

    def _mine(self) -> list[str]:
        """The accounts that can send and whose lease is ours."""
        return [name for name in self._sender.accounts if self._holds(name)]

    def _taken(self, lease: str) -> None:
        """Settle what whoever had this lease before us left behind."""
        for channel in self._channels:
            if lease == account_lease(channel.name):
                self._sender.recover(channel.name)

    def _changed(self) -> None:
        """A lease came or went: everybody looks whether there is work now."""
        self._committed()
        for account in self._accounts:
            account.look()

    def _committed(self) -> None:
        if self._sending is not None:
            self._sending.look()


class _SendingLoop:
    """An event loop that calls ``work`` again after the seconds it gives, or when told to look."""

    def __init__(self, work: Callable[[], Awaitable[float]]) -> None:
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._asked: asyncio.Event | None = None
        self._beside: set[asyncio.Future[None]] = set()
        self._stopping = False

    def run(self) -> None:
        """Work until stopped."""
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main())

    def look(self) -> None:
        """Call ``work`` soon; from any thread, also when nothing runs."""
        loop, asked = self._loop, self._asked
        if loop is not None and asked is not None:
            # Between the look and the call the loop may have ended.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(asked.set)

    def do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something beside; from any thread, nothing where nothing runs."""
        loop = self._loop
        if loop is None or self._stopping:
            return

        def begin() -> None:
            task = asyncio.ensure_future(work())
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(begin)

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping = True
        self.look()

    def cancel(self) -> None:
        """End at once."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    async def _main(self) -> None:
        self._asked = asyncio.Event()
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._asked.clear()
            pause = await self._work()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), pause)


def _receives(account: ChannelSettings, kind: Channel) -> bool:
    return (kind.receiver is not None or kind.feed is not None) and kind.receives(account)


def _thread_name(account: Receiver) -> str:
    return f"receive {account.channel.name}"
