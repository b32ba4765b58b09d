"""From an address to the servers of its mailbox.

Asked in this order, all at the same time so that a person does not wait for each: the domain's own
file (autoconfig), its SRV records, who runs its mail (MX) in a table of large providers, that table
by the domain itself. The best answer for receiving and for sending wins.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote

from channels.email.autoconfig import ConfigFault, Server, read_config
from channels.email.names import NameFault, Names, NoSuchDomain, Service
from channels.email.providers import Provider, provider_by_host, provider_by_mx, provider_of
from channels.web import Web, WebFault

__all__ = ["Discovery", "Found", "Lookups", "discover", "domain_of"]

_SERVICES = (
    ("_imaps._tcp", "imap", "tls"),
    ("_imap._tcp", "imap", "starttls"),
    ("_submissions._tcp", "smtp", "tls"),
    ("_submission._tcp", "smtp", "starttls"),
)


@dataclass(frozen=True)
class Lookups:
    """Whom to ask; a test gives its own."""

    web: Web = field(default_factory=lambda: Web(limit_s=6.0))
    names: Names = field(default_factory=Names)


@dataclass(frozen=True, slots=True)
class Found:
    """A server, and where it was read. ``sure`` is False where nobody vouches for it: a record
    without a signature that names a host of another domain (RFC 6186, section 6).
    """

    host: str
    port: int
    security: str
    user: str
    source: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found. ``remarks`` are sentences about what could not be asked or looks wrong."""

    imap: Found | None
    smtp: Found | None
    provider: Provider | None
    remarks: tuple[str, ...] = ()


def domain_of(address: str) -> str:
    """The domain of an address as servers know it (IDNA, lower case); raises ValueError."""
    _, at, domain = address.strip().rpartition("@")
    if not at or not domain or len(domain) > 253:
        raise ValueError(f"{address!r} is no mail address")
    try:
        return domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{address!r} has no domain that can exist") from None


def discover(address: str, lookups: Lookups | None = None) -> Discovery:
    """Find the servers of an address; raises ValueError for what is no address.

    It answers within the limits of its lookups, also without a network.
    """
    ask = lookups or Lookups()
    domain = domain_of(address)
    urls = (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(address)}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )
    remarks: list[str] = []
    with ThreadPoolExecutor(8, "discovery") as pool:
        files = [pool.submit(_by_file, ask.web, url, address) for url in urls]
        records = [
            (kind, security, pool.submit(ask.names.service, name, domain))
            for name, kind, security in _SERVICES
        ]
        exchangers = pool.submit(ask.names.exchangers, domain)
        found: dict[str, list[Found]] = {"imap": [], "smtp": []}
        for future in files:
            for kind, server in future.result().items():
                found[kind].append(server)
        silent = _by_records(records, found, domain, address)
        hosts, silent_too = _exchangers(exchangers, domain, remarks)
    provider = _by_table(hosts, domain, address, found)
    if silent and silent_too and not any(found.values()):
        remarks.append("no name server answers: is this computer online?")
    elif silent and silent_too:
        remarks.append("no name server answers, so this is from what deskhand knows by itself")
    imap, smtp = (next(iter(found[kind]), None) for kind in ("imap", "smtp"))
    if imap is not None:
        provider = provider_by_host(imap.host) or provider
    return Discovery(imap, smtp, provider, tuple(remarks))


def _by_file(web: Web, url: str, address: str) -> dict[str, Found]:
    try:
        page = web.get(url)
        if page.status != 200:
            return {}
        imap, smtp = read_config(page.body, address)
    except (WebFault, ConfigFault):
        return {}
    source = f"autoconfig of {url.split('/')[2]}"

    def told(server: Server) -> Found:
        return Found(server.host, server.port, server.security, server.user, source)

    pairs = (("imap", imap), ("smtp", smtp))
    return {kind: told(server) for kind, server in pairs if server is not None}


def _by_records(
    records: list[tuple[str, str, Future[Service | None]]],
    found: dict[str, list[Found]],
    domain: str,
    address: str,
) -> bool:
    """Add what SRV records say; whether nobody answered."""
    silent = True
    for kind, security, future in records:
        try:
            service = future.result()
        except NameFault:
            continue
        silent = False
        if service is None:
            continue
        own = service.host == domain or service.host.endswith("." + domain)
        sure = own or provider_by_host(service.host) is not None
        found[kind].append(
            Found(service.host, service.port, security, address, f"SRV record of {domain}", sure)
        )
    return silent


def _exchangers(
    future: Future[list[str]], domain: str, remarks: list[str]
) -> tuple[list[str], bool]:
    try:
        return future.result(), False
    except NoSuchDomain:
        remarks.append(f"there is no domain {domain}: is the address right?")
        return [], False
    except NameFault:
        return [], True


def _by_table(
    hosts: list[str], domain: str, address: str, found: dict[str, list[Found]]
) -> Provider | None:
    """Add what the table knows, by who runs the mail and by the domain itself."""
    runs, owns = provider_by_mx(hosts), provider_of(domain)
    ways: tuple[tuple[Provider | None, Callable[[Provider], str]], ...] = (
        (runs, lambda one: f"mail of {domain} is run by {one.name} (MX record)"),
        (owns, lambda one: f"what deskhand knows of {one.name}"),
    )
    for provider, source in ways:
        if provider is None:
            continue
        for kind, (host, port, security) in (("imap", provider.imap), ("smtp", provider.smtp)):
            found[kind].append(Found(host, port, security, address, source(provider)))
    return runs or owns
