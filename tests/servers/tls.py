"""A certificate for 127.0.0.1 and localhost, signed by an authority made for the test."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificate", "make_certificate"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of one server certificate.

    A client that trusts ``ca_file`` accepts it for 127.0.0.1 and localhost.
    """

    cert_file: Path
    key_file: Path
    ca_file: Path

    def server_context(self) -> ssl.SSLContext:
        """A context for a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A context for a client that checks names and trusts this authority only."""
        return ssl.create_default_context(cafile=str(self.ca_file))


def make_certificate(directory: Path, *names: str) -> Certificate:
    """Write ``cert.pem``, ``key.pem`` and ``ca.pem`` into the directory, which is made if it is
    missing.

    Without names it is valid for 127.0.0.1 and localhost. Give others to test that a wrong name is
    refused.
    """
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    issued = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
    certificate = Certificate(directory / "cert.pem", directory / "key.pem", directory / "ca.pem")
    certificate.cert_file.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    certificate.key_file.write_bytes(issued.private_key_pem.bytes())
    authority.cert_pem.write_to_path(certificate.ca_file)
    return certificate
