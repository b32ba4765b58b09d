"""Exim and Postfix as throw-away mail servers on 127.0.0.1.

Each takes mail for :data:`PEOPLE` at any domain, over plain connections and STARTTLS, refuses
everybody else (550 5.1.1), and delivers to the mailbox named like the local part of the address: into
a tree of Maildirs, or by LMTP. Exim also takes a login (AUTH PLAIN).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.servers.tls import Certificate
from tests.servers.unpacked import UnpackedServer

__all__ = ["PEOPLE", "Exim", "Lmtp", "Maildirs", "Postfix", "Route", "TransferAgent"]


@dataclass(frozen=True, slots=True)
class Maildirs:
    """Deliver into ``root/USER/INBOX``, a Maildir."""

    root: Path


@dataclass(frozen=True, slots=True)
class Lmtp:
    """Deliver by LMTP to a port of 127.0.0.1."""

    port: int


Route = Maildirs | Lmtp

PEOPLE = ("support", "customer", "colleague")
"""Who has a mailbox: the local parts of their addresses."""


class TransferAgent(UnpackedServer):
    """A mail server with its way to the mailboxes."""

    user = "support"
    password = "pw"

    def __init__(self, route: Route, certificate: Certificate) -> None:
        super().__init__()
        self.route = route
        self.ca_file = certificate.ca_file
        self._certificate = certificate

    @classmethod
    def start(cls, route: Route, certificate: Certificate) -> Self:
        """Start one and wait until it answers; raises RuntimeError with its words."""
        server = cls(route, certificate)
        server.resume()
        return server

    def certificates(self) -> dict[str, Path]:
        """The certificate and its key, where this server may read them."""
        for kind, file in (
            ("cert", self._certificate.cert_file),
            ("key", self._certificate.key_file),
        ):
            shutil.copy(file, self.work / f"{kind}.pem")
        return {"cert": self.work / "cert.pem", "key": self.work / "key.pem"}


_EXIM = """
exim_path = {program}
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
primary_hostname = mx.example.net
spool_directory = {work}/spool
log_file_path = {work}/log-%s
pid_file_path = {work}/pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
smtp_accept_max = 50
message_size_limit = 30M
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = {cert}
tls_privatekey = {key}
acl_smtp_rcpt = recipients
smtputf8_advertise_hosts = *

begin acl
recipients:
  deny message = 550 5.1.1 there is no such mailbox
       ! local_parts = {people}
  accept

begin routers
people:
  driver = accept
  local_parts = {people}
  transport = boxes

begin transports
boxes:
{transport}

begin retry
* * F,2h,5s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{support}}}}{{eq{{$auth3}}{{pw}}}}}}}}
  server_set_id = $auth2
"""

_EXIM_MAILDIRS = """  driver = appendfile
  directory = {root}/$local_part_data/INBOX
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
  user = Debian-exim"""

_EXIM_LMTP = """  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  allow_localhost
  port = {port}
  rcpt_include_affixes
  return_path_add"""


class Exim(TransferAgent):
    """Exim 4: one program that forks a process for each delivery."""

    name = "exim"
    accounts = ("Debian-exim",)

    def configure(self) -> None:
        """exim.conf."""
        (self.work / "spool").mkdir(exist_ok=True)
        match self.route:
            case Maildirs(root):
                transport = _EXIM_MAILDIRS.format(root=root)
            case Lmtp(port):
                transport = _EXIM_LMTP.format(port=port)
        (self.work / "exim.conf").write_text(
            _EXIM.format(
                program=self.program("usr/sbin/exim4"),
                work=self.work,
                port=self.port,
                transport=transport,
                people=" : ".join(PEOPLE),
                **self.certificates(),
            )
        )

    def command(self) -> list[str | Path]:
        """The daemon, with a queue run every minute for what a crash has left."""
        return [self.program("usr/sbin/exim4"), "-C", self.work / "exim.conf", "-bdf", "-q1m"]


_MAIN = """
compatibility_level = 3.6
queue_directory = {work}/spool
data_directory = {work}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {work}/conf
sendmail_path = {root}/usr/sbin/sendmail
mailq_path = {root}/usr/bin/mailq
newaliases_path = {root}/usr/bin/newaliases
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = mx.example.net
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = regexp:{work}/conf/domains
virtual_mailbox_maps = regexp:{work}/conf/boxes
virtual_transport = {transport}
virtual_mailbox_base = {base}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
message_size_limit = 31457280
smtputf8_autodetect_classes = all
maillog_file = {work}/log
maillog_file_prefixes = /tmp
import_environment = {kept}
export_environment = {kept}
"""

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
retry unix - - n - - error
error unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""

_KEPT = (
    "LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP UID_WRAPPER UID_WRAPPER_ROOT"
    " MAIL_CONFIG TZ PATH"
)
_QUEUES = (
    "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved"
    " trace"
)


class Postfix(TransferAgent):
    """Postfix: a family of small programs under one master."""

    name = "postfix"
    accounts = ("postfix",)
    as_root = True

    def configure(self) -> None:
        """main.cf, master.cf and the tables of who has a mailbox."""
        conf = self.work / "conf"
        for folder in (
            conf,
            self.work / "data",
            *(self.work / "spool" / q for q in _QUEUES.split()),
        ):
            folder.mkdir(parents=True, exist_ok=True)
        match self.route:
            case Maildirs(root):
                base, transport = root, "virtual"
            case Lmtp(port):
                base, transport = self.work, f"lmtp:inet:127.0.0.1:{port}"
        (conf / "main.cf").write_text(
            _MAIN.format(
                work=self.work,
                root=self.program("."),
                base=base,
                transport=transport,
                uid=self.account.pw_uid,
                gid=self.account.pw_gid,
                kept=_KEPT,
                **self.certificates(),
            )
        )
        (conf / "master.cf").write_text(_MASTER.format(port=self.port))
        (conf / "domains").write_text("/./ here\n")
        boxes = "".join(f"/^{person}@/ {person}/INBOX/\n" for person in PEOPLE)
        (conf / "boxes").write_text(boxes)

    def command(self) -> list[str | Path]:
        """Its master process, in the foreground."""
        return [self.program("usr/lib/postfix/sbin/master"), "-c", self.work / "conf", "-d"]

    def environment(self) -> dict[str, str]:
        """Its programs look for their settings where the master says."""
        return {**super().environment(), "MAIL_CONFIG": str(self.work / "conf")}
