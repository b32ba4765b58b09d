"""Which servers a mailbox has: found from its address, shown with where that was read, or asked for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.email.discovery import Discovery, Found
from console.setup.asking import Asker
from workflow.errors import UsageError

__all__ = ["Servers", "ask_again", "find_servers"]

_PORTS = {
    "imap": {"tls": 993, "starttls": 143, "none": 143},
    "smtp": {"tls": 465, "starttls": 587, "none": 25},
}
_SECURITY = {993: "tls", 465: "tls", 143: "starttls", 587: "starttls", 25: "starttls"}
_WORDS = {"imap": "receiving", "smtp": "sending"}

Discover = Callable[[str], Discovery]


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of an account as deskhand.toml will have them, without the secrets. None: the
    account does not receive, or does not send.
    """

    imap: dict[str, Any] | None
    smtp: dict[str, Any] | None
    found_by: str
    discovery: Discovery | None


def find_servers(asker: Asker, options: Namespace, address: str, discover: Discover) -> Servers:
    """Flags first, then what can be found, then a person. Raises UsageError where a script gave too
    little.
    """
    wanted = [kind for kind in ("imap", "smtp") if not getattr(options, f"no_{kind}")]
    if not wanted:
        raise UsageError("--no-imap and --no-smtp together leave nothing to set up")
    settled: dict[str, dict[str, Any] | None] = {"imap": None, "smtp": None}
    for kind in wanted:
        settled[kind] = _from_flags(options, kind, address)
    sources = ["the flags"] if any(settled.values()) else []
    missing = [kind for kind in wanted if settled[kind] is None]
    discovery = None
    if missing:
        asker.say(f"Looking for the servers of {address} ...")
        discovery = discover(address)
        for remark in discovery.remarks:
            asker.say(f"  {remark}")
        found = {kind: one for kind in missing if (one := getattr(discovery, kind)) is not None}
        if found and _accepted(asker, found):
            for kind, server in found.items():
                settled[kind] = _entry(server)
                sources.append(server.source)
        for kind in missing:
            if settled[kind] is None:
                settled[kind] = _asked(asker, kind, address, found.get(kind), settled["imap"])
                sources.append("you")
        if discovery.provider is not None and discovery.provider.remark:
            asker.say(f"  {discovery.provider.remark}")
    return Servers(settled["imap"], settled["smtp"], ", ".join(dict.fromkeys(sources)), discovery)


def ask_again(asker: Asker, servers: Servers, address: str) -> Servers:
    """The same servers as a person corrects them."""

    def corrected(kind: str, entry: dict[str, Any] | None) -> dict[str, Any] | None:
        if entry is None:
            return None
        before = Found(
            entry["host"], entry["port"], entry["security"], entry.get("user", ""), "you"
        )
        return _asked(asker, kind, address, before)

    return Servers(
        corrected("imap", servers.imap), corrected("smtp", servers.smtp), "you", servers.discovery
    )


def _from_flags(options: Namespace, kind: str, address: str) -> dict[str, Any] | None:
    host = getattr(options, f"{kind}_host")
    if host is None:
        return None
    port = getattr(options, f"{kind}_port")
    security = getattr(options, f"{kind}_security") or (
        _SECURITY.get(port, "tls") if port else "tls"
    )
    user = getattr(options, f"{kind}_user")
    return {
        "host": host,
        "port": port or _PORTS[kind][security],
        "security": security,
        "user": address if user is None else user,
    }


def _accepted(asker: Asker, found: dict[str, Found]) -> bool:
    for kind, server in found.items():
        asker.say(
            f"  {_WORDS[kind]:9}  {server.host}:{server.port} {server.security}, user {server.user}"
            f"  (from: {server.source})"
        )
    unsure = [server for server in found.values() if not server.sure]
    if unsure:
        hosts = " and ".join(dict.fromkeys(server.host for server in unsure))
        asker.say(
            f"  {hosts} is of another domain, and nothing but an unsigned record names it:"
            " take it only if you know it"
        )
        if not asker.interactive:
            raise UsageError(
                f"{hosts} is of another domain: confirm it with --imap-host and --smtp-host"
            )
    return asker.agrees("  Are these right?", default=not unsure)


def _entry(server: Found) -> dict[str, Any]:
    return {
        "host": server.host,
        "port": server.port,
        "security": server.security,
        "user": server.user,
    }


def _asked(
    asker: Asker,
    kind: str,
    address: str,
    before: Found | None,
    imap: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask for a server; what the other one was said to be is a hint."""
    default = before.host if before else _usual_host(kind, address, imap)
    host = asker.ask(
        f"The server for {_WORDS[kind]}",
        f"--{kind}-host",
        default=default if asker.interactive or before else None,
        check=_host,
    )
    security = asker.ask(
        f"  its security (tls, starttls{', none' if _is_here(host) else ''})",
        f"--{kind}-security",
        default=before.security if before else imap["security"] if imap else "tls",
        check=_security,
    )
    port = before.port if before and before.security == security else _PORTS[kind][security]
    number = asker.ask("  its port", f"--{kind}-port", default=str(port), check=_port)
    user = asker.ask(
        "  the user to log in as (- for none)",
        f"--{kind}-user",
        default=before.user if before else imap["user"] if imap else address,
    )
    return {
        "host": host,
        "port": int(number),
        "security": security,
        "user": "" if user == "-" else user,
    }


def _usual_host(kind: str, address: str, imap: dict[str, Any] | None) -> str:
    if imap is None:
        return f"{kind}.{address.rpartition('@')[2]}"
    host = str(imap["host"])
    return "smtp" + host[4:] if host.startswith("imap.") else host


def _host(answer: str) -> str:
    host = answer.strip().rstrip(".")
    if (
        not host
        or any(c.isspace() or c in "/@" for c in host)
        or (":" in host and "::" not in host)
    ):
        raise ValueError(f"{answer!r} is no server's name: write it like imap.example.com")
    return host


def _security(answer: str) -> str:
    if answer.lower() not in ("tls", "starttls", "none"):
        raise ValueError(f"{answer!r} is not one of tls, starttls, none")
    return answer.lower()


def _port(answer: str) -> str:
    if not answer.isascii() or not answer.isdecimal() or not 0 < int(answer[:6]) < 65536:
        raise ValueError(f"{answer!r} is not a number from 1 to 65535")
    return answer


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
