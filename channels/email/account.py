"""Receiving for one email account: every message of its folders ends as a message, a duplicate or a
held item, in the transaction that moves the cursor past it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from channels.email.faults import LoginRefused, MailFault, Unreachable
from channels.email.imap import ImapSession
from channels.email.inbound import UNREADABLE, read_header, read_mail
from channels.email.mailbox import Fetched, Folder
from channels.health import Health, as_desk_error
from channels.secrets import read_secret
from channels.tally import Tally
from channels.wake import Wake
from workflow.desk import Desk
from workflow.errors import DeskError, NotFound, SettingsError, StoreError
from workflow.files import FileStore
from workflow.inbound import Inbound, Party, Source
from workflow.outbox import mark_copied, uncopied
from workflow.receive import CursorMove
from workflow.settings import ChannelSettings, Settings
from workflow.store.reads import Reads

__all__ = ["EmailAccount", "Tally"]

_BATCH = 200
"""Messages in one transaction: imapclient is twice as slow one by one, and gains nothing above."""

_BATCH_BYTES = 16_000_000
_SMALL_BYTES = _BATCH_BYTES // _BATCH
"""A batch of messages of this size is full, so sizes below it need not be known."""

_TRIES = 3
"""How often a message that the server does not give is asked for before it is held without bytes."""

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
_LOGIN_PAUSE_S = 30.0
_LONGEST_LOGIN_PAUSE_S = 1800.0
_STORE_PAUSE_S = 5.0
_LEASE_PAUSE_S = 1.0


class EmailAccount:
    """One account. Its methods are for one thread, except :meth:`stop` and ``wake``.

    ``may_work`` says whether the account's lease is ours at this moment.
    """

    def __init__(
        self,
        desk: Desk,
        channel: ChannelSettings,
        settings: Settings,
        files: FileStore,
        health: Health,
        may_work: Callable[[], bool] = lambda: True,
    ) -> None:
        self.channel = channel
        self.wake = Wake()
        self._desk = desk
        self._settings = settings
        # One of its own: a batch of files belongs to one thread.
        self._files = FileStore(files.root)
        self._reads = Reads(desk.store.path)
        self._health = health
        self._may_work = may_work
        self._stopping = threading.Event()
        self._session: ImapSession | None = None
        self._tries: dict[tuple[str, int, int, int], int] = {}
        # Up to which UID of a folder messages are taken one by one, since together they failed.
        self._careful: dict[tuple[str, int], int] = {}
        self._progress = False

    def receive_once(self, tally: Tally) -> None:
        """Read what is new in all folders and count it.

        Raises DeskError with a sentence; what was not stored by then is still new.
        """
        try:
            session = self._connect()
            for name in self.channel.folders:
                self._read_folder(session, name, tally)
            self._say("has read all mail")
        except DeskError as fault:
            self._say(str(fault), ok=False)
            raise
        finally:
            self._close()
            self._reads.close()

    def copy_once(self) -> None:
        """Put what was sent into the folder of sent mail; raises DeskError with a sentence."""
        try:
            if self._reads.copies_wanted(self.channel.name):
                self._copy_sent(self._connect())
                self._say("has read all mail")
        finally:
            self._close()
            self._reads.close()

    def run(self) -> None:
        """Receive until :meth:`stop`; whatever fails is said in words and tried again."""
        failures = 0
        try:
            while not self._stopping.is_set():
                if not self._may_work():
                    self._say("another deskhand looks after this account")
                    self.wake.wait(_LEASE_PAUSE_S)
                    continue
                self._progress = False
                try:
                    self._live()
                    failures = 0
                except Exception as fault:  # noqa: BLE001  no fault may end an account for good
                    # What worked for a while and then broke is tried again soon.
                    failures = 1 if self._progress else failures + 1
                    self._pause(as_desk_error(fault), failures)
        finally:
            self._close()
            self._reads.close()

    def look(self) -> None:
        """Look whether there is work for us, from any thread."""
        self.wake.ring()

    def stop(self) -> None:
        """End :meth:`run` soon, from any thread: nothing that is under way is half stored."""
        self._stopping.set()
        self.wake.ring()

    def cut(self) -> None:
        """Cut the connection under a :meth:`run` that did not end after :meth:`stop`."""
        session = self._session
        if session is not None:
            session.abort()

    def close(self) -> None:
        """Give up what an account that does not :meth:`run` holds."""
        self._close()
        self._reads.close()
        self.wake.close()

    # -- one connection ----------------------------------------------------------------------------

    def _live(self) -> None:
        """Connect, then read and wait in turn until something ends it."""
        session = self._connect()
        try:
            tally = Tally()
            while self._working():
                # The first folder last, since IDLE watches the folder that is open.
                for name in (*self.channel.folders[1:], self.channel.folders[0]):
                    self._copy_sent(session)
                    self._read_folder(session, name, tally)
                self._progress = True
                if not self._working() or self._reads.copies_wanted(self.channel.name):
                    continue
                self._say("waiting for mail")
                session.wait(self.wake, self.channel.poll_s)
        finally:
            self._close()

    def _working(self) -> bool:
        return not self._stopping.is_set() and self._may_work()

    def _connect(self) -> ImapSession:
        server = self.channel.imap
        if server is None:
            raise SettingsError(
                f"{self.channel.name} has no imap in deskhand.toml: add imap = {{ host = ... }}"
            )
        self._say("connecting")
        password = read_secret(server.password, f"the imap password of {self.channel.name}")
        self._session = ImapSession.connect(server, password)
        return self._session

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _pause(self, fault: DeskError, failures: int) -> None:
        if self._stopping.is_set():
            return
        if isinstance(fault, LoginRefused):
            pause = min(_LOGIN_PAUSE_S * 2 ** (failures - 1), _LONGEST_LOGIN_PAUSE_S)
            what = "cannot log in"
        elif isinstance(fault, StoreError):
            pause, what = _STORE_PAUSE_S, "cannot store"
        else:
            pause = min(_FIRST_PAUSE_S * 2 ** (failures - 1), _LONGEST_PAUSE_S)
            what = "cannot connect" if isinstance(fault, Unreachable) else "cannot receive"
        # Some jitter, so that many desks do not come back to a server in the same second.
        pause *= random.uniform(0.8, 1.2)
        self._say(f"{what}: {fault}; next try in {max(round(pause), 1)} s", ok=False)
        end = time.monotonic() + pause
        while self._working() and (left := end - time.monotonic()) > 0:
            self.wake.wait(left)

    def _say(self, words: str, *, ok: bool = True) -> None:
        self._health.say(self.channel.name, words, ok=ok)

    # -- reading -----------------------------------------------------------------------------------

    def _read_folder(self, session: ImapSession, name: str, tally: Tally) -> None:
        """Read a folder to its end."""
        folder = session.open(name)
        cursor = self._reads.cursor(self.channel.name, name)
        # With another UIDVALIDITY the old numbers mean nothing: all is read again, and what is
        # already here is recognised by what it says.
        position = cursor[1] if cursor is not None and cursor[0] == folder.validity else 0
        while uids := session.uids_after(position):
            done = 0
            for batch in self._batches(session, folder, uids):
                if not self._working():
                    return
                if len(uids) > 1:
                    self._say(f"reading {done + len(batch)} of {len(uids)}")
                self._take(session, folder, batch, tally)
                done += len(batch)
                position = batch[-1][0]
                self._progress = True

    def _batches(
        self, session: ImapSession, folder: Folder, uids: Sequence[int]
    ) -> Iterator[list[tuple[int, int]]]:
        """The messages as (UID, size) in batches that fit one transaction."""
        alone_to = self._careful.get((folder.name, folder.validity), 0)
        for start in range(0, len(uids), _BATCH):
            chunk = uids[start : start + _BATCH]
            sizes = session.sizes(chunk, above=_SMALL_BYTES)
            batch: list[tuple[int, int]] = []
            load = 0
            for uid in chunk:
                size = sizes.get(uid, _SMALL_BYTES)
                cost = 0 if size > self.channel.max_bytes else size
                if batch and (uid <= alone_to or load + cost > _BATCH_BYTES):
                    yield batch
                    batch, load = [], 0
                batch.append((uid, size))
                load += cost
            yield batch

    def _take(
        self,
        session: ImapSession,
        folder: Folder,
        batch: list[tuple[int, int]],
        tally: Tally,
    ) -> None:
        """Fetch, read and store a batch, and move the cursor past it."""
        fetched = self._fetch(session, folder, batch)
        sizes = dict(batch)
        with self._files.batch():
            items = [self._read(folder, entry, sizes[entry.uid]) for entry in fetched]
        move = CursorMove(self.channel.name, folder.name, folder.validity, batch[-1][0])
        for received in self._desk.receive(items, move):
            tally.add(received.outcome)

    def _fetch(
        self, session: ImapSession, folder: Folder, batch: list[tuple[int, int]]
    ) -> list[Fetched]:
        whole = [uid for uid, size in batch if size <= self.channel.max_bytes]
        heads = [uid for uid, size in batch if size > self.channel.max_bytes]
        try:
            found = session.fetch(whole) if whole else []
            found += session.fetch(heads, headers_only=True) if heads else []
        except Unreachable as fault:
            # A message at which the server breaks the connection must not stand in the way of all
            # others for ever: after a second time each is taken alone, and that one held.
            tries = self._tried((folder.name, folder.validity, batch[0][0], len(batch)))
            if len(batch) > 1:
                if tries > 1:
                    self._careful[folder.name, folder.validity] = batch[-1][0]
                raise
            if tries < _TRIES:
                raise
            return [Fetched(batch[0][0], b"", None, batch[0][1], fault=str(fault))]
        for entry in found:
            failed = (folder.name, folder.validity, entry.uid, 1)
            if entry.fault is not None and self._tried(failed) < _TRIES:
                raise MailFault(f"message {entry.uid} of {folder.name}: {entry.fault}")
        return sorted(found, key=lambda entry: entry.uid)

    def _tried(self, key: tuple[str, int, int, int]) -> int:
        self._tries[key] = self._tries.get(key, 0) + 1
        return self._tries[key]

    def _read(self, folder: Folder, entry: Fetched, size: int) -> Inbound:
        source = Source(self.channel.name, folder.name, folder.validity, entry.uid)
        now = self._desk.clock.now()
        if entry.fault is not None:
            return Inbound(
                channel="email",
                source=source,
                raw_sha256=self._files.put(entry.raw),
                raw_size=size,
                reached_at=now,
                sender=Party("no sender", ""),
                held_cause=UNREADABLE,
                held_evidence=(
                    f"message {entry.uid} of {folder.name} was asked for {_TRIES} times"
                    f" ({entry.fault}): look at it with a mail program"
                ),
            )
        if not entry.whole:
            return read_header(
                entry.raw,
                size,
                files=self._files,
                channel=self.channel,
                settings=self._settings,
                source=source,
                now=now,
                received_at=entry.received_at,
            )
        return read_mail(
            entry.raw,
            files=self._files,
            channel=self.channel,
            settings=self._settings,
            source=source,
            now=now,
            received_at=entry.received_at,
        )

    # -- copies of what was sent -------------------------------------------------------------------

    def _copy_sent(self, session: ImapSession) -> None:
        """Put what was sent into the folder of sent mail, each once."""
        if not self._reads.copies_wanted(self.channel.name):
            return
        for item in uncopied(self._desk, [self.channel.name]):
            if not self._working():
                return
            error = None
            try:
                raw = self._files.read(item.raw_sha256)
                at = item.sent_at or self._desk.clock.now()
                session.append_sent(raw, item.message_id, at, self.channel.sent_folder)
            except Unreachable:
                raise
            except (MailFault, NotFound) as fault:
                error = f"the copy of {item.message_id} was not kept: {fault}"
            mark_copied(self._desk, item.id, error)
