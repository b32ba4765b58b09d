"""What every test stands on: an environment of its own, no network but loopback, time that stands
still, real servers.

Servers are made for one test each (Dovecot needs 50 ms), so that no test sees another's mail and
any number of tests run side by side.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink
from tests.servers.tls import Certificate, make_certificate
from workflow.clock import ManualClock, parse_moment

# A shell starts what it runs in the background with ctrl-c ignored, and programs inherit that: here it
# is what a person at a terminal has.
signal.signal(signal.SIGINT, signal.default_int_handler)

OWN_NAME = socket.gethostname()
MAIL_SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "mail"

# A limit in milliseconds says more about a busy machine than about the code; in CI each run tries
# the same examples, so that a red run means this change.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


class NetworkRefused(RuntimeError):
    """A test tried to leave this machine."""


def _is_here(host: object, *, literal_counts: bool = False) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    # Mail clients ask for the name of their own machine to introduce themselves.
    if name in ("", "localhost", OWN_NAME):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback or literal_counts
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # A path is a Unix socket; None is a socket that is connected already.
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise NetworkRefused(f"tests may not reach {address[0]}: use a server on 127.0.0.1")
    # To look up a literal address asks nobody.
    lookup = event in ("socket.getaddrinfo", "socket.gethostbyname")
    if lookup and not _is_here(arguments[0], literal_counts=True):
        raise NetworkRefused(f"tests may not look up {arguments[0]}: use 127.0.0.1")


# A hook of the interpreter sees every way out (asyncio, ssl, C code that uses socket), which no
# replaced function does. It cannot be taken away again, and need not be.
sys.addaudithook(_guard)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as live what asks for Dovecot, so that no test can forget it."""
    for item in items:
        if "dovecot" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.live)


@pytest.fixture(autouse=True)
def _own_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home, UTC and English of its own; no settings or secrets of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("DESKHAND_", "XDG_", "LC_", "TEXTUAL", "GIT_")):
            monkeypatch.delenv(name)
    person = tmp_path_factory.mktemp("person")
    monkeypatch.setenv("HOME", str(person))
    for name, folder in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_CACHE_HOME": ".cache",
        "XDG_RUNTIME_DIR": ".run",
    }.items():
        monkeypatch.setenv(name, str(person / folder))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    time.tzset()


@pytest.fixture
def clock() -> ManualClock:
    """Monday, 23 November 2026, 09:00 UTC; it moves when the test moves it."""
    return ManualClock(parse_moment("2026-11-23T09:00:00Z"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of a desk, named by DESKHAND_HOME."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("DESKHAND_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1; ``client_context()`` trusts it."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def dovecot(certificate: Certificate) -> Iterator[Dovecot]:
    """An empty Dovecot: plain and STARTTLS on ``port``, TLS on ``tls_port``, any user with
    ``password``.
    """
    with Dovecot.start(certificate=certificate) as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP server without TLS and AUTH that accepts all until it is told otherwise."""
    with SmtpSink.start() as sink:
        yield sink


@pytest.fixture(scope="session")
def mail_samples() -> Path:
    """A folder of real mail that lies beside the checkout on some machines.

    Skips where it does not.
    """
    if not MAIL_SAMPLES.is_dir():
        pytest.skip("there is no folder of sample mail beside this checkout")
    return MAIL_SAMPLES
