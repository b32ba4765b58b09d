"""The three forms in which a call of the Bot API may carry its parameters."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["read_form"]


def read_form(content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters by name: texts, and files as (name, bytes)."""
    if content_type.startswith("application/json"):
        found = json.loads(body or b"{}")
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in found.items()
        }
    if content_type.startswith("multipart/form-data"):
        return _multipart(content_type, body)
    return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))


def _multipart(content_type: str, body: bytes) -> dict[str, Any]:
    """RFC 7578, as clients write it: no nesting, no transfer encodings."""
    match = re.search(r'boundary="?([^";]+)', content_type)
    if match is None:
        return {}
    found: dict[str, Any] = {}
    for part in body.split(b"--" + match[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        text = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="([^"]*)"', text)
        if name is None:
            continue
        file = re.search(r'filename="([^"]*)"', text)
        found[name[1]] = (file[1], content) if file else content.decode("utf-8")
    return found
