"""Whether a mail may come in as what it says it is: what our server found out about its sender, spam,
addresses that are not ours, and mail that says it is from us.

What is found is a cause to hold it; whether a rule of the team lets it in all the same is decided
later (:mod:`workflow.holding`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from channels.email.authentication import (
    Authentication,
    OwnServers,
    came_from_inside,
    read_authentication,
    received_lines,
    says_failed,
    top_fields,
)
from channels.email.parse import ParsedMail
from workflow.holding import CLAIMS_US, FAILED_CHECK, SPAM, UNKNOWN_ADDRESS
from workflow.plaintext import one_line
from workflow.settings import ChannelSettings, Settings

__all__ = ["Screened", "screen"]

_ASKED = (
    b"authentication-results",
    b"x-spam-flag",
    b"x-spam-status",
    b"x-spam",
    b"x-rspamd-action",
)
_SPAM_HOST = re.compile(r"\bon\s+([a-z0-9.-]+)", re.IGNORECASE)
_REJECTS = ("add header", "rewrite subject", "soft reject", "reject", "quarantine")


@dataclass(frozen=True, slots=True)
class Screened:
    """What was found. ``own``: really from us. ``claims_us``: says so, and nothing confirms it."""

    authentication: dict[str, Any] | None = None
    own: bool = False
    claims_us: bool = False
    cause: str | None = None
    evidence: str = ""


def screen(
    raw: bytes,
    parsed: ParsedMail,
    sender_address: str,
    channel: ChannelSettings | None,
    settings: Settings,
    *,
    sent: bool = False,
) -> Screened:
    """Judge a mail by the header that our servers wrote.

    ``channel`` None is history, which is believed; so is what lies in the folder of sent mail
    (``sent``), where only those can put it who may write into the mailbox.
    """
    own = sender_address.lower() in settings.own_addresses
    if channel is None or sent:
        return Screened(own=own or sent)
    fields: Sequence[tuple[str, str]] = ()
    found = None
    servers = _servers(channel)
    if own or any(name in parsed.headers for name in _ASKED):
        fields = top_fields(raw, servers)
        found = read_authentication(fields, servers, sender_address)
    confirmed = own and _is_confirmed(raw, fields, found)
    cause, evidence = None, ""
    if not confirmed:
        cause, evidence = _objection(parsed, sender_address, fields, found, channel, settings)
    return Screened(
        asdict(found) if found is not None else None,
        confirmed,
        own and not confirmed,
        cause,
        evidence,
    )


def _objection(
    parsed: ParsedMail,
    sender_address: str,
    fields: Sequence[tuple[str, str]],
    found: Authentication | None,
    channel: ChannelSettings,
    settings: Settings,
) -> tuple[str | None, str]:
    """The cause for which a mail is kept out, with its evidence."""
    own = sender_address.lower() in settings.own_addresses
    if found is not None and own and _is_denied(found):
        return CLAIMS_US, f"it says it is from {sender_address}, but {found.words}"
    if found is not None and found.verdict == "failed" and channel.hold_dmarc:
        who = sender_address or "whom it says"
        return FAILED_CHECK, f"{found.words}: it may not be from {who}"
    if channel.hold_spam and fields and (said := _spam(fields, _servers(channel))):
        return SPAM, f"the mail server calls it spam ({said})"
    if channel.hold_unknown and (said := _strange_address(parsed, settings)):
        return UNKNOWN_ADDRESS, said
    return None, ""


@lru_cache(maxsize=64)
def _servers(channel: ChannelSettings) -> OwnServers:
    return OwnServers(channel)


def _is_confirmed(
    raw: bytes, fields: Sequence[tuple[str, str]], found: Authentication | None
) -> bool:
    """Whether a mail from one of our addresses is from us (docs/decisions/0007)."""
    if found is not None and (found.verdict == "verified" or _is_denied(found)):
        return found.verdict == "verified"
    return not says_failed(fields) and came_from_inside(received_lines(raw))


def _is_denied(found: Authentication) -> bool:
    """Whether our server found something against it, not just nothing for it."""
    return found.verdict == "failed" or (
        found.verdict == "unverified" and "fail" in (found.spf, found.dkim)
    )


def _spam(fields: Sequence[tuple[str, str]], servers: OwnServers) -> str:
    """The header by which our server calls a mail spam, as a person would quote it; else ``""``."""
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(name, value)
    checker = _SPAM_HOST.search(values.get("x-spam-checker-version", ""))
    if checker is not None and not servers.has(checker[1]):
        return ""
    for name, words in (
        ("x-spam-flag", ("yes", "true")),
        ("x-spam-status", ("yes",)),
        ("x-spam", ("yes",)),
        ("x-rspamd-action", _REJECTS),
    ):
        value = values.get(name, "")
        if value.lower().lstrip().startswith(words):
            written = "-".join(word.capitalize() for word in name.split("-"))
            level = values.get("x-spam-level", "").count("*")
            more = f", X-Spam-Level {level}" if level else ""
            return f"{written}: {one_line(value, 60)}{more}"
    return ""


def _strange_address(parsed: ParsedMail, settings: Settings) -> str:
    """Why a mail is for none of our addresses; ``""`` where it is, or where nobody can tell.

    A blind copy, a list and a forward name us nowhere in To; so where the servers did not note for
    whom the mail was, it is taken.
    """
    delivered = parsed.delivered_to
    if not delivered or b"list-id" in parsed.headers or b"list-post" in parsed.headers:
        return ""
    named = [*delivered, *(party.address for party in (*parsed.to, *parsed.cc))]
    if any(_without_plus(address) in settings.own_addresses for address in named):
        return ""
    return f"it was delivered for {delivered[0]}, which is no account and no alias of this desk"


def _without_plus(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
