"""The one place where screens meet the desk: short reads at once, longer ones and all writes in threads.

The event loop never waits for a slow query, a write or the network. Work goes to named daemon threads; each
result comes back as a message that runs a callback in the loop. Nothing heavy is imported here: :mod:`workflow.desk` is
loaded in the writing thread after the first paint.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from textual.message import Message

from console.countdown import Countdown
from workflow.clock import Clock
from workflow.errors import DeskError
from workflow.model import Actor
from workflow.settings import Settings

if TYPE_CHECKING:
    from workflow.actions import Action
    from workflow.calendars import Calendar
    from workflow.drafts import DraftOptions
    from workflow.store.reads import Reads
    from workflow.store.rows import (
        DraftDetail,
        HeldRow,
        HistoryRow,
        OutboxRow,
        QueueRow,
        SearchHit,
        SenderRuleRow,
        TicketDetail,
    )

__all__ = [
    "AccountState",
    "Bridge",
    "Delivered",
    "DeskPort",
    "Engine",
    "ReadsPort",
    "Team",
]

T = TypeVar("T")


class ReadsPort(Protocol):
    """What the console reads; :class:`workflow.store.reads.Reads` is the real one."""

    def ids(self, compiled: Any, sort: str = "due", limit: int | None = None) -> array[int]:
        """The tickets of a query, in order."""
        ...

    def page(self, compiled: Any, sort: str = "due", limit: int = 50) -> list[QueueRow]:
        """The first rows of a query."""
        ...

    def rows(self, ids: Sequence[int]) -> list[QueueRow]:
        """Rows by number, in the order given."""
        ...

    def counts(self, lists: Mapping[str, Any]) -> dict[str, int]:
        """How many tickets each query has."""
        ...

    def ticket(self, number: int) -> TicketDetail | None:
        """One ticket, whole."""
        ...

    def history(
        self, customer: int, before_ticket: int | None = None, limit: int = 20
    ) -> list[HistoryRow]:
        """The tickets of a customer, newest first."""
        ...

    def outbox(self, states: Sequence[str] | None = None) -> list[OutboxRow]:
        """What is to be sent."""
        ...

    def outbox_of(self, number: int) -> list[OutboxRow]:
        """What is to be sent for one ticket."""
        ...

    def held(self, state: str | None = "held") -> list[HeldRow]:
        """What was kept out."""
        ...

    def held_count(self) -> int:
        """How many held items wait for a person."""
        ...

    def sender_rules(self) -> list[SenderRuleRow]:
        """What was decided about all mail of a sender."""
        ...

    def draft(self, agent: str, ticket: int, kind: str) -> DraftDetail | None:
        """What an agent has typed and not sent."""
        ...

    def has_notices(self, agent: str, now: datetime) -> bool:
        """Whether a notice for an agent's desktop is due."""
        ...

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        ...

    def last_event_id(self) -> int:
        """The newest event."""
        ...

    def changed_tickets(self, after: int) -> tuple[set[int], int]:
        """The tickets with events after one, and the newest event."""
        ...


class DeskPort(Protocol):
    """What changes the desk; :class:`workflow.desk.Desk` is the real one. Blocking: for the writing thread."""

    def perform(self, action: Action, actor: Actor, cause: str) -> Any:
        """Do one action."""
        ...

    def perform_all(self, actions: Sequence[Action], actor: Actor, cause: str) -> Sequence[Any]:
        """Do several as one change, all or none."""
        ...

    def undo(self, actor: Actor, count: int = 1) -> list[str]:
        """Take back the last changes of an actor."""
        ...

    def redo(self, actor: Actor) -> str:
        """Do again what was taken back."""
        ...

    def save_draft(
        self,
        agent: str,
        ticket: int,
        kind: str,
        text: str,
        answers: int | None,
        options: DraftOptions | None = None,
    ) -> None:
        """Keep what was typed and chosen; an empty text without a file removes it."""
        ...

    def take_notices(self, agent: str) -> list[str]:
        """The notices for an agent's desktop that are due; nobody else gets them from then on."""
        ...


class Engine(Protocol):
    """The background work of the console: receives, decides and sends until it is stopped."""

    def run(self) -> None:
        """Work until :meth:`stop`; called in a thread of its own."""
        ...

    def stop(self) -> None:
        """Ask it to end soon; must return at once."""
        ...


class AccountState(NamedTuple):
    """How a channel account does: in a sentence, in a word or three (``cannot connect``), since when, and when it is
    tried again.
    """

    name: str
    ok: bool
    words: str = ""
    brief: str = ""
    since: datetime | None = None
    next_try: datetime | None = None


class Team(NamedTuple):
    """Who tickets can be given to, and through what customers are answered."""

    agents: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    """Name and level."""
    accounts: tuple[tuple[str, str], ...] = ()
    """Name and kind of what can be answered through."""
    levels: tuple[str, ...] = ()
    """Where tickets can be moved up to."""
    reasons: tuple[str, ...] = ()
    """The reasons that may be given for it; none: any word."""
    problems: tuple[str, ...] = ()
    """What is wrong with the files under workflow/, a sentence each."""
    settings: Settings = Settings()
    """Accounts with their addresses, and how they are signed."""
    calendars: Mapping[str, Calendar] = {}
    """By which remaining time is judged; empty until they have been read."""
    away: tuple[tuple[str, datetime | None], ...] = ()
    """Who has said that they are away, and until when."""


class Delivered(Message, bubble=False):
    """A thread has finished a job: ``deliver`` hands its result to whoever asked for it."""

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.deliver = deliver


class _Thread:
    """A named daemon thread that does one job after the other."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False
        self.waiting = 0
        """Jobs that were asked for and have not ended."""

    def submit(self, job: Callable[[], None]) -> None:
        self.waiting += 1
        if not self._started:
            self._started = True
            self._thread.start()
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            self.waiting -= 1

    def finish(self, seconds: float) -> None:
        """Do what is queued, then end; wait for it at most ``seconds``."""
        if self._started:
            self._jobs.put(None)
            self._thread.join(seconds)


class Bridge:
    """The reads and the desk for one agent.

    ``reads`` is used directly only for what takes less than a millisecond (rows by id, the data version). ``open_desk``
    makes the desk; it is called once, in the writing thread.
    """

    def __init__(
        self,
        reads: ReadsPort,
        clock: Clock,
        agent: str | None,
        open_desk: Callable[[], DeskPort] | None = None,
        files: Path | None = None,
    ) -> None:
        self.reads = reads
        self.clock = clock
        self.agent = agent
        self.files = files
        self.team = Team()
        self.countdown = Countdown()
        self.accounts: dict[str, AccountState] = {}
        """What the engine told last of each account, in the order of deskhand.toml."""
        self.has_accounts = True
        """Whether customers can reach this desk at all."""
        self.hurry: Callable[[str], None] = lambda _account: None
        """Tries an account again that waits after a fault; the engine sets it."""
        self.typing: Callable[[str, str], None] = lambda _account, _address: None
        """Shows the customer at an address of an account that somebody writes; the engine sets it."""
        self._open_desk = open_desk
        self._desk: DeskPort | None = None
        self._post: Callable[[Message], object] = lambda _message: None
        self._reader = _Thread("desk-reads")
        self._lookup = _Thread("desk-lookups")
        self._writer = _Thread("desk-writes")

    @property
    def idle(self) -> bool:
        """Whether no thread has anything to do."""
        return not (self._reader.waiting or self._lookup.waiting or self._writer.waiting)

    def connect(self, post: Callable[[Message], object]) -> None:
        """Say where results go: the thread-safe ``post_message`` of the app."""
        self._post = post

    def now(self) -> datetime:
        """The moment by the desk's clock."""
        return self.clock.now()

    @property
    def actor(self) -> Actor:
        """Who acts; raises DeskError where nobody was named."""
        if self.agent is None:
            raise DeskError(
                "nobody is named as the agent: start with --agent NAME to change tickets"
            )
        return Actor.agent(self.agent)

    # -- queries

    def compile(self, text: str) -> Any:
        """A query ready for the reads; raises UsageError with a sentence."""
        from workflow.query.grammar import Context, parse
        from workflow.query.sql import compile_sql

        return compile_sql(parse(text), Context(me=self.agent, now=self.now()))

    def search(
        self,
        text: str,
        most: int,
        order: str,
        then: Callable[[tuple[list[SearchHit], int]], None],
        failed: Callable[[str], None],
    ) -> None:
        """Look for messages; ``order`` is ``best`` or ``newest``. ``then`` gets the hits and their number in all."""

        def job(reads: ReadsPort) -> tuple[list[SearchHit], int]:
            from workflow.query.grammar import Context
            from workflow.store.search import search

            found = search(
                cast("Reads", reads), text, Context(me=self.agent, now=self.now()), most, order
            )
            return list(found.hits), found.total

        self.look_up(job, then, failed)

    def away(self) -> dict[str, datetime | None]:
        """Who is away now, and until when; None until they say so."""
        now = self.now()
        return {name: until for name, until in self.team.away if until is None or until > now}

    def read(
        self,
        job: Callable[[ReadsPort], T],
        then: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Run a read for the lists in the reading thread, then ``then`` in the loop."""
        self._submit(self._reader, lambda: job(self.reads), then, failed)

    def look_up(
        self,
        job: Callable[[ReadsPort], T],
        then: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """The same in a thread of its own, for what a person waits for: a ticket, a search."""
        self._submit(self._lookup, lambda: job(self.reads), then, failed)

    # -- changes

    def write(
        self,
        job: Callable[[DeskPort], T],
        then: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Run a change in the writing thread; ``failed`` gets the sentence of what could not be done."""
        self._submit(self._writer, lambda: job(self.desk()), then, failed)

    def perform(
        self,
        actions: Iterable[Action],
        cause: str,
        then: Callable[[list[Any], list[str]], None],
        failed: Callable[[str], None],
    ) -> None:
        """Do the actions; a fault of one does not stop the rest. ``then`` gets outcomes and the sentences of faults.

        Several are one change, so that one undo takes them all back, unless one of them is refused.
        """
        wanted = list(actions)

        def job(desk: DeskPort) -> tuple[list[Any], list[str]]:
            actor = self.actor
            if len(wanted) > 1:
                try:
                    return list(desk.perform_all(wanted, actor, cause)), []
                except DeskError:
                    pass  # one was refused: one by one, to name which
            outcomes: list[Any] = []
            faults: list[str] = []
            for action in wanted:
                try:
                    outcomes.append(desk.perform(action, actor, cause))
                except DeskError as fault:
                    number = getattr(action, "ticket", None)
                    said = str(fault)
                    faults.append(
                        said if number is None or f"#{number}" in said else f"#{number}: {said}"
                    )
            return outcomes, faults

        self.write(job, lambda both: then(*both), failed)

    def perform_together(
        self,
        actions: Sequence[Action],
        cause: str,
        then: Callable[[Sequence[Any]], None],
        failed: Callable[[str], None],
    ) -> None:
        """Do the actions as one change, all or none."""
        self.write(lambda desk: desk.perform_all(actions, self.actor, cause), then, failed)

    def desk(self) -> DeskPort:
        """The desk, opened when it is first needed. Blocking: only in the writing thread."""
        if self._desk is None:
            if self._open_desk is None:
                raise DeskError("this desk is open for reading only")
            self._desk = self._open_desk()
        return self._desk

    def warm_up(self, then: Callable[[None], None], failed: Callable[[str], None]) -> None:
        """Load what changing needs, so that the first change is as quick as the second."""
        self._submit(self._writer, lambda: (self.desk(), None)[1], then, failed)

    def in_background(
        self, job: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]
    ) -> None:
        """Any other blocking work (a file, the settings) in the reading thread."""
        self._submit(self._reader, job, then, failed)

    def close(self, seconds: float = 5.0) -> None:
        """Finish the changes that are under way (drafts above all)."""
        self._writer.finish(seconds)

    def _submit(
        self,
        thread: _Thread,
        job: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[str], None] | None,
    ) -> None:
        def run() -> None:
            try:
                value = job()
            except DeskError as fault:
                if failed is not None:
                    said = str(fault)
                    self._post(Delivered(lambda: failed(said)))
            except Exception as fault:  # noqa: BLE001 - a thread must outlive any fault, and the agent must hear of it
                if failed is not None:
                    said = f"{type(fault).__name__}: {fault}; this is a fault of deskhand, nothing was changed by it"
                    self._post(Delivered(lambda: failed(said)))
            else:
                self._post(Delivered(lambda: then(value)))

        thread.submit(run)
