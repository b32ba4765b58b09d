"""What the team's own mail server found out about who sent a mail: Authentication-Results (RFC 8601).

Anybody can write such a header into a mail. Only those are read that our server has put on top of
what it was given: with its name, and above the first Received of a server that is not ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflow.plaintext import one_line
from workflow.settings import ChannelSettings

__all__ = [
    "Authentication",
    "OwnServers",
    "came_from_inside",
    "read_authentication",
    "received_lines",
    "says_failed",
    "top_fields",
]

_LONGEST_HEAD = 262_144
_LONGEST_VALUE = 16_384
_MOST_FIELDS = 500
_METHODS = ("spf", "dkim", "dmarc", "arc")

# By whom the headers of well-known providers are written, by the domain of their IMAP servers.
_PROVIDERS = {
    "gmail.com": ("google.com",),
    "googlemail.com": ("google.com",),
    "office365.com": ("outlook.com", "microsoft.com"),
    "outlook.com": ("office365.com", "microsoft.com"),
    "fastmail.com": ("messagingengine.com",),
    "me.com": ("icloud.com", "apple.com"),
    "zoho.com": ("zohomail.com",),
    "zoho.eu": ("zohomail.eu",),
}
_NAMELESS = frozenset(("office365.com", "outlook.com"))
"""Microsoft 365 writes the header without the name of a server, against RFC 8601 section 2.2."""

_RESULT = re.compile(r"([a-z][a-z0-9-]*)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)\b(.*)", re.DOTALL)
_PROPERTY = re.compile(r"([a-z]+\.[a-z0-9_-]+|[a-z]+)\s*=\s*(\"[^\"]*\"|\S+)")
_BY = re.compile(r"\bby\s+([^\s;()]+)")
_WITH = re.compile(r"\bwith\s+((?:utf8)?(?:e?smtp|lmtp)[a-z]*|asmtp)\b")
_FROM = re.compile(r"\s*from\s+\S+\s*\(([^()]*)\)", re.IGNORECASE)
_ADDRESS = re.compile(r"\[(?:ipv6:)?([0-9a-f.:]+)\]")
_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:")


@dataclass(frozen=True, slots=True)
class Authentication:
    """The results of one mail: ``pass``, ``fail``, ``none``, ... and ``""`` where nothing is said.

    ``verdict``: ``verified`` (DMARC, or an aligned DKIM or SPF, says that the mail is from the domain
    in From), ``failed`` (DMARC says it is not), ``unverified`` (our server has looked, and says
    neither). ``words`` are its results as a person reads them.
    """

    server: str
    spf: str
    dkim: str
    dmarc: str
    arc: str
    verdict: str
    words: str


class OwnServers:
    """Which servers are the account's own: ``auth_servers`` of its settings, else by the domains of
    its IMAP server and its address.
    """

    def __init__(self, channel: ChannelSettings) -> None:
        self._named = frozenset(name.strip(".") for name in channel.auth_servers)
        domains = {_base(name) for name in self._named}
        host = channel.imap.host.lower() if channel.imap is not None else ""
        for name in (host, channel.address.rpartition("@")[2].lower()):
            if "." in name and not _is_ip(name):
                base = _base(name)
                domains.update((base, *_PROVIDERS.get(base, ())))
        self._domains = domains
        self.nameless = not _NAMELESS.isdisjoint(domains)

    def wrote(self, name: str) -> bool:
        """Whether an authserv-id is ours."""
        name = name.lower().strip(".")
        if not name:
            return self.nameless
        if self._named:
            return name in self._named or any(name.endswith(f".{own}") for own in self._named)
        return _base(name) in self._domains

    def has(self, host: str) -> bool:
        """Whether a host that says of itself to have received a mail is ours, as far as can be told:
        one without a domain is a machine inside.
        """
        host = host.strip("[]").removeprefix("ipv6:")
        return "." not in host or _is_ip(host) or _base(host) in self._domains


def top_fields(raw: bytes, servers: OwnServers) -> list[tuple[str, str]]:
    """The header fields that the account's own servers can have written, names in lower case.

    They end at the first Received of another's server; the topmost one is ours, since nobody else
    can write above it.
    """
    found: list[tuple[str, str]] = []
    first = True
    for name, value in _fields(raw):
        if name == "received":
            by = _BY.search(value.lower())
            if not first and (by is None or not servers.has(by[1])):
                break
            first = False
        found.append((name, value))
    return found


def received_lines(raw: bytes) -> list[str]:
    """The values of all Received fields, the newest first."""
    return [value for name, value in _fields(raw) if name == "received"]


def _fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a header in their order, unfolded."""
    head = raw[:_LONGEST_HEAD]
    for end in (head.find(b"\n\n"), head.find(b"\n\r\n")):
        if end >= 0:
            head = head[: end + 1]
    name, value, count = "", b"", 0
    for line in head.splitlines():
        if line[:1] in (b" ", b"\t"):
            value += b" " + line.strip()
            continue
        if name:
            yield name, value[:_LONGEST_VALUE].decode("utf-8", "replace")
        match = _FIELD.match(line)
        name = match[1].decode("ascii").lower() if match else ""
        value = line[match.end() :].strip() if match else b""
        count += 1
        if count > _MOST_FIELDS:
            return
    if name:
        yield name, value[:_LONGEST_VALUE].decode("utf-8", "replace")


def read_authentication(
    fields: Sequence[tuple[str, str]], servers: OwnServers, from_address: str
) -> Authentication | None:
    """What our servers say about a mail, from its :func:`top_fields`; None where they say nothing.

    A pass counts from the topmost of their headers only: one further down may have been there
    before ours was added. A failure counts from each.
    """
    domain = from_address.rpartition("@")[2].lower()
    found: dict[str, str] = {}
    server = ""
    aligned = False
    top = True
    for name, value in fields:
        if name != "authentication-results":
            continue
        wrote, results = _results(value)
        if not servers.wrote(wrote):
            continue
        server = server or wrote or "outlook.com"
        for method, result, properties in results:
            if method not in _METHODS:
                continue
            if method == "dmarc" and not _speaks_of(domain, properties.get("header.from")):
                # Another From than the one that is shown: no word about this sender.
                continue
            if top and result == "pass" and _is_aligned(method, properties, domain):
                aligned = True
            if not top and method == "dmarc" and result == "pass":
                continue
            # Of several signatures one that holds is enough (RFC 6376 section 6.1).
            if (
                method not in found
                or (method == "dkim" and result == "pass" and top)
                or (method == "dmarc" and result == "fail")
            ):
                found[method] = result
        top = False
    if not server:
        return None
    dmarc = found.get("dmarc", "")
    if dmarc == "fail":
        verdict = "failed"
    elif aligned:
        verdict = "verified"
    else:
        verdict = "unverified"
    said = ", ".join(f"{name.upper()} {found[name]}" for name in _METHODS if name in found)
    return Authentication(
        server=one_line(server, 100),
        spf=found.get("spf", ""),
        dkim=found.get("dkim", ""),
        dmarc=dmarc,
        arc=found.get("arc", ""),
        verdict=verdict,
        words=f"{one_line(server, 100)} says {said or 'nothing of it'}",
    )


def says_failed(fields: Sequence[tuple[str, str]]) -> bool:
    """Whether any server at all says that DMARC failed: enough not to believe a mail, whoever says
    it.
    """
    return any(
        method == "dmarc" and result == "fail"
        for name, value in fields
        if name == "authentication-results"
        for method, result, _properties in _results(value)[1]
    )


def _results(value: str) -> tuple[str, list[tuple[str, str, dict[str, str]]]]:
    """The name of the server (``""`` where it is left out) and (method, result, properties)."""
    parts = _without_comments(value.lower()).split(";")
    first = parts[0].split()
    # A result in the place of the name: there is no name.
    named = first and "=" not in first[0] and not (len(first) > 1 and first[1].startswith("="))
    server = first[0] if named else ""
    found = []
    for part in parts[1:] if server else parts:
        match = _RESULT.match(part.strip())
        if match is not None:
            properties = {p[1]: p[2].strip('"') for p in _PROPERTY.finditer(match[3])}
            found.append((match[1], match[2], properties))
    return server, found


def _without_comments(text: str) -> str:
    """The text without what stands in parentheses, nested or never closed."""
    if "(" not in text:
        return text
    out: list[str] = []
    depth = 0
    for piece in re.split(r"([()])", text):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif not depth:
            out.append(piece)
    return " ".join(out)


def _is_aligned(method: str, properties: dict[str, str], domain: str) -> bool:
    """Whether a pass says that the mail is from the domain in From (RFC 7489 section 3.1)."""
    if method == "dmarc":
        return True
    if method == "dkim":
        signer = properties.get("header.d") or properties.get("header.i", "")
    elif method == "spf":
        signer = properties.get("smtp.mailfrom") or properties.get("smtp.mail", "")
    else:
        return False
    return bool(domain) and _base(signer.rpartition("@")[2]) == _base(domain)


def _speaks_of(domain: str, header_from: str | None) -> bool:
    return header_from is None or _base(header_from.rpartition("@")[2]) == _base(domain)


def _base(host: str) -> str:
    """The domain that an organisation has, as far as names tell: ``mx1.example.co.uk`` gives
    ``example.co.uk``.
    """
    labels = host.lower().strip(".").split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-keep:])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def came_from_inside(lines: Sequence[str]) -> bool:
    """Whether a mail was put into the mailbox itself, written on the mail server, or handed over by
    somebody who had logged in (ESMTPA and ESMTPSA, RFC 3848), by its Received lines.

    Hops on the server itself (LMTP, filters on loopback) are passed over; the first real one
    decides.
    """
    for line in lines:
        lower = line.lower()
        # Without comments, in which a stranger's name may stand.
        protocol = _WITH.search(_without_comments(lower))
        with_ = protocol[1] if protocol else ""
        if with_.endswith(("smtpa", "smtpsa", "asmtp")):
            return True
        if with_.startswith("lmtp") or not lower.lstrip().startswith("from"):
            if "from network" in lower:
                return False
            continue
        peer = _FROM.match(lower)
        address = _ADDRESS.search(peer[1]) if peer else None
        if address is None or not _is_loopback(address[1]):
            return False
    return True


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
