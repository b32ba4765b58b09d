"""What the words of IMAP servers mean: which refusals pass, how long they ask us to wait, which
folder holds sent mail; and the forms in which numbers are said to them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workflow.plaintext import one_line

__all__ = [
    "answer_in",
    "asked_to_wait",
    "choose_sent",
    "is_passing",
    "moment_of",
    "number_of",
    "sequence_set",
]

_PASSING = re.compile(
    # RFC 5530, and response codes of Gmail, Yahoo and others.
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|THROTTLED|OVERQUOTA-TEMP|SERVERBUG-TEMP)\b"
    r"|too many (?:simultaneous|concurrent|connections|commands|requests|login)"
    r"|simultaneous connections|try again|temporar|throttl|server (?:is )?(?:too )?busy|overload"
    r"|exceeded (?:command|bandwidth|connection|request)|rate limit|\bback-?off\b"
    r"|server unavailable|service unavailable|not available (?:now|at this time)"
    # Microsoft 365, while a mailbox is moved or its store is away.
    r"|authenticated but not connected|session invalidated|proxy (?:failed|error)"
    r"|command error\. 1[0-9]|mailbox (?:is )?(?:locked|in use)",
    re.IGNORECASE,
)

_FOR_GOOD = re.compile(
    r"\[(?:AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED|PRIVACYREQUIRED)\b", re.IGNORECASE
)
"""Codes that say the opposite, whatever the words beside them ("please try again") say."""

_WAIT = re.compile(
    r"(?:back-?off(?: time)?|retry[- ]after|try again in|wait)\D{0,12}(\d+)\s*"
    r"(milliseconds|ms|seconds|s|minutes|min|m|hours|h)?\b",
    re.IGNORECASE,
)
_UNIT_S = {"milliseconds": 0.001, "ms": 0.001, "minutes": 60, "min": 60, "m": 60}
_LONGEST_WAIT_S = 3600.0
"""What a server may ask for at most: a slip of it must not silence an account for days."""

_SENT_NAMES = (
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Sent-Mail",
    "Gesendet",
    "Gesendete Elemente",
    "Gesendete Objekte",
    "Envoyés",
    "Éléments envoyés",
    "Messages envoyés",
    "Enviados",
    "Elementos enviados",
    "Posta inviata",
    "Inviata",
    "Verzonden",
    "Verzonden items",
    "Wysłane",
    "Skickat",
    "Sendt",
)
_PREFIXES = ("", "inbox.", "inbox/", "[gmail]/", "[google mail]/")


def is_passing(answer: str) -> bool:
    """Whether a refusal says that another try later may go better, whatever was asked for."""
    return _PASSING.search(answer) is not None and _FOR_GOOD.search(answer) is None


def asked_to_wait(answer: str) -> float:
    """The seconds for which an answer asks to be left alone; 0 if it does not say."""
    found = _WAIT.search(answer)
    if found is None:
        return 0.0
    unit = (found[2] or "s").lower()
    scale = 3600 if unit.startswith("h") else _UNIT_S.get(unit, 1)
    return min(int(found[1][:9]) * scale, _LONGEST_WAIT_S)


def choose_sent(folders: Iterable[tuple[str, Iterable[str]]]) -> str | None:
    r"""The folder of sent mail among names with their attributes: the one that is marked ``\Sent``
    (RFC 6154), else one of a usual name; None where there is none that can be opened.
    """
    names: dict[str, str] = {}
    for name, attributes in folders:
        marks = {mark.lower() for mark in attributes}
        if marks & {"\\noselect", "\\nonexistent"}:
            continue
        if "\\sent" in marks:
            return name
        names.setdefault(name.lower(), name)
    for usual in _SENT_NAMES:
        for prefix in _PREFIXES:
            if (found := names.get(prefix + usual.lower())) is not None:
                return found
    return None


def answer_in(fault: BaseException) -> str:
    """The server's own words in an error of imapclient."""
    text = str(fault)
    quoted = re.search(r"b'(.*)'|b\"(.*)\"", text)
    words = (quoted[1] or quoted[2] or "") if quoted else text
    return one_line(words, 200)


def sequence_set(uids: Sequence[int]) -> str:
    """A sequence set (RFC 3501, section 9), neighbours as a range: lines have a limit."""
    parts: list[str] = []
    for _, run in itertools.groupby(enumerate(sorted(uids)), lambda pair: pair[1] - pair[0]):
        numbers = [uid for _, uid in run]
        parts.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}:{numbers[-1]}")
    return ",".join(parts)


def number_of(value: object) -> int:
    """A number of an answer; 0 where there is none."""
    return int(value) if isinstance(value, int) else 0


def moment_of(entry: Mapping[bytes, Any]) -> datetime | None:
    """INTERNALDATE in UTC, None where it could not be read."""
    found = entry.get(b"INTERNALDATE")
    if not isinstance(found, datetime):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
