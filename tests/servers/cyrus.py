"""A throw-away Cyrus IMAP server on 127.0.0.1: a mail store quite unlike Dovecot.

Any user exists from their first login on, with any password.
"""

from __future__ import annotations

import contextlib
import grp
import imaplib
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.servers.unpacked import UnpackedServer, free_port

__all__ = ["Cyrus"]

_IMAPD = """
configdirectory: {work}/conf
defaultpartition: default
partition-default: {work}/spool
sievedir: {work}/sieve
admins: cyrus
allowplaintext: yes
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN LOGIN
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
autocreate_post: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent|Drafts|Junk|Trash
autocreate_subscribe_folders: Sent|Drafts|Junk|Trash
xlist-sent: Sent
xlist-drafts: Drafts
xlist-junk: Junk
xlist-trash: Trash
# Where a customer's mail is not what the RFCs allow, it is taken as it is.
reject8bit: no
munge8bit: no
duplicatesuppression: no
lmtpsocket: {work}/run/lmtp
idlesocket: {work}/run/idle
notifysocket: {work}/run/notify
proc_path: {work}/run/proc
mboxname_lockpath: {work}/run/lock
cyrus_user: {user}
cyrus_group: {group}
syslog_prefix: deskhand-test
"""

_MASTER = """
START {{
  idled cmd="{bin}/idled -C {work}/imapd.conf"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {work}/imapd.conf" listen="127.0.0.1:{port}" prefork=1
  lmtp cmd="{bin}/lmtpd -a -C {work}/imapd.conf" listen="127.0.0.1:{lmtp_port}" prefork=1
}}
"""


class Cyrus(UnpackedServer):
    """One running Cyrus: ``port`` speaks IMAP, ``lmtp_port`` takes mail (RFC 2033)."""

    name = "cyrus"
    password = "pw"

    def __init__(self, user: str = "support") -> None:
        super().__init__()
        self.user = user
        self.lmtp_port = 0

    @classmethod
    def start(cls) -> Self:
        """Start one and wait until it answers; raises RuntimeError with its words."""
        server = cls()
        server.resume()
        return server

    def configure(self) -> None:
        """imapd.conf and cyrus.conf."""
        self.lmtp_port = self.lmtp_port or free_port()
        for folder in ("conf/socket", "spool", "run", "sieve"):
            (self.work / folder).mkdir(parents=True, exist_ok=True)
        values = {
            "work": self.work,
            "bin": self.program("usr/lib/cyrus/bin"),
            "port": self.port,
            "lmtp_port": self.lmtp_port,
            "user": self.account.pw_name,
            "group": grp.getgrgid(self.account.pw_gid).gr_name,
        }
        (self.work / "imapd.conf").write_text(_IMAPD.format(**values))
        (self.work / "cyrus.conf").write_text(_MASTER.format(**values))

    def command(self) -> list[str | Path]:
        """Cyrus' own master process."""
        master = self.program("usr/lib/cyrus/bin/master")
        settings, services = self.work / "imapd.conf", self.work / "cyrus.conf"
        return [master, "-C", settings, "-M", services, "-p", self.work / "run" / "pid", "-D"]

    def deliver(self, raw: bytes, folder: str = "INBOX", user: str | None = None) -> None:
        """Put one message into a mailbox: into INBOX by LMTP, as a delivery agent does, else by
        APPEND.
        """
        owner = user or self.user
        with self.session(owner) as session:
            if folder != "INBOX":
                session.append(f'"{folder}"', None, None, raw)
                return
        # The login has made the mailbox.
        with smtplib.LMTP(self.host, self.lmtp_port) as agent:
            agent.sendmail("test@localhost", [owner], raw.replace(b"\r\n", b"\n"))

    def messages(self, folder: str = "INBOX", user: str | None = None) -> list[bytes]:
        """The bytes of every message in a folder, in the order of their UIDs."""
        with self.session(user) as session:
            if session.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _status, parts = session.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in parts if isinstance(part, tuple)]

    def wait_for(
        self, count: int, folder: str = "INBOX", user: str | None = None, *, limit_s: float = 15.0
    ) -> list[bytes]:
        """The messages of a folder once there are at least ``count``; raises TimeoutError."""
        end = time.monotonic() + limit_s
        while len(found := self.messages(folder, user)) < count:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{folder} holds {len(found)} messages after {limit_s} s, expected {count}"
                )
            time.sleep(0.05)
        return found

    @contextlib.contextmanager
    def session(
        self, user: str | None = None, folder: str | None = None
    ) -> Iterator[imaplib.IMAP4]:
        """A logged-in imaplib session, with a folder selected if one is named."""
        connection = imaplib.IMAP4(self.host, self.port, timeout=20)
        try:
            connection.login(user or self.user, self.password)
            if folder is not None:
                connection.select(f'"{folder}"')
            yield connection
        finally:
            connection.logout()
