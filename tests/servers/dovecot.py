"""A throw-away Dovecot on 127.0.0.1, run by whoever runs the tests.

No service of the system is touched.

As root the server runs under an account without rights (``mail`` or ``nobody``), since Dovecot
refuses mailboxes of root; as anybody else it runs under that person's account. Mail lies in
Maildir, so that a thousand messages can be put into a mailbox without a thousand commands.
"""

from __future__ import annotations

import atexit
import contextlib
import grp
import imaplib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

from tests.servers.dovecot_config import OAUTH_FILE, dovecot_config
from tests.servers.tls import Certificate

__all__ = ["Dovecot"]

_START_LIMIT_S = 15.0
_STOP_LIMIT_S = 10.0


class Dovecot:
    """One running Dovecot with any number of mailboxes.

    Every user name exists and has the password ``password``.

    ``host``, ``port`` (plain, and STARTTLS if there is a certificate), ``tls_port`` (0 without a
    certificate), ``user`` (the mailbox that methods use if none is named), ``password``,
    ``ca_file`` (what a client must trust, or None).
    """

    host = "127.0.0.1"
    password = "pw"

    def __init__(
        self,
        work_dir: Path,
        certificate: Certificate | None,
        user: str,
        *,
        owns_dir: bool,
        introspection: str = "",
        mechanisms: str = "",
    ) -> None:
        self.work_dir = work_dir
        self.user = user
        self.port = 0
        self.tls_port = 0
        self.ca_file = certificate.ca_file if certificate else None
        self._certificate = certificate
        self._owns_dir = owns_dir
        self._introspection, self._mechanisms = introspection, mechanisms
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _server_account()
        self._serial = itertools.count(1)
        # Sockets have paths of at most 108 bytes, so they never lie below a long directory of a
        # test.
        self._run_dir = Path(tempfile.mkdtemp(prefix="dv-"))
        os.chmod(self._run_dir, 0o755)

    @classmethod
    def start(
        cls,
        work_dir: Path | None = None,
        port: int = 0,
        *,
        certificate: Certificate | None = None,
        user: str = "support",
        introspection: str = "",
        mechanisms: str = "xoauth2 oauthbearer",
    ) -> Self:
        """Start a server and wait until it answers.

        Without a work_dir it makes one and ``stop`` removes it. Port 0 takes a free one. With a
        certificate it also speaks TLS on ``tls_port`` and STARTTLS on ``port``. With the URL of a
        server that knows tokens (RFC 7662) they are taken too, by ``mechanisms``. Raises RuntimeError
        with Dovecot's own log if it does not come up, or if it is not installed.
        """
        if _binary() is None:
            raise RuntimeError(
                "Dovecot is not installed: `make test` installs it (package dovecot-imapd)"
            )
        owns_dir = work_dir is None
        work_dir = (
            Path(tempfile.mkdtemp(prefix="dovecot-")) if work_dir is None else work_dir.resolve()
        )
        work_dir.mkdir(parents=True, exist_ok=True)
        server = cls(
            work_dir,
            certificate,
            user,
            owns_dir=owns_dir,
            introspection=introspection,
            mechanisms=mechanisms,
        )
        atexit.register(server.stop)
        os.chmod(work_dir, 0o755)
        server._check_reachable()
        server._own(server._run_dir, server.work_dir)
        server.folder_path("INBOX")
        # A port found free may be taken before Dovecot binds it, so another is tried.
        for attempt in range(5):
            server.port = port or _free_port()
            server.tls_port = _free_port() if certificate else 0
            try:
                server.resume()
            except RuntimeError as fault:
                if port or attempt == 4 or "in use" not in str(fault):
                    server.stop()
                    raise
            else:
                break
        return server

    def resume(self) -> None:
        """Start again on the same ports with the same mail after ``stop`` or ``halt``.

        Nothing if it runs.
        """
        if self._process is not None:
            return
        config = self.work_dir / "dovecot.conf"
        config.write_text(self._config())
        (self.work_dir / "log").unlink(missing_ok=True)
        root = os.geteuid() == 0
        with (self.work_dir / "err").open("wb") as errors:
            self._process = subprocess.Popen(
                [_binary() or "dovecot", "-F", "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath)},
                user=self._account.pw_uid if root else None,
                group=self._account.pw_gid if root else None,
                extra_groups=[] if root else None,
            )
        self._wait_until_it_answers()

    def halt(self, *, say_bye: bool = False) -> None:
        """Cut every session and stop serving, but keep mail and ports.

        What a client sees when a server crashes.

        With ``say_bye`` it shuts down in good order (clients are told BYE), which takes a second.
        """
        process, self._process = self._process, None
        if process is None:
            return
        if say_bye:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_LIMIT_S)
        # The group outlives its leader while a session does.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """``halt`` and ``resume``: every session is cut, mail and ports stay."""
        self.halt()
        self.resume()

    def stop(self) -> None:
        """Stop for good and remove what the server made for itself."""
        self.halt()
        shutil.rmtree(self._run_dir, ignore_errors=True)
        if self._owns_dir:
            shutil.rmtree(self.work_dir, ignore_errors=True)
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        """The server, which is stopped when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def deliver(
        self,
        raw: bytes,
        folder: str = "INBOX",
        user: str | None = None,
        *,
        received: datetime | None = None,
        flags: str = "",
    ) -> Path:
        r"""Put one message into a mailbox, as a delivery agent does; gives its file.

        The bytes are stored as they are. ``received`` becomes INTERNALDATE (else the present).
        ``flags`` are Maildir letters: ``S`` seen, ``R`` answered, ``F`` flagged, ``T`` deleted,
        ``D`` draft. A session in IDLE sees it at once.
        """
        path = self.folder_path(folder, user)
        now = time.time_ns()
        seconds, micros = divmod(now // 1000, 1_000_000)
        name = f"{seconds}.M{micros:06d}P{os.getpid()}Q{next(self._serial):06d}.deskhand"
        draft = path / "tmp" / name
        draft.write_bytes(raw)
        draft.chmod(0o644)
        self._own(draft)
        if received is not None:
            os.utime(draft, (received.timestamp(), received.timestamp()))
        place = (
            path / "cur" / f"{name}:2,{''.join(sorted(flags))}" if flags else path / "new" / name
        )
        draft.rename(place)
        return place

    def deliver_all(
        self, raws: list[bytes], folder: str = "INBOX", user: str | None = None
    ) -> None:
        """Put messages into a mailbox in this order."""
        for raw in raws:
            self.deliver(raw, folder, user)

    def messages(self, folder: str = "INBOX", user: str | None = None) -> list[bytes]:
        """The bytes of every message in a folder, the oldest delivery first, read from disk.

        [] if there is no such folder.
        """
        path = self._mail_dir(user) / folder
        files = [
            file
            for part in ("new", "cur")
            if (path / part).is_dir()
            for file in (path / part).iterdir()
        ]
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.name)]

    def wait_for(
        self, count: int, folder: str = "INBOX", user: str | None = None, *, limit_s: float = 10.0
    ) -> list[bytes]:
        """The messages of a folder once there are at least ``count``.

        Raises TimeoutError after ``limit_s`` seconds.
        """
        end = time.monotonic() + limit_s
        while len(found := self.messages(folder, user)) < count:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{folder} holds {len(found)} messages after {limit_s} s, expected {count}"
                )
            time.sleep(0.02)
        return found

    def empty(self, folder: str = "INBOX", user: str | None = None) -> None:
        """Remove every message of a folder from disk, as if somebody had expunged them."""
        for part in ("new", "cur"):
            for file in (self.folder_path(folder, user) / part).iterdir():
                file.unlink()

    def reset_uidvalidity(self, folder: str = "INBOX", user: str | None = None) -> None:
        """Forget all UIDs of a folder: its next opening gives another UIDVALIDITY and counts from
        UID 1 (RFC 9051, 2.3.1.1).

        Cuts every session, since an open one would keep the old numbers.
        """
        running = self._process is not None
        self.halt()
        path = self.folder_path(folder, user)
        old = self._stored_uidvalidity(path)
        for file in path.glob("dovecot*"):
            file.unlink()
        # Dovecot would derive the new value from the clock, which may not have moved since; a
        # larger one is required.
        (path / "dovecot-uidlist").write_text(f"3 V{old + 1} N1\n")
        self._own(path / "dovecot-uidlist")
        if running:
            self.resume()

    @contextlib.contextmanager
    def session(
        self, user: str | None = None, folder: str | None = None
    ) -> Iterator[imaplib.IMAP4]:
        """A logged-in imaplib session, with a folder selected if one is named.

        Logs out at the end.
        """
        connection = imaplib.IMAP4(self.host, self.port, timeout=20)
        try:
            connection.login(user or self.user, self.password)
            if folder is not None:
                connection.select(f'"{folder}"')
            yield connection
        finally:
            connection.logout()

    def folder_path(self, folder: str, user: str | None = None) -> Path:
        """The Maildir of a folder (``/`` separates levels), made if it is missing."""
        root = self._mail_dir(user)
        path = root / folder
        if not (path / "new").is_dir():
            for part in ("cur", "new", "tmp"):
                (path / part).mkdir(parents=True, exist_ok=True)
            made = [path, path / "cur", path / "new", path / "tmp"]
            self._own(
                root.parent,
                *(parent for parent in path.parents if parent.is_relative_to(root)),
                *made,
            )
        return path

    def log(self) -> str:
        """What Dovecot wrote to its log since it was started last."""
        parts = (self.work_dir / "err", self.work_dir / "log")
        return "".join(part.read_text(errors="replace") for part in parts if part.exists())

    def _mail_dir(self, user: str | None) -> Path:
        return self.work_dir / "mail" / (user or self.user)

    def _stored_uidvalidity(self, path: Path) -> int:
        try:
            head = (path / "dovecot-uidlist").read_text(errors="replace").split("\n", 1)[0]
        except FileNotFoundError:
            return 1
        return next((int(word[1:]) for word in head.split() if word.startswith("V")), 1)

    def _own(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _check_reachable(self) -> None:
        if os.geteuid() != 0:
            return
        for parent in self.work_dir.parents:
            if not parent.stat().st_mode & 0o001:
                name = self._account.pw_name
                self.stop()
                raise RuntimeError(
                    f"Dovecot runs as {name}, who may not enter {parent}: "
                    "give no work_dir, or one below /tmp"
                )

    def _config(self) -> str:
        values: dict[str, object] = {
            "work": self.work_dir,
            "run": self._run_dir,
            "port": self.port,
            "tls_port": self.tls_port,
            "user": self._account.pw_name,
            "group": grp.getgrgid(self._account.pw_gid).gr_name,
            "uid": self._account.pw_uid,
            "gid": self._account.pw_gid,
            "password": self.password,
        }
        if (shown := self._certificate) is not None:
            for kind, file in (("cert", shown.cert_file), ("key", shown.key_file)):
                # The account that serves may not be allowed to read where the certificate was made.
                values[kind] = shutil.copy(file, self.work_dir / f"{kind}.pem")
                self._own(self.work_dir / f"{kind}.pem")
        if self._introspection:
            values |= {"introspection": self._introspection, "mechanisms": self._mechanisms}
            (self.work_dir / "oauth2.conf").write_text(OAUTH_FILE.format(**values))
            self._own(self.work_dir / "oauth2.conf")
        return dovecot_config(_version(), values)

    def _wait_until_it_answers(self) -> None:
        process = self._process
        assert process is not None
        end = time.monotonic() + _START_LIMIT_S
        while process.poll() is None and time.monotonic() < end:
            try:
                with socket.create_connection((self.host, self.port), 1) as probe:
                    probe.settimeout(_START_LIMIT_S)
                    if probe.recv(200).startswith(b"* OK"):
                        return
            except OSError:
                time.sleep(0.02)
        self.halt()
        raise RuntimeError(f"Dovecot did not start on port {self.port}:\n{self.log()}")


def _binary() -> str | None:
    return shutil.which(
        "dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
    )


def _version() -> str:
    done = subprocess.run(
        [_binary() or "dovecot", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _server_account() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("mail", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("neither an account mail nor nobody exists to run Dovecot under")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
