"""A whole desk on real servers, built from a home as the program builds it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from channels.engine import Engine
from channels.registry import composers, readers
from workflow.clock import Clock, SystemClock
from workflow.desk import Desk
from workflow.files import FileStore
from workflow.settings import Settings, load_settings
from workflow.store.reads import Reads
from workflow.store.store import Store

ADDRESS = "support@example.com"
CUSTOMER = "customer@example.org"


@dataclass
class LiveDesk:
    """One process's view of a desk."""

    home: Path
    desk: Desk
    settings: Settings
    files: FileStore
    reads: Reads

    @classmethod
    def open(cls, home: Path, clock: Clock | None = None) -> LiveDesk:
        """Open (or make) the desk of a home."""
        settings = load_settings(home)
        files = FileStore(home / "files")
        desk = Desk(
            Store.open(home / "deskhand.db"),
            clock or SystemClock(),
            settings,
            files,
            composers=composers(settings, files),
            readers=readers(settings, files),
        )
        return cls(home, desk, settings, files, Reads(home / "deskhand.db"))

    def engine(self) -> Engine:
        """An engine on it, not started."""
        return Engine(self.desk, self.settings, self.files)

    def close(self) -> None:
        """Give all back."""
        self.reads.close()
        self.desk.store.close()

    def count(self, table: str, where: str = "1") -> int:
        """How many rows there are."""
        return int(self.reads.fetch(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def column(self, sql: str) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.reads.fetch(sql)]


Opened = Callable[..., LiveDesk]
Running = Callable[[LiveDesk], Engine]


def write_settings(
    home: Path,
    *,
    imap_port: int = 0,
    smtp_port: int = 0,
    password: str = "pw",
    smtp_login: bool = False,
    folders: str = '"INBOX"',
    poll: str = "1s",
    more: str = "",
) -> None:
    """The deskhand.toml of a desk with one account on loopback servers.

    ``smtp_login``: send by STARTTLS and with a login, else plain and without.
    """
    home.mkdir(parents=True, exist_ok=True)
    imap = (
        f'imap = {{ host = "127.0.0.1", port = {imap_port}, security = "none", user = "support",'
        f' password = "{password}" }}\n'
    )
    login = f'security = "starttls", user = "support", password = "{password}"'
    how = login if smtp_login else 'security = "none"'
    smtp = f'smtp = {{ host = "127.0.0.1", port = {smtp_port}, {how} }}\n'
    (home / "deskhand.toml").write_text(
        '[[agent]]\nname = "ana"\nemail = "ana@example.com"\n'
        f'[[channel]]\nname = "support"\nkind = "email"\naddress = "{ADDRESS}"\n'
        f'display_name = "Support"\nfolders = [{folders}]\nundo_send = "0s"\npoll = "{poll}"\n{more}'
        + (imap if imap_port else "")
        + (smtp if smtp_port else "")
    )


def letter(
    number: int,
    *,
    text: str = "",
    sender: str = CUSTOMER,
    clock: Clock | None = None,
    **headers: str,
) -> bytes:
    """A customer's mail."""
    mail = EmailMessage()
    mail["From"] = f"Customer <{sender}>"
    mail["To"] = ADDRESS
    mail["Subject"] = f"Question {number}"
    mail["Date"] = format_datetime((clock or SystemClock()).now())
    mail["Message-ID"] = f"<question-{number}@example.org>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text or f"How does number {number} work?\n")
    return mail.as_bytes()


def wait_until(holds: Callable[[], object], limit_s: float = 30.0, what: str = "it") -> None:
    """Look again and again until something holds; raises TimeoutError after ``limit_s``."""
    end = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come to be within {limit_s} s")
        time.sleep(0.02)
