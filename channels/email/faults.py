"""What can go wrong between us and a mail server, as sentences with the next step."""

from __future__ import annotations

import re
import socket
import ssl

from channels import faults
from channels.email.providers import provider_by_host
from workflow.plaintext import one_line
from workflow.settings import ServerSettings

__all__ = [
    "Busy",
    "FolderMissing",
    "LoginRefused",
    "MailFault",
    "Unreachable",
    "network_fault",
    "refusal",
]


class MailFault(faults.ChannelFault):
    """A mail server could not be used; the text is the sentence for a person."""


class Unreachable(faults.Unreachable, MailFault):
    """No connection, or it broke: time may mend it."""


class Busy(faults.Busy, Unreachable):
    """The server answers, but does not serve us now."""


class LoginRefused(faults.AccountRefused, MailFault):
    """The server does not take user and password: somebody has to mend it."""


class FolderMissing(MailFault):
    """A folder that deskhand.toml names is not there."""


def network_fault(fault: BaseException, server: ServerSettings) -> Unreachable:
    """The sentence for a connection that failed or broke."""
    where = f"{server.host}:{server.port}"
    if isinstance(fault, socket.gaierror):
        said = (
            f"there is no server named {server.host}: check host in deskhand.toml,"
            " and whether this machine is online"
        )
    elif isinstance(fault, ConnectionRefusedError):
        said = f"{where} refuses connections: check port and security in deskhand.toml"
    elif isinstance(fault, ssl.SSLCertVerificationError):
        said = _certificate(fault, where, server.host)
    elif isinstance(fault, ssl.SSLError):
        said = (
            f"{where} does not speak TLS as expected ({_words(fault)}):"
            " check port and security (tls for 993 and 465, starttls for 143 and 587)"
        )
    elif isinstance(fault, TimeoutError):
        said = f"{where} does not answer: check host and port, and whether a firewall is between"
    elif isinstance(fault, OSError) and fault.strerror:
        said = f"the connection to {where} failed ({fault.strerror}): check the network"
    else:
        said = f"the connection to {where} broke ({_words(fault)})"
    return Unreachable(said)


def refusal(server: ServerSettings, answer: str) -> LoginRefused:
    """The sentence for a login that was refused with an answer."""
    said = (
        f"{server.host} refuses the login of {server.user or 'nobody'}"
        f" ({one_line(answer, 160) or 'no reason given'})"
    )
    provider = provider_by_host(server.host)
    switched_off = re.search(r"not enabled|disabled|switched off|web login required", answer, re.I)
    if provider is not None and provider.switch and switched_off:
        return LoginRefused(f"{said}: switch it on ({provider.switch})")
    said += ": check user and password in deskhand.toml"
    if provider is None:
        return LoginRefused(f"{said}; with two-step verification it must be an app password")
    if provider.only_oauth:
        said += f"; {provider.name} takes no passwords from most mailboxes: log in with oauth"
    elif provider.app_password:
        said += f"; {provider.name} wants an app password (make one: {provider.app_password})"
    if provider.switch:
        said += f"; or access is switched off: {provider.switch}"
    return LoginRefused(said)


_EXPIRED, _NOT_YET, _WRONG_NAME, _WRONG_ADDRESS = 10, 9, 62, 64
"""What OpenSSL calls them (X509_V_ERR_*)."""


def _certificate(fault: ssl.SSLCertVerificationError, where: str, host: str) -> str:
    """What is wrong with a server's certificate, and whose turn it is."""
    if fault.verify_code in (_EXPIRED, _NOT_YET):
        what = "has expired" if fault.verify_code == _EXPIRED else "is not valid yet"
        return (
            f"the certificate of {where} {what}: look whether this computer's clock is right;"
            " if it is, whoever runs the server must renew the certificate"
        )
    if fault.verify_code in (_WRONG_NAME, _WRONG_ADDRESS):
        return (
            f"the certificate of {where} is for another name than {host}: write the name that the"
            " provider gives for this server as host in deskhand.toml"
        )
    return (
        f"the certificate of {where} is not trusted ({fault.verify_message}): check host in"
        " deskhand.toml, or add the authority that signed it to this system's trusted ones"
    )


def _words(fault: BaseException) -> str:
    return one_line(str(fault), 120) or type(fault).__name__
