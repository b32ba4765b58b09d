"""The file by which a domain tells mail programs its servers (Mozilla's autoconfig, version 1.1).

It comes from anybody's server, so it is read as hostile: no document type, hence no entities, and
bounds for size, depth and number of elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from workflow.plaintext import one_line

__all__ = ["ConfigFault", "Server", "read_config"]

_LARGEST = 256_000
_DEEPEST = 20
_MOST = 2_000
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_SECURITY = {"SSL": "tls", "STARTTLS": "starttls"}


class ConfigFault(ValueError):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that a domain names: ``security`` is tls or starttls. ``methods`` are the ways to log
    in, in the words of the file.
    """

    host: str
    port: int
    security: str
    user: str
    methods: tuple[str, ...] = ()


@dataclass
class _Element:
    name: str
    kind: str = ""
    text: list[str] = field(default_factory=list)
    inner: list[_Element] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return ["".join(one.text).strip() for one in self.inner if one.name == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def read_config(text: bytes, address: str) -> tuple[Server | None, Server | None]:
    """The servers for receiving by IMAP and for sending; None where none fits that is encrypted.

    Raises ConfigFault for what is no such file.
    """
    if len(text) > _LARGEST:
        raise ConfigFault("it is too large")
    root = _parse(text)
    if root.name != "clientConfig":
        raise ConfigFault("it is no autoconfig file")
    incoming: list[Server] = []
    outgoing: list[Server] = []
    for provider in (one for one in root.inner if one.name == "emailProvider"):
        for entry in provider.inner:
            server = _server(entry, address)
            if server is None:
                continue
            if entry.name == "incomingServer" and entry.kind == "imap":
                incoming.append(server)
            elif entry.name == "outgoingServer" and entry.kind == "smtp":
                outgoing.append(server)
    return _best(incoming), _best(outgoing)


def _best(servers: list[Server]) -> Server | None:
    """The first in the order of the file, those with TLS from the first byte before others
    (RFC 8314, section 3).
    """
    return next(iter(sorted(servers, key=lambda one: one.security != "tls")), None)


def _server(entry: _Element, address: str) -> Server | None:
    host, port = entry.first("hostname").lower(), entry.first("port")
    security = _SECURITY.get(entry.first("socketType").upper())
    if security is None or not _HOST.fullmatch(host) or len(host) > 253:
        return None
    if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        return None
    local, _, domain = address.rpartition("@")
    user = entry.first("username") or "%EMAILADDRESS%"
    for sign, value in (
        ("%EMAILADDRESS%", address),
        ("%EMAILLOCALPART%", local),
        ("%EMAILDOMAIN%", domain),
    ):
        user = user.replace(sign, value)
    return Server(
        host, int(port), security, one_line(user, 200), tuple(entry.all("authentication"))
    )


def _parse(text: bytes) -> _Element:
    """The elements, with nothing that XML can do beyond them."""
    parser = expat.ParserCreate()
    top = _Element("")
    open_: list[_Element] = [top]
    count = 0

    def refuse(*_: object) -> None:
        raise ConfigFault("it has a document type, which such a file has not")

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_) > _DEEPEST or count > _MOST:
            raise ConfigFault("it has too many elements")
        element = _Element(name, attributes.get("type", ""))
        open_[-1].inner.append(element)
        open_.append(element)

    def end(_name: str) -> None:
        open_.pop()

    def data(words: str) -> None:
        open_[-1].text.append(words)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    try:
        parser.Parse(text, True)
    except expat.ExpatError as fault:
        raise ConfigFault(f"it is no XML ({fault})") from None
    except (ValueError, LookupError) as fault:
        raise ConfigFault(str(fault) or "it cannot be read") from None
    return top.inner[0] if top.inner else top
