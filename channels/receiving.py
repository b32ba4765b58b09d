"""Receiving for one account of a channel that hands over what is new when it is asked: reading,
storing, waiting, and trying again when something fails.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from channels.backoff import pause_after
from channels.contract import Batch, Feed
from channels.health import Health, as_desk_error
from channels.tally import Tally
from channels.wake import Wake
from workflow.desk import Desk
from workflow.errors import DeskError
from workflow.settings import ChannelSettings
from workflow.store.reads import Reads

__all__ = ["FeedReceiver"]

_POLL_S = 25.0
_LOOK_S = 1.0
_LEASE_PAUSE_S = 1.0


class FeedReceiver:
    """What the engine runs for one account (:class:`channels.contract.Receiver`).

    ``may_work`` says whether the account's lease is ours at this moment.
    """

    def __init__(
        self,
        channel: ChannelSettings,
        feed: Feed,
        desk: Desk,
        health: Health,
        may_work: Callable[[], bool] = lambda: True,
    ) -> None:
        self.channel = channel
        self._feed = feed
        self._desk = desk
        self._reads = Reads(desk.store.path)
        self._health = health
        self._may_work = may_work
        self._wake = Wake()
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._progress = False

    def receive_once(self, tally: Tally) -> None:
        """Take in what is there and count it.

        Raises DeskError with a sentence; what was not stored by then is still new.
        """
        try:
            while (batch := self._feed.fetch(self._cursor(), 0.0)) is not None:
                self._store(batch, tally)
            self._say("has read all there is")
        except Exception as fault:
            said = as_desk_error(fault)
            self._say(str(said), ok=False)
            raise said from fault
        finally:
            self._feed.close()
            self._reads.close()

    def copy_once(self) -> None:
        """Nothing: a chat keeps what was sent by itself."""

    def run(self) -> None:
        """Receive until :meth:`stop`; whatever fails is said in words and tried again."""
        failures = 0
        try:
            while not self._stopping.is_set():
                if not self._may_work():
                    self._say("another deskhand looks after this account")
                    self._wake.wait(_LEASE_PAUSE_S)
                    continue
                self._progress = False
                # Asked for during the attempt, another one follows without a pause.
                self._hurry.clear()
                try:
                    self._live()
                    failures = 0
                except Exception as fault:  # noqa: BLE001  an account must not die of a fault of ours
                    failures = 1 if self._progress else failures + 1
                    self._pause(as_desk_error(fault), failures)
        finally:
            self._feed.close()
            self._reads.close()

    def look(self) -> None:
        """Look whether there is still work for us; from any thread."""
        self._wake.ring()
        if not self._working():
            self._feed.interrupt()

    def hurry(self) -> None:
        """Do not wait for the end of a pause after a fault; from any thread."""
        self._hurry.set()
        self._wake.ring()

    def stop(self) -> None:
        """End :meth:`run` soon, from any thread: nothing that is under way is half stored."""
        self._stopping.set()
        self._wake.ring()
        self._feed.interrupt()

    def cut(self) -> None:
        """End what :meth:`run` still waits for after :meth:`stop`."""
        self._feed.interrupt()

    def close(self) -> None:
        """Give up what a receiver that does not :meth:`run` holds."""
        self._feed.close()
        self._reads.close()
        self._wake.close()

    def _live(self) -> None:
        self._say("connecting", ok=None)
        tally = Tally()
        wait_s = 0.0
        try:
            while self._working():
                asked = time.monotonic()
                batch = self._feed.fetch(self._cursor(), wait_s)
                if not self._working():
                    return
                self._progress = True
                wait_s = _POLL_S
                if batch is not None:
                    self._store(batch, tally)
                    wait_s = 0.0 if batch.left else _POLL_S
                self._say(self._feed.waits)
                if batch is None and time.monotonic() - asked < wait_s / 2:
                    # It does not wait by itself.
                    self._wake.wait(_LOOK_S)
        finally:
            self._feed.close()

    def _cursor(self) -> tuple[int, int] | None:
        return self._reads.cursor(self.channel.name, self._feed.folder)

    def _store(self, batch: Batch, tally: Tally) -> None:
        for received in self._desk.receive(batch.items, batch.move):
            tally.add(received.outcome)

    def _working(self) -> bool:
        return not self._stopping.is_set() and self._may_work()

    def _pause(self, fault: DeskError, failures: int) -> None:
        if self._stopping.is_set():
            return
        pause = pause_after(fault, failures)
        left = max(round(pause.seconds), 1)
        self._health.say(
            self.channel.name,
            f"{pause.what}: {fault}; next try in {left} s",
            ok=False,
            brief=pause.what,
            pause_s=pause.seconds,
        )
        end = time.monotonic() + pause.seconds
        while self._working() and not self._hurry.is_set() and time.monotonic() < end:
            self._wake.wait(end - time.monotonic())

    def _say(self, words: str, *, ok: bool | None = True) -> None:
        self._health.say(self.channel.name, words, ok=ok)
