"""What a person decides about all mail of a sender: always let it in, or never bother anybody with it."""

from __future__ import annotations

from workflow import actions as a
from workflow.apply import Context, Result, applies
from workflow.errors import NotFound, Refusal, UsageError
from workflow.plaintext import one_line
from workflow.store.tables import SenderRule

__all__ = ["EVERYBODYS", "rule_sender"]

EVERYBODYS = frozenset(
    [
        "aol.com",
        "free.fr",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "libero.it",
        "live.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "t-online.de",
        "web.de",
        "yahoo.com",
        "yandex.ru",
        "163.com",
        "126.com",
        "naver.com",
    ]
)
"""Domains whose addresses belong to strangers to each other."""


@applies(a.RuleSender)
def rule_sender(context: Context, action: a.RuleSender) -> Result:
    """Write, change or take away the rule about an address or a domain.

    Raises UsageError for what is neither, Refusal for our own addresses and for domains that are
    everybody's, NotFound where there is no rule to take away.
    """
    pattern = _checked(action.pattern)
    session = context.transaction.session
    row = session.get(SenderRule, pattern)
    before = None if row is None else row.allow
    if action.allow is None:
        if row is None:
            raise NotFound(f"there is no rule about {pattern}: deskhand held rules lists them")
        session.delete(row)
    else:
        _refuse_ours(context, pattern)
        if pattern[1:] in EVERYBODYS and pattern[0] == "@":
            raise Refusal(
                f"{pattern[1:]} has the addresses of all kinds of people: allow or block the one address"
            )
        put_rule(context, pattern, action.allow)
    if before != action.allow:
        context.record(
            "sender.ruled",
            None,
            {"pattern": pattern, "before": before, "after": action.allow},
        )
    words = {True: "always allows", False: "always blocks", None: "has no rule about"}[action.allow]
    who = f"everybody at {pattern[1:]}" if pattern[0] == "@" else pattern
    return Result(f"the desk {words} {who}")


def put_rule(context: Context, pattern: str, allow: bool) -> None:
    """Write a rule, in place of the one that there is."""
    session = context.transaction.session
    row = session.get(SenderRule, pattern) or SenderRule(
        pattern=pattern, allow=allow, at=context.now, by=""
    )
    row.allow, row.at, row.by = allow, context.now, context.actor.name or context.actor.kind
    session.add(row)


def _checked(text: str) -> str:
    pattern = one_line(text).strip().lower()
    local, at, domain = pattern.rpartition("@")
    if not at or not domain or any(mark in pattern for mark in " <>,;") or "@" in local:
        raise UsageError(
            f"{text!r} is neither an address nor @domain: write ana@example.com or @example.com"
        )
    return pattern


def _refuse_ours(context: Context, pattern: str) -> None:
    ours = {
        address
        for address in context.settings.own_addresses
        if address == pattern or (pattern[0] == "@" and address.endswith(pattern))
    }
    if ours:
        raise Refusal(
            f"{sorted(ours)[0]} is an address of this desk, and whether a mail is really from us is always checked:"
            " release the mail alone"
        )
