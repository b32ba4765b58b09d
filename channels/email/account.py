"""Receiving for one email account: every message of its folders ends as a message, a duplicate or a
held item, in the transaction that moves the cursor past it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from channels.backoff import pause_after
from channels.email.faults import Busy, FolderMissing, MailFault, Unreachable
from channels.email.imap import ImapSession
from channels.email.inbound import UNREADABLE, read_header
from channels.email.large import read_any_mail
from channels.email.login import logged_in
from channels.email.mailbox import Fetched, Folder
from channels.health import Health, as_desk_error
from channels.tally import Tally
from channels.wake import Wake
from workflow.desk import Desk
from workflow.errors import DeskError, NotFound, SettingsError
from workflow.files import FileStore
from workflow.inbound import Inbound, Party, Source
from workflow.model import Intake
from workflow.outbox import mark_copied, uncopied
from workflow.receive import CursorMove
from workflow.release import complete, give_up_fetching
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

_SLACK = 2
"""How many times ``max_size`` a message may have that its server called smaller: some count lines."""

_STEADY_S = 60.0
"""Seconds after which a connection that breaks counts as one that had worked."""

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
        self._broken: Unreachable | None = None
        self._hurry = threading.Event()
        self._progress = False

    def receive_once(self, tally: Tally) -> None:
        """Read what is new in all folders and count it.

        Raises DeskError with a sentence; what was not stored by then is still new.
        """
        try:
            session = self._connect()
            missing = self._read_folders(session, self._in_order(session), tally)
            self._fetch_wanted(session)
            if missing is not None:
                raise missing
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
                # Asked for during the attempt, another one follows without a pause.
                self._hurry.clear()
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

    def hurry(self) -> None:
        """Do not wait for the end of a pause after a fault; from any thread."""
        self._hurry.set()
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
        connected = time.monotonic()
        try:
            tally = Tally()
            order = self._in_order(session)
            while self._working():
                self._copy_sent(session)
                self._fetch_wanted(session)
                missing = self._read_folders(session, order, tally)
                # The first folder last, since IDLE watches the folder that is open. It is read at
                # the beginning as well: a question before the answer that lies in the sent folder.
                order = self._in_order(session)[1:]
                self._read_folder(session, self.channel.folders[0], tally)
                self._progress = self._progress or time.monotonic() - connected > _STEADY_S
                if not self._working() or self._reads.copies_wanted(self.channel.name):
                    continue
                if missing is None:
                    self._say("waiting for mail")
                else:
                    self._say(str(missing), ok=False, brief="a folder is missing")
                session.wait(self.wake, self.channel.poll_s)
                self._progress = self._progress or time.monotonic() - connected > _STEADY_S
        finally:
            self._close()

    def _in_order(self, session: ImapSession) -> list[str]:
        """The folders to read: those that are named, then the one of sent mail."""
        names = list(dict.fromkeys(self.channel.folders))
        sent = self._sent_folder(session) if self.channel.read_sent else None
        return names if sent is None or sent in names else [*names, sent]

    def _sent_folder(self, session: ImapSession) -> str | None:
        return self.channel.sent_folder or session.sent_folder()

    def _read_folders(
        self, session: ImapSession, names: Sequence[str], tally: Tally
    ) -> FolderMissing | None:
        """Read folders; one that is not there keeps no other from being read. The first such fault."""
        missing: FolderMissing | None = None
        for name in names:
            try:
                self._read_folder(session, name, tally)
            except FolderMissing as fault:
                missing = missing or fault
        return missing

    def _working(self) -> bool:
        return not self._stopping.is_set() and self._may_work()

    def _connect(self) -> ImapSession:
        server = self.channel.imap
        if server is None:
            raise SettingsError(
                f"{self.channel.name} has no imap in deskhand.toml: add imap = {{ host = ... }}"
            )
        self._say("connecting", ok=None)
        self._session = logged_in(
            server,
            self.channel.name,
            "imap",
            lambda login: ImapSession.connect(
                server, login, largest=_SLACK * self.channel.max_bytes
            ),
        )
        return self._session

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _pause(self, fault: DeskError, failures: int) -> None:
        if self._stopping.is_set():
            return
        pause = pause_after(fault, failures)
        said = f"{pause.what}: {fault}; next try in {max(round(pause.seconds), 1)} s"
        self._say(said, ok=False, brief=pause.what, pause_s=pause.seconds)
        end = time.monotonic() + pause.seconds
        while self._working() and not self._hurry.is_set() and time.monotonic() < end:
            self.wake.wait(end - time.monotonic())

    def _say(
        self, words: str, *, ok: bool | None = True, brief: str = "", pause_s: float | None = None
    ) -> None:
        self._health.say(self.channel.name, words, ok=ok, brief=brief, pause_s=pause_s)

    # -- reading -----------------------------------------------------------------------------------

    def _read_folder(self, session: ImapSession, name: str, tally: Tally) -> None:
        """Read a folder to its end."""
        folder = session.open(name)
        cursor = self._reads.cursor(self.channel.name, name)
        # With another UIDVALIDITY the old numbers mean nothing: all is read again, and what is
        # already here is recognised by what it says.
        position = cursor[1] if cursor is not None and cursor[0] == folder.validity else 0
        since = self._sent_since(session, name) if position == 0 else None
        while uids := session.uids_after(position, since):
            done = 0
            for batch in self._batches(session, folder, uids):
                if not self._working():
                    return
                if len(uids) > 1:
                    self._say(
                        f"reading {done + len(batch)} of {len(uids)} in {name}", brief="reading"
                    )
                self._take(session, folder, batch, tally)
                done += len(batch)
                position = batch[-1][0]
                self._progress = True

    def _sent_since(self, session: ImapSession, name: str) -> date | None:
        """From which day on the folder of sent mail is read for the first time: older answers are no
        news to anybody, and their questions are in no queue.
        """
        if self.channel.since is None or name != self._sent_folder(session):
            return None
        # The server's day may be another than ours.
        return (self.channel.since - timedelta(days=1)).date()

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
        sent = folder.name == self._sent_folder(session)
        with self._files.batch():
            items = [self._read(folder, entry, sizes[entry.uid], sent=sent) for entry in fetched]
        move = CursorMove(self.channel.name, folder.name, folder.validity, batch[-1][0])
        for received in self._desk.receive(items, move):
            # What lies there and is no news for any ticket was not received.
            if not sent or received.outcome in (Intake.CREATED, Intake.APPENDED):
                tally.add(received.outcome)
        broken, self._broken = self._broken, None
        if broken is not None:
            # It is held now; over this connection nothing more can be asked.
            raise broken

    def _fetch(
        self, session: ImapSession, folder: Folder, batch: list[tuple[int, int]]
    ) -> list[Fetched]:
        whole = [uid for uid, size in batch if size <= self.channel.max_bytes]
        heads = [uid for uid, size in batch if size > self.channel.max_bytes]
        try:
            found = session.fetch(whole) if whole else []
            found += session.fetch(heads, headers_only=True) if heads else []
        except Busy:
            raise
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
            self._broken = fault
            return [Fetched(batch[0][0], b"", None, batch[0][1], fault=str(fault))]
        for entry in found:
            failed = (folder.name, folder.validity, entry.uid, 1)
            if entry.fault is not None and self._tried(failed) < _TRIES:
                raise MailFault(f"message {entry.uid} of {folder.name}: {entry.fault}")
        return sorted(found, key=lambda entry: entry.uid)

    def _tried(self, key: tuple[str, int, int, int]) -> int:
        self._tries[key] = self._tries.get(key, 0) + 1
        return self._tries[key]

    def _read(self, folder: Folder, entry: Fetched, size: int, *, sent: bool) -> Inbound:
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
                sent=sent,
            )
        return read_any_mail(
            entry.raw,
            files=self._files,
            channel=self.channel,
            settings=self._settings,
            source=source,
            now=now,
            received_at=entry.received_at,
            sent=sent,
        )

    # -- large mail that a person wants

    def _fetch_wanted(self, session: ImapSession) -> None:
        """Fetch the rest of the mails that were held by their header and released."""
        for row in self._reads.held_wanted(self.channel.name):
            if not self._working():
                return
            self._say(f"fetching a mail of {row.raw_size / 1e6:.0f} MB")
            try:
                folder = session.open(row.folder)
                gone = folder.validity != row.validity
                found = [] if gone else session.fetch_large(row.position, row.raw_size)
            except Unreachable:
                if self._tried((row.folder, row.validity, row.position, 0)) < _TRIES:
                    raise
                why = f"the connection broke {_TRIES} times while it was fetched"
                give_up_fetching(self._desk, row.id, f"{why}: look at it with a mail program")
                continue
            except MailFault as fault:
                give_up_fetching(self._desk, row.id, str(fault))
                continue
            if not found or found[0].fault is not None:
                said = found[0].fault if found else f"it is no longer in {row.folder} on the server"
                give_up_fetching(self._desk, row.id, f"{said}: look for it with a mail program")
            else:
                complete(self._desk, row.id, found[0].raw)

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
