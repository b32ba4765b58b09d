"""A webhook: JSON to a URL, signed where the rule has a secret, once for each notice.

The signature is that of GitHub's webhooks, which every receiver can check: HMAC-SHA256 of the body
in ``X-Deskhand-Signature-256: sha256=...``. No redirect is followed: what is told goes where the
file says.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from channels.notices.outcome import Untold
from workflow.plaintext import one_line

__all__ = ["SIGNATURE", "post_webhook"]

SIGNATURE = "X-Deskhand-Signature-256"
_LIMIT_S = 15.0
_LONGEST_ANSWER = 2_000
_PASSING = (408, 425, 429)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        """None leaves the answer as it is."""


def post_webhook(url: str, secret: str, number: int, body: Mapping[str, Any]) -> str:
    """Post a notice; what was answered, as a phrase. Raises Untold.

    ``X-Deskhand-Notice`` has the notice's number: by it a receiver knows one that comes again.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Untold("the address of the webhook is neither http nor https", passes=False)
    raw = json.dumps({"notice": number, **body}, ensure_ascii=False).encode()
    headers = {
        "User-Agent": "deskhand",
        "Content-Type": "application/json",
        "X-Deskhand-Notice": str(number),
    }
    if secret:
        made = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers[SIGNATURE] = f"sha256={made}"
    try:
        request = urllib.request.Request(url, raw, headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirects())
        with opener.open(request, timeout=_LIMIT_S) as answer:
            said = answer.read(_LONGEST_ANSWER).decode("utf-8", "replace")
            return f"{answer.status} {one_line(said, 200)}".strip()
    except urllib.error.HTTPError as fault:
        with fault:
            raise _refused(fault.code, parts.hostname) from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise Untold(f"{parts.hostname} cannot be reached ({_words(fault)})", passes=True) from None


def _refused(status: int, host: str) -> Untold:
    if 300 <= status < 400:
        return Untold(
            f"{host} answered {status}, which leads elsewhere: give the address it leads to",
            passes=False,
        )
    passes = status >= 500 or status in _PASSING
    return Untold(f"{host} answered {status}", passes=passes)


def _words(fault: BaseException) -> str:
    reason = getattr(fault, "reason", None)
    inner = reason if isinstance(reason, BaseException) else fault
    if isinstance(inner, TimeoutError):
        return "it does not answer"
    if isinstance(inner, socket.gaierror):
        return "there is no such name, or no network"
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate: {inner.verify_message}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return one_line(str(inner), 100) or type(inner).__name__
