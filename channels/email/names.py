"""What the domain name system says of a domain's mail: SRV (RFC 6186, RFC 8314) and MX records. The
one file that uses dnspython.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["NameFault", "Names", "NoSuchDomain", "Service"]

_LIMIT_S = 5.0


class NameFault(Exception):
    """Nobody answers: no network, or no name server."""


class NoSuchDomain(Exception):
    """The domain does not exist."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is: the target of an SRV record."""

    host: str
    port: int


class Names:
    """Asks name servers; those of the system if none are given."""

    def __init__(
        self, servers: Sequence[str] = (), port: int = 53, limit_s: float = _LIMIT_S
    ) -> None:
        self._servers = tuple(servers)
        self._port = port
        self._limit_s = limit_s

    def service(self, name: str, domain: str) -> Service | None:
        """Where ``name`` (``_imaps._tcp``) of a domain is; None if it says nothing, or that it has
        none (a target of ``.``). The lowest priority wins, of several the highest weight.

        Raises NameFault.
        """
        found = [
            (int(entry.priority), -int(entry.weight), str(entry.target), int(entry.port))
            for entry in self._ask(f"{name}.{domain}", "SRV")
        ]
        for _, _, target, port in sorted(found):
            host = target.rstrip(".").lower()
            if host and 0 < port < 65536:
                return Service(host, port)
        return None

    def exchangers(self, domain: str) -> list[str]:
        """The mail exchangers of a domain, the best first. Raises NameFault and NoSuchDomain."""
        found = [
            (int(entry.preference), str(entry.exchange).rstrip(".").lower())
            for entry in self._ask(domain, "MX", strict=True)
        ]
        return [host for _, host in sorted(found) if host]

    def _ask(self, name: str, kind: str, *, strict: bool = False) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = list(self._servers)
                resolver.port = self._port
            answer = resolver.resolve(name + ".", kind, lifetime=self._limit_s, search=False)
        except dns.resolver.NXDOMAIN:
            if strict:
                raise NoSuchDomain(name) from None
            return []
        except dns.resolver.NoAnswer:
            return []
        except (dns.exception.DNSException, OSError, ValueError) as fault:
            raise NameFault(str(fault)) from fault
        return list(answer)
