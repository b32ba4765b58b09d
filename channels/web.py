"""HTTP as a careful client: https only, few redirects, limits of time and size.

What answers may be anybody's server. Where a name on the loopback address is asked, plain http is
taken too, for servers of one's own.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from channels.faults import Unreachable
from workflow.plaintext import one_line

__all__ = ["Dial", "Page", "Web", "WebFault"]

_AGENT = "deskhand"
_MOST_REDIRECTS = 3
_CHUNK = 16_384

Dial = Callable[[str, int, float], socket.socket]
"""Makes a connection to a host and a port within some seconds."""


class WebFault(Unreachable):
    """A page could not be had; the text is the sentence."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered."""

    status: int
    body: bytes


class Web:
    """Asks servers. ``dial`` and ``context`` replace how they are reached and whom is trusted."""

    def __init__(
        self,
        *,
        dial: Dial | None = None,
        context: ssl.SSLContext | None = None,
        limit_s: float = 10.0,
        largest: int = 256_000,
    ) -> None:
        self._dial = dial
        self._context = context
        self._limit_s = limit_s
        self._largest = largest

    def get(self, url: str) -> Page:
        """The page of a URL, following a few redirects; raises WebFault."""
        return self._ask(urllib.request.Request(url, headers={"User-Agent": _AGENT}))

    def post(self, url: str, form: Mapping[str, str] | str) -> Page:
        """The answer to a form (a mapping, or the encoded text); raises WebFault.

        Redirects are not followed: a form with secrets goes where it was meant to go.
        """
        text = form if isinstance(form, str) else urlencode(form)
        headers = {
            "User-Agent": _AGENT,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self._ask(urllib.request.Request(url, text.encode(), headers), redirects=0)

    def _ask(self, request: urllib.request.Request, redirects: int = _MOST_REDIRECTS) -> Page:
        host = urlsplit(request.full_url).hostname or "nowhere"
        end = time.monotonic() + self._limit_s
        opener = self._opener(redirects)
        try:
            _check(request.full_url)
            with opener.open(request, timeout=self._limit_s) as answer:
                return Page(int(answer.status), self._read(answer, end, host))
        except urllib.error.HTTPError as fault:
            with fault:
                return Page(fault.code, self._read(fault, end, host))
        except WebFault:
            raise
        except (OSError, http.client.HTTPException, ValueError) as fault:
            raise WebFault(f"{host} cannot be asked ({_words(fault)})") from fault

    def _read(self, answer: Any, end: float, host: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := answer.read1(_CHUNK) if hasattr(answer, "read1") else answer.read(_CHUNK):
            size += len(part)
            if size > self._largest:
                raise WebFault(f"{host} answered with more than {self._largest // 1000} KB")
            if time.monotonic() > end:
                raise WebFault(f"{host} did not end its answer within {self._limit_s:.0f} s")
            parts.append(part)
        return b"".join(parts)

    def _opener(self, redirects: int) -> urllib.request.OpenerDirector:
        # Made on first use: loading the system's authorities takes its time.
        context = self._context or ssl.create_default_context()
        if self._dial is None:
            return urllib.request.build_opener(
                urllib.request.HTTPSHandler(context=context), _Redirects(redirects)
            )
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            _DialledHandler(self._dial, context),
            _Redirects(redirects),
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Few, and none to a place that is not https."""

    def __init__(self, most: int) -> None:
        self._left = most

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request; None leaves the answer as it is."""
        if self._left <= 0:
            return None
        self._left -= 1
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _DialledConnection(http.client.HTTPSConnection):
    """A connection that somebody else makes; the certificate must still be for the name asked."""

    def __init__(self, host: str, *, dial: Dial, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(host, context=context, **options)
        self._dialled, self._tls = dial, context

    def connect(self) -> None:
        """Dial, then TLS."""
        line = self._dialled(self.host, self.port, cast("float", self.timeout))
        self.sock = self._tls.wrap_socket(line, server_hostname=self.host)


class _DialledHandler(urllib.request.HTTPSHandler):
    def __init__(self, dial: Dial, context: ssl.SSLContext) -> None:
        super().__init__()
        self._dialled, self._tls = dial, context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask over a dialled connection."""

        def connection(host: str, /, *, timeout: float = 10.0, **_: Any) -> _DialledConnection:
            return _DialledConnection(host, dial=self._dialled, context=self._tls, timeout=timeout)

        return self.do_open(connection, req)


def _check(url: str) -> None:
    """Raises WebFault for a URL that is not asked."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and _is_loopback(host):
        return
    raise WebFault(f"{one_line(url, 100)} is not asked: only https is")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _words(fault: BaseException) -> str:
    reason = getattr(fault, "reason", None)
    inner = reason if isinstance(reason, BaseException) else fault
    if isinstance(inner, socket.gaierror):
        return "there is no such name, or no network"
    if isinstance(inner, TimeoutError):
        return "it does not answer"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate: {inner.verify_message}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return one_line(str(inner), 100) or type(inner).__name__
