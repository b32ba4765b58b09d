"""An IMAP server that breaks its promises in chosen ways; real ones that do cannot be had at will."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import Self

_DATE = '"23-Nov-2026 08:00:00 +0000"'


@dataclass
class LyingImap:
    """One mailbox; the sets name the UIDs that misbehave.

    ``cuts``: the connection ends when they are fetched. ``refuses``: NO. ``empty``: no content.
    ``bad_dates``: an INTERNALDATE that is none. ``vanishes``: expunged between search and fetch.
    ``huge``: announced with as many bytes as nobody has. ``shuffles``: answers come in any order,
    with flags of messages nobody asked for between them. ``says``: the answer to every command of a
    word. ``sent``: what lies in the folder of sent mail, if there is one. ``idle``: what
    IDLE does: ``refuse``, ``silent``, or ``in one packet`` (the mails that are ``coming`` come with
    the answer, then it is silent).
    """

    mails: dict[int, bytes]
    cuts: set[int] = field(default_factory=set)
    refuses: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    bad_dates: set[int] = field(default_factory=set)
    vanishes: set[int] = field(default_factory=set)
    huge: set[int] = field(default_factory=set)
    shuffles: bool = False
    says: dict[str, str] = field(default_factory=dict)
    greeting: str = "OK ready"
    sent: dict[int, bytes] | None = None
    validity: int = 9
    missing: set[str] = field(default_factory=set)
    idle: str = "refuse"
    capabilities: str = "IMAP4rev1 IDLE SPECIAL-USE"
    coming: dict[int, bytes] = field(default_factory=dict)
    login_answer: str = "OK logged in"
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._idle_tag = ""
        self._shown = self.mails
        self._threads: list[threading.Thread] = []
        self._main = threading.Thread(target=self._accept, daemon=True)
        self._main.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in (self._main, *self._threads):
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            self._open.add(connection)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rwb") as stream:
                stream.write(f"* {self.greeting}\r\n".encode())
                stream.flush()
                if self.greeting.startswith("BYE"):
                    return
                for line in stream:
                    tag, _, command = line.decode().strip().partition(" ")
                    self.commands.append(command)
                    answer = self._answer(tag, command)
                    if answer is None:
                        return
                    stream.write(answer)
                    stream.flush()
        except (OSError, ValueError):
            return
        finally:
            self._open.discard(connection)

    def _answer(self, tag: str, command: str) -> bytes | None:
        word = command.upper()
        said = ""
        result = "OK done"
        for first, said_of_it in self.says.items():
            if word.startswith(first):
                if said_of_it.startswith("* BYE"):
                    return f"{said_of_it}\r\n".encode()
                return f"{tag} {said_of_it}\r\n".encode()
        if word.startswith("CAPABILITY"):
            said = f"* CAPABILITY {self.capabilities}\r\n"
        elif word.startswith("LOGIN"):
            result = self.login_answer
        elif word.startswith("LIST"):
            said = '* LIST (\\HasNoChildren) "/" INBOX\r\n'
            if self.sent is not None:
                said += '* LIST (\\HasNoChildren \\Sent) "/" "Sent Items"\r\n'
        elif word.startswith("EXAMINE"):
            name = command.partition(" ")[2].strip('"')
            if name in self.missing:
                return f"{tag} NO [NONEXISTENT] no such mailbox\r\n".encode()
            self._shown = (self.sent or {}) if name == "Sent Items" else self.mails
            said = f"* {len(self._shown)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] ok\r\n"
        elif word.startswith("IDLE"):
            if self.idle == "refuse":
                result = "BAD what is that"
            else:
                self._idle_tag = tag
                if self.idle == "in one packet":
                    self.mails.update(self.coming)
                    return b"+ idling\r\n* %d EXISTS\r\n" % len(self.mails)
                return b"+ idling\r\n"
        elif tag.upper() == "DONE":
            return f"{self._idle_tag} OK done\r\n".encode()
        elif word.startswith("UID SEARCH"):
            said = f"* SEARCH {' '.join(map(str, self._search(word)))}\r\n"
        elif word.startswith("UID FETCH"):
            return self._fetch(tag, word)
        elif word.startswith("LOGOUT"):
            said = "* BYE\r\n"
        return f"{said}{tag} {result}\r\n".encode()

    def _search(self, word: str) -> list[int]:
        if "LARGER" in word:
            return []
        found = re.search(r"UID (\d+):\*", word.removeprefix("UID SEARCH "))
        if found is not None:
            above = [uid for uid in sorted(self._shown) if uid >= int(found[1])]
            return (above or sorted(self._shown)[-1:])[:: -1 if self.shuffles else 1]
        return self._uids(word.split()[-1])

    def _uids(self, text: str) -> list[int]:
        wanted: set[int] = set()
        for part in text.split(","):
            first, _, last = part.partition(":")
            wanted.update(range(int(first), int(last or first) + 1))
        return [uid for uid in sorted(self._shown) if uid in wanted]

    def _fetch(self, tag: str, word: str) -> bytes | None:
        uids = self._uids(word.split()[2])
        for uid in self.vanishes & set(uids):
            del self._shown[uid]
        uids = [uid for uid in uids if uid in self._shown]
        if self.cuts & set(uids):
            return None
        if self.refuses & set(uids):
            return f"{tag} NO [SERVERBUG] cannot\r\n".encode()
        out = b""
        if self.shuffles:
            out += b"* 99 FETCH (FLAGS (\\Seen) UID 4000)\r\n* 7 EXISTS\r\n"
            uids = uids[::-1]
        for number, uid in enumerate(uids, 1):
            if uid in self.huge:
                return out + b"* 1 FETCH (UID %d BODY[] {99999999999}\r\nmore than" % uid
            out += f"* {number} FETCH (UID {uid}".encode()
            if "INTERNALDATE" in word:
                out += b" INTERNALDATE " + (
                    b'"yesterday"' if uid in self.bad_dates else _DATE.encode()
                )
            if uid not in self.empty:
                raw = self._shown[uid]
                out += b" BODY[] {%d}\r\n%s" % (len(raw), raw)
            out += b")\r\n"
        return out + f"{tag} OK done\r\n".encode()
